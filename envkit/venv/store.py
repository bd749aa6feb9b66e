"""The wheel store: each distribution unpacked and compiled once, then put into environments without an installer.

An entry is taken from an environment into which an installer put the distribution: its files are held against the hashes of its
RECORD, linked into the store in the layout of an environment, and compiled by the Python that they are for. It is known by a hash of
those hashes, so the same wheel is one entry, wherever it came from. Putting it into an environment links each file (`placing`),
writes its console scripts with the environment's interpreter, and its RECORD. A file that is not as it was when the entry was made
(size, modification time, inode) makes the entry none. Bytecode is valid where it is linked, for modification times stay.

Layout of an entry: `manifest.json`; `files/`, as below a prefix; `scripts/`, without their first lines.

Source: "Recording installed projects" and "Binary distribution format" (packaging.python.org); PEP 552.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..formats.record import contained, read_record
from ..system.placing import Placer
from dataclasses import dataclass
from .console_scripts import first_lines, interpreter_of, new_script
from .moving import hash_and_size, hashed, rows_text

if TYPE_CHECKING:
    from ..layout import Layout

MANIFEST: Final = "manifest.json"
INSTALLER: Final = "envkit"
_FILES, _SCRIPTS = "files", "scripts"
_FORMAT: Final = 1
_OWN: Final = frozenset({"RECORD", "INSTALLER", "REQUESTED", "uv_cache.json"})  # of each environment anew; the last says when uv saw it
_FOREIGN: Final = "direct_url.json"  # what has one came from a place, and is not for sharing
_LARGEST: Final = 64 * 1024 * 1024  # bytes of a manifest

Row = tuple[str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A distribution of an environment that was looked at: what its entry is to hold, and the entry's name."""

    identity: str
    dist_info: str  # relative to the prefix
    rows: tuple[Row, ...]  # of RECORD, without scripts and what each environment has anew
    places: tuple[tuple[str, str], ...]  # (absolute, relative to the prefix) of each file
    scripts: tuple[tuple[str, str, bytes, int], ...]  # name, interpreter's name, what follows the first lines, mode


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry that is whole. `directories` and `files` are relative to a prefix; a file with its size, time and inode."""

    path: str
    dist_info: str
    rows: tuple[Row, ...]
    directories: tuple[str, ...]
    files: tuple[tuple[str, int, int, int], ...]
    scripts: tuple[tuple[str, str, int], ...]


def look_at(prefix: str, site: str, dist_info: str, *, library: str, programs: str) -> Taken:
    """Return what an entry of an installed distribution would hold; every file is held against RECORD's hash.

    Args:
        prefix: of an environment that nobody changes meanwhile.
        site: its site-packages.
        dist_info: the name of the distribution's directory there.
        library: what the environment's Python is, such as "python3.12": bytecode and headers are for that alone.
        programs: its directory of programs.

    Raises:
        ValueError: it cannot be shared: it came from a place, its RECORD leads out of the environment or lacks a hash, or a file is
            not what RECORD says. OSError: a file cannot be read.
    """
    with open(os.path.join(site, dist_info, "RECORD"), encoding="utf-8", newline="") as stream:
        listed = list(read_record(stream.read()))
    rows: list[Row] = []
    places: list[tuple[str, str]] = []
    scripts: list[tuple[str, str, bytes, int]] = []
    for path, digest, _ in listed:
        name = path.removeprefix(f"{dist_info}/")
        if path.endswith(".pyc") or name in _OWN:
            continue
        whole = contained(site, path, prefix)
        if whole is None or name == _FOREIGN or not digest or not stat.S_ISREG(os.lstat(whole).st_mode):
            raise ValueError(f"{path} of {dist_info} is not for sharing")
        found = hash_and_size(whole)
        if found[0] != digest:
            raise ValueError(f"{path} is not what RECORD says")
        script = _script(whole, programs) if os.path.dirname(whole) == programs else None
        if script is not None:
            scripts.append((os.path.basename(whole), *script))
        else:
            rows.append((path, *found))
            places.append((whole, os.path.relpath(whole, prefix)))
    identity = hashlib.sha256(json.dumps([_FORMAT, library, dist_info, sorted(rows), sorted(each[0] for each in scripts)]).encode())
    return Taken(
        identity=identity.hexdigest()[:32],
        dist_info=os.path.relpath(os.path.join(site, dist_info), prefix),
        rows=tuple(rows),
        places=tuple(places),
        scripts=tuple(scripts),
    )


def _script(path: str, programs: str) -> tuple[str, bytes, int] | None:
    """Return a console script as interpreter's name, rest and mode; None for a program that names no interpreter of the environment."""
    with open(path, "rb") as stream:
        head = stream.read(2)
        named = interpreter_of(head + stream.read()) if head == b"#!" else None
    if named is None or os.path.dirname(named[0]) != programs:
        return None
    return os.path.basename(named[0]), named[1] + b"\n" + named[2], stat.S_IMODE(os.stat(path).st_mode)


