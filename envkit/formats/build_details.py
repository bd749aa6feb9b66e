"""`build-details.json`, in which a Python 3.14 or newer says how it was built: text in, facts out.

Source: PEP 739, schema 1.x. It lies in the directory of the standard library.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeGuard

NAME: Final = "build-details.json"
LIMIT: Final = 256 * 1024  # bytes

_LEVELS = {"alpha": "a", "beta": "b", "candidate": "rc"}


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildDetails:
    """What the file says. `version` is text in the manner of PEP 440; `flags` are those of the ABI: "t" free-threaded, "d" debug."""

    version: str
    implementation: str
    flags: frozenset[str]


def load(text: str) -> BuildDetails:
    """Return the facts.

    Raises:
        ValueError: it is no such file, or one of another schema.
    """
    try:
        root = _mapping(json.loads(text))
    except RecursionError:
        raise ValueError("nested too deeply") from None
    schema = root.get("schema_version")
    if not isinstance(schema, str) or schema.split(".")[0] != "1":
        raise ValueError(f"schema version {schema!r} is not known")
    implementation, abi = _mapping(root.get("implementation")), root.get("abi")
    name = implementation.get("name")
    if not isinstance(name, str):
        raise ValueError("implementation.name is missing")
    flags: object = [] if abi is None else _mapping(abi).get("flags", [])
    if not _is_list(flags):
        raise ValueError(f"abi.flags is {flags!r}")
    return BuildDetails(version=_version(_mapping(root.get("language"))), implementation=name.lower(), flags=frozenset(map(str, flags)))


def _mapping(value: object) -> Mapping[str, Any]:
    if not _is_mapping(value):
        raise ValueError("not an object")
    return value


def _is_mapping(value: object) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, dict)


def _is_list(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)


def _version(language: Mapping[str, Any]) -> str:
    """Return the version with its release level; where only `version` is told, that: it has two numbers."""
    info: object = language.get("version_info")
    if _is_mapping(info):
        numbers: list[object] = [info.get(key) for key in ("major", "minor", "micro")]
        if all(type(number) is int for number in numbers):
            level = _LEVELS.get(str(info.get("releaselevel")))
            return ".".join(map(str, numbers)) + (f"{level}{info.get('serial', 0)}" if level else "")
    version = language.get("version")
    if not isinstance(version, str):
        raise ValueError("language.version is missing")
    return version
