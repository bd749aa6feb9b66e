"""Live progress in the cell of a notebook that runs a slow verb, with the log of the tools folded below it.

It is what hears a call that names no reporter, where that call was made by a cell: in the main thread of a Jupyter kernel. There is
no script in it: the output is replaced as a whole, by its display id, a few times a second. Nothing is shown for work that is done
at once, and nothing that goes wrong here ever harms the work: a display that fails falls silent.

Source: "Messaging in Jupyter", display_data and update_display_data (jupyter-client.readthedocs.io).
"""

from __future__ import annotations

import contextvars
import secrets
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final

from .events import Event, Finished, Output, Progress, Reporter, Started
from .markup import Words, bar, folded, framed, printable

_PATIENCE: Final = 0.4  # seconds after which work is slow enough to be shown
_BEAT: Final = 0.25  # seconds between two drawings
_KEPT: Final = 500  # lines of the log
_LONGEST: Final = 400  # characters of a line of it
_WIDTH: Final = "min(640px,100%)"

Publish = Callable[[Mapping[str, str], bool], None]
"""Shows a bundle: as new (False), or in place of the one before (True)."""


def cell_reporter() -> Reporter | None:
    """Return who shows progress in the cell that runs now; None outside of a kernel's main thread."""
    publish = _publisher()
    return None if publish is None else Display(publish)


def _publisher() -> Publish | None:
    """Return what shows a bundle in the output of the running cell; None where no cell runs in this thread."""
    shell = running_shell()
    if shell is None or threading.current_thread() is not threading.main_thread():
        return None
    context, name = contextvars.copy_context(), f"envkit-{secrets.token_hex(8)}"

    def publish(bundle: Mapping[str, str], again: bool) -> None:  # noqa: FBT001 - as the protocol's own word
        # in the context of the cell, also from another thread: that is how the kernel knows whose output it is
        context.copy().run(shell.display_pub.publish, dict(bundle), {}, transient={"display_id": name}, update=again)

    return publish


def running_shell() -> Any:
    """Return the shell of the Jupyter kernel that this process is; None where it is none. Imports nothing: a kernel has IPython."""
    find = getattr(sys.modules.get("IPython"), "get_ipython", None)
    shell = None if find is None else find()
    if getattr(shell, "kernel", None) is None or not hasattr(getattr(shell, "display_pub", None), "publish"):
        return None
    return shell