def stage(taken: Taken, place: str) -> None:
    """Put what an entry holds below `place`, a directory that is made; without a manifest it is none yet.

    Raises:
        OSError: it cannot be written, or a file is gone meanwhile.
    """
    placer = Placer()
    made: set[str] = set()
    for source, relative in taken.places:
        target = os.path.join(place, _FILES, relative)
        directory = os.path.dirname(target)
        if directory not in made:
            os.makedirs(directory, exist_ok=True)
            made.add(directory)
        placer.put(source, target)
    os.makedirs(os.path.join(place, _SCRIPTS), exist_ok=True)
    for name, _, rest, mode in taken.scripts:
        new_script(os.path.join(place, _SCRIPTS, name), rest, mode)


def finish(taken: Taken, place: str) -> None:
    """Write the manifest of an entry that was staged and compiled: from then on it is whole.

    Raises:
        OSError: it cannot be written.
    """
    base = os.path.join(place, _FILES)
    directories: list[str] = []
    files: list[tuple[str, int, int, int]] = []
    for directory, names, others in os.walk(base):
        names.sort()
        inner = os.path.relpath(directory, base)
        if inner != os.curdir:
            directories.append(inner)
        for name in sorted(others):
            status = os.stat(os.path.join(directory, name))
            place_of_it = name if inner == os.curdir else os.path.join(inner, name)
            files.append((place_of_it, status.st_size, status.st_mtime_ns, status.st_ino))
    manifest = {
        "format": _FORMAT,
        "dist_info": taken.dist_info,
        "rows": taken.rows,
        "directories": directories,
        "files": files,
        "scripts": [(name, interpreter, mode) for name, interpreter, _, mode in taken.scripts],
    }
    with open(os.path.join(place, MANIFEST), "x", encoding="utf-8") as stream:
        json.dump(manifest, stream)


def read(path: Path) -> Entry | None:
    """Return an entry if it is there and each of its files is as it was made; None if it is gone or was tampered with."""
    try:
        with open(path / MANIFEST, encoding="utf-8") as stream:
            said: Any = json.loads(stream.read(_LARGEST))
        entry = Entry(
            path=str(path),
            dist_info=str(said["dist_info"]),
            rows=tuple((str(row[0]), str(row[1]), str(row[2])) for row in said["rows"]),
            directories=tuple(map(str, said["directories"])),
            files=tuple((str(name), int(size), int(time), int(inode)) for name, size, time, inode in said["files"]),
            scripts=tuple((str(name), str(interpreter), int(mode)) for name, interpreter, mode in said["scripts"]),
        )
        return entry if said["format"] == _FORMAT and _is_as_made(entry) else None
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return None


def _is_as_made(entry: Entry) -> bool:
    base = f"{entry.path}{os.sep}{_FILES}{os.sep}"
    for name, size, time, inode in entry.files:
        status = os.lstat(base + name)
        if (status.st_size, status.st_mtime_ns, status.st_ino) != (size, time, inode) or not stat.S_ISREG(status.st_mode):
            return False
    return all(os.path.isfile(os.path.join(entry.path, _SCRIPTS, name)) for name, _, _ in entry.scripts)


def put(entries: Iterable[Entry], paths: Layout, *, requested: frozenset[str], private: bool = False) -> None:
    """Put distributions into an environment that has none of them.

    Args:
        entries: as `read` gave them a moment ago.
        paths: of the environment.
        requested: the `dist_info` of those that were asked for, not only needed.
        private: share nothing that is written to in place with the store.

    Raises:
        OSError: a file cannot be put; what was put so far is left to the caller.
    """
    placer = Placer()
    place = placer.put_private if private else placer.put
    made: set[str] = set()
    for entry in entries:
        for directory in entry.directories:
            if directory not in made:
                os.makedirs(os.path.join(paths.prefix, directory), exist_ok=True)
                made.add(directory)
        source, target = f"{entry.path}{os.sep}{_FILES}{os.sep}", f"{paths.prefix}{os.sep}"
        for name, _, _, _ in entry.files:
            try:
                place(source + name, target + name)
            except FileExistsError:
                continue  # two distributions may bring the same file, with the same content, or neither could be taken
        _write_own(entry, paths, requested=entry.dist_info in requested)


def _write_own(entry: Entry, paths: Layout, *, requested: bool) -> None:
    """Write what names the environment or belongs to it alone: scripts, INSTALLER, REQUESTED, RECORD."""
    rows = list(entry.rows)
    dist_info = os.path.join(paths.prefix, entry.dist_info)
    site, name = os.path.split(dist_info)
    for script, interpreter, mode in entry.scripts:
        with open(os.path.join(entry.path, _SCRIPTS, script), "rb") as stream:
            options, _, rest = stream.read().partition(b"\n")
        data = first_lines(os.path.join(paths.scripts, interpreter), options) + rest
        goal = os.path.join(paths.scripts, script)
        new_script(goal, data, mode)
        rows.append((os.path.relpath(goal, site).replace(os.sep, "/"), hashed(data), str(len(data))))
    for own, content in (("INSTALLER", f"{INSTALLER}\n".encode()), *((("REQUESTED", b""),) if requested else ())):
        with open(os.path.join(dist_info, own), "xb") as stream:
            stream.write(content)
        rows.append((f"{name}/{own}", hashed(content), str(len(content))))
    with open(os.path.join(dist_info, "RECORD"), "xb") as stream:
        stream.write(rows_text([*rows, (f"{name}/RECORD", "", "")]))
