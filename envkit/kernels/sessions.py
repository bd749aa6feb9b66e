"""A kernel of an environment for the time of a `with`, without registering anything."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from .. import records, uses
from ..control import Cancel, Control, Work, joined, takes_control
from ..environments import resolved
from ..errors import KernelError
from ..execution import file_variables, masked_errors
from ..models.mapping import EMPTY
from ..system.scope import OpenedScope, Scope
from ..system.secrets import masker
from . import composing, shipped

if TYPE_CHECKING:
    from typing import Unpack

    from ..kernelspec.running import Running
    from ..models.aliases import Env, StrPath
    from ..models.cells import Output, Result
    from ..models.environment import Environment


class Session:
    """A running kernel: a resource, not a value. Cells run one after the other; `interrupt` may be called from any thread."""

    environment: Environment

    def __init__(self, environment: Environment, running: Running, work: Work) -> None:
        """Belong to an environment; `work` has the cancel of the whole session."""
        self.environment = environment
        self._running = running
        self._work = work

    def run(
        self,
        code: str,
        *,
        timeout: float | None = None,
        cancel: Cancel | None = None,
        on_output: Callable[[Output], None] | None = None,
    ) -> Result:
        """Run a cell and return its outputs. An error in the cell is a result, whose `ok` is False, not an exception.

        Args:
            timeout: seconds, after which the cell is interrupted; the session can be used further.
            cancel: once it is set, the cell is interrupted; so it is when the session's own is set.
            on_output: hears each output as it comes, on this thread. What it raises interrupts the cell and is raised here.

        Raises:
            DeadlineError: time is up; `output` is what the cell had said. CancelledError: it was cancelled.
            KernelError: the kernel ended (code "died"); `restart` starts a new one.
            UsageError: the session has ended.
        """
        return self._running.run(code, timeout=timeout, cancel=joined(cancel, self._work), on_output=on_output)

    def interrupt(self) -> None:
        """Interrupt the cell that runs, as Ctrl-C does. From any thread; nothing happens where none runs."""
        self._running.interrupt()

    def restart(self) -> None:
        """Kill the kernel, also in the midst of a cell, and start a new one; its variables are gone.

        Raises:
            KernelError: it does not start again. UsageError: the session has ended.
        """
        self._running.restart(Work(host=self._work.host, cancel=self._work))

    def __repr__(self) -> str:
        return f"<Session of {self.environment}>"


@takes_control
def session(
    env: Env,
    *,
    cwd: StrPath | None = None,
    environ: Mapping[str, str] | None = None,
    env_file: StrPath | None = None,
    **control: Unpack[Control],
) -> Scope[Session]:
    """Start a kernel of an environment for the time of a `with`; nothing is registered. At its end all that it started is gone.

    Args:
        env: it must have ipykernel; one without Python, a kernelspec of its own.
        cwd: the kernel's working directory; ours if None.
        environ: variables on top of the activated ones and of those of `env_file`.
        env_file: a file of variables, `.env`, as VS Code reads it; its values are masked where the kernel's end is told.
        control: `timeout` is for the start; `cancel` also interrupts cells.

    Returns:
        A scope for `with` and `async with`, to be entered once.

    Raises:
        NotFoundError: there is no such environment, directory or file.
        KernelError: it does not start; the code is the cause, such as "ipykernel-missing".

    Example:
        >>> import envkit
        >>> with envkit.jupyter.session(sys.executable) as kernel:  # doctest: +SKIP
        ...     kernel.run("6 * 7").text
        '42'
    """
    return OpenedScope(partial(_opened, env, None if cwd is None else os.fspath(cwd), dict(environ or EMPTY), env_file), control)


def _opened(
    env: Env, cwd: str | None, variables: Mapping[str, str], env_file: StrPath | None, control: Control
) -> Generator[Session, None, None]:
    from ..kernelspec.running import Running  # noqa: PLC0415 - whoever only registers does without it

    work = Work.of(control)
    environment = resolved(env, work)
    directory = work.host.cwd if cwd is None else records.absolute(Path(cwd), work.host)
    own = shipped.meant(environment, work.host)
    start = composing.launch if own is None else partial(shipped.launch, own)
    inside = start(environment, work.host, EMPTY).environ
    stated = {} if env_file is None else file_variables(env_file, inside, work.host)
    launch = start(environment, work.host, {**stated, **variables})
    mask = masker({}, values=stated.values()) if stated else str
    with uses.held_if_stored(environment.prefix, work):
        with work.task("run", f"start a kernel of {environment}"), masked_errors(mask):
            try:
                running = Running(launch, cwd=directory, work=work)
            except KernelError as error:
                if error.code == "ipykernel-missing":
                    error.hint = composing.without_ipykernel(environment, work.host).hint
                raise
        try:
            yield Session(environment, running, work)
        finally:
            running.close()
