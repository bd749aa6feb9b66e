"""What killed processes left below `Host.data` that no call will come back to: found by how it is named, and removed under locks."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from .. import places, records
from ..control import Work
from ..errors import BusyError
from ..models.plans import Removal
from ..system import files
from . import known_sets
from .place import ASIDE

if TYPE_CHECKING:
    from ..host import Host

_DAY = 24 * 3600.0  # seconds: what is named as unfinished and is older belongs to nobody that lives


def swept(work: Work, *, dry_run: bool) -> Iterator[Removal]:
    """Remove what is left of removals, builds and creations that were interrupted, and yield what went, sorted by place."""
    for path, reason in sorted(_found(work.host)):
        work.check()
        removal = Removal(paths=(path,), kernels=(), size=files.size_of(path), reason=reason, done=False)
        if dry_run:
            yield removal
            continue
        with suppress(FileNotFoundError):  # whoever began to delete it may still live
            files.delete_renamed(path)
        yield replace(removal, done=True)
    for path in _half_made(work.host):
        removal = Removal(paths=(path,), kernels=(), size=files.size_of(path), reason="making it was interrupted", done=False)
        if dry_run:
            yield removal
        elif _remove_half_made(path, work):
            yield replace(removal, done=True)
    for path, prefix in _staged(work.host):
        removal = Removal(paths=(path,), kernels=(), size=files.size_of(path), reason="making it was interrupted", done=False)
        if dry_run:
            yield removal
        elif _remove_staged(path, prefix, work):
            yield replace(removal, done=True)
    _forget_choices(work.host, dry_run=dry_run)


def _found(host: Host) -> Iterator[tuple[Path, str]]:
    for place in (
        records.environments_directory(host),
        *(places.store_directory(host, part) for part in ("environments", "temporary", "wheels")),
    ):
        for entry in _entries(place):
            if entry.name.startswith(files.TRASH):
                yield Path(entry.path), "removing it was interrupted"
            elif entry.name.startswith(known_sets.UNFINISHED) and not known_sets.is_filling(host):
                yield Path(entry.path), "unpacking it was interrupted"
    for entry in _entries(host.data / "cache" / "conda" / "pkgs"):
        if entry.name.startswith(files.TRASH):
            yield Path(entry.path), "removing it was interrupted"
    for entry in _entries(host.data / "cache" / "pip"):
        if entry.name.startswith(".new-") and _is_old(entry):
            yield Path(entry.path), "unpacking it was interrupted"


def _entries(place: Path) -> list[os.DirEntry[str]]:
    try:
        return [entry for entry in os.scandir(place) if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []


def _is_old(entry: os.DirEntry[str]) -> bool:
    return time.time() - entry.stat(follow_symlinks=False).st_mtime > _DAY


def _half_made(host: Host) -> list[Path]:
    """Return the named environments of which nothing but an interrupted `create` is there."""
    there = sorted(Path(entry.path) for entry in _entries(records.environments_directory(host)) if not entry.name.startswith("."))
    return [prefix for prefix in there if _is_half_made(prefix, host)]


def _is_half_made(prefix: Path, host: Host) -> bool:
    state = records.state_of(prefix, host)
    return state.record is None and state.dirty is not None and state.dirty.doing == "create" and state.dirty.made_directory


def _remove_half_made(prefix: Path, work: Work) -> bool:
    """Remove it unless somebody is making it right now; an environment that had been put aside for it comes back."""
    try:
        with records.locked(prefix, Work(host=work.host, timeout=0)):
            if not _is_half_made(prefix, work.host):
                return False
            files.remove_tree(prefix)
            aside = [entry.path for entry in _entries(prefix.parent) if entry.name.startswith(f"{ASIDE}{prefix.name}-")]
            if len(aside) == 1:
                os.rename(aside[0], prefix)
            return True
    except BusyError:
        return False


def _staged(host: Host) -> list[tuple[Path, Path]]:
    """Return the directories beside their place in which conda environments were being made, each with that place."""
    directories = (records.environments_directory(host), *(places.store_directory(host, part) for part in ("environments", "temporary")))
    there = [Path(entry.path) for place in directories for entry in _entries(place) if entry.name.startswith(".envkit-new-")]
    if not there:
        return []
    from ..conda.staging import place_of  # noqa: PLC0415 - only where conda environments were being made

    return sorted((path, prefix) for path in there if (prefix := place_of(path)) is not None)


def _remove_staged(path: Path, prefix: Path, work: Work) -> bool:
    """Remove it unless somebody is making that environment right now."""
    try:
        with records.locked(prefix, Work(host=work.host, timeout=0)), suppress(FileNotFoundError):
            files.delete_renamed(path)
            return True
    except BusyError:
        pass
    return False


def _forget_choices(host: Host, *, dry_run: bool) -> None:
    for path in () if dry_run else places.store_directory(host, "choices").glob("*"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > _DAY:
                path.unlink()
