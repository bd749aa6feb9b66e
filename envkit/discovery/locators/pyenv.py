"""pyenv and pyenv-virtualenv: what lies in `versions` below pyenv's root.

Marks: the place: `$PYENV_ROOT`, `$PYENV`, or `~/.pyenv` (`~/.pyenv/pyenv-win` on Windows). A version is a plain interpreter in a
directory of its own name; pyenv-virtualenv keeps environments in `versions/<version>/envs/<name>` and links each in `versions`.
Files read: as for any interpreter; `pyvenv.cfg` of its environments. Place in the table: before `venv` and `path`, for its Pythons
are also on PATH, and only the place tells whose they are. Its shims are scripts that start many processes; they are never looked
at, so a version that is installed but not chosen is found like any other. Limits: a conda installation below `versions` is of kind
"conda", and so of another locator's manager.
"""

from __future__ import annotations

import ntpath
import os
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ..installations import installation, installation_at
from ..virtual import virtual

if TYPE_CHECKING:
    from ...models.environment import Environment
    from ...system.look import Look

NAME: Final = "pyenv"
KINDS: Final = frozenset({"interpreter", "venv", "conda"})


def candidates(look: Look, roots: tuple[str, ...]) -> Iterator[str]:
    """Yield the directories of `versions`, newest first."""
    directory = _versions(look)
    for name in sorted(look.names(directory), key=_numbers, reverse=True):
        if not name.startswith("."):
            yield os.path.join(directory, name)


def identify(look: Look, candidate: str) -> Environment | None:
    """Return the interpreter of a version, or an environment of pyenv-virtualenv, if the path lies in `versions`."""
    versions = _versions(look)
    found = virtual(look, candidate)
    if found is not None:
        prefix = str(found.prefix)
        return replace(found, manager=NAME, name=found.prefix.name) if _is_own(versions, prefix) and found.manager != "envkit" else None
    candidate = look.tidy(candidate)
    installed = installation_at(look, candidate) if look.is_directory(candidate) else installation(look, candidate)
    if installed is None or os.path.dirname(str(installed.prefix)) != versions or installed.kind != "interpreter":
        return None
    return replace(installed, manager=NAME, name=installed.prefix.name)


def _is_own(versions: str, prefix: str) -> bool:
    """Say whether a virtual environment is one of pyenv-virtualenv: linked in `versions`, or in `envs` of a version."""
    parent = os.path.dirname(prefix)
    return parent == versions or (os.path.basename(parent) == "envs" and os.path.dirname(os.path.dirname(parent)) == versions)


def _versions(look: Look) -> str:
    def find() -> str:
        for variable in ("PYENV_ROOT", "PYENV"):
            stated = look.host.environ.get(variable, "")
            if ntpath.isabs(stated) if look.windows else stated.startswith("/"):
                return os.path.join(str(look.host.path(stated.rstrip("/\\") or stated)), "versions")
        inner = ("pyenv-win",) if look.windows else ()
        return os.path.join(str(look.host.home), ".pyenv", *inner, "versions")

    return look.remember("pyenv", find)


def _numbers(name: str) -> tuple[list[int], str]:
    """Return what sorts 3.9.18 before 3.12.1, and other names by themselves."""
    return [int(part) for part in name.split(".") if part.isascii() and part.isdigit()], name
