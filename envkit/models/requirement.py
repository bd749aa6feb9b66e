"""`Req`: what may be asked of PyPI. A module of its own, because a real union at run time needs `packaging.requirements`."""

from __future__ import annotations

from os import PathLike
from typing import TypeAlias

from packaging.requirements import Requirement

from .specs import Project

Req: TypeAlias = str | Requirement | PathLike[str] | Project
