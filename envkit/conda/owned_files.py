"""Which files the packages of a conda environment own, and how each names the prefix, by the records in `conda-meta`.

Source: CEP 34 (`paths_data`), CEP 17 (where noarch Python packages put their files).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, cast

from ..errors import InstallError
from .inventory import read, whole_records

Mode = Literal["text", "binary", "plain"]
"""How the prefix is written in a file; "plain" is not at all."""

_ENTRY_POINTS: Final = ("unix_python_entry_point", "windows_python_entry_point_script")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewritten:
    """A file that was rewritten: what it was, and what it is."""

    before: tuple[str, int]
    after: tuple[str, int]


class Tree:
    """The records of an environment: which files packages own, and how each names the prefix."""

    def __init__(self, prefix: Path) -> None:
        self.prefix = str(prefix)
        self.records: dict[str, dict[str, Any]] = {}
        self.modes: dict[str, Mode] = {}
        for path, _ in whole_records(prefix):
            try:
                said: Any = json.loads(read(path))
            except (OSError, ValueError, RecursionError) as error:
                raise InstallError(f"the record {path} cannot be read", code="incomplete", hint="repair() it first") from error
            if isinstance(said, dict):
                record = cast("dict[str, Any]", said)
                self.records[os.path.basename(path)] = record
                self.modes |= dict.fromkeys(_listed(record), "plain")
                self.modes |= {place: mode for place, entry in entries(record) if (mode := _mode(entry)) != "plain"}


def _listed(record: Mapping[str, Any]) -> Iterator[str]:
    """Yield the files of a record, relative to the prefix; never one outside of it."""
    for name in cast("list[object]", record.get("files") or []):
        if isinstance(name, str) and not os.path.isabs(name) and ".." not in name.split("/"):
            yield name


def entries(record: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what `paths_data` says of each file, with where that lies.

    Of a noarch Python package conda says where the file is in the package ("site-packages/six.py"), rattler where it put it.
    """
    listed = list(_listed(record))
    there = frozenset(listed)
    site = next((name.partition("site-packages/")[0] for name in listed if "site-packages/" in name), "")
    scripts = next((name.partition("/")[0] for name in listed if name.startswith(("bin/", "Scripts/"))), "bin")
    stated = cast("dict[str, Any]", record.get("paths_data") or {})
    for entry in cast("list[dict[str, Any]]", stated.get("paths") or []):
        path = str(entry.get("_path", ""))
        if path not in there and path.startswith("site-packages/"):
            path = site + path
        elif path not in there and path.startswith("python-scripts/"):
            path = f"{scripts}/{path.removeprefix('python-scripts/')}"
        if path in there:
            yield path, entry


def _mode(entry: Mapping[str, Any]) -> Mode:
    if entry.get("path_type") in _ENTRY_POINTS:
        return "text"
    if not entry.get("prefix_placeholder"):
        return "plain"
    return "binary" if entry.get("file_mode") == "binary" else "text"


def mend(entry: dict[str, Any], change: Rewritten) -> bool:
    """Write what a file is now into its entry where that says what it was before; say whether it did."""
    keys = [key for key in ("sha256_in_prefix", "sha256") if entry.get(key) == change.before[0]]
    entry.update(dict.fromkeys(keys, change.after[0]))
    if keys and entry.get("size_in_bytes") == change.before[1]:
        entry["size_in_bytes"] = change.after[1]
    return bool(keys)


def identity(data: bytes) -> tuple[str, int]:
    return hashlib.sha256(data).hexdigest(), len(data)
