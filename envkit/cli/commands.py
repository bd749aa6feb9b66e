"""One function per command: one call of the library each, then text for people or, with `--json`, what `to_json` gives."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import output, progress

if TYPE_CHECKING:
    from ..control import Control
    from ..models.environment import Environment
    from ..models.plans import Spec

Command = Callable[[Namespace], int]
FORMATS = ("requirements.txt", "pylock.toml", "environment.yml", "spec.json")
SHELLS = ("sh", "bash", "zsh", "fish", "csh", "pwsh", "cmd", "nu", "xonsh")


def _control(options: Namespace, heard: progress.Heard | None = None) -> Control:
    """Return the keywords that every slow verb takes; progress goes to stderr, so that stdout is the result alone."""
    return {"report": heard or progress.reporter(), "timeout": options.timeout, "offline": options.offline}


def find(options: Namespace) -> int:
    """List the environments of this machine: a table, a tree, one JSON text, or with `--stream` a line of JSON for each as it comes."""
    from ..environments import find as call  # noqa: PLC0415 - each command imports what it needs

    silent: Control = {"report": None, "timeout": options.timeout}
    coming = call(kinds=options.kind, managers=options.manager, python=options.python, roots=options.roots, probe=options.probe, **silent)
    if options.stream:
        return output.give_each(coming)
    found = tuple(coming)
    return output.give(options, found, lambda: _shown(found, as_tree=options.tree))


def _shown(found: tuple[Environment, ...], *, as_tree: bool) -> str:
    from ..kernels.listing import kernels  # noqa: PLC0415 - only for people
    from . import finding  # noqa: PLC0415 - as above

    named = finding.kernels_by_environment(kernels()) if found else {}
    return finding.tree(found, named) if as_tree else finding.listing(found, named)


def resolve(options: Namespace) -> int:
    """Show one environment."""
    from ..environments import resolve as call  # noqa: PLC0415 - each command imports what it needs

    found = call(options.target, probe=options.probe, report=None, timeout=options.timeout)
    return output.give(options, found, lambda: output.environment(found))


def create(options: Namespace) -> int:
    """Make a new environment: as the options say, or what a file or the project here asks for."""
    from ..lifecycle.making import create as call  # noqa: PLC0415 - each command imports what it needs

    if options.where is None or options.spec is not None or options.dry_run or options.extra or options.group:
        return _from_spec(options, lambda spec, control: call(spec, on_exists="replace" if options.replace else "error", **control))
    made = call(
        options.where,
        python=options.python,
        pypi=options.packages,
        on_exists="replace" if options.replace else "error",
        **_control(options),
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
    control = _control(options, heard)
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

    from ..models.plans import Spec  # noqa: PLC0415 - as above

    where = ".venv" if options.where is None else options.where
    path = options.where is None or _is_path(where)
    spec, read = Spec(), tuple[str, ...]()
    if options.where is None or options.spec is not None:
        spec, read = _read(options.spec or ".", options, control)
    elif options.extra or options.group:
        from ..errors import UsageError  # noqa: PLC0415 - as above

        raise UsageError("--extra and --group are those of a project", code="spec-file", hint="say which with --spec")
    spec = replace(spec, name=None if path else where, prefix=Path(where) if path else None, pypi=(*spec.pypi, *options.packages))
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


def lock(options: Namespace) -> int:
    """Print a lock."""
    from dataclasses import replace  # noqa: PLC0415 - each command imports what it needs

    from ..locking.resolving import lock as call  # noqa: PLC0415 - as above

    control = _control(options)
    spec = _read(options.spec, options, control)[0]
    made = call(replace(spec, python=options.python or spec.python), platforms=options.platform, **control)
    return output.give(options, made, lambda: made.text.rstrip("\n"))


def export(options: Namespace) -> int:
    """Print what an environment holds; with `--json` the text as one string of JSON."""
    import json  # noqa: PLC0415 - each command imports what it needs

    from ..locking.exporting import export as call  # noqa: PLC0415 - as above

    text = call(options.env, options.format)
    output.write(json.dumps(text) if options.json else text.rstrip("\n"))
    return 0


def _is_path(text: str) -> bool:
    return text.startswith((".", "~")) or os.sep in text or "/" in text


def provision(options: Namespace) -> int:
    """Provide an environment with packages and a proven kernel."""
    from ..packages import installed  # noqa: PLC0415 - each command imports what it needs
    from ..provisioning import provision as call  # noqa: PLC0415 - as above

    heard = progress.Heard(progress.reporter())
    kernel = call(
        options.where,
        python=options.python,
        pypi=options.packages,
        display_name=options.display_name,
        **_control(options, heard),
    )
    return output.give(
        options, kernel, lambda: output.provisioned(kernel, installed, options.packages, worked=heard.worked, seconds=heard.seconds)
    )


def install(options: Namespace) -> int:
    """Install packages."""
    from ..packages import install as call  # noqa: PLC0415 - each command imports what it needs

    changes = call(
        options.env,
        *options.packages,
        dependencies=not options.no_deps,
        break_system_packages=options.break_system_packages,
        dry_run=options.dry_run,
        **_control(options),
    )
    return output.give(options, changes, lambda: output.changes(changes))


def uninstall(options: Namespace) -> int:
    """Uninstall packages."""
    from ..packages import uninstall as call  # noqa: PLC0415 - each command imports what it needs

    changes = call(options.env, *options.packages, dry_run=options.dry_run, **_control(options))
    return output.give(options, changes, lambda: output.changes(changes))


def packages(options: Namespace) -> int:
    """List the packages of an environment, with `--size` how much room each takes, with `--tree` by who needs whom."""
    if options.size or options.tree:
        from . import dependencies  # noqa: PLC0415 - only for these options

        return dependencies.tree(options) if options.tree else dependencies.sizes(options)
    from ..packages import installed as call  # noqa: PLC0415 - each command imports what it needs

    found = call(options.env)
    return output.give(options, found, lambda: output.packages(found))


def tree(options: Namespace) -> int:
    """Show the packages of an environment by who needs whom."""
    from . import dependencies  # noqa: PLC0415 - each command imports what it needs

    return dependencies.tree(options)


def why(options: Namespace) -> int:
    """Say why a package is there."""
    from . import dependencies  # noqa: PLC0415 - each command imports what it needs

    return dependencies.why(options)


def outdated(options: Namespace) -> int:
    """List what has a newer version."""
    from ..upgrading import outdated as call  # noqa: PLC0415 - each command imports what it needs

    found = call(options.env, **_control(options))
    return output.give(options, found, lambda: output.outdated(found))


def upgrade(options: Namespace) -> int:
    """Upgrade packages."""
    from ..upgrading import upgrade as call  # noqa: PLC0415 - each command imports what it needs

    changes = call(options.env, *options.packages, constraints=options.constraint, dry_run=options.dry_run, **_control(options))
    return output.give(options, changes, lambda: output.changes(changes))


def check(options: Namespace) -> int:
    """Say what is wrong with an environment; 1 when something is that makes it unusable or wrong."""
    from ..checking import check as call  # noqa: PLC0415 - each command imports what it needs

    found = call(options.env, deep=options.deep, **_control(options))
    output.give(options, found, lambda: output.problems(found))
    return 1 if any(problem.severity == "error" for problem in found) else 0


def run(options: Namespace) -> int:
    """Run a program and end as it ended: its code, or 128 and the signal's number."""
    from ..execution import run as call  # noqa: PLC0415 - each command imports what it needs

    argv = options.argv[1:] if options.argv[:1] == ["--"] else options.argv
    done = call(options.env, argv, capture_output=options.json, env_file=options.env_file, report=None, timeout=options.timeout)
    if options.json:
        output.write(output.process(done))
    return 128 - done.returncode if done.returncode < 0 else done.returncode


