"""An environment that lies elsewhere than it was made: its scripts, `.pth` files and RECORDs made true, and one put beside another.

A virtual environment names its own place in its activation scripts, in the first line of every console script, and wherever an
installer wrote a path: `.pth` files and editable finders of sources that lie inside of it. What is rewritten is replaced, never
written into, for its files may be linked from elsewhere; each RECORD that lists it is told its new hash and size.

Source: "Recording installed projects" (packaging.python.org); astral-sh/uv#13989, pypa/virtualenv#90 for what goes wrong.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import os
import re
from collections import Counter
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..formats.record import contained, read_record
from ..layout import bin_name
from ..system.placing import Placer
from ..system.sites import site_packages_below
from .console_scripts import interpreter_of, new_script, rebased, scripts_in, write_script

if TYPE_CHECKING:
    from ..host import Host

_OWN: Final = frozenset({"pyvenv.cfg", ".envkit", ".lock", ".gitignore", "CACHEDIR.TAG"})  # each environment has its own
_SHARED: Final = frozenset({"lib", "lib64", "Lib", "share", "include", "Include", "man"})  # what installers alone write to
_NAMING: Final = (".pth", ".egg-link")  # files in site-packages that may name a place inside of the environment
_LARGEST: Final = 1024 * 1024  # bytes of such a file


def put_beside(source: Path, prefix: Path, host: Host) -> str | None:
    """Put all that is in an environment into an empty one on the same Python, linked where that can be, and make it true there.

    Args:
        source: its prefix; it is not changed.
        prefix: of the empty environment.

    Returns:
        A file that a RECORD lists and that is not there, in the source neither; None where there is none.

    Raises:
        OSError: it cannot be written, or the source cannot be read.
    """
    placer = Placer()
    programs = bin_name(host.platform)
    for entry in sorted(os.scandir(source), key=lambda entry: entry.name):
        target = str(prefix / entry.name)
        if entry.name in _OWN or entry.name.lower() == programs.lower() or entry.name.startswith(".lock"):
            continue
        if entry.is_symlink():
            if not os.path.lexists(target):
                os.symlink(os.readlink(entry.path), target)
        elif entry.is_dir(follow_symlinks=False):
            placer.put_tree(entry.path, target, private=entry.name not in _SHARED)
        else:
            placer.put_private(entry.path, target)
    changed = _put_programs(source, prefix, programs, placer)
    changed |= _rename_in_packages((str(source), os.path.realpath(source)), prefix)
    mend_records(prefix, changed)
    return _missing(prefix, placer.placed)


def _missing(prefix: Path, placed: Collection[str]) -> str | None:
    """Return a file that a RECORD lists and that is not there. What was placed is not looked at again, for that takes as long."""
    for site in site_packages_below(str(prefix)):
        for name in os.listdir(site):
            for path, _, _ in _rows_beside(os.path.join(site, name, "RECORD"), site, placed) if name.endswith(".dist-info") else ():
                whole = None if path.endswith(".pyc") else contained(site, path, str(prefix))
                if whole is not None and whole not in placed and not os.path.lexists(whole):
                    return whole
    return None


def _rows_beside(record: str, site: str, placed: Collection[str]) -> list[tuple[str, str, int]]:
    """Return the rows of a RECORD that do not plainly name something that was placed: few, so that few have to be read as CSV."""
    try:
        with open(record, encoding="utf-8", newline="") as stream:
            lines = stream.read().splitlines()
        return list(read_record("\n".join(line for line in lines if f"{site}{os.sep}{line.partition(',')[0]}" not in placed)))
    except (OSError, ValueError):
        return []


def _put_programs(source: Path, prefix: Path, programs: str, placer: Placer) -> set[str]:
    """Put the programs that the empty environment has not; scripts that run with the source's interpreter run with its own."""
    origins = _spellings(source, programs)
    target = str(prefix / programs)
    there = set(os.listdir(target))
    changed: set[str] = set()
    scripts = {name: (data, mode) for name, data, mode in scripts_in(str(source / programs)) if name not in there}
    for entry in os.scandir(source / programs):
        goal = os.path.join(target, entry.name)
        if entry.name in there:
            continue
        if entry.is_symlink():
            os.symlink(os.readlink(entry.path), goal)
        elif entry.is_dir(follow_symlinks=False):
            placer.put_tree(entry.path, goal)
        elif entry.name in scripts and (data := rebased(scripts[entry.name][0], origins, os.path.join(target, "python"))) is not None:
            new_script(goal, data, scripts[entry.name][1])
            changed.add(goal)
        else:
            placer.put(entry.path, goal)
    return changed


