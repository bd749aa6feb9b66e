"""Compiling the Python modules of noarch packages, which come without bytecode.

Left out by default: with it making `python pip` takes ten times as long and `python pip ipykernel` twenty-five times, and most
modules are never imported; Python writes bytecode itself for those that are. `ENVKIT_CONDA_COMPILE` says `on` where environments are
read-only afterwards or many processes start at once, or `background` to go on while a process with low priority does it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..errors import UsageError
from ..system.process import run_process, start_service

if TYPE_CHECKING:
    from ..control import Work
    from .request import Outcome

VARIABLE: Final = "ENVKIT_CONDA_COMPILE"
_RUNNING: list[object] = []
"""Processes in the background, kept so that nobody takes them for forgotten; they end by themselves, and are reaped with this one."""
_WAYS: Final = ("off", "background", "on")
_LOWER: Final = "import os; getattr(os, 'nice', int)(19); import sys, compileall; compileall.main()"


def compile_all(prefix: Path, outcome: Outcome, *, work: Work, descriptors: Collection[int] = ()) -> None:
    """Compile what was linked, as `ENVKIT_CONDA_COMPILE` says.

    Raises:
        UsageError: it says something else.
    """
    way = work.host.environ.get(VARIABLE, "off").lower() or "off"
    if way not in _WAYS:
        raise UsageError(f"{VARIABLE} is {way!r}", code="compile", hint=f"say one of {', '.join(_WAYS)}")
    python = prefix / ("python.exe" if sys.platform == "win32" else "bin/python")
    if way == "off" or not any(package.subdir == "noarch" for package in outcome.linked) or not python.exists():
        return
    argv = [str(python), "-I", "-S", "-c", _LOWER, "-q", "-q", "-j", "0", *_directories(prefix)]
    environ = {name: value for name, value in work.host.environ.items() if not name.startswith("PYTHON")}
    if way == "background":
        with open(os.devnull, "w", encoding="utf-8") as nothing:
            _RUNNING.append(start_service(argv, environ=environ, cwd=prefix, output=nothing.fileno()))
        return
    with work.task("build", "compiling Python modules"):  # a module that cannot be compiled is none that this Python imports
        run_process(argv, work=work, environ=environ, cwd=prefix, descriptors=descriptors)


def _directories(prefix: Path) -> list[str]:
    if sys.platform == "win32":
        return [str(prefix / "Lib" / "site-packages")]
    return [str(path) for path in sorted((prefix / "lib").glob("python3*/site-packages"))]
