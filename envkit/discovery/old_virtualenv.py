"""Environments that virtualenv made before version 20: a copied executable, links to the standard library, and no `pyvenv.cfg`.

`lib/python3.8/orig-prefix.txt` names the base. What such an environment says is given in the keys of `pyvenv.cfg`, so that it is
understood like any other.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..layout import bin_name
from ..system.spelling import within
from . import binaries
from .executables import interpreters_in, read_name

if TYPE_CHECKING:
    from ..system.look import Look

_MARK = "orig-prefix.txt"
_LIMIT = 16 * 1024  # bytes; a path is shorter
_WHOLE = 256 * 1024  # bytes; a smaller executable takes its Python from the base's library, and so the base's version


def is_old(look: Look, prefix: str) -> bool:
    """Say whether a directory is such an environment."""
    return bool(keys_of(look, prefix))


def keys_of(look: Look, prefix: str) -> dict[str, str]:
    """Return what a new virtualenv would have written into `pyvenv.cfg`; empty where this is no such environment."""
    scripts = os.path.join(prefix, bin_name(look.host.platform))
    inside = look.contents(prefix)
    if inside and not look.windows and "bin" not in inside:
        return {}
    if not look.holds(scripts, "activate_this.py"):
        return {}
    return look.remember(("old virtualenv", prefix), lambda: _read(look, prefix, scripts))


def _read(look: Look, prefix: str, scripts: str) -> dict[str, str]:
    library = os.path.join(prefix, "Lib" if look.windows else "lib")
    for directory in ("",) if look.windows else look.names(library):
        base = (look.text(os.path.join(library, directory, _MARK), _LIMIT) or "").strip()
        if not base:
            continue
        keys = {"home": base if look.windows else f"{base}/bin", "virtualenv": "before 20"}
        parts = read_name(directory)
        if parts is not None and (version := _own_version(look, scripts, parts.number)) is not None:
            keys["version"] = version
        return keys
    return {}


def _own_version(look: Look, scripts: str, minor: str) -> str | None:
    """Return the version of the copied executable, where that holds the interpreter; it stays when the base is upgraded."""
    for name in interpreters_in(look, scripts):
        status = look.status(path := within(scripts, name))
        if status is not None and look.link(path) is None:
            return binaries.version_inside(look, path, minor) if status.st_size > _WHOLE else None
    return None
