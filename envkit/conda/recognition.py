"""Telling a conda environment from anything else, and what lies in one that no environment has.

Source: CEP 32: an environment is a directory with `conda-meta/history`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..formats import conda_meta

if TYPE_CHECKING:
    from ..host import Host

_OWN: Final = frozenset({
    *("conda-meta", "bin", "lib", "lib64", "include", "share", "etc", "ssl", "man", "sbin", "libexec", "var", "opt", "compiler_compat"),
    *("Scripts", "Library", "DLLs", "Lib", "Tools", "Menu", "Doc", "Include", "libs", "tcl"),
    *("CACHEDIR.TAG", ".lock", ".trash", ".messages.txt", ".condarc", ".mambarc", ".nonadmin"),
})  # fmt: skip
_OURS: Final = ".envkit"


def strangers(prefix: Path, host: Host) -> tuple[str, ...] | None:
    """Return the names at the top of a conda environment that neither its packages nor tools put there; None if it is none.

    The environments and the package cache of an installation of conda (`envs`, `pkgs`) are such: they are not a part of it.
    """
    meta = os.path.join(prefix, conda_meta.DIRECTORY)
    if not os.path.isfile(os.path.join(meta, conda_meta.HISTORY)):
        return None
    unknown = [name for name in os.listdir(prefix) if name not in _OWN and not name.startswith((_OURS, "python"))]
    return tuple(sorted(_without_owned(meta, unknown))) if unknown else ()


def _without_owned(meta: str, names: list[str]) -> list[str]:
    """Return those of the names that no package's record says to be a file or a directory of its own."""
    left = set(names) - {"envs", "pkgs"}
    for file in os.listdir(meta) if left else ():
        if file.endswith(".json"):
            try:
                with open(os.path.join(meta, file), "rb") as stream:
                    text = stream.read()
            except OSError:
                continue
            left -= {name for name in left if f'"{name}/'.encode() in text or f'"{name}"'.encode() in text}
    return [name for name in names if name in left or name in {"envs", "pkgs"}]
