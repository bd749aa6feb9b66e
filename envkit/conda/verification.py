"""Are the files of the installed conda packages there, and as they were installed? Their records held against the disk.

conda and rattler hard-link files from a cache that all environments share, so a file that was edited in one is edited in all: a hash
is the only way to see it.

Source: CEP 32 (`files`, `paths_data`), CEP 17 (where noarch Python packages put their files).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from ..errors import EnvkitError
from ..formats import conda_record
from ..models.environment import Problem
from .inventory import read, whole_records

if TYPE_CHECKING:
    from ..control import Work
    from ..formats.conda_record import Path, Record
    from ..models.environment import Environment

_HINT: Final = "install the package anew"
_MADE: Final = (".pyc", ".pyo")  # Python makes and removes them as it likes
_KINDS: Final = frozenset({"hardlink", "unix_python_entry_point", "windows_python_entry_point_script", "windows_python_entry_point_exe"})
_PACKAGES: Final = "site-packages/"  # how a noarch package says "wherever this Python has its packages"
_SCRIPTS: Final = "python-scripts/"
_CHUNK: Final = 1024 * 1024  # bytes read at once


def problems(env: Environment) -> tuple[Problem, ...]:
    """Return a problem for each package whose record cannot be read, is there twice, or lists files that are gone, sorted by name.

    A link to nothing counts as there where it was installed as one. Compiled files (`.pyc`) are not looked for.
    """
    there, found, seen = _Listing(str(env.prefix)), list[Problem](), dict[str, str]()
    for path, name in whole_records(env.prefix):
        try:
            record, files, _ = conda_record.load_whole(read(path))
        except (OSError, ValueError):
            found.append(_broken(name, f"its record {os.path.basename(path)} cannot be read"))
            continue
        if name in seen:
            found.append(_broken(name, f"two records name it, {seen[name]} and {record.version}: an update was interrupted"))
        seen[name] = record.version
        gone = [file for file in files if not file.endswith(_MADE) and not there.has(file)]
        if gone:
            found.append(_broken(name, f"files are gone: {_first(gone)}"))
    return tuple(found)


def alterations(env: Environment, work: Work) -> tuple[Problem, ...]:
    """Return a problem for each package of which a file has another content than was installed, sorted by name.

    Reads every file whose hash is known, so `work` is asked between two whether to go on. A file that is gone, a link, and a compiled
    file tell nothing.

    Raises:
        CancelledError, DeadlineError: the call is over.
    """
    prefix, found = str(env.prefix), list[Problem]()
    for path, name in whole_records(env.prefix):
        work.check()
        try:
            record, files, paths = conda_record.load_whole(read(path))
        except (OSError, ValueError):
            continue  # `problems` tells of it
        others = [file for file, known in _known(record, files, paths) if _is_altered(f"{prefix}/{file}", known, work)]
        if others:
            message = f"files have another content than was installed: {_first(others)}"
            found.append(Problem(code="package-altered", message=message, hint=_HINT, subject=name, severity="warning"))
    return tuple(found)


def _broken(name: str, message: str) -> Problem:
    return Problem(code="package-broken", message=message, hint=_HINT, subject=name)


def _first(files: list[str]) -> str:
    return files[0] if len(files) == 1 else f"{files[0]} and {len(files) - 1} more"


class _Listing:
    """Which files lie below a prefix; each directory is listed once."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._names: dict[str, frozenset[str]] = {}

    def has(self, file: str) -> bool:
        directory, _, name = file.rpartition("/")
        if directory not in self._names:
            try:
                self._names[directory] = frozenset(os.listdir(f"{self._prefix}/{directory}"))
            except OSError:
                self._names[directory] = frozenset()
        return name in self._names[directory] or os.path.lexists(f"{self._prefix}/{file}")


def _known(record: Record, files: tuple[str, ...], paths: Iterable[Path]) -> Iterator[tuple[str, Path]]:
    """Yield the files whose content is known, where they lie in the prefix.

    conda writes down of a noarch Python package where its files are in the package, not where it put them.
    """
    placed = frozenset(files)
    packages = next((file.partition(_PACKAGES)[0] for file in files if _PACKAGES in file), "") if record.noarch == "python" else ""
    scripts = next((file.partition("/")[0] for file in files if file.startswith(("bin/", "Scripts/"))), "bin")
    for known in paths:
        file = known.path
        if file not in placed and file.startswith(_PACKAGES):
            file = packages + file
        elif file not in placed and file.startswith(_SCRIPTS):
            file = f"{scripts}/{file.removeprefix(_SCRIPTS)}"
        if known.kind in _KINDS and known.sha256 is not None and file in placed and not file.endswith(_MADE):
            yield file, known


def _is_altered(path: str, known: Path, work: Work) -> bool:
    import hashlib  # noqa: PLC0415 - only for deep checks

    work.check()
    try:
        if os.path.islink(path) or not os.path.isfile(path):
            return False
        if known.size is not None and os.path.getsize(path) != known.size:
            return True
        digest = hashlib.sha256()
        with open(path, "rb") as stream:
            while chunk := stream.read(_CHUNK):
                work.check()
                digest.update(chunk)
    except EnvkitError:  # a deadline is an OSError, too
        raise
    except (OSError, ValueError):
        return False
    return digest.hexdigest() != known.sha256
