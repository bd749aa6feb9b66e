"""Whether a path is still what it was: by device, inode and the time of its last change.

That time (ctime) moves with the content, with what is in a directory, with permissions and links, and no program can set it. A clock of
a file system may be coarse, so what changed shortly before it was read is not believed to stay as it was. On Windows the time is
that of creation, so there nothing may be kept by it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Final, TypeAlias

_SETTLED: Final = 100_000_000  # nanoseconds in which two changes may have one time: several ticks of a kernel
_SETTLED_COARSE: Final = 2_000_000_000  # where times are whole milliseconds, for they may be whole seconds, or twos as FAT's are

State: TypeAlias = tuple[int, int, int] | None
"""Device, inode and change time in nanoseconds, or `ANY` where any time will do; None where nothing is."""

ANY: Final = -1
"""For a directory of which no more is known than that it is there."""

Ground: TypeAlias = tuple[str, bool, State]
"""A path, whether its last link was followed, and its state then."""


def state_of(path: str, *, follow: bool = True) -> State:
    """Return the state of what a path leads to, or of the link itself."""
    try:
        status = os.stat(path) if follow else os.lstat(path)
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino, status.st_ctime_ns


def is_same(ground: Ground) -> bool:
    """Say whether a path still is what it was."""
    path, follow, state = ground
    now = state_of(path, follow=follow)
    return now == state or (state is not None and state[2] == ANY and now is not None and now[:2] == state[:2])


def is_settled(state: tuple[int, int, int], now: int) -> bool:
    """Say whether the last change is so long before `now`, in nanoseconds since the epoch, that a later one has another time."""
    changed = state[2]
    return changed < now - (_SETTLED if changed % 1_000_000 else _SETTLED_COARSE)


def observed(paths: Iterable[tuple[str, bool]], began: int) -> tuple[Ground, ...] | None:
    """Return the state of paths of which something was learnt since `began`; None when one may have changed meanwhile unseen."""
    found = tuple((path, follow, state_of(path, follow=follow)) for path, follow in paths)
    return found if all(state is None or is_settled(state, began) for *_, state in found) else None


def are_same(grounds: Iterable[Ground]) -> bool:
    """Say whether all are still what they were."""
    return all(map(is_same, grounds))