def activate(options: Namespace) -> int:
    """Print an activation script; with `--json` what it does, as data."""
    from ..control import Work  # noqa: PLC0415 - each command imports what it needs
    from ..shells import activation_script, current_shell  # noqa: PLC0415 - as above

    if options.json:
        from ..execution import activation  # noqa: PLC0415 - as above

        return output.give(options, activation(options.env, report=None, timeout=options.timeout), str)
    shell = options.shell or current_shell(Work().host)
    output.write(activation_script(options.env, shell, report=None, timeout=options.timeout).rstrip("\n"))
    return 0


def _leave_to_the_shell(number: int, frame: object) -> None:
    """Do nothing with a signal that the shell hears as well."""


def shell(options: Namespace) -> int:
    """Open a shell and end as it ended. Ctrl-C is the shell's own business."""
    import signal  # noqa: PLC0415 - each command imports what it needs

    from ..control import Work  # noqa: PLC0415 - as above
    from ..shells import open_shell  # noqa: PLC0415 - as above

    before = signal.signal(signal.SIGINT, _leave_to_the_shell)
    try:
        code = open_shell(options.env, Work(timeout=options.timeout), program=options.shell)
    finally:
        signal.signal(signal.SIGINT, before)
    return 128 - code if code < 0 else code


def clone(options: Namespace) -> int:
    """Copy an environment."""
    from ..lifecycle.cloning import clone as call  # noqa: PLC0415 - each command imports what it needs

    made = call(options.env, options.where, **_control(options))
    return output.give(options, made, lambda: output.environment(made))


