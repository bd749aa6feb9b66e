"""Jupyter's kernelspecs: the environments that kernels point at, wherever those lie.

Marks: the first word of a kernel's command, an absolute path to an interpreter. Files read: `kernel.json` in the directories that
Jupyter searches (`$JUPYTER_PATH`, `$JUPYTER_DATA_DIR` or the platform's own, `/usr/local/share`, `/usr/share`). Place in the table: late,
and it claims nothing: what the environment is, other locators say; without it, one that no tool's place holds would be missed. Limits:
kernels inside an environment are found with that; a kernel whose environment is gone is told of by the kernels' own doctor.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ...system.spelling import name_of, within
from ..executables import read_name
from ..places import at_home, children, listed, placed, stated, user_data

if TYPE_CHECKING:
    from ...models.environment import Environment
    from ...system.look import Look

NAME: Final = "jupyter"
KINDS: Final = frozenset({"interpreter", "venv", "conda"})

_LIMIT = 1024 * 1024  # bytes; a larger file is no kernelspec
_KERNELS = 500  # kernelspecs of one directory that are read


def candidates(look: Look, roots: tuple[str, ...]) -> Iterator[str]:
    """Yield the interpreters that kernels are started with, by directory and name of the kernel."""
    for directory in _directories(look):
        for kernel in list(children(look, within(directory, "kernels")))[:_KERNELS]:
            if (python := _python(look, within(kernel, "kernel.json"))) is not None:
                yield python


def identify(look: Look, candidate: str) -> Environment | None:
    """Claim nothing."""
    return None


def _directories(look: Look) -> Iterator[str]:
    yield from listed(look, "JUPYTER_PATH")
    mac = at_home(look, "Library", "Jupyter")
    usual = mac if look.host.platform == "darwin" else user_data(look, "jupyter")
    yield stated(look, "JUPYTER_DATA_DIR") or (os.path.join(stated(look, "APPDATA") or at_home(look), "jupyter") if look.windows else usual)
    if not look.windows:
        yield from (look.place("/usr/local/share/jupyter"), look.place("/usr/share/jupyter"))


def _python(look: Look, path: str) -> str | None:
    """Return the interpreter that a kernel is started with; None when it is none, or the file cannot be read."""
    data = look.data(path, _LIMIT)
    if data is None or b"argv" not in data:
        return None
    from ...formats import kernel_json  # noqa: PLC0415 - only where there are kernels

    try:
        command = kernel_json.load(data).argv[0]
    except (ValueError, RecursionError):
        return None
    found = placed(look, command)
    return found if found is not None and read_name(name_of(found), windows=look.windows) is not None else None
