"""What a project's own files point at: `.venv`, a script's environment, `.python-version`, the active one of several environments.

Sources: the `.venv` file of virtualenv and of PEP 832's draft; pyenv and uv for `.python-version`; Poetry's `envs.toml`;
the project table of pyproject.toml (PEP 621).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..formats import uv_digest
from .projects import toml, value_in
from .selection import sort_key

if TYPE_CHECKING:
    from ..host import Host
    from ..models.environment import Environment
    from ..system.look import Look

BESIDE: Final = ".venv"
PINNED: Final = ".python-version"
_SMALL: Final = 64 * 1024  # bytes


def beside(look: Look, directory: str, at: Callable[[str], Environment | None]) -> Environment | None:
    """Return the environment in `.venv` of a directory, or that the file `.venv` names; `at` tells what is at a path."""
    path = os.path.join(directory, BESIDE)
    if look.is_directory(path):
        return at(path)
    text = (look.text(path, _SMALL) or "").strip() if look.is_file(path) else ""
    return at(named(text, directory, look.host)) if os.sep in text and "\n" not in text else None


def named(text: str, directory: str, host: Host) -> str:
    """Return the path that a project's file means: absolute, from the home, from the project, or a command on PATH."""
    if text.startswith(("/", "~/", "~\\")) or text == "~" or text[1:3] in {":\\", ":/"}:
        return str(host.path(text))
    if os.sep not in text and not text.startswith("."):
        for entry in host.environ.get("PATH", "").split(os.pathsep):
            if entry.startswith("/") and os.path.isfile(found := os.path.join(str(host.path(entry)), text)):
                return found
    return os.path.normpath(os.path.join(directory, text))


def pins(look: Look, path: str) -> list[str]:
    """Return what a `.python-version` asks for, the preferred first; empty when there is none."""
    lines = (line.partition("#")[0].split() for line in (look.text(path, _SMALL) or "").splitlines())
    return [name for words in lines for name in words]


def of_script(look: Look, script: str) -> str | None:
    """Return where uv keeps the environment of a PEP 723 script; None where it has none, or nobody can tell."""
    if look.windows:
        return None  # its caches are there, but a path is hashed in another way
    host = look.host
    stated, shared = host.environ.get("UV_CACHE_DIR", ""), host.environ.get("XDG_CACHE_HOME", "")
    usual = look.place(shared) if shared.startswith("/") else os.path.join(str(host.home), ".cache")
    cache = look.place(stated) if stated.startswith("/") else os.path.join(usual, "uv")
    ends = tuple(uv_digest.digest(host.shown(Path(path))) for path in (script, look.real(script)))
    for bucket in reversed(look.names(cache)):
        if bucket.startswith("environments-v"):
            for name in look.names(os.path.join(cache, bucket)):
                if name.endswith(ends):
                    return os.path.join(cache, bucket, name)
    return None


def requires_python(look: Look, path: str) -> str | None:
    """Return the range of Pythons that a pyproject.toml allows; None where it says none that can be read."""
    stated = value_in(toml(look, path), "project", "requires-python")
    return stated if isinstance(stated, str) else None


def preferred(look: Look, kept: Sequence[Environment]) -> Environment | None:
    """Return which of a tool's environments for one project the tool itself would take.

    Poetry notes the active one in `envs.toml`; Hatch and pixi call theirs "default"; else the newest that is whole.
    """
    for env in kept:
        stem, _, minor = env.prefix.name.rpartition("-py")
        if minor and value_in(toml(look, os.path.join(env.prefix.parent, "envs.toml")), stem, "minor") == minor:
            return env
    so_named = [env for env in kept if "default" in {env.name, env.prefix.name}]
    return min(so_named or kept, key=lambda env: (env.problem is not None, sort_key(env)), default=None)
