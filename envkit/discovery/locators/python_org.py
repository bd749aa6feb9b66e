"""The framework builds of python.org's installer for macOS.

Marks: the place: `Python.framework/Versions/3.12` or, free-threaded, `PythonT.framework/Versions/3.13` in `/Library/Frameworks` or the
user's own; `/System/Library/Frameworks` holds the 2.7 of macOS before 12.3, which is the system's. Files read: as for any
interpreter. Place in the table: after `homebrew`, whose frameworks lie in its kegs; before `path`, which finds the links that the
installer puts into `/usr/local/bin` and knows no owner. `Versions/Current` is another spelling of one of them, and not used.
Limits: a universal build runs on two architectures, so its own is unknown.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ...system.spelling import name_of, parent_of, within
from ..installations import installation
from ..places import at_home
from ..recognition import installed
from ..versions import numbers

if TYPE_CHECKING:
    from ...models.environment import Environment
    from ...system.look import Look

NAME: Final = "python.org"
KINDS: Final = frozenset({"interpreter"})

_SYSTEM = "/System/Library/Frameworks"
_FRAMEWORKS = ("Python.framework", "PythonT.framework")


def candidates(look: Look, roots: tuple[str, ...]) -> Iterator[str]:
    """Yield the directories of versions, newest first in each framework."""
    for versions in _versions(look):
        for name in sorted(look.names(versions), key=numbers, reverse=True):
            if name != "Current" and not name.startswith("."):
                yield within(versions, name)


def identify(look: Look, candidate: str) -> Environment | None:
    """Return the interpreter if its prefix is a version in one of the frameworks."""
    if look.host.platform != "darwin":
        return None
    found = installed(look, candidate)
    if found is None or found.kind != "interpreter":
        return None
    real = look.real(str(found.prefix))
    for versions in _versions(look):
        if parent_of(real) == look.real(versions):
            prefix = os.path.join(versions, name_of(real))
            found = installation(look, os.path.join(prefix, "bin", name_of(str(found.python))))
            manager = "system" if versions.startswith(look.place(_SYSTEM)) else NAME
            return None if found is None else replace(found, manager=manager)
    return None


def _versions(look: Look) -> tuple[str, ...]:
    def find() -> tuple[str, ...]:
        if look.host.platform != "darwin":
            return ()
        places = (look.place("/Library/Frameworks"), at_home(look, "Library", "Frameworks"), look.place(_SYSTEM))
        found = (os.path.join(place, framework, "Versions") for place in places for framework in _FRAMEWORKS)
        return tuple(path for path in found if look.is_directory(path))

    return look.remember("frameworks of python.org", find)
