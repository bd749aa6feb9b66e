"""A project's own virtual environment: the directory `.venv` in it, or one called `venv`, `env`, `.env` or `.virtualenv`.

Marks: `pyvenv.cfg` in a directory of that name, in the working directory or one above it, in or below a directory that the caller
named, or anywhere when it is asked about. Files read: `pyvenv.cfg`, the base's version. Place in the table: after the tools that
keep such a directory themselves (uv, Poetry, PDM, Pipenv, Rye), before the generic locators, for it knows the project. Limits: `~/.venv`
and `/.venv` belong to no project; the other names only where a file of a project lies beside them; all others are left to `venv`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ...system.spelling import within
from ..places import contents
from ..projects import VENV, has_any, project_directories, project_of
from ..recognition import directory_of, owned
from ..virtual import virtual

if TYPE_CHECKING:
    from ...models.environment import Environment
    from ...system.look import Look

NAME: Final = "project"
KINDS: Final = frozenset({"venv"})

_OTHERS = (".virtualenv", "venv", "env", ".env")
_FILES = ("pyproject.toml", "setup.py", "setup.cfg", "requirements.txt", "Pipfile", ".git")


def candidates(look: Look, roots: tuple[str, ...]) -> Iterator[str]:
    """Yield those of the working directory and the ones above it, then of each root."""
    for directory in project_directories(look, roots):
        names = contents(look, directory)
        for name in (VENV, *_OTHERS):
            if name in names and look.is_directory(prefix := within(directory, name)):
                yield prefix


def identify(look: Look, candidate: str) -> Environment | None:
    """Return the environment if its directory is called so and lies in what can be a project."""
    found = virtual(look, candidate)
    if found is None:
        return None
    directory = project_of(look, str(found.prefix))
    if directory is None and found.prefix.name in _OTHERS:
        beside = directory_of(found)
        directory = beside if beside != look.home and has_any(look, beside, *_FILES) else None
    return None if directory is None else owned(found, found.manager or "venv", project=directory)
