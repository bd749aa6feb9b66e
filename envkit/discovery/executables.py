"""What the name of an executable says: whether it may be an interpreter, and of which implementation, version and flavour."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ..system.look import Look

WORDS: Final = ("python", "pypy", "graalpy")
_FLAGS = frozenset({"", "t", "d", "td", "m", "dm", "mu", "u", "dmu"})  # of the ABI: t free-threaded, d debug, m and u of old ones


class Name:
    """The parts of a name such as `python3.13t`: "python", "3.13", "t"."""

    __slots__ = ("flags", "number", "word")

    def __init__(self, word: str, number: str, flags: str) -> None:
        """Keep them."""
        self.word = word
        self.number = number
        self.flags = flags

    @property
    def minor(self) -> tuple[int, int] | None:
        """Major and minor, where both are there."""
        parts = self.number.split(".")
        return (int(parts[0]), int(parts[1])) if len(parts) == 2 else None


@lru_cache(maxsize=4096)
def read_name(text: str, *, windows: bool = False) -> Name | None:
    """Return the parts of an interpreter's name; None for any other name, such as `python-config`, `pythonw` or `python3.12-gdb.py`."""
    lowered = text.lower() if windows else text
    if windows:
        if not lowered.endswith(".exe"):
            return None
        lowered = lowered[:-4]
    for word in WORDS:
        if lowered.startswith(word):
            rest = lowered[len(word) :]
            number = rest.rstrip("tdmu")
            flags = rest[len(number) :]
            if flags not in _FLAGS or (flags and not number) or not _is_number(number):
                return None
            return Name(word, number, flags)
    return None


def _is_number(text: str) -> bool:
    parts = text.split(".")
    return not text or (len(parts) <= 2 and all(part.isascii() and part.isdigit() and len(part) <= 3 for part in parts))


def interpreters_in(look: Look, directory: str) -> list[str]:
    """Return the names in a directory that may be interpreters, in the order of `best_names`."""

    def find() -> list[str]:
        names = look.names(directory) if look.windows else look.names_beginning(directory, WORDS)
        return best_names(names, windows=look.windows)

    return look.remember(("interpreters", directory), find)


def best_names(names: tuple[str, ...], *, windows: bool = False) -> list[str]:
    """Return those of the names that may be interpreters: `python` first, then `python3`, then the newest, PyPy's last.

    It is the order in which the executable of a prefix is looked for, the same on every run.
    """
    likely = [name for name in names if (name.lower() if windows else name).startswith(WORDS)]
    read = [(name, parts) for name in likely if (parts := read_name(name, windows=windows))]

    def order(item: tuple[str, Name]) -> tuple[int, int, list[int], str, str]:
        name, parts = item
        numbers = [int(part) for part in parts.number.split(".") if part]
        return (WORDS.index(parts.word), len(numbers), [-number for number in numbers], parts.flags, name)

    return [name for name, _ in sorted(read, key=order)]
