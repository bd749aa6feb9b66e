"""What looking gives: an environment, and what is wrong with it. All that `find` needs of the values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from .mapping import freeze
from .showing import shown

if TYPE_CHECKING:
    from pathlib import Path

    from packaging.version import Version

    from .plans import Plan

Kind = str


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is wrong with an environment, a package or a kernel, and what mends it.

    `code` is stable text from `models/vocabulary.py`; `fix`, where there is one, is a plan for `apply`.
    """

    code: str
    message: str
    hint: str | None = None
    severity: Literal["error", "warning", "info"] = "error"
    subject: str = ""
    fix: Plan | None = None

    def __str__(self) -> str:
        return f"{self.subject}: {self.message}" if self.subject else self.message

    _repr_mimebundle_ = shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """A place with packages. A field that is present is true; None means unknown, and only that.

    `prefix` is absolute and not resolved; `python` is None where there is none or it is gone (then `problem` says so);
    `version` has two release numbers where only the minor is known, so compare `len(version.release)` first.
    """

    prefix: Path
    kind: Kind
    manager: str | None = None
    python: Path | None = None
    version: Version | None = None
    version_source: str | None = None
    implementation: str | None = None
    architecture: str | None = None
    free_threaded: bool | None = None
    name: str | None = None
    project: Path | None = None
    base: Path | None = None
    aliases: tuple[Path, ...] = ()
    externally_managed: bool | None = None
    problem: Problem | None = None

    def __post_init__(self) -> None:
        """Keep a list that was given as a tuple."""
        if type(self.aliases) is not tuple:
            freeze(self, tuples=("aliases",))

    @property
    def id(self) -> str:
        """The text that tells it from every other one: two Pythons may share a prefix such as /usr."""
        return str(self.python or self.prefix)

    def __str__(self) -> str:
        """Say the label for people: "Python 3.12.4 (analysis)"; "conda (tools)" for a conda environment without Python."""
        if self.kind == "conda" and self.python is None and self.version is None:
            return f"conda ({self._label})"
        language = {None: "Python", "cpython": "Python", "pypy": "PyPy", "graalpy": "GraalPy"}.get(self.implementation, self.implementation)
        version = f" {self.version}" if self.version else ""
        flavour = " free-threaded" if self.free_threaded else ""
        return f"{language}{version}{flavour} ({self._label})"

    @property
    def _label(self) -> str:
        """The short name for people: its name, else its project's, else its directory's."""
        if self.name:
            return self.name
        generic = self.prefix.name in {".venv", "venv", "env", ".env"}
        return self.prefix.parent.name if generic and self.prefix.parent.name else str(self.prefix)

    _repr_mimebundle_ = shown
