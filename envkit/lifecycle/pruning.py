"""prune: remove what nobody uses from the store, and sweep what kills left anywhere below `Host.data`."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from .. import environments, places, records, uses
from ..control import Control, Work, takes_control
from ..errors import BusyError, EnvkitError, NotFoundError, UsageError
from ..kernels import listing, registration
from ..models.environment import Environment
from ..models.plans import Removal
from ..models.several import Several
from ..models.specs import Spec
from ..system import files, running
from . import known_sets, leftovers, package_cache

if TYPE_CHECKING:
    from typing import Unpack

    from ..host import Host
    from ..models.aliases import Env


@takes_control
def prune(
    *,
    keep: Iterable[Env | Spec] = (),
    max_age: timedelta | None = None,
    max_bytes: int | None = None,
    dry_run: bool = False,
    **control: Unpack[Control],
) -> tuple[Removal, ...]:
    """Remove content-addressed environments, unpacked wheels and conda packages that nobody uses, and what kills left; return what went.

    In use, and so never removed, is what a process that envkit started or a `hold` holds, what a kernelspec or a temporary
    environment in use points at, and on Linux what a running process has its executable, its working directory or its
    `VIRTUAL_ENV` in. Environments with a name or at a path of the caller's stay; only what an interrupted `create` left of one goes.
    Without `max_age` and `max_bytes` all that is not in use goes. Of conda packages those are not in use of which no environment links
    to a file, in envkit's own cache; the cache of a conda that is configured is left to it.

    Args:
        keep: environments, and specs whose environments are to stay.
        max_age: leave what was used (by `ensure`, `temporary`, `run`, ...) since then.
        max_bytes: leave as much as fits, what was used last first. Files that environments share count for each;
            packages of conda get what the others leave.
        dry_run: only say what would be removed.

    Returns:
        One for each directory, what kills left first, then by last use, the oldest first, unpacked wheels together and conda packages
        together last; empty where nothing is to be removed.

    Raises:
        UsageError: a limit is negative, or a name in `keep` is not allowed. MachineError: something cannot be removed.
    """
    if isinstance(keep, str | os.PathLike | Environment | Spec):
        raise TypeError(f"keep takes several environments, not {keep!r}")
    if (max_age is not None and max_age < timedelta(0)) or (max_bytes is not None and max_bytes < 0):
        raise UsageError("max_age or max_bytes is negative", code="limit", hint="give 0 or more")
    work = Work.of(control)
    kept = frozenset(_kept(tuple(keep), work))
    with work.task("remove", "remove what nobody uses") as task:
        done = Several(_prune(kept, max_age, max_bytes, work, dry_run=dry_run), "nothing is to be removed")
        task.text = f"{len(done)} removed, {sum(removal.size for removal in done) / 1e6:.1f} MB"
    return done


def _kept(keep: tuple[Env | Spec, ...], work: Work) -> Iterator[str]:
    for target in keep:
        with suppress(NotFoundError):
            yield os.path.realpath(environments.resolved(target, work).prefix)


def _prune(kept: frozenset[str], max_age: timedelta | None, max_bytes: int | None, work: Work, *, dry_run: bool) -> Iterator[Removal]:
    yield from leftovers.swept(work, dry_run=dry_run)
    temporary = _directories(places.store_directory(work.host, "temporary"))
    stored = _directories(places.store_directory(work.host, "environments"))
    busy = running.in_use(map(str, (*temporary, *stored)))
    shown: set[str] = set()
    for prefix in temporary:
        removal = None if str(prefix) in busy else _removed(prefix, "the process that made it ended", work, dry_run=dry_run)
        if removal is not None:
            yield removal
        elif (record := records.state_of(prefix, work.host).record) is not None:
            shown.update(map(os.path.realpath, record.layers))
    needed = kept | shown | frozenset(_with_kernels(work.host))
    free = [prefix for prefix in stored if str(prefix) not in busy and os.path.realpath(prefix) not in needed]
    wheels = _directories(places.store_directory(work.host, "wheels"))
    sizes = {} if max_bytes is None else {path: files.size_of(path) for path in (*stored, *wheels)}
    taken: list[Path] = []
    chosen = tuple(_chosen(free, wheels, sizes, max_age, max_bytes, work.host))
    for choice in chosen:
        work.check()
        if choice.path in wheels:
            taken.append(choice.path)
        elif (removal := _stored_removed(choice, work, dry_run=dry_run)) is not None:
            yield removal
    if taken and (removal := _wheels_removed(taken, work, dry_run=dry_run)) is not None:
        yield removal
    there = sum(sizes.values()) - sum(sizes.get(choice.path, 0) for choice in chosen)
    oldest = None if max_age is None else time.time() - max_age.total_seconds()
    room = None if max_bytes is None else max(0, max_bytes - there)
    if (removal := package_cache.pruned(work, oldest=oldest, room=room, dry_run=dry_run)) is not None:
        yield removal


@dataclass(frozen=True, slots=True, kw_only=True)
class _Choice:
    """What may go, a content-addressed environment or an unpacked wheel, and why."""

    path: Path
    reason: str


def _chosen(
    free: list[Path], wheels: list[Path], sizes: Mapping[Path, int], max_age: timedelta | None, max_bytes: int | None, host: Host
) -> Iterator[_Choice]:
    """Yield what is to go, what was used longest ago first: what is of no use to anybody, is older than allowed, or does not fit."""
    oldest = None if max_age is None else time.time() - max_age.total_seconds()
    left = sum(sizes.values())
    for used, path in sorted((places.last_use(path), path) for path in (*free, *wheels)):
        reason = _useless(path, host) if path in free else None
        if reason is None and oldest is not None and used < oldest:
            reason = f"it was not used since {time.strftime('%Y-%m-%d %H:%M', time.localtime(used))}"
        if reason is None and max_bytes is not None and left > max_bytes:
            reason = f"the store holds more than {max_bytes} bytes"
        if reason is None and oldest is None and max_bytes is None:
            reason = "nobody uses it"
        if reason is not None:
            left -= sizes.get(path, 0)
            yield _Choice(path=path, reason=reason)


def _wheels_removed(paths: list[Path], work: Work, *, dry_run: bool) -> Removal | None:
    """Remove unpacked wheels unless some are being put into an environment right now; what they were linked into keeps its files."""
    size = sum(map(files.size_of, paths))
    removal = Removal(paths=tuple(paths), kernels=(), size=size, reason="unpacked wheels that nobody asks for", done=False)
    if dry_run:
        return removal
    with uses.removing(work) as held:
        if os.path.realpath(paths[0].parent) in held:
            return None
        trash = [path.with_name(f"{files.TRASH}{os.urandom(6).hex()}") for path in paths]
        for path, aside in zip(paths, trash, strict=True):
            with suppress(FileNotFoundError):
                os.rename(path, aside)
    for aside in trash:
        with suppress(FileNotFoundError):
            files.delete_renamed(aside)
    known_sets.forget(work.host)
    return replace(removal, done=True)


def _useless(prefix: Path, host: Host) -> str | None:
    """Say why `ensure` would never give this environment again."""
    state = records.state_of(prefix, host)
    if not state.ready or state.record is None:
        return "making it was interrupted"
    if state.record.digest != records.digest_of(prefix):
        return "its packages were changed after it was made"
    return None


def _stored_removed(choice: _Choice, work: Work, *, dry_run: bool) -> Removal | None:
    """Remove a content-addressed environment unless somebody is building it."""
    try:
        with records.locked(choice.path, _at_once(work)):
            return _removed(choice.path, choice.reason, work, dry_run=dry_run)
    except BusyError:
        return None


def _at_once(work: Work) -> Work:
    """Return work that waits for no lock."""
    return Work(host=work.host, timeout=0)


def _removed(prefix: Path, reason: str, work: Work, *, dry_run: bool) -> Removal | None:
    """Remove an environment of the store with its kernels unless somebody holds it; None where it stays."""
    kernels = registration.kernels_of(Environment(prefix=prefix, kind="venv"), work.host)
    removal = Removal(paths=(prefix,), kernels=kernels, size=files.size_of(prefix), reason=reason, done=False)
    with uses.removing(work) as held:
        if os.path.realpath(prefix) in held or not os.path.isdir(prefix):
            return None
        if dry_run:
            return removal
        trash = prefix.with_name(f"{files.TRASH}{os.urandom(6).hex()}")
        try:
            os.rename(prefix, trash)
        except OSError:
            return None  # on Windows: something in it is open
    with suppress(EnvkitError):
        registration.remove_kernels(kernels, work)
    try:
        files.delete_renamed(trash)
    except OSError as error:
        raise files.machine_error(error, trash) from error
    return replace(removal, done=True)


def _directories(place: Path) -> list[Path]:
    """Return the environments in a directory of the store, sorted by name."""
    try:
        return sorted(
            Path(entry.path) for entry in os.scandir(place) if entry.is_dir(follow_symlinks=False) and not entry.name.startswith(".")
        )
    except OSError:
        return []


def _with_kernels(host: Host) -> Iterator[str]:
    """Yield the real paths of the environments that kernelspecs point at, whoever wrote them."""
    for kernel in listing.kernels(host=host):
        if kernel.environment is not None:
            yield os.path.realpath(kernel.environment.prefix)
        if (owner := listing.owner_of(kernel.path, host)) is not None:
            yield owner
    for prefix in _directories(places.store_directory(host, "environments")):
        record = records.state_of(prefix, host).record
        if record is not None and any(listing.owner_of(Path(place), host) == os.path.realpath(prefix) for place in record.kernels):
            yield os.path.realpath(prefix)
