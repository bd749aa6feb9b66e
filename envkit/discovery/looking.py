"""One search as steps on a thread of its own, so that whatever hangs in it can be left behind.

A locator asks file systems, and a plugged-in one may do anything; a call that does not return cannot be ended, only be waited for
no longer. So the looking is done on a worker, its caller waits with a limit, and who exceeds it costs only its own results: the
search goes on from there on another worker. What has been found stays found, and the order is the table's, however long each took.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Final

from ..system.look import GivenUp, Look
from ..system.spelling import name_of
from .installations import executable_at
from .shares import Roots, Share, Thing
from .virtual import kind_of, virtual, virtual_prefix

if TYPE_CHECKING:
    from ..models.environment import Environment
    from ..protocols import Locator
    from .again import Question

CANDIDATES: Final = 10_000
"""Candidates taken from one locator."""

Key = tuple[str, int, int, int]


class Looking:
    """How far a search is. A worker goes on from wherever the one before it was left behind."""

    def __init__(self, table: Sequence[Locator], kinds: frozenset[str], roots: tuple[str, ...], question: Question | None = None) -> None:
        """Begin with nothing found; only locators of these kinds name candidates, if any are given.

        Args:
            question: what may know the answer from an earlier search, and keeps that of this one.
        """
        self.walk = Roots()
        self.walking = Share(self.walk) if roots else None
        self.shares = [*([self.walking] if self.walking else []), *map(Share, table)]
        self.kinds = kinds
        self.roots = roots
        self.asked = 0  # locators that named their candidates
        self.done: set[Key] = set()  # things that were given out or left out
        self.total: int | None = None  # things, once they are known
        self.given: set[str] = set()  # what was given out, by its id
        self.busy: tuple[Share, str, float] | None = None  # who works, on which path, since when
        self._suspects: list[Share] = []  # of the path at hand
        self._bad: set[str] = set()
        self._question = question
        self._comparing = False  # what was looked at with what it is now

    def again(self) -> Looking:
        """Return the same state for another worker: the one that was left behind may still change its own."""
        other = Looking((), self.kinds, self.roots)
        other.walk, other.walking = self.walk, self.walking
        other.shares, other.asked, other.total = self.shares, self.asked, self.total
        other.given = set(self.given)
        other.done, other._bad, other._suspects = set(self.done), set(self._bad), list(self._suspects)
        other._comparing = self._comparing
        return other

    def leave(self, share: Share, path: str, seconds: float) -> None:
        """Leave out what took too long: a locator while it names candidates, a path when a second one hangs on it."""
        waited = f"no answer within {seconds:.2g} s"
        share.seconds += seconds
        if self._comparing:  # it will hang where it is looked at, too, and is told there
            self._comparing = False
            return
        if not path:
            share.skip(f"skipped the rest, {waited}")
            self.asked += 1
            return
        if self._suspects or self.total is None:  # the path is to blame, not who asked
            for suspect in self._suspects:
                suspect.dropped = False
                suspect.skipped.clear()
                suspect.failed = False
            self._suspects.clear()
            self._bad.add(path)
            share.strikes += 1
            share.skip(f"skipped {path}, {waited}")
            if share.strikes > 1 and self.total is None:
                share.candidates.clear()
                share.skip("skipped the rest of its candidates")
            return
        self._suspects.append(share)
        share.dropped = True
        share.skip(f"skipped, {waited} about {path}")

    def steps(self, look: Look) -> Generator[Environment, None, None]:
        """Yield whatever is there, in the order of the table; what was found before, where nothing has changed since."""
        question = self._question
        if question is None:
            yield from self._found(look)
            return
        with self._compared():
            known = question.answer(look)
        if known is not None:
            for share, count in zip(self.shares, known[1], strict=True):
                share.found = count
            yield from known[0]
            return
        finds: list[Environment] = []
        for found in self._found(look):
            finds.append(found)
            yield found
        if not any(share.skipped for share in self.shares):
            with self._compared():
                question.keep(look, finds, [share.found for share in self.shares])

    @contextmanager
    def _compared(self) -> Generator[None]:
        """Be busy with nobody's path; whoever leaves us behind here goes on as if there were no question."""
        self._comparing, self.busy = True, (self.shares[0], "", monotonic())
        yield
        self._comparing, self.busy = False, None

    def _found(self, look: Look) -> Generator[Environment, None, None]:
        """Yield what is there: first all name their candidates, then each thing is told once."""
        self._gather(look)
        things = self._things(look)
        self.total = len(things)
        for key, thing in things.items():
            if key not in self.done and thing.candidate not in self._bad:
                found = self._identified(look, thing)
                self._suspects.clear()
                self.done.add(key)
                if found is not None and self._is_new(look, found, thing):
                    thing.share.found += 1
                    yield found
        self.busy = None

    def _is_new(self, look: Look, found: Environment, thing: Thing) -> bool:
        """Say whether it was not given out yet: what only leads to another thing is known with that one."""
        if _is_itself(look, found, thing):  # a virtual environment is one thing, and no other leads to it
            return True
        new = found.id not in self.given
        self.given.add(found.id)
        return new

    def _gather(self, look: Look) -> None:
        """Let the locators name candidates, by listing directories."""
        for share in self.shares[self.asked :]:
            if not self.kinds or self.kinds & share.locator.KINDS or share is self.walking:
                began = monotonic()
                self.busy = (share, "", began)
                try:
                    for candidate in share.locator.candidates(look, self.roots if share is self.walking else self.walk.places):
                        share.candidates.append(candidate)
                        if len(share.candidates) >= CANDIDATES:
                            share.skip(f"skipped what comes after {CANDIDATES} candidates")
                            break
                        if look.given_up:
                            raise GivenUp
                except Exception as error:  # noqa: BLE001 - whatever goes wrong in one locator, the others are heard
                    share.skip(f"skipped, {type(error).__name__}: {error}")
                self._account(look, share, began)
            self.asked += 1

    def _things(self, look: Look) -> dict[Key, Thing]:
        """Return what the candidates are, each once, in their order."""
        things: dict[Key, Thing] = {}
        seen: set[str] = set()
        for share in self.shares:
            began = monotonic()
            for candidate in share.candidates:
                if candidate in self._bad or candidate in seen:
                    continue
                seen.add(candidate)
                self.busy = (share, candidate, monotonic())
                key, path = _key(look, look.tidy(candidate))
                if key is not None:
                    thing = things.setdefault(key, Thing(path, share))
                    if path != thing.candidate and path not in thing.others:
                        thing.others.append(path)
            self._account(look, share, began)
        return things

    def _identified(self, look: Look, thing: Thing) -> Environment | None:
        """Return the environment of a thing as the first locator that knows it tells it, with the other paths to it."""
        began = monotonic()
        self.busy = (thing.share, thing.candidate, began)
        try:
            kind = kind_of(look, thing.candidate)
        except Exception as error:  # noqa: BLE001 - as above
            thing.share.skip(f"skipped {thing.candidate}, {type(error).__name__}: {error}")
            return None
        began = self._account(look, thing.share, began)
        for share in self.shares:
            if share.dropped or kind not in share.things:
                continue
            self.busy = (share, thing.candidate, began)
            try:
                found = share.locator.identify(look, thing.candidate)
            except Exception as error:  # noqa: BLE001 - as above
                share.skip(f"skipped, {type(error).__name__}: {error}")
                found = None
            began = self._account(look, share, began)
            # What lies in a virtual environment is never its base, whatever a locator says: packages would go there.
            if found is not None and not (kind != "interpreter" and found.kind == "interpreter"):
                return _with_aliases(look, found, thing)
        return None

    @staticmethod
    def _account(look: Look, share: Share, began: float) -> float:
        """Add the time since `began` and what was left out meanwhile to whom it belongs to; return the time."""
        if look.given_up:
            raise GivenUp
        now = monotonic()
        share.seconds += now - began
        if look.notes:
            for note in look.notes:
                share.skip(note, failed=False)
            look.notes.clear()
        return now


