"""What has an interpreter's name and is none: shims, which pick an interpreter, and stubs, which offer to install one.

They are told as broken interpreters with what to do instead, so that whoever sees them on PATH learns why they will not do. None is
run: which Python a shim picks depends on where one stands, and a stub opens a window.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..models.environment import Environment, Problem
from ..system.spelling import parent_of
from .executables import interpreters_in

if TYPE_CHECKING:
    from ..system.look import Look


def shims_in(look: Look, directory: str, manager: str | None) -> Environment | None:
    """Return the shims of one directory as one broken interpreter, the others as its aliases; None when there is none."""
    from pathlib import Path  # noqa: PLC0415 - values only

    names = interpreters_in(look, directory)
    if not names:
        return None
    tool = manager or "a version manager"
    problem = Problem(
        code="shim",
        message=f"{os.path.join(directory, names[0])} picks an interpreter by the rules of {tool}, it is none itself",
        hint="ask for a version, such as 3.12, or name the interpreter that it picks",
    )
    first, *others = (Path(directory, name) for name in names)
    return Environment(prefix=Path(directory), kind="interpreter", manager=manager, python=first, aliases=tuple(others), problem=problem)


def stub(look: Look, python: str, manager: str, *, message: str, hint: str, others: tuple[str, ...] = ()) -> Environment:
    """Return an executable that only offers to install a Python as a broken interpreter."""
    from pathlib import Path  # noqa: PLC0415 - values only

    directory = parent_of(python)
    prefix = directory if look.windows else parent_of(directory)
    return Environment(
        prefix=Path(prefix),
        kind="interpreter",
        manager=manager,
        python=Path(python),
        aliases=tuple(map(Path, others)),
        problem=Problem(code="stub", message=message, hint=hint),
    )
