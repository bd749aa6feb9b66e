"""Managed directories, and the lock, dirty mark and ready record of one environment.

Order of a change: lock, dirty mark, the change, ready record, dirty mark away, lock free. So whatever a kill leaves has a dirty
mark or no record, and is never taken for whole.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from . import places
from .control import Work
from .errors import RefusedError, UsageError
from .formats import conda_meta, ready_record
from .formats.names import checked_name
from .formats.ready_record import Dirty, Record
from .formats.record_text import DIRTY, LOG, MARKS, READY
from .host import Host
from .system import files, locks, sites
from .system.locks import Held

if TYPE_CHECKING:
    from .models.environment import Environment
    from .models.specs import Sources, Spec

_UNCOUNTED = frozenset({"__pycache__", conda_meta.HISTORY, "state"})  # what changes while the packages stay the same
_RECORD_SIZE = 1024 * 1024  # bytes; a larger file is no record of ours


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What envkit's marks say of a prefix."""

    record: Record | None
    dirty: Dirty | None

    @property
    def ready(self) -> bool:
        """Whether it has a ready record and no dirty mark."""
        return self.record is not None and self.dirty is None


def environments_directory(host: Host) -> Path:
    """Return where managed environments lie, one directory per name."""
    return host.data / "environments"


def managed_prefix(name: str, host: Host) -> Path:
    """Return the prefix of the managed environment `name`; names are compared without case, so its directory is in lower case."""
    return environments_directory(host) / checked_name(name, what="environment").lower()


def prefix_of(spec: Spec, host: Host) -> Path:
    """Return where the environment of a spec lies.

    Raises:
        UsageError: it says both a name and a prefix, or neither; or the name or the prefix is not allowed.
    """
    if spec.name is not None and spec.prefix is not None:
        raise UsageError(
            "the spec has a name and a prefix",
            code="name-and-prefix",
            hint="a name is for a managed environment, a prefix for a place of yours: give one",
        )
    if spec.name is not None:
        return managed_prefix(spec.name, host)
    if spec.prefix is None:
        raise UsageError(
            "the spec has neither name nor prefix",
            code="name-or-prefix",
            hint="give a name or a prefix; ensure(), plan(), resolve() and temporary() take a spec without",
        )
    return absolute(spec.prefix, host)


def absolute(path: str | os.PathLike[str], host: Host) -> Path:
    """Return a path as absolute, from the host's working directory, `~` for its home, without following links."""
    text = os.fspath(path)
    if text == "~" or text.startswith("~/"):
        text = str(host.home) + text[1:]
    return Path(os.path.normpath(host.cwd / text))


def marks_of(prefix: Path, host: Host) -> Path:
    """Return the directory of the marks: inside an environment; for a plain installation, which is not ours, below `Host.data`."""
    text = f"{prefix}{os.sep}"
    if os.path.isdir(text + MARKS) or os.path.isfile(text + "pyvenv.cfg") or os.path.isdir(text + "conda-meta"):
        return prefix / MARKS
    return host.data / "marks" / _key(prefix) if _is_installation(text) else prefix / MARKS


def _is_installation(directory: str) -> bool:
    return any(os.path.exists(directory + name) for name in ("bin/python3", "bin/python", "python.exe", "bin/pypy3"))


def state_of(prefix: Path, host: Host) -> State:
    """Read the marks; a record that cannot be read, or that names another prefix, counts as absent."""
    marks = marks_of(prefix, host)
    dirty = None
    record = _record_in(marks)
    if record is not None and os.path.realpath(record.prefix) != os.path.realpath(prefix):
        record = None
    try:
        dirty = ready_record.load_dirty(_read(marks / DIRTY))
    except FileNotFoundError:
        pass
    except (OSError, ValueError):
        dirty = Dirty(doing="create")
    return State(record=record, dirty=dirty)


def looks_ready(prefix: Path) -> bool:
    """Say whether a ready record and no dirty mark lies at a prefix, without reading either: is what was ready still there?"""
    return os.path.lexists(prefix / MARKS / READY) and not os.path.lexists(prefix / MARKS / DIRTY)


def stated_record(prefix: Path, host: Host) -> Record | None:
    """Return the ready record that lies at a prefix, also one that names another; None where there is none that can be read."""
    return _record_in(marks_of(prefix, host))


def _record_in(marks: Path) -> Record | None:
    with suppress(OSError, ValueError):
        return ready_record.load_record(_read(marks / READY))
    return None


def _read(path: Path) -> str:
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0))
    with open(descriptor, encoding="utf-8", errors="surrogateescape") as stream:
        text = stream.read(_RECORD_SIZE + 1)
    if len(text) > _RECORD_SIZE:
        raise ValueError("too long for a record")
    return text


def begin(prefix: Path, doing: str, host: Host) -> None:
    """Write the dirty mark; from here on, until `finish`, the environment is not ready.

    Raises:
        RefusedError: it is content-addressed, and so what its key says: it is made, and never changed.
    """
    if places.is_stored(prefix, host):
        raise RefusedError(
            f"{prefix} is content-addressed: it is never changed once it is ready",
            code="content-addressed",
            hint="ask ensure() for a spec with the packages that you need, or work in a temporary() or a clone() of it",
        )
    marks = marks_of(prefix, host)
    files.private_directory(marks)
    _write(marks / DIRTY, ready_record.dump_dirty(Dirty(doing=doing, pid=os.getpid(), since=now())))


