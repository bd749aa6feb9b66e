"""environment.yml, the file of `conda env create`: text in, its parts out, and back.

Read by PyYAML's safe loader, which makes plain data and nothing else.

Source: conda's documentation, "Managing environments", "Creating an environment file manually".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from ..models.mapping import FrozenMapping

LIMIT: Final = 1024 * 1024  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentYml:
    """What a file says: `conda` are match specs, `pip` lines of a requirements file, both in the order of the file."""

    name: str | None = None
    channels: tuple[str, ...] = ()
    conda: tuple[str, ...] = ()
    pip: tuple[str, ...] = ()
    variables: Mapping[str, str] = FrozenMapping()


def load(text: str) -> EnvironmentYml:
    """Return what an environment.yml says.

    Raises:
        ValueError: it cannot be read, or is of another form; the text is made for people.
    """
    import yaml  # noqa: PLC0415 - only where such a file is

    try:
        given: Any = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(f"it is no YAML: {str(error).splitlines()[0] if str(error) else error}") from error
    if not isinstance(given, dict):
        raise ValueError("it is no mapping")
    document = cast("dict[str, Any]", given)
    conda: list[str] = []
    pip: list[str] = []
    for item in _list(document, "dependencies"):
        if isinstance(item, str):
            conda.append(item.strip())
        elif isinstance(item, dict):
            pip += _texts(cast("dict[str, Any]", item), "pip")
        else:
            raise ValueError(f"dependencies hold {item!r}")
    variables: object = document.get("variables") or {}
    if not isinstance(variables, dict):
        raise ValueError("variables is no mapping")
    name = document.get("name")
    return EnvironmentYml(
        name=name if isinstance(name, str) else None,
        channels=tuple(_texts(document, "channels")),
        conda=tuple(conda),
        pip=tuple(pip),
        variables=FrozenMapping({str(key): str(value) for key, value in cast("dict[object, object]", variables).items()}),
    )


def dump(said: EnvironmentYml) -> str:
    """Return the text of an environment.yml; `pip` is among the conda packages where packages of PyPI are asked for, as conda wants."""
    import yaml  # noqa: PLC0415 - only where such a file is made

    dependencies: list[object] = list(said.conda)
    if said.pip:
        if not any(text.split("=")[0].strip() == "pip" for text in said.conda):
            dependencies.append("pip")
        dependencies.append({"pip": list(said.pip)})
    fields: dict[str, object] = {
        "name": said.name,
        "channels": list(said.channels),
        "dependencies": dependencies,
        "variables": dict(said.variables),
    }
    return yaml.safe_dump({name: value for name, value in fields.items() if value}, sort_keys=False, allow_unicode=True)


def _list(document: Mapping[str, Any], name: str) -> Sequence[Any]:
    value: object = document.get(name) or []
    if not isinstance(value, list):
        raise ValueError(f"{name} is no list")
    return cast("list[Any]", value)  # type: ignore[redundant-cast] # pyright calls what is in it unknown


def _texts(document: Mapping[str, Any], name: str) -> list[str]:
    values = _list(document, name)
    if not all(isinstance(value, str) for value in values):
        raise ValueError(f"{name} holds something that is no text")
    return [str(value).strip() for value in values]
