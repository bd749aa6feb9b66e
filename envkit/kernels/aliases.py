"""Earlier names of a kernel: notebooks know their kernel by name, so after a rename the old name goes on starting it.

Jupyter knows no aliases, so an alias is a kernelspec of its own that says the same. The kernel's metadata name its aliases, theirs
name the kernel; only where both agree is one written along with the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..formats.kernel_json import KernelJson
from ..kernelspec import spec

if TYPE_CHECKING:
    from ..host import Host


def aliases_of(place: Path, host: Host, kernel: KernelJson | None = None) -> tuple[Path, ...]:
    """Return the kernelspec directories that are earlier names of the kernel in `place`, in the order in which it had them.

    Args:
        kernel: what is there, where that was just read.
    """
    kernel = kernel or _read(place, host)
    if kernel is None or kernel.owner is None:
        return ()
    there = (place.parent / name for name in kernel.owner.aliases)
    return tuple(alias for alias in there if kernel_of_alias(alias, host) == place)


def kernel_of_alias(place: Path, host: Host) -> Path | None:
    """Return the directory of the kernel of which the kernelspec in `place` is an earlier name; None where it is none, or that is gone."""
    kernel = _read(place, host)
    if kernel is None or kernel.owner is None or kernel.owner.alias is None:
        return None
    meant = place.parent / kernel.owner.alias
    main = None if meant == place else _read(meant, host)
    if main is None or main.owner is None or place.name not in main.owner.aliases:
        return None
    return meant if meant.parent == place.parent and main.owner.environment == kernel.owner.environment else None


def write_with_aliases(
    place: Path, kernel: KernelJson, logos: Mapping[str, bytes], aliases: tuple[Path, ...], *, private: bool = False
) -> None:
    """Write a kernel, then each of its earlier names; the lock of the directory is held.

    Raises:
        MachineError: one cannot be written.
    """
    assert kernel.owner is not None
    names = tuple(dict.fromkeys(alias.name for alias in aliases))
    spec.write(place, replace(kernel, owner=replace(kernel.owner, alias=None, aliases=names)), logos, private=private)
    for name in names:
        as_alias = replace(
            kernel,
            display_name=f"{kernel.display_name}, formerly {name}",
            owner=replace(kernel.owner, alias=place.name, aliases=()),
        )
        spec.write(place.parent / name, as_alias, logos, private=private)


def _read(place: Path, host: Host) -> KernelJson | None:
    try:
        return spec.read(str(place), host)
    except ValueError:
        return None
