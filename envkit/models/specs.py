"""What an environment should be: Spec, where its packages come from, and a lock that says them exactly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from .mapping import EMPTY, freeze
from .packages import Package
from .showing import shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A local project to install, with its extras and dependency groups (PEP 735)."""

    path: Path
    editable: bool = False
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Keep lists as tuples."""
        freeze(self, tuples=("extras", "groups"))

    _repr_mimebundle_ = shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where packages and Pythons come from. Credentials come by keyring, netrc or environment only, never through a value."""

    indexes: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    exclude_newer: datetime | None = None
    prereleases: bool = False
    configuration: Literal["inherit", "isolated"] = "inherit"
    pythons: Literal["machine", "uv"] = "machine"

    def __post_init__(self) -> None:
        """Keep lists as tuples."""
        freeze(self, tuples=("indexes", "find_links"))

    _repr_mimebundle_ = shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """Exact packages with hashes, in the text of a format that other tools read."""

    format: Literal["pylock.toml", "explicit.txt", "rattler-lock"]
    text: str
    packages: tuple[Package, ...]

    def __post_init__(self) -> None:
        """Keep the packages as a tuple."""
        freeze(self, tuples=("packages",))

    _repr_mimebundle_ = shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """What an environment should be. Pure and complete: it can be sent to another machine. Lists are *at least*, a lock is *exactly*."""

    name: str | None = None
    prefix: Path | None = None
    backend: str = "auto"
    python: str | None = None
    pypi: tuple[str | Project, ...] = ()
    conda: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    lock: Lock | None = None
    sources: Sources = Sources()
    variables: Mapping[str, str] = EMPTY
    post_install: tuple[tuple[str, ...], ...] = ()
    system_site_packages: bool = False
    seed: Literal["none", "pip"] = "none"

    def __post_init__(self) -> None:
        """Keep lists as tuples and the mapping immutable."""
        freeze(self, mappings=("variables",), tuples=("pypi", "conda", "channels", "constraints", "post_install"))
        if any(isinstance(command, str) for command in self.post_install):
            raise TypeError("Spec.post_install takes commands, each a tuple of arguments")
        if any(type(command) is not tuple for command in self.post_install):
            object.__setattr__(self, "post_install", tuple(map(tuple, self.post_install)))

    _repr_mimebundle_ = shown
