"""What is a virtual environment and nothing else: asked before another tool's is removed.

Seen at the top of environments that were made and used: CPython's venv 3.8 to 3.14 (bin, include, lib, lib64, pyvenv.cfg,
.gitignore), virtualenv 16 to 21 (also CACHEDIR.TAG, local, man, pip-selfcheck.json, .Python), uv (also .lock), Poetry, PDM and
Hatch (virtualenv's), pip (share, etc, man, by what packages bring), virtualenvwrapper and Pipenv (.project), pipx
(pipx_metadata.json), Rye (rye-venv.json), tox (.tox-info.json, log, tmp). Not `src`, where pip keeps editable checkouts: that may
be somebody's work.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..layout import bin_name

if TYPE_CHECKING:
    from ..host import Host

OWN: Final = frozenset(
    {
        *("bin", "include", "lib", "lib64", "local", "share", "etc", "man", "pyvenv.cfg"),
        *(".gitignore", "CACHEDIR.TAG", ".lock", ".lock.holder", ".envkit", "pip-selfcheck.json", ".Python"),
        *(".project", "pipx_metadata.json", "rye-venv.json", ".tox-info.json", "log", "tmp"),
    }
)
OWN_ON_WINDOWS: Final = frozenset(name.lower() for name in OWN - {"bin"}) | {"scripts"}
_INTERPRETERS: Final = ("python", "python3", "pypy", "pypy3")


def strangers(prefix: Path, host: Host) -> tuple[str, ...] | None:
    """Return what lies at the top of `prefix` and belongs to no virtual environment.

    Returns:
        None where it is no virtual environment at all: a link, not a directory, without pyvenv.cfg, or without an entry for an
        interpreter (a dangling link is one). Else the names that are none of an environment's, sorted; mostly none.
    """
    place = str(prefix)
    windows = host.platform == "win32"
    if os.path.islink(place) or not os.path.isfile(os.path.join(place, "pyvenv.cfg")):
        return None
    programs = os.path.join(place, bin_name(host.platform))
    suffix = ".exe" if windows else ""
    if not any(os.path.lexists(os.path.join(programs, name + suffix)) for name in _INTERPRETERS):
        return None
    try:
        names = os.listdir(place)
    except OSError:
        return None
    return tuple(sorted(name for name in names if (name.lower() not in OWN_ON_WINDOWS if windows else name not in OWN)))
