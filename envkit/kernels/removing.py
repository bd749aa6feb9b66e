"""Remove kernelspecs: the one that is named, all that can never start again, or those of an environment that goes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..control import Work
from ..errors import EnvkitError, RefusedError
from ..kernelspec import spec
from ..models.kernels import Kernel
from ..models.plans import Removal
from ..models.several import Several
from ..system.files import size_of
from .aliases import aliases_of
from .listing import GONE, at, directories, is_absolute, named, owner_of

if TYPE_CHECKING:
    from ..host import Host


def unregister(kernel: Kernel | str, *, foreign: bool = False, dry_run: bool = False, host: Host | None = None) -> Removal:
    """Remove a kernel, with the earlier names that `rename` kept for it. Its environment stays.

    Args:
        kernel: its name, then the one that Jupyter would start is meant, or a `Kernel`, then the one in its directory.
        foreign: also one that envkit did not write.
        dry_run: only say what would be removed.

    Raises:
        NotFoundError: there is no such kernel. RefusedError: it is not envkit's. MachineError: it cannot be removed.
    """
    work = Work(host=host)
    found = named(kernel, work)
    if not found.owned and not foreign:
        raise RefusedError(
            f"the kernel {found.name!r} in {found.path} was not written by envkit",
            code="foreign-kernel",
            hint="foreign=True removes it all the same",
        )
    removals = [_removed(each, work, dry_run=dry_run) for each in (found, *(at(path, work) for path in aliases_of(found.path, work.host)))]
    return replace(
        removals[0],
        paths=tuple(path for removal in removals for path in removal.paths),
        kernels=tuple(each for removal in removals for each in removal.kernels),
        size=sum(removal.size for removal in removals),
    )


def prune(*, foreign: bool = False, dry_run: bool = False, host: Host | None = None) -> tuple[Removal, ...]:
    """Remove the kernels that can never start again: their environment, interpreter, or what a wrapper leads to is gone.

    Every kernelspec where Jupyter looks is tried, also one that another of its name hides. One that cannot be read is left alone.

    Args:
        foreign: also those that envkit did not write, where the program they start is named by its whole path.
        dry_run: only say what would be removed.

    Returns:
        A removal for each kernel, in Jupyter's search order; empty when there is nothing to remove.

    Raises:
        MachineError: one cannot be removed; all others are gone by then.
    """
    work = Work(host=host)
    removals: list[Removal] = []
    failure: EnvkitError | None = None
    for directory in dict.fromkeys(directories(work.host)):
        kernel = at(Path(directory), work)
        if not _is_gone(kernel, work.host, foreign=foreign):
            continue
        try:
            removals.append(_removed(kernel, work, dry_run=dry_run))
        except EnvkitError as error:
            failure = failure or error
    if failure is not None:
        raise failure
    return Several(removals, "no kernel is to be removed" if dry_run else "no kernel had to be removed")


def _is_gone(kernel: Kernel, host: Host, *, foreign: bool) -> bool:
    """Say whether a kernel can never start again, and may be removed."""
    if kernel.problem is None or kernel.problem.code not in GONE:
        return False
    return kernel.owned or (foreign and is_absolute(spec.read(str(kernel.path), host).argv[0], host))


def remove_kernels(those: Iterable[Kernel], work: Work) -> tuple[Removal, ...]:
    """Remove kernels that envkit wrote, as `kernels_of` gave them; one that is gone, or is no longer envkit's, is passed over.

    Raises:
        MachineError: one cannot be removed.
    """
    return tuple(_removed(kernel, work) for kernel in those if owner_of(kernel.path, work.host) is not None)


def _removed(kernel: Kernel, work: Work, *, dry_run: bool = False) -> Removal:
    reason = "envkit wrote it" if kernel.owned else "foreign=True was given"
    if kernel.problem is not None and kernel.problem.code in GONE:
        reason += f", and {kernel.problem.message}"
    removal = Removal(paths=(kernel.path,), kernels=(kernel,), size=size_of(kernel.path), reason=reason, done=False)
    if dry_run:
        return removal
    with work.task("remove", f"remove the kernel {kernel.name}"), spec.locked(kernel.path.parent, work):
        now = at(kernel.path, work)
        if kernel.owned and not now.owned and spec.is_there(kernel.path):
            raise RefusedError(f"the kernel in {kernel.path} is another one now", code="changed", hint="look at it and call again")
        spec.remove(kernel.path, entirely=not kernel.owned)
    return replace(removal, done=True)
