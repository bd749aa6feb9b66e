"""Who belongs to a process: its descendants, whoever holds its pipes, whoever has its variables; by /proc, where there is one."""

from __future__ import annotations

import os
import signal
import stat
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Final

_DYING: Final = 10.0  # seconds that killed processes may take to be gone: a kernel under load, or one that waits for a disk
_READ, _WRITE = stat.S_IRUSR, stat.S_IWUSR


def stop_family(root: int) -> set[int]:
    """Stop a process and its descendants, so that none can fork away while they are counted, and return their ids."""
    family: set[int] = set()
    todo = {root}
    while todo:
        for pid in todo:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGSTOP)
        family |= todo
        todo = {pid for pid, parent in _parents().items() if parent in family} - family
    return family


def _parents() -> dict[int, int]:
    """Return the parent of each process, as /proc says; empty where there is none (there the process group has to do)."""
    parents: dict[int, int] = {}
    try:
        entries = os.listdir("/proc")
    except OSError:
        return parents
    for entry in entries:
        if entry.isdigit():
            with suppress(OSError, ValueError, IndexError):
                parents[int(entry)] = int(_status(int(entry))[1])
    return parents


def _status(pid: int) -> list[bytes]:
    """Return what /proc says of a process after its name, which may hold blanks and brackets: its state, its parent, ..."""
    with open(f"/proc/{pid}/stat", "rb") as stream:
        return stream.read().rpartition(b")")[2].split()


def holders(descriptors: Iterable[int]) -> set[int]:
    """Return the processes, without ours, that hold the other end of our pipes, as /proc says: daemons that left their tree.

    Whoever holds our own end is a child that another thread has just forked, and will close it when it becomes its program.
    """
    ours = set(_ends(f"/proc/self/fd/{descriptor}" for descriptor in descriptors))
    others = {(pipe, mode ^ (_READ | _WRITE)) for pipe, mode in ours}
    found: set[int] = set()
    for entry in os.listdir("/proc") if ours else ():
        if entry.isdigit() and int(entry) != os.getpid():
            with suppress(OSError):
                if not others.isdisjoint(_ends(f"/proc/{entry}/fd/{name}" for name in os.listdir(f"/proc/{entry}/fd"))):
                    found.add(int(entry))
    return found


def bearers(variable: str) -> set[int]:
    """Return the processes, without ours, that were started with a variable, `NAME=value`, as /proc says: orphans that left their tree."""
    wanted = b"\0" + os.fsencode(variable) + b"\0"
    found: set[int] = set()
    with suppress(OSError):
        for entry in filter(str.isdigit, os.listdir("/proc")):
            with suppress(OSError), open(f"/proc/{entry}/environ", "rb") as stream:
                if wanted in b"\0" + stream.read() + b"\0" and int(entry) != os.getpid():
                    found.add(int(entry))
    return found


def _ends(links: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Yield what descriptors are open on, and how: the permissions of their links in /proc say whether they read or write."""
    for link in links:
        with suppress(OSError):  # closed meanwhile
            yield os.readlink(link), os.lstat(link).st_mode & (_READ | _WRITE)


def kill_processes(processes: Iterable[int]) -> None:
    """Kill processes and see them gone, as /proc says; one that is gone, or is not ours, is passed over.

    A signal is only a promise: who returns at once still sees them run, hold locks and write.
    """
    killed: list[int] = []
    for pid in processes:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)
            killed.append(pid)
    until = time.monotonic() + _DYING
    for pid in killed:
        while _runs(pid) and time.monotonic() < until:
            time.sleep(0.001)


def group_gone(group: int) -> None:
    """See a killed process group gone, of which the leader has been reaped: what it had left behind dies at its own pace."""
    until = time.monotonic() + _DYING
    while _group_runs(group) and time.monotonic() < until:
        time.sleep(0.001)


def _group_runs(group: int) -> bool:
    """Say whether a process of the group is there and no zombie; False where there is no /proc to ask."""
    try:
        os.killpg(group, 0)
        entries = [entry for entry in os.listdir("/proc") if entry.isdigit()]
    except OSError:
        return False
    for entry in entries:
        with suppress(OSError, IndexError):
            state, _, its_group = _status(int(entry))[:3]
            if int(its_group) == group and state not in (b"Z", b"X"):
                return True
    return False


def _runs(pid: int) -> bool:
    """Say whether a process is there and no zombie; False where there is no /proc to ask."""
    try:
        return _status(pid)[0] not in (b"Z", b"X")
    except (OSError, IndexError):
        return False
