"""A kernel that runs: its process and the conversation with it, started, restarted and stopped as one thing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..errors import KernelError, UsageError
from . import causes
from .child import Child, Transport

if TYPE_CHECKING:
    from ..control import Cancel, Work
    from ..models.cells import Output, Result
    from .client import Client
    from .launch import Launch

STARTUP: Final = 60.0  # seconds that a kernel has to answer when the call sets no shorter time
_GOODBYE: Final = 2.0  # seconds that a kernel has to end by itself
_TRIES: Final = 3  # starts, where another program takes a port between its choice and its use


class Running:
    """A running kernel. `interrupt` may be called from any thread at any time; `run` and `restart` wait for one another."""

    def __init__(self, launch: Launch, *, cwd: Path, work: Work, transport: Transport | None = None) -> None:
        """Start it and wait until it answers.

        Raises:
            KernelError: it does not start; the code is the cause, `stderr` the end of what it said.
            DeadlineError, CancelledError: as the call says; nothing of it is left.
        """
        self._launch, self._cwd, self._host = launch, cwd, work.host
        self._transport: Transport | None = transport
        self._turn = threading.RLock()
        self._runner: int | None = None  # the thread whose cell runs
        self._closed = False
        self._child, self._client = self._start(work)

    def _start(self, work: Work) -> tuple[Child, Client]:
        for attempt in range(1, _TRIES + 1):
            child = Child(self._launch, cwd=self._cwd, host=self._host, transport=self._transport)
            client: Client | None = None
            try:
                from .client import Client as Connected  # noqa: PLC0415 - it takes a third of a second, in which the kernel starts already

                client = Connected(child)
                client.wait_ready(STARTUP, work)
            except BaseException as error:
                said, code = child.said(), child.returncode
                if client is not None:
                    client.close()
                child.close()
                if isinstance(error, KernelError) and error.code == "died":
                    error = causes.died(self._launch, code, said)
                    if attempt < _TRIES and causes.is_address_taken(error):
                        continue
                    raise error from None
                raise
            return child, client
        raise AssertionError  # the last try either returned or raised

    def run(
        self,
        code: str,
        *,
        timeout: float | None = None,
        cancel: Cancel | None = None,
        on_output: Callable[[Output], None] | None = None,
    ) -> Result:
        """Run a cell; see `Client.run` for the errors."""
        self._refuse_nested()
        with self._turn:
            self._refuse_closed()
            self._runner = threading.get_ident()
            try:
                return self._client.run(code, timeout=timeout, cancel=cancel, on_output=on_output)
            finally:
                self._runner = None

    @property
    def info(self) -> Mapping[str, Any]:
        """What the kernel said of itself when it was ready: the content of its kernel_info_reply."""
        return self._client.info

    def interrupt(self) -> None:
        """Interrupt the cell that runs; nothing happens where none does."""
        if not self._closed:
            self._client.interrupt()

    def restart(self, work: Work) -> None:
        """Kill the kernel, also while a cell runs in another thread, and start a new one in its place."""
        self._refuse_nested()
        self._refuse_closed()
        self._child.kill()
        with self._turn:
            self._refuse_closed()
            self._closed = True  # until the new one answers
            self._client.close()
            self._child.close()
            self._child, self._client = self._start(work)
            self._closed = False

    def close(self) -> None:
        """Ask it to end, then kill what is left of it and of all it started; its directory goes, too."""
        with self._turn:
            if self._closed:
                return
            self._closed = True
            try:
                if not self._child.ended():
                    self._client.ask_to_end()
                    self._child.wait(_GOODBYE)
            finally:
                self._child.kill()
                self._client.close()
                self._child.close()

    def _refuse_nested(self) -> None:
        if self._runner == threading.get_ident():
            raise UsageError(
                "a cell of this session runs on this thread already", code="session-busy", hint="on_output may not run another cell"
            )

    def _refuse_closed(self) -> None:
        if self._closed:
            raise UsageError("this session has ended", code="session-closed", hint="open a new one")
