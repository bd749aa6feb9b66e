"""envkit's own environments, by name: the directories of `Host.data`/environments.

Marks: the place; the record inside says the name. Files read: the marks in `.envkit/`, `pyvenv.cfg`, the base's version. Place in
the table: before `venv`. What has a dirty mark or no readable record is given with the problem "half-made", also when nothing
else is in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ...system.spelling import within
from ..marks import is_managed, managed_directory
from ..virtual import virtual, virtual_prefix

if TYPE_CHECKING:
    from ...models.environment import Environment
    from ...system.look import Look

NAME: Final = "managed"
KINDS: Final = frozenset({"venv"})


def candidates(look: Look, roots: tuple[str, ...]) -> Iterator[str]:
    """Yield the directory of each managed environment, sorted by name."""
    directory = managed_directory(look)
    for name in look.names(directory):
        if is_managed(look, prefix := within(directory, name)) and look.is_directory(prefix):
            yield prefix


def identify(look: Look, candidate: str) -> Environment | None:
    """Return the environment if it lies where envkit keeps its own."""
    prefix = virtual_prefix(look, candidate)
    return virtual(look, prefix) if prefix is not None and is_managed(look, prefix) else None
