"""The package cache: what is in it, how many environments share its files, and what may go.

A package is a directory `<name>-<version>-<build>` with `info/index.json`; a file with that name and `.conda` or `.tar.bz2` is its
archive, one with `.lock` what py-rattler notes of it. Files are hard-linked into environments, so a file of a package with more than
one link is in use by somebody, whoever that is, and deleting the package would free nothing of it. Where the cache lies on another
file system its files are copied, nothing is shared, and every package may go.

Source: rattler_cache's package_cache/cache_lock.rs for the lock; conda's cli/main_clean.py for what counts as used.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from ..errors import BusyError, EnvkitError
from ..formats.conda_url import EXTENSIONS
from ..system import files, locks

if TYPE_CHECKING:
    from ..control import Work
    from ..host import Host

LOCK: Final = ".cache.lock"
"""What py-rattler holds while it links packages from a cache: an exclusive lock of the whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cached:
    """One package of a cache. `paths` are its directory and what lies beside it, `size` their bytes, of which `shared` are in use.

    `used` is when a file of it was linked or unlinked last, in seconds since the epoch: each changes the time of its inode.
    """

    name: str
    paths: tuple[Path, ...]
    size: int
    shared: int
    used: float

    @property
    def free(self) -> bool:
        """Whether no environment shares a file of it, so that it may go."""
        return self.shared == 0


def own(host: Host) -> Path:
    """Return the package cache that is used where no conda is configured."""
    return host.data / "cache" / "conda" / "pkgs"


def packages(cache: Path) -> tuple[Cached, ...]:
    """Return what is in a package cache, sorted by name; empty where there is none."""
    try:
        names = sorted(os.listdir(cache))
    except OSError:
        return ()
    beside: dict[str, list[str]] = {}
    for name in names:
        if (stem := _stem(name, str(cache))) is not None:
            beside.setdefault(stem, []).append(name)
    return tuple(_cached(cache, stem, members) for stem, members in sorted(beside.items()))


def _stem(name: str, cache: str) -> str | None:
    """Return of which package an entry of a cache is; None for what belongs to none."""
    for end in (*EXTENSIONS, ".lock"):
        if name.endswith(end) and not name.startswith("."):
            return name.removesuffix(end)
    return name if os.path.isfile(os.path.join(cache, name, "info", "index.json")) else None


def _cached(cache: Path, name: str, members: Iterable[str]) -> Cached:
    size, shared, used = 0, 0, 0.0
    inodes: dict[tuple[int, int], tuple[int, os.stat_result]] = {}
    for status in _statuses([str(cache / member) for member in members]):
        if stat.S_ISREG(status.st_mode):
            used = max(used, status.st_ctime)
            key = (status.st_dev, status.st_ino)
            inodes[key] = (inodes.get(key, (0, status))[0] + 1, status)
    for here, status in inodes.values():
        size += status.st_size
        shared += status.st_size or 1 if status.st_nlink > here else 0  # an empty file that is in use counts, too
    return Cached(name=name, paths=tuple(cache / member for member in members), size=size, shared=shared, used=used)


def _statuses(paths: Iterable[str]) -> Iterator[os.stat_result]:
    todo = list(paths)
    while todo:
        path = todo.pop()
        with suppress(OSError):
            status = os.lstat(path)
            yield status
            if stat.S_ISDIR(status.st_mode):
                todo += [os.path.join(path, name) for name in os.listdir(path)]


@contextmanager
def locked(cache: Path, work: Work) -> Generator[bool]:
    """Hold the lock of a cache, which keeps engines from linking out of it; False where somebody has it, without waiting."""
    try:
        lock = locks.acquire(cache / LOCK, what=str(cache), work=work, blocking=False)
    except BusyError:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def remove(cache: Path, chosen: Iterable[Cached]) -> tuple[Cached, ...]:
    """Remove packages from a cache whose lock the caller holds, and return those that went: not those that got in use meanwhile.

    Each is renamed aside before it is deleted, its notes first, so that what a kill leaves is never taken for a whole package.

    Raises:
        MachineError: one cannot be removed.
    """
    gone: list[Cached] = []
    for package in chosen:
        now = _cached(cache, package.name, [path.name for path in package.paths])
        if not now.free:
            continue
        trash = cache / f"{files.TRASH}{secrets.token_hex(6)}"
        try:
            trash.mkdir()
            for path in sorted(package.paths, key=lambda path: not path.name.endswith(".lock")):
                with suppress(FileNotFoundError):
                    os.rename(path, trash / path.name)
            files.delete_renamed(trash)
        except OSError as error:
            raise files.machine_error(error, cache) from error
        gone.append(package)
    return tuple(gone)


def drop_altered(cache: Path, names: Iterable[str], work: Work) -> tuple[str, ...]:
    """Take packages out of a cache of which a file is not as it was packed, so that they are fetched anew; return their names.

    A file that somebody edited in an environment is the cache's own, where it is a hard link. Environments keep their links.

    Args:
        names: "<name>-<version>-<build>" of the packages to look at, each file of which is read.

    Raises:
        MachineError: one cannot be removed. CancelledError, DeadlineError: the call is over.
    """
    return tuple(name for name in names if _is_altered(cache / name, work) and _dropped(cache, name))


def _is_altered(package: Path, work: Work) -> bool:
    """Say whether a file of an unpacked package has another content than its `info/paths.json` says, or is gone."""
    import hashlib  # noqa: PLC0415 - needed for repairing only
    import json  # noqa: PLC0415 - same

    try:
        said: Any = json.loads((package / "info" / "paths.json").read_bytes())
        entries = cast("list[dict[str, Any]]", said["paths"])
        for entry in entries:
            work.check()
            path = package / str(entry["_path"])
            if entry.get("sha256") and entry.get("path_type") == "hardlink" and not path.is_symlink():
                with open(path, "rb") as stream:
                    if hashlib.file_digest(stream, "sha256").hexdigest() != entry["sha256"]:
                        return True
    except FileNotFoundError:
        return package.is_dir()
    except EnvkitError:  # a deadline is an OSError, too
        raise
    except (OSError, ValueError, LookupError, TypeError):
        return False
    return False


def _dropped(cache: Path, name: str) -> bool:
    trash = cache / f"{files.TRASH}{secrets.token_hex(6)}"
    try:
        trash.mkdir()
        for path in (cache / f"{name}.lock", cache / name):
            with suppress(FileNotFoundError):
                os.rename(path, trash / path.name)
        files.delete_renamed(trash)
    except OSError as error:
        raise files.machine_error(error, cache) from error
    return True


def leftovers(cache: Path) -> tuple[Path, ...]:
    """Return what interrupted removals left in a cache."""
    try:
        return tuple(sorted(cache / name for name in os.listdir(cache) if name.startswith(files.TRASH)))
    except OSError:
        return ()
