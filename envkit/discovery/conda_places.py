"""Where conda and its relatives keep installations and environments: variables, configuration files, their lists, the usual places.

Source: conda's base/constants.py and context.py; mamba's configuration.cpp.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..formats.conda_meta import DIRECTORY
from ..system.spelling import name_of, parent_of, within
from .places import asdf_versions, at_home, contents, expanded, listed, mise_versions, placed, pyenv_versions, stated, user_data

if TYPE_CHECKING:
    from ..system.look import Look

_INSTALLATIONS = ("anaconda", "miniconda", "miniforge", "mambaforge", "micromamba")  # how their directories begin
_CASKROOMS = ("/opt/homebrew/Caskroom", "/usr/local/Caskroom", "/home/linuxbrew/.linuxbrew/Caskroom")
_LISTED = 256 * 1024  # bytes of `environments.txt`
_VARIABLES = ("CONDA_ROOT", "CONDA_PREFIX", "MAMBA_ROOT_PREFIX", "CONDA_DIR", "CONDA")
_PROGRAMS = ("CONDA_EXE", "MAMBA_EXE", "_CONDA_EXE")


def has_meta(look: Look, directory: str) -> bool:
    """Say whether a directory has what every conda environment has."""
    return look.is_present(within(directory, DIRECTORY))


def installations(look: Look) -> tuple[str, ...]:
    """Return the prefixes below which environments may lie in `envs`, whether or not they are environments themselves.

    micromamba's need not be one: it holds packages and environments, and the tool lies elsewhere.
    """
    return look.remember("conda installations", lambda: tuple(dict.fromkeys(_installations(look))))


def _installations(look: Look) -> Iterator[str]:
    for variable in _VARIABLES:
        if (prefix := stated(look, variable)) is not None:
            above = parent_of(prefix)
            yield parent_of(above) if name_of(above) == "envs" else prefix
    for program in _PROGRAMS:
        if (path := stated(look, program)) is not None:
            yield os.path.dirname(parent_of(path))
    for directory in listed(look, "PATH"):
        if name_of(directory).lower() in {"bin", "condabin", "scripts"}:
            above = parent_of(directory)
            if os.path.basename(parent_of(above)) != "envs" and has_meta(look, above):
                yield above
    for parent in _parents(look):
        yield from _called_so(look, parent)
    for caskroom in map(look.place, () if look.windows else _CASKROOMS):
        for name in look.names(caskroom):
            if has_meta(look, base := os.path.join(caskroom, name, "base")):
                yield base


def _called_so(look: Look, parent: str) -> Iterator[str]:
    """Yield the directories whose name an installer gives, and that hold an environment or several."""
    for name in look.names(parent):
        if name.lower().startswith(_INSTALLATIONS) or name.lower() in {"conda", "mamba"}:
            path = within(parent, name)
            if not contents(look, path).isdisjoint((DIRECTORY, "envs")):
                yield path


def _parents(look: Look) -> Iterator[str]:
    """Yield the directories in which installers put one; the version managers among them, which can install it, too."""
    yield from (at_home(look), at_home(look, ".local"), at_home(look, ".local", "share"), at_home(look, "opt"), at_home(look, ".conda"))
    if look.windows:
        local = stated(look, "LOCALAPPDATA") or at_home(look, "AppData", "Local")
        roaming = stated(look, "APPDATA") or at_home(look, "AppData", "Roaming")
        yield from (stated(look, "PROGRAMDATA") or look.place("C:\\ProgramData"), local, within(local, "conda"), roaming)
        yield from (look.place("C:\\"), look.place("C:\\tools"))
    else:
        yield from map(look.place, ("/opt", "/", "/usr/local", "/usr/share", "/srv"))
        yield user_data(look, "")[:-1]
    yield from (pyenv_versions(look), asdf_versions(look), mise_versions(look))


def environment_directories(look: Look) -> tuple[str, ...]:
    """Return the directories whose children are environments that are called by their name."""
    return look.remember("conda envs", lambda: tuple(dict.fromkeys(_environment_directories(look))))


def _environment_directories(look: Look) -> Iterator[str]:
    yield from listed(look, "CONDA_ENVS_DIRS")
    yield from listed(look, "CONDA_ENVS_PATH")
    for path in configuration_files(look):
        from ..formats import condarc  # noqa: PLC0415 - only where there is such a file

        for text in condarc.environment_directories(look.text(path, condarc.LIMIT) or ""):
            if (directory := placed(look, expanded(look, text))) is not None:
                yield directory
    for installation in installations(look):
        yield within(installation, "envs")
    yield at_home(look, ".conda", "envs")
    if look.windows:
        yield os.path.join(stated(look, "LOCALAPPDATA") or at_home(look, "AppData", "Local"), "conda", "conda", "envs")


def listed_environments(look: Look) -> Iterator[str]:
    """Yield the environments that conda and mamba made and wrote down for the user; some may be gone."""
    text = look.text(at_home(look, ".conda", "environments.txt"), _LISTED) or ""
    for line in text.splitlines():
        if (path := placed(look, line)) is not None and has_meta(look, path):
            yield path


def configuration_files(look: Look) -> Iterator[str]:
    """Yield the configuration files that are there, of the machine first, of the user last."""
    for directory in _configuration_places(look):
        names = contents(look, directory)
        for name in (".condarc", "condarc", ".mambarc", "mambarc"):
            if name in names:
                yield within(directory, name)
        for name in ("condarc.d", ".condarc.d"):
            if name in names:
                inside = within(directory, name)
                yield from (os.path.join(inside, file) for file in look.names(inside) if file.endswith((".yml", ".yaml", "condarc")))
    for variable in ("CONDARC", "MAMBARC"):
        if (path := stated(look, variable)) is not None:
            yield path


def _configuration_places(look: Look) -> Iterator[str]:
    if look.windows:
        yield os.path.join(stated(look, "PROGRAMDATA") or look.place("C:\\ProgramData"), "conda")
    else:
        yield from map(look.place, ("/etc/conda", "/var/lib/conda"))
    yield from installations(look)
    if (directory := stated(look, "XDG_CONFIG_HOME")) is not None:
        yield within(directory, "conda")
    yield from (at_home(look, ".config", "conda"), at_home(look, ".conda"), at_home(look, ".mamba"), at_home(look))
    if (prefix := stated(look, "CONDA_PREFIX")) is not None:
        yield prefix
