"""tox: the environments in `.tox` of a project, and others that tox made.

Marks: the place `.tox`, or `.tox-info.json`, which tox 4 writes into each, wherever its working directory lies. Files read: none
besides. Place in the table: before `virtualenv` and `uv`, with which tox makes them. Looks only below directories that the caller
named: they are made anew all the time, and few want them in a list of everything. Limits: those of tox 3 are known by their place.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ...system.spelling import name_of, parent_of, within
from ..places import marked_children
from ..projects import has_file
from ..recognition import foreign, owned

if TYPE_CHECKING:
    from ...models.environment import Environment
    from ...system.look import Look

NAME: Final = "tox"
KINDS: Final = frozenset({"venv"})

_DIRECTORY = ".tox"
_ABOVE = 4  # directories, the working directory itself among them
_MARK = ".tox-info.json"


def candidates(look: Look, roots: tuple[str, ...]) -> Iterator[str]:
    """Yield the environments in `.tox` of each root, sorted by name."""
    for root in roots:
        yield from marked_children(look, within(root, _DIRECTORY))


def identify(look: Look, candidate: str) -> Environment | None:
    """Return the environment if it lies in `.tox` or tox wrote its mark into it; the project is the directory of `.tox`, or has `tox.ini`."""
    found = foreign(look, candidate)
    if found is None:
        return None
    directory = found.directory
    inside = name_of(directory) == _DIRECTORY
    if not inside and not look.has(found.prefix, _MARK):
        return None
    return owned(found.env, NAME, name=found.name, project=parent_of(directory) if inside else _configured(look, directory))


def _configured(look: Look, directory: str) -> str | None:
    """Return the nearest directory above a working directory elsewhere that configures tox; None when none does."""
    for _ in range(_ABOVE):
        if has_file(look, directory, "tox.ini", "tox.toml"):
            return directory
        directory = parent_of(directory)
    return None
