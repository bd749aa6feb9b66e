"""mise: the Pythons that it installed, one directory per version.

Marks: the place, `installs/python` below `$MISE_DATA_DIR`, or where the platform keeps data. Files read: as for any interpreter.
Place in the table: before `path`, for mise puts the directory of the version in use on PATH, and only the place tells whose it is.
Its links (`3.12`, `latest`) are aliases of the version they lead to. Limits: an environment that mise makes for a project is a
`.venv` like another.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ..places import mise_versions
from ..versions import version_directories, version_in

if TYPE_CHECKING:
    from ...models.environment import Environment
    from ...system.look import Look

NAME: Final = "mise"
KINDS: Final = frozenset({"interpreter", "conda"})


def candidates(look: Look, roots: tuple[str, ...]) -> Iterator[str]:
    """Yield the directories of the versions, newest first."""
    yield from version_directories(look, mise_versions(look))


def identify(look: Look, candidate: str) -> Environment | None:
    """Return the interpreter of a version, if the path leads to one."""
    return version_in(look, candidate, mise_versions(look), NAME)
