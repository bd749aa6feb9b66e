"""Which directories running processes use, as Linux's /proc says; nothing is known elsewhere.

An interpreter of a virtual environment is a link out of it, so its executable says nothing: how it was called does, the variables
it was started with, and the compiled modules that it loaded.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Final

_LARGEST: Final = 4 * 1024 * 1024  # bytes read of one file of /proc
_TOLD: Final = (b"VIRTUAL_ENV=", b"CONDA_PREFIX=")


def in_use(prefixes: Iterable[str]) -> frozenset[str]:
    """Return those of the directories that a process of this machine runs in; of other users' processes only what /proc shows.

    Args:
        prefixes: absolute.
    """
    wanted = {prefix: {os.fsencode(prefix), os.fsencode(os.path.realpath(prefix))} for prefix in prefixes}
    found = {prefix for prefix in wanted if _runs_us(prefix)}
    for process in _processes() if wanted else ():
        if len(found) == len(wanted):
            break
        said = b"\0".join(_said(process)) + b"\0"
        found.update(prefix for prefix, texts in wanted.items() if any(text + b"/" in said or text + b"\0" in said for text in texts))
    return frozenset(found)


def _runs_us(prefix: str) -> bool:
    try:
        return os.path.samefile(prefix, sys.prefix) or os.path.samefile(prefix, sys.base_prefix)
    except OSError:
        return False


def _processes() -> Iterator[str]:
    with suppress(OSError):
        for name in os.listdir("/proc"):
            if name.isdigit() and int(name) != os.getpid():
                yield f"/proc/{name}"


def _said(process: str) -> Iterator[bytes]:
    """Yield what a process says of where it runs: executable, working directory, program and script, some variables, mapped files."""
    for name in ("exe", "cwd"):
        with suppress(OSError):
            yield os.fsencode(os.readlink(f"{process}/{name}"))
    yield from _read(f"{process}/cmdline").split(b"\0")[:2]
    yield from (item.partition(b"=")[2] for item in _read(f"{process}/environ").split(b"\0") if item.startswith(_TOLD))
    yield _read(f"{process}/maps").replace(b"\n", b"\0")


def _read(path: str) -> bytes:
    with suppress(OSError), open(path, "rb") as stream:
        return stream.read(_LARGEST)
    return b""
