r"""Shims: executables that pick an interpreter, as pyenv, asdf, mise, Rye, Scoop and the Python Install Manager put them on PATH.

Marks: an entry of PATH called `shims`, or the Install Manager's `Python\bin`. Files read: none. Place in the table: before `path`,
which passes such directories over. All of one directory are given as one broken interpreter (the others are its aliases) with
the problem "shim": what they pick depends on where one stands, and they are never run. What they can pick is found where it is
installed. Limits: a single script with an interpreter's name elsewhere on PATH is told only when it is asked about.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ...system.spelling import name_of, parent_of
from ..placeholders import shims_in
from ..places import listed, stated, user_data

if TYPE_CHECKING:
    from ...models.environment import Environment
    from ...system.look import Look

NAME: Final = "shims"
KINDS: Final = frozenset({"interpreter"})

_OWNERS = {"pyenv-win": "pyenv", "pyenv": "pyenv", "asdf": "asdf", "mise": "mise", "scoop": "scoop", "rye": "rye"}
_VARIABLES = {
    "PYENV_ROOT": "pyenv",
    "PYENV": "pyenv",
    "ASDF_DATA_DIR": "asdf",
    "MISE_DATA_DIR": "mise",
    "RYE_HOME": "rye",
    "SCOOP": "scoop",
}


def candidates(look: Look, roots: tuple[str, ...]) -> Iterator[str]:
    """Yield the directories of shims on PATH, in its order."""
    for directory in listed(look, "PATH"):
        if _is_shims(look, directory) and look.names(directory):
            yield directory


def identify(look: Look, candidate: str) -> Environment | None:
    """Return the shims of the directory that the path is or lies in."""
    candidate = look.tidy(candidate)
    for directory in (candidate, parent_of(candidate)):
        if _is_shims(look, directory):
            return shims_in(look, directory, _owner(look, directory))
    return None


def _is_shims(look: Look, directory: str) -> bool:
    return name_of(directory) == "shims" or directory == _install_manager(look)


def _install_manager(look: Look) -> str | None:
    return look.remember("install manager's shims", lambda: os.path.join(user_data(look, "Python"), "bin") if look.windows else None)


def _owner(look: Look, directory: str) -> str | None:
    """Return the manager whose shims these are; None where neither the place nor a variable tells."""
    if directory == _install_manager(look):
        return "pymanager"
    parent = parent_of(directory)
    for variable, manager in _VARIABLES.items():
        if stated(look, variable) == parent:
            return manager
    return _OWNERS.get(name_of(parent).lower().lstrip("."))
