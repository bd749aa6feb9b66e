"""asdf: what its plug-in for Python installed, one directory per version.

Marks: the place, `installs/python` below `$ASDF_DATA_DIR` or `~/.asdf`. Files read: as for any interpreter. Place in the table:
before `path`, for its Pythons may be on PATH, and only the place tells whose they are. Its shims are scripts; they are never run.
Limits: a conda installation among them is of another locator's manager.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ..places import asdf_versions
from ..versions import version_directories, version_in

if TYPE_CHECKING:
    from ...models.environment import Environment
    from ...system.look import Look

NAME: Final = "asdf"
KINDS: Final = frozenset({"interpreter", "conda"})


def candidates(look: Look, roots: tuple[str, ...]) -> Iterator[str]:
    """Yield the directories of the versions, newest first."""
    yield from version_directories(look, asdf_versions(look))


def identify(look: Look, candidate: str) -> Environment | None:
    """Return the interpreter of a version, if the path leads to one."""
    return version_in(look, candidate, asdf_versions(look), NAME)
