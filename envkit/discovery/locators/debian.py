"""Debian's and Ubuntu's own Pythons, and their alternatives.

Marks: the prefix `/usr` on a machine with dpkg. `/etc/alternatives/python*` are links that an administrator set; what they lead to is
found as it is, they are its aliases. Files read: as for any interpreter, which there has no headers: the version is in the executable
itself. Place in the table: before `path`, which finds the same executables and knows no owner. Limits: a Python of one's own in
`/usr/local` is not Debian's and left to `path`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ...system.spelling import within
from ..executables import interpreters_in
from ..recognition import installed, owned

if TYPE_CHECKING:
    from ...models.environment import Environment
    from ...system.look import Look

NAME: Final = "debian"
KINDS: Final = frozenset({"interpreter"})


def candidates(look: Look, roots: tuple[str, ...]) -> Iterator[str]:
    """Yield the executables in `/usr/bin`, then the alternatives."""
    if _is_debian(look):
        for directory in (look.place("/usr/bin"), look.place("/etc/alternatives")):
            for name in interpreters_in(look, directory):
                yield within(directory, name)


def identify(look: Look, candidate: str) -> Environment | None:
    """Return the interpreter if it is one of the system's packages."""
    if not _is_debian(look):
        return None
    found = installed(look, candidate)
    if found is None or found.kind != "interpreter" or str(found.prefix) != look.place("/usr"):
        return None
    return owned(found, NAME)


def _is_debian(look: Look) -> bool:
    return look.remember("debian", lambda: not look.windows and look.is_directory(look.place("/var/lib/dpkg")))
