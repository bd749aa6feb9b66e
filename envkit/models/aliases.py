"""`StrPath` and `Env`: what may be given where a path or an environment is wanted."""

from __future__ import annotations

from os import PathLike
from typing import TypeAlias

from .environment import Environment

StrPath: TypeAlias = str | PathLike[str]
Env: TypeAlias = Environment | StrPath
