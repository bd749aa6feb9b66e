"""Use an environment: run programs in it without a shell, ask its interpreter, take its activation as data."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from . import ecosystems, records, uses
from .control import Control, Work, takes_control
from .environments import interpreted, resolved
from .errors import CorruptError, DeadlineError, KernelError, NotFoundError, ProcessError, UsageError
from .formats import dotenv
from .match_specs import CONDA
from .models.activation import Activation, Interpreter
from .models.environment import Environment
from .system.look import Look

if TYPE_CHECKING:
    from typing import Unpack

    from .host import Host
    from .models.aliases import Env, StrPath
    from .system.process import CompletedProcess, Stream


@takes_control
def interpreter(env: Env, **control: Unpack[Control]) -> Interpreter:
    """Return what an environment's Python says about itself. Runs it, isolated (`-I -S`) and bounded in time and output.

    Raises:
        NotFoundError: there is no such environment, or it has no Python.
        MachineError: it does not run. DeadlineError: it does not answer.

    Example:
        >>> import envkit, sys
        >>> envkit.interpreter(sys.executable).markers["python_full_version"] == sys.version.split()[0]
        True
    """
    work = Work.of(control)
    return interpreted(resolved(env, work), work)


@takes_control
def activation(env: Env, **control: Unpack[Control]) -> Activation:
    """Return what a shell's activate would change, as data; `.apply(environ)` gives the variables of a process inside it.

    Raises:
        NotFoundError: there is no such environment.

    Example:
        >>> import envkit, os, sys
        >>> inside = envkit.activation(sys.executable).apply(os.environ)
        >>> inside["PATH"].split(os.pathsep)[0] == str(envkit.resolve(sys.executable).python.parent)
        True
    """
    work = Work.of(control)
    return activation_of(resolved(env, work), work.host)


def activation_of(environment: Environment, host: Host, *, scripts: bool = True) -> Activation:
    """Return the activation of an environment that was resolved, with the variables that its record keeps.

    Args:
        scripts: with what scripts of its packages do, which takes a shell when they have changed; without, no process is started.
    """
    if environment.kind == CONDA and not scripts:
        from .conda.activating import by_data  # noqa: PLC0415 - only where there is conda

        activated = by_data(environment, host)
    else:
        activated = ecosystems.backend_of(environment).activation(environment, host)
    return with_variables(activated, environment, host)


def lasting_activation_of(environment: Environment, host: Host, *, scripts: bool = True) -> Activation:
    """Return the activation of an environment as it is for whoever activates it later, such as a Jupyter; see `activation_of`.

    Of what is active where the call is made nothing is in it.
    """
    if environment.kind != CONDA:
        return activation_of(environment, host, scripts=scripts)
    from .conda.activating import lasting  # noqa: PLC0415 - only where there is conda

    return with_variables(lasting(environment, host, run=scripts), environment, host)


def with_variables(activated: Activation, environment: Environment, host: Host) -> Activation:
    """Return an activation with the variables that the environment's record keeps."""
    record = records.state_of(environment.prefix, host).record
    if record is None or not record.variables:
        return activated
    return replace(activated, assign={**activated.assign, **record.variables})


@takes_control
def run(
    env: Env,
    argv: Sequence[StrPath],
    *,
    check: bool = False,
    capture_output: bool = False,
    input: str | None = None,  # noqa: A002 - subprocess's word
    cwd: StrPath | None = None,
    environ: Mapping[str, str] | None = None,
    env_file: StrPath | None = None,
    **control: Unpack[Control],
) -> CompletedProcess[str]:
    r"""Run a program in an environment, as `subprocess.run` does, without a shell.

    Args:
        argv: the program and its arguments. A bare program name is looked up in the environment first, then on PATH.
        check: raise ProcessError where its code is not 0.
        capture_output: keep what it says in the result; otherwise it talks on our own streams, and reads from them.
        input: what it reads; its output is then kept as well.
        cwd: its working directory; ours if None.
        environ: variables on top of the activated ones and of those of `env_file`.
        env_file: a file of variables, `.env`, as VS Code reads it, on top of the activated ones. Its values are masked in what
            events and errors show; the result is as the program said it.

    Returns:
        argv, code (negative for a signal), and the text of stdout and stderr (None where it was not kept).

    Raises:
        NotFoundError: no such environment, program or file. CorruptError: `env_file` is no text.
        DeadlineError, CancelledError: the whole process tree is dead by then.
        ProcessError: with `check`, its code was not 0.

    Example:
        >>> import envkit, sys
        >>> envkit.run(sys.executable, ["python", "-c", "print(6 * 7)"], capture_output=True).stdout
        '42\n'
    """
    if isinstance(argv, str | os.PathLike):
        raise TypeError(f"argv takes a program and its arguments, not {argv!r}")
    command = [os.fspath(part) for part in argv]
    if not command:
        raise UsageError("argv is empty", code="argv", hint='name a program, as in ["python", "-V"]')
    work = Work.of(control)
    environment = resolved(env, work)
    activated = activation_of(environment, work.host)
    inside = activated.apply(work.host.environ)
    stated = {} if env_file is None else file_variables(env_file, inside, work.host)
    variables = {**inside, **stated, **(environ or {})}
    directory = work.host.cwd if cwd is None else records.absolute(cwd, work.host)
    command[0] = program_in(command[0], environment, activated, variables, directory)
    mask = _masker(stated)
    with masked_errors(mask), uses.held_if_stored(environment.prefix, work) as descriptors:
        ended = _run(command, work, variables, directory, mask, descriptors, text=input, keep=capture_output or input is not None)
    if check and ended.returncode != 0:
        raise ProcessError(
            f"{Path(command[0]).name} ended with code {ended.returncode} in {environment}",
            returncode=ended.returncode,
            stdout=mask(ended.stdout or ""),
            stderr=mask(ended.stderr or ""),
            hint="its own output says why",
        )
    return ended


