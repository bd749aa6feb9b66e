"""What files say, remembered in this process as long as none of them has changed.

The first time that something is asked costs nothing more than it did; what is asked a second time is remembered.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Final, TypeVar

from .states import Ground, are_same, observed

Q = TypeVar("Q", bound=tuple[str, ...])
A = TypeVar("A")

_KEPT: Final = 512  # answers; the one that was not asked for the longest time goes first

_answers: dict[tuple[object, tuple[str, ...]], tuple[Any, tuple[Ground, ...]] | None] = {}


def remembered(asked: Q, find: Callable[[Q], A], files_of: Callable[[Q], Iterable[str] | None]) -> A:
    """Return what `find` gives for the paths that are asked about, or gave before where nothing has changed since.

    Args:
        asked: the paths.
        find: reads files and raises nothing; its answer must not be changed by whoever gets it.
        files_of: names every path of which `find` learns something, directories that it lists too; None where that cannot be told.
    """
    key = (find, asked)
    began, is_new = time.time_ns(), key not in _answers
    known = _answers.pop(key, None)
    if known is None or not are_same(known[1]):
        found = find(asked)
        files = None if is_new or os.name != "posix" else files_of(asked)
        grounds = None if files is None else observed(((path, True) for path in files), began)
        known = (found, grounds or ())
        _answers[key] = known if grounds else None
    else:
        _answers[key] = known
    if len(_answers) > _KEPT:
        with suppress(RuntimeError, StopIteration, KeyError):  # other threads ask, too
            del _answers[next(iter(_answers))]
    answer: A = known[0]
    return answer


def forget() -> None:
    """Forget all: what is asked next is read."""
    _answers.clear()
