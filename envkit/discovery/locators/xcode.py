"""Xcode's Python and that of Apple's Command Line Tools, and the stub `/usr/bin/python3` that leads to one of them.

Marks: the place: `Library/Frameworks/Python3.framework/Versions/3.9` below `/Applications/Xcode*.app/Contents/Developer` or
`/Library/Developer/CommandLineTools`. Files read: as for any interpreter. Place in the table: before `path`, which finds `/usr/bin/python3`
and takes it for nothing. That file is no interpreter: it starts the Python of the chosen tools (`xcode-select`: the link
`/var/db/xcode_select_link`, else Xcode's, else the Command Line Tools'), so it is an alias of that one; where there are no tools, it
opens a window that offers to install them, and is given as a broken interpreter with the problem "stub". Limits: `DEVELOPER_DIR`
is obeyed, `TOOLCHAINS` is not.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ...system.spelling import name_of, parent_of, within
from ..installations import installation
from ..placeholders import stub
from ..places import stated
from ..recognition import installed
from ..versions import numbers

if TYPE_CHECKING:
    from ...models.environment import Environment
    from ...system.look import Look

NAME: Final = "xcode"
KINDS: Final = frozenset({"interpreter"})

_TOOLS = "/Library/Developer/CommandLineTools"
_CHOSEN = "/var/db/xcode_select_link"
_VERSIONS = ("Library", "Frameworks", "Python3.framework", "Versions")


def candidates(look: Look, roots: tuple[str, ...]) -> Iterator[str]:
    """Yield the directories of versions, newest first for each set of tools, then the stub."""
    for developer in _developers(look):
        versions = os.path.join(developer, *_VERSIONS)
        for name in sorted(look.names(versions), key=numbers, reverse=True):
            if name != "Current" and not name.startswith("."):
                yield within(versions, name)
    if look.host.platform == "darwin":
        yield look.place("/usr/bin/python3")


def identify(look: Look, candidate: str) -> Environment | None:
    """Return the interpreter if it lies in one of the sets of tools; for the stub, the one that it starts."""
    if look.host.platform != "darwin":
        return None
    if look.tidy(candidate) == look.place("/usr/bin/python3") and look.is_file(candidate):
        return _of_stub(look, look.tidy(candidate))
    found = installed(look, candidate)
    if found is None or found.kind != "interpreter":
        return None
    real = look.real(str(found.prefix))
    for developer in _developers(look):
        versions = os.path.join(developer, *_VERSIONS)
        if parent_of(real) == look.real(versions):
            return _in(look, developer, os.path.join(versions, name_of(real), "bin", name_of(str(found.python))))
    return None


def _in(look: Look, developer: str, executable: str) -> Environment | None:
    """Return an interpreter of a set of tools, with the stub as its alias if that starts it."""
    found = installation(look, executable)
    if found is None:
        return None
    chosen = _chosen(look)
    started = chosen is not None and look.real(os.path.join(chosen, "usr", "bin", "python3")) == look.real(executable)
    aliases = (Path(look.place("/usr/bin/python3")),) if started and look.is_file(look.place("/usr/bin/python3")) else ()
    return replace(found, manager=NAME, aliases=aliases)


def _of_stub(look: Look, candidate: str) -> Environment | None:
    """Return what `/usr/bin/python3` starts, or the stub itself where it starts nothing; None where it is an interpreter itself."""
    if installed(look, candidate) is not None:
        return None
    chosen = _chosen(look)
    if chosen is not None:
        executable = look.real(os.path.join(chosen, "usr", "bin", "python3"))
        if executable != candidate and (found := identify(look, executable)) is not None:
            return found
    return stub(
        look,
        candidate,
        NAME,
        message=f"{candidate} only offers to install Apple's Command Line Tools, there is no Python behind it",
        hint="install the tools with `xcode-select --install`, or a Python from python.org or Homebrew",
    )


def _chosen(look: Look) -> str | None:
    """Return the set of tools that the stub takes its Python from."""

    def find() -> str | None:
        named = (stated(look, "DEVELOPER_DIR"), look.link(look.place(_CHOSEN)), *_developers(look))
        for path in named:
            if path is not None and look.is_directory(path):
                inner = os.path.join(path, "Contents", "Developer")  # DEVELOPER_DIR may name the application
                return inner if look.is_directory(inner) else path
        return None

    return look.remember("xcode chosen", find)


def _developers(look: Look) -> tuple[str, ...]:
    def find() -> tuple[str, ...]:
        if look.host.platform != "darwin":
            return ()
        applications = look.place("/Applications")
        found = [name for name in look.names(applications) if name.startswith("Xcode") and name.endswith(".app")]
        inside = (os.path.join(applications, name, "Contents", "Developer") for name in sorted(found, key=lambda name: (len(name), name)))
        return tuple(path for path in (*inside, look.place(_TOOLS)) if look.is_directory(path))

    return look.remember("xcode", find)