def _masker(stated: Mapping[str, str]) -> Callable[[str], str]:
    """Return what masks the values of a file of variables."""
    if not stated:
        return str
    from .system.secrets import masker  # noqa: PLC0415 - most calls have no such file

    return masker({}, values=stated.values())


def _run(
    command: list[str],
    work: Work,
    variables: dict[str, str],
    directory: Path,
    mask: Callable[[str], str],
    descriptors: tuple[int, ...],
    *,
    text: str | None,
    keep: bool,
) -> CompletedProcess[str]:
    from .system import process  # noqa: PLC0415 - activation and kernels start no process
    from .system.process import CompletedProcess  # noqa: PLC0415 - as above

    with work.task("run", f"run {Path(command[0]).name}") as task:
        if keep:

            def tell(line: str, stream: Stream) -> None:
                task.output(mask(line), stream)

            done = process.run_process(
                command,
                work=work,
                environ=variables,
                cwd=directory,
                text=text,
                on_line=tell,
                descriptors=descriptors,
                kept=None,
                spare=True,
            )
            return CompletedProcess(command, done.returncode, done.stdout, done.stderr)
        code = process.run_attached(command, work=work, environ=variables, cwd=directory, descriptors=descriptors)
        return CompletedProcess(command, code, None, None)


def file_variables(env_file: StrPath, environ: Mapping[str, str], host: Host, *, literal: Callable[[str], str] = str) -> dict[str, str]:
    """Return the variables of a `.env` file, read as `formats.dotenv` says.

    Args:
        environ: what `${env:NAME}` is taken from besides earlier lines: the activated variables.
        literal: see `dotenv.load`.

    Raises:
        NotFoundError: there is no such file. CorruptError: it is no text in UTF-8, holds a NUL, or is larger than any such file.
    """
    path = records.absolute(env_file, host)
    data = Look(host).data(str(path), dotenv.LIMIT + 1)
    if data is None:
        raise NotFoundError(f"{path} is no file that can be read", code="path-not-found", hint="check the path given as env_file")
    try:
        if len(data) > dotenv.LIMIT or b"\0" in data:
            raise ValueError("too large, or with a NUL")
        return dotenv.load(data.decode("utf-8-sig"), environ, literal=literal)
    except ValueError as error:
        raise CorruptError(f"{path} is no file of variables", code="env-file", path=path, hint="write NAME=value lines in UTF-8") from error


@contextmanager
def masked_errors(mask: Callable[[str], str]) -> Generator[None, None, None]:
    """Mask what a program had said in the error that ends it."""
    try:
        yield
    except (DeadlineError, KernelError) as error:
        error.args = (mask(str(error)),)
        if isinstance(error, DeadlineError):
            error.output = mask(error.output)
        else:
            error.stderr = mask(error.stderr)
        raise


def program_in(name: str, environment: Environment, activated: Activation, variables: Mapping[str, str], directory: Path) -> str:
    """Return the absolute path of a program: one with a separator is a path, another is looked up in the environment, then on PATH."""
    if os.path.dirname(name):
        return str(directory / name)
    if name in {"python", "python3"} and environment.python is not None:
        return str(environment.python)
    import shutil  # noqa: PLC0415 - only where something is run

    absolute = [part for part in variables.get("PATH", "").split(os.pathsep) if os.path.isabs(part)]  # "." on PATH is never followed
    found = shutil.which(name, path=os.pathsep.join([*map(str, activated.prepend_path), *absolute]))
    if found is None:
        raise NotFoundError(
            f"no program {name!r} in {environment.prefix} or on PATH",
            code="program-not-found",
            hint="install the package that brings it, or give its path",
        )
    return found
