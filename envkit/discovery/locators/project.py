"""A project's own virtual environment: the directory `.venv` in it.

Marks: `.venv` with `pyvenv.cfg`, in the working directory, in a directory that the caller named, or anywhere when it is asked
about. Files read: `pyvenv.cfg`, the base's version. Place in the table: before the generic locators, for it knows the project.
Limits: `~/.venv` and `/.venv` belong to no project; other names than `.venv` are left to `venv`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..virtual import virtual

if TYPE_CHECKING:
    from ...models.environment import Environment
    from ...system.look import Look

NAME: Final = "project"
KINDS: Final = frozenset({"venv"})

_DIRECTORY = ".venv"


def candidates(look: Look, roots: tuple[str, ...]) -> Iterator[str]:
    """Yield `.venv` of the working directory and of each root."""
    for directory in (str(look.host.cwd), *roots):
        if look.is_directory(prefix := os.path.join(directory, _DIRECTORY)):
            yield prefix


def identify(look: Look, candidate: str) -> Environment | None:
    """Return the environment if its directory is `.venv` in what can be a project."""
    found = virtual(look, candidate)
    if found is None or found.prefix.name != _DIRECTORY:
        return None
    directory = str(found.prefix.parent)
    if directory in {str(look.host.home), str(look.host.root)}:
        return None
    return replace(found, project=Path(directory))
