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
    what: str, ours: Callable[[int], object], peer: str, theirs: Callable[[int], object], *, rounds: int = 9, bound: float | None = None
) -> Row:
    """Run both in turns, one round unmeasured first; each is given the number of its round."""
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds + 1):
        for call, kept in zip((ours, theirs), times, strict=True):
            began = time.perf_counter()
            call(number)
            if number:
                kept.append((time.perf_counter() - began) * 1000)
    return Row(what=what, peer=peer, ours=statistics.median(times[0]), theirs=statistics.median(times[1]), bound=bound)
