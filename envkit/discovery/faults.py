"""What is wrong with a virtual environment, as its files show it."""

from __future__ import annotations

import ntpath
import os
from typing import TYPE_CHECKING

from ..formats import pyvenv_cfg
from ..layout import bin_name
from ..models.environment import Environment, Problem
from ..system.spelling import within
from . import binaries
from .bases import Inside, agrees, home_of, minors_in
from .executables import interpreters_in

if TYPE_CHECKING:
    from ..system.look import Look

_REPLACED = frozenset("$`'\"")  # by a shell


def problem_of(look: Look, prefix: str, keys: dict[str, str] | None, inside: Inside, base: Environment | None) -> Problem | None:
    """Return what is wrong with an environment that is not half made; None when it is whole."""
    anew = "make the environment anew"
    if keys is None or "home" not in keys:
        return Problem(code="config-unreadable", message=f"{within(prefix, pyvenv_cfg.NAME)} cannot be read or names no home", hint=anew)
    home = home_of(look, prefix, keys)
    if base is None and not (home and interpreters_in(look, home)):
        return Problem(
            code="base-missing",
            message=f"the Python it was made from is gone: {keys['home']}",
            hint=f"install that Python again, or {anew}",
        )
    if not inside.there:
        if inside.python is not None and look.link(inside.python) is not None:
            return Problem(code="python-dangling", message=f"{inside.python} is a link to nothing", hint=anew)
        return Problem(code="python-missing", message="it has no Python executable", hint=anew)
    if inside.python and look.link(inside.python) is None:
        if binaries.is_script(look.data(inside.python, 2) or b""):
            return Problem(code="shim", message=f"{inside.python} is a script, not an interpreter", hint=anew)
        if not look.windows and (status := look.status(inside.python)) is not None and not status.st_mode & 0o111:
            message = f"{inside.python} is not executable"
            return Problem(code="python-unusable", message=message, hint=f"make it executable (chmod +x), or {anew}")
    if base is not None and not agrees(look, base, inside):
        made, now = ", ".join(minors_in(look, prefix)), base.version
        return Problem(
            code="base-changed",
            message=f"its packages are for {made}, its Python is {now} now",
            hint=f"install that Python again, or {anew}",
        )
    if (stated := _stated_place(look, prefix, keys)) and _is_elsewhere(look, stated, prefix):
        return Problem(
            code="moved",
            message=f"it was made at {stated}, which its scripts still name",
            hint=f"move it back, or {anew} where it is to be",
            severity="warning",
        )
    return None


def _stated_place(look: Look, prefix: str, keys: dict[str, str]) -> str | None:
    """Return where the environment says it lies, by its activation script or the command that made it; None when it does not."""
    text = look.text(os.path.join(prefix, bin_name(look.host.platform), "activate"), 64 * 1024)
    for after in (text or "").split("VIRTUAL_ENV=")[1:]:
        value = after.partition("\n")[0].strip().strip("'\"")
        if _is_plain_path(look, value):
            return value
    _, found, arguments = keys.get("command", "").partition(" -m venv ")
    value = arguments[arguments.find(" /") + 1 :] if found and not arguments.startswith("/") else arguments
    return value if text is None and _is_plain_path(look, value) else None


def _is_plain_path(look: Look, text: str) -> bool:
    """Say whether this is an absolute path without anything that a shell would replace."""
    return (ntpath.isabs(text) if look.windows else text.startswith("/")) and _REPLACED.isdisjoint(text)


def _is_elsewhere(look: Look, stated: str, prefix: str) -> bool:
    if stated == prefix:
        return False
    there, here = look.status(look.place(stated)), look.status(prefix)
    return here is not None and (there is None or (there.st_dev, there.st_ino) != (here.st_dev, here.st_ino))
