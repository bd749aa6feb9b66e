"""The kernel's process: its private directory, its connection file, what it says on stderr, its end.

It talks over sockets in the file system where that can be, for ports can be taken by another program between the choice and the
use, and every user of the machine may knock at them. The directory is the user's alone (0700) and goes with the kernel.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from ..errors import MachineError, NotFoundError
from ..system import ending, process
from ..system.family import bearers, kill_processes
from ..system.files import machine_error
from .causes import not_started

if TYPE_CHECKING:
    from ..host import Host
    from .launch import Launch

Transport = Literal["ipc", "tcp"]
_CHANNELS: Final = ("shell", "iopub", "stdin", "control", "hb")
_LONGEST_SOCKET: Final = 90  # bytes of a socket's path: the shortest limit, macOS's, is 104, and the channel's number follows
_TAIL: Final = 16 * 1024  # bytes of stderr that an error carries
_MARK: Final = "ENVKIT_KERNEL"  # the variable by which all that the kernel starts is known: its private directory
_ROUNDS: Final = 20  # looks for what the kernel started and left behind
_KEPT: Final = 1024 * 1024  # bytes of stderr above which only the tail is kept


class Child:
    """A kernel that was started. `interrupt`, `kill` and `ended` may be called from any thread."""

    def __init__(self, launch: Launch, *, cwd: Path, host: Host, transport: Transport | None = None) -> None:
        """Start it.

        Args:
            transport: None for sockets in the file system where these work, else ports of the local machine.

        Raises:
            KernelError: its program is not there or does not run.
            NotFoundError: `cwd` is no directory. MachineError: no private directory can be made.
        """
        if not cwd.is_dir():
            raise NotFoundError(f"{cwd} is not a directory", code="directory-not-found", hint="give a cwd that exists")
        self._guard = threading.Lock()
        self._directory = _private_directory(host)
        self.interrupt_mode = launch.interrupt_mode
        self._windows_event: object = None
        try:
            self.connection = _connection(self._directory, transport)
            file = os.path.join(self._directory, "kernel.json")
            _write_private(file, json.dumps(self.connection))
            self._log = os.open(os.path.join(self._directory, "stderr"), os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_EXCL, 0o600)
        except OSError as error:
            shutil.rmtree(self._directory, ignore_errors=True)
            raise machine_error(error, Path(self._directory)) from error
        try:
            self._process = process.start_service(
                launch.command(file), environ=self._variables(launch.environ), cwd=cwd, output=self._log, inherit_handles=True
            )
        except (NotFoundError, MachineError) as error:
            self._clean_up()
            raise not_started(launch, error) from error

    def _variables(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Return the variables with what makes the kernel end when we do, its mark, and on Windows what interrupts it."""
        environ = {**environ, _MARK: self._directory}
        if sys.platform == "win32":
            import _winapi  # noqa: PLC0415 - there is none elsewhere

            from .client import interrupt_event  # noqa: PLC0415 - only Windows needs Jupyter before the kernel starts

            self._windows_event = interrupt_event()
            us, inherited = _winapi.GetCurrentProcess(), True
            handle = _winapi.DuplicateHandle(us, us, us, 0, inherited, _winapi.DUPLICATE_SAME_ACCESS)
            return {**environ, "JPY_PARENT_PID": str(int(handle)), "JPY_INTERRUPT_EVENT": str(self._windows_event)}
        return {**environ, "JPY_PARENT_PID": str(os.getpid())}

    @property
    def returncode(self) -> int | None:
        """Its code, negative for a signal, once it was killed or stopped; else None."""
        return self._process.returncode

    def ended(self) -> bool:
        """Say whether it has ended by itself or was killed."""
        with self._guard:
            return ending.ended(self._process)

    def interrupt(self) -> None:
        """Interrupt what it runs, and the programs that run in its cell, as Ctrl-C does. Nothing happens where it has ended."""
        with self._guard:
            if ending.ended(self._process):
                return
            if sys.platform == "win32":
                from .client import send_interrupt  # noqa: PLC0415 - only Windows has these events

                send_interrupt(self._windows_event)
                return
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGINT)

    def said(self) -> str:
        """Return the end of what it said on stderr."""
        size = os.fstat(self._log).st_size
        os.lseek(self._log, max(0, size - _TAIL), os.SEEK_SET)
        return os.read(self._log, _TAIL).decode("utf-8", "replace")

    def trim(self) -> None:
        """Keep only the end of what it said, where that grew large."""
        if os.fstat(self._log).st_size > _KEPT:
            tail = self.said()
            os.ftruncate(self._log, 0)
            os.write(self._log, tail.encode())

    def wait(self, seconds: float) -> bool:
        """Wait until it has ended by itself, and say whether it has."""
        until, pause = time.monotonic() + seconds, 0.005
        while not self.ended():
            if time.monotonic() >= until:
                return False
            time.sleep(pause)
            pause = min(pause * 1.5, 0.05)
        return True

    def kill(self) -> None:
        """Kill it with all that it started, and reap it; also what is nobody's child any more, for the kernel, or who started it, has ended."""
        with self._guard:
            process.kill_tree(self._process)
            known: set[int] = set()  # what cannot be killed is not tried again, nor what forks faster than it is killed for ever
            for _ in range(_ROUNDS):
                if not (orphans := bearers(f"{_MARK}={self._directory}") - known):
                    break
                kill_processes(orphans)
                known |= orphans

    def close(self) -> None:
        """Kill it and remove its directory."""
        self.kill()
        self._clean_up()

    def _clean_up(self) -> None:
        with suppress(OSError):
            os.close(self._log)
        shutil.rmtree(self._directory, ignore_errors=True)


def _private_directory(host: Host) -> str:
    """Make a directory for one kernel: in the user's runtime directory, which nothing cleans, else in the temporary one."""
    runtime = host.environ.get("XDG_RUNTIME_DIR")
    for parent in (runtime, None):
        if parent is None or (os.path.isabs(parent) and os.access(parent, os.W_OK | os.X_OK)):
            try:
                return os.path.realpath(tempfile.mkdtemp(prefix="envkit-kernel-", dir=parent))
            except OSError as error:
                if parent is None:
                    raise machine_error(error, Path(tempfile.gettempdir())) from error
    raise AssertionError  # the last parent either gave a directory or raised


def _connection(directory: str, transport: Transport | None) -> dict[str, str | int]:
    """Return what the connection file says."""
    place = os.path.join(directory, "s")
    if transport is None:
        transport = "ipc" if _has_sockets(place) else "tcp"
    ports = list(range(1, len(_CHANNELS) + 1)) if transport == "ipc" else _free_ports(len(_CHANNELS))
    return {
        **{f"{channel}_port": port for channel, port in zip(_CHANNELS, ports, strict=True)},
        "transport": transport,
        "ip": place if transport == "ipc" else "127.0.0.1",
        "key": secrets.token_hex(32),
        "signature_scheme": "hmac-sha256",
    }


def _has_sockets(place: str) -> bool:
    """Say whether sockets can be made there: the path is short enough, and the file system and the platform have them."""
    if sys.platform == "win32" or len(os.fsencode(place)) > _LONGEST_SOCKET:
        return False
    try:
        with socket.socket(socket.AF_UNIX) as trial:
            trial.bind(place)
        os.unlink(place)
    except OSError:
        return False
    return True


def _free_ports(count: int) -> list[int]:
    """Return ports that are free now; all are taken at once, so that they differ."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]
    finally:
        for one in sockets:
            one.close()


def _write_private(path: str, text: str) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as stream:
        stream.write(text)
