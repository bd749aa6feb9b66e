"""Child processes: argv lists, explicit variables, deadline, cancel; the whole tree is killed when the call ends early.

The only module that imports `subprocess`. No shell is ever involved.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess as CompletedProcess  # noqa: PLC0414 - others take the type from here
from typing import TYPE_CHECKING

from ..errors import MachineError, NotFoundError
from .ending import ended, ends_within
from .family import group_gone, kill_processes, stop_family
from .streams import (
    Stream as Stream,  # noqa: PLC0414 - others take the type from here
    Streams,
)

if TYPE_CHECKING:
    from ..control import Work

_TICK = 0.05  # seconds between two looks at cancel and deadline
_GRACE = 0.3  # seconds that output of an ended process may still take, when something it left behind holds the pipe
_KEPT = 8 * 1024 * 1024  # characters of a tool's output that are kept: its beginning


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """A process that ended: its code (negative for a signal) and what it said. `cut`: it said more than was allowed and was killed."""

    returncode: int
    stdout: str
    stderr: str
    cut: bool = False


def run_process(
    argv: Sequence[str],
    *,
    work: Work,
    environ: Mapping[str, str],
    cwd: Path | None = None,
    text: str | None = None,
    on_line: Callable[[str, Stream], None] | None = None,
    descriptors: Collection[int] = (),
    limit: int | None = None,
    kept: int | None = _KEPT,
    seconds: float | None = None,
    spare: bool = False,
) -> Completed:
    """Run a tool of ours to its end, in a session of its own, with nothing to read but `text`, and return what it said.

    Args:
        argv: the program, absolute, and its arguments.
        work: its deadline and cancel end the process tree; lines are told on the thread that calls.
        environ: all variables of the child.
        cwd: working directory of the child.
        text: what it reads; without it, nothing.
        on_line: hears each line without its end, as it comes.
        descriptors: kept open in the child: the lock of what it writes.
        limit: characters of output after which it is killed (`cut`).
        kept: characters of output that the result holds at most; None for all of it.
        seconds: its own deadline, besides that of the call; when that passes, DeadlineError too.
        spare: as `subprocess.run` does, leave what it started in the background alive when it ends by itself, and wait for those
            that hold its output; otherwise they are killed with it.

    Raises:
        NotFoundError: there is no such program. MachineError: it cannot be run.
        DeadlineError, CancelledError: the tree is dead by then; `DeadlineError.output` holds what it said.
    """
    child = _start(argv, environ=environ, cwd=cwd, stdin=subprocess.DEVNULL if text is None else subprocess.PIPE, descriptors=descriptors)
    clock = _Clock(work, None if seconds is None else time.monotonic() + seconds)
    said, finished = _Said(kept, limit, on_line), False
    streams = Streams(child.stdout, child.stderr, child.stdin, text)
    try:
        cut = _listen(child, streams, said, clock, spare=spare)
        if not cut:
            _wait(child, clock)
            finished = True
    finally:
        if not (spare and finished):
            kill_tree(child)
        child.wait()
        streams.close(kill_holders=not (spare and finished))
    cut = cut or any(said.add(stream, line) for stream, line in streams.rest())  # said in time, and read late: this machine may be busy
    return Completed(returncode=child.returncode, stdout=said.text("stdout"), stderr=said.text("stderr"), cut=cut)


class _Said:
    """What a child said so far, as much of it as is kept."""

    def __init__(self, kept: int | None, limit: int | None, on_line: Callable[[str, Stream], None] | None) -> None:
        self._kept, self._limit, self._size, self._on_line = kept, limit, 0, on_line
        self._lines: dict[Stream, list[str]] = {"stdout": [], "stderr": []}

    def add(self, stream: Stream, line: str) -> bool:
        """Take a line and tell of it; True when that is more than the child may say, and nobody is told."""
        self._size += len(line)
        if self._kept is None or self._size <= self._kept:
            self._lines[stream].append(line)
        if self._limit is not None and self._size > self._limit:
            return True
        if self._on_line is not None:
            self._on_line(line.rstrip("\r\n"), stream)
        return False

    def text(self, stream: Stream) -> str:
        return "".join(self._lines[stream])


class _Clock:
    """The call's own end and the process's deadline, whichever comes first."""

    def __init__(self, work: Work, until: float | None) -> None:
        self._work, self._until = work, until

    def check(self, said: _Said | None = None) -> None:
        if self._work.is_set():
            raise self._work.cancelled()
        if self._work.expired() or (self._until is not None and time.monotonic() >= self._until):
            raise self._work.late("" if said is None else said.text("stdout") + said.text("stderr"))


def _listen(
    child: subprocess.Popen[str],
    streams: Streams,
    said: _Said,
    clock: _Clock,
    *,
    spare: bool,
) -> bool:
    """Hear a child out; return True when it said more than it may."""
    ended_at: float | None = None
    while not streams.at_end:
        heard = streams.line(_TICK)
        if heard is not None and said.add(*heard):
            return True
        clock.check(said)
        if not spare and ended(child):
            ended_at = ended_at or time.monotonic()
            if heard is None and time.monotonic() - ended_at > _GRACE:
                break  # it has ended, but something it started keeps the pipe: that is killed by the caller
    return False


def run_attached(
    argv: Sequence[str], *, work: Work, environ: Mapping[str, str], cwd: Path | None = None, descriptors: Collection[int] = ()
) -> int:
    """Run a program of the user's on our own standard streams and return its code; the tree is killed on timeout and cancel.

    It stays in our session and process group, so that a terminal's Ctrl-C and job control reach it as they reach us. After
    Ctrl-C it may end by itself, as long as it takes; a second one kills it.
    """
    child = _start(argv, environ=environ, cwd=cwd, stdin=None, attached=True, descriptors=descriptors)
    try:
        while not ends_within(child, _TICK):
            work.check()
        child.wait()
    except KeyboardInterrupt:
        child.wait()
        raise
    finally:
        kill_tree(child, group=False)
    return child.returncode


def start_service(
    argv: Sequence[str], *, environ: Mapping[str, str], cwd: Path, output: int, inherit_handles: bool = False
) -> subprocess.Popen[str]:
    """Start a program that runs beside us, in a session of its own: neither Ctrl-C nor a closed terminal reaches it.

    Args:
        output: descriptor of the file that takes all it says.
        inherit_handles: on Windows, hand it our inheritable handles.

    Returns:
        The child; ask `ended` of it and end it with `kill_tree`, which reaps it: until then its id is nobody else's.

    Raises:
        NotFoundError: there is no such program. MachineError: it cannot be run.
    """
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.CREATE_NO_WINDOW
    with _typed_errors(argv, cwd):
        return subprocess.Popen(
            list(argv),
            env=dict(environ),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            text=True,
            start_new_session=sys.platform != "win32",
            creationflags=flags,
            close_fds=not inherit_handles,
        )


def _start(
    argv: Sequence[str],
    *,
    environ: Mapping[str, str],
    cwd: Path | None,
    stdin: int | None,
    attached: bool = False,
    descriptors: Collection[int] = (),
) -> subprocess.Popen[str]:
    pipe = None if attached else subprocess.PIPE
    flags = 0
    if sys.platform == "win32" and not attached:
        flags = subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
    with _typed_errors(argv, cwd):
        return subprocess.Popen(
            list(argv),
            env=dict(environ),
            cwd=cwd,
            stdin=stdin,
            stdout=pipe,
            stderr=pipe,
            encoding="utf-8",
            errors="replace",
            start_new_session=not attached and sys.platform != "win32",
            creationflags=flags,
            pass_fds=tuple(descriptors),
        )


@contextmanager
def _typed_errors(argv: Sequence[str], cwd: Path | None) -> Generator[None]:
    """Turn what starting a program raises into our errors."""
    try:
        yield
    except FileNotFoundError as error:
        missing = cwd if cwd is not None and not cwd.is_dir() else argv[0]
        raise NotFoundError(f"cannot run {argv[0]}: {missing} is not there", code="program-not-found", hint="check the path") from error
    except OSError as error:
        raise MachineError(
            f"cannot run {argv[0]}: {error.strerror or error}", code="cannot-run", hint="check that it may be executed"
        ) from error
    except ValueError as error:
        raise MachineError(f"cannot run {argv[0]!r}: {error}", code="cannot-run", hint="no argument may contain a NUL character") from error


def _wait(child: subprocess.Popen[str], clock: _Clock) -> None:
    """Wait for a child that has closed its output but may still work."""
    while not ends_within(child, _TICK):
        clock.check()


def kill_tree(child: subprocess.Popen[str], *, group: bool = True) -> None:
    """Kill what is left of a child, its process group and all its descendants, and reap it."""
    if sys.platform == "win32":
        if child.poll() is None:
            taskkill = ["taskkill", "/F", "/T", "/PID", str(child.pid)]
            subprocess.run(taskkill, capture_output=True, check=False)
            child.kill()
        child.wait()
        return
    reaped = child.returncode is not None
    family = set[int]() if ended(child) else stop_family(child.pid)
    if group and not reaped:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    kill_processes(family)
    child.wait()
    if group and not reaped:
        group_gone(child.pid)
