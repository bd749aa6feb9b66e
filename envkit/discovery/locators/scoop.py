r"""Scoop: the Pythons among its applications.

Marks: the place: `apps\<application>\<version>` below `$SCOOP` (`~\scoop`) or, for all users, `$SCOOP_GLOBAL` (`C:\ProgramData\scoop`). The
link `current` leads to the version in use, and is an alias of it. Files read: as for any interpreter; the name of the version's
directory. Place in the table: before `windows_registry` and `path`. Its shims are told by `shims`. Limits: conda's installations
among the applications are of another locator.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ...system.spelling import name_of, parent_of, within
from ..executables import WORDS
from ..installations import installation_at
from ..places import at_home, stated
from ..recognition import installed
from ..versions import numbers

if TYPE_CHECKING:
    from ...models.environment import Environment
    from ...system.look import Look

NAME: Final = "scoop"
KINDS: Final = frozenset({"interpreter"})

_CURRENT = "current"


def candidates(look: Look, roots: tuple[str, ...]) -> Iterator[str]:
    """Yield the directories of versions, newest first for each application, then the link to the one in use."""
    for apps in _applications(look):
        for application in look.names(apps):
            if application.lower().startswith(WORDS):
                directory = os.path.join(apps, application)
                yield from (within(directory, name) for name in sorted(look.names(directory), key=numbers, reverse=True))


def identify(look: Look, candidate: str) -> Environment | None:
    """Return the interpreter if it lies in a version of an application, whose name it gets; by the version, not by `current`."""
    if not look.windows:
        return None
    found = installed(look, candidate)
    if found is None or found.kind != "interpreter":
        return None
    application, version = os.path.split(str(found.prefix))
    if parent_of(application) not in _applications(look):
        return None
    link = within(application, _CURRENT)
    in_use = os.path.basename(look.real(link)) if _CURRENT in look.names(application) else None
    if version == _CURRENT and in_use is not None and in_use != _CURRENT:
        whole = installation_at(look, os.path.join(application, in_use))
        found, version = (whole, in_use) if whole is not None else (found, version)
    aliases = (Path(link),) if in_use == version and version != _CURRENT else ()
    return replace(found, manager=NAME, name=name_of(application), aliases=aliases)


def _applications(look: Look) -> tuple[str, ...]:
    def find() -> tuple[str, ...]:
        if not look.windows:
            return ()
        shared = stated(look, "SCOOP_GLOBAL") or os.path.join(stated(look, "ProgramData") or look.place("C:\\ProgramData"), "scoop")
        places = (stated(look, "SCOOP") or at_home(look, "scoop"), shared)
        return tuple(within(place, "apps") for place in places)

    return look.remember("scoop", find)
