"""The worker's records: what is installed, mended where another tool's record would mislead py-rattler, and what is told of each."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Protocol

from rattler import PackageRecord, PrefixPaths, PrefixPathsEntry, PrefixPathType, PrefixRecord, RepoDataRecord

from .worker import FailureError
from .worker_names import name_of

_SOURCES = ("site-packages/", "python-scripts/")  # where the files of a noarch Python package lie in its archive


class Say(Protocol):
    """Tells the parent something."""

    def __call__(self, **message: Any) -> None: ...


def installed(prefix: str) -> dict[str, PrefixRecord]:
    """Return the records of `conda-meta` by normalized name.

    Raises:
        FailureError: one cannot be read, so that nothing can be changed safely.
    """
    directory = os.path.join(prefix, "conda-meta")
    try:
        files = sorted(file for file in os.listdir(directory) if file.endswith(".json"))
    except FileNotFoundError:
        return {}
    found: dict[str, PrefixRecord] = {}
    for file in files:
        path = os.path.join(directory, file)
        try:
            record = PrefixRecord.from_path(path)  # type: ignore[arg-type]
        except Exception as error:  # py-rattler's exceptions share no base
            raise FailureError("CorruptError", f"{path} is no record of a package: {error}", code="conda-meta", path=path) from error
        found[record.name.normalized] = _mended(record)
    return found


def _mended(record: PrefixRecord) -> PrefixRecord:
    """Return a record that names the files where they are.

    For a noarch Python package conda writes into `paths_data` where they lie in the archive ("site-packages/six.py"); py-rattler
    would delete that path, which is not there, and leave every file behind. `files` holds the real ones.
    """
    if not record.noarch.python:
        return record
    entries = record.paths_data.paths
    if not any(os.fspath(entry.relative_path).replace("\\", "/").startswith(_SOURCES) for entry in entries):
        return record
    paths = PrefixPaths(record.paths_data.paths_version)
    paths.paths = [PrefixPathsEntry(file, PrefixPathType("hardlink")) for file in record.files]
    record.paths_data = paths
    return record


def checked_paths(records: Iterable[PrefixRecord]) -> None:
    """Refuse records of packages to be removed that name files outside of the environment, which py-rattler would delete."""
    for record in records:
        for path in (*record.files, *(entry.relative_path for entry in record.paths_data.paths)):
            text = os.fspath(path).replace("\\", "/")
            if text.startswith("/") or ".." in text.split("/") or re.match(r"[A-Za-z]:", text):
                name = record.name.normalized
                raise FailureError(
                    "CorruptError", f"the record of {name} names a file outside of the environment: {text}", code="conda-meta"
                )


def needs(record: PackageRecord) -> set[str]:
    """Return the names of what a record depends on."""
    return {name_of(text) for text in record.depends}


def dependents(records: Mapping[str, PackageRecord], names: Iterable[str]) -> set[str]:
    """Return those of the names that are installed, and all that need them, however far."""
    found = {name for name in names if name in records}
    needed = {name: needs(record) for name, record in records.items()}
    while more := {name for name, wants in needed.items() if name not in found and wants & found}:
        found |= more
    return found


def needed_by(records: Mapping[str, PackageRecord], names: Iterable[str]) -> set[str]:
    """Return those of the names that are installed, and all that they need, however far."""
    found, todo = set[str](), [name for name in names if name in records]
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += [other for other in needs(records[name]) if other in records]
    return found


def roots(records: Mapping[str, PackageRecord]) -> set[str]:
    """Return the names that nothing needs."""
    needed = set[str]().union(*map(needs, records.values()))
    return set(records) - needed


def same(one: PackageRecord, other: PackageRecord) -> bool:
    """Say whether two records are of one package file, as far as both tell."""
    if (str(one.version), str(one.build), one.subdir) != (str(other.version), str(other.build), other.subdir):
        return False
    for ours, theirs in ((one.sha256, other.sha256), (one.md5, other.md5)):
        if ours and theirs:
            return ours == theirs
    return True


def ordered(records: Iterable[RepoDataRecord]) -> list[str]:
    """Return the names of records, what is needed before what needs it."""
    return [record.name.normalized for record in PackageRecord.sort_topologically(list(records))]


def told(record: RepoDataRecord, requested: str | None) -> dict[str, Any]:
    """Return what the parent hears of a record."""
    return {
        "name": record.name.normalized,
        "version": str(record.version),
        "build": str(record.build),
        "subdir": record.subdir,
        "channel": (record.channel or "").rstrip("/"),
        "url": str(record.url),
        "md5": record.md5.hex() if record.md5 else None,
        "sha256": record.sha256.hex() if record.sha256 else None,
        "size": record.size or 0,
        "depends": list(record.depends),
        "requested": requested,
    }


def requested_in(records: Mapping[str, PrefixRecord], said: Mapping[str, str], without: Collection[str] = ()) -> dict[str, str]:
    """Return the specs by which the user asked for what is installed.

    Args:
        said: what `conda-meta/history` says, which counts more than the records.
        without: names that do not count.

    Returns:
        By name. Where nobody wrote anything down, what nothing else needs was asked for.
    """
    found: dict[str, str] = {}
    for name, record in records.items():
        for spec in (said.get(name), *record.requested_specs, record.requested_spec):
            if spec and spec != "None" and name_of(spec) == name:
                found[name] = spec
                break
    if not found:
        found = {name: name for name in roots(records)}
    return {name: spec for name, spec in found.items() if name not in without}
