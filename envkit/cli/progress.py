"""What a slow command says while it works, on stderr: bars on a terminal where `rich` is installed, else plain lines."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from ..events import Event, Finished, Output, Progress, Reporter, Started

if TYPE_CHECKING:
    from argparse import Namespace

    from rich.progress import TaskID

    from ..control import Control

_WORKING = frozenset({"create", "install", "build", "download", "remove"})


class Heard:
    """A reporter that passes everything on and remembers whether anything was really done, and how long it took."""

    def __init__(self, further: Reporter) -> None:
        """Start the clock."""
        self._further = further
        self._began = time.monotonic()
        self.worked = False

    @property
    def seconds(self) -> float:
        """The seconds since it was made."""
        return time.monotonic() - self._began

    def __call__(self, event: Event) -> None:
        """Hear an event."""
        self.worked = self.worked or (isinstance(event, Started) and event.activity in _WORKING)
        self._further(event)


def control(options: Namespace, heard: Heard | None = None) -> Control:
    """Return the keywords that every slow verb takes; progress goes to stderr, so that stdout is the result alone."""
    return {"report": heard or reporter(), "timeout": options.timeout, "offline": options.offline}


def reporter() -> Reporter:
    """Return bars where stderr is a terminal and `rich` is there, else plain lines."""
    if not sys.stderr.isatty():
        return Lines()
    from importlib.util import find_spec  # noqa: PLC0415 - a terminal alone has bars

    return Bars() if find_spec("rich") is not None else Lines()


def printable(text: str) -> str:
    """Return a text with what would move the cursor made visible."""
    from ..markup import printable as call  # noqa: PLC0415 - looking at the machine shows no progress

    return call(text)


class Lines:
    """A line when an activity starts and, where it took a second or went wrong, one when it ends."""

    def __init__(self) -> None:
        """Begin with nothing open."""
        self._open: dict[int, Started] = {}

    def __call__(self, event: Event) -> None:
        """Write what is worth a line."""
        if isinstance(event, Started):
            self._open[event.id] = event
            if event.activity != "find":
                self._write(f"{event.text} ...")
        elif isinstance(event, Finished):
            started = self._open.pop(event.id, None)
            if started is not None and event.ok and event.seconds >= 1:
                self._write(f"{started.text}: done in {event.seconds:.1f} s")

    def _write(self, text: str) -> None:
        print(printable(text), file=sys.stderr, flush=True)


class Bars:
    """One bar per open activity, drawn by rich, with the tool's last line beside it; imported when work is slow, not before."""

    def __init__(self) -> None:
        """Begin with nothing drawn."""
        self._progress: Any = None
        self._bars: dict[int, TaskID] = {}
        self._texts: dict[int, str] = {}

    def __call__(self, event: Event) -> None:
        """Draw an event."""
        if isinstance(event, Started):
            if event.activity != "find":
                self._start(event)
        elif event.id not in self._bars:
            return
        elif isinstance(event, Progress):
            self._progress.update(self._bars[event.id], completed=event.done, total=event.total)
        elif isinstance(event, Output):
            line = printable(event.line.strip())[:60]
            self._progress.update(self._bars[event.id], description=self._escaped(f"{self._texts[event.id]}  {line}"))
        else:
            self._finish(event)

    def _start(self, event: Started) -> None:
        if self._progress is None:
            from rich.console import Console  # noqa: PLC0415 - only where a terminal is there and work is slow
            from rich.progress import (  # noqa: PLC0415 - as above
                BarColumn,
                Progress as Drawing,
                SpinnerColumn,
                TextColumn,
                TimeElapsedColumn,
            )

            self._progress = Drawing(
                SpinnerColumn(),
                TextColumn("{task.description}"),
                BarColumn(bar_width=20),
                TimeElapsedColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._progress.start()
        self._texts[event.id] = printable(event.text)
        self._bars[event.id] = self._progress.add_task(self._escaped(self._texts[event.id]), total=event.total)

    def _finish(self, event: Finished) -> None:
        self._progress.remove_task(self._bars.pop(event.id))
        if event.ok and event.seconds >= 1:
            self._progress.console.print(self._escaped(f"{self._texts[event.id]}: done in {event.seconds:.1f} s"), highlight=False)
        if not self._bars:
            self._progress.stop()
            self._progress = None

    @staticmethod
    def _escaped(text: str) -> str:
        from rich.markup import escape  # noqa: PLC0415 - rich is there by now

        return escape(text)
