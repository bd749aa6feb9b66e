"""The ways environments come to be, in the order in which they are asked: the first that knows a path is believed.

Specific before generic: what a tool owns is of its manager, although it is also something that the standard library could have
made; and a virtual environment is one, although its executable is a link into an installation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from . import active, managed, path, project, pyenv, venv

if TYPE_CHECKING:
    from ...protocols import Locator

TABLE: Final[tuple[Locator, ...]] = (
    active,  # what the caller is in comes first; it claims nothing, so that being active changes no facts
    project,  # the environment of the project at hand; before `managed` and `venv`, for it alone knows the project
    managed,  # envkit's own, by their place and record; before `venv`, for each is one
    pyenv,  # below pyenv's root, its own virtual environments too; before `venv` and `path`, for its Pythons are also on PATH
    venv,  # any directory with pyvenv.cfg; before `path`, for its executable leads to an interpreter
    path,  # whatever is left: PATH and the usual directories; last, for it knows nothing of who made it
)
