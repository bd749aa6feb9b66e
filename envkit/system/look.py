"""`Look`: one look at the machine. What it read it remembers, so that sixty environments of one base cost one base.

Everything here is made for a machine that nobody vouches for: only regular files are opened, without waiting (a fifo would hang
for ever), up to a size; where links lead is told by `following.py`; names that are no text come back as they are. Nothing raises
for what it finds.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, KeysView
from itertools import islice
from typing import TYPE_CHECKING

from .following import DOTS, Entries, Following
from .spelling import name_of, parent_of, within

if TYPE_CHECKING:
    from ..host import Host

_ENTRIES = 20_000  # names read of one directory
_MARK = b"\xef\xbb\xbf"  # that some editors write at the beginning of a text in UTF-8
_NOT_A_LINK = getattr(os, "O_NOFOLLOW", 0)
_OPEN = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOCTTY", 0)


class GivenUp(BaseException):
    """Nobody waits for this look any more. Not an `Exception`, so that nothing on the way takes it for a fault of a file."""


class Look(Following):
    """The outside world as it was when it was first asked about; made for one search, then thrown away."""

    def __init__(self, host: Host) -> None:
        """Look at `host`."""
        super().__init__(host)
        self.given_up = False  # set by whoever waits no longer: the next look at a file ends what goes on
        self.looked = 0  # how often a file or directory was looked at: the sign of life of a look that takes long
        self.notes: list[str] = []  # what was left out, and why
        self._names: dict[str, tuple[str, ...]] = {}
        self._entered: dict[str, bool] = {}  # what was opened or listed in passing, and whether it was there
        self._present: dict[str, bool] = {}  # what may be a link to nothing, and whether it was there

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

    def names(self, directory: str) -> tuple[str, ...]:
        """Return the names in a directory, sorted; empty when it is none or cannot be read."""
        found = self._names.get(directory)
        if found is None:
            found = self._names[directory] = tuple(sorted(self._entries(directory)))
        return found

    def contents(self, directory: str) -> KeysView[str]:
        """Return the names in a directory as a set; empty when it is none or cannot be read."""
        return self._entries(directory).keys()

    def has(self, directory: str, name: str) -> bool:
        """Say whether something of that name is in a directory, be it a link to nothing: one listing answers for all names."""
        inside = self._entries(directory)
        if name in inside:
            return True
        if (inside and len(inside) < _ENTRIES) or self.is_none(directory):
            return False
        return self.is_present(os.path.join(directory if self.whole else self.real(directory), name))  # entered without being listed

    def is_present(self, path: str) -> bool:
        """Say whether something is at a path, be it a link to nothing; links in a tree are not kept inside of it on the way."""
        found = self._present.get(path)
        if found is None:
            found = self._present[path] = os.path.lexists(path)
        return found

    def holds(self, directory: str, name: str) -> bool:
        """Say the same of a directory that may be large: where it was not listed yet, the one name is asked about."""
        if directory in self._seen:
            return self.has(directory, name)
        return self.status(within(directory, name)) is not None

    def is_none(self, directory: str) -> bool:
        """Say whether a path was to be listed and is no directory: nothing is there, or a file."""
        place = directory if self.whole else self.real(directory)
        return place in self._flat or place in self._gone

    def hide(self, path: str) -> None:
        """Leave a path out of the names in its directory from now on."""
        directory, hidden = os.path.split(path)
        self._seen[directory] = {name: entry for name, entry in self._entries(directory).items() if name != hidden}
        self._names.pop(directory, None)

    def directories(self, directory: str) -> frozenset[str]:
        """Return those of the names in a directory that are directories, or links to one."""
        return frozenset(name for name in self._entries(directory) if self.is_directory(os.path.join(directory, name)))

    def below(self, root: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Return the directories at and below one that the caller named, with the names in each; see `walking.walk`."""
        from .walking import walk  # noqa: PLC0415 - only where the caller names directories

        return self.remember(("below", root), lambda: walk(self, root))

    def _entries(self, directory: str) -> Entries:
        """Return what is in a directory, by name; read once."""
        found = self._seen.get(directory)
        if found is None:
            found = self._seen[directory] = self._listed(directory)
        return found

    def _listed(self, directory: str) -> Entries:
        self.check()
        place, found = directory if self.whole else self.real(directory), Entries()
        if place in self._gone or place in self._flat:
            return found
        if self.kind(directory) == stat.S_IFREG:
            self._flat.add(place)
            return found
        try:
            with os.scandir(place) as entries:
                found = {entry.name: entry for entry in islice(entries, _ENTRIES + 1)}
        except NotADirectoryError:
            self._flat.add(place)
        except FileNotFoundError:
            self._gone.add(place)
        except (OSError, ValueError):
            pass
        if len(found) > _ENTRIES:
            self.note(f"of {directory} only {_ENTRIES} names were read")
            found.popitem()
        elif found:
            self._read[place] = found
        return found

    def status(self, path: str) -> os.stat_result | None:
        """Return the status of what a path leads to; None when there is nothing, or a loop."""
        self.check()
        place = path if self.whole else self.real(path)
        if place in self._states:
            return self._states[place]
        try:
            found = None if place in self._gone else os.stat(place)
        except (OSError, ValueError):
            found = None
        self._states[place] = found
        return found

    def names_beginning(self, directory: str, words: tuple[str, ...]) -> tuple[str, ...]:
        """Return those names in a directory that begin with one of the words, sorted: in half the time that all of them take."""
        if directory not in self._seen:
            self.check()
            place = directory if self.whole else self.real(directory)
            self._entered[place] = False
            try:
                names = os.listdir(place)
            except (OSError, ValueError):
                return ()
            self._entered[place] = True
            if len(names) <= _ENTRIES:
                return tuple(sorted([name for name in names if name.startswith(words)]))
        return tuple([name for name in self.names(directory) if name.startswith(words)])

    def is_directory(self, path: str) -> bool:
        """Say whether a path leads to a directory."""
        kind = self.kind(path)
        if kind is None:
            status = self.status(path)
            return status is not None and stat.S_ISDIR(status.st_mode)
        return kind == stat.S_IFDIR

    def is_file(self, path: str) -> bool:
        """Say whether a path leads to a regular file."""
        kind = self.kind(path)
        if kind is None:
            status = self.status(path)
            return status is not None and stat.S_ISREG(status.st_mode)
        return kind == stat.S_IFREG

    def text(self, path: str, limit: int) -> str | None:
        """Return a file's text; None when it is no regular file, cannot be read, is not UTF-8, or has more than `limit` bytes."""
        data = self.data(path, limit + 1)
        if data is None or len(data) > limit:
            return None
        try:
            return data.removeprefix(_MARK).decode()
        except UnicodeDecodeError:
            return None

    def data(self, path: str, size: int) -> bytes | None:
        """Return up to `size` first bytes of a regular file; None when it is none or cannot be read."""
        self.check()
        self._entered[path] = False
        try:
            descriptor = os.open(path, _OPEN) if self.whole else self._opened(path)
        except (OSError, ValueError):
            return None
        self._entered[path] = True
        try:
            status = os.fstat(descriptor)
            return _read(descriptor, size, status.st_size) if stat.S_ISREG(status.st_mode) else None
        except OSError:
            return None
        finally:
            os.close(descriptor)

    def passed(self) -> Iterator[tuple[str, int, int]]:
        """Yield the directories of which no more was learnt than that they are there, by device and inode: what changes in them says nothing."""
        for path, status in self._states.items():
            if status is not None and stat.S_ISDIR(status.st_mode):
                yield path, status.st_dev, status.st_ino

    def _is_passed(self, path: str) -> bool:
        status = self._states.get(path)
        return status is not None and stat.S_ISDIR(status.st_mode)

    def asked(self) -> Iterator[tuple[str, bool, bool]]:
        """Yield all else that was looked at: the path, whether its links were followed, and whether something was certainly there.

        What was learnt from them is the same as long as none of them has changed; what a listing tells is told by its directory.
        """
        yield from ((path, True, status is not None) for path, status in self._states.items() if not self._is_passed(path))
        yield from ((path if self.whole else self.real(path), True, there) for path, there in self._entered.items())
        yield from ((path if self.whole else self.real(path), True, bool(found)) for path, found in list(self._seen.items()))
        yield from ((path, False, there) for path, there in self._present.items())
        for path, target in self._targets.items():
            if target is not None or (self.kind(path) is None and not self._is_passed(path)):
                place = path if self.whole else within(self.real(parent_of(path)), name_of(path))
                yield place, False, target is not None
        yield from ((path, False, False) for path in self._gone if (above := parent_of(path)) not in self._gone and above not in self._read)

    def _opened(self, path: str) -> int:
        """Open a file of a tree. One in a directory of which all is known need not be asked what it is first."""
        directory, name = parent_of(path), name_of(path)
        if _NOT_A_LINK and path not in self._reals and name not in DOTS and (place := self.real(directory)) not in self._gone:
            try:
                return os.open(within(place, name), _OPEN | _NOT_A_LINK)
            except FileNotFoundError:
                self._gone.add(within(place, name))
                raise
            except OSError:
                pass  # a link, which leads to a place in the tree
        path = self.real(path)
        if path in self._gone:
            raise FileNotFoundError(path)
        return os.open(path, _OPEN)


def _read(descriptor: int, size: int, expected: int) -> bytes:
    """Read up to `size` bytes; what the kernel makes up as it is read (/proc) comes in parts, and its size is told as 0."""
    data = os.read(descriptor, min(size, expected or size))
    while 0 < len(data) < size and len(data) != expected and (more := os.read(descriptor, size - len(data))):
        data += more
    return data
