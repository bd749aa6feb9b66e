"""Kernels of Jupyter, and what proves one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from packaging.version import Version

from .environment import Environment, Problem
from .showing import shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What a cell executed in the kernel said. `seconds` is from the kernel's start to its answer."""

    seconds: float
    prefix: Path
    version: Version
    text: str

    _repr_mimebundle_ = shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """A kernelspec tied to an environment. `path` is the kernelspec's directory; `owned` means that envkit wrote it."""

    name: str
    display_name: str
    path: Path
    environment: Environment | None = None
    owned: bool = False
    problem: Problem | None = None
    proof: Proof | None = None

    def __str__(self) -> str:
        return f"{self.display_name} [{self.name}]"

    _repr_mimebundle_ = shown
