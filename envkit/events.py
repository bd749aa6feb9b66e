"""What a slow verb says while it works: on the thread that works, one at a time, in order, secrets masked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

Activity: TypeAlias = Literal["find", "resolve", "download", "build", "install", "create", "register", "prove", "wait", "run", "remove"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """An activity began. `parent` is the id of the one it is part of; `total` counts `unit`s, where known."""

    id: int
    parent: int | None
    activity: Activity
    text: str
    total: int | None = None
    unit: Literal["", "bytes", "packages", "files"] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """So much of it is done."""

    id: int
    done: int
    total: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """A line that a tool said."""

    id: int
    line: str
    stream: Literal["stdout", "stderr"] = "stdout"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """An activity ended. `text` says what came of it, or, for a locator, what was skipped and why."""

    id: int
    ok: bool
    seconds: float
    text: str = ""


Event: TypeAlias = Started | Progress | Output | Finished
Reporter: TypeAlias = Callable[[Event], None]
