"""What activating a conda environment changes, as data: by the files of its prefix, without conda and, but for scripts, without a shell.

The variables are those that conda sets, so that a `conda deactivate` in a shell started with them works. What conda takes from its own
configuration (`changeps1`, `env_prompt`, `envvars_force_uppercase`) is left at CEP 32's word: names and values as they are written.
Nothing is ever pasted into a command, so no value can run or spoil another one. Only scripts of `activate.d` need a shell; see
`activating_scripts`.

Source: CEP 32 ("etc/conda/*.d directories", "conda-meta/state"); conda's activate.py for PATH and the CONDA_ variables.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, TypeGuard

from ..formats import conda_meta
from ..models.activation import Activation
from ..system.look import Look

if TYPE_CHECKING:
    from pathlib import Path

    from ..host import Host
    from ..models.environment import Environment

ACTIVATE: Final = "activate.d"
DEACTIVATE: Final = "deactivate.d"
_STATE: Final = "state"
_LIMIT: Final = 1024 * 1024  # bytes of a file of variables or of a script
_NOT_SET: Final = "***unset***"  # conda's word for "nothing, although a package sets it"
_MSYS: Final = ("ucrt64", "clang64", "mingw64", "clangarm64")
_RESERVED: Final = frozenset({"PATH", "CONDA_PREFIX", "CONDA_SHLVL", "CONDA_DEFAULT_ENV", "CONDA_PROMPT_MODIFIER"})
_UNSET: Final = frozenset({"VIRTUAL_ENV", "VIRTUAL_ENV_PROMPT", "PYTHONHOME"})  # of a virtual environment that is active outside
_SAVED: Final = "__CONDA_SHLVL_"  # how the names begin under which conda keeps what a variable was before
_NEUTRAL: Final = frozenset(  # variables that make a machine and a user, but no environment
    {
        *("PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "CONDA_EXE", "CONDA_PYTHON_EXE"),
        *("SYSTEMROOT", "SYSTEMDRIVE", "COMSPEC", "PATHEXT", "TEMP", "TMP", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outside:
    """The conda environment that is active where the call is made; level 0 if none is."""

    prefix: str | None
    level: int


def activation(env: Environment, host: Host) -> Activation:
    """Return what activating an environment changes, with what its own scripts do.

    Raises:
        DeadlineError: its scripts do not end. MachineError: no shell runs them.
    """
    from .activating_scripts import with_scripts  # noqa: PLC0415 - few environments have any

    data = by_data(env, host)
    outside = _outside(host.environ)
    leaving: tuple[str, ...] = ()
    if outside.level and outside.prefix:
        leaving = scripts(host.path(outside.prefix), DEACTIVATE, _extension(host), host)
    entering = scripts(env.prefix, ACTIVATE, _extension(host), host)
    return with_scripts(data, env.prefix, leaving, entering, host) if leaving or entering else data


def lasting(env: Environment, host: Host, *, run: bool = True) -> Activation:
    """Return what activating an environment changes, whoever does it: what a kernelspec keeps.

    Args:
        run: with what its scripts do; without, no process is started.
    """
    neutral = {name: value for name, value in host.environ.items() if name.upper() in _NEUTRAL or name.startswith("LC_")}
    found = (activation if run else by_data)(env, replace(host, environ=neutral))
    return replace(found, assign={name: value for name, value in found.assign.items() if not name.startswith(_SAVED)})


def digest_of_scripts(env: Environment, host: Host) -> str:
    """Return a digest of the scripts that activation would run, by their content; an empty text where there is none."""
    found = scripts(env.prefix, ACTIVATE, _extension(host), host)
    if not found:
        return ""
    look, digest = Look(host), hashlib.sha256()
    for script in found:
        digest.update(os.path.basename(script).encode("utf-8", "surrogateescape") + b"\0")
        digest.update((look.data(script, _LIMIT) or b"") + b"\0")
    return digest.hexdigest()


def by_data(env: Environment, host: Host) -> Activation:
    """Return what activating an environment changes, without its scripts: by reading a few small files."""
    look = Look(host)
    prefix, root, outside = host.shown(env.prefix), _installation(env.prefix, look), _outside(host.environ)
    again = bool(outside.level) and outside.prefix == prefix  # conda calls that "reactivate"
    variables = _variables(env.prefix, look)
    name = _default_name(env.prefix, root, prefix)
    if again:
        name = host.environ.get("CONDA_DEFAULT_ENV") or name
    assign = {
        "CONDA_PREFIX": prefix,
        "CONDA_SHLVL": str(outside.level + (not again)),
        "CONDA_DEFAULT_ENV": name,
        "CONDA_PROMPT_MODIFIER": f"({name}) ",
        **variables,
    }
    if not again:
        taken = (variable for variable in variables if variable in host.environ)
        assign |= {f"{_SAVED}{outside.level}_{variable}": host.environ[variable] for variable in taken}
        if outside.level and outside.prefix:
            assign[f"CONDA_PREFIX_{outside.level}"] = outside.prefix
    unset: frozenset[str] = _UNSET
    first = list(_directories(env.prefix, look))
    if root is not None:
        assign |= _of_conda(root, host)
        unset |= {"_CE_M", "_CE_CONDA"} & host.environ.keys()
        separator = ";" if look.windows else ":"
        if not outside.level and not any(part.endswith("condabin") for part in host.environ.get("PATH", "").split(separator)):
            first.append(root / "condabin")
    return Activation(prepend_path=tuple(first), assign=assign, unset=unset - assign.keys())


def scripts(prefix: Path, directory: str, extension: str, host: Host) -> tuple[str, ...]:
    """Return the paths of the scripts of one kind that an environment has, in the order in which they are to be run.

    Args:
        directory: ACTIVATE, or DEACTIVATE, whose scripts run in reverse.
        extension: of the shell: ".sh", ".fish", ".csh", ".ps1", ".bat".
    """
    look = Look(host)
    place = os.path.join(prefix, "etc", "conda", directory)
    found = sorted(os.path.join(place, name) for name in look.names(place) if name.endswith(extension))
    found = [path for path in found if look.is_file(path)]
    return tuple(reversed(found) if directory == DEACTIVATE else found)


def _extension(host: Host) -> str:
    return ".bat" if host.platform == "win32" else ".sh"


def _outside(environ: Mapping[str, str]) -> _Outside:
    level = environ.get("CONDA_SHLVL", "").strip()
    number = int(level) if level.isdecimal() and len(level) < 4 else 0
    return _Outside(prefix=environ.get("CONDA_PREFIX") or None, level=number)


def _directories(prefix: Path, look: Look) -> tuple[Path, ...]:
    """Return the directories that come first on PATH."""
    if not look.windows:
        return (prefix / "bin",)
    library = prefix / "Library"
    there = [library / name / "bin" for name in _MSYS if look.is_directory(str(library / name))]
    return (prefix, *there[:1], library / "mingw-w64" / "bin", library / "usr" / "bin", library / "bin", prefix / "Scripts", prefix / "bin")


def _installation(prefix: Path, look: Look) -> Path | None:
    """Return the prefix of the conda that an environment is used with; None without any.

    That is the one whose shell functions are loaded, the environment itself, the one it lies in, the one on PATH, the one that made it.
    """
    return next((root for root in _installations(prefix, look) if look.is_file(str(_program(root, look)))), None)


def _installations(prefix: Path, look: Look) -> Iterator[Path]:
    environ, host = look.host.environ, look.host
    if stated := environ.get("CONDA_EXE"):
        yield host.path(stated).parent.parent
    yield prefix
    if prefix.parent.name == "envs":
        yield prefix.parent.parent
    for part in environ.get("PATH", "").split(";" if look.windows else ":"):
        if part.rpartition("\\" if look.windows else "/")[2] in {"bin", "condabin", "Scripts"} and os.path.isabs(part):
            yield host.path(part).parent
    words = conda_meta.creation(look.text(str(prefix / conda_meta.DIRECTORY / conda_meta.HISTORY), conda_meta.HISTORY_LIMIT) or "")
    if words and os.path.isabs(words[0]):
        yield host.path(words[0]).parent.parent


def _program(root: Path, look: Look) -> Path:
    return root / "Scripts" / "conda.exe" if look.windows else root / "bin" / "conda"


def _of_conda(root: Path, host: Host) -> dict[str, str]:
    """Return the variables by which scripts find conda."""
    look = Look(host)
    program = host.shown(_program(root, look))
    python = host.environ.get("CONDA_PYTHON_EXE") if host.environ.get("CONDA_EXE") == program else None
    own = root / "python.exe" if look.windows else root / "bin" / "python"
    return {
        "CONDA_EXE": program,
        "_CONDA_EXE": program,
        "CONDA_PYTHON_EXE": python or host.shown(own),
        "_CONDA_ROOT": host.shown(root),
    }


def _default_name(prefix: Path, root: Path | None, shown: str) -> str:
    if prefix == root:
        return "base"
    return prefix.name if prefix.parent.name == "envs" else shown


def _variables(prefix: Path, look: Look) -> dict[str, str]:
    """Return the variables that packages and the user set in an environment, the user's last; what cannot be read sets none."""
    directory = os.path.join(prefix, "etc", "conda", "env_vars.d")
    found: dict[str, object] = {}
    for name in look.names(directory):
        found |= _object(look, os.path.join(directory, name))
    state = _object(look, os.path.join(prefix, conda_meta.DIRECTORY, _STATE)).get("env_vars")
    found |= state if _is_object(state) else {}
    return {name: str(value) for name, value in found.items() if _can_be_set(name, value)}


def _can_be_set(name: str, value: object) -> bool:
    plain = isinstance(value, str | int | float) and value != _NOT_SET and "\0" not in str(value)
    return plain and bool(name) and not any(sign in name for sign in "=\0") and name.upper() not in _RESERVED


def _object(look: Look, path: str) -> dict[str, object]:
    """Return the object of a JSON file; an empty one where there is none."""
    try:
        found: object = json.loads(look.text(path, _LIMIT) or "{}")
    except (ValueError, RecursionError):
        return {}
    return found if _is_object(found) else {}


def _is_object(value: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)
