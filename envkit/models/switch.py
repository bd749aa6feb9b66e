"""What became of the wish to move a notebook to another kernel."""

from __future__ import annotations

from dataclasses import dataclass

from .showing import shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """Whether the notebook moves by itself, and what is to be known or done. `instructions` are lines for people, never empty."""

    done: bool
    instructions: str

    def __str__(self) -> str:
        return self.instructions

    _repr_mimebundle_ = shown
