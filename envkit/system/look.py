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
_LEVELS = 400  # directories in one path
_ENTRIES = 20_000  # names read of one directory
_OPEN = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOCTTY", 0)


class GivenUp(BaseException):
    """Nobody waits for this look any more. Not an `Exception`, so that nothing on the way takes it for a fault of a file."""


class Look:
    """The outside world as it was when it was first asked about; made for one search, then thrown away."""

    def __init__(self, host: Host) -> None:
        """Look at `host`."""
        self.host = host
        self.windows = host.platform == "win32"
        self._root = str(host.root)
        self._reals: dict[str, str] = {}
        self._links: dict[str, frozenset[str]] = {}  # by real directory that was listed: which of its names are links
        self._flat: set[str] = set()  # paths that are no directories
        self._gone: set[str] = set()  # real paths where nothing is: nothing is below them either
        self.whole = self._root == os.sep or os.name == "nt"  # the machine itself: the operating system may follow links
        self.given_up = False  # set by whoever waits no longer: the next look at a file ends what goes on
        self.looked = 0  # how often a file or directory was looked at: the sign of life of a look that takes long
        self.notes: list[str] = []  # what was left out, and why
        self._memory: dict[Hashable, object] = {}

    def note(self, text: str) -> None:
        """Keep what was left out and why, for the report."""
        self.notes.append(text)

    def check(self) -> None:
        """Give a sign of life; end what goes on when nobody waits for it any more.

        Raises:
            GivenUp: nobody does.
        """
        self.looked += 1
        if self.given_up:
            raise GivenUp

    def remember(self, key: Hashable, find: Callable[[], T]) -> T:
        """Return what `find` gave for `key` the first time."""
        try:
            return cast("T", self._memory[key])
        except KeyError:
            found = self._memory[key] = find()
            return found

    def place(self, text: str) -> str:
        """Return an absolute path of that world as a path of this machine."""
        if text.startswith("/") and not self.windows:
            return text if self.whole else self._root + os.path.normpath("/" + text.lstrip("/"))
        return self.remember(("place", text), lambda: str(self.host.path(text)))

    def names(self, directory: str) -> tuple[str, ...]:
        """Return the names in a directory, sorted; empty when it is none or cannot be read."""
        return self.remember(("names", directory), lambda: tuple(sorted([entry.name for entry in self._entries(directory)])))

    def has(self, directory: str, name: str) -> bool:
        """Say whether something of that name is in a directory, be it a link to nothing: one listing answers for all names."""
        inside = self.remember(("contents", directory), lambda: frozenset(self.names(directory)))
        if name in inside:
            return True
        if (inside and len(inside) < _ENTRIES) or directory in self._gone or directory in self._flat:
            return False
        return os.path.lexists(os.path.join(directory, name))  # it may be entered without being listed

    def hide(self, path: str) -> None:
        """Leave a path out of the names in its directory from now on."""
        directory, name = os.path.split(path)
        self._memory["names", directory] = tuple(other for other in self.names(directory) if other != name)

    def directories(self, directory: str) -> frozenset[str]:
        """Return those of the names in a directory that are directories, or links to one."""
        return frozenset(entry.name for entry in self._entries(directory) if self._leads_to_directory(directory, entry))

    def _leads_to_directory(self, directory: str, entry: os.DirEntry[str]) -> bool:
        try:
            if entry.is_symlink():  # which the entry itself would follow out of a tree
                return self.is_directory(os.path.join(directory, entry.name))
            return entry.is_dir(follow_symlinks=False)
        except OSError:
            return False

    def below(self, root: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Return the directories at and below one that the caller named, with the names in each; see `walking.walk`."""
        from .walking import walk  # noqa: PLC0415 - only where the caller names directories

        return self.remember(("below", root), lambda: walk(self, root))

    def _entries(self, directory: str) -> list[os.DirEntry[str]]:
        self.check()
        place = directory if self.whole else self.real(directory)
        if place in self._gone:
            return []
        try:
            with os.scandir(place) as entries:
                found = list(islice(entries, _ENTRIES + 1))
        except NotADirectoryError:
            self._flat.add(place)
            return []
        except FileNotFoundError:
            self._gone.add(place)
            return []
        except (OSError, ValueError):
            return []
        if len(found) <= _ENTRIES:
            self._links[place] = frozenset([entry.name for entry in found if entry.is_symlink()])
        if len(found) > _ENTRIES:
            self.note(f"of {directory} only {_ENTRIES} names were read")
            found.pop()
        return found

    def status(self, path: str) -> os.stat_result | None:
        """Return the status of what a path leads to; None when there is nothing, or a loop."""
        self.check()
        if not self.whole:
            path = self.real(path)
            if path in self._gone:
                return None
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
            return self._joined(os.path.dirname(path), os.readlink(path))
        except (OSError, ValueError):
            return None

    def _joined(self, directory: str, target: str) -> str:
        """Return what a link in a directory points to, as an absolute path of this machine."""
        if os.path.isabs(target):
            return target if self.whole else self.place(target)
        joined = f"{directory}{os.sep}{target}"
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
        if ".." not in path:
            return tidy
        real = self.real(os.path.dirname(path))
        return tidy if self.real(os.path.dirname(tidy)) == real else os.path.join(real, os.path.basename(path))

    def real(self, path: str) -> str:
        """Return the path with every link followed, as far as it exists."""
        try:
            return self._reals[path]
        except KeyError:
            found = self._reals[path] = self._real(path, 0)
            return found

    def _real(self, path: str, links: int) -> str:
        """Follow the links of a path, in a tree never out of it. What is known of a directory serves for all in it."""
        if os.name == "nt" or path.count(os.sep) > _LEVELS:
            try:
                return os.path.realpath(path) if self.whole else self._inside(path)
            except (OSError, ValueError):
                return path
        if path in {self._root, os.sep, ""} or not (self.whole or self._is_inside(path)):
            return path
        directory, _, name = path.rpartition(os.sep)
        above = self._reals.get(directory)
        if above is None:
            above = self._reals[directory] = self._real(directory, links)
        if name in {"", "."}:
            return above or os.sep
        if name == "..":
            return above if above == self._root else os.path.dirname(above)
        step = f"{above}/{name}" if above != os.sep else f"/{name}"
        if above in self._gone:
            self._gone.add(step)
            return step
        known = self._links.get(above)
        if known is not None and name not in known:
            return step
        try:
            target = self._joined(above, os.readlink(step))
        except FileNotFoundError:
            self._gone.add(step)
            return step
        except (OSError, ValueError):
            return step
        return self._real(target, links + 1) if links < _LINKS else step

    def _is_inside(self, path: str) -> bool:
        return path == self._root or path.startswith(self._root + os.sep)

    def _inside(self, path: str) -> str:
        """Keep a path in the tree that stands for another machine: `..` at its root stays at its root."""
        tidy = os.path.normpath(path)
        return tidy if self._is_inside(tidy) else self._root + tidy

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
        self.check()
        if not self.whole:
            path = self.real(path)
            if path in self._gone:
                return None
        try:
            descriptor = os.open(path, _OPEN)
        except (OSError, ValueError):
            return None
        try:
            return _read(descriptor, size) if stat.S_ISREG(os.fstat(descriptor).st_mode) else None
        except OSError:
            return None
        finally:
            os.close(descriptor)


def _read(descriptor: int, size: int) -> bytes:
    """Read up to `size` bytes; what the kernel makes up as it is read (/proc) comes in parts, and its size is told as 0."""
    data = os.read(descriptor, size)
    while 0 < len(data) < size and (more := os.read(descriptor, size - len(data))):
        data += more
    return data
