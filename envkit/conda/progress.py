"""What the embedded engine is doing, from the lines of its child process: one activity at a time, for the reporter of the call."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

if TYPE_CHECKING:
    from ..control import Task, Work
    from ..events import Activity

_TEXTS: dict[Activity, str] = {"resolve": "resolving", "download": "downloading packages", "install": "linking packages"}
_UNITS: dict[Activity, Literal["bytes", "packages"]] = {"download": "bytes", "install": "packages"}


class Phases:
    """Tells a work's reporter of the phases, one open at a time. For `with`; `line` hears each line of the child."""

    def __init__(self, work: Work) -> None:
        """Begin with nothing."""
        self._work = work
        self._open: AbstractContextManager[Task] | None = None
        self._task: Task | None = None
        self._total: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._end(kind, error, trace)

    def line(self, line: str, stream: Literal["stdout", "stderr"]) -> None:
        """Hear a line: it begins a phase, or says how far it is. Others, such as the result, are passed over."""
        if stream == "stdout" and line.startswith(('{"phase"', '{"done"')):
            said: dict[str, Any] = json.loads(line)
            if "phase" in said:
                self._end(None, None, None)
                self._begin(said["phase"], said.get("total"))
            if "done" in said and self._task is not None:
                self._task.progress(said["done"], self._total)

    def _begin(self, activity: Activity, total: int | None) -> None:
        self._total = total
        self._open = self._work.task(activity, _TEXTS[activity], total=total, unit=_UNITS.get(activity, ""))
        self._task = self._open.__enter__()

    def _end(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        opened, self._open, self._task = self._open, None, None
        if opened is not None:
            opened.__exit__(kind, error, trace)
