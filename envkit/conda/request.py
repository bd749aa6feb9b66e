"""What is asked of an engine and what it answers: values that both engines, and what is read from files, share.

A `Wish` is resolved against the channels of a `Configuration` and carried out in one transaction; the `Outcome` says what was
linked and unlinked, or with `dry_run` would be.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ..control import Work
    from .configuration import Configuration


@dataclass(frozen=True, slots=True, kw_only=True)
class Exact:
    """One package file, to be installed as it is, without a solve. Hashes are lower-case hexadecimal."""

    url: str
    md5: str | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What should become of one environment.

    prefix: the environment, absolute; with `create` a directory that holds nothing but envkit's own marks.
    install: match specs that are to hold afterwards, requested by the user.
    remove: names that are to go, with what needs them.
    update: names of installed packages of which the newest that fits is wanted; `()` is all of them, None is none.
    exact: the package files that make up the environment; nothing is solved, and with `prune` everything else goes.
    relink: names of installed packages that are put in anew from the cache.
    platform: a subdirectory such as "osx-arm64" to solve for; None is this machine's.
    exclude_newer: packages made after this moment do not count where something is solved; what is installed stays all the same.
    prune: remove what nothing requested needs.
    dry_run: say what would be done.
    """

    prefix: Path
    create: bool = False
    install: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    update: tuple[str, ...] | None = None
    exact: tuple[Exact, ...] | None = None
    relink: tuple[str, ...] = ()
    platform: str | None = None
    exclude_newer: datetime | None = None
    prune: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """One package of an outcome. `channel` and `url` hold no credentials; `size` is that of the package file in bytes, 0 if unknown.

    `requested` is the match spec by which the user asked for it, None for what came as a dependency.
    """

    name: str
    version: str
    build: str
    subdir: str
    channel: str
    url: str
    md5: str | None = None
    sha256: str | None = None
    size: int = 0
    depends: tuple[str, ...] = ()
    requested: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What was done, or would be: `after` is everything that is installed then, what is needed before what needs it.

    `download` counts the bytes of package files that were, or have to be, fetched.
    """

    linked: tuple[Linked, ...] = ()
    unlinked: tuple[Linked, ...] = ()
    after: tuple[Linked, ...] = ()
    download: int = 0


class Engine(Protocol):
    """Resolves and carries out wishes: a module whose function and constant fill this."""

    @property
    def NAME(self) -> str:  # noqa: N802 - a module's constant fills a read-only property
        """Its name: "rattler", "conda", "mamba" or "micromamba"."""
        ...

    def carry_out(
        self,
        wish: Wish,
        configuration: Configuration,
        *,
        work: Work,
        log: Path | None = None,
        descriptors: Collection[int] = (),
    ) -> Outcome:
        """Make a wish true and return what changed.

        `log` is where the tool's whole output is kept when it fails; `descriptors` are handed to each child process.

        Raises:
            InstallError: "package-not-found", "conflict", "hash-mismatch", "prefix-too-long", "link-failed".
            NetworkError: a channel or a package file is not to be had, or `offline` and not on this machine.
            RefusedError: frozen, or a file that no package owns is in the way.
            UsageError: a match spec is not written as one.
            MachineError: disk full, read-only, no permission.
        """
        ...
