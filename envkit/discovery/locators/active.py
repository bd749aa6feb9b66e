"""The active environment: what `VIRTUAL_ENV` names.

Marks: the variable, an absolute path. Files read: none. Place in the table: first, so that the caller's own environment is the
first that is given out; what it is, other locators say, so that being active changes nothing of it. Limits: a variable that
names something else, or is left over from an environment that was removed, is passed over.
"""

from __future__ import annotations

import ntpath
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ...models.environment import Environment
    from ...system.look import Look

NAME: Final = "active"
KINDS: Final = frozenset({"venv"})


def candidates(look: Look, roots: tuple[str, ...]) -> Iterator[str]:
    """Yield the prefix that is active."""
    prefix = look.host.environ.get("VIRTUAL_ENV", "")
    if ntpath.isabs(prefix) if look.windows else prefix.startswith("/"):
        yield str(look.host.path(prefix))


def identify(look: Look, candidate: str) -> Environment | None:
    """Claim nothing."""
    return None
