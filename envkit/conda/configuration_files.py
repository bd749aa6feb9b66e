"""Where conda's and mamba's settings stand, in the order in which they count: files of the machine, of the installation, of the user,
of the environment, then variables.

Source: conda's base/constants.py (SEARCH_PATH) and common/configuration.py; mamba's configuration.cpp, which reads `.mambarc` beside each.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..errors import CorruptError
from ..formats import condarc
from ..formats.conda_meta import DIRECTORY
from ..formats.condarc import Setting
from .keys import ALIASES, DELIMITERS, KNOWN

if TYPE_CHECKING:
    from ..system.look import Look

_NAMES: Final = (".condarc", "condarc")
_DIRECTORY: Final = "condarc.d"
_MAMBA: Final = (".mambarc", "mambarc")
_PROGRAMS: Final = ("conda", "mamba", "micromamba")


def installation(look: Look) -> str | None:
    """Return the prefix of the conda or mamba that is installed here; None when there is none.

    What variables say counts first, then the programs on PATH. micromamba's is the prefix that holds its packages and environments.
    """
    environ = look.host.environ
    for name in ("CONDA_ROOT", "_CONDA_ROOT"):
        if (stated := environ.get(name)) and look.is_directory(place := look.place(stated)):
            return place
    for name in ("CONDA_EXE", "_CONDA_EXE", "MAMBA_EXE"):
        if (stated := environ.get(name)) and _is_prefix(look, above := os.path.dirname(os.path.dirname(look.place(stated)))):
            return above
    if (stated := environ.get("MAMBA_ROOT_PREFIX")) and look.is_directory(place := look.place(stated)):
        return place
    if active := environ.get("CONDA_PREFIX"):
        above, directory = os.path.split(os.path.dirname(look.place(active)))
        if directory == "envs" and _is_prefix(look, above):
            return above
    return next(_on_path(look), None)


def _on_path(look: Look) -> Iterator[str]:
    programs = [name + suffix for name in _PROGRAMS for suffix in ((".exe", ".bat") if look.windows else ("",))]
    for text in look.host.environ.get("PATH", "").split(";" if look.windows else ":"):
        above, name = os.path.split(look.place(text)) if text else ("", "")
        is_place = name.lower() in {"bin", "condabin", "scripts"} and _is_prefix(look, above)
        if is_place and any(look.is_file(os.path.join(above, name, program)) for program in programs):
            yield above


def _is_prefix(look: Look, prefix: str) -> bool:
    return look.is_directory(os.path.join(prefix, DIRECTORY))


def is_conda(look: Look, root: str) -> bool:
    """Say whether a prefix is an installation of conda, and not only a place of micromamba's."""
    places = ("condabin/conda", "condabin/conda.bat", "bin/conda", "Scripts/conda.exe")
    return any(look.is_file(os.path.join(root, *place.split("/"))) for place in places)


def files(look: Look, root: str | None, prefix: str | None) -> Iterator[str]:
    """Yield the configuration files that are there, those that count more last.

    Args:
        root: the installation of conda.
        prefix: the environment that is asked about, which may have some of its own; None is the active one.
    """
    for directory in _directories(look, root):
        yield from _files_in(look, directory)
    home = str(look.host.home)
    yield from _files_in(look, os.path.join(home, ".mamba"))
    yield from (path for name in (".condarc", ".mambarc") if look.is_file(path := os.path.join(home, name)))
    active = look.host.environ.get("CONDA_PREFIX")
    target = prefix or (look.place(active) if active else None)
    if target is not None and target != root:
        yield from _files_in(look, target)
    for variable in ("CONDARC", "MAMBARC"):
        if (stated := look.host.environ.get(variable)) and look.is_file(path := str(look.host.path(stated))):
            yield path


def _directories(look: Look, root: str | None) -> Iterator[str]:
    environ, home = look.host.environ, str(look.host.home)
    if look.windows:
        yield os.path.join(look.place(environ.get("PROGRAMDATA") or "C:\\ProgramData"), "conda")
    else:
        yield from map(look.place, ("/etc/conda", "/var/lib/conda"))
    if root is not None:
        yield root
    stated = environ.get("XDG_CONFIG_HOME", "")
    if stated and (look.place(stated)) != os.path.join(home, ".config"):
        yield os.path.join(look.place(stated), "conda")
    yield from (os.path.join(home, ".config", "conda"), os.path.join(home, ".conda"))


def _files_in(look: Look, directory: str) -> Iterator[str]:
    names = frozenset(look.names(directory))
    yield from (os.path.join(directory, name) for name in _NAMES if name in names and look.is_file(os.path.join(directory, name)))
    if _DIRECTORY in names:
        inside = os.path.join(directory, _DIRECTORY)
        for name in look.names(inside):
            if (name.endswith((".yml", ".yaml")) or name in _NAMES) and look.is_file(path := os.path.join(inside, name)):
                yield path
    yield from (os.path.join(directory, name) for name in _MAMBA if name in names and look.is_file(os.path.join(directory, name)))


def collected(look: Look, paths: tuple[str, ...]) -> dict[str, list[Setting]]:
    """Return what all files and then the variables set, by the key's own name, those that count more last.

    Raises:
        CorruptError: a file cannot be read ("conda-configuration").
    """
    found: dict[str, list[Setting]] = {}
    for path in paths:
        data = look.data(path, condarc.LIMIT + 1)
        if data is None:
            continue
        try:
            if len(data) > condarc.LIMIT:
                raise ValueError(f"it is larger than {condarc.LIMIT} bytes")
            said = condarc.load(data.decode("utf-8-sig"))
        except ValueError as error:
            raise unreadable(path, str(error)) from error
        for key, setting in said.items():
            found.setdefault(ALIASES.get(key, key), []).append(setting)
    for key, setting in _variables(look):
        found.setdefault(key, []).append(setting)
    return found


def _variables(look: Look) -> Iterator[tuple[str, Setting]]:
    """Yield what variables set: MAMBA_KEY, then CONDA_KEY, which counts more; one that is empty sets nothing."""
    for program in ("MAMBA_", "CONDA_"):
        for name, text in sorted(look.host.environ.items()):
            key = name.removeprefix(program).lower()
            if not name.startswith(program) or not text.strip() or key in _NO_KEYS:
                continue
            canonical = ALIASES.get(key, key)
            if canonical in KNOWN:
                delimiter = (";" if look.windows else ":") if canonical == "envs_dirs" else DELIMITERS.get(canonical)
                yield canonical, Setting(value=[part for part in text.split(delimiter) if part] if delimiter else text)


_NO_KEYS: Final = frozenset({"root_prefix", "root_dir", "debug", "json"})  # variables that tell something else, or concern no packages


def unreadable(path: str, why: str) -> CorruptError:
    """Return the error for a configuration that does not say what it should."""
    return CorruptError(
        f"conda's configuration {path} cannot be read: {why}", code="conda-configuration", path=Path(path), hint="mend or remove the file"
    )
