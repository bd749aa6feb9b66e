"""`Following`: where paths lead, link by link, in the machine itself or in a tree that stands for another one.

In a tree no link leads out of it: an absolute one begins at its root, and `..` at its root stays there. Links are followed a bounded
number of times. What is known of a directory serves for all in it: which of its names are links is told by its listing, where that
was read, and what no link is has the status that it was asked for.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

if TYPE_CHECKING:
    from ..host import Host

T = TypeVar("T")
Entries: TypeAlias = dict[str, os.DirEntry[str]]

_LINKS = 40  # links followed for one path, as Linux does
_LEVELS = 400  # directories in one path
_POSIX = os.name == "posix"  # elsewhere a listing does not tell what a name leads to
DOTS = frozenset({"", ".", ".."})


class Following:
    """Paths of one world, and what was learnt of them so far."""

    def __init__(self, host: Host) -> None:
        """Begin with nothing known but where the world ends."""
        self.host = host
        self.windows = host.platform == "win32"
        self._root = str(host.root)
        self._start = self._root + os.sep
        self.home = str(host.home)
        self.cwd = str(host.cwd)
        self.whole = self._root == os.sep or os.name == "nt"  # the machine itself: the operating system may follow links
        self.memory: dict[Hashable, Any] = {}
        self._reals: dict[str, str] = {"": "", os.sep: os.sep, self._root: self._root}
        self._targets: dict[str, str | None] = {}  # what the links are that were read
        self._seen: dict[str, Entries] = {}  # by directory as it was asked about
        self._read: dict[str, Entries] = {}  # by real directory: those that were read to the end
        self._states: dict[str, os.stat_result | None] = {}  # of real paths; on the machine itself, of paths as they were asked about
        self._flat: set[str] = set()  # paths that are no directories
        self._gone: set[str] = set()  # real paths where nothing is: nothing is below them either

    def remember(self, key: Hashable, find: Callable[[], T]) -> T:
        """Return what `find` gave for `key` the first time."""
        try:
            known: T = self.memory[key]
        except KeyError:
            known = self.memory[key] = find()
        return known

    def place(self, text: str) -> str:
        """Return an absolute path of that world as a path of this machine."""
        if text.startswith("/") and not self.windows:
            return text if self.whole else self._root + os.path.normpath("/" + text.lstrip("/"))
        return self.remember(("place", text), lambda: str(self.host.path(text)))

    def link(self, path: str) -> str | None:
        """Return what the link at `path` points to, as an absolute path of this machine; None when it is no link."""
        try:
            return self._targets[path]
        except KeyError:
            found = self._targets[path] = self._link(path) if self.kind(path) is None else None
            return found

    def _link(self, path: str) -> str | None:
        directory, name = os.path.split(path)
        try:
            return self._joined(directory, os.readlink(path if self.whole else os.path.join(self.real(directory), name)))
        except (OSError, ValueError):
            return None

    def kind(self, path: str) -> int | None:
        """Return the kind of file that the listing of its directory tells; None for a link, and where nothing tells it."""
        directory, _, name = path.rpartition("/")
        inside = self._seen.get(directory) if _POSIX else None
        entry = inside.get(name) if inside else None
        try:
            if entry is None or entry.is_symlink():
                return None
            return stat.S_IFDIR if entry.is_dir(follow_symlinks=False) else stat.S_IFREG if entry.is_file(follow_symlinks=False) else 0
        except OSError:
            return None

    def _joined(self, directory: str, target: str) -> str:
        """Return what a link in a directory points to, as an absolute path of this machine."""
        if os.path.isabs(target):
            return target if self.whole else self.place(target)
        joined = f"{directory}{os.sep}{target}"
        return joined if self.whole else self._kept_inside(joined)

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
        found = self._reals.get(path)
        if found is None:
            found = self._reals[path] = self._followed(path, 0)
        return found

    def _followed(self, path: str, links: int) -> str:
        """Follow the links of a path that is not known yet, in a tree never out of it."""
        if not (self.whole or path.startswith(self._start)):
            return path
        if not _POSIX or (len(path) > 2 * _LEVELS and path.count("/") > _LEVELS):
            try:
                return os.path.realpath(path) if self.whole else self._kept_inside(path)
            except (OSError, ValueError):
                return path
        return self._real(path, links)

    def _real(self, path: str, links: int) -> str:
        """Follow the links of a path by those of its directory."""
        directory, _, name = path.rpartition("/")
        place = self._reals.get(directory)
        if place is None:
            place = self._reals[directory] = self._real(directory, links)
        if name in DOTS:
            return (os.path.dirname(place) if name == ".." and place != self._root else place) or "/"
        step = f"{place}/{name}" if place != "/" else f"/{name}"
        if place in self._gone:
            self._gone.add(step)
            return step
        if place in self._flat or not self._is_link(place, name, step):
            return step
        try:
            target = self._joined(place, os.readlink(step))
        except (OSError, ValueError):
            return step
        self._targets[step] = target
        if links >= _LINKS:
            return step
        return self._reals.get(target) or self._followed(target, links + 1)

    def _is_link(self, directory: str, name: str, path: str) -> bool:
        """Say whether a name in a real directory is a link, by that directory's listing where it was read."""
        listed = self._read.get(directory)
        try:
            if listed is not None:
                if name in listed:
                    return listed[name].is_symlink()
                if not self.whole:
                    self._gone.add(path)
                return False
            status = os.lstat(path)
        except FileNotFoundError:
            self._gone.add(path)
        except (OSError, ValueError):
            pass
        else:
            if stat.S_ISLNK(status.st_mode):
                return True
            self._states[path], self._targets[path] = status, None
        return False

    def _is_inside(self, path: str) -> bool:
        return path == self._root or path.startswith(self._start)

    def _kept_inside(self, path: str) -> str:
        """Keep a path in the tree that stands for another machine: `..` at its root stays at its root."""
        tidy = os.path.normpath(path)
        return tidy if self._is_inside(tidy) else self._root + tidy
