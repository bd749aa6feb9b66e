"""The text of envkit's marks as plain fields: a search of the machine reads every record, and needs three fields of it.

`ready_record.py` has the values; where they are not needed their definition would take longer than to read the text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, cast

MARKS: Final = ".envkit"  # the directory of all that envkit keeps inside an environment
READY: Final = "ready.json"
DIRTY: Final = "dirty.json"
LOG: Final = "error.log"  # the whole output of the tool that failed last
SCHEMA: Final = 1

_RECORD: Final[Mapping[str, type | tuple[type, ...]]] = {"prefix": str, "kind": str, "backend": str, "name": (str, type(None)), "made": bool, "requested": list,
        "constraints": list, "variables": dict, "system_site_packages": bool, "seed": str, "created": str, "digest": str, "kernels": list, "python": (str, type(None)),
        "sources": str, "key": (str, type(None)), "layers": list, "post_install": list, "conda": list, "channels": list}  # fmt: skip
_MARK: Final[Mapping[str, type | tuple[type, ...]]] = {"doing": str, "pid": int, "since": str, "made_directory": bool}


def fields_of_record(text: str) -> dict[str, Any]:
    """Return the fields that the text of a ready record gives; ValueError if it is none."""
    return _fields(text, _RECORD)


def fields_of_mark(text: str) -> dict[str, Any]:
    """Return the fields that the text of a dirty mark gives; ValueError if it is none."""
    return _fields(text, _MARK)


def _fields(text: str, kinds: Mapping[str, type | tuple[type, ...]]) -> dict[str, Any]:
    """Return the known fields; those of a later version of envkit are passed over, a field of another kind is a ValueError."""
    try:
        parsed: Any = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    given = cast("dict[str, Any]", parsed) if isinstance(parsed, dict) else {}
    if given.get("schema") != SCHEMA:
        raise ValueError("not a record of envkit")
    fields = {name: value for name, value in given.items() if name in kinds}
    for name, value in fields.items():
        if not isinstance(value, kinds[name]):
            raise ValueError(f"{name} is {value!r}")
        items: list[object] = [*value] if isinstance(value, list) else [*value.values()] if isinstance(value, dict) else []  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType, reportUnknownVariableType]
        if not all(isinstance(item, str) for item in items):
            raise ValueError(f"{name} holds something that is no text")
    if ("prefix" in kinds and "prefix" not in fields) or ("doing" in kinds and "doing" not in fields):
        raise ValueError("incomplete")
    return fields
