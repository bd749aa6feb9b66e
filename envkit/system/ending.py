"""How the end of a child is seen: told by the kernel as it happens where it can (pidfd of Linux), asked for again and again elsewhere.

`Popen.wait` with a limit sleeps between two questions, up to twice as long as the child ran: a program of 20 ms costs 30 by it.
"""

from __future__ import annotations

import os
import select
import sys
import time
from typing import Protocol

_PAUSE = 0.001  # seconds between the first two questions; each pause is twice the one before
_LONGEST = 0.02


class Child(Protocol):
    """What is asked of a child: `Popen` is one."""

    returncode: int | None

    @property
    def pid(self) -> int:
        """Its id."""
        ...

    def poll(self) -> int | None:
        """Reap it if it has ended, and return its code."""
        ...


def ended(child: Child) -> bool:
    """Say whether a child has ended, without reaping it where that can be: until then its id, and its group's, is nobody else's."""
    if child.returncode is not None:
        return True
    if not hasattr(os, "waitid"):
        return child.poll() is not None
    try:
        return os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:  # somebody else in this process reaped it
        return child.poll() is not None


def ends_within(child: Child, seconds: float) -> bool:
    """Wait for a child to end, so long at most, and say whether it has; it is not reaped, as by `ended`."""
    if ended(child):
        return True
    if sys.platform == "linux":
        try:
            descriptor = os.pidfd_open(child.pid)  # the id is its own: nobody has reaped it
        except OSError:  # an old kernel, a sandbox, or no descriptor is left
            pass
        else:
            try:
                poll = select.poll()  # `select` refuses descriptors beyond 1,023
                poll.register(descriptor, select.POLLIN)
                poll.poll(seconds * 1000)
            finally:
                os.close(descriptor)
            return ended(child)
    return _asked(child, seconds)


def _asked(child: Child, seconds: float) -> bool:
    until, pause = time.monotonic() + seconds, _PAUSE
    while not ended(child):
        left = until - time.monotonic()
        if left <= 0:
            return False
        time.sleep(min(pause, left))
        pause = min(pause * 2, _LONGEST)
    return True
