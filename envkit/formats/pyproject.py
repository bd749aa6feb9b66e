"""pyproject.toml: text in, what the project asks for out. What only building the project would tell is named, not guessed.

Source: "pyproject.toml specification" and "Dependency Groups" (packaging.python.org), PEP 621 and PEP 735.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from ..models.mapping import FrozenMapping
from .dist_info import normalized

NAME: Final = "pyproject.toml"
LIMIT: Final = 16 * 1024 * 1024  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Pyproject:
    """What a file says. `extras` are by normalized name; `dynamic` are the fields that only a build tells.

    `poetry`: its dependencies stand in Poetry's own tables.
    """

    name: str | None = None
    requires_python: str | None = None
    dependencies: tuple[str, ...] = ()
    extras: Mapping[str, tuple[str, ...]] = FrozenMapping()
    groups: frozenset[str] = frozenset()
    dynamic: frozenset[str] = frozenset()
    dynamic_files: Mapping[str, tuple[str, ...]] = FrozenMapping()
    has_project: bool = False
    poetry: bool = False


def load(text: str) -> Pyproject:
    """Return what a pyproject.toml says of its project.

    Raises:
        ValueError: it is no TOML, or a field is of another type than it must be; the text is made for people.
    """
    try:
        document = tomllib.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    project = _table(document, "project")
    tools = _table(document, "tool")
    optional = _table(project, "optional-dependencies")
    requires = project.get("requires-python")
    name = project.get("name")
    return Pyproject(
        name=normalized(name) if isinstance(name, str) else None,
        requires_python=requires if isinstance(requires, str) else None,
        dependencies=_texts(project, "dependencies"),
        extras=FrozenMapping({normalized(extra): _texts(optional, extra) for extra in optional}),
        groups=frozenset(normalized(group) for group in _table(document, "dependency-groups")),
        dynamic=frozenset(_texts(project, "dynamic")),
        dynamic_files=FrozenMapping(_dynamic_files(_table(_table(tools, "setuptools"), "dynamic"))),
        has_project="project" in document,
        poetry=bool(_table(tools, "poetry").keys() & {"dependencies", "dev-dependencies", "group"}) and not project.get("dependencies"),
    )


def _dynamic_files(dynamic: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return the requirements files that setuptools reads the dependencies (under "") and the extras from."""
    found: dict[str, tuple[str, ...]] = {}
    tables = {"": _table(dynamic, "dependencies"), **_tables(_table(dynamic, "optional-dependencies"))}
    for extra, table in tables.items():
        stated = table.get("file")
        files = (stated,) if isinstance(stated, str) else _texts(table, "file")
        if files:
            found[normalized(extra) if extra else ""] = files
    return found


def _tables(table: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: _table(table, name) for name in table}


def _table(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    value: object = document.get(name, {})
    if not isinstance(value, dict):
        raise ValueError(f"{name} is no table")
    return cast("dict[str, Any]", value)


def _texts(table: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value: object = table.get(name, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in cast("list[object]", value)):
        raise ValueError(f"{name} is no list of strings")
    return tuple(cast("list[str]", value))
