"""RECORD: the files of an installed distribution, each with its hash and size.

It is hostile input: its paths may be absolute or lead anywhere by `..`. Whoever acts on one contains it first, see `contained`.

Source: "Recording installed projects", the RECORD file (PEP 376, PEP 627).
"""

from __future__ import annotations

import csv
import posixpath
from collections.abc import Iterator


def read_record(text: str) -> Iterator[tuple[str, str, int]]:
    """Yield path, hash ("" where absent) and size in bytes (-1 where absent) of each row, in the order of the file.

    Tuples, because this is done for thousands of files; a row that is none is passed over.

    Raises:
        ValueError: the text is no CSV, or holds a NUL.
    """
    if "\0" in text:
        raise ValueError("RECORD holds a NUL character")
    try:
        for row in csv.reader(text.splitlines(keepends=True)):
            if row and row[0]:
                size = row[2] if len(row) > 2 else ""
                yield row[0], row[1] if len(row) > 1 else "", int(size) if size.isascii() and size.isdigit() and len(size) < 20 else -1
    except csv.Error as error:
        raise ValueError(f"RECORD is no CSV: {error}") from error


def slashed(path: str, *, windows: bool) -> str:
    """Return a path of this machine as `contained` takes it; a backslash is a letter as any other outside of Windows."""
    return path.replace("\\", "/") if windows else path


def contained(site: str, path: str, prefix: str) -> str | None:
    """Return the absolute path that a row names, or None if it lies outside of `prefix`.

    Args:
        site: the directory that RECORD's paths are relative to, absolute, with slashes.
        path: as the row says it.
        prefix: the environment's directory, absolute, with slashes.
    """
    if ".." not in path and path[0] != "/" and "\\" not in path and ":" not in path:
        return f"{site}/{path}"
    path = path.replace("\\", "/")
    if len(path) > 1 and path[1] == ":" and not site.startswith(path[:2]):
        return None
    whole = posixpath.normpath(path if path[1:2] == ":" else posixpath.join(site, path))
    return whole if whole.startswith(prefix.rstrip("/") + "/") else None
