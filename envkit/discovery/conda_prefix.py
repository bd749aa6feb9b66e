"""A conda environment: what the files of its prefix say. Nothing is run, and no package's record is read where its name tells enough.

One without Python is whole. Packages are hard links shared with other environments, so a file proves nothing about whose it is: the
directory does.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from ..formats import conda_meta
from ..models.environment import Environment, Problem
from ..system.spelling import name_of, parent_of, within
from .conda_places import environment_directories, installations
from .executables import read_name
from .installations import installation_at
from .marks import has_marks, is_managed, marks
from .places import contents
from .virtual import virtual_prefix

if TYPE_CHECKING:
    from ..system.look import Look

_IMPLEMENTATIONS = {"pypy": "pypy", "graalpy": "graalpy"}


def conda_prefix(look: Look, candidate: str) -> str | None:
    """Return the prefix of the conda environment that a path is or whose executable it is or leads to; None when there is none."""
    return look.remember(("conda prefix", candidate), lambda: _conda_prefix(look, look.tidy(candidate)))


def _conda_prefix(look: Look, path: str) -> str | None:
    if is_environment(look, path):
        return path
    if read_name(name_of(path), windows=look.windows) is None or virtual_prefix(look, path) is not None:
        return None
    directory = os.path.dirname(look.last(path))
    prefix = directory if look.windows else parent_of(directory)
    return prefix if is_environment(look, prefix) else None


def is_environment(look: Look, directory: str) -> bool:
    """Say whether a directory is a conda environment: it has a history, or at least one package."""

    def find() -> bool:
        names = contents(look, within(directory, conda_meta.DIRECTORY))
        return conda_meta.HISTORY in names or any(name.endswith(".json") for name in names)

    return look.has(directory, conda_meta.DIRECTORY) and look.remember(("conda", directory), find)


def conda_environment(look: Look, prefix: str) -> Environment:
    """Return the environment of a conda prefix, with manager and name as its history and its place tell them."""
    return look.remember(("conda environment", prefix), lambda: _described(look, prefix))


def _described(look: Look, prefix: str) -> Environment:
    env = _by_files(look, prefix)
    if not has_marks(look, prefix) and not is_managed(look, prefix):
        return env
    made = marks(look, prefix)
    ours = made.made or is_managed(look, prefix)
    name = made.name if made.known else name_of(prefix) if is_managed(look, prefix) else None
    return replace(
        env,
        manager="envkit" if ours else env.manager,
        name=name if ours else env.name,
        problem=made.problem or env.problem,
    )


def _by_files(look: Look, prefix: str) -> Environment:
    words = conda_meta.creation(look.text(_meta(prefix, conda_meta.HISTORY), conda_meta.HISTORY_LIMIT) or "")
    found = installation_at(look, prefix)
    recorded = _recorded(look, prefix, found)
    env = found if found is not None else Environment(prefix=Path(prefix), kind="conda", externally_managed=False)
    env = replace(env, prefix=Path(prefix), kind="conda", manager=_manager(look, prefix, words), name=_name(look, prefix, words))
    if recorded is None:
        return env
    build = recorded.build.lower()
    head = (look.data(_meta(prefix, recorded.file), conda_meta.HEAD) or b"").decode("utf-8", "replace")
    version = _version(recorded.version)
    return replace(
        env,
        version=version or env.version,
        version_source=_meta(prefix, recorded.file) if version else env.version_source,
        implementation=env.implementation or next((word for mark, word in _IMPLEMENTATIONS.items() if mark in build), "cpython"),
        architecture=env.architecture or conda_meta.architecture(head),
        free_threaded=env.free_threaded if found else "t" in build.rpartition("_cp")[2],
        problem=None if found else _problem(look, prefix, recorded),
    )


def _recorded(look: Look, prefix: str, found: Environment | None) -> conda_meta.Package | None:
    """Return the record of Python; of several, which an interrupted update leaves, the one that agrees with what is there."""
    records = conda_meta.named(look.names(within(prefix, conda_meta.DIRECTORY)), "python")
    if found is not None and found.version is not None:
        minor = ".".join(map(str, found.version.release[:2]))
        records = tuple(record for record in records if record.version == minor or record.version.startswith(f"{minor}."))
        exact = [record for record in records if record.version == str(found.version)]
        records = tuple(exact) or records
    return records[-1] if records else None


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None


def _problem(look: Look, prefix: str, recorded: conda_meta.Package) -> Problem:
    """Return what is wrong with an environment whose records name a Python that cannot be found."""
    python = within(prefix, "python.exe") if look.windows else os.path.join(prefix, "bin", "python")
    dangling = look.link(python) is not None and not look.is_file(python)
    message = f"{python} is a link to nothing" if dangling else f"Python {recorded.version} is recorded there, but is not"
    return Problem(
        code="python-dangling" if dangling else "python-missing",
        message=message,
        hint="install Python into it again (conda install --force-reinstall python), or make the environment anew",
    )


def _manager(look: Look, prefix: str, words: tuple[str, ...]) -> str:
    """Return the tool that made the environment by its history, else the one whose installation it belongs to."""
    told = conda_meta.tool(words)
    if told is not None and not _has_conda(look, prefix):
        return told
    above = os.path.dirname(parent_of(prefix))
    for root in (prefix, above) if os.path.basename(parent_of(prefix)) == "envs" else (prefix,):
        if _has_conda(look, root):
            return "conda"
        name = name_of(root)
        if name in {"micromamba", "mamba"} and root in installations(look):
            return name
    return "conda"


def _has_conda(look: Look, prefix: str) -> bool:
    directory, program = ("Scripts", "conda.exe") if look.windows else ("bin", "conda")
    return program in contents(look, os.path.join(prefix, directory))


def is_base(look: Look, prefix: str) -> bool:
    """Say whether a prefix is the environment of an installation itself: it has its tools, or holds the environments of others."""
    above = parent_of(prefix)
    if name_of(above) == "envs" and (is_environment(look, parent_of(above)) or above in environment_directories(look)):
        return False
    names = contents(look, prefix)
    return "condabin" in names or {"envs", "pkgs"} <= names or _has_conda(look, prefix)


def _name(look: Look, prefix: str, words: tuple[str, ...]) -> str | None:
    """Return the name by which its tool knows the environment; None for one that is known by its path.

    It is "base", or the directory's below one that holds environments. Elsewhere the command that made it may have given it one,
    and that is believed where the directory still has it.
    """
    if is_base(look, prefix):
        return "base"
    name = name_of(prefix)
    if parent_of(prefix) in environment_directories(look):
        return name
    return name if conda_meta.requested_name(words) == name else None


def _meta(prefix: str, file: str) -> str:
    return os.path.join(prefix, conda_meta.DIRECTORY, file)
