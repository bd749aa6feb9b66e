"""Command lines that programs give again and again, read without argparse: that takes as long as looking at the machine.

What is not plain (another option, help, an abbreviation, a mistake) is left to the parser, so there is one grammar.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from argparse import Namespace

_FIND: Final = frozenset({"--json", "--stream", "--tree", "--offline"})
_FLAGS: Final = frozenset({"--json", "--offline"})
_REGISTER: Final = {"--name": "name", "--display-name": "display_name", "--scope": "scope"}


def options_of(words: Sequence[str]) -> Namespace | None:
    """Return the options that the parser would give for a plain `find`, `resolve` or `kernel register`; None for any other line."""
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
    if command == "resolve" and len(targets) == 1 and set(words[1:]) - {targets[0]} <= _FLAGS:
        from .looking import resolve  # noqa: PLC0415 - as above

        return _options(given, command=resolve, target=targets[0], probe="never")
    return _registering(words[2:]) if list(words[:2]) == ["kernel", "register"] else None


def _registering(words: Sequence[str]) -> Namespace | None:
    """Return the options of a line that registers an environment: the environment, flags, and options with their values."""
    targets, flags, named = list[str](), set[str](), dict[str, str]()
    rest = iter(words)
    for word in rest:
        if word in _FLAGS and word not in flags:
            flags.add(word)
        elif word in _REGISTER and _REGISTER[word] not in named:
            named[_REGISTER[word]] = next(rest, "-")
        else:
            targets.append(word)
    if len(targets) != 1 or any(text.startswith("-") for text in (*targets, *named.values())):
        return None
    from .kernels import register  # noqa: PLC0415 - one command is imported

    usual: dict[str, object] = {"name": None, "display_name": None, "scope": "user", "on_exists": "error", "env_file": None}
    return _options(flags, command=register, env=targets[0], **usual | named)


def _options(given: set[str], **options: object) -> Namespace:
    shared = {"json": "--json" in given, "timeout": None, "offline": "--offline" in given}
    return cast("Namespace", SimpleNamespace(**shared, **options))
