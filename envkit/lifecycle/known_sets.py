"""Known sets of packages: what an installer chose for the same inputs before is put in place without it, from the wheel store.

After a first installation into an empty environment it is remembered which environment holds the result. When the same is asked
for once more, its distributions are taken into the wheel store, compiled, and linked into the new environment; from then on only
linked. Filling the store takes longer than the installer, once; so it is not done for what nobody asks for twice.

The same inputs: requirements or lock, constraints, sources, configuration of pip and uv, directories of wheels and what is in them, and the
Python's version and platform. A set with local projects or direct URLs is never remembered. What was resolved more than a day ago
is resolved again, except for a lock, a content-addressed environment, and offline.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from .. import places, records, uses
from ..changing import named
from ..control import Work
from ..errors import BusyError, DeadlineError, EnvkitError
from ..formats.dist_info import normalized
from ..layout import Layout, layout
from ..models.specs import Project, Spec
from ..system import files, locks, process
from ..venv import store

if TYPE_CHECKING:
    from ..host import Host
    from ..models.environment import Environment

UNFINISHED: Final = ".new-"  # how the name of a directory of the store begins that is being filled
_DAY: Final = 24 * 3600.0  # seconds
_FILLING: Final = 120.0  # seconds that filling the store may take; a call that has less left does without
_COMPILE: Final = (
    "import compileall, py_compile, sys\n"
    "mode = py_compile.PycInvalidationMode.TIMESTAMP\n"
    "compileall.compile_dir(sys.argv[1], maxlevels=100, quiet=2, workers=int(sys.argv[2]), invalidation_mode=mode)\n"
)
_MANY: Final = 300  # modules for which it is worth while to start several processes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """A set: when it was resolved, which environment it was installed into, and its entries in the store, empty until they are."""

    resolved: float
    donor: Path
    digest: str
    entries: tuple[str, ...]


def put(environment: Environment, spec: Spec, wanted: Sequence[str | Project], work: Work) -> bool:
    """Put a set that is known into an environment that is being made and is empty; False where an installer has to do it.

    Raises:
        MachineError: it cannot be written.
    """
    place = _place(environment, spec, wanted, work.host)
    known = None if place is None else _read(place)
    if place is None or known is None:
        return False
    lasting = spec.lock is not None or places.is_addressed(spec) or work.offline
    if not (lasting or 0 <= time.time() - known.resolved < _DAY):
        return False
    with uses.held((_wheels(work.host),), work):
        entries = _entries(known, work.host) or _filled(place, known, environment, work)
        if entries is None:
            return False
        paths = _layout(environment, work.host)
        names = {_escaped(named(requirement)) for requirement in wanted}
        requested = frozenset(entry.dist_info for entry in entries if _name_in(entry.dist_info) in names)
        with work.task("install", f"put {len(entries)} packages from the store", total=len(entries), unit="packages"):
            try:
                store.put(entries, paths, requested=requested, private=bool(spec.post_install))
            except OSError as error:
                raise files.machine_error(error, environment.prefix) from error
        for entry in entries:
            with suppress(OSError):
                os.utime(entry.path)
    return True


def remember(environment: Environment, spec: Spec, wanted: Sequence[str | Project], work: Work) -> None:
    """Remember that an installer put what was wanted, and what that needs, into an environment that was empty before."""
    place = _place(environment, spec, wanted, work.host)
    if place is None:
        return
    digest = records.digest_of(environment.prefix)
    known: dict[str, Any] = {"resolved": time.time(), "donor": str(environment.prefix), "digest": digest, "entries": []}
    with suppress(OSError, EnvkitError):
        files.private_directory(place.parent)
        files.write_atomic(place, json.dumps(known))


def forget(host: Host) -> None:
    """Forget the sets that can no longer be put: their wheels are gone, and the environment that had them too."""
    for place in places.store_directory(host, "sets").glob("*"):
        known = _read(place)
        unpacked = known is not None and known.entries and all((_wheels(host) / entry).is_dir() for entry in known.entries)
        if not unpacked and (known is None or not _is_donor(known, host)):
            with suppress(OSError):
                place.unlink()


def is_filling(host: Host) -> bool:
    """Say whether a process takes packages into the store now, so that what is unfinished there is somebody's."""
    work = Work(host=host)
    files.private_directory(_lock(host).parent)
    try:
        lock = locks.acquire(_lock(host), what="the wheel store", work=work, blocking=False)
    except BusyError:
        return True
    lock.release()
    return False


def _lock(host: Host) -> Path:
    return host.data / "locks" / "wheels.lock"


def _place(environment: Environment, spec: Spec, wanted: Sequence[str | Project], host: Host) -> Path | None:
    """Return the file of a set; None where its inputs do not say what it is."""
    from ..pypi.fingerprint import fingerprint  # noqa: PLC0415 - only where something is installed

    if environment.kind != "venv" or host.platform == "win32" or spec.system_site_packages:
        return None  # on Windows console scripts are programs that name an interpreter
    if not (wanted or spec.lock) or any(isinstance(requirement, Project) or "@" in requirement for requirement in wanted):
        return None
    try:
        origin = fingerprint(spec.sources, host)
    except EnvkitError:
        return None
    material = [
        sorted(map(str, wanted)),
        sorted(spec.constraints),
        None if spec.lock is None else [spec.lock.format, spec.lock.text],
        origin,
        [str(environment.version), environment.implementation, environment.free_threaded, environment.architecture, host.platform],
    ]
    key = hashlib.sha256(json.dumps(material).encode("utf-8", "surrogateescape")).hexdigest()[:32]
    return places.store_directory(host, "sets") / key


