"""What should be, what is to be done, and what was done: Spec, Plan and their parts, packages, kernels.

A little over 300 lines: twenty small values that name one another, which two modules would tear apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from packaging.version import Version

from .environment import Environment, Problem
from .mapping import EMPTY, freeze
from .showing import shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """What a Python says about itself when it is run: the PEP 508 markers and the sysconfig paths are its own."""

    executable: Path
    prefix: Path
    base_prefix: Path
    version: Version
    implementation: str
    markers: Mapping[str, str]
    paths: Mapping[str, Path]

    def __post_init__(self) -> None:
        """Keep both mappings immutable."""
        freeze(self, mappings=("markers", "paths"))

    _repr_mimebundle_ = shown


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
class Step:
    """One thing to do: `action` for programs, `text` for people."""

    action: str
    text: str

    _repr_mimebundle_ = shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The steps from what is to what should be. False when there is nothing to do."""

    spec: Spec | None = None
    steps: tuple[Step, ...] = ()
    changes: Changes = Changes()
    lock: Lock | None = None
    environment: Environment | None = None
    key: str | None = None

    def __post_init__(self) -> None:
        """Keep the steps as a tuple."""
        freeze(self, tuples=("steps",))

    def __bool__(self) -> bool:
        return bool(self.steps)

    _repr_mimebundle_ = shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """What a shell's activate would change, as data."""

    prepend_path: tuple[Path, ...]
    assign: Mapping[str, str]
    unset: frozenset[str]

    def __post_init__(self) -> None:
        """Keep the fields immutable."""
        freeze(self, mappings=("assign",), tuples=("prepend_path",), sets=("unset",))

    def apply(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Return a copy of `environ` as it is inside the environment; `environ` itself stays as it was.

        One conda environment takes the place of another, as with `conda activate`: the directories of the one that `environ` says is
        active leave PATH.
        """
        changed = {name: value for name, value in environ.items() if name not in self.unset}
        changed.update(self.assign)
        # An absolute path tells the platform: one of Windows begins with a drive or a share.
        separator = ":" if all(str(directory).startswith("/") for directory in self.prepend_path) else ";"
        first = [str(directory) for directory in self.prepend_path]
        gone = {*first, *self._left(environ, separator)}
        rest = [part for part in changed.get("PATH", "").split(separator) if part and part not in gone]
        changed["PATH"] = separator.join([*first, *rest])
        return changed

    def _left(self, environ: Mapping[str, str], separator: str) -> tuple[str, ...]:
        """Return the directories that the conda environment which is left had put on PATH."""
        left = environ.get("CONDA_PREFIX")
        if not left or "CONDA_PREFIX" not in self.assign or environ.get("CONDA_SHLVL", "0") in {"", "0"}:
            return ()
        if separator == ":":
            return (f"{left}/bin",)
        libraries = ("ucrt64", "clang64", "mingw64", "clangarm64", "mingw-w64", "usr")
        inside = (*(f"Library\\{name}\\bin" for name in libraries), "Library\\bin", "Scripts", "bin")
        return (left, *(f"{left}\\{directory}" for directory in inside))

    _repr_mimebundle_ = shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What a cell executed in the kernel said. `seconds` is from the kernel's start to its answer."""

    seconds: float
    prefix: Path
    version: Version
    text: str

    _repr_mimebundle_ = shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """A kernelspec tied to an environment. `path` is the kernelspec's directory; `owned` means that envkit wrote it."""

    name: str
    display_name: str
    path: Path
    environment: Environment | None = None
    owned: bool = False
    problem: Problem | None = None
    proof: Proof | None = None

    def __str__(self) -> str:
        return f"{self.display_name} [{self.name}]"

    _repr_mimebundle_ = shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """What was, or would be, removed, and why that is allowed. `size` is in bytes; `done` is False after a dry run."""

    paths: tuple[Path, ...]
    kernels: tuple[Kernel, ...]
    size: int
    reason: str
    done: bool

    def __post_init__(self) -> None:
        """Keep lists as tuples."""
        freeze(self, tuples=("paths", "kernels"))

    _repr_mimebundle_ = shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The environment that a project, directory or script uses, and why."""

    environment: Environment
    reason: str

    _repr_mimebundle_ = shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A difference between two looks at the machine."""

    kind: Literal["added", "removed", "changed"]
    environment: Environment

    _repr_mimebundle_ = shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Outdated:
    """A package for which there is a newer version."""

    package: Package
    latest: str

    _repr_mimebundle_ = shown
