"""`conda-meta`, the directory that makes a prefix a conda environment: names and texts in, facts out.

A package is a file `<name>-<version>-<build>.json`, so what is installed is known without opening one. `history` holds, in lines
that conda and mamba write, the commands that changed the environment; rattler leaves it empty and pixi writes a remark, so nothing
relies on it.

Source: CEP 32; conda's core/prefix_data.py and history.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

DIRECTORY: Final = "conda-meta"
HISTORY: Final = "history"
PIXI: Final = "pixi"
"""The file in which pixi says which project and environment it is."""
HISTORY_LIMIT: Final = 256 * 1024  # bytes; the command that made an environment stands at the beginning
HEAD: Final = 4096  # bytes of a package's record, in which its identity stands
_SUBDIRECTORY = re.compile(r'"subdir"\s*:\s*"([a-z0-9_-]{1,40})"')
_MACHINES = {
    "32": "i686",
    "64": "x86_64",
    "aarch64": "aarch64",
    "arm64": "aarch64",
    "armv6l": "armv6l",
    "armv7l": "armv7l",
    "ppc64le": "ppc64le",
    "ppc64": "ppc64",
    "s390x": "s390x",
    "riscv64": "riscv64",
}


class Package(NamedTuple):
    """The name of a record's file, in its parts."""

    name: str
    version: str
    build: str

    @property
    def file(self) -> str:
        """The name of the file."""
        return f"{self.name}-{self.version}-{self.build}.json"


def package(file: str) -> Package | None:
    """Return the parts of a record's file name; None for any other file."""
    parts = file.removesuffix(".json").rsplit("-", 2)
    return Package(*parts) if len(parts) == 3 and file.endswith(".json") and all(parts) else None


def named(files: Iterable[str], name: str) -> tuple[Package, ...]:
    """Return the records of one package among the files; more than one only where an update was interrupted."""
    start = f"{name}-"
    return tuple(found for file in files if file.startswith(start) and (found := package(file)) is not None and found.name == name)


def architecture(head: str) -> str | None:
    """Return the processor that a record's first part names by its subdirectory, such as "linux-aarch64"; None for "noarch"."""
    match = _SUBDIRECTORY.search(head)
    return _MACHINES.get(match.group(1).rpartition("-")[2]) if match else None


def creation(history: str) -> tuple[str, ...]:
    """Return the words of the command that made the environment; empty where `history` does not tell.

    conda joins them by blanks, so a word that held one itself cannot be told apart; a name never does.
    """
    for line in history.splitlines():
        start, found, command = line.partition("cmd:")
        if found and start.strip() == "#":
            words = tuple(command.split())
            if "create" in words[1:]:
                return words
    return ()


def tool(words: tuple[str, ...]) -> str | None:
    """Return which tool's command that is: "conda", "mamba" or "micromamba"; None when it is none of them."""
    if not words:
        return None
    program = words[0].replace("\\", "/").rpartition("/")[2].lower().removesuffix(".exe")
    if program in {"mamba", "micromamba"}:
        return program
    return "conda" if program.startswith("conda") or program in {"__main__.py", "conda-script.py"} else None


def requested_name(words: tuple[str, ...]) -> str | None:
    """Return the name that a command gave the environment by `-n NAME` or `--name NAME`; None when it gave none.

    Options are read as such: `-n foobar` is not `-n foo`, and `--prefix /x/-n` names nothing.
    """
    for index, word in enumerate(words):
        if word in {"-n", "--name"}:
            return words[index + 1] if index + 1 < len(words) else None
        if word.startswith("--name="):
            return word.removeprefix("--name=") or None
        if word.startswith("-n") and not word.startswith("--") and len(word) > 2:
            return word[2:].removeprefix("=") or None
    return None