def _read(place: Path) -> _Known | None:
    try:
        said: Any = json.loads(place.read_text("utf-8"))
        return _Known(
            resolved=float(said["resolved"]),
            donor=Path(str(said["donor"])),
            digest=str(said["digest"]),
            entries=tuple(map(str, said["entries"])),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _wheels(host: Host) -> Path:
    return places.store_directory(host, "wheels")


def _entries(known: _Known, host: Host) -> list[store.Entry] | None:
    """Return the entries of a set if all of them are whole; what is not is thrown away."""
    found: list[store.Entry] = []
    for identity in known.entries:
        path = _wheels(host) / identity
        entry = store.read(path)
        if entry is None:
            with suppress(EnvkitError):
                files.remove_tree(path)
            return None
        found.append(entry)
    return found or None


def _filled(place: Path, known: _Known, environment: Environment, work: Work) -> list[store.Entry] | None:
    """Take the distributions of the environment that has the set into the store; None where that is not as it was."""
    left = work.remaining()
    if (left is not None and left < _FILLING) or environment.prefix == known.donor or not _is_donor(known, work.host):
        return None
    lock = records.lock_file(known.donor, work.host)
    with locks.held(_lock(work.host), what="the wheel store", work=work):
        now = _read(place)
        if now is not None and now.entries and (entries := _entries(now, work.host)) is not None:
            return entries  # another process was faster
        try:
            held = locks.acquire(lock, what=str(known.donor), work=work, blocking=False)
        except EnvkitError:
            return None  # somebody changes it right now
        try:
            with work.task("build", f"take the packages of {known.donor} into the store"):
                entries = _taken(known.donor, environment, work) if _is_donor(known, work.host) else None
        finally:
            held.release()
    if entries is None:
        return None
    done = {"resolved": known.resolved, "donor": str(known.donor), "digest": known.digest}
    with suppress(OSError):
        files.write_atomic(place, json.dumps({**done, "entries": [os.path.basename(entry.path) for entry in entries]}))
    return entries


def _is_donor(known: _Known, host: Host) -> bool:
    """Say whether the environment that got the set first still has it, and nothing else."""
    return records.state_of(known.donor, host).ready and records.digest_of(known.donor) == known.digest


def _taken(donor: Path, environment: Environment, work: Work) -> list[store.Entry] | None:
    """Stage, compile and finish an entry for each distribution of the donor that has none; None where one is not for sharing."""
    wheels = files.private_directory(_wheels(work.host))
    paths = _layout(environment, work.host)
    site = os.path.join(donor, os.path.relpath(paths.purelib, paths.prefix))
    programs = os.path.join(donor, os.path.relpath(paths.scripts, paths.prefix))
    scratch = wheels / f"{UNFINISHED}{os.urandom(6).hex()}"
    try:
        names = sorted(name for name in os.listdir(site) if name.endswith(".dist-info"))
        if any(name.endswith((".egg-info", ".egg-link")) for name in os.listdir(site)):
            return None
        library = os.path.basename(os.path.dirname(site))
        taken = [store.look_at(str(donor), site, name, library=library, programs=programs) for name in names]
        missing = [each for each in taken if store.read(wheels / each.identity) is None]
        scratch.mkdir(mode=0o700)
        for each in missing:
            work.check()
            store.stage(each, str(scratch / each.identity))
        modules = sum(place.endswith(".py") for each in missing for place, _ in each.places)
        if modules:
            _compile(scratch, environment, work, workers=1 if modules < _MANY else 0)
        for each in missing:
            store.finish(each, str(scratch / each.identity))
            files.remove_tree(wheels / each.identity)
            os.rename(scratch / each.identity, wheels / each.identity)
    except DeadlineError:  # an OSError, too
        raise
    except (OSError, ValueError):
        return None  # an installer does what cannot be shared
    finally:
        with suppress(OSError, EnvkitError):
            files.remove_tree(scratch)
    entries = [store.read(wheels / each.identity) for each in taken]
    whole = [entry for entry in entries if entry is not None]
    return whole if len(whole) == len(taken) else None


def _compile(directory: Path, environment: Environment, work: Work, *, workers: int) -> None:
    """Compile all that can be compiled, by the Python it is for; what cannot is none of its own (templates, older Pythons).

    `workers` is as compileall has it: 0 for as many as there are processors.
    """
    environ = {name: value for name, value in work.host.environ.items() if not name.startswith("PYTHON")}
    command = [str(environment.python), "-I", "-S", "-c", _COMPILE, str(directory), str(workers)]
    process.run_process(command, work=work, environ=environ, cwd=directory)


def _layout(environment: Environment, host: Host) -> Layout:
    version = environment.version
    assert version is not None
    return layout(
        str(environment.prefix),
        platform=host.platform,
        version=(version.release[0], version.release[1]),
        implementation=environment.implementation or "cpython",
        free_threaded=bool(environment.free_threaded),
    )


def _escaped(name: str) -> str:
    return name.replace("-", "_")


def _name_in(dist_info: str) -> str:
    """Return the name in that of a `.dist-info` directory, normalized and escaped."""
    return _escaped(normalized(os.path.basename(dist_info).partition("-")[0]))
