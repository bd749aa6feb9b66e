"""Packages: installed ones, what became of them, and newer ones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .mapping import freeze
from .showing import shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """An installed distribution. `name` is normalized, `version` is text, `url` never shows credentials."""

    name: str
    version: str
    ecosystem: Literal["pypi", "conda"]
    requested: bool | None = None
    requires: tuple[str, ...] = ()
    url: str | None = None
    editable: Path | None = None
    installer: str | None = None
    build: str | None = None
    channel: str | None = None

    def __post_init__(self) -> None:
        """Keep a list of requirements as a tuple."""
        if type(self.requires) is not tuple:
            freeze(self, tuples=("requires",))

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    _repr_mimebundle_ = shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What became of the packages. False when nothing changed."""

    added: tuple[Package, ...] = ()
    removed: tuple[Package, ...] = ()
    updated: tuple[tuple[Package, Package], ...] = ()

    def __post_init__(self) -> None:
        """Keep lists as tuples."""
        freeze(self, tuples=("added", "removed", "updated"))

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.updated)

    _repr_mimebundle_ = shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Outdated:
    """A package for which there is a newer version."""

    package: Package
    latest: str

    _repr_mimebundle_ = shown
