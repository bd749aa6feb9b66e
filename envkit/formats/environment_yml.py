"""environment.yml, the file of `conda env create`: text in, its parts out, and back.

Read by PyYAML's safe loader, which makes plain data and nothing else.

Source: CEP 24, "Specification of environment.yml input files", with both kinds of its optional selectors; conda's env/env.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeGuard

from ..models.mapping import FrozenMapping
from . import selectors
from .conda_url import SUBDIRS

LIMIT: Final = 1024 * 1024  # bytes
RESERVED: Final = frozenset({"base", "root"})
"""Names that are those of conda's own installation, and no environment's."""

_KEYS: Final = ("name", "prefix", "channels", "dependencies", "variables", "platforms", "category")
_FORBIDDEN: Final = frozenset("/ :#")
_SELECTOR: Final = re.compile(r"sel\((?P<system>[^()]*)\)")
_SYSTEMS: Final = frozenset({"unix", "linux", "osx", "win"})
_VARIABLE: Final = re.compile(r"[^=\x00-\x20][^=\x00]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentYml:
    """What a file says: `conda` are match specs, `pip` lines of a requirements file, both in the order of the file.

    `channels` may hold "nodefaults". `ignored` are top-level keys that mean nothing to envkit.
    """

    name: str | None = None
    prefix: str | None = None
    channels: tuple[str, ...] = ()
    conda: tuple[str, ...] = ()
    pip: tuple[str, ...] = ()
    variables: Mapping[str, str] = FrozenMapping()
    platforms: tuple[str, ...] = ()
    category: str | None = None
    ignored: tuple[str, ...] = ()


def load(text: str, platform: str = "linux-64") -> EnvironmentYml:
    """Return what an environment.yml says.

    Args:
        platform: a channel's subdirectory; lines with a selector count only where it holds for that.

    Raises:
        ValueError: it cannot be read, or is of another form; the text is made for people.
    """
    document = _document(selectors.selected(text, platform))
    if "dependencies" not in document:
        raise ValueError("it has no dependencies")
    conda, pip = _dependencies(_list(document, "dependencies"), platform)
    platforms = tuple(_texts(document, "platforms"))
    if unknown := [name for name in platforms if name == "noarch" or name not in SUBDIRS]:
        raise ValueError(f"platforms holds {unknown[0]!r}, which is none")
    return EnvironmentYml(
        name=_name(document),
        prefix=_text(document, "prefix"),
        channels=tuple(_texts(document, "channels")),
        conda=conda,
        pip=pip,
        variables=FrozenMapping(_variables(document)),
        platforms=platforms,
        category=_text(document, "category"),
        ignored=tuple(sorted(str(key) for key in document if key not in _KEYS)),
    )


def _document(text: str) -> dict[Any, Any]:
    import yaml  # noqa: PLC0415 - only where such a file is

    try:
        given: object = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ValueError(f"it is no YAML: {str(error).splitlines()[0] if str(error) else error}") from error
    if not _is_table(given):
        raise ValueError("it is no mapping")
    return given


def _dependencies(items: Sequence[object], platform: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the match specs and the lines for pip; a section for another installer is an error, as it would be lost."""
    conda: list[str] = []
    pip: list[str] = []
    for item in items:
        if isinstance(item, str):
            conda.append(item.strip())
            continue
        if not _is_table(item):
            raise ValueError(f"dependencies hold {item!r}")
        for key, value in item.items():
            if key == "pip":
                pip += _texts(item, "pip")
            elif (match := _SELECTOR.fullmatch(str(key).strip())) is not None:
                if match["system"].strip() not in _SYSTEMS or not isinstance(value, str):
                    raise ValueError(f"{key!r} is no selector, which is sel(unix), sel(linux), sel(osx) or sel(win) with one package")
                if selectors.holds(match["system"], platform):
                    conda.append(value.strip())
            else:
                raise ValueError(f"dependencies have a section {str(key)!r}, which only the tool that knows it can install")
    return tuple(conda), tuple(pip)


def _name(document: Mapping[Any, Any]) -> str | None:
    name = _text(document, "name")
    if name is not None:
        check_name(name)
    return name


def check_name(name: str) -> None:
    """Refuse a name that no environment may have.

    Raises:
        ValueError: it holds "/", a space, ":" or "#".
    """
    if _FORBIDDEN & set(name):
        raise ValueError(f"the name {name!r} holds one of {' '.join(map(repr, sorted(_FORBIDDEN)))}")


def _variables(document: Mapping[Any, Any]) -> dict[str, str]:
    given: object = document.get("variables")
    if given is None:
        return {}
    if not _is_table(given):
        raise ValueError("variables is no mapping")
    found = {str(key): "" if value is None else str(value) for key, value in given.items()}
    for key, value in found.items():
        if not _VARIABLE.fullmatch(key) or "\x00" in value:
            raise ValueError(f"variables hold {key!r}, which can be none")
    return found


def dump(said: EnvironmentYml) -> str:
    """Return the text of an environment.yml; `pip` is among the conda packages where packages of PyPI are asked for, as conda wants."""
    import yaml  # noqa: PLC0415 - only where such a file is made

    dependencies: list[object] = list(said.conda)
    if said.pip:
        if not any(re.split(r"[\s=<>!~\[]", text.rpartition("::")[2], maxsplit=1)[0] == "pip" for text in said.conda):
            dependencies.append("pip")
        dependencies.append({"pip": list(said.pip)})
    fields: dict[str, object] = {
        "name": said.name,
        "channels": list(said.channels),
        "dependencies": dependencies,
        "variables": dict(said.variables),
        "prefix": said.prefix,
        "platforms": list(said.platforms),
        "category": said.category,
    }
    kept = {name: value for name, value in fields.items() if value or name == "dependencies"}
    return yaml.safe_dump(kept, sort_keys=False, allow_unicode=True, width=4096)


def _text(document: Mapping[Any, Any], name: str) -> str | None:
    value: object = document.get(name)
    if value is not None and not isinstance(value, str | int | float):
        raise ValueError(f"{name} is no text")
    return None if value is None else str(value)


def _list(document: Mapping[Any, Any], name: str) -> Sequence[object]:
    value: object = document.get(name)
    if value is None:
        return []
    if not _is_list(value):
        raise ValueError(f"{name} is no list")
    return value


def _texts(document: Mapping[Any, Any], name: str) -> list[str]:
    values = _list(document, name)
    if not all(isinstance(value, str) for value in values):
        raise ValueError(f"{name} holds something that is no text")
    return [str(value).strip() for value in values]


def _is_table(value: object) -> TypeGuard[dict[Any, object]]:
    return isinstance(value, dict)


def _is_list(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)
