"""The ways environments come to be, in the order in which they are asked: the first that knows a path is believed.

Specific before generic: what a tool owns is of its manager, although it is also something that the standard library could have
made; and a virtual environment is one, although its executable is a link into an installation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

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

if TYPE_CHECKING:
    from ...protocols import Locator

TABLE: Final[tuple[Locator, ...]] = (
    active,  # what the caller is in comes first; it claims nothing, so that being active changes no facts
    managed,  # envkit's own, by their place and record; before all others, for none of them may take what envkit made
    pixi,  # before `conda`, for each of its environments is one of conda's kind
    conda,  # by `conda-meta`, whoever else's directory it lies in: below pyenv's, asdf's or mise's versions there are such, too
    pyenv,  # below pyenv's root, its own virtual environments too; before the tools that only know `.project`, and before `path`
    asdf,  # by its place; before `path`, where its Pythons may be, too
    mise,  # by its place; before `path`, for mise puts the directory of the version in use on PATH
    rye,  # by its mark; before `uv`, which it lets make its environments
    pipx,  # by its place and mark; before `uv` and `virtualenv`, either of which makes its environments
    tox,  # by its mark; before those, for the same reason
    nox,  # by its place; before those, for the same reason
    direnv,  # by its place; before `virtualenv`, which makes its environments
    hatch,  # by its place and what the project says; before `poetry` and `pdm`, whose marks beside a `.venv` may be left over
    pipenv,  # by the hash and the project that is written inside; before those that may share its directory
    poetry,  # by its place and the shape of the name; a `.venv` only where the project is Poetry's, so before `project`
    pdm,  # as `poetry`; after it, for `.pdm-python` is left behind where a project went over to another tool
    uv,  # after all that let uv make their environments; before `project`, for it knows more of a `.venv` that uv made
    virtualenvwrapper,  # after those that may keep environments in its directory under names of their own
    redirect,  # environments of nobody known that a project's file points at; before `project`, which would not know of them
    project,  # `.venv` of a project; after the tools that keep one, before `venv`, for it knows the project
    virtualenv,  # what virtualenv wrote for nobody known; before `venv`, which takes whatever has pyvenv.cfg
    venv,  # any directory with pyvenv.cfg; before the interpreters, for its executable leads to one
    jupyter,  # claims nothing; late, for what kernels point at is mostly found already
    windows_store,  # by its place; before `windows_registry`, where its Pythons are, too, under paths that cannot be run
    pymanager,  # by its mark; before `windows_registry`, for the same reason
    winpython,  # by its marks; before `windows_registry`, for the same reason
    scoop,  # by its place; before `windows_registry`, for the same reason
    windows_registry,  # whatever registered itself; before `path`, which knows no owner
    homebrew,  # by its kegs; before `python_org` and `path`: its Pythons are frameworks on macOS, and linked into directories on PATH
    xcode,  # by its place; before `path`, for only it knows what `/usr/bin/python3` is on macOS
    python_org,  # by its place; before `path`, where the installer puts links
    debian,  # the system's own; before `path`, which finds the same and knows no owner
    pypy,  # an implementation that was unpacked somewhere; after the tools that install it, before `path`
    graalpy,  # as `pypy`
    shims,  # what only picks an interpreter, told as such; after all interpreters, before `path`, which passes it over
    path,  # whatever is left: PATH and the usual directories; last, for it knows nothing of who made it
)
