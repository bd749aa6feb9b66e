"""What a cell that ran in a kernel gave: its outputs, in order, and whether it went well."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from .mapping import freeze
from .showing import shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One output of a cell: `text` for people, `data` by MIME type."""

    kind: Literal["stdout", "stderr", "display", "result", "error"]
    text: str
    data: Mapping[str, str]

    def __post_init__(self) -> None:
        """Keep the mapping immutable."""
        freeze(self, mappings=("data",))

    _repr_mimebundle_ = shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a cell gave. `seconds` is its run time; `ok` is False after an error or an interrupt."""

    outputs: tuple[Output, ...]
    ok: bool
    seconds: float

    def __post_init__(self) -> None:
        """Keep the outputs as a tuple."""
        freeze(self, tuples=("outputs",))

    @property
    def text(self) -> str:
        """All outputs as people would read them, one after the other."""
        return "".join(output.text for output in self.outputs)

    _repr_mimebundle_ = shown
