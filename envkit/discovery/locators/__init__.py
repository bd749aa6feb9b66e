"""The ways environments come to be, in the order in which they are asked: the first that knows a path is believed.

Specific before generic: what a tool owns is of its manager, although it is also something that the standard library could have
made; and a virtual environment is one, although its executable is a link into an installation.

The table is data, and a locator is imported when it is asked: those of other systems never are, and what can only answer for one
kind of thing is not asked about another.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Final, NamedTuple, cast

if TYPE_CHECKING:
    from ...protocols import Locator
    from . import (
        active,
        asdf,
        conda,
        debian,
        direnv,
        graalpy,
        hatch,
        homebrew,
        jupyter,
        managed,
        mise,
        nox,
        path,
        pdm,
        pipenv,
        pipx,
        pixi,
        poetry,
        project,
        pyenv,
        pymanager,
        pypy,
        python_org,
        redirect,
        rye,
        scoop,
        shims,
        tox,
        uv,
        venv,
        virtualenv,
        virtualenvwrapper,
        windows_registry,
        windows_store,
        winpython,
        xcode,
    )

    # Each locator against its Protocol, once: mypy and pyright check it here.
    TABLE: Final[tuple[Locator, ...]] = (
        active,
        managed,
        pixi,
        conda,
        pyenv,
        asdf,
        mise,
        rye,
        pipx,
        tox,
        nox,
        direnv,
        hatch,
        pipenv,
        poetry,
        pdm,
        uv,
        virtualenvwrapper,
        redirect,
        project,
        virtualenv,
        venv,
        jupyter,
        windows_store,
        pymanager,
        winpython,
        scoop,
        windows_registry,
        homebrew,
        xcode,
        python_org,
        debian,
        pypy,
        graalpy,
        shims,
        path,
    )


class Way(NamedTuple):
    """One way: its module here, what its `identify` may answer for, and the one system that has it (empty: any)."""

    module: str
    things: frozenset[str]
    system: str = ""


NOTHING: Final = frozenset[str]()
VENV: Final = frozenset({"venv"})
OWN: Final = VENV | {"envkit"}  # also for what envkit made, which the locators of other tools pass over
INTERPRETER: Final = frozenset({"interpreter"})
BOTH: Final = VENV | INTERPRETER
ANYTHING: Final = OWN | INTERPRETER

WAYS: Final = (
    Way("active", NOTHING),  # what the caller is in comes first; it claims nothing, so that being active changes no facts
    Way("managed", OWN),  # envkit's own, by their place and record; before all others, for none of them may take what envkit made
    Way("pixi", ANYTHING),  # before `conda`, for each of its environments is one of conda's kind
    Way("conda", ANYTHING),  # by `conda-meta`, whoever else's directory it lies in: pyenv, asdf and mise install it, too
    Way("pyenv", BOTH),  # below pyenv's root, its virtual environments too; before those that only know `.project`, and before `path`
    Way("asdf", INTERPRETER),  # by its place; before `path`, where its Pythons may be, too
    Way("mise", INTERPRETER),  # by its place; before `path`, for mise puts the directory of the version in use on PATH
    Way("rye", BOTH),  # by its mark; before `uv`, which it lets make its environments
    Way("pipx", VENV),  # by its place and mark; before `uv` and `virtualenv`, either of which makes its environments
    Way("tox", VENV),  # by its mark; before those, for the same reason
    Way("nox", VENV),  # by its place; before those, for the same reason
    Way("direnv", VENV),  # by its place; before `virtualenv`, which makes its environments
    Way("hatch", BOTH),  # by its place and what the project says; before `poetry` and `pdm`, whose marks beside a `.venv` may be left over
    Way("pipenv", VENV),  # by the hash and the project that is written inside; before those that may share its directory
    Way("poetry", BOTH),  # by its place and the shape of the name; a `.venv` only where the project is Poetry's, so before `project`
    Way("pdm", BOTH),  # as `poetry`; after it, for `.pdm-python` is left behind where a project went over to another tool
    Way("uv", BOTH),  # after all that let uv make their environments; before `project`, for it knows more of a `.venv` that uv made
    Way("virtualenvwrapper", VENV),  # after those that may keep environments in its directory under names of their own
    Way("redirect", VENV),  # environments of nobody known that a project's file points at; before `project`, which would not know of them
    Way("project", OWN),  # `.venv` of a project; after the tools that keep one, before `venv`, for it knows the project
    Way("virtualenv", VENV),  # what virtualenv wrote for nobody known; before `venv`, which takes whatever has pyvenv.cfg
    Way("venv", OWN),  # any directory with pyvenv.cfg; before the interpreters, for its executable leads to one
    Way("jupyter", NOTHING),  # claims nothing; late, for what kernels point at is mostly found already
    Way("windows_store", INTERPRETER, "win32"),  # by its place; before `windows_registry`, which names paths that cannot be run
    Way("pymanager", INTERPRETER, "win32"),  # by its mark; before `windows_registry`, for the same reason
    Way("winpython", INTERPRETER, "win32"),  # by its marks; before `windows_registry`, for the same reason
    Way("scoop", INTERPRETER, "win32"),  # by its place; before `windows_registry`, for the same reason
    Way("windows_registry", INTERPRETER, "win32"),  # whatever registered itself; before `path`, which knows no owner
    Way("homebrew", INTERPRETER),  # by its kegs; before `python_org` and `path`: its Pythons are frameworks on macOS, and on PATH
    Way("xcode", INTERPRETER, "darwin"),  # by its place; before `path`, for only it knows what `/usr/bin/python3` is on macOS
    Way("python_org", INTERPRETER, "darwin"),  # by its place; before `path`, where the installer puts links
    Way("debian", INTERPRETER),  # the system's own; before `path`, which finds the same and knows no owner
    Way("pypy", INTERPRETER),  # an implementation that was unpacked somewhere; after the tools that install it, before `path`
    Way("graalpy", INTERPRETER),  # as `pypy`
    Way("shims", INTERPRETER),  # what only picks an interpreter, told as such; after all interpreters, before `path`, which passes it over
    Way("path", INTERPRETER),  # whatever is left: PATH and the usual directories; last, for it knows nothing of who made it
)


@cache
def table(platform: str) -> tuple[Locator, ...]:
    """Return the locators of a system, as `sys.platform` calls it, in their order."""
    return tuple(_module(way) for way in WAYS if way.system in {"", platform})


def things_of(locator: Locator) -> frozenset[str]:
    """Return the kinds of things that a locator's `identify` may answer for, so that it is asked about no other.

    "interpreter" is what lies in no virtual environment, "envkit" one that envkit made, "venv" any other. A plugged-in locator may
    answer for anything.
    """
    return _THINGS.get(getattr(locator, "__name__", ""), ANYTHING)


_THINGS: Final = {f"{__name__}.{way.module}": way.things for way in WAYS}

if not TYPE_CHECKING:

    def __getattr__(name):
        """Give `TABLE`, the locators of all systems, when it is asked for."""
        if name == "TABLE":
            return tuple(_module(way) for way in WAYS)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _module(way: Way) -> Locator:
    return cast("Locator", import_module(f".{way.module}", __name__))
