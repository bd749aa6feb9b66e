"""Hatch: the environments that it keeps together, those that a project keeps inside, and the Pythons that it installed.

Marks: the place: `env/virtual/<project>/<hash>/<name>` in Hatch's data directory (`$HATCH_DATA_DIR`, `dirs.data`, `dirs.env.virtual`),
`env/.internal` there for its own tools; in a project, where its `pyproject.toml` or `hatch.toml` says so (`dirs.env.virtual`, or an
environment's `path`), under a name that an environment has. The project is the directory whose path gives the hash. Files read:
Hatch's `config.toml`; `pyproject.toml` and `hatch.toml` of a project; `.pth` files. Place in the table: before `uv` and `virtualenv`,
either of which makes its environments. Limits: the project of an environment that skips installing it as for Poetry; `dirs.env` in a
variable of another plug-in is unknown.

Source: hatch's env/virtual.py, project/core.py and cli/application.py.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ...system.spelling import name_of, parent_of, within
from ..places import children, contents, expanded, marked_children, placed, stated, user_configuration, user_data
from ..projects import digest, has_any, has_file, may_say, owner, project_directories, pyproject, table_in, text_in, toml
from ..recognition import directory_of, foreign, installed, owned

if TYPE_CHECKING:
    from ...models.environment import Environment
    from ...system.look import Look

NAME: Final = "hatch"
KINDS: Final = frozenset({"interpreter", "venv"})

_FILE = "hatch.toml"
_ABOVE = 3  # directories between a project and an environment that it keeps inside


def candidates(look: Look, roots: tuple[str, ...]) -> Iterator[str]:
    """Yield what projects keep inside, then what lies in Hatch's directories, sorted by name in each, then its Pythons."""
    for project in project_directories(look, roots):
        for directory in _flat(look, project):
            yield from marked_children(look, directory)
        yield from _paths(look, project).values()
    for place in _places(look):
        for project in children(look, place):
            for mark in children(look, project):
                if look.is_present(within(mark, "pyvenv.cfg")):
                    yield mark
                else:
                    yield from marked_children(look, mark)
    for path in children(look, within(_data(look), "pythons")):
        yield within(path, "python")


def identify(look: Look, candidate: str) -> Environment | None:
    """Return the environment if it lies in Hatch's directories or where its project says, or one of Hatch's Pythons."""
    found = foreign(look, candidate)
    if found is None:
        return _python(look, candidate)
    prefix, name = found.prefix, found.name
    if any(prefix.startswith(place + os.sep) for place in _places(look)):
        mark = name_of(found.directory)
        return owned(found.env, NAME, name=name, project=owner(look, found.prefix, lambda path: digest(look, path) == mark))
    project = found.directory
    for _ in range(_ABOVE):
        if has_file(look, project, _FILE, "pyproject.toml"):
            if found.directory in _flat(look, project) and _is_named(look, project, name):
                return owned(found.env, NAME, name=name, project=project)
            for environment, path in _paths(look, project).items():
                if path == prefix:
                    return owned(found.env, NAME, name=environment, project=project)
        project = parent_of(project)
    return None


def _python(look: Look, candidate: str) -> Environment | None:
    found = installed(look, candidate)
    if found is None or found.kind != "interpreter" or found.prefix.name != "python":
        return None
    above = directory_of(found)
    if parent_of(above) != within(_data(look), "pythons"):
        return None
    return owned(found, NAME, name=name_of(above))


def _said(look: Look, project: str) -> tuple[object, ...]:
    """Return Hatch's tables of a project: those of `pyproject.toml` and of `hatch.toml`."""
    names = contents(look, project)
    own = (toml(look, within(project, _FILE)),) if _FILE in names else ()
    said = table_in(pyproject(look, project), "tool", "hatch") if may_say(look, project, "hatch", "envs", "dirs") else None
    return (said, *own)


def _flat(look: Look, project: str) -> tuple[str, ...]:
    """Return the directories inside a project that hold its environments side by side."""

    def find() -> tuple[str, ...]:
        found: list[str] = []
        for said in (*_said(look, project), _configuration(look)) if has_any(look, project, _FILE, "pyproject.toml") else ():
            named = expanded(look, text_in(said, "dirs", "env", "virtual"))
            if named and (directory := placed(look, named) or look.tidy(os.path.join(project, named))).startswith(project + os.sep):
                found.append(directory)
        return tuple(dict.fromkeys(found))

    return look.remember(("hatch flat", project), find)


def _paths(look: Look, project: str) -> dict[str, str]:
    """Return where the environments of a project lie that say so themselves, by name."""

    def find() -> dict[str, str]:
        found: dict[str, str] = {}
        for said in _said(look, project) if has_any(look, project, _FILE, "pyproject.toml") else ():
            for name, table in table_in(said, "envs").items():
                if path := text_in(table, "path"):
                    found[name] = placed(look, path) or look.tidy(os.path.join(project, path))
        return found

    return look.remember(("hatch paths", project), find)


def _is_named(look: Look, project: str, name: str) -> bool:
    """Say whether a project has an environment of that name: those declared, the default one by the project's name, and matrices'."""
    names = {"default", text_in(pyproject(look, project), "project", "name").lower().replace("_", "-").replace(".", "-")}
    for said in _said(look, project):
        names.update(table_in(said, "envs"))
    return name in names or name.partition(".")[0] in names or name.startswith(("hatch-", "hatch."))


def _places(look: Look) -> tuple[str, ...]:
    """Return the directories that hold `<project>/<hash>/<name>`; those of Hatch's own tools have one level more or less."""

    def find() -> tuple[str, ...]:
        named = placed(look, expanded(look, text_in(_configuration(look), "dirs", "env", "virtual")))
        data = within(_data(look), "env")
        internal = within(data, ".internal")
        tools = [within(internal, name) for name in look.names(internal)]
        return tuple(path for path in (named, within(data, "virtual"), *tools) if path and path != _shared(look))

    return look.remember("hatch places", find)


def _shared(look: Look) -> str:
    """Return the directory that others use too, where Hatch's layout is flat and nothing tells whose an environment is."""
    return within(look.home, ".virtualenvs")


def _data(look: Look) -> str:
    def find() -> str:
        named = text_in(_configuration(look), "dirs", "data")
        return stated(look, "HATCH_DATA_DIR") or placed(look, expanded(look, named)) or user_data(look, "hatch")

    return look.remember("hatch", find)


def _configuration(look: Look) -> object:
    return toml(look, stated(look, "HATCH_CONFIG") or os.path.join(user_configuration(look, "hatch"), "config.toml"))
