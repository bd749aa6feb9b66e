"""A project's own virtual environment: the directory `.venv` in it.

Marks: `.venv` with `pyvenv.cfg`, in the working directory or one above it, in a directory that the caller named or one in that, or
anywhere when it is asked about. Files read: `pyvenv.cfg`, the base's version. Place in the table: after the tools that keep such a
directory themselves (uv, Poetry, PDM, Pipenv, Rye), before the generic locators, for it knows the project. Limits: `~/.venv` and
`/.venv` belong to no project; other names than `.venv` are left to `venv`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ..projects import VENV, project_directories, project_of
from ..recognition import owned
from ..virtual import virtual

if TYPE_CHECKING:
    from ...models.environment import Environment
    from ...system.look import Look

NAME: Final = "project"
KINDS: Final = frozenset({"venv"})


def candidates(look: Look, roots: tuple[str, ...]) -> Iterator[str]:
    """Yield `.venv` of the working directory and those above it, of each root, and of the directories in each root."""
    for directory in project_directories(look, roots):
        if look.is_directory(prefix := os.path.join(directory, VENV)):
            yield prefix


def identify(look: Look, candidate: str) -> Environment | None:
    """Return the environment if its directory is `.venv` in what can be a project."""
    found = virtual(look, candidate)
    if found is None or (directory := project_of(look, found)) is None:
        return None
    return owned(found, found.manager or "venv", project=directory)
