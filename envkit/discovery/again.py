"""What a search found, kept in memory, and given again as long as nothing that it looked at has changed.

Whoever shows environments asks again and again, and mostly nothing has happened meanwhile. To ask all files for their status costs
a tenth of reading them; see `system/states.py`. Where something had changed shortly before a search, or changes while it goes on,
nothing is kept.

The first time that something is asked costs nothing more than it did; what is asked a second time is kept, or the first time in a
process that gives it to the next one (`cli/kept.py`). Nothing is kept of a search that left something out, walked below directories
that were named, or asked locators that are not built in.
"""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

from ..system.spelling import parent_of
from ..system.states import ANY, Ground, State, is_same, is_settled, state_of
from .locators import is_built_in

if TYPE_CHECKING:
    from ..host import Host
    from ..models.environment import Environment
    from ..protocols import Locator
    from ..system.look import Look

_SEARCHES: Final = 8  # that are remembered; the one that was not asked for the longest time goes first
_PATHS: Final = 32  # the same of single paths


class _Known(NamedTuple):
    """What was found, how much of it by each locator, and the state of all that was looked at."""

    finds: tuple[Environment, ...]
    counts: tuple[int, ...]
    states: tuple[Ground, ...]


class Question:
    """What was asked: one path, or what there is of some kinds; by which locators, in which world. And the answer, once it was asked twice."""

    def __init__(self, host: Host, table: Sequence[Locator], kinds: frozenset[str], path: str) -> None:
        """Begin without an answer."""
        self._asked = (path, kinds, tuple(table), host)  # what differs mostly comes first
        self._times = 0
        self._began = 0
        self.known: _Known | None = None

    def is_like(self, other: Question) -> bool:
        """Say whether both ask for the same."""
        return self._asked == other._asked

    def begin(self) -> Question:
        """Count a search that begins now."""
        self._times += 1
        self._began = time.time_ns()
        return self

    def answer(self, look: Look) -> tuple[tuple[Environment, ...], tuple[int, ...]] | None:
        """Return what was found, and how much by each locator; None where it is not known, or something has changed."""
        known = self.known
        if known is None:
            return None
        for ground in known.states:
            look.check()
            if not is_same(ground):
                self.known = None
                return None
        return known.finds, known.counts

    def keep(self, look: Look, finds: Sequence[Environment], counts: Sequence[int]) -> None:
        """Keep what was found by `look`, when it was asked for before and all that was looked at had its last change long ago."""
        if self._times < _kept_from:
            return
        states: dict[tuple[str, bool], State] = {}
        for path, follow, there in look.asked():
            look.check()
            state = state_of(path, follow=follow)
            if not is_settled(state, self._began) if state else there:
                return
            states[path, follow] = state
        needed = [(path, follow, state) for (path, follow), state in states.items() if not _is_told(path, states, follow=follow)]
        for path, device, inode in look.passed():
            if (path, True) not in states:
                needed.append((path, True, (device, inode, ANY)))
                if (own := state_of(path, follow=False)) is None or not is_same(needed[-1]):
                    return
                needed.append((path, False, (*own[:2], ANY)))  # were it a link from now on, its contents would be spelled otherwise
        self.known = _Known(tuple(finds), tuple(counts), tuple(needed))


def _is_told(path: str, states: dict[tuple[str, bool], State], *, follow: bool) -> bool:
    """Say whether the directory that a path lies in tells when it changes: where nothing is, or a link, only by an entry of it."""
    if follow and states[path, follow] is not None:
        return False
    return states.get((parent_of(path), True)) is not None and (not follow or _is_absent(path))


def _is_absent(path: str) -> bool:
    """Say whether there is nothing at a path: no link to nothing either, nor what we may not look at."""
    try:
        os.lstat(path)
    except FileNotFoundError:
        return True
    except (OSError, ValueError):
        pass
    return False


_searches: list[Question] = []
_paths: list[Question] = []
_kept_from = 2  # how often something must have been asked so that it is kept


def question(host: Host, table: Sequence[Locator], *, kinds: frozenset[str] = frozenset(), path: str = "") -> Question | None:
    """Return what is remembered of a search that begins now, for everything of some kinds or for what is at a path.

    None where nothing may be: change times are POSIX's, and what is plugged in may look elsewhere.
    """
    if os.name != "posix" or host.platform == "win32" or not all(map(is_built_in, table)):
        return None
    new = Question(host, table, kinds, path)
    questions = _paths if path else _searches
    kept = list(questions)  # as it is at this moment: other threads ask, too
    asked = next((known for known in kept if known.is_like(new)), new)
    questions[:] = [asked, *(known for known in kept if known is not asked)][: _PATHS if path else _SEARCHES]
    return asked.begin()


@contextmanager
def kept_at_once() -> Generator[None]:
    """Keep what is asked meanwhile the first time already."""
    global _kept_from  # noqa: PLW0603 - a fact of this process
    before, _kept_from = _kept_from, 1
    try:
        yield
    finally:
        _kept_from = before


def grounds() -> tuple[Ground, ...] | None:
    """Return the state of all that the last search looked at; None when its answer is not kept."""
    known = _searches[0].known if _searches else None
    return None if known is None else known.states


def forget() -> None:
    """Forget all: what is asked next is looked for."""
    _searches.clear()
    _paths.clear()
