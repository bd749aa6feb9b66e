"""Rye: its toolchains, the `.venv` that it keeps in each project, and the environments of installed tools.

Marks: `rye-venv.json` in the environment; the places `py` (toolchains), `tools` and `self` below `$RYE_HOME` or `~/.rye`. Files
read: none besides. Place in the table: before `uv`, which Rye lets make its environments, and before `project`. Limits: none known.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ...system.spelling import within
from ..places import at_home, marked_children, stated
from ..projects import VENV, project_directories, project_of
from ..recognition import foreign, owned
from ..versions import version_directories, version_in

if TYPE_CHECKING:
    from ...models.environment import Environment
    from ...system.look import Look

NAME: Final = "rye"
KINDS: Final = frozenset({"interpreter", "venv"})

_MARK = "rye-venv.json"


def candidates(look: Look, roots: tuple[str, ...]) -> Iterator[str]:
    """Yield the environments of projects, then the toolchains, newest first, then the tools."""
    for directory in project_directories(look, roots):
        if look.is_present(os.path.join(directory, VENV, _MARK)):
            yield within(directory, VENV)
    home = _home(look)
    yield from version_directories(look, within(home, "py"))
    yield from marked_children(look, within(home, "tools"))
    if look.is_present(own := os.path.join(home, "self", "venv")):
        yield own


def identify(look: Look, candidate: str) -> Environment | None:
    """Return the environment if Rye's mark is in it or it lies in Rye's home, or the toolchain that the path leads to."""
    home = _home(look)
    found = foreign(look, candidate)
    if found is None:
        return version_in(look, candidate, within(home, "py"), NAME)
    directory = found.directory
    if directory == within(home, "tools"):
        return owned(found.env, NAME, name=found.name)
    if directory == within(home, "self"):
        return owned(found.env, NAME, name="self")
    if not look.has(found.prefix, _MARK):
        return None
    return owned(found.env, NAME, project=project_of(look, found.prefix))


def _home(look: Look) -> str:
    return look.remember("rye", lambda: stated(look, "RYE_HOME") or at_home(look, ".rye"))