class Display:
    """A reporter that draws what it hears. Events come on the thread that works; a second one moves the clock meanwhile."""

    def __init__(self, publish: Publish, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with nothing shown; `clock` gives seconds."""
        self._publish = publish
        self._clock = clock
        self._lock = threading.Lock()
        self._scene = Scene()
        self._shown = False
        self._drawn = 0.0
        self._dead = False
        self._idle: threading.Event | None = None

    def __call__(self, event: Event) -> None:
        """Hear an event."""
        with self._lock:
            self._scene.hear(event, self._clock())
            if self._scene.works and self._idle is None:
                self._idle = threading.Event()
                threading.Thread(target=self._keep_moving, args=(self._idle,), name="envkit-display", daemon=True).start()
            elif not self._scene.works:
                if self._idle is not None:
                    self._idle.set()
                    self._idle = None
                if self._shown:
                    self._draw()

    def _keep_moving(self, idle: threading.Event) -> None:
        """Draw a few times a second until nothing is open any more."""
        wait = 0.0 if self._shown else max(0.0, _PATIENCE - (self._clock() - self._scene.began))
        while not idle.wait(wait):
            with self._lock:
                if not idle.is_set():
                    self._draw()
            wait = _BEAT

    def _draw(self) -> None:
        if self._dead:
            return
        try:
            self._publish(self._scene.bundle(self._clock()), self._shown)
            self._shown = True
        except Exception:  # noqa: BLE001 - a kernel that goes away, a front end that refuses: no work fails for its picture
            self._dead = True


class Scene:
    """What there is to draw: what is open, what was done, and the last lines that the tools said."""

    def __init__(self) -> None:
        """Begin empty."""
        self._open: dict[int, Started] = {}
        self._progress: dict[int, Progress] = {}
        self._done: list[tuple[Started, Finished]] = []
        self._log: deque[str] = deque(maxlen=_KEPT)
        self._lines = 0
        self._last = ""
        self.began = 0.0
        self._now = 0.0

    @property
    def works(self) -> bool:
        """Whether anything is open."""
        return bool(self._open)

    def hear(self, event: Event, now: float) -> None:
        """Take in an event at `now`, in seconds of a clock."""
        self._now = now
        if isinstance(event, Started):
            if not self._open and not self._done:
                self.began = now
            self._open[event.id] = event
            self._last = ""
            self._note(f"{'  ' * self._depth(event)}{event.text}")
        elif isinstance(event, Progress):
            self._progress[event.id] = event
        elif isinstance(event, Output):
            self._last = event.line.strip()
            self._note(f"    {event.line.rstrip()}")
        else:
            self._finish(event)

    def _finish(self, event: Finished) -> None:
        self._progress.pop(event.id, None)
        started = self._open.pop(event.id, None)
        if started is None:
            return
        self._last = ""
        if started.parent is None:
            self._done.append((started, event))
        if not event.ok:
            self._note(f"{'  ' * self._depth(started)}failed: {started.text}" + (f": {event.text}" if event.text else ""))
        elif event.seconds >= 1:
            self._note(f"{'  ' * self._depth(started)}done in {event.seconds:.1f} s: {started.text}")

    def _depth(self, event: Started) -> int:
        depth, parent = 0, event.parent
        while parent is not None and parent in self._open:
            depth, parent = depth + 1, self._open[parent].parent
        return depth

    def _note(self, line: str) -> None:
        self._log.append(line[:_LONGEST])
        self._lines += 1

    def bundle(self, now: float) -> dict[str, str]:
        """Return the picture at `now` as text and as HTML."""
        seconds = (now if self._open else self._now) - self.began
        return {"text/plain": self._text(seconds), "text/html": self._html(seconds)}

    def _title(self) -> str:
        """Return what the whole is about: what is open outermost; at the end what failed, the only activity, or all of them in a word each."""
        if self._open:
            return next(iter(self._open.values())).text
        failed = next((started for started, finished in self._done if not finished.ok), None)
        if failed is not None or len(self._done) == 1:
            return (failed or self._done[0][0]).text
        return ", ".join(dict.fromkeys(started.activity for started, _ in self._done))

    def _failed(self) -> bool:
        return not self._open and any(not finished.ok for _, finished in self._done)

    def _text(self, seconds: float) -> str:
        state = f"... {seconds:.0f} s" if self._open else f"{'failed after' if self._failed() else 'done in'} {seconds:.1f} s"
        return printable(f"{self._title()}: {state}")

    def _html(self, seconds: float) -> str:
        inner = next(reversed(self._open.values()), None)
        if inner is None:
            plate = Words("failed", "error") if self._failed() else Words("done", "good")
            body = _head(self._title(), f"{seconds:.1f} s", plate)
        else:
            body = _head(self._title(), f"{seconds:.0f} s", None) + self._bar(inner, seconds)
            outer = next(iter(self._open.values()))
            said = self._last or (inner.text if inner is not outer else "")
            body += f'<div style="overflow:hidden;text-overflow:ellipsis;white-space:nowrap">{Words(said[:_LONGEST] or " ", "quiet").html()}</div>'
        return framed(body + self._folded(), width=_WIDTH)

    def _bar(self, inner: Started, seconds: float) -> str:
        progress = self._progress.get(inner.id)
        total = (progress.total if progress is not None and progress.total else None) or inner.total
        if progress is None or not total:
            swing = seconds / 2 % 2  # there and back in four seconds
            return bar(None, at=swing if swing <= 1 else 2 - swing)
        return bar(progress.done / total)

    def _folded(self) -> str:
        left_out = self._lines - len(self._log)
        lines = [f"... {left_out} lines before", *self._log] if left_out else list(self._log)
        return folded(f"log, {self._lines} line{'' if self._lines == 1 else 's'}", "\n".join(lines))


def _head(title: str, seconds: str, plate: Words | None) -> str:
    mark = f"{plate.html()} " if plate else ""
    return (
        '<div style="display:flex;gap:12px;align-items:baseline">'
        f"<div>{mark}{Words(title, 'strong').html()}</div>"
        f'<div style="margin-left:auto;white-space:nowrap">{Words(seconds, "quiet").html()}</div></div>'
    )
