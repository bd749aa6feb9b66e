"""What an environment that has to be repaired can stand on: which Python its packages are for, and which such Python is there."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from .. import environments, plugins
from ..control import Work
from ..discovery import search, selection
from ..errors import EnvkitError
from ..formats import pyvenv_cfg
from ..models.environment import Environment
from ..system import sites

Library = tuple[str, tuple[int, int], bool]
"""Implementation, minor version, and whether it is free-threaded."""

_LIBRARY = re.compile(r"(?P<word>python|pypy)(?P<major>\d+)\.(?P<minor>\d+)(?P<thread>t?)")


def library_of(prefix: Path, keys: Mapping[str, str]) -> Library | None:
    """Return implementation, minor version and threading that the packages are for: of the directory that holds most of them."""
    directories = sorted(sites.site_packages_below(str(prefix)), key=lambda directory: len(os.listdir(directory)))
    names = [os.path.basename(os.path.dirname(directory)) for directory in reversed(directories)]
    stated = pyvenv_cfg.python_version(keys)
    for name in (*names, f"python{stated}" if stated else ""):  # Windows does not put the version into a directory's name
        if match := _LIBRARY.match(name):
            word = "pypy" if match["word"] == "pypy" else "cpython"
            return word, (int(match["major"]), int(match["minor"])), match["thread"] == "t"
    return None


def same_minor(library: Library | None, keys: Mapping[str, str], work: Work) -> Environment | None:
    """Return the best Python that the packages of an environment run on: that of its own home before any other; None without one."""
    if library is None:
        return None
    fitting = [
        env
        for env in search.search(work, table=plugins.locators(work.host))
        if env.kind != "venv" and selection.is_usable(env) and _fits(env, library)
    ]
    best = min(fitting, key=lambda env: (not _is_home(env, keys), selection.sort_key(env)), default=None)
    return None if best is None else environments.base_for(best, work)


def _fits(env: Environment, library: Library) -> bool:
    return (
        env.version is not None
        and env.version.release[:2] == library[1]
        and (env.implementation or "cpython") == library[0]
        and bool(env.free_threaded) is library[2]
    )


def _is_home(env: Environment, keys: Mapping[str, str]) -> bool:
    """Say whether it lies where the environment's own Python lay: an upgrade of that rather than another one."""
    return env.python is not None and str(env.python.parent) == keys.get("home")


def another(python: str | None, work: Work) -> Environment:
    """Return the Python to build on: one that the first request allows, else the newest stable one."""
    if python is not None:
        try:
            return environments.base_for(python, work)
        except EnvkitError:
            work.check()
    return environments.base_for(None, work)
