"""What a project's own files point at: `.venv`, a script's environment, `.python-version`, the active one of several environments;
and what was recorded or set for it by hand.

Sources: the `.venv` file of virtualenv and of PEP 832's draft; pyenv and uv for `.python-version`; Poetry's `envs.toml`;
the project table of pyproject.toml (PEP 621).
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..errors import MachineError
from ..formats import uv_digest
from .places import listed
from .projects import toml, value_in
from .selection import sort_key

if TYPE_CHECKING:
    from ..host import Host
    from ..models.environment import Environment
    from ..system.look import Look

BESIDE: Final = ".venv"
PINNED: Final = (".python-version", ".python-versions")  # uv knows the second one, too
ALSO: Final = ("venv", "env", ".env", ".virtualenv")  # what people call an environment beside their files
OF_PDM: Final = ".pdm-python"
_STATE_LIMIT: Final = 16 * 1024 * 1024  # bytes; a larger file is none of ours
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


def choices(path: Path) -> dict[str, str]:
    """Return what was recorded: the real path of a project, and the executable or prefix chosen for it.

    Raises:
        MachineError: the record is there but cannot be read; it is not taken for an empty one, which would be written over it.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise MachineError(f"cannot read {path}: {error.strerror}", code="no-permission", hint="look at its permissions") from error
    with open(descriptor, "rb") as stream:
        data = stream.read(_STATE_LIMIT)
    with suppress(ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {str(key): str(value) for key, value in json.loads(data)["choices"].items()}
    return {}  # damaged beyond reading: there is nothing left in it to lose


def variables(host: Host, folder: str) -> dict[str, str]:
    """Return what VS Code puts in for the variables in the settings of a folder."""
    return {
        **{f"env:{name}": value for name, value in host.environ.items()},
        **dict.fromkeys(("workspaceFolder", f"workspaceFolder:{os.path.basename(folder)}", "workspaceRoot", "pythonProject"), folder),
        "userHome": str(host.home),
        "cwd": folder,
        "pathSeparator": os.sep,
        "/": os.sep,
    }


def pinning(look: Look, directory: str) -> str:
    """Return the path of the file that pins a directory's Python; where there is none, of the one that would."""
    paths = [os.path.join(directory, name) for name in PINNED]
    return next((path for path in paths if look.is_file(path)), paths[0])


def on_path(look: Look) -> str | None:
    """Return the first Python on PATH that is no version manager's shim, as pyenv's `system` means it."""
    for directory in listed(look, "PATH"):
        for name in ("python", "python3") if os.path.basename(directory) != "shims" else ():
            if look.is_file(path := os.path.join(directory, name)):
                return path
    return None


def of_pdm(look: Look, directory: str) -> str | None:
    """Return the interpreter that `.pdm-python` names; None where there is no such file, or nothing in it."""
    text = (look.text(path, _SMALL) or "").strip() if look.is_file(path := os.path.join(directory, OF_PDM)) else ""
    return named(text, directory, look.host) if os.sep in text and "\n" not in text else None


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
