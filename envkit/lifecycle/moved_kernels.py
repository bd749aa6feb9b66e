"""Kernelspecs of an environment that was moved: they follow it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..formats import kernel_json
from ..formats.kernel_json import KernelJson, escaped
from ..kernels import listing, registration
from ..kernelspec import paths, spec
from ..models.environment import Environment

if TYPE_CHECKING:
    from ..control import Work


def follow(before: Path, moved: Environment, noted: Iterable[str], work: Work) -> None:
    """Make the kernelspecs that envkit wrote for an environment at `before` start it where it is now.

    Nothing is done while an environment is still there: then it was copied, and the kernels are the first one's.

    Args:
        noted: directories of kernelspecs that its record names.

    Raises:
        MachineError: one cannot be written.
    """
    if os.path.lexists(before):
        return
    known = [str(kernel.path) for kernel in registration.kernels_of(Environment(prefix=before, kind="venv"), work.host)]
    inside = spec.directories_in(str(paths.prefix_directory(moved.prefix) / "kernels"))
    for place in map(Path, dict.fromkeys((*known, *inside, *noted))):
        if listing.owner_of(place, work.host) != os.path.realpath(before):
            continue
        with spec.locked(place.parent, work):
            private = os.stat(place / kernel_json.NAME).st_mode & 0o077 == 0
            there = spec.read(str(place), work.host)
            spec.write(place, _moved(there, before, moved, work), spec.logos_in(str(place), work.host), private=private)


def _moved(kernel: KernelJson, before: Path, moved: Environment, work: Work) -> KernelJson:
    old, new = work.host.shown(before), work.host.shown(moved.prefix)
    assert kernel.owner is not None
    return replace(
        kernel,
        argv=tuple(_replaced(part, old, new) for part in kernel.argv),
        env={name: _replaced(value, escaped(old), escaped(new)) for name, value in kernel.env.items()},
        owner=replace(kernel.owner, environment=new, activation=None),  # a digest of paths that are others now
    )


def _replaced(text: str, old: str, new: str) -> str:
    """Replace a path where it stands alone or goes on with a separator, also inside of PATH."""
    parts = text.split(os.pathsep)
    return os.pathsep.join(new + part[len(old) :] if part == old or part.startswith((old + "/", old + "\\")) else part for part in parts)
