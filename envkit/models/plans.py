"""What is to be done, and what was removed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .environment import Environment
from .kernels import Kernel
from .mapping import freeze
from .packages import Changes
from .showing import shown
from .specs import Lock, Spec


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to do: `action` for programs, `text` for people."""

    action: str
    text: str

    _repr_mimebundle_ = shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The steps from what is to what should be. False when there is nothing to do."""

    spec: Spec | None = None
    steps: tuple[Step, ...] = ()
    changes: Changes = Changes()  # noqa: RUF009 - a frozen value: one serves all
    lock: Lock | None = None
    environment: Environment | None = None
    key: str | None = None

    def __post_init__(self) -> None:
        """Keep the steps as a tuple."""
        freeze(self, tuples=("steps",))

    def __bool__(self) -> bool:
        return bool(self.steps)

    _repr_mimebundle_ = shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """What was, or would be, removed, and why that is allowed. `size` is in bytes; `done` is False after a dry run."""

    paths: tuple[Path, ...]
    kernels: tuple[Kernel, ...]
    size: int
    reason: str
    done: bool

    def __post_init__(self) -> None:
        """Keep lists as tuples."""
        freeze(self, tuples=("paths", "kernels"))

    _repr_mimebundle_ = shown
