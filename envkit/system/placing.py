"""Files put from one tree into another without copying their bytes where that can be: reflink, hard link, copy, in this order.

A reflink (btrfs, XFS, bcachefs) shares the bytes until one of the two is written to, so it is as good as a copy. A hard link is the
same file: who replaces it (pip, uv, Python writing bytecode) leaves the other alone, who writes into it changes both. Whichever
it is, modification times stay, and with them bytecode stays valid. Directories are always made, never linked: an installer would
write through a link into the tree where the files come from.

Source: ioctl_ficlonerange(2).
"""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final, Literal

Method = Literal["reflink", "link", "copy"]

_FICLONE: Final = 0x40049409
_NO_REFLINK = frozenset({errno.EOPNOTSUPP, errno.ENOTTY, errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EPERM, errno.ETXTBSY})
_NO_LINK = frozenset({errno.EXDEV, errno.EPERM, errno.EACCES, errno.EOPNOTSUPP, errno.ENOSYS, errno.ENOTSUP})
_MANY_LINKS = errno.EMLINK


class Placer:
    """Puts files, each in the best way that worked before; `private` ones are never hard links, for they are to be written to."""

    def __init__(self, *, first: Method = "reflink") -> None:
        """Begin with a method; "copy" for trees that must share nothing."""
        self.method: Method = first if sys.platform == "linux" or first == "copy" else "link"
        self.placed: set[str] = set()  # targets

    def put(self, source: str, target: str) -> None:
        """Put one regular file where nothing is yet.

        Raises:
            FileExistsError: something is there. OSError: it can be neither linked nor copied.
        """
        self.placed.add(target)
        if self.method == "reflink":
            if _reflinked(source, target):
                return
            self.method = "link"
        if self.method == "link":
            try:
                os.link(source, target, follow_symlinks=False)
            except OSError as error:
                if error.errno in _NO_LINK:
                    self.method = "copy"
                elif error.errno != _MANY_LINKS:
                    raise
            else:
                return
        copy(source, target)

    def put_private(self, source: str, target: str) -> None:
        """Put one regular file that is to share nothing with its source when it is written to."""
        self.placed.add(target)
        if self.method == "reflink":
            if _reflinked(source, target):
                return
            self.method = "link"
        copy(source, target)

    def put_tree(self, source: str, target: str, *, skip: Callable[[str], bool] | None = None, private: bool = False) -> None:
        """Put a tree: directories made, files put, links made anew with the text that they have.

        Args:
            target: is made where it is not there, what is above it must be; files in it that the source has too are an error.
            skip: says of a path relative to `source` whether to leave it out, with all below.
            private: no hard links.
        """
        put = self.put_private if private else self.put
        for place, entries in _walk(source, target, skip):
            with suppress(FileExistsError):  # what is put beside something
                os.mkdir(place)
            for entry in entries:
                goal = f"{place}{os.sep}{entry.name}"
                if entry.is_symlink():
                    os.symlink(os.readlink(entry.path), goal)
                elif entry.is_file(follow_symlinks=False):
                    put(entry.path, goal)


def _walk(source: str, target: str, skip: Callable[[str], bool] | None) -> Iterator[tuple[str, list[os.DirEntry[str]]]]:
    """Yield where each directory is to be, the ones above first, and what lies in it but for directories; links are never followed."""
    todo = [""]
    while todo:
        inner = todo.pop()
        with os.scandir(source + inner) as listing:
            entries = list(listing)
        others: list[os.DirEntry[str]] = []
        for entry in entries:
            below = f"{inner}{os.sep}{entry.name}"
            if skip is not None and skip(below[1:]):
                continue
            if entry.is_dir(follow_symlinks=False):
                todo.append(below)
            else:
                others.append(entry)
        yield target + inner, others


def copy(source: str, target: str) -> None:
    """Copy a file with its mode and times; FileExistsError where something is."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    with open(source, "rb") as origin, open(os.open(target, flags, 0o600), "wb") as stream:
        shutil.copyfileobj(origin, stream, 1024 * 1024)
    shutil.copystat(source, target)


def _reflinked(source: str, target: str) -> bool:
    """Make `target` share the bytes of `source`; False where this file system has no such thing."""
    if sys.platform != "linux":
        return False
    import fcntl  # noqa: PLC0415 - POSIX alone has it

    with open(source, "rb") as origin:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            fcntl.ioctl(descriptor, _FICLONE, origin.fileno())
        except OSError as error:
            os.unlink(target)
            if error.errno in _NO_REFLINK:
                return False
            raise
        finally:
            os.close(descriptor)
    shutil.copystat(source, target)
    return True
