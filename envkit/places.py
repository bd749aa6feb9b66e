"""Where the store's directories are: content-addressed and temporary environments, unpacked wheels, and what is remembered of them.

And when each was used last, which is the time of its record. A prefix is told to lie in the store however it is spelled.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from .formats.record_text import DIRTY, MARKS, READY

if TYPE_CHECKING:
    from .host import Host
    from .models.specs import Spec

_STORED = re.compile("[0-9a-f]{24}(-[0-9]+)?")  # how directories of the store are named


def is_addressed(spec: Spec) -> bool:
    """Say whether the environment of a spec is content-addressed: it has neither a name nor a prefix."""
    return spec.name is None and spec.prefix is None


def store_directory(host: Host, part: Literal["environments", "temporary", "wheels", "sets", "choices"]) -> Path:
    """Return a directory of the store: content-addressed and temporary environments, unpacked wheels, what was resolved and chosen."""
    return host.data / "store" / part


def is_stored(prefix: Path, host: Host) -> bool:
    """Say whether a prefix is a content-addressed environment, which nothing edits once it is ready."""
    return _lies_in(prefix, store_directory(host, "environments"))


def is_temporary(prefix: Path, host: Host) -> bool:
    """Say whether a prefix is a temporary environment."""
    return _lies_in(prefix, store_directory(host, "temporary"))


def _lies_in(prefix: Path, directory: Path) -> bool:
    """Say whether a prefix lies in one of the store's directories, however it is spelled."""
    if prefix.parent == directory:
        return True
    return _STORED.fullmatch(prefix.name) is not None and os.path.realpath(prefix.parent) == os.path.realpath(directory)


def family(prefix: Path) -> Path:
    """Return the place that a content-addressed environment shares its lock with: `<key>` for `<key>-2`."""
    key, dash, number = prefix.name.rpartition("-")
    return prefix.with_name(key) if dash and number.isdigit() else prefix


def note_use(prefix: Path, host: Host) -> None:
    """Remember that an environment of the store is used now, so that `prune` takes others first."""
    if is_stored(prefix, host):
        with suppress(OSError):
            os.utime(prefix / MARKS / READY)


def last_use(prefix: Path) -> float:
    """Return when an environment of the store was last used, in seconds since the epoch; 0 where nobody knows."""
    for path in (prefix / MARKS / READY, prefix / MARKS / DIRTY, prefix):
        with suppress(OSError):
            return path.stat().st_mtime
    return 0.0
