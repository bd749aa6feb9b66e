"""What running in an environment needs: what its Python says of itself, and what a shell's activate would change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.version import Version

from .mapping import freeze
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
