"""Time in tests, on a machine that is busy or stands still for seconds.

What must happen is waited for, however long it takes; how long we took is counted in the time in which the machine ran us; and a call
that must run out of time only after something has happened gets more time until it has.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

LONG = 120.0
"""Seconds after which what has not happened never will."""

_BEAT = 0.01
_MOST = 0.05  # seconds that one beat counts at most: what is beyond that was not ours


def alive(pid: int) -> bool:
    """Say whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except OSError:
        return False


def until(true: Callable[[], object], seconds: float = LONG) -> bool:
    """Wait until something is true, and say whether it became so."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return bool(true())
        time.sleep(_BEAT)
    return True


def more_and_more(first: float) -> Iterator[float]:
    """Yield timeouts that grow: a call is made with each until what it must have done before its time is up has been done."""
    seconds = first
    while seconds < LONG:
        yield seconds
        seconds *= 3


class OwnTime:
    """A clock that stands while the machine does not run us."""

    def __init__(self) -> None:
        """Begin to count."""
        self.seconds = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._count, daemon=True)
        self._thread.start()

    def _count(self) -> None:
        before = time.monotonic()
        while not self._over.wait(_BEAT):
            now = time.monotonic()
            self.seconds += min(now - before, _MOST)
            before = now

    def stop(self) -> None:
        """Count no more."""
        self._over.set()
        self._thread.join()


@contextmanager
def own_time() -> Iterator[OwnTime]:
    """Count the seconds in which the machine ran us; they stand in `seconds`, also after the end."""
    clock = OwnTime()
    try:
        yield clock
    finally:
        clock.stop()
