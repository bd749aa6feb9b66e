"""A file of a conda environment that names its prefix, made true for another: bytes in, bytes out.

Packages are built with a long placeholder, which is replaced by the prefix when they are linked: in text as it is, in binary files with
as many zeros behind the text as it got shorter. So a binary file can be given another prefix as long as that is no longer than the
placeholder was, and its zeros are there to be used up.

Source: CEP 20; conda's core/portability.py; rattler's install/link.rs for first lines that a kernel does not take.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from typing import Final
from urllib.parse import quote

_ENDS: Final = rb"(?![A-Za-z0-9_.\-])"  # a path ends here: "/envs/a" is not meant by "/envs/ab"
_LONGEST_LINE: Final = {"darwin": 512, "linux": 127}  # characters of a first line that the kernel reads
_EXEC: Final = re.compile(rb"""#!/bin/sh\r?\n'''exec' (?P<program>[^\r\n]+) "\$0" "\$@" #'''""")


def forms(place: str) -> tuple[str, ...]:
    """Return how a path stands in files: as it is, in JSON, in a URL, and with slashes where it has backslashes; each once."""
    slashes = place.replace("\\", "/")
    return tuple(dict.fromkeys((place, json.dumps(place)[1:-1], slashes, quote(slashes, safe="/:"))))


def names(data: bytes, place: str) -> bool:
    """Say whether a path occurs in a file, in any of its spellings; in the lines that start a script it may be quoted."""
    return any(os.fsencode(form) in data for form in forms(place)) or (interpreter_of(data) or "").startswith(f"{place}/")


def moved_text(data: bytes, old: str, new: str, *, platform: str, in_json: bool = False) -> bytes:
    """Return a text with the new path for the old one, its first line such that the kernel of `platform` takes it.

    Behind `file://` it is written as in a URL, with slashes where the old one stood with slashes, and escaped in JSON.
    """
    plain = {before: new.replace("\\", "/") if before == old.replace("\\", "/") != old else new for before in forms(old)}
    if in_json:
        plain = {before: json.dumps(after, ensure_ascii=False)[1:-1] for before, after in plain.items()}
    quoted = os.fsencode(quote(new.replace("\\", "/"), safe="/:"))

    def replacement(match: re.Match[bytes]) -> bytes:
        return match[1] + quoted if match[1] else os.fsencode(plain[os.fsdecode(match[2])])

    spelt = b"|".join(re.escape(os.fsencode(before)) for before in sorted(plain, key=len, reverse=True))
    moved = re.sub(b"(file://|)(" + spelt + b")" + _ENDS, replacement, _without_shell(data, old))
    return runnable(moved, new, platform=platform)


def _without_shell(data: bytes, prefix: str) -> bytes:
    """Return a script that is run through `sh` by a program of the prefix as one that names that program itself."""
    match = _EXEC.match(data)
    program = interpreter_of(data) if match is not None else None
    if match is None or program is None or not program.startswith(prefix + "/"):
        return data
    words = shlex.split(os.fsdecode(match["program"]))
    return b"#!" + os.fsencode(" ".join(words)) + data[match.end() :]


def runnable(data: bytes, prefix: str, *, platform: str) -> bytes:
    """Return a script whose first line a kernel takes, where it names a program of the prefix.

    A path with a blank, or a line that is too long, is no interpreter for any kernel: a Python script is run through `sh` then, as
    rattler and pip write it, any other by the name of its program.
    """
    start = b"#!" + os.fsencode(prefix) + b"/"
    if platform == "win32" or not data.startswith(start):
        return data
    line, end, rest = data.partition(b"\n")
    if not re.search(rb"\s", os.fsencode(prefix)) and len(line) <= _LONGEST_LINE.get(platform, 127):
        return data
    directory, slash, program = line[len(start) :].strip().rpartition(b"/")
    name, _, arguments = program.partition(b" ")
    if name.startswith((b"python", b"pypy")):
        command = _quoted(start[2:] + directory + slash + name) + (b" " + arguments.strip() if arguments.strip() else b"")
        return b"#!/bin/sh\n'''exec' " + command + b' "$0" "$@" #\'\'\'' + end + rest
    return b"#!/usr/bin/env " + (b"-S " if arguments.strip() else b"") + program.strip() + end + rest


def _quoted(path: bytes) -> bytes:
    """Return a path for a shell, without backslashes: Python reads the line as well, as a text, and warns of those."""
    parts = re.split(rb"([$`\"\\]+)", path)
    return b"".join(b"'" + part + b"'" if index % 2 else b'"' + part + b'"' for index, part in enumerate(parts) if part)


def moved_binary(data: bytes, old: str, new: str) -> bytes | None:
    """Return a binary file of the same length with the new path for the old one; None where the new one does not fit."""
    before, after = os.fsencode(old), os.fsencode(new)
    whole = True

    def replaced(match: re.Match[bytes]) -> bytes:
        nonlocal whole
        body = re.sub(re.escape(before) + _ENDS, lambda _: after, match[1])
        if len(body) + (1 if match[2] else 0) > len(match[0]):
            whole = False
            return match[0]
        return body + b"\0" * (len(match[0]) - len(body))

    found = re.sub(b"(" + re.escape(before) + _ENDS + rb"[^\0]*)(\0*)", replaced, data)
    return found if whole else None


def interpreter_of(data: bytes) -> str | None:
    """Return the absolute path of the program that a script's first lines name; None where they name none."""
    match = _EXEC.match(data)
    if match is not None:
        try:
            return shlex.split(os.fsdecode(match["program"]))[0]
        except (ValueError, IndexError):
            return None
    line = data.partition(b"\n")[0]
    if not line.startswith(b"#!/"):
        return None
    return os.fsdecode(line[2:].strip().partition(b" ")[0])
