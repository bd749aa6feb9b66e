"""Rename a kernel; by default its old name goes on opening the notebooks that know it."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..control import Work
from ..errors import ExistsError, KernelError, RefusedError
from ..formats import kernel_json
from ..kernelspec import spec
from ..models.kernels import Kernel
from . import aliases
from .listing import at, named
from .registration import checked_kernel_name, note_kernel

if TYPE_CHECKING:
    from ..host import Host


def rename(kernel: Kernel | str, name: str, *, keep_alias: bool = True, host: Host | None = None) -> Kernel:
    """Give a kernel that envkit wrote another name, in the same scope, and return it.

    Doing it again changes nothing: an earlier name means the kernel that has the new one. A display name that has the old name in
    brackets gets the new one; any other stays. A notebook that is open goes on with the kernel that runs.

    Args:
        kernel: its name, or a `Kernel`.
        name: the new one. It becomes lower case.
        keep_alias: the old name stays as a kernelspec that starts the same, so that notebooks which know it still open.

    Raises:
        NotFoundError: there is no such kernel. UsageError: the name is not allowed. RefusedError: envkit did not write it.
        ExistsError: another kernel of the scope has the name. KernelError: its kernelspec cannot be read.
        MachineError: it cannot be written; the old one is then still there.
    """
    work = Work(host=host)
    wanted = checked_kernel_name(name).lower()
    found = named(kernel, work)
    before = aliases.kernel_of_alias(found.path, work.host) or found.path
    place = before.parent / wanted
    if place != before:
        with work.task("register", f"rename the kernel {before.name} to {wanted}"), spec.locked(before.parent, work):
            _rename(before, place, work, keep_alias=keep_alias)
    renamed = at(place, work)
    if renamed.environment is not None and place != before:
        note_kernel(renamed.environment, place, work)
    return renamed


def _rename(before: Path, place: Path, work: Work, *, keep_alias: bool) -> None:
    """Write the kernel under its new name, then what is left of the old one, so that there is always one that starts."""
    try:
        kernel = spec.read(str(before), work.host)
    except ValueError as error:
        raise KernelError(
            f"the kernelspec in {before} cannot be read: {error}", code="spec-unreadable", hint="register the environment again"
        ) from error
    if kernel.owner is None:
        raise RefusedError(
            f"the kernel in {before} was not written by envkit",
            code="foreign-kernel",
            hint="register its environment under the new name; the old kernel may stay",
        )
    if spec.is_there(place) and aliases.kernel_of_alias(place, work.host) != before:
        raise ExistsError(
            f"there is a kernel named {place.name!r} already: {place}",
            code="kernel-exists",
            hint=f"choose another name, or remove that one with jupyter.unregister({place.name!r})",
        )
    earlier = tuple(alias for alias in aliases.aliases_of(before, work.host) if alias != place)
    private = os.stat(before / kernel_json.NAME).st_mode & 0o077 == 0
    shown = kernel.display_name
    if shown.endswith(f"({before.name})"):
        shown = f"{shown.removesuffix(f'({before.name})')}({place.name})"
    logos = spec.logos_in(str(before), work.host)
    aliases.write_with_aliases(
        place, replace(kernel, display_name=shown), logos, (*earlier, *([before] if keep_alias else [])), private=private
    )
    if not keep_alias:
        spec.remove(before)
