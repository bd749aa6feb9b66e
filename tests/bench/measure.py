"""Time things side by side: in turns, so that a noisy machine is as noisy for each, and compare medians as ratios."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One thing and its peer: milliseconds, the ratio of their medians, and the bound that the ratio should keep."""

    what: str
    peer: str
    ours: float
    theirs: float
    bound: float | None

    @property
    def ratio(self) -> float:
        """Ours over theirs."""
        return self.ours / self.theirs

    def line(self) -> str:
        """Return the row as text."""
        verdict = "" if self.bound is None else f"  bound {self.bound:g} {'kept' if self.ratio <= self.bound else 'MISSED'}"
        return f"{self.what:<46} {self.ours:9.2f} ms   {self.peer:<44} {self.theirs:9.2f} ms   ratio {self.ratio:7.3f}{verdict}"


def side_by_side(
    what: str,
    ours: Callable[[int], object],
    peer: str,
    theirs: Callable[[int], object],
    *,
    rounds: int = 9,
    bound: float | None = None,
    before: Callable[[], object] | None = None,
) -> Row:
    """Run both in turns, one round unmeasured first; each is given the number of its round.

    `before` is called before each of them, unmeasured: `os.sync` where what one left to be written would slow down the other.
    """
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds + 1):
        for call, kept in zip((ours, theirs), times, strict=True):
            if before is not None:
                before()
            began = time.perf_counter()
            call(number)
            if number:
                kept.append((time.perf_counter() - began) * 1000)
    return Row(what=what, peer=peer, ours=statistics.median(times[0]), theirs=statistics.median(times[1]), bound=bound)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alone:
    """One thing without a peer: its median in a unit, and the bound that it should keep."""

    what: str
    ours: float
    bound: float | None
    unit: str = "ms"

    def line(self) -> str:
        """Return the row as text."""
        verdict = ""
        if self.bound is not None:
            verdict = f"{'':<44} {'':>9}      bound {self.bound:g} {self.unit} {'kept' if self.ours <= self.bound else 'MISSED'}"
        return f"{self.what:<46} {self.ours:9.2f} {self.unit:<4} {verdict}"


def alone(what: str, ours: Callable[[], object], *, bound: float, rounds: int = 15) -> Alone:
    """Run it, three rounds unmeasured first."""
    return Alone(what=what, ours=median(ours, rounds=rounds), bound=bound)


def median(call: Callable[[], object], *, rounds: int = 15) -> float:
    """Return the median of the milliseconds that a call takes, three rounds unmeasured first."""
    times: list[float] = []
    for number in range(rounds + 3):
        began = time.perf_counter()
        call()
        if number > 2:
            times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)
