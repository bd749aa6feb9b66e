"""What `prune` takes out of envkit's own cache of conda packages: what no environment shares a file of.

The caches of a conda that is configured are left to it (`conda clean`): they are shared with tools that envkit knows nothing of.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..models.plans import Removal

if TYPE_CHECKING:
    from ..conda.caches import Cached
    from ..control import Work


def pruned(work: Work, *, oldest: float | None, room: int | None, dry_run: bool) -> Removal | None:
    """Remove packages that no environment links to, and return them as one removal; None where nothing goes.

    While an engine links packages out of the cache nothing goes.

    Args:
        oldest: leave what was linked or unlinked since then, in seconds since the epoch.
        room: leave as many bytes, what was used last first. Without either all goes.

    Raises:
        MachineError: one cannot be removed.
    """
    cache = work.host.data / "cache" / "conda" / "pkgs"
    if not os.path.isdir(cache):
        return None
    from ..conda import caches  # noqa: PLC0415 - only where conda packages were ever installed

    with caches.locked(cache, work) as held:
        if not held:
            return None
        chosen = tuple(_chosen([package for package in caches.packages(cache) if package.free], oldest, room))
        if not dry_run:
            chosen = caches.remove(cache, chosen)
    if not chosen:
        return None
    return Removal(
        paths=tuple(package.paths[0] for package in chosen),
        kernels=(),
        size=sum(package.size for package in chosen),
        reason="packages of conda that no environment links to",
        done=not dry_run,
    )


def _chosen(packages: list[Cached], oldest: float | None, room: int | None) -> Iterator[Cached]:
    """Yield what is to go, what was used longest ago first."""
    left = sum(package.size for package in packages)
    for package in sorted(packages, key=lambda package: (package.used, package.name)):
        too_old = oldest is not None and package.used < oldest
        too_much = room is not None and left > room
        if too_old or too_much or (oldest is None and room is None):
            left -= package.size
            yield package
