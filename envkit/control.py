"""What every slow verb takes, the helper that gives it, and `Work`: one call's deadline, cancel, reporter and host."""

from __future__ import annotations

import functools
import itertools
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, Protocol, TypedDict, TypeVar

from .errors import CancelledError, DeadlineError, EnvkitError, UsageError
from .host import Host

if TYPE_CHECKING:
    from inspect import Signature

    from .events import Activity, Event, Reporter

P = ParamSpec("P")
R = TypeVar("R")


class Cancel(Protocol):
    """A threading.Event is one."""

    def is_set(self) -> bool: ...


class Control(TypedDict, total=False):
    """Keywords of every verb that can be slow (PEP 692). `help(verb)` shows them one by one; an unknown one is a TypeError.

    report: hears every event. Absent: the cell's display in a notebook, else silent. None: silent. What it raises cancels the call.
    cancel: once it is set, process trees are killed and CancelledError is raised.
    timeout: seconds for the whole call.
    offline: use what is on this machine already.
    host: the outside world; None is this machine.
    """

    report: Reporter | None
    cancel: Cancel | None
    timeout: float | None
    offline: bool
    host: Host | None


_DEFAULTS: dict[str, object] = {"report": None, "cancel": None, "timeout": None, "offline": False, "host": None}


def takes_control(verb: Callable[P, R]) -> Callable[P, R]:
    """Give a verb that has `**control: Unpack[Control]` its keywords: unknown ones are refused at once, `help` shows each."""
    code = verb.__code__
    allowed = frozenset((*code.co_varnames[: code.co_argcount + code.co_kwonlyargcount], *_DEFAULTS))

    @functools.wraps(verb)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        if unknown := [name for name in kwargs if name not in allowed]:
            raise TypeError(f"{verb.__name__}() got an unexpected keyword argument {unknown[0]!r}")
        return verb(*args, **kwargs)

    checked.__dict__["__wrapped__"] = _Shown(verb)
    return checked


class _Shown:
    """What `inspect.signature` finds behind a verb: the signature with all keywords, made when it is asked for, for `inspect` is slow."""

    def __init__(self, verb: Callable[..., object]) -> None:
        self.__wrapped__ = verb

    @property
    def __signature__(self) -> Signature:
        import inspect  # noqa: PLC0415 - only for help and completion

        signature = inspect.signature(self.__wrapped__)
        own = [parameter for parameter in signature.parameters.values() if parameter.kind is not inspect.Parameter.VAR_KEYWORD]
        shared = [
            inspect.Parameter(
                name, inspect.Parameter.KEYWORD_ONLY, default=_DEFAULTS[name], annotation=getattr(kind, "__forward_arg__", kind)
            )
            for name, kind in Control.__annotations__.items()
        ]
        return signature.replace(parameters=[*own, *shared])


class Task:
    """One activity that was started; what it says is told to the reporter of its `Work`."""

    def __init__(self, work: Work, number: int) -> None:
        """Belong to `work`; `text` is what `Finished` will say."""
        self._work = work
        self.number = number
        self.text = ""

    def progress(self, done: int, total: int | None = None) -> None:
        """Say how much of it is done."""
        if self._work.is_heard:
            from .events import Progress  # noqa: PLC0415 - most calls are silent, and four values take milliseconds to define

            self._work.tell(Progress(id=self.number, done=done, total=total))

    def output(self, line: str, stream: Literal["stdout", "stderr"] = "stdout") -> None:
        """Pass on a line that a tool said; secrets are masked by whoever read it."""
        if self._work.is_heard:
            from .events import Output  # noqa: PLC0415 - as above

            self._work.tell(Output(id=self.number, line=line, stream=stream))


