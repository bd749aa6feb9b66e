"""One lock per environment: exclusive between processes, its descriptor handed to the child that writes.

filelock does the locking; this module adds waiting that can be cancelled, who holds it, and typed errors. A soft lock is never
used in its place: where a file system has no locks, that is an error (docs/explanation/architecture.md, "Locks and durability").
"""

from __future__ import annotations

import errno
import json
import os
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BusyError, MachineError
from .files import machine_error, private_directory, write_atomic

if TYPE_CHECKING:
    from filelock import BaseFileLock

    from ..control import Work

_FIRST_PAUSE, _LONGEST_PAUSE = 0.01, 0.25  # seconds between two tries


class Held:
    """A lock that is held. `descriptors` are to be handed to every child that writes (`pass_fds`)."""

    def __init__(self, lock: BaseFileLock, descriptor: int) -> None:
        """Keep the lock and its descriptor."""
        self._lock = lock
        self._descriptor = descriptor

    @property
    def descriptors(self) -> tuple[int, ...]:
        """The descriptors that keep the lock alive in a child; none on Windows, where a job object ends the child with us."""
        return () if os.name == "nt" else (self._descriptor,)

    def release(self) -> None:
        """Free it. A child that still holds the descriptor is freed too, so its process group must have ended before."""
        self._lock.release(force=True)


@contextmanager
def held(path: Path, *, what: str, work: Work) -> Generator[Held]:
    """Hold the lock file `path` while the body runs; `what` names the thing in the errors.

    Raises:
        BusyError: the call's time is up while another process (`holder`) has it.
        MachineError: this file system cannot lock, or the file cannot be written.
        CancelledError: the call was cancelled while it waited.
    """
    private_directory(path.parent)
    lock = acquire(path, what=what, work=work)
    try:
        _say_holder(path)
        yield lock
    finally:
        with suppress(OSError):
            _holder_file(path).unlink()
        lock.release()


def acquire(path: Path, *, what: str, work: Work, blocking: bool = True) -> Held:
    """Take the lock, waiting for it as long as the call may; see `held` for the errors."""
    from filelock import FileLock, Timeout  # noqa: PLC0415 - filelock is imported when something is written, not when looking

    descriptors: list[int] = []
    # thread_local=False: a scope may be left in another thread than it was entered in.
    lock = FileLock(
        path, thread_local=False, fallback_to_soft=False, preserve_lock_file=True, on_acquired=descriptors.append, is_singleton=False
    )
    pause, waiting = _FIRST_PAUSE, None
    try:
        while True:
            try:
                lock.acquire(timeout=0)
                return Held(lock, descriptors[-1])
            except Timeout:
                if not blocking or work.expired():
                    raise busy(path, what=what, work=work) from None
            except OSError as error:
                raise _cannot_lock(path, error) from error
            if waiting is None:
                waiting = work.task("wait", f"waiting for {what}, which another process is changing")
                waiting.__enter__()
            if work.is_set():
                raise work.cancelled()
            time.sleep(min(pause, _LONGEST_PAUSE if work.deadline is None else max(0.0, work.deadline - time.monotonic())))
            pause = min(pause * 2, _LONGEST_PAUSE)
    finally:
        if waiting is not None:
            waiting.__exit__(None, None, None)


def busy(path: Path, *, what: str, work: Work) -> BusyError:
    """Return the error for a lock that another process has, with that process's id where it said so."""
    holder = _read_holder(path)
    who = f"process {holder}" if holder else "another process"
    return BusyError(
        f"{what} is being changed by {who}" + ("" if work.timeout is None else f", and is not free after {work.timeout:g} seconds"),
        holder=holder,
        hint="wait for it, or give a longer timeout=",
    )


def _holder_file(path: Path) -> Path:
    return path.with_name(path.name + ".holder")


def _say_holder(path: Path) -> None:
    with suppress(OSError):  # only for the error message of others
        write_atomic(_holder_file(path), json.dumps({"pid": os.getpid()}))


def _read_holder(path: Path) -> int | None:
    try:
        pid = json.loads(_holder_file(path).read_text("utf-8"))["pid"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return pid if isinstance(pid, int) else None


def _cannot_lock(path: Path, error: OSError) -> MachineError:
    if error.errno in {errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP}:
        return MachineError(
            f"the file system of {path.parent} cannot lock files",
            code="no-locks",
            hint="put envkit's data on a local disk with ENVKIT_HOME",
        )
    return machine_error(error, path)
