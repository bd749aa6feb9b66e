"""Console scripts: the first lines that name the interpreter, read and written as pip, uv and distlib write them.

A first line holds 127 bytes on Linux and no blank in the interpreter's path; beyond that installers write a shell script that
starts the interpreter and that Python takes for a text: `#!/bin/sh`, then `'''exec' "/path with blank/python" "$0" "$@"`.

Source: distlib.scripts, uv-install-wheel; execve(2).
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Collection, Iterator
from typing import Final

from ..system.files import write_new

_LONGEST: Final = 127  # bytes of a first line, with `#!` and line end
_LARGEST: Final = 1024 * 1024  # bytes; a larger file is no script that an installer wrote
_SHELL = re.compile(rb"#!/bin/sh\r?\n'''exec' (?P<quote>[\"']?)(?P<python>[^\n]+?)(?P=quote) \"\$0\" \"\$@\"\r?\n' '''\r?\n")
_PLAIN = re.compile(rb"#![ \t]*(?P<python>[^\n]+?)(?P<options>[ \t]+-[^\n]*)?\r?\n")


def first_lines(python: str, options: bytes = b"") -> bytes:
    """Return the lines that make a file run with an interpreter, whatever its path."""
    path = os.fsencode(python)
    line = b"#!" + path + options + b"\n"
    if len(line) <= _LONGEST and not re.search(rb"[\s'\"]", path):
        return line
    quoted = b"".join(b"\\" + bytes((byte,)) if byte in b'"$`\\' else bytes((byte,)) for byte in path)
    return b"#!/bin/sh\n'''exec' \"" + quoted + b'" "$0" "$@"\n' + b"' '''\n"


def interpreter_of(data: bytes) -> tuple[str, bytes, bytes] | None:
    """Return the interpreter that a script's first lines name, its options, and the rest; None where it is no such script."""
    found = _SHELL.match(data) or _PLAIN.match(data)
    if found is None:
        return None
    python = re.sub(rb'\\(["$`\\])', rb"\1", found["python"]) if found.re is _SHELL else found["python"].strip(b"\"' ")
    options = b"" if found.re is _SHELL else found["options"] or b""
    return os.fsdecode(python), options, data[found.end() :]


def rebased(data: bytes, directories: Collection[str], python: str) -> bytes | None:
    """Return a script that ran with an interpreter in one of the directories as one that runs with `python`; None where it did not.

    The interpreter keeps its name, such as `python3.12` or `pypy3`; of `python` its directory is taken.
    """
    found = interpreter_of(data)
    if found is None:
        return None
    interpreter, options, rest = found
    if os.path.dirname(interpreter) not in directories:
        return None
    return first_lines(os.path.join(os.path.dirname(python), os.path.basename(interpreter)), options) + rest


def scripts_in(directory: str) -> Iterator[tuple[str, bytes, int]]:
    """Yield name, content and mode of each regular file in a directory of programs that may be a script, sorted by name."""
    for entry in sorted(os.scandir(directory), key=lambda entry: entry.name):
        status = entry.stat(follow_symlinks=False)
        if stat.S_ISREG(status.st_mode) and status.st_size <= _LARGEST:
            with open(entry.path, "rb") as stream:
                head = stream.read(2)
                if head == b"#!":
                    yield entry.name, head + stream.read(), stat.S_IMODE(status.st_mode)


def new_script(path: str, data: bytes, mode: int) -> None:
    """Write a script where nothing is."""
    write_new(path, data, mode)


def write_script(path: str, data: bytes, mode: int) -> None:
    """Write a script in place of what is there, never into it: it may be linked from elsewhere."""
    temporary = f"{path}.{os.getpid()}.new"
    new_script(temporary, data, mode)
    os.chmod(temporary, mode)
    os.replace(temporary, path)
