"""What a spec wants run after its packages are there: `Spec.post_install`, before the environment is ready.

Each command runs once in an environment, in the order of the spec: the record keeps which did. A new environment in which one fails
is gone again; one that was there stays as it is, and the command is run again by the next `ensure`.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from .. import records
from ..errors import EnvkitError, ProcessError, UsageError
from ..execution import activation_of, program_in
from ..formats.ready_record import command_of, command_text
from ..system import process
from ..system.secrets import masker

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..control import Work
    from ..formats.ready_record import Record
    from ..models.environment import Environment
    from ..models.specs import Spec
    from ..system.locks import Held

Command = tuple[str, ...]


def check(commands: Iterable[tuple[object, ...]]) -> None:
    """Refuse what can be no command.

    Raises:
        UsageError: a command is empty, or an argument is no text or holds a NUL.
    """
    for command in commands:
        if not command or not command[0] or any(not isinstance(part, str) or "\0" in part for part in command):
            raise UsageError(
                f"{command!r} in Spec.post_install is no command", code="argv", hint='name a program, as in ("python", "-m", "compileall")'
            )


def outstanding(spec: Spec, record: Record | None) -> tuple[Command, ...]:
    """Return the commands of a spec that did not run yet in an environment with this record, in their order."""
    done = () if record is None else record.post_install
    return tuple(command for command in spec.post_install if command_text(command) not in done)


def of_record(record: Record | None) -> tuple[Command, ...]:
    """Return the commands that ran in an environment with this record, in their order; what cannot be read is left out."""
    found: list[Command] = []
    for text in () if record is None else record.post_install:
        with suppress(ValueError):
            found.append(command_of(text))
    return tuple(found)


def run_all(environment: Environment, commands: Iterable[Command], spec: Spec, work: Work, lock: Held) -> None:
    """Run commands in an environment that is being made or changed: activated, with the spec's variables, in its own directory.

    Args:
        lock: of the environment; its descriptors go to each command, so that nobody takes it while one still runs.

    Raises:
        ProcessError: one ended with another code than 0 ("post-install"). NotFoundError: there is no such program.
        DeadlineError, CancelledError: the whole process tree is dead by then.
    """
    commands = tuple(commands)
    if not commands:
        return
    activated = activation_of(environment, work.host)
    variables = {**activated.apply(work.host.environ), **spec.variables}
    mask = masker(work.host.environ)
    for command in commands:
        shown = mask(" ".join(command))
        program = program_in(command[0], environment, activated, variables, environment.prefix)
        with work.task("run", f"run {shown}") as task:
            done = process.run_process(
                [program, *command[1:]],
                work=work,
                environ=variables,
                cwd=environment.prefix,
                on_line=lambda line, stream, task=task: task.output(mask(line), stream),  # type: ignore[misc] # mypy cannot infer it
                descriptors=lock.descriptors,
            )
        if done.returncode != 0:
            raise ProcessError(
                f"{shown} ended with code {done.returncode} in {environment.prefix}",
                code="post-install",
                returncode=done.returncode,
                stdout=mask(done.stdout),
                stderr=mask(done.stderr),
                hint="its own output says why; mend or leave out that command of Spec.post_install",
            )


def catch_up(environment: Environment, spec: Spec, work: Work, lock: Held) -> None:
    """Run what is outstanding in an environment that is there and has a record, and write down that it ran.

    Raises:
        As `run_all`: what ran before the one that failed is written down.
    """
    record = records.state_of(environment.prefix, work.host).record
    if record is None:
        return
    for command in outstanding(spec, record):
        records.begin(environment.prefix, "change", work.host)
        try:
            run_all(environment, (command,), spec, work, lock)
        except EnvkitError:
            records.finish(environment.prefix, record, work.host)
            raise
        record = replace(record, post_install=(*record.post_install, command_text(command)))
        records.finish(environment.prefix, record, work.host)
