"""Directories in which a tool keeps one Python per version: pyenv, asdf, mise, uv, Rye, PDM, Poetry.

Several of them add links beside the directories (`3.12` to `3.12.4`, `latest`, uv's `cpython-3.12-linux-x86_64-gnu`): other
spellings of one installation, so they are its aliases. An environment that was made through such a link keeps it as its base,
for that is how it follows an upgrade.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..formats.conda_meta import DIRECTORY
from ..models.environment import Environment, Problem
from ..system.spelling import name_of, parent_of, within
from .executables import interpreters_in
from .installations import installation_at
from .recognition import installed

if TYPE_CHECKING:
    from ..system.look import Look


def version_directories(look: Look, directory: str) -> Iterator[str]:
    """Yield the paths in a directory of versions, newest first; links to another version there are left out, and so is what is hidden."""
    links = _links(look, directory)
    for name in sorted(look.names(directory), key=numbers, reverse=True):
        if not name.startswith(".") and name not in links:
            yield within(directory, name)


def version_in(look: Look, candidate: str, directory: str, manager: str) -> Environment | None:
    """Return the interpreter that a path leads to if it lies in that directory of versions, with its directory's name.

    Its aliases are the prefixes that links beside it give it.
    """
    found = installed(look, candidate)
    if found is None:
        return _broken(look, look.tidy(candidate), directory, manager)
    if found.kind != "interpreter" or parent_of(str(found.prefix)) != directory:
        return None
    links = _links(look, directory)
    name = links.get(found.prefix.name, found.prefix.name)
    if name != found.prefix.name:
        whole = installation_at(look, within(directory, name))
        if whole is None:
            return None
        found = whole
    aliases = tuple(Path(directory, link) for link, target in links.items() if target == name)
    return replace(found, manager=manager, name=name, aliases=aliases)


def _broken(look: Look, path: str, versions: str, manager: str) -> Environment | None:
    """Return a version of which something is left, but nothing that runs; None for a directory that never was one."""
    inside = parent_of(path) if look.windows else parent_of(parent_of(path))
    prefix = path if parent_of(path) == versions else inside
    directory = prefix if look.windows else within(prefix, "bin")
    if parent_of(prefix) != versions or look.has(prefix, DIRECTORY) or not (names := interpreters_in(look, directory)):
        return None
    python = within(directory, names[0])
    if path not in {prefix, *(within(directory, name) for name in names)}:
        return None
    missing, name = not look.is_file(python), name_of(prefix)
    what = f"{python} is a link to nothing" if missing else f"{python} is no interpreter, or its standard library is gone"
    return Environment(
        prefix=Path(prefix),
        kind="interpreter",
        manager=manager,
        python=None if missing else Path(python),
        name=name,
        problem=Problem(
            code="python-dangling" if missing else "python-unusable",
            message=what,
            hint=f"install it again with {manager}, or remove {prefix}",
        ),
    )


def _links(look: Look, directory: str) -> dict[str, str]:
    """Return the links in a directory that lead to a neighbour, and the name of it."""

    def find() -> dict[str, str]:
        names, found = look.names(directory), dict[str, str]()
        for name in names:
            path = within(directory, name)
            last = look.last(path)
            if last != path and parent_of(last) == directory and name_of(last) in names:
                found[name] = name_of(last)
        return found

    return look.remember(("links", directory), find)


def numbers(name: str) -> tuple[list[int], str]:
    """Return what sorts 3.9.18 before 3.12.1 wherever they stand in a name, and other names by themselves."""
    number, found = "", list[int]()
    for character in f"{name} ":
        if character.isascii() and character.isdigit() and len(number) < 9:
            number += character
        elif number:
            found.append(int(number))
            number = ""
    return found, name
