"""Command lines that programs give again and again, read without argparse: that takes as long as looking at the machine.

What is not plain (an option with a value, help, an abbreviation, a mistake) is left to the parser, so there is one grammar.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from argparse import Namespace

_FIND: Final = frozenset({"--json", "--stream", "--tree", "--offline"})
_RESOLVE: Final = frozenset({"--json", "--offline"})


def options_of(words: Sequence[str]) -> Namespace | None:
    """Return the options that the parser would give for a plain `find` or `resolve`; None for any other command line."""
    command, given = words[0] if words else "", set(words[1:])
    if command == "find" and given <= _FIND and len(given) == len(words) - 1 and not {"--stream", "--tree"} <= given:
        from .looking import find  # noqa: PLC0415 - one command is imported

        return _options(
            given,
            command=find,
            roots=[],
            python=None,
            kind=[],
            manager=[],
            probe="never",
            stream="--stream" in given,
            tree="--tree" in given,
        )
    targets = [word for word in words[1:] if not word.startswith("-")]
    if command == "resolve" and len(targets) == 1 and set(words[1:]) - {targets[0]} <= _RESOLVE:
        from .looking import resolve  # noqa: PLC0415 - as above

        return _options(given, command=resolve, target=targets[0], probe="never")
    return None


def _options(given: set[str], **options: object) -> Namespace:
    shared = {"json": "--json" in given, "timeout": None, "offline": "--offline" in given}
    return cast("Namespace", SimpleNamespace(**shared, **options))
