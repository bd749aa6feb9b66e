"""conda's versions: text in, an order out.

The order is not PEP 440's: `1.1dev1 < 1.1_ < 1.1a1 < 1.1 < 1.1post1`, letters are compared as text, missing parts count as 0.

Source: CEP 33; rattler_conda_version; conda's models/version.py.
"""

from __future__ import annotations

import re
from functools import total_ordering
from itertools import zip_longest
from typing import Final, TypeAlias

_Component: TypeAlias = tuple[int, int | str]
_Segment: TypeAlias = tuple[_Component, ...]
_Part: TypeAlias = tuple[_Segment, ...]

_DEV: Final = (0, 0)  # what a component is comes first, for that decides the order between unlike ones
_UNDERSCORE: Final = (1, 0)
_ZERO: Final = (3, 0)
_POST: Final = (4, 0)

_EPOCH: Final = re.compile(r"([0-9]+)!")
_SEGMENT: Final = re.compile(r"(?:[0-9]+|[A-Za-z]+)+")
_COMPONENT: Final = re.compile(r"[0-9]+|[A-Za-z]+")
LONGEST: Final = 4096  # characters; a longer text is no version


@total_ordering
class CondaVersion:
    """A version in conda's order: `CondaVersion("1.1") == CondaVersion("1.1.0")`. `str` gives it as it was written."""

    __slots__ = ("_hash", "epoch", "local", "segments", "text")

    def __init__(self, text: str) -> None:
        """Read a version.

        Raises:
            ValueError: it is none.
        """
        epoch, segments, local, rest = _read(text)
        if rest:
            raise ValueError(f"{text!r} is no version of conda")
        self.text, self.epoch, self.segments, self.local = text, epoch, segments, local
        self._hash = hash((epoch, _trimmed(segments), _trimmed(local)))

    @classmethod
    def beginning(cls, text: str) -> tuple[CondaVersion, str]:
        """Return the version that a text begins with, and what comes after it.

        Raises:
            ValueError: it begins with none.
        """
        rest = _read(text)[3]
        return cls(text[: len(text) - len(rest)]), rest

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"CondaVersion({self.text!r})"

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, CondaVersion):
            return NotImplemented
        return self.epoch == other.epoch and not _order(self.segments, other.segments) and not _order(self.local, other.local)

    def __lt__(self, other: CondaVersion) -> bool:
        if self.epoch != other.epoch:
            return self.epoch < other.epoch
        return (_order(self.segments, other.segments) or _order(self.local, other.local)) < 0

    def starts_with(self, other: CondaVersion) -> bool:
        """Say whether this is one of the versions that `other.*` means."""
        return self.epoch == other.epoch and _begins(self.segments, other.segments) and _begins(self.local, other.local)

    def compatible_with(self, other: CondaVersion) -> bool:
        """Say whether this is one of the versions that `~=other` means: at least it, and alike up to its last but one segment."""
        same = self.epoch == other.epoch and _begins(self.segments, other.segments[:-1]) and _begins(self.local, other.local)
        return same and self >= other


def _read(text: str) -> tuple[int, _Part, _Part, str]:
    """Return epoch, segments and local segments of the version at the beginning of a text, and the rest.

    Raises:
        ValueError: there is none.
    """
    if len(text) > LONGEST:
        raise ValueError(f"a version has no {len(text)} characters")
    epoch = _EPOCH.match(text)
    rest = text[epoch.end() :] if epoch else text
    segments, rest, separator = _read_part(rest, "")
    local: _Part = ()
    if rest.startswith("+"):
        local, rest, _ = _read_part(rest[1:], separator)
    return int(epoch[1]) if epoch else 0, segments, local, rest


def _read_part(text: str, separator: str) -> tuple[_Part, str, str]:
    """Return the segments at the beginning of a text, the rest, and which of `-` and `_` separated them: never both do.

    Raises:
        ValueError: there is none, or both separators occur.
    """
    found: list[_Segment] = []
    position = 0
    while True:
        match = _SEGMENT.match(text, position)
        if match is None:
            break
        found.append(_segment(match[0]))
        position = match.end()
        sign = text[position : position + 1]
        if not sign or sign not in "-._":
            return tuple(found), text[position:], separator
        separator = _only(separator, sign)
        position += 1
    if not found:
        raise ValueError(f"{text!r} begins with no version of conda")
    last = text[position : position + 1]
    if last and last in "-_":  # "1.0_": the sign at the end makes it older, which openssl's versions need
        return (*found, (_ZERO, _UNDERSCORE)), text[position + 1 :], _only(separator, last)
    sign = text[position - 1]
    if sign in "-_":
        return (*found[:-1], (*found[-1], _UNDERSCORE)), text[position:], separator
    return tuple(found), text[position - 1 :], separator


def _only(separator: str, sign: str) -> str:
    if sign == ".":
        return separator
    if separator and separator != sign:
        raise ValueError("a version has dashes or underscores, not both")
    return sign


def _segment(text: str) -> _Segment:
    parts = tuple(_component(part) for part in _COMPONENT.findall(text))
    return parts if parts[0][0] == _ZERO[0] else (_ZERO, *parts)


def _component(text: str) -> _Component:
    if text[0].isdigit():
        return _ZERO[0], int(text)
    word = text.lower()
    return _DEV if word == "dev" else _POST if word == "post" else (2, word)


def _order(left: _Part, right: _Part) -> int:
    """Return -1, 0 or 1 as `left` is before, the same as, or after `right`."""
    none: _Segment = ()
    for ours, theirs in zip_longest(left, right, fillvalue=none):
        for one, other in zip_longest(ours, theirs, fillvalue=_ZERO):
            if one != other:
                return _compare(one, other)
    return 0


def _compare(one: _Component, other: _Component) -> int:
    if one[0] != other[0]:
        return -1 if one[0] < other[0] else 1
    first, second = one[1], other[1]
    if isinstance(first, str) and isinstance(second, str):
        return -1 if first < second else 1
    return -1 if int(first) < int(second) else 1


def _trimmed(part: _Part) -> _Part:
    """Return a part without the zeros at the ends, which make no difference: what is equal must hash alike."""
    segments: list[_Segment] = []
    for segment in part:
        end = len(segment)
        while end and segment[end - 1] == _ZERO:
            end -= 1
        segments.append(segment[:end])
    while segments and not segments[-1]:
        segments.pop()
    return tuple(segments)


def _begins(whole: _Part, start: _Part) -> bool:
    longer = False  # the last segment had more in it than was asked for, which only the last one asked for may have
    for index, wanted in enumerate(start):
        if index >= len(whole):
            if any(component != _ZERO for component in wanted):
                return False
            continue
        if longer:
            return False
        have = whole[index]
        if have[: len(wanted)] != wanted[: len(have)] or any(component != _ZERO for component in wanted[len(have) :]):
            return False
        longer = len(have) > len(wanted)
    return True
