"""uv: the Pythons that it installed, project environments, and those of tools and of scripts.

Marks: the places (`python` and `tools` in uv's data directory, `environments-v2` in its cache, or what `UV_PYTHON_INSTALL_DIR`,
`UV_TOOL_DIR` and `UV_CACHE_DIR` say); the key `uv` in `pyvenv.cfg`; `.venv` beside `uv.lock` or a `pyproject.toml` with `[tool.uv]`;
what `UV_PROJECT_ENVIRONMENT` names, and any other that uv made beside `uv.lock`. A link for a minor version (`cpython-3.12-linux-x86_64-gnu`) is an alias of what it leads to.
Files read: `pyproject.toml` of a project whose `.venv` another tool wrote. Place in the table: after the tools that let uv make their
environments (Rye, pipx, PDM, Hatch, tox, nox), before `project` and `venv`. Limits: the environments of `uvx` lie among archives in
the cache and may vanish at any time; they are given only when they are named. The script of a script environment is not recorded.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ...system.spelling import within
from ..places import marked_children, placed, stated, unix_data
from ..projects import VENV, has_any, has_file, project_directories, project_of, pyproject, table_in
from ..recognition import foreign, owned
from ..versions import version_directories, version_in

if TYPE_CHECKING:
    from ...models.environment import Environment
    from ...system.look import Look

NAME: Final = "uv"
KINDS: Final = frozenset({"interpreter", "venv"})

_SCRIPTS = ("environments-v1", "environments-v2")


def candidates(look: Look, roots: tuple[str, ...]) -> Iterator[str]:
    """Yield the environments of projects, then the Pythons, newest first, then the environments of tools and of scripts."""
    for directory in project_directories(look, roots):
        if look.is_present(os.path.join(directory, VENV, "pyvenv.cfg")) and _is_project(look, directory):
            yield within(directory, VENV)
    if (named := _named(look)) is not None:
        yield named
    yield from version_directories(look, _pythons(look))
    yield from marked_children(look, _tools(look))
    for directory in _scripts(look):
        yield from marked_children(look, directory)


def identify(look: Look, candidate: str) -> Environment | None:
    """Return a Python or an environment in uv's directories, an environment that uv wrote, or `.venv` of one of its projects."""
    found = foreign(look, candidate)
    if found is None:
        return version_in(look, candidate, _pythons(look), NAME)
    directory = found.directory
    if directory == _tools(look) or directory in _scripts(look):
        return owned(found.env, NAME, name=found.name)
    project = project_of(look, found.prefix)
    if found.prefix == _named(look):
        return owned(found.env, NAME, project=project or look.cwd)
    if project is not None and (found.manager == NAME or _is_project(look, project)):
        return owned(found.env, NAME, project=project)
    if found.manager == NAME and has_file(look, directory, "uv.lock"):  # as `UV_PROJECT_ENVIRONMENT` said when it was made
        return owned(found.env, NAME, project=directory)
    return None


def _is_project(look: Look, directory: str) -> bool:
    return has_any(look, directory, "uv.lock", "uv.toml") or bool(table_in(pyproject(look, directory), "tool", "uv"))


def _named(look: Look) -> str | None:
    """Return the environment that a variable names for the project at hand, relative to its directory."""

    def find() -> str | None:
        text = look.host.environ.get("UV_PROJECT_ENVIRONMENT", "")
        if not text or "\0" in text:
            return None
        return placed(look, text) or look.tidy(within(look.cwd, text))

    return look.remember("uv named", find)


def _pythons(look: Look) -> str:
    return look.remember("uv", lambda: stated(look, "UV_PYTHON_INSTALL_DIR") or within(_data(look), "python"))


def _tools(look: Look) -> str:
    return look.remember("uv tools", lambda: stated(look, "UV_TOOL_DIR") or within(_data(look), "tools"))


def _data(look: Look) -> str:
    return os.path.join(unix_data(look, "uv"), "data") if look.windows else unix_data(look, "uv")


def _scripts(look: Look) -> tuple[str, ...]:
    def find() -> tuple[str, ...]:
        local = stated(look, "LOCALAPPDATA") if look.windows else None
        usual = os.path.join(local, "uv", "cache") if local else within(_cache(look), "uv")
        cache = stated(look, "UV_CACHE_DIR") or usual
        return tuple(within(cache, name) for name in _SCRIPTS)  # by name, for in the cache itself something changes all the time

    return look.remember("uv scripts", find)


def _cache(look: Look) -> str:
    return stated(look, "XDG_CACHE_HOME") or within(look.home, ".cache")
