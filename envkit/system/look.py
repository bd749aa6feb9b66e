"""`Look`: one look at the machine. What it read it remembers, so that sixty environments of one base cost one base.

Everything here is made for a machine that nobody vouches for: only regular files are opened, without waiting (a fifo would hang
for ever), up to a size; links are followed a bounded number of times and, in a tree that stands for another machine, never out
of `Host.root`; names that are no text come back as they are. Nothing raises for what it finds.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Hashable
from itertools import islice
from typing import TYPE_CHECKING, TypeVar, cast

if TYPE_CHECKING:
    from ..host import Host

T = TypeVar("T")

_LINKS = 40  # links followed for one path, as Linux does
_ENTRIES = 20_000  # names read of one directory
_OPEN = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOCTTY", 0)


class Look:
    """The outside world as it was when it was first asked about; made for one search, then thrown away."""

    def __init__(self, host: Host) -> None:
        """Look at `host`."""
        self.host = host
        self.windows = host.platform == "win32"
        self.whole = str(host.root) == os.sep or os.name == "nt"  # the machine itself: the operating system may follow links
        self._memory: dict[Hashable, object] = {}

    def remember(self, key: Hashable, find: Callable[[], T]) -> T:
        """Return what `find` gave for `key` the first time."""
        try:
            return cast("T", self._memory[key])
        except KeyError:
            found = self._memory[key] = find()
            return found

    def place(self, text: str) -> str:
        """Return an absolute path of that world as a path of this machine."""
        if self.whole and text.startswith("/"):
            return text
        return self.remember(("place", text), lambda: str(self.host.path(text)))

    def names(self, directory: str) -> tuple[str, ...]:
        """Return the names in a directory, sorted; empty when it is none or cannot be read."""
        return self.remember(("names", directory), lambda: _names(directory))

    def status(self, path: str) -> os.stat_result | None:
        """Return the status of what a path leads to; None when there is nothing, or a loop."""
        if not self.whole:
            path = self.real(path)
        try:
            return os.stat(path)
        except (OSError, ValueError):
            return None

    def is_directory(self, path: str) -> bool:
        """Say whether a path leads to a directory."""
        status = self.status(path)
        return status is not None and stat.S_ISDIR(status.st_mode)

    def is_file(self, path: str) -> bool:
        """Say whether a path leads to a regular file."""
        status = self.status(path)
        return status is not None and stat.S_ISREG(status.st_mode)

    def link(self, path: str) -> str | None:
        """Return what the link at `path` points to, as an absolute path of this machine; None when it is no link."""
        try:
            target = os.readlink(path)
        except (OSError, ValueError):
            return None
        if os.path.isabs(target):
            return target if self.whole else str(self.host.path(target))
        joined = os.path.join(os.path.dirname(path), target)
        return joined if self.whole else self._inside(joined)

    def last(self, path: str) -> str:
        """Follow links of the last component only, as an interpreter does to find its prefix; the directories stay as spelled."""
        for _ in range(_LINKS):
            target = self.link(path)
            if target is None:
                return path
            path = self.tidy(target)
        return path

    def tidy(self, path: str) -> str:
        """Return a path without `.` and `..`: by its text where that is the same place, else by what its directory really is."""
        tidy = os.path.normpath(path)
        if ".." not in path.split(os.sep):
            return tidy
        real = self.real(os.path.dirname(path))
        return tidy if self.real(os.path.dirname(tidy)) == real else os.path.join(real, os.path.basename(path))

    def real(self, path: str) -> str:
        """Return the path with every link followed, as far as it exists."""
        return self.remember(("real", path), lambda: self._real(path))

    def _real(self, path: str) -> str:
        if self.whole:
            try:
                return os.path.realpath(path)
            except (OSError, ValueError):
                return path
        done, todo, links = os.sep, [part for part in path.split(os.sep) if part][::-1], 0
        while todo:
            part = todo.pop()
            if part in {".", ".."}:
                done = os.path.dirname(done) if part == ".." else done
                continue
            step = os.path.join(done, part)
            target = self.link(step) if self._is_inside(step) and links < _LINKS else None
            if target is None:
                done = step
            else:
                links, done = links + 1, os.sep
                todo.extend([part for part in target.split(os.sep) if part][::-1])
        return self._inside(done) if self._is_inside(path) else done

    def _is_inside(self, path: str) -> bool:
        root = str(self.host.root)
        return path == root or path.startswith(root + os.sep)

    def _inside(self, path: str) -> str:
        """Keep a path in the tree that stands for another machine: `..` at its root stays at its root."""
        tidy = os.path.normpath(path)
        return tidy if self._is_inside(tidy) else str(self.host.root) + tidy

    def text(self, path: str, limit: int) -> str | None:
        """Return a file's text; None when it is no regular file, cannot be read, is not UTF-8, or has more than `limit` bytes."""
        data = self.data(path, limit + 1)
        if data is None or len(data) > limit:
            return None
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError:
            return None

    def data(self, path: str, size: int) -> bytes | None:
        """Return up to `size` first bytes of a regular file; None when it is none or cannot be read."""
        if not self.whole:
            path = self.real(path)
        try:
            descriptor = os.open(path, _OPEN)
        except (OSError, ValueError):
            return None
        try:
            return os.read(descriptor, size) if stat.S_ISREG(os.fstat(descriptor).st_mode) else None
        except OSError:
            return None
        finally:
            os.close(descriptor)


def _names(directory: str) -> tuple[str, ...]:
    try:
        with os.scandir(directory) as entries:
            return tuple(sorted([entry.name for entry in islice(entries, _ENTRIES)]))
    except (OSError, ValueError):
        return ()
