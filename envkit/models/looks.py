"""What looking tells besides the environments: which one is used, and what changed since the last look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .environment import Environment
from .showing import shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The environment that a project, directory or script uses, and why."""

    environment: Environment
    reason: str

    _repr_mimebundle_ = shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A difference between two looks at the machine."""

    kind: Literal["added", "removed", "changed"]
    environment: Environment

    _repr_mimebundle_ = shown
