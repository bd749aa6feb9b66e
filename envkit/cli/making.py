"""Commands that make environments: one call of the library each."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from . import output, progress

if TYPE_CHECKING:
    from ..control import Control
    from ..models.environment import Environment
    from ..models.specs import Spec


def create(options: Namespace) -> int:
    """Make a new environment: as the options say, or what a file or the project here asks for."""
    from ..lifecycle.making import create as call  # noqa: PLC0415 - each command imports what it needs

    if options.where is None or options.spec is not None or options.dry_run or options.extra or options.group:
        return _from_spec(options, lambda spec, control: call(spec, on_exists="replace" if options.replace else "error", **control))
    made = call(
        options.where,
        python=options.python,
        pypi=options.packages,
        conda=options.conda,
        channels=options.channel,
        backend=options.backend,
        on_exists="replace" if options.replace else "error",
        **progress.control(options),
    )
    return output.give(options, made, lambda: output.environment(made))


def ensure(options: Namespace) -> int:
    """Make an environment what it should be."""
    from ..lifecycle.making import ensure as call  # noqa: PLC0415 - each command imports what it needs

    return _from_spec(options, lambda spec, control: call(spec, **control))


def _from_spec(options: Namespace, make: Callable[[Spec, Control], Environment]) -> int:
    """Make what a spec says that is put together from a file or a project and the options, or with `--dry-run` say what would be done."""
    from dataclasses import replace  # noqa: PLC0415 - each command imports what it needs

    heard = progress.Heard(progress.reporter())
    control = progress.control(options, heard)
    spec, read = _spec(options, control)
    if options.dry_run:
        from ..lifecycle.making import plan  # noqa: PLC0415 - only for this option
        from ..models.plans import Step  # noqa: PLC0415 - as above

        planned = plan(spec, **control)
        shown = replace(planned, steps=(*(Step(action="read", text=f"read {name}") for name in read), *planned.steps))
        return output.give(options, shown, lambda: "\n".join(step.text for step in shown.steps) or "nothing had to be done")
    made = make(spec, control)
    more = ("" if heard.worked else "\nnothing had to be done") + (f"\nas {', '.join(read)} says" if read else "")
    return output.give(options, made, lambda: output.environment(made) + more)


def _spec(options: Namespace, control: Control) -> tuple[Spec, tuple[str, ...]]:
    """Return what is to be made, and the names of the files that were read for it."""
    from dataclasses import replace  # noqa: PLC0415 - each command imports what it needs

    from ..models.specs import Spec  # noqa: PLC0415 - as above

    where = ".venv" if options.where is None else options.where
    path = options.where is None or _is_path(where)
    spec, read = Spec(), tuple[str, ...]()
    if options.where is None or options.spec is not None:
        spec, read = _read(options.spec or ".", options, control)
    elif options.extra or options.group:
        from ..errors import UsageError  # noqa: PLC0415 - as above

        raise UsageError("--extra and --group are those of a project", code="spec-file", hint="say which with --spec")
    spec = replace(
        spec,
        name=None if path else where,
        prefix=Path(where) if path else None,
        pypi=(*spec.pypi, *options.packages),
        conda=(*spec.conda, *options.conda),
        channels=(*options.channel, *spec.channels),
        backend=options.backend if options.backend != "auto" else spec.backend,
    )
    if options.python is not None:
        spec = replace(spec, python=options.python)
    return replace(spec, seed="pip" if getattr(options, "pip", False) else spec.seed), read


def _read(where: str, options: Namespace, control: Control) -> tuple[Spec, tuple[str, ...]]:
    """Return what a file or a directory asks for, and the names of the files that were read."""
    from ..control import Work  # noqa: PLC0415 - each command imports what it needs
    from ..records import absolute  # noqa: PLC0415 - as above
    from ..specs.reading import gathered_from, spec_of  # noqa: PLC0415 - as above

    work = Work.of(control)
    gathered = gathered_from(absolute(where, work.host), work, extras=tuple(options.extra), groups=tuple(options.group))
    return spec_of(gathered, work), tuple(file.name for file in gathered.files)


def _is_path(text: str) -> bool:
    return text.startswith((".", "~")) or os.sep in text or "/" in text


def lock(options: Namespace) -> int:
    """Print a lock."""
    from dataclasses import replace  # noqa: PLC0415 - each command imports what it needs

    from ..locking.resolving import lock as call  # noqa: PLC0415 - as above

    control = progress.control(options)
    spec = _read(options.spec, options, control)[0]
    made = call(replace(spec, python=options.python or spec.python), platforms=options.platform, **control)
    return output.give(options, made, lambda: made.text.rstrip("\n"))


def provision(options: Namespace) -> int:
    """Provide an environment with packages and a proven kernel."""
    from ..packages import installed  # noqa: PLC0415 - each command imports what it needs
    from ..provisioning import provision as call  # noqa: PLC0415 - as above

    heard = progress.Heard(progress.reporter())
    kernel = call(
        options.where,
        python=options.python,
        pypi=options.packages,
        conda=options.conda,
        channels=options.channel,
        display_name=options.display_name,
        **progress.control(options, heard),
    )
    return output.give(
        options, kernel, lambda: output.provisioned(kernel, installed, options.packages, worked=heard.worked, seconds=heard.seconds)
    )
