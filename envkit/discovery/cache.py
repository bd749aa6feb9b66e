"""What probes answered before, kept on disk: a Python that did not change is not run again.

An answer counts as long as the files it came from are the same: the executable (device, inode, size, time), what its path leads to,
its `pyvenv.cfg`, and for a small executable the shared library that holds the interpreter; and as long as the question is the same:
the script, the variables of the dynamic loader, and the system whose name and version are part of the answer. That one does not run is kept too, for an hour only: a
machine that was short of memory is no reason to call a Python broken for ever.

The file is one JSON text below `Host.data`, readable by this user alone, replaced as a whole under a lock. One that others may
write, or that is not this user's, is neither read nor written: who can write it decides what `find` says. A cache that cannot be
written costs time, never an answer.
"""

from __future__ import annotations

import json
import os
import stat
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias, TypeGuard

from ..control import Work
from ..errors import EnvkitError
from ..system import files, locks, private

if TYPE_CHECKING:
    from ..host import Host

_NAME: Final = "probes.json"
_LARGEST: Final = 16 * 1024 * 1024  # bytes of the file; a larger one is none of ours
_KEPT: Final = 1000  # answers; the oldest go first
_FAILED_FOR: Final = 3600.0  # seconds that a failure counts
_PATIENCE: Final = 2.0  # seconds that writing waits for another process that writes
_SMALL: Final = 256 * 1024  # bytes; a smaller executable has its Python in a shared library
_LIBRARIES: Final = ("libpython", "libpypy", "Python")

Identity: TypeAlias = list[str | int]


class Kept(NamedTuple):
    """What a probe gave: the text that the script printed, or the sentence of the error that came instead."""

    answer: str | None
    failure: str | None


class ProbeCache:
    """The answers for one call: read once, written once by `save`. Its methods may be called from several threads."""

    def __init__(self, host: Host, script: str) -> None:
        """Belong to `host.data`; `script` is the text of the probe's script."""
        self._host = host
        self._question = _question(script, host.environ)
        self._directory = host.data / "cache"
        self._new: dict[str, object] = {}
        self._trusted = private.is_private(str(self._directory))
        self._old = self._read() if self._trusted else {}

    @property
    def note(self) -> str | None:
        """Why the cache is not used, for the report; None when it is."""
        return None if self._trusted else f"{self._directory} is not this user's alone, so what probes answered is not kept"

    def get(self, python: str, prefix: str) -> Kept | None:
        """Return what the Python answered when its files were what they are now; None when it has to be asked."""
        key = self._key(python, prefix)
        entry = self._new.get(key, self._old.get(key))
        if not _is_object(entry) or entry.get("identity") != identity(python, prefix):
            return None
        answer, failure, until = entry.get("answer"), entry.get("failure"), entry.get("until")
        if isinstance(answer, str):
            return Kept(answer, None)
        if isinstance(failure, str) and isinstance(until, int | float) and time.time() < until <= time.time() + _FAILED_FOR:
            return Kept(None, failure)
        return None

    def put(self, python: str, prefix: str, known: Identity | None, kept: Kept) -> None:
        """Remember an answer; `known` is the identity from before the Python was run, None when nothing may be kept."""
        if known is None or known != identity(python, prefix):
            return
        entry: dict[str, object] = {"identity": known}
        if kept.answer is not None:
            entry["answer"] = kept.answer
        else:
            entry |= {"failure": kept.failure, "until": time.time() + _FAILED_FOR}
        self._new[self._key(python, prefix)] = entry

    def save(self) -> None:
        """Write what is new, together with what others wrote meanwhile; where that cannot be, nothing is lost but time."""
        if not self._new or not self._trusted:
            return
        with suppress(OSError, EnvkitError):
            files.private_directory(self._directory)
            lock = locks.acquire(
                files.private_directory(self._host.data / "locks") / "probes.lock",
                what="the cache of probes",
                work=Work(host=self._host, timeout=_PATIENCE),
            )
            try:
                merged = {**self._read(), **self._new}
                newest = dict(list(merged.items())[-_KEPT:])
                files.write_atomic(self._directory / _NAME, json.dumps({"answers": newest}))
            finally:
                lock.release()

    def _key(self, python: str, prefix: str) -> str:
        return f"{self._question}\0{python}\0{prefix}"

    def _read(self) -> dict[str, object]:
        """Return the entries on disk; none when the file is not there, not to be trusted, or unreadable."""
        try:
            raw: object = json.loads(private.read(str(self._directory / _NAME), _LARGEST))
        except (OSError, ValueError, RecursionError):
            return {}
        answers = raw.get("answers") if _is_object(raw) else None
        return dict(answers) if _is_object(answers) else {}


def identity(python: str, prefix: str) -> Identity | None:
    """Return what tells that the files an answer came from are the same; None when there is no such file.

    Args:
        python: the executable as it would be run.
        prefix: that of its virtual environment, or an empty text.
    """
    try:
        status = os.stat(python)
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    real = os.path.realpath(python)
    parts: Identity = [real, *_numbers(status)]
    parts += _numbers_at(os.path.join(prefix or os.path.dirname(os.path.dirname(python)), "pyvenv.cfg"))
    if status.st_size < _SMALL:
        for path in _shared_libraries(real):
            parts += [path, *_numbers_at(path)]
    return parts


def _shared_libraries(real: str) -> list[str]:
    """Return the files beside an executable that may hold its interpreter, sorted."""
    directory = os.path.dirname(real)
    found: list[str] = []
    for place in (directory, os.path.join(os.path.dirname(directory), "lib"), os.path.dirname(directory)):
        try:
            names = os.listdir(place)
        except OSError:
            continue
        found += [os.path.join(place, name) for name in names if name.startswith(_LIBRARIES)]
    return sorted(found)


def _numbers(status: os.stat_result) -> list[int]:
    return [status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns]


def _numbers_at(path: str) -> list[int]:
    try:
        return _numbers(os.stat(path))
    except OSError:
        return []


def _question(script: str, environ: Mapping[str, str]) -> str:
    """Return what changes when the same files would answer something else: script, system, variables of the dynamic loader."""
    import hashlib  # noqa: PLC0415 - only where something is probed

    if sys.platform == "win32":
        system = repr(sys.getwindowsversion())
    else:
        system = repr(tuple(os.uname()))
    loader = sorted(item for item in environ.items() if item[0].startswith(("LD_", "DYLD_")))
    return hashlib.sha256(f"{script}\0{system}\0{loader}".encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _is_object(value: object) -> TypeGuard[dict[str, object]]:
    return isinstance(value, dict)
