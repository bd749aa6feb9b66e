"""What an installer is doing, from the lines it says: hints for people. What became of it is read from the disk."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

if TYPE_CHECKING:
    from ..control import Task, Work
    from ..events import Activity

_PHASES: tuple[tuple[Activity, re.Pattern[str]], ...] = (
    ("download", re.compile(r"^\s*Downloading (?P<what>\S+)")),
    (
        "build",
        re.compile(r"^\s*(?:Building (?!wheels for collected)|Installing build dependencies: started|Preparing metadata)(?P<what>[^:]*)"),
    ),
    (
        "install",
        re.compile(r"^(?:(?:Prepared|Installed) \d+ packages? in|Installing collected packages: (?P<what>.*)|Uninstalling (?P<gone>\S+))"),
    ),
)
_RAW = re.compile(r"^Progress (?P<done>\d+) of (?P<total>\d+)$")
_TEXTS: dict[Activity, str] = {"download": "downloading", "build": "building", "install": "installing packages", "remove": "uninstalling"}


class Phases:
    """Tells a work's reporter the phases of an installer, one open at a time. For `with`; `line` hears each line."""

    def __init__(self, work: Work, mask: Callable[[str], str], first: Activity, text: str) -> None:
        """Begin with one activity, as soon as it is entered."""
        self._work = work
        self._mask = mask
        self._first = first, text
        self._open: AbstractContextManager[Task] | None = None
        self._task: Task | None = None
        self._activity: Activity = first

    def __enter__(self) -> Self:
        self._begin(*self._first)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._end(kind, error, trace)

    def line(self, line: str, stream: Literal["stdout", "stderr"]) -> None:
        """Hear a line: it may begin another phase; it is passed on with its secrets masked."""
        if raw := _RAW.match(line):
            if self._task is not None:
                self._task.progress(int(raw["done"]), int(raw["total"]))
            return
        for activity, pattern in _PHASES:
            if self._first[0] != "remove" and (match := pattern.match(line)):
                self._switch(activity, (match.groupdict().get("what") or "").strip())
                break
        if self._task is not None and line.strip():
            self._task.output(self._mask(line), stream)

    def _switch(self, activity: Activity, what: str) -> None:
        """End the open phase and begin the next; each download is one of its own, so that its bytes can be counted."""
        if activity == self._activity and activity != "download":
            return
        self._end(None, None, None)
        self._activity = activity
        self._begin(activity, self._mask(f"downloading {what}" if activity == "download" and what else _TEXTS[activity]))

    def _begin(self, activity: Activity, text: str) -> None:
        self._open = self._work.task(activity, text, unit="bytes" if activity == "download" else "")
        self._task = self._open.__enter__()

    def _end(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        opened, self._open, self._task = self._open, None, None
        if opened is not None:
            opened.__exit__(kind, error, trace)
