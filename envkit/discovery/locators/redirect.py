"""Files that point at a project's environments: `.python-envs` (PEP 832, a draft) and `.venv` where that is a file.

Marks: `.python-envs` lists one environment per line, relative to its own directory, the default one last; `.venv` as a file holds one
path and is what an earlier draft had, what virtualenv 21 writes, and Pipenv, for which a bare word is a name where it keeps
environments. Files read: those two, of projects at hand. Place in the table: after the tools that know whose an environment is,
before `project`: it says which project uses an environment of nobody known. Limits: a file points one way, so an environment that is
asked about by its own path has its project only when the file lies in a directory at hand, or right above it.

Source: PEP 832 as of July 2026; virtualenv's create/creator.py.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ...system.spelling import name_of, within
from ..places import contents, placed, stated, user_data
from ..projects import VENV, project_directories
from ..recognition import foreign, owned

if TYPE_CHECKING:
    from ...models.environment import Environment
    from ...system.look import Look

NAME: Final = "redirect"
KINDS: Final = frozenset({"venv", "conda"})

_LIST = ".python-envs"
_LIMIT = 64 * 1024  # bytes
_LINES = 200  # environments of one project


def candidates(look: Look, roots: tuple[str, ...]) -> Iterator[str]:
    """Yield what the files of projects point at, the default one first."""
    for directory in project_directories(look, roots):
        pointed = _pointed(look, directory)
        for prefix in pointed:
            _projects(look).setdefault(prefix, directory)
        yield from pointed


def identify(look: Look, candidate: str) -> Environment | None:
    """Return the virtual environment if a file of a project at hand points at it."""
    found = foreign(look, candidate)
    if found is None:
        return None
    prefix, above = found.prefix, found.directory
    project = _projects(look).get(prefix)
    if project is None and prefix in _pointed(look, above):
        project = above
    return None if project is None else owned(found.env, found.manager or NAME, project=project)


def _projects(look: Look) -> dict[str, str]:
    """Return the projects of the environments that were pointed at so far, those of the working directory among them."""

    def find() -> dict[str, str]:
        here = look.cwd
        return dict.fromkeys(_pointed(look, here), here)

    return look.remember("redirected", find)


def _pointed(look: Look, directory: str) -> tuple[str, ...]:
    """Return what the files in a directory point at and is there, the default one first."""

    def find() -> tuple[str, ...]:
        names, lines = contents(look, directory), list[str]()
        if _LIST in names:
            lines = (look.text(within(directory, _LIST), _LIMIT) or "").splitlines()[:_LINES][::-1]
        if VENV in names:
            lines.insert(0, look.text(within(directory, VENV), _LIMIT) or "")
        paths = (_meant(look, directory, line.strip()) for line in lines)
        return tuple(dict.fromkeys(path for path in paths if path is not None))

    return look.remember(("pointed", directory), find)


def _meant(look: Look, directory: str, text: str) -> str | None:
    """Return the directory that a line means: an absolute path, one relative to the file, or a name where Pipenv keeps environments."""
    if not text or "\0" in text or "\n" in text:
        return None
    path = placed(look, text) or look.tidy(within(directory, text))
    if look.is_directory(path):
        return path
    if name_of(text) != text or text in {".", ".."}:
        return None
    kept = os.path.join(stated(look, "WORKON_HOME") or user_data(look, "virtualenvs"), text)
    return kept if look.is_directory(kept) else None