def move_in_place(prefix: Path, origins: Iterable[str], host: Host) -> None:
    """Make the scripts of an environment true that was made at one of `origins` and lies at `prefix` now.

    Activation scripts and pyvenv.cfg are not looked at: they are written anew.

    Raises:
        OSError: it cannot be written.
    """
    programs = bin_name(host.platform)
    places = tuple(origins)
    directories = [os.path.join(place, programs) for place in places]
    target = str(prefix / programs)
    changed: set[str] = set()
    for name, data, mode in list(scripts_in(target)):
        if (moved := rebased(data, directories, os.path.join(target, "python"))) is not None:
            write_script(os.path.join(target, name), moved, mode)
            changed.add(os.path.join(target, name))
    changed |= _rename_in_packages(places, prefix)
    mend_records(prefix, changed)


def origin_of(prefix: Path, host: Host) -> str | None:
    """Return where an environment was made, as most of its console scripts say; None where it has none from elsewhere."""
    programs = bin_name(host.platform)
    target = str(prefix / programs)
    found: Counter[str] = Counter()
    for _, data, _ in scripts_in(target):
        named = interpreter_of(data)
        if named is not None and os.path.basename(named[0]).startswith(("python", "pypy")):
            directory = os.path.dirname(named[0])
            above = os.path.dirname(directory)
            gone_or_one = not os.path.isdir(directory) or os.path.isfile(os.path.join(above, "pyvenv.cfg"))  # not /usr
            if os.path.basename(directory) == programs and directory != target and gone_or_one:
                found[above] += 1
    return found.most_common(1)[0][0] if found else None


def _spellings(place: Path, programs: str) -> list[str]:
    return list(dict.fromkeys(os.path.join(spelled, programs) for spelled in (str(place), os.path.realpath(place))))


def _rename_in_packages(origins: Iterable[str], prefix: Path) -> set[str]:
    """Replace the old place by the new one in files of site-packages that name places; return those that were changed."""
    changed: set[str] = set()
    for site in site_packages_below(str(prefix)):
        for entry in list(os.scandir(site)):
            naming = entry.name.endswith(_NAMING) or (entry.name.startswith("__editable__") and entry.name.endswith(".py"))
            if not naming or not entry.is_file(follow_symlinks=False) or entry.stat().st_size > _LARGEST:
                continue
            with open(entry.path, "rb") as stream:
                before = stream.read()
            after = before
            for origin in origins:
                after = _replaced(after, os.fsencode(origin), os.fsencode(prefix))
            if after != before:
                write_script(entry.path, after, entry.stat().st_mode & 0o7777)
                changed.add(entry.path)
    return changed


def _replaced(data: bytes, before: bytes, after: bytes) -> bytes:
    """Replace a path where it ends or goes on with a separator, never the beginning of a longer name."""
    return re.sub(re.escape(before) + rb"(?=[/\\\r\n'\"]|\Z)", lambda _: after, data)


def mend_records(prefix: Path, changed: Collection[str]) -> None:
    """Write each RECORD anew that lists one of the changed files, given by absolute path."""
    if not changed:
        return
    real = {os.path.realpath(path) for path in changed}
    for site in site_packages_below(str(prefix)):
        for entry in list(os.scandir(site)):
            if entry.name.endswith(".dist-info"):
                _mend_record(site, os.path.join(entry.path, "RECORD"), str(prefix), real)


def _mend_record(site: str, record: str, prefix: str, changed: Collection[str]) -> None:
    try:
        with open(record, encoding="utf-8", newline="") as stream:
            text = stream.read()
        if "../" not in text and not any(name in text for name in (*_NAMING, "__editable__")):
            return  # it lists nothing that names a place: most, and the long ones
        rows = list(read_record(text))
    except (OSError, ValueError):
        return  # it was broken before
    written: list[tuple[str, str, str]] = []
    hit = False
    for path, digest, size in rows:
        whole = contained(site, path, prefix) if ".." in path or path.endswith(_NAMING) or path.startswith("__editable__") else None
        if digest and whole is not None and os.path.realpath(whole) in changed:
            hit = True
            written.append((path, *hash_and_size(whole)))
        else:
            written.append((path, digest, "" if size < 0 else str(size)))
    if hit:
        write_script(record, rows_text(written), os.stat(record).st_mode & 0o7777)


def rows_text(rows: Iterable[tuple[str, str, str]]) -> bytes:
    """Return the text of a RECORD."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def hash_and_size(path: str) -> tuple[str, str]:
    """Return what a RECORD says of a file."""
    with open(path, "rb") as stream:
        data = stream.read()
    return hashed(data), str(len(data))


def hashed(data: bytes) -> str:
    """Return a hash as a RECORD writes it."""
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode("ascii").rstrip("=")
