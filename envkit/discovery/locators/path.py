"""Interpreters on PATH and in the directories where systems put them.

Marks: an executable whose name is an interpreter's (`python`, `python3`, `python3.12`, `python3.13t`, `pypy3`), that is machine code
and has its standard library. Files read: the executable's header, and what tells the version. Place in the table: last, for it
knows nothing of who made it. A relative or empty entry of PATH is passed over: what it means depends on where one stands, and who
may write there. Directories of shims (pyenv, asdf, mise) and Windows' store aliases are passed over: nothing in them is an
interpreter. Of a directory that the caller named, it looks at itself and its children, as installations. Limits: an interpreter under another
name is found when it is named.
"""

from __future__ import annotations

import ntpath
import os
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ...system.spelling import name_of, within
from ..executables import interpreters_in
from ..installations import installation, installation_at
from ..places import at_home

if TYPE_CHECKING:
    from ...models.environment import Environment
    from ...system.look import Look

NAME: Final = "path"
KINDS: Final = frozenset({"interpreter", "venv", "conda"})

_LINUX = ("/usr/local/bin", "/usr/bin", "/bin")
_DARWIN = ("/opt/homebrew/bin", "/usr/local/bin", "/usr/bin")
_FRAMEWORKS = "/Library/Frameworks/Python.framework/Versions"


def candidates(look: Look, roots: tuple[str, ...]) -> Iterator[str]:
    """Yield the executables with an interpreter's name, directory by directory in the order of PATH, then in the usual ones."""
    for root in roots:
        yield from _below(look, root)
    seen: set[str] = set()
    for directory in _directories(look):
        if (real := look.real(directory)) in seen or _has_no_interpreter(real):
            continue
        seen.add(real)
        for name in interpreters_in(look, directory):
            yield within(directory, name)


def _below(look: Look, root: str) -> Iterator[str]:
    """Yield a named directory and its children, those that have an executable where an installation has it."""
    usual = (
        ("python.exe",) if look.windows else (os.path.join("bin", "python3"), os.path.join("bin", "python"), os.path.join("bin", "pypy3"))
    )
    for directory in (root, *(within(root, name) for name in look.names(root))):
        if any(look.is_present(within(directory, name)) for name in usual):
            yield directory


def identify(look: Look, candidate: str) -> Environment | None:
    """Return the interpreter that an executable is or leads to, or the best one of a prefix."""
    candidate = look.tidy(candidate)
    found = installation_at(look, candidate) if look.is_directory(candidate) else installation(look, candidate)
    return None if found is None else replace(found, manager=_manager(look, found))


def _manager(look: Look, found: Environment) -> str:
    if found.kind == "conda":
        return "conda"
    if look.windows or str(found.prefix) != look.place("/usr"):
        return "pypy" if found.implementation == "pypy" else "path"
    return "debian" if look.is_directory(look.place("/var/lib/dpkg")) else "system"


def _directories(look: Look) -> Iterator[str]:
    """Yield absolute directories as paths of this machine: those of PATH, then the usual ones of the platform."""
    host = look.host
    for entry in host.environ.get("PATH", "").split(";" if look.windows else ":"):
        if ntpath.isabs(entry) if look.windows else entry.startswith("/"):
            yield look.tidy(look.place(entry))
    if look.windows:
        yield from _on_windows(look)
        return
    yield at_home(look, ".local", "bin")
    for directory in _DARWIN if host.platform == "darwin" else _LINUX:
        yield look.place(directory)
    if host.platform == "darwin":
        versions = look.place(_FRAMEWORKS)
        yield from (os.path.join(versions, name, "bin") for name in reversed(look.names(versions)) if name != "Current")
    opt = look.place("/opt")
    for name in look.names(opt):
        if name == "python":  # as in the images that wheels are built in
            yield from (os.path.join(opt, name, child, "bin") for child in look.names(within(opt, name)))
        elif name.lower().startswith(("python", "pypy")):
            yield os.path.join(opt, name, "bin")


def _on_windows(look: Look) -> Iterator[str]:
    """Yield the directories that the installers of python.org use, for one user and for all."""
    host = look.host
    local, shared = host.environ.get("LOCALAPPDATA", ""), host.environ.get("ProgramFiles", "C:\\Program Files")
    mine = str(host.path(local)) if ntpath.isabs(local) else os.path.join(str(host.home), "AppData", "Local")
    parents = [os.path.join(mine, "Programs", "Python"), str(host.path("C:\\"))]
    if ntpath.isabs(shared):
        parents.append(str(host.path(shared)))
    for parent in parents:
        for name in reversed(look.names(parent)):
            if name.lower().startswith("python3"):
                yield within(parent, name)


def _has_no_interpreter(directory: str) -> bool:
    """Say whether a directory holds scripts that pick an interpreter, or the store's aliases, and nothing else of interest."""
    name = name_of(directory).lower()
    return name in {"shims", "windowsapps"}
