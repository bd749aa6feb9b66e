"""Files that decide what envkit says, and so are believed only where nobody but this user can have written them."""

from __future__ import annotations

import os
import stat
import sys


def is_private(directory: str) -> bool:
    """Say whether a directory is not there yet, or is this user's and nobody else may write in it."""
    try:
        status = os.lstat(directory)
    except OSError:
        return True
    return stat.S_ISDIR(status.st_mode) and _is_own(status)


def read(path: str, largest: int) -> str:
    """Return the text of a file that only this user can have written.

    Raises:
        OSError: it cannot be read. ValueError: it has more than `largest` bytes, or others may write it.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0))
    with open(descriptor, "rb") as stream:
        status = os.fstat(descriptor)
        if not (stat.S_ISREG(status.st_mode) and _is_own(status) and status.st_size <= largest):
            raise ValueError("no file of ours")
        return stream.read(largest).decode("utf-8", "surrogateescape")


def _is_own(status: os.stat_result) -> bool:
    return sys.platform == "win32" or (status.st_uid == os.geteuid() and not status.st_mode & 0o022)
