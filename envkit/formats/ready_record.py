"""envkit's own marks inside an environment: the ready record and the dirty mark, both JSON, text in and values out.

`<prefix>/.envkit/dirty.json` is written before anything changes, `<prefix>/.envkit/ready.json` last. Ready means: the record is
there, it is readable, it names this prefix, and there is no dirty mark. A record that cannot be read counts as absent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from ..models.mapping import EMPTY, freeze
from .record_text import SCHEMA, fields_of_mark, fields_of_record


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What envkit wrote down of an environment that it made, or of another tool's that it changed (`made` is False then).

    python: the request it was made by. sources: where its packages came from, as `to_json` writes it. key: of a content-addressed
    one. layers: the prefixes whose packages a temporary one shows. post_install: the commands that were run in it, each as JSON.
    conda, channels: the match specs that were asked for, and where they came from.
    """

    prefix: str
    kind: str = "venv"
    backend: str = "venv"
    name: str | None = None
    made: bool = True
    requested: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    variables: Mapping[str, str] = EMPTY
    system_site_packages: bool = False
    seed: str = "none"
    created: str = ""
    digest: str = ""
    kernels: tuple[str, ...] = ()
    python: str | None = None
    sources: str = ""
    key: str | None = None
    layers: tuple[str, ...] = ()
    post_install: tuple[str, ...] = ()
    conda: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Keep what was given as immutable values."""
        freeze(self, mappings=("variables",), tuples=("requested", "constraints", "kernels", "layers", "post_install", "conda", "channels"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Dirty:
    """What was being done when the mark was written: "create" or "change", by which process, since when."""

    doing: str
    pid: int = 0
    since: str = ""
    made_directory: bool = False


def command_text(command: tuple[str, ...]) -> str:
    """Return a command as a record keeps it."""
    return json.dumps(command)


def command_of(text: str) -> tuple[str, ...]:
    """Return the command of a text; ValueError if it is none."""
    parsed: Any = json.loads(text)
    if not isinstance(parsed, list) or not parsed or not all(isinstance(part, str) for part in cast("list[object]", parsed)):
        raise ValueError("not a command")
    return tuple(cast("list[str]", parsed))


def dump_record(record: Record) -> str:
    """Return the text of a ready record."""
    return _dump({**_as_dict(record), "variables": dict(record.variables)})


def load_record(text: str) -> Record:
    """Return the record of a text; ValueError if it is none."""
    return Record(**fields_of_record(text))


def dump_dirty(dirty: Dirty) -> str:
    """Return the text of a dirty mark."""
    return _dump(_as_dict(dirty))


def load_dirty(text: str) -> Dirty:
    """Return the mark of a text; whatever cannot be read is the mark of a creation that was interrupted."""
    try:
        return Dirty(**fields_of_mark(text))
    except ValueError:
        return Dirty(doing="create")


def _as_dict(value: Record | Dirty) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__slots__}


def _dump(fields: dict[str, Any]) -> str:
    return json.dumps({"schema": SCHEMA, **fields}, indent=1, sort_keys=True) + "\n"
