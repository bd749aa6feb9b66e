"""nox: the environments of a project's sessions, in `.nox`.

Marks: the place. Files read: none. Place in the table: before `virtualenv`, `uv` and `venv`, with which nox makes them. Looks only
below directories that the caller named, as for tox. Limits: nox leaves nothing inside them, so those of another `--envdir` are not
told from others; its conda environments are conda's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ...system.spelling import name_of, parent_of, within
from ..places import marked_children
from ..recognition import foreign, owned

if TYPE_CHECKING:
    from ...models.environment import Environment
    from ...system.look import Look

NAME: Final = "nox"
KINDS: Final = frozenset({"venv"})

_DIRECTORY = ".nox"


def candidates(look: Look, roots: tuple[str, ...]) -> Iterator[str]:
    """Yield the environments in `.nox` of each root, sorted by name."""
    for root in roots:
        yield from marked_children(look, within(root, _DIRECTORY))


def identify(look: Look, candidate: str) -> Environment | None:
    """Return the environment if it lies in `.nox`; the project is the directory of that."""
    found = foreign(look, candidate)
    if found is None or name_of(directory := found.directory) != _DIRECTORY:
        return None
    return owned(found.env, NAME, name=found.name, project=parent_of(directory))