class Work:
    """What one call has to spend and to whom it talks. Made once per verb and passed down, so that time is counted once."""

    def __init__(
        self,
        *,
        host: Host | None = None,
        report: Reporter | None = None,
        cancel: Cancel | None = None,
        timeout: float | None = None,
        offline: bool = False,
    ) -> None:
        """Start the clock. `timeout` is in seconds and may not be negative."""
        if timeout is not None and not timeout >= 0:
            raise UsageError(f"timeout is {timeout!r}", code="timeout", hint="give seconds, 0 or more, or None to wait without end")
        self.host = host if host is not None else Host.current()
        self.offline = offline
        self.timeout = timeout
        self.deadline = None if timeout is None else time.monotonic() + timeout
        self._report = report
        self._cancel = cancel
        self._failure: BaseException | None = None
        self._numbers = itertools.count(1)
        self._open: list[int] = []

    @classmethod
    def of(cls, control: Control) -> Work:
        """Make the work of a verb from its keywords; without `report` the default reporter hears it."""
        given: dict[str, Any] = dict(control)
        if "report" not in given:
            given["report"] = default_reporter()
        return cls(**given)

    def quiet(self) -> Work:
        """Return work with the same clock, cancel and host that reports nothing, for another thread."""
        other = Work(host=self.host, cancel=self, offline=self.offline)
        other.timeout, other.deadline = self.timeout, self.deadline
        return other

    def is_set(self) -> bool:
        """Say whether this call was cancelled; so a `Work` is a `Cancel` itself."""
        return self._failure is not None or (self._cancel is not None and self._cancel.is_set())

    def remaining(self) -> float | None:
        """Return the seconds left, never negative; None without a deadline."""
        return None if self.deadline is None else max(0.0, self.deadline - time.monotonic())

    def expired(self) -> bool:
        """Say whether time is up."""
        return self.deadline is not None and time.monotonic() >= self.deadline

    def check(self) -> None:
        """Raise CancelledError or DeadlineError when the call should end; to be called between steps."""
        if self.is_set():
            raise self.cancelled()
        if self.expired():
            raise self.late()

    def cancelled(self) -> CancelledError:
        """Return the error for a cancelled call; its cause is what the reporter raised, where it did."""
        error = CancelledError("cancelled" if self._failure is None else f"cancelled: the reporter raised {self._failure!r}")
        error.__cause__ = self._failure
        return error

    def late(self, output: str = "") -> DeadlineError:
        """Return the error for a call whose time is up."""
        within = "in time" if self.timeout is None else f"within {self.timeout:g} seconds"  # a step may have a deadline of its own
        return DeadlineError(f"not done {within}", output=output, hint="give a longer timeout=; what was half made is built anew then")

    @property
    def is_heard(self) -> bool:
        """Whether anybody hears of this call."""
        return self._report is not None and self._failure is None

    def tell(self, event: Event) -> None:
        """Give an event to the reporter. What it raises cancels the call, and is not raised a second time while that unwinds."""
        if self._report is None or self._failure is not None:
            return
        try:
            self._report(event)
        except Exception as failure:
            self._failure = failure
            raise self.cancelled() from failure

    @contextmanager
    def task(
        self,
        activity: Activity,
        text: str,
        *,
        total: int | None = None,
        unit: Literal["", "bytes", "packages", "files"] = "",
    ) -> Generator[Task]:
        """Tell when an activity starts and ends, nested in the one that is open; cancellation is checked before it starts."""
        self.check()
        number, parent = next(self._numbers), self._open[-1] if self._open else None
        task, began = Task(self, number), time.monotonic()
        if self.is_heard:
            from .events import Started  # noqa: PLC0415 - as above

            self.tell(Started(id=number, parent=parent, activity=activity, text=text, total=total, unit=unit))
        self._open.append(number)
        ok = False
        try:
            yield task
            ok = True
        except EnvkitError as error:
            task.text = task.text or str(error)
            raise
        finally:
            self._open.remove(number)
            if self.is_heard:
                from .events import Finished  # noqa: PLC0415 - as above

                self.tell(Finished(id=number, ok=ok, seconds=time.monotonic() - began, text=task.text))

    def past(self, activity: Activity, text: str, *, seconds: float, ok: bool = True, result: str = "") -> None:
        """Tell of an activity that is over already, as part of the one that is open."""
        if not self.is_heard:
            return
        from .events import Finished, Started  # noqa: PLC0415 - as above

        number, parent = next(self._numbers), self._open[-1] if self._open else None
        self.tell(Started(id=number, parent=parent, activity=activity, text=text))
        self.tell(Finished(id=number, ok=ok, seconds=seconds, text=result))


def joined(*cancels: Cancel | None) -> Cancel:
    """Return a Cancel that is set as soon as one of those given is."""
    return _Joined(tuple(cancel for cancel in cancels if cancel is not None))


class _Joined:
    def __init__(self, cancels: tuple[Cancel, ...]) -> None:
        self._cancels = cancels

    def is_set(self) -> bool:
        return any(cancel.is_set() for cancel in self._cancels)


def default_reporter() -> Reporter | None:
    """Return who hears a call that names no reporter: the cell's display where a notebook's cell makes the call, else nobody."""
    if "IPython" not in sys.modules:
        return None
    from .display import cell_reporter  # noqa: PLC0415 - only in a kernel

    return cell_reporter()
