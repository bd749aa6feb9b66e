"""Talk to a running kernel: ready, run a cell, interrupt by message, ask it to end. The one module that knows jupyter_client.

jupyter_client's Session makes and checks the messages; the sockets are plain ones, polled on the thread that calls. So there is no
event loop to collide with the caller's, and cancel, deadline and the kernel's death are seen within a twentieth of a second.

Source: "Messaging in Jupyter" (jupyter-client.readthedocs.io).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import zmq
from jupyter_client.session import Session

from ..errors import CancelledError, DeadlineError
from ..models.cells import Result
from . import causes
from .outputs import Cell

if TYPE_CHECKING:
    from ..control import Cancel, Work
    from ..models.cells import Output
    from .child import Child

_TICK: Final = 0.05  # seconds between two looks at cancel, deadline and the process
_AGAIN: Final = 0.5  # seconds after an interrupt until the kernel is asked whether it is through; twice that until the next one
_EARLY: Final = 0.1  # seconds after its beginning in which ipykernel may still lose an interrupt
_LATE: Final = 0.3  # seconds that a cell's last messages have after a later request was answered
_GRACE: Final = 5.0  # seconds that a cell has to end after an interrupt
_RECONNECT: Final = 20  # milliseconds between two tries to reach a socket that the kernel has not made yet


@dataclass(slots=True)
class _Interrupts:
    """The interrupts of one cell."""

    at: float | None = None  # when the last one came
    told: float | None = None  # when the kernel was told last, before the cell had begun
    owed: int = 0  # how often the kernel is still to be told, for the cell had hardly begun
    questions: set[str] = field(default_factory=set[str])  # requests after it
    overdue: float | None = None  # one of them was answered: when what is still on its way counts as lost


class Client:
    """A conversation with one kernel. One thread at a time; `interrupt_by_message` alone may be called from any."""

    def __init__(self, child: Child) -> None:
        """Connect; the kernel need not be there yet."""
        self._child = child
        self._context = zmq.Context()
        self._session: Any = Session(key=str(child.connection["key"]).encode())
        self._poller = zmq.Poller()
        self._shell = self._socket(zmq.DEALER, "shell")
        self._stdin = self._socket(zmq.DEALER, "stdin")
        self._iopub = self._socket(zmq.SUB, "iopub")
        self._iopub.setsockopt(zmq.SUBSCRIBE, b"")
        for one in (self._shell, self._stdin, self._iopub):
            self._poller.register(one, zmq.POLLIN)
        self._cell: Cell | None = None  # the one that runs
        self._interrupts = _Interrupts()
        self.info: dict[str, Any] = {}  # what the kernel said of itself when it was ready

    def _socket(self, kind: int, channel: str) -> zmq.Socket[bytes]:
        one = self._context.socket(kind)
        one.setsockopt(zmq.LINGER, 0)
        one.setsockopt(zmq.RECONNECT_IVL, _RECONNECT)
        one.setsockopt(zmq.RCVHWM, 0)  # or a cell that says much loses some of it
        if kind == zmq.DEALER:
            one.setsockopt(zmq.IDENTITY, self._session.bsession)  # the answer to input() must come from who asked
        ip, port = self._child.connection["ip"], self._child.connection[f"{channel}_port"]
        one.connect(f"ipc://{ip}-{port}" if self._child.connection["transport"] == "ipc" else f"tcp://{ip}:{port}")
        return one

    def wait_ready(self, seconds: float, work: Work) -> None:
        """Wait until the kernel answers and its outputs reach us.

        Raises:
            KernelError: it ended, or did not answer within `seconds`. DeadlineError, CancelledError: as the call says.
        """
        until, again = time.monotonic() + seconds, 0.0
        replied = heard = False
        while not (replied and heard):
            if self._child.ended():
                self._child.kill()
                raise self._died()
            work.check()
            if time.monotonic() >= until:
                raise causes.late(seconds, self._child.said())
            if not again or (replied and time.monotonic() >= again):  # each request makes it say something on iopub
                self._send(self._shell, "kernel_info_request", {})
                again = time.monotonic() + _TICK
            for channel, message in self._received():
                if channel == "shell" and message["msg_type"] == "kernel_info_reply":
                    self.info, replied = message["content"], True
                heard = heard or channel == "iopub"

    def _died(self) -> Exception:
        return causes.ended(self._child.returncode, self._child.said())

    def run(self, code: str, *, timeout: float | None, cancel: Cancel | None, on_output: Callable[[Output], None] | None) -> Result:
        """Run a cell to its end.

        Raises:
            DeadlineError: it was interrupted after `timeout` seconds; `output` is what it had said.
            CancelledError: it was interrupted because `cancel` was set. KernelError: the kernel ended.
        """
        began = time.monotonic()
        until = None if timeout is None else began + timeout
        if self._cell is not None:  # it did not end when it was interrupted
            self._follow(self._cell, until, cancel, timeout)
        self._interrupts = _Interrupts()
        content: dict[str, Any] = {
            "code": code,
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": True,
        }
        request: dict[str, Any] = self._session.msg("execute_request", content=content)
        cell = self._cell = Cell(str(request["header"]["msg_id"]), on_output)  # from here on an interrupt is meant for it
        self._session.send(self._shell, request)
        try:
            self._follow(cell, until, cancel, timeout)
        except BaseException:
            self._give_up(cell)
            raise
        self._cell = None
        return Result(outputs=cell.outputs(), ok=cell.ok, seconds=time.monotonic() - began)

    def _follow(self, cell: Cell, until: float | None, cancel: Cancel | None, timeout: float | None) -> None:
        """Take messages until the cell is done, or raise why that is not waited for."""
        while not cell.done:
            took = self._take(cell)
            if cancel is not None and cancel.is_set():
                raise CancelledError("cancelled while the cell ran", hint="the cell was interrupted; the kernel still runs")
            if until is not None and time.monotonic() >= until and not cell.done:
                raise DeadlineError(
                    f"the cell was not done within {timeout:g} seconds",
                    output=cell.text(),
                    hint="it was interrupted; give a longer timeout=",
                )
            if not took and self._child.ended():
                self._child.kill()
                raise self._died()

    def _take(self, cell: Cell) -> bool:
        """Take the messages that are there, or wait a moment for one; say whether there was any."""
        took = False
        for channel, message in self._received():
            took = True
            parent = message["parent_header"].get("msg_id")
            if channel == "stdin" and message["msg_type"] == "input_request":
                self._send(self._stdin, "input_reply", {"value": ""}, parent=message)  # nobody is there to type
            elif parent == cell.request:
                cell.take(message["msg_type"], message["content"])
            elif channel == "shell" and parent in self._interrupts.questions:
                self._interrupts.overdue = self._interrupts.overdue or time.monotonic() + _LATE
        self._child.trim()
        self._mind_interrupts(cell)
        return took

    def _mind_interrupts(self, cell: Cell) -> None:
        """Undo what interrupting a kernel at a bad moment does.

        One that is about to begin with the cell does not hear it: it is told a little later, and then once more. One that is about to
        end the cell may lose what it wanted to say, that it is idle, too. Requests are answered in order: when a later one is answered
        the cell is over, whatever was lost.
        """
        if self._interrupts.at is None:
            return
        now = time.monotonic()
        if self._interrupts.owed and not cell.replied and now >= self._next_signal(cell):
            if cell.started is None:
                self._interrupts.told = now  # a kernel that is so slow to begin may not have heard it: it is still owed
            else:
                self._interrupts.owed -= 1
            self._signal()
        if self._interrupts.overdue is not None:
            if now >= self._interrupts.overdue:
                cell.end()
        elif now >= self._interrupts.at + _AGAIN * (1 + len(self._interrupts.questions)):
            self._interrupts.questions.add(self._send(self._shell, "kernel_info_request", {}))

    def _give_up(self, cell: Cell) -> None:
        """Interrupt a cell until it is done, for a while; a kernel that has ended, or does not listen, is left as it is."""
        until, again = time.monotonic() + _GRACE, 0.0
        cell.mute()
        while not cell.done and not self._child.ended():
            now = time.monotonic()
            if now >= until:
                return
            if now >= again and self._interrupts.overdue is None:
                self.interrupt()
                again = now + 2 * _AGAIN
            self._take(cell)
        self._cell = None

    def interrupt(self) -> None:
        """Interrupt the cell that runs, in the way that the kernelspec says; one that has not begun, when it does. From any thread."""
        cell = self._cell
        if cell is None or cell.replied:
            return  # between two cells it would do harm: ipykernel may end by it
        self._interrupts.at = time.monotonic()
        if cell.started is None or self._interrupts.at < cell.started + _EARLY:
            self._interrupts.owed = 2
        else:
            self._signal()

    def _next_signal(self, cell: Cell) -> float:
        """Return when to tell the kernel of an interrupt that came early: when the cell's own code must be running, then a second later.

        As long as the kernel does not say that it has begun, it is told again and again.
        """
        assert self._interrupts.at is not None
        if cell.started is None:
            return (self._interrupts.told or self._interrupts.at) + _AGAIN
        begun = cell.started + _EARLY
        return begun if self._interrupts.owed > 1 else begun + 2 * _AGAIN

    def _signal(self) -> None:
        if self._child.interrupt_mode == "signal":
            self._child.interrupt()
        else:
            self._request_on_control("interrupt_request", {})

    def ask_to_end(self) -> None:
        """Ask the kernel to end; it need not hear."""
        self._request_on_control("shutdown_request", {"restart": False}, linger=200)

    def _request_on_control(self, kind: str, content: Mapping[str, Any], *, linger: int = 1000) -> None:
        """Send a request over a socket of its own, which a second thread may do while the first one polls the others."""
        with suppress(zmq.ZMQError):  # it was closed meanwhile: there is nothing left to ask
            control = self._socket(zmq.DEALER, "control")
            control.setsockopt(zmq.LINGER, linger)
            try:
                self._send(control, kind, content)
            finally:
                control.close()

    def close(self) -> None:
        """Close the sockets and end zmq's threads."""
        for one in (self._shell, self._stdin, self._iopub):
            self._poller.unregister(one)
            one.close(linger=0)
        self._context.term()

    def _send(self, to: zmq.Socket[bytes], kind: str, content: Mapping[str, Any], parent: Mapping[str, Any] | None = None) -> str:
        message: dict[str, Any] = self._session.msg(kind, content=dict(content), parent=dict(parent) if parent else None)
        self._session.send(to, message)
        return str(message["header"]["msg_id"])

    def _received(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the messages that have come, waiting a moment for the first; what is not signed by the kernel is passed over."""
        names = {self._shell: "shell", self._stdin: "stdin", self._iopub: "iopub"}
        for one, _ in self._poller.poll(int(_TICK * 1000)):
            for _ in range(100):  # then look at cancel and deadline, however much it says
                try:
                    _, message = self._session.recv(one, mode=zmq.NOBLOCK)
                except (ValueError, TypeError, KeyError):
                    continue
                if message is None:
                    break
                yield names[one], message


def interrupt_event() -> object:
    """Return a Windows event by which a kernel can be interrupted, to be told to it when it starts."""
    from jupyter_client.win_interrupt import create_interrupt_event  # noqa: PLC0415 - only Windows needs it

    return create_interrupt_event()


def send_interrupt(event: object) -> None:
    """Set a Windows event that `interrupt_event` gave."""
    from jupyter_client.win_interrupt import send_interrupt as send  # noqa: PLC0415 - only Windows needs it

    send(event)
