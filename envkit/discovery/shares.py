"""What one search notes down of each locator, and of each thing that candidates turned out to be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..system.walking import promising
from .locators import things_of

if TYPE_CHECKING:
    from ..models.environment import Environment
    from ..protocols import Locator
    from ..system.look import Look


class Share:
    """What one locator did in one search: the candidates that it named, what came of it, what was left out, and the time it took."""

    def __init__(self, locator: Locator) -> None:
        """Begin with nothing."""
        self.locator = locator
        self.things = things_of(locator)
        self.candidates: list[str] = []
        self.found = 0
        self.seconds = 0.0
        self.skipped: list[str] = []
        self.failed = False
        self.dropped = False
        self.strikes = 0

    def skip(self, why: str, *, failed: bool = True) -> None:
        """Keep once why something was left out: because of a failure, or as the limits say."""
        self.failed = self.failed or failed
        if why not in self.skipped:
            self.skipped.append(why)


class Roots:
    """The walk below the directories that the caller named, which all locators share; in the report it stands first."""

    def __init__(self) -> None:
        """Begin with nothing walked."""
        self.places: tuple[str, ...] = ()

    @property
    def NAME(self) -> str:  # noqa: N802 - as the Protocol calls it
        """Its name in the report."""
        return "roots"

    @property
    def KINDS(self) -> frozenset[str]:  # noqa: N802 - as above
        """None: it names no candidates."""
        return frozenset()

    def candidates(self, look: Look, roots: tuple[str, ...]) -> Iterator[str]:
        """Walk, and name nothing: what lies where is known to the others."""
        for root in roots:
            if not look.is_directory(root):
                look.note(f"skipped {root}, which is no directory")
            self.places = tuple(dict.fromkeys((*self.places, *promising(look, root))))
        return iter(())

    def identify(self, look: Look, candidate: str) -> Environment | None:
        """Claim nothing."""
        return None


class Thing:
    """What several candidates turned out to be: the first one, who named it, and other paths to it."""

    def __init__(self, candidate: str, share: Share) -> None:
        """Begin with the first."""
        self.candidate = candidate
        self.share = share
        self.others: list[str] = []
