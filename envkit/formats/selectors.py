"""Selectors: which lines of an environment.yml hold for a platform, by `# [linux and aarch64]` comments or `sel(win):` keys.

A comment counts as a selector only where all of it is one: people write remarks in brackets, too.

Source: CEP 24, "Preprocessing selectors"; conda-build's documentation for the names; conda-lock and micromamba, which read them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_ARCHITECTURES: Final = {
    "64": ("x86", "x86_64", "x64"),
    "32": ("x86", "x86_32"),
    "aarch64": ("aarch64",),
    "arm64": ("arm64",),
    **{name: (name,) for name in ("armv6l", "armv7l", "ppc64", "ppc64le", "riscv64", "s390x", "wasm32", "z")},
}
_SYSTEMS: Final = ("linux", "osx", "win", "emscripten", "wasi", "freebsd", "zos")
NAMES: Final = frozenset(
    {
        *_SYSTEMS,
        *("unix", "linux32", "linux64", "osx64", "win32", "win64"),
        *(name for names in _ARCHITECTURES.values() for name in names),
    }
)
"""What an expression may ask for."""

_COMMENT: Final = re.compile(r"^(?P<line>.*?)\s*#\s*\[(?P<expression>[^\[\]]+)\]\s*$")
_WORD: Final = re.compile(r"\s*(\(|\)|\w+)")


def holds(expression: str, platform: str) -> bool:
    """Say whether an expression holds for a platform.

    Args:
        expression: names with `and`, `or`, `not` and parentheses, such as "linux and not aarch64".
        platform: a subdirectory of a channel, such as "linux-64".

    Raises:
        ValueError: it is no such expression.
    """
    words = list(_words(expression))
    found = _either(words, _true(platform))
    if words:
        raise ValueError(f"{words[0]!r} does not belong there in {expression!r}")
    return found


def selected(text: str, platform: str) -> str:
    """Return a text without the lines whose comment is a selector that does not hold; where it holds the comment goes."""
    kept: list[str] = []
    for line in text.splitlines(keepends=True):
        match = _COMMENT.match(line.rstrip("\r\n"))
        if match is None or not _is_expression(match["expression"]):
            kept.append(line)
        elif holds(match["expression"], platform):
            kept.append(match["line"] + line[len(line.rstrip("\r\n")) :])
    return "".join(kept)


def _is_expression(text: str) -> bool:
    try:
        holds(text, "linux-64")
    except ValueError:
        return False
    return True


def _true(platform: str) -> frozenset[str]:
    """Return the names that hold for a platform."""
    system, _, architecture = platform.partition("-")
    bits = {"64": "64", "32": "32"}.get(architecture, "")
    joined = (system + bits,) if bits else ()
    unix = ("unix",) if system in {"linux", "osx", "freebsd", "emscripten", "wasi"} else ()
    return frozenset((system, *unix, *joined, *_ARCHITECTURES.get(architecture, ())))


def _words(expression: str) -> Iterator[str]:
    position = 0
    while expression[position:].strip():
        match = _WORD.match(expression, position)
        if match is None:
            raise ValueError(f"{expression!r} is no selector")
        yield match[1]
        position = match.end()


def _either(words: list[str], true: frozenset[str]) -> bool:
    found = _both(words, true)
    while words and words[0] == "or":
        words.pop(0)
        found = _both(words, true) or found
    return found


def _both(words: list[str], true: frozenset[str]) -> bool:
    found = _one(words, true)
    while words and words[0] == "and":
        words.pop(0)
        found = _one(words, true) and found
    return found


def _one(words: list[str], true: frozenset[str]) -> bool:
    word = words.pop(0) if words else ""
    if word == "not":
        return not _one(words, true)
    if word == "(":
        found = _either(words, true)
        if not words or words.pop(0) != ")":
            raise ValueError("a parenthesis is not closed")
        return found
    if word not in NAMES:
        raise ValueError(f"{word!r} is no name that a selector knows")
    return word in true
