"""What is in use: each holder has a file of its own below `Host.data`/uses, locked as long as it lives, and by its children.

filelock has no shared lock whose descriptor a child can keep, so there is one exclusive lock per holder. `prune` asks for each
without waiting. A gate per environment keeps a new holder and the removal of what it wants to hold apart.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from . import records
from .control import Work
from .errors import BusyError
from .system import files, locks

if TYPE_CHECKING:
    from .host import Host

_GATE = "gate"
_HOLDER = ".lock"


def _directory(prefix: Path, host: Host) -> Path:
    name = hashlib.sha256(os.fsencode(os.path.realpath(prefix))).hexdigest()[:24]
    return host.data / "uses" / name


@contextmanager
def held(prefix: Path, work: Work) -> Iterator[tuple[int, ...]]:
    """Hold an environment in use while the body runs; the descriptors given, handed to a child, hold it as long as that lives.

    Raises:
        BusyError: the call's time is up while another process removes it. MachineError: `Host.data` cannot be written.
    """
    directory = files.private_directory(_directory(prefix, work.host))
    own = directory / f"{secrets.token_hex(8)}{_HOLDER}"
    with _gate(directory, prefix, work):
        lock = locks.acquire(own, what=str(prefix), work=work)
    try:
        yield lock.descriptors
    finally:
        with suppress(OSError):
            own.unlink()  # before it is free: a name that is there is somebody's
        lock.release()


@contextmanager
def held_if_stored(prefix: Path, work: Work) -> Iterator[tuple[int, ...]]:
    """Hold an environment that `prune` may remove, a content-addressed or a temporary one; nothing is done for any other."""
    if records.is_stored(prefix, work.host) or records.is_temporary(prefix, work.host):
        with held(prefix, work) as descriptors:
            records.note_use(prefix, work.host)
            yield descriptors
    else:
        yield ()


@contextmanager
def removing(prefix: Path, work: Work) -> Iterator[bool]:
    """Keep new holders away while the body runs, and say whether there is none: only then it may be removed."""
    directory = files.private_directory(_directory(prefix, work.host))
    with _gate(directory, prefix, work):
        yield not any(_is_locked(path, work) for path in _holders(directory))


def forget(prefix: Path, host: Host) -> None:
    """Delete what is kept of an environment that is gone. The gate of a name that can come again stays: somebody may wait at it."""
    directory = _directory(prefix, host)
    if records.is_temporary(prefix, host):
        with suppress(OSError):
            files.delete_renamed(directory)
        return
    for path in _holders(directory):
        with suppress(OSError):
            path.unlink()


def in_use(prefix: Path, host: Host) -> bool:
    """Say whether anybody holds the environment now."""
    return any(_is_locked(path, Work(host=host)) for path in _holders(_directory(prefix, host)))


@contextmanager
def _gate(directory: Path, prefix: Path, work: Work) -> Iterator[None]:
    gate = locks.acquire(directory / _GATE, what=str(prefix), work=work)
    try:
        yield
    finally:
        gate.release()


def _holders(directory: Path) -> list[Path]:
    try:
        return [directory / name for name in os.listdir(directory) if name.endswith(_HOLDER)]
    except OSError:
        return []


def _is_locked(path: Path, work: Work) -> bool:
    """Say whether a holder lives; the file of one that was killed goes."""
    try:
        lock = locks.acquire(path, what=str(path), work=work, blocking=False)
    except BusyError:
        return True
    with suppress(OSError):
        path.unlink()
    lock.release()
    return False
