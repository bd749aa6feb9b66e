"""Probe: run a Python, isolated and bounded, and read what it says of itself.

It is run with `-I -S -B`: none of the caller's variables, nothing of the working directory, no `.pth` file and no
`sitecustomize` of the environment, no bytecode left behind. What it prints besides is passed over: the answer stands between two
marks that nobody can guess. It may take so long, print so much, and whatever it started is killed with it.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeGuard

from ..errors import CorruptError, DeadlineError, MachineError
from ..system.process import Completed, run_process

if TYPE_CHECKING:
    from ..control import Work
    from ..models.activation import Interpreter

_ISOLATED = ("-I", "-S", "-B")
_ISOLATED_2 = ("-E", "-s", "-S", "-B")  # what Python 2.7 has of it
SECONDS = 15.0  # that one Python has
_OUTPUT = 1024 * 1024  # characters after which it is killed
_HINT = "choose another Python, or install this one again"
_HALF = {"x86_64": "i686", "aarch64": "armv7l"}  # what a Python of 32 bits is on such a machine


class Answer(NamedTuple):
    """What a Python said: what callers see, and what only an environment shows."""

    interpreter: Interpreter
    free_threaded: bool
    architecture: str | None


def probe(python: Path, *, work: Work, prefix: Path | None = None, seconds: float = SECONDS) -> Interpreter:
    """Run a Python and return what it says of itself.

    Args:
        python: its executable.
        work: the call's deadline, cancel and variables.
        prefix: that of the virtual environment it is in, which it does not know itself when it is run so.
        seconds: it is killed after so long.

    Raises:
        NotFoundError: there is no such file. MachineError: it cannot be run, or does not run as a Python does.
        CorruptError: it says something else. DeadlineError: it does not answer in time. CancelledError.
    """
    return read(ask(python, work=work, prefix=prefix, seconds=seconds), python).interpreter


def ask(python: Path, *, work: Work, prefix: Path | None = None, seconds: float = SECONDS) -> str:
    """Run a Python and return the text that the script printed, for `read`; see `probe` for the rest."""
    mark = f"envkit-{secrets.token_hex(16)}"
    arguments = ["-c", script(), mark, str(prefix or "")]
    done = _run(python, _ISOLATED, arguments, work=work, seconds=seconds)
    if done.returncode == 2 and "-I" in done.stderr and mark not in done.stdout:
        done = _run(python, _ISOLATED_2, arguments, work=work, seconds=seconds)
    _, begun, rest = done.stdout.partition(mark)
    answer, ended, _ = rest.partition(mark)
    if begun and ended:
        return answer
    if done.cut:
        raise CorruptError(f"{python} prints without end, as no Python does", code="python-unusable", path=python, hint=_HINT)
    if done.returncode != 0:
        raise MachineError(f"{python} does not run as a Python does: {_ending(done)}", code="python-unusable", hint=_HINT)
    raise CorruptError(f"{python} does not answer as a Python does", code="python-unusable", path=python, hint=_HINT)


def _run(python: Path, flags: tuple[str, ...], arguments: list[str], *, work: Work, seconds: float) -> Completed:
    try:
        return run_process(
            [str(python), *flags, *arguments],
            work=work,
            environ=_clean(work.host.environ),
            cwd=Path(Path(python).anchor or os.sep),  # nothing that anybody may write
            limit=_OUTPUT,
            seconds=seconds,
        )
    except DeadlineError as error:
        if work.expired():
            raise
        raise DeadlineError(
            f"{python} did not answer within {seconds:g} seconds", output=error.output[-2000:], retryable=True, hint=_HINT
        ) from error


def _clean(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables without those that would make a Python another one."""
    return {name: value for name, value in environ.items() if not name.upper().startswith(("PYTHON", "__PYVENV_LAUNCHER__"))}


def script() -> str:
    """Return the text of the script; read so that a package in a zip file has it too."""
    import pkgutil  # noqa: PLC0415 - only here

    data = pkgutil.get_data(__package__ or "", "probe_script.py")
    if data is None:
        raise MachineError("envkit's probe script is missing", code="installation", hint="install envkit-python again")
    return data.decode("utf-8")


def _ending(done: Completed) -> str:
    """Return how it ended: a signal, or the last line it said, or its code."""
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    ended = f"signal {-done.returncode}" if done.returncode < 0 else f"exit code {done.returncode}"
    return f"{ended}, {lines[-1].strip()[:300]}" if lines else ended


def read(answer: str, python: Path) -> Answer:
    """Return what the text that `ask` gave says.

    Raises:
        CorruptError: it is not what the script prints.
    """
    from packaging.version import Version  # noqa: PLC0415 - after the process has run

    from ..models.activation import Interpreter  # noqa: PLC0415 - as above

    try:
        facts = _mapping(json.loads(answer))
        paths = {str(name): Path(str(path)) for name, path in _mapping(facts["paths"]).items()}
        markers = {str(name): str(value) for name, value in _mapping(facts["markers"]).items()}
        said = Interpreter(
            executable=Path(str(facts["executable"] or python)),
            prefix=Path(str(facts["prefix"])),
            base_prefix=Path(str(facts["base_prefix"])),
            version=Version(str(facts["version"])),
            implementation=str(facts["implementation"]),
            markers=markers,
            paths=paths,
        )
        machine = markers["platform_machine"] if markers["os_name"] == "posix" else None  # Windows says the machine's, not the process's
        if machine is not None and facts["bits"] == 32:
            machine = _HALF.get(machine, machine)
        return Answer(said, facts["free_threaded"] is True, machine)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CorruptError(f"{python} answers, but not as a Python does", code="python-unusable", path=python, hint=_HINT) from error


def _mapping(value: object) -> Mapping[str, object]:
    if not _is_mapping(value):
        raise TypeError("not an object")
    return value


def _is_mapping(value: object) -> TypeGuard[Mapping[str, object]]:
    return isinstance(value, dict)
