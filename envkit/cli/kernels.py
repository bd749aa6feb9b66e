"""Commands about Jupyter kernels: one call of the library each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import output, progress

if TYPE_CHECKING:
    from argparse import Namespace


def listed(options: Namespace) -> int:
    """List kernels."""
    from ..kernels.listing import kernels as call  # noqa: PLC0415 - each command imports what it needs

    found = call(visible_from=options.visible_from)
    return output.give(options, found, lambda: output.kernels(found))


def register(options: Namespace) -> int:
    """Register an environment as a kernel."""
    from ..kernels.registration import register as call  # noqa: PLC0415 - each command imports what it needs

    scope: Any = options.scope if options.scope in {"user", "sys-prefix", "system"} else Path(options.scope)
    kernel = call(
        options.env,
        name=options.name,
        display_name=options.display_name,
        scope=scope,
        on_exists=options.on_exists,
        env_file=options.env_file,
        **progress.control(options),
    )
    return output.give(options, kernel, lambda: output.kernels((kernel,)))


def remove(options: Namespace) -> int:
    """Remove a kernel."""
    from ..kernels.removing import unregister as call  # noqa: PLC0415 - each command imports what it needs

    removal = call(options.name, foreign=options.foreign, dry_run=options.dry_run)
    return output.give(options, removal, lambda: output.removal(removal))


def rename(options: Namespace) -> int:
    """Give a kernel another name."""
    from ..kernels.renaming import rename as call  # noqa: PLC0415 - each command imports what it needs

    kernel = call(options.name, options.new_name, keep_alias=not options.no_alias)
    return output.give(options, kernel, lambda: output.kernels((kernel,)))


def prune(options: Namespace) -> int:
    """Remove the kernels that can never start again."""
    from ..kernels.removing import prune as call  # noqa: PLC0415 - each command imports what it needs

    removed = call(foreign=options.foreign, dry_run=options.dry_run)
    return output.give(options, removed, lambda: "\n".join(map(output.removal, removed)) or "nothing is to be removed")


def doctor(options: Namespace) -> int:
    """Say what is wrong with kernels and what mends it; 1 where one cannot start."""
    from ..kernels.checkup import doctor as call  # noqa: PLC0415 - each command imports what it needs

    found = call(visible_from=options.visible_from)
    output.give(options, found, lambda: output.problems(found))
    return 1 if any(problem.severity == "error" for problem in found) else 0


def verify(options: Namespace) -> int:
    """Prove a kernel by a cell that runs in it."""
    from ..kernels.health import verify as call  # noqa: PLC0415 - each command imports what it needs

    kernel = call(options.name, **progress.control(options))
    return output.give(options, kernel, lambda: output.proof(kernel))
