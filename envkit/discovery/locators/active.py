"""The active environment: what `VIRTUAL_ENV` names, and the Python that is running.

Marks: the variable, an absolute path; `sys.executable` and the executable of its base. Files read: none. The base is an installation
of this machine, so it is there also when it is on no PATH; the virtual environment that runs belongs to this process, so it is
given where the variables are those of this process, not in a world of its own. Place in the table: first, so that the caller's own
environment is the first that is given out; what it is, other locators say, so that being active changes nothing of it. Limits: a
variable that names something else, or is left over from an environment that was removed, is passed over; a Python that is
embedded in another program has no executable.
"""

from __future__ import annotations

import ntpath
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ...models.environment import Environment
    from ...system.look import Look

NAME: Final = "active"
KINDS: Final = frozenset({"interpreter", "venv", "conda"})


def candidates(look: Look, roots: tuple[str, ...]) -> Iterator[str]:
    """Yield the prefix that is active, then what runs and what it stands on."""
    prefix = look.host.environ.get("VIRTUAL_ENV", "")
    if ntpath.isabs(prefix) if look.windows else prefix.startswith("/"):
        yield look.tidy(look.place(prefix))
    if look.whole and look.host.platform == sys.platform:
        yield from _running(own=look.host.environ == os.environ)


def _running(*, own: bool) -> Iterator[str]:
    """Yield the executable that runs, if the world is this process's own, and that of its base."""
    base = getattr(sys, "_base_executable", None) or sys.executable
    for executable in (sys.executable if own else "", base):
        if executable and os.path.isabs(executable):
            yield executable


def identify(look: Look, candidate: str) -> Environment | None:
    """Claim nothing."""
    return None
