"""What is in use: each holder has a file of its own below `Host.data`/uses, locked as long as it or a child of it lives.

filelock has no shared lock whose descriptor a child can keep, so there is one exclusive lock per holder; beside it lies a file
that says which environments it holds. `prune` asks for each lock without waiting. One gate, held for a moment, keeps a new holder
and the removal of what it wants to hold apart.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import places
from .errors import BusyError
from .system import files, locks

if TYPE_CHECKING:
    from .control import Work
    from .host import Host

_GATE = "gate"
_LOCK, _WHAT = ".lock", ".json"
_LARGEST = 64 * 1024  # bytes of a list of environments


@contextmanager
def held(prefixes: Iterable[Path], work: Work) -> Generator[tuple[int, ...], None, None]:
    """Hold environments in use while the body runs; they need not be there yet.

    Whoever holds one must look once more that it is there: it may have been removed just before.

    Returns:
        Descriptors that, handed to a child, hold the environments as long as that lives.

    Raises:
        BusyError: the call's time is up while another process is at the gate. MachineError: `Host.data` cannot be written.
    """
    directory = files.private_directory(_directory(work.host))
    own = directory / f"{os.urandom(8).hex()}{_LOCK}"
    what = own.with_suffix(_WHAT)
    with _gate(work):
        try:
            what.write_text(json.dumps([os.path.realpath(prefix) for prefix in prefixes]), "ascii")
        except OSError as error:
            raise files.machine_error(error, what) from error
        lock = locks.acquire(own, what=str(own), work=work)
    try:
        yield lock.descriptors
    finally:
        with suppress(OSError):
            what.unlink()
            own.unlink()
        lock.release()


@contextmanager
def held_if_stored(prefix: Path, work: Work) -> Generator[tuple[int, ...], None, None]:
    """Hold an environment that `prune` may remove, a content-addressed or a temporary one; nothing is done for any other."""
    if places.is_stored(prefix, work.host) or places.is_temporary(prefix, work.host):
        with held((prefix,), work) as descriptors:
            places.note_use(prefix, work.host)
            yield descriptors
    else:
        yield ()


@contextmanager
def removing(work: Work) -> Generator[frozenset[str], None, None]:
    """Keep new holders away while the body runs, for a moment, and give the real paths of all environments that are held."""
    files.private_directory(_directory(work.host))
    with _gate(work):
        yield _in_use(work)


def _directory(host: Host) -> Path:
    return host.data / "uses"


@contextmanager
def _gate(work: Work) -> Generator[None, None, None]:
    gate = locks.acquire(_directory(work.host) / _GATE, what="the list of what is in use", work=work)
    try:
        yield
    finally:
        gate.release()


def _in_use(work: Work) -> frozenset[str]:
    """Return what living holders hold; the files of those that were killed go. The gate is held."""
    found: set[str] = set()
    directory = _directory(work.host)
    for name in sorted(os.listdir(directory)):
        if not name.endswith(_WHAT):
            continue
        what = directory / name
        if _is_locked(what.with_suffix(_LOCK), work):
            found.update(_listed(what))
        else:
            with suppress(OSError):
                what.unlink()
    return frozenset(found)


def _is_locked(path: Path, work: Work) -> bool:
    try:
        lock = locks.acquire(path, what=str(path), work=work, blocking=False)
    except BusyError:
        return True
    with suppress(OSError):
        path.unlink()
    lock.release()
    return False


def _listed(path: Path) -> list[str]:
    try:
        with open(path, encoding="ascii") as stream:
            said: Any = json.loads(stream.read(_LARGEST))
        return list(map(str, said))
    except (OSError, ValueError, TypeError):
        return []
