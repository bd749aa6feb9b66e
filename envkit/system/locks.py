"""One lock per environment: exclusive between processes, its descriptor handed to the child that writes.

Where there is flock(2) it is asked directly, as filelock does, whose import takes longer than most of what is done under a lock;
elsewhere filelock does the locking. This module adds waiting that can be cancelled, who holds it, and typed errors. A soft lock is
never used in its place: where a file system has no locks, that is an error (docs/explanation/architecture.md, "Locks and durability").

Source: flock(2); filelock 3.30, _unix.py.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BusyError, DeadlineError, MachineError
from .files import machine_error, private_directory, write_atomic

if TYPE_CHECKING:
    from ..control import Work

_HELD_ELSEWHERE = frozenset({errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK})  # some file systems say EACCES
_BRIEFLY = 2.0  # seconds that one waits for what others do in a moment
_FIRST_PAUSE, _LONGEST_PAUSE = 0.01, 0.25  # seconds between two tries


class Held:
    """A lock that is held. `descriptors` are to be handed to every child that writes (`pass_fds`)."""

    def __init__(self, descriptor: int, release: Callable[[], None]) -> None:
        """Keep the descriptor and what frees it."""
        self._descriptor = descriptor
        self._free: Callable[[], None] | None = release

    @property
    def descriptors(self) -> tuple[int, ...]:
        """The descriptors that keep the lock alive in a child; none on Windows, where a job object ends the child with us."""
        return () if os.name == "nt" else (self._descriptor,)

    def release(self) -> None:
        """Free it. A child that still holds the descriptor is freed too, so its process group must have ended before."""
        free, self._free = self._free, None
        if free is not None:
            free()


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
        _say_holder(path, lock)
        yield lock
    finally:
        if os.name == "nt":
            with suppress(OSError):
                _holder_file(path).unlink()
        lock.release()


def acquire(path: Path, *, what: str, work: Work, blocking: bool = True) -> Held:
    """Take the lock, waiting for it as long as the call may; see `held` for the errors."""
    pause, waiting = _FIRST_PAUSE, None
    try:
        while True:
            try:
                if (lock := _taken(path)) is not None:
                    return lock
            except OSError as error:
                raise _cannot_lock(path, error) from error
            if not blocking or work.expired():
                raise busy(path, what=what, work=work)
            if waiting is None:
                waiting = work.task("wait", f"waiting for {what}, which another process is changing")
                try:
                    waiting.__enter__()
                except DeadlineError:  # just now
                    raise busy(path, what=what, work=work) from None
            if work.is_set():
                raise work.cancelled()
            time.sleep(min(pause, _LONGEST_PAUSE if work.deadline is None else max(0.0, work.deadline - time.monotonic())))
            pause = min(pause * 2, _LONGEST_PAUSE)
    finally:
        if waiting is not None:
            waiting.__exit__(None, None, None)


def _taken(path: Path) -> Held | None:
    """Take the lock now; None while somebody has it.

    Raises:
        OSError: it cannot be made, or this file system cannot lock.
    """
    try:
        import fcntl  # noqa: PLC0415 - POSIX alone has it
    except ImportError:
        return _taken_by_filelock(path)
    flags = os.O_RDWR | os.O_CREAT | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        status = os.fstat(descriptor)
        if status.st_nlink == 0:  # removed between the two: it guards nothing any more
            os.close(descriptor)
            return None
        _check_owner(path, status.st_uid)
    except BaseException as error:
        os.close(descriptor)
        if isinstance(error, OSError) and error.errno in _HELD_ELSEWHERE and not isinstance(error, _ForeignLockError):
            return None
        raise

    def release() -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)  # also where a child has the descriptor
        os.close(descriptor)

    return Held(descriptor, release)


def marked(path: Path, mark: bytes) -> Held:
    """Make a file that is held for as long as somebody is at what it marks, he or a child of his; there must be none yet.

    On Windows nobody could read it then, so it is not held there.

    Raises:
        FileExistsError: there is one, or somebody took this one away at once. OSError: it cannot be made.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0), 0o600)
    try:
        if not _flocked(descriptor):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
        os.write(descriptor, mark)
    except BaseException as error:
        if not isinstance(error, FileExistsError):
            os.unlink(path)  # the disk is full
        os.close(descriptor)
        raise
    return Held(descriptor, lambda: os.close(descriptor))


def taken_over(path: Path) -> Held | None:
    """Hold the file of `marked` that was left behind by whoever ended without finishing; None where somebody is at it, or it is gone."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0))
    except OSError:
        return None
    if not _flocked(descriptor) or os.fstat(descriptor).st_nlink == 0:
        os.close(descriptor)
        return None
    return Held(descriptor, lambda: os.close(descriptor))


@contextmanager
def briefly(directory: Path) -> Generator[None]:
    """Let nobody else who does so be at what lies in a directory, for a moment: the directory itself is locked, whoever asks.

    Anybody may hold that lock, so it is waited for a while only; where it cannot be had (NFS, Windows) it is done without.
    """
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except (OSError, AttributeError):
        yield
        return
    try:
        until = time.monotonic() + _BRIEFLY
        while not _flocked(descriptor) and time.monotonic() < until:
            time.sleep(0.001)
        yield
    finally:
        os.close(descriptor)


def _flocked(descriptor: int) -> bool:
    """Lock an open file; False where somebody has it. What cannot be locked (NFS without a lock server) is nobody's."""
    try:
        import fcntl  # noqa: PLC0415 - POSIX alone has it
    except ImportError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in _HELD_ELSEWHERE
    return True


class _ForeignLockError(PermissionError):
    """A lock file whose owner could take it away while we hold it."""


def _check_owner(path: Path, owner: int) -> None:
    """Refuse a lock file of a stranger in a directory like /tmp, where its owner may replace it while we hold it."""
    above = os.stat(path.parent)
    if above.st_mode & stat.S_ISVTX and owner not in {0, os.geteuid(), above.st_uid}:
        raise _ForeignLockError(errno.EACCES, f"the lock file belongs to user {owner}")


def _taken_by_filelock(path: Path) -> Held | None:
    from filelock import FileLock, Timeout  # noqa: PLC0415 - Windows needs it, for what it writes

    descriptors: list[int] = []
    # thread_local=False: a scope may be left in another thread than it was entered in.
    lock = FileLock(
        path, thread_local=False, fallback_to_soft=False, preserve_lock_file=True, on_acquired=descriptors.append, is_singleton=False
    )
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return None
    return Held(descriptors[-1], lambda: lock.release(force=True))


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
    """Return where the holder's process id stands: in the lock file, but on Windows, where nobody else can read that, beside it."""
    return path.with_name(path.name + ".holder") if os.name == "nt" else path


def _say_holder(path: Path, lock: Held) -> None:
    said = f"{os.getpid():>20}\n"
    with suppress(OSError):  # only for the error message of others
        if os.name == "nt":
            write_atomic(_holder_file(path), said)
        else:
            os.pwrite(lock.descriptors[0], said.encode(), 0)


def _read_holder(path: Path) -> int | None:
    try:
        with open(_holder_file(path), encoding="ascii") as stream:
            return int(stream.read(64))
    except (OSError, ValueError):
        return None


def _cannot_lock(path: Path, error: OSError) -> MachineError:
    if error.errno in {errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP}:
        return MachineError(
            f"the file system of {path.parent} cannot lock files",
            code="no-locks",
            hint="put envkit's data on a local disk with ENVKIT_HOME",
        )
    return machine_error(error, path)
