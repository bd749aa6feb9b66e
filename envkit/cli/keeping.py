"""Commands that keep environments, and remove them: one call of the library each."""

from __future__ import annotations

from argparse import Namespace

from . import output, progress


def clone(options: Namespace) -> int:
    """Copy an environment."""
    from ..lifecycle.cloning import clone as call  # noqa: PLC0415 - each command imports what it needs

    made = call(options.env, options.where, **progress.control(options))
    return output.give(options, made, lambda: output.environment(made))


def repair(options: Namespace) -> int:
    """Mend an environment."""
    from ..lifecycle.repairing import repair as call  # noqa: PLC0415 - each command imports what it needs

    mended = call(options.env, **progress.control(options))
    return output.give(options, mended, lambda: output.environment(mended))


def prune(options: Namespace) -> int:
    """Remove what nobody uses."""
    from datetime import timedelta  # noqa: PLC0415 - each command imports what it needs

    from ..lifecycle.pruning import prune as call  # noqa: PLC0415 - as above

    removed = call(
        keep=options.keep,
        max_age=None if options.max_age is None else timedelta(days=options.max_age),
        max_bytes=options.max_bytes,
        dry_run=options.dry_run,
        **progress.control(options),
    )
    return output.give(options, removed, lambda: "\n".join(map(output.removal, removed)) or "nothing is to be removed")


def remove(options: Namespace) -> int:
    """Remove an environment."""
    from ..lifecycle.removal import remove as call  # noqa: PLC0415 - each command imports what it needs

    removal = call(options.env, foreign=options.foreign, dry_run=options.dry_run, **progress.control(options))
    return output.give(options, removal, lambda: output.removal(removal))
