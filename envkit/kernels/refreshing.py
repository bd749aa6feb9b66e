"""Kernels of an environment that changed: what activating it does now is written into the kernelspecs that envkit wrote for it.

Jupyter reads what was captured when the kernelspec was written: packages of conda bring variables and scripts of their own, a spec
gains variables, a Python becomes another one. What the caller said when the kernel was registered stays: its name, its display name,
its variables, and those of its `.env` file as they were then.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import EnvkitError
from ..formats import kernel_json
from ..kernelspec import spec
from . import composing, listing, shipped
from .aliases import aliases_of, kernel_of_alias, write_with_aliases

if TYPE_CHECKING:
    from ..control import Work
    from ..formats.kernel_json import KernelJson
    from ..models.environment import Environment


def refresh(environment: Environment, work: Work) -> None:
    """Write the kernels of an environment anew where activating it does something else than when they were written.

    A kernelspec that cannot be written, or not be made anew, stays as it is: the change is done all the same, and `doctor` tells of it.
    """
    stale: list[Path] = []
    with suppress(EnvkitError):
        known = [kernel.path for kernel in listing.kernels_of(environment, work.host)]
        now = composing.owner_of(environment, work.host) if known else None
        stale = [path for path in known if now is not None and _is_stale(path, now, work) and kernel_of_alias(path, work.host) is None]
    for path in stale:
        with suppress(EnvkitError, ValueError), work.task("register", f"refresh the kernel {path.name}"):
            _refresh(path, environment, work)


def _is_stale(path: Path, now: kernel_json.Owner, work: Work) -> bool:
    try:
        owner = spec.read(str(path), work.host).owner
    except ValueError:
        return False
    return owner is not None and (owner.activation, owner.python) != (now.activation, now.python)


def _refresh(path: Path, environment: Environment, work: Work) -> None:
    """Write one kernel anew, with its earlier names, under the lock of its directory."""
    with spec.locked(path.parent, work):
        there = spec.read(str(path), work.host)
        made = _composed(path, there, environment, work)
        if made is None:
            return
        kernel, logos = made
        private = os.stat(path / kernel_json.NAME).st_mode & 0o077 == 0
        write_with_aliases(path, kernel, logos, aliases_of(path, work.host, there), private=private)


def _composed(path: Path, there: KernelJson, environment: Environment, work: Work) -> tuple[KernelJson, dict[str, bytes]] | None:
    """Return what the kernelspec is to say now, and its logos; None where what the environment brought it for is gone."""
    owner = there.owner
    assert owner is not None
    inherit = frozenset(owner.inherit)
    if there.language.lower() == "python":
        before = composing.usual_label(owner.python, environment, path.name)
        shown = composing.label(environment, path.name) if there.display_name == before else there.display_name
        kernel, logos = composing.composed(environment, work.host, display_name=shown, variables={}, inherit=inherit)
    else:
        own = next((one for one in shipped.shipped(environment, work.host) if one.kernel.language == there.language), None)
        if own is None:
            return None
        kernel, logos = shipped.composed(own, environment, work.host, display_name=there.display_name, variables={}, inherit=inherit)
    said = {name: there.env[name] for name in owner.given if name in there.env}
    assert kernel.owner is not None
    return replace(kernel, env={**kernel.env, **said}, owner=replace(kernel.owner, given=owner.given, inherit=owner.inherit)), logos
