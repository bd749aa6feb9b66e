"""The ways environments come to be, in the order in which they are asked: the first that knows a path is believed.

Specific before generic: what a tool owns is of its manager, although it is also something that the standard library could have
made; and a virtual environment is one, although its executable is a link into an installation.

The table is data, and a locator is imported when it is asked: those of other systems never are, and what can only answer for one
kind of thing is not asked about another.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Final, TypeAlias, cast

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


NOTHING: Final = frozenset[str]()
VENV: Final = frozenset({"venv"})
OWN: Final = VENV | {"envkit"}  # also for what envkit made, which the locators of other tools pass over
INTERPRETER: Final = frozenset({"interpreter"})
BOTH: Final = VENV | INTERPRETER
ANYTHING: Final = OWN | INTERPRETER

Way: TypeAlias = tuple[str, frozenset[str], str]
"""One way: its module here, what its `identify` may answer for, and the one system that has it (empty: any)."""

WAYS: Final[tuple[Way, ...]] = (
    ("active", NOTHING, ""),  # what the caller is in comes first; it claims nothing, so that being active changes no facts
    ("managed", OWN, ""),  # envkit's own, by their place and record; before all others, for none of them may take what envkit made
    ("pixi", ANYTHING, ""),  # before `conda`, for each of its environments is one of conda's kind
    ("conda", ANYTHING, ""),  # by `conda-meta`, whoever else's directory it lies in: pyenv, asdf and mise install it, too
    ("pyenv", BOTH, ""),  # below pyenv's root, its virtual environments too; before those that only know `.project`, and before `path`
    ("asdf", INTERPRETER, ""),  # by its place; before `path`, where its Pythons may be, too
    ("mise", INTERPRETER, ""),  # by its place; before `path`, for mise puts the directory of the version in use on PATH
    ("rye", BOTH, ""),  # by its mark; before `uv`, which it lets make its environments
    ("pipx", VENV, ""),  # by its place and mark; before `uv` and `virtualenv`, either of which makes its environments
    ("tox", VENV, ""),  # by its mark; before those, for the same reason
    ("nox", VENV, ""),  # by its place; before those, for the same reason
    ("direnv", VENV, ""),  # by its place; before `virtualenv`, which makes its environments
    ("hatch", BOTH, ""),  # by its place and what the project says; before `poetry` and `pdm`, whose marks beside a `.venv` may be left over
    ("pipenv", VENV, ""),  # by the hash and the project that is written inside; before those that may share its directory
    ("poetry", BOTH, ""),  # by its place and the shape of the name; a `.venv` only where the project is Poetry's, so before `project`
    ("pdm", BOTH, ""),  # as `poetry`; after it, for `.pdm-python` is left behind where a project went over to another tool
    ("uv", BOTH, ""),  # after all that let uv make their environments; before `project`, for it knows more of a `.venv` that uv made
    ("virtualenvwrapper", VENV, ""),  # after those that may keep environments in its directory under names of their own
    ("redirect", VENV, ""),  # environments of nobody known that a project's file points at; before `project`, which would not know of them
    ("project", OWN, ""),  # `.venv` of a project; after the tools that keep one, before `venv`, for it knows the project
    ("virtualenv", VENV, ""),  # what virtualenv wrote for nobody known; before `venv`, which takes whatever has pyvenv.cfg
    ("venv", OWN, ""),  # any directory with pyvenv.cfg; before the interpreters, for its executable leads to one
    ("jupyter", NOTHING, ""),  # claims nothing; late, for what kernels point at is mostly found already
    ("windows_store", INTERPRETER, "win32"),  # by its place; before `windows_registry`, which names paths that cannot be run
    ("pymanager", INTERPRETER, "win32"),  # by its mark; before `windows_registry`, for the same reason
    ("winpython", INTERPRETER, "win32"),  # by its marks; before `windows_registry`, for the same reason
    ("scoop", INTERPRETER, "win32"),  # by its place; before `windows_registry`, for the same reason
    ("windows_registry", INTERPRETER, "win32"),  # whatever registered itself; before `path`, which knows no owner
    ("homebrew", INTERPRETER, ""),  # by its kegs; before `python_org` and `path`: its Pythons are frameworks on macOS, and on PATH
    ("xcode", INTERPRETER, "darwin"),  # by its place; before `path`, for only it knows what `/usr/bin/python3` is on macOS
    ("python_org", INTERPRETER, "darwin"),  # by its place; before `path`, where the installer puts links
    ("debian", INTERPRETER, ""),  # the system's own; before `path`, which finds the same and knows no owner
    ("pypy", INTERPRETER, ""),  # an implementation that was unpacked somewhere; after the tools that install it, before `path`
    ("graalpy", INTERPRETER, ""),  # as `pypy`
    ("shims", INTERPRETER, ""),  # what only picks an interpreter, told as such; after all interpreters, before `path`, which passes it over
    ("path", INTERPRETER, ""),  # whatever is left: PATH and the usual directories; last, for it knows nothing of who made it
)


@cache
def table(platform: str) -> tuple[Locator, ...]:
    """Return the locators of a system, as `sys.platform` calls it, in their order."""
    return tuple(_module(name) for name, _, system in WAYS if system in {"", platform})


def things_of(locator: Locator) -> frozenset[str]:
    """Return the kinds of things that a locator's `identify` may answer for, so that it is asked about no other.

    "interpreter" is what lies in no virtual environment, "envkit" one that envkit made, "venv" any other. A plugged-in locator may
    answer for anything.
    """
    return _THINGS.get(getattr(locator, "__name__", ""), ANYTHING)


def is_built_in(locator: Locator) -> bool:
    """Say whether a locator is one of these, and not plugged in."""
    return getattr(locator, "__name__", "") in _THINGS


_THINGS: Final = {f"{__name__}.{name}": things for name, things, _ in WAYS}

if not TYPE_CHECKING:

    def __getattr__(name):
        """Give `TABLE`, the locators of all systems, when it is asked for."""
        if name == "TABLE":
            return tuple(_module(name) for name, _, _ in WAYS)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _module(name: str) -> Locator:
    return cast("Locator", import_module(f".{name}", __name__))
