"""Files: atomic writes, private directories, sizes, and a removal that follows no link."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from ..errors import MachineError

TRASH: Final = ".envkit-trash-"
"""How the name of a directory begins that is being removed; whoever finds one may finish that."""

_CODES = {
    errno.ENOSPC: ("disk-full", "the disk is full", "free some space and call again"),
    errno.EDQUOT: ("disk-full", "the quota is used up", "free some space and call again"),
    errno.EROFS: ("read-only", "the file system is read-only", "choose a place that can be written"),
    errno.EACCES: ("no-permission", "permission denied", "choose a place that you may write, or change its permissions"),
    errno.EPERM: ("no-permission", "not permitted", "choose a place that you may write, or change its permissions"),
    errno.ENAMETOOLONG: ("name-too-long", "the path is too long", "choose a shorter path"),
}


def machine_error(error: OSError, path: Path) -> MachineError:
    """Return the typed error for an OSError at `path`."""
    code, what, hint = _CODES.get(error.errno or 0, ("machine", error.strerror or str(error), "look at the path and its permissions"))
    return MachineError(f"cannot write {path}: {what}", code=code, hint=hint, retryable=code == "disk-full")


def private_directory(path: Path) -> Path:
    """Make `path` and what is missing above it, readable by this user alone (0700)."""
    try:
        path.mkdir(mode=0o700, parents=False, exist_ok=True)
    except FileNotFoundError:
        private_directory(path.parent)
        return private_directory(path)
    except OSError as error:
        raise machine_error(error, path) from error
    return path


def write_atomic(path: Path, content: str | bytes, *, mode: int = 0o600, durable: bool = False) -> None:
    """Write a file so that a reader sees the old content or the new, never a part; `durable` also asks the disk to have it.

    Raises:
        OSError: as the file system says; nothing is left behind then.
    """
    data = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
    temporary = path.with_name(f".{path.name}.{os.urandom(6).hex()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0), mode)
    try:
        try:
            _write_all(descriptor, data)
            if os.name != "nt":
                os.fchmod(descriptor, mode)
            if durable:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def write_new(path: str, data: bytes, mode: int) -> None:
    """Write a small file where nothing is, with few calls to the system; `mode` is cut by the umask.

    Raises:
        FileExistsError: something is there, be it a link. OSError: it cannot be written.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode)
    try:
        _write_all(descriptor, data)
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def size_of(path: Path) -> int:
    """Return the bytes of all files below `path`, links counted as themselves, each inode once."""
    total, seen, todo = 0, set[tuple[int, int]](), [str(path)]
    while todo:
        try:
            entries = list(os.scandir(todo.pop()))
        except OSError:
            continue
        for entry in entries:
            with suppress(OSError):
                if entry.is_dir(follow_symlinks=False):
                    todo.append(entry.path)
                    continue
                status = entry.stat(follow_symlinks=False)
                if status.st_nlink > 1:
                    if (status.st_dev, status.st_ino) in seen:
                        continue
                    seen.add((status.st_dev, status.st_ino))
                total += status.st_size
    return total


def remove_tree(path: Path, *, still_ours: Callable[[], bool] = lambda: True) -> None:
    """Remove a directory: renamed aside first, so that it disappears at once, then deleted. A link is never followed.

    `still_ours` is asked last, just before the rename. Where the rename fails nothing was lost.

    Raises:
        MachineError: it could not be removed; what is left lies beside it and begins with `.envkit-trash-`.
    """
    trash = path.with_name(f"{TRASH}{os.urandom(6).hex()}")
    try:
        if stat.S_ISLNK(os.lstat(path).st_mode):
            raise MachineError(f"{path} is a link", code="link", hint="name the directory itself")
        if not still_ours():
            raise MachineError(f"{path} changed while it was to be removed", code="changed", hint="look at it and call again")
        os.rename(path, trash)
        delete_renamed(trash)
    except FileNotFoundError:
        return
    except OSError as error:
        raise machine_error(error, path) from error


def delete_renamed(trash: Path) -> None:
    """Delete a tree; directories without permissions are given them (pip and uv leave such in read-only stores)."""
    import shutil  # noqa: PLC0415 - it brings four compressors, and most calls remove nothing

    try:
        shutil.rmtree(trash)
    except PermissionError:
        _open_up(trash)
        shutil.rmtree(trash)


def _open_up(top: Path) -> None:
    """Give the owner every right on the directories of a tree; on Windows on its files too, where a read-only one cannot go."""
    os.chmod(top, 0o700)
    windows = sys.platform.startswith("win")  # not a comparison: checkers would drop the branch for other platforms
    for directory, names, others in os.walk(top):
        for name in (*names, *(others if windows else ())):
            path = os.path.join(directory, name)
            if not os.path.islink(path):
                os.chmod(path, 0o700)
