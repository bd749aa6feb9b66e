"""condarc and mambarc files: text in, settings out, with the marks that say how files are put together.

What only asks where environments lie parses a file no further than it must: YAML is read only where one of its two keys occurs.

Source: conda's base/context.py (`envs_dirs`, older `envs_path`) and common/configuration.py for `#!final`, `#!top` and `#!bottom`,
and for the order in which lists of several files are put together; mamba reads the same keys from `.mambarc`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeGuard

from ..models.mapping import FrozenMapping

LIMIT: Final = 64 * 1024  # bytes; a larger file is none that a person wrote
_KEYS = ("envs_dirs", "envs_path")
_MARK: Final = re.compile(r"#\s*!\s*(final|top|bottom)\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What one file says for one key. `marks` are those of its items by their text; `final` closes it against later files."""

    value: object
    final: bool = False
    marks: Mapping[str, str] = FrozenMapping()


def environment_directories(text: str) -> tuple[str, ...]:
    """Return the directories of environments that a file names, as written, in their order; empty when it names none, or is no YAML."""
    if not any(key in text for key in _KEYS):
        return ()
    import yaml  # noqa: PLC0415 - takes milliseconds, and few files name directories

    try:
        said: object = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError):
        return ()
    if not _is_table(said):
        return ()
    found: list[str] = []
    for value in (said.get(key) for key in _KEYS):
        items = value if _is_list(value) else [value]
        found.extend(item for item in items if isinstance(item, str) and item)
    return tuple(dict.fromkeys(found))


def load(text: str) -> dict[str, Setting]:
    """Return what a file sets, by key, in its order; a key that is set to nothing is not set.

    Raises:
        ValueError: it cannot be read, or is no mapping; the text is made for people.
    """
    import yaml  # noqa: PLC0415 - only where such a file is

    try:
        said: object = yaml.safe_load(text)
        node: Any = yaml.compose(text, yaml.SafeLoader) if "#" in text and said is not None else None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ValueError(f"it is no YAML: {' '.join(str(error).split())[:200]}") from error
    if said is None:
        return {}
    if not _is_table(said):
        raise ValueError("it is no mapping")
    lines = text.splitlines()
    marks = {} if node is None else {str(key.value): (key, value) for key, value in node.value}
    found: dict[str, Setting] = {}
    for key, value in said.items():
        if value is None:
            continue
        final, marked = _marks(marks[str(key)], lines) if str(key) in marks else (False, FrozenMapping[str, str]())
        found[str(key)] = Setting(value=value, final=final, marks=marked)
    return found


def _marks(pair: tuple[Any, Any], lines: Sequence[str]) -> tuple[bool, FrozenMapping[str, str]]:
    """Return whether a key is marked as final, and the marks of the items of its value: they stand in comments of their lines."""
    key, value = pair
    inner: list[Any] = value.value if _is_list(value.value) else []
    found: dict[str, str] = {}
    for item in inner:
        ends: tuple[Any, Any] = item if _is_pair(item) else (item, item)  # a mapping holds pairs
        mark = _mark(lines, ends[1].start_mark.line)
        if mark and isinstance(ends[0].value, str):
            found[ends[0].value] = mark
    return _mark(lines, key.start_mark.line) == "final", FrozenMapping(found)


def _mark(lines: Sequence[str], number: int) -> str | None:
    match = _MARK.search(lines[number]) if number < len(lines) else None
    return None if match is None else match[1]


def one(settings: Sequence[Setting]) -> object:
    """Return the single value of several files, those that count more last: the last, or the first that is final; None without any."""
    final = next((setting for setting in settings if setting.final), None)
    if final is not None:
        return final.value
    return settings[-1].value if settings else None


def items(settings: Sequence[Setting]) -> tuple[str, ...]:
    """Return the list that several files make, those that count more last: theirs come first, each item once.

    Items marked `#!top` go before, those marked `#!bottom` behind all others.

    Raises:
        ValueError: one is neither a list nor a text.
    """
    relevant = _until_final(settings)
    pairs = [(texts(setting.value), setting.marks) for setting in relevant]
    top = [item for values, marks in pairs for item in values if marks.get(item) == "top"]
    bottom = [item for values, marks in reversed(pairs) for item in values if marks.get(item) == "bottom"]
    every = dict.fromkeys([*top, *(item for values, _ in reversed(pairs) for item in values)])
    return tuple(reversed(dict.fromkeys([*reversed(bottom), *reversed(every)])))


def table(settings: Sequence[Setting]) -> dict[str, object]:
    """Return the mapping that several files make, those that count more last: their values win, unless an earlier one is final.

    Raises:
        ValueError: one is no mapping.
    """
    relevant = _until_final(settings)
    found: dict[str, object] = {}
    for setting in relevant:
        found.update(_pairs(setting.value))
    for setting in reversed(relevant):
        found.update({key: value for key, value in _pairs(setting.value) if setting.marks.get(key) == "final"})
    return found


def texts(value: object) -> list[str]:
    """Return the items of a list as text; a single text is a list of one.

    Raises:
        ValueError: it is something else.
    """
    if isinstance(value, str):
        return [value]
    if not _is_list(value) or any(_is_list(item) or _is_table(item) for item in value):
        raise ValueError(f"{str(value)[:60]!r} is no list of texts")
    return [str(item) for item in value if item is not None]


def truth(value: object) -> bool | None:
    """Return whether a value means yes, as conda reads it; None when it says neither."""
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word in {"true", "yes", "on", "y", "1"}:
        return True
    return False if word in {"false", "no", "off", "n", "0", "non", "none", ""} else None


def _until_final(settings: Sequence[Setting]) -> list[Setting]:
    found: list[Setting] = []
    for setting in settings:
        found.append(setting)
        if setting.final:
            break
    return found


def _pairs(value: object) -> Iterator[tuple[str, object]]:
    if not _is_table(value):
        raise ValueError(f"{str(value)[:60]!r} is no mapping")
    yield from ((str(key), item) for key, item in value.items())


def _is_table(value: object) -> TypeGuard[dict[Any, object]]:
    return isinstance(value, dict)


def _is_list(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)


def _is_pair(value: object) -> TypeGuard[tuple[Any, Any]]:
    return isinstance(value, tuple)