def _key(look: Look, candidate: str) -> tuple[Key | None, str]:
    """Return what tells a thing from every other, and the path to speak of: a prefix, or an interpreter's executable.

    A virtual environment is its directory, however it is spelled. An interpreter is the file that its executable leads to, in
    its directory: conda's environments share one file by hard links and are different ones. What is not there is its path.
    """
    prefix = virtual_prefix(look, candidate)
    if prefix is not None:
        status = look.status(prefix)
        return (None, prefix) if status is None else (("prefix", status.st_dev, status.st_ino, 0), prefix)
    status = look.status(candidate)
    if status is None:  # gone; a locator that named it may know why
        return (candidate, 0, 0, 0), candidate
    if stat.S_ISDIR(status.st_mode) and name_of(candidate):
        python = executable_at(look, candidate)
        if python is None:  # an installation without Python, which a locator may know all the same
            return ("prefix", status.st_dev, status.st_ino, 0), candidate
        return _key(look, python)
    directory = look.status(os.path.dirname(look.last(candidate)))
    if directory is None:
        return None, candidate
    return ("interpreter", directory.st_dev, directory.st_ino, status.st_ino), candidate


def _is_itself(look: Look, found: Environment, thing: Thing) -> bool:
    """Say whether an environment is the virtual one whose prefix was named: told without a comparison of paths, which costs more."""
    own = virtual(look, thing.candidate)
    return own is not None and own.prefix is found.prefix


def _with_aliases(look: Look, found: Environment, thing: Thing) -> Environment:
    """Return the environment with the other paths to it: of a virtual environment its prefixes, of an interpreter its executables."""
    if not thing.others and _is_itself(look, found, thing):
        return found
    from pathlib import Path  # noqa: PLC0415 - values only

    own = {str(found.prefix), str(found.python), *map(str, found.aliases)}
    others = [path for path in (thing.candidate, *thing.others) if path not in own]
    return replace(found, aliases=(*found.aliases, *map(Path, others))) if others else found