def finish(prefix: Path, record: Record | None, host: Host, *, durable: bool = True) -> None:
    """Write the ready record, then take the dirty mark away. Without a record (another tool's environment) all marks go.

    `durable` asks the disk to have it, which takes longer than making a temporary environment.
    """
    marks = marks_of(prefix, host)
    if record is not None:
        _write(marks / READY, ready_record.dump_record(replace(record, digest=digest_of(prefix))), durable=durable)
    (marks / DIRTY).unlink(missing_ok=True)
    if record is None:
        with suppress(OSError):
            marks.rmdir()  # stays where an error.log is kept


def _write(path: Path, text: str, *, durable: bool = False) -> None:
    try:
        files.write_atomic(path, text, durable=durable)
    except OSError as error:
        raise files.machine_error(error, path) from error


def new_record(prefix: Path, spec: Spec, requested: tuple[str, ...], host: Host, *, key: str | None = None) -> Record:
    """Return the record for an environment that was just made after `spec`; `key` is that of a content-addressed one."""
    from .formats.conda_url import lasting  # noqa: PLC0415 - looking does without it
    from .formats.values import to_json  # noqa: PLC0415 - as above

    return Record(
        prefix=str(prefix),
        name=spec.name,
        kind="conda" if spec.backend == "conda" else "venv",
        backend=spec.backend if spec.backend != "auto" else "venv",
        conda=spec.conda,
        channels=tuple(map(lasting, spec.channels)),
        requested=requested,
        constraints=spec.constraints,
        variables=spec.variables,
        system_site_packages=spec.system_site_packages,
        seed=spec.seed,
        created=now(),
        python=spec.python,
        sources=to_json(spec.sources),
        key=key,
        post_install=tuple(map(ready_record.command_text, spec.post_install)),
    )


def sources_of(record: Record | None) -> Sources:
    """Return where the packages of an environment came from; the defaults where its record does not say."""
    from .errors import CorruptError  # noqa: PLC0415 - needed for rebuilding only
    from .formats.values import from_json  # noqa: PLC0415 - same
    from .models.specs import Sources  # noqa: PLC0415 - same

    if record is not None and record.sources:
        with suppress(CorruptError):
            return from_json(record.sources, Sources)
    return Sources()


def digest_of(prefix: Path) -> str:
    """Return a digest of what lies in site-packages and among conda's records, by names only: it changes when packages come, go or change version."""
    digest = hashlib.sha256()
    for directory in (*sites.site_packages_below(str(prefix)), os.path.join(prefix, conda_meta.DIRECTORY)):
        with suppress(OSError):
            for name in sorted(os.listdir(directory)):
                if name not in _UNCOUNTED:
                    digest.update(os.fsencode(name) + b"\0")
    return digest.hexdigest()


def log_of(prefix: Path, host: Host) -> Path:
    """Return where the whole output of a tool that failed is kept."""
    return host.data / "logs" / f"{_key(prefix)}-{LOG}"


def note_kernel(environment: Environment, directory: Path, work: Work) -> None:
    """Remember in the record that a kernelspec of this environment lies in `directory`, so that removing one removes both."""
    state = state_of(environment.prefix, work.host)
    if state.record is None or state.dirty is not None or str(directory) in state.record.kernels:
        return
    changed = replace(state.record, kernels=(*state.record.kernels, str(directory)))
    _write(marks_of(environment.prefix, work.host) / READY, ready_record.dump_record(changed))


def lock_file(prefix: Path, host: Host) -> Path:
    """Return the lock file of an environment: one for all spellings of its path, and for all that have the same key."""
    return host.data / "locks" / f"{_key(places.family(prefix) if places.is_stored(prefix, host) else prefix)}.lock"


@contextmanager
def locked(prefix: Path, work: Work, *, what: str = "") -> Generator[Held]:
    """Hold the environment's lock; its descriptors go to every child that writes there."""
    with locks.held(lock_file(prefix, work.host), what=what or str(prefix), work=work) as lock:
        yield lock


@contextmanager
def inner_locked(prefix: Path, work: Work) -> Generator[tuple[int, ...]]:
    """Hold `.lock` inside an environment as well, uv's own file and protocol: it excludes uv, other users and containers.

    Not for managed environments, which are found through `Host.data` alone, and not while uv runs, which takes it itself.
    """
    if prefix.is_relative_to(work.host.data) or not os.path.isdir(prefix) or not os.access(prefix, os.W_OK):
        yield ()
        return
    lock = locks.acquire(prefix / ".lock", what=str(prefix), work=work)
    try:
        yield lock.descriptors
    finally:
        lock.release()


def _key(prefix: Path) -> str:
    return hashlib.sha256(os.fsencode(os.path.realpath(prefix))).hexdigest()[:32]


def now() -> str:
    """Return the time as records write it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