def repair(options: Namespace) -> int:
    """Mend an environment."""
    from ..lifecycle.repairing import repair as call  # noqa: PLC0415 - each command imports what it needs

    mended = call(options.env, **_control(options))
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
        **_control(options),
    )
    return output.give(options, removed, lambda: "\n".join(map(output.removal, removed)) or "nothing is to be removed")


def remove(options: Namespace) -> int:
    """Remove an environment."""
    from ..lifecycle.removal import remove as call  # noqa: PLC0415 - each command imports what it needs

    removal = call(options.env, foreign=options.foreign, dry_run=options.dry_run, **_control(options))
    return output.give(options, removal, lambda: output.removal(removal))


def kernel_list(options: Namespace) -> int:
    """List kernels."""
    from ..kernels.listing import kernels as call  # noqa: PLC0415 - each command imports what it needs

    found = call(visible_from=options.visible_from)
    return output.give(options, found, lambda: output.kernels(found))


def kernel_register(options: Namespace) -> int:
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
        **_control(options),
    )
    return output.give(options, kernel, lambda: output.kernels((kernel,)))


def kernel_remove(options: Namespace) -> int:
    """Remove a kernel."""
    from ..kernels.removing import unregister as call  # noqa: PLC0415 - each command imports what it needs

    removal = call(options.name, foreign=options.foreign, dry_run=options.dry_run)
    return output.give(options, removal, lambda: output.removal(removal))


def kernel_rename(options: Namespace) -> int:
    """Give a kernel another name."""
    from ..kernels.renaming import rename as call  # noqa: PLC0415 - each command imports what it needs

    kernel = call(options.name, options.new_name, keep_alias=not options.no_alias)
    return output.give(options, kernel, lambda: output.kernels((kernel,)))


def kernel_prune(options: Namespace) -> int:
    """Remove the kernels that can never start again."""
    from ..kernels.removing import prune as call  # noqa: PLC0415 - each command imports what it needs

    removed = call(foreign=options.foreign, dry_run=options.dry_run)
    return output.give(options, removed, lambda: "\n".join(map(output.removal, removed)) or "nothing is to be removed")


def kernel_doctor(options: Namespace) -> int:
    """Say what is wrong with kernels and what mends it; 1 where one cannot start."""
    from ..kernels.checkup import doctor as call  # noqa: PLC0415 - each command imports what it needs

    found = call(visible_from=options.visible_from)
    output.give(options, found, lambda: output.problems(found))
    return 1 if any(problem.severity == "error" for problem in found) else 0


def kernel_verify(options: Namespace) -> int:
    """Prove a kernel by a cell that runs in it."""
    from ..kernels.health import verify as call  # noqa: PLC0415 - each command imports what it needs

    kernel = call(options.name, **_control(options))
    return output.give(options, kernel, lambda: output.proof(kernel))
