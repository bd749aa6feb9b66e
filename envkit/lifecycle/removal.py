"""Remove an environment: only what carries envkit's record or, when told so, what is provably another tool's environment."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from .. import environments, plugins, records
from ..control import Control, Work, takes_control
from ..discovery import search
from ..errors import NotFoundError, RefusedError
from ..kernels import registration
from ..models.environment import Environment
from ..models.kernels import Kernel
from ..models.plans import Removal
from ..system import files

if TYPE_CHECKING:
    from typing import Unpack

    from ..models.aliases import Env


@takes_control
def remove(env: Env, *, foreign: bool = False, dry_run: bool = False, **control: Unpack[Control]) -> Removal:
    """Remove an environment together with the kernels that were registered for it, and say what went.

    Args:
        env: a name, a path or an Environment; broken and half-made ones, too.
        foreign: also one that another tool made, if it is a virtual or conda environment and holds nothing at its top that none of
            its kind has.
        dry_run: only say what would be removed, and why it may.

    Raises:
        NotFoundError: nothing is there. RefusedError: it is not provably an environment that may be removed, or we run in it.
        BusyError: another process changes it. MachineError: it cannot be deleted.
    """
    work = Work.of(control)
    prefix = prefix_meant(env, work)
    if dry_run:
        return _removal(prefix, work, foreign=foreign)
    with records.locked(prefix, work), work.task("remove", f"remove {prefix}"):
        return remove_held(prefix, work, foreign=foreign)


def remove_held(prefix: Path, work: Work, *, foreign: bool = False) -> Removal:
    """Remove the environment at a prefix whose lock the caller holds, and its kernels."""
    removal = _removal(prefix, work, foreign=foreign)
    registration.remove_kernels(removal.kernels, work)
    files.remove_tree(prefix, still_ours=lambda: bool(_reason(prefix, work, foreign=foreign)))
    return replace(removal, done=True)


def check(prefix: Path, work: Work) -> None:
    """Refuse what may not be removed, and so not be replaced either.

    Raises:
        RefusedError: it is not provably an environment of ours.
    """
    _reason(prefix, work, foreign=False)


def prefix_meant(env: Env, work: Work) -> Path:
    """Return the prefix that is meant; unlike `resolve`, it need not be an environment (any more)."""
    if isinstance(env, Environment):
        return env.prefix
    if isinstance(env, str) and not environments.is_path(env, work):
        prefix = environments.named_prefix(env, work)
        if not os.path.isdir(prefix):
            raise environments.missing(env, work)
        return prefix
    path = records.absolute(env, work.host)
    if not os.path.lexists(path):
        raise NotFoundError(f"{path} does not exist", code="environment-not-found", hint="name the directory of an environment")
    if os.path.isdir(path):
        return path
    found = search.identify(work.host, str(path), plugins.locators(work.host))
    return path if found is None else found.prefix


def _removal(prefix: Path, work: Work, *, foreign: bool) -> Removal:
    reason = _reason(prefix, work, foreign=foreign)
    return Removal(paths=(prefix,), kernels=_kernels(prefix, work), size=files.size_of(prefix), reason=reason, done=False)


def _kernels(prefix: Path, work: Work) -> tuple[Kernel, ...]:
    return registration.kernels_of(Environment(prefix=prefix, kind="venv"), work.host)


def _reason(prefix: Path, work: Work, *, foreign: bool) -> str:
    """Return why the directory may be removed.

    Raises:
        RefusedError: it may not.
    """
    if prefix.is_symlink():
        raise RefusedError(f"{prefix} is a link", code="link", hint=f"name what it leads to: {os.path.realpath(prefix)}")
    with suppress(OSError):
        if os.path.samefile(prefix, sys.prefix) or os.path.samefile(prefix, sys.base_prefix):
            raise RefusedError(f"this process runs in {prefix}", code="in-use", hint="remove it from another Python")
    state = records.state_of(prefix, work.host)
    inside = prefix.parent == records.environments_directory(work.host)
    if state.record is not None and state.record.made:
        return "it carries envkit's record"
    if state.dirty is not None and state.dirty.doing == "create" and state.dirty.made_directory:
        return "envkit began to make it and was interrupted"
    if inside and os.path.isdir(prefix):
        return "it lies among the managed environments"
    conda = os.path.isdir(prefix / "conda-meta")
    what = "conda environment" if conda else "virtual environment"
    strangers = plugins.backend("conda" if conda else "venv").strangers(prefix, work.host) if os.path.isdir(prefix) else None
    if strangers is None:
        raise RefusedError(
            f"{prefix} is not an environment", code="not-an-environment", hint="nothing was removed; delete it yourself if you are sure"
        )
    if not foreign:
        raise RefusedError(
            f"{prefix} was not made by envkit", code="foreign-environment", hint="foreign=True removes another tool's environment"
        )
    if strangers:
        raise RefusedError(
            f"{prefix} holds what no {what} has: {', '.join(sorted(strangers)[:5])}",
            code="foreign-files",
            hint="move that away first; nothing was removed",
        )
    return f"it is a {what} and holds nothing else"
