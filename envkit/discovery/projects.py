"""Projects: the directories in which one may be, what their files say, and which of them a far away environment belongs to.

A project directory is anybody's: files are read up to a size, and what cannot be parsed says nothing. `tomllib` is imported when
such a file is met.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeGuard

from ..system.spelling import name_of, parent_of, within
from .places import contents

if TYPE_CHECKING:
    from ..system.look import Look

VENV: Final = ".venv"
PYPROJECT: Final = "pyproject.toml"
_LIMIT = 512 * 1024  # bytes of a file that is parsed
_ABOVE = 12  # directories above the working directory that are looked into
_PTH = 64 * 1024  # bytes of one path configuration file


def project_directories(look: Look, roots: tuple[str, ...]) -> tuple[str, ...]:
    """Return where a project may be: the working directory and those above it, and what was found below the named directories."""

    def find() -> tuple[str, ...]:
        known = tuple(path for path in dict.fromkeys((*_here(look), *roots)) if look.names(path))
        _known(look).extend(known)
        return known

    return look.remember(("projects", roots), find)


def _here(look: Look) -> list[str]:
    """Return the working directory and those above it, up to the home directory or the root, which are no projects."""
    ends = {look.home, str(look.host.root), os.sep}
    found, path = [look.cwd], parent_of(look.cwd)
    while path not in ends and len(found) <= _ABOVE and parent_of(path) != path:
        found.append(path)
        path = parent_of(path)
    return found


def _known(look: Look) -> list[str]:
    """Return the list of all project directories that this look has met, to read and to add to."""
    return look.remember("known projects", lambda: _here(look))


def project_of(look: Look, prefix: str) -> str | None:
    """Return the project of an environment that is `.venv` in a directory; the home directory and the root are none."""
    if name_of(prefix) != VENV:
        return None
    directory = parent_of(prefix)
    return None if directory in {look.home, str(look.host.root), os.sep} else directory


def has_any(look: Look, directory: str, *names: str) -> bool:
    """Say whether one of these names is in a directory."""
    return not contents(look, directory).isdisjoint(names)


def has_file(look: Look, directory: str, *names: str) -> bool:
    """Say whether one of a few names is in a directory that nothing else is asked about, and that may be a large one."""
    return any(look.holds(directory, name) for name in names)


def toml(look: Look, path: str) -> Mapping[str, Any]:
    """Return what a TOML file says; empty where there is none, or none that can be read."""

    def find() -> Mapping[str, Any]:
        text = look.text(path, _LIMIT)
        if not text:
            return {}
        import tomllib  # noqa: PLC0415 - most searches meet no such file

        try:
            return tomllib.loads(text)
        except (ValueError, RecursionError):
            return {}

    return look.remember(("toml", path), find)


def value_in(found: object, *keys: str) -> object:
    """Return what lies below these keys, one after the other; None where there is nothing."""
    for key in keys:
        if not _is_table(found):
            return None
        found = found.get(key)
    return found


def table_in(found: object, *keys: str) -> Mapping[str, object]:
    """Return the table below these keys; an empty one where there is none."""
    value, empty = value_in(found, *keys), dict[str, object]()
    return value if _is_table(value) else empty


def text_in(found: object, *keys: str) -> str:
    """Return the text below these keys; an empty one where there is none."""
    value = value_in(found, *keys)
    return value if isinstance(value, str) else ""


def _is_table(value: object) -> TypeGuard[Mapping[str, object]]:
    return isinstance(value, dict)


def pyproject(look: Look, directory: str) -> Mapping[str, Any]:
    """Return what a directory's `pyproject.toml` says; empty where there is none."""
    return toml(look, within(directory, PYPROJECT)) if PYPROJECT in contents(look, directory) else {}


def may_say(look: Look, directory: str, tool: str, *words: str) -> bool:
    """Say whether a directory's `pyproject.toml` may say one of these words of a tool, without parsing it.

    Parsing takes milliseconds, and most projects say nothing of most tools.
    """
    text = look.remember(("pyproject", directory), lambda: look.text(within(directory, PYPROJECT), _LIMIT)) or ""
    return tool in text.replace("hatchling", "") and any(f"{word}{end}" in text for word in words for end in ("]", ".", " ", "="))


def owner(look: Look, prefix: str, fits: Callable[[str], bool]) -> str | None:
    """Return the project that an environment far away from it belongs to: the first directory of which `fits` says so.

    Asked are those that its packages lead to (the project itself is installed there as a link, so this needs no guess about where
    projects are), then the working directory, those above it, and the directories that the caller named.
    """
    return next((path for path in (*_sources(look, prefix), *dict.fromkeys(_known(look))) if fits(path)), None)


def _sources(look: Look, prefix: str) -> tuple[str, ...]:
    """Return the directories outside of an environment from which it imports, and up to three above each."""
    return look.remember(("sources", prefix), lambda: tuple(dict.fromkeys(_read_sources(look, prefix))))


def _read_sources(look: Look, prefix: str) -> Iterator[str]:
    for library in look.names(within(prefix, "lib")):
        packages = os.path.join(prefix, "lib", library, "site-packages")
        for name in look.names(packages):
            if not name.endswith(".pth"):
                continue
            for line in (look.text(within(packages, name), _PTH) or "").splitlines():
                if line.startswith("/") and "\0" not in line:
                    path = look.place(line.rstrip())
                    for _ in range(4):
                        yield path
                        path = parent_of(path)


def digest(look: Look, path: str, algorithm: str = "sha256") -> str:
    """Return the first eight letters of a path's hash in base 64, as tools put it into a directory's name.

    `algorithm` is as `hashlib` calls it.
    """

    def find() -> str:
        import base64  # noqa: PLC0415 - only for environments that are named after a hash
        import hashlib  # noqa: PLC0415 - as above
        from pathlib import Path  # noqa: PLC0415 - as above

        text = look.host.shown(Path(path)).encode("utf-8", "surrogateescape")
        return base64.urlsafe_b64encode(hashlib.new(algorithm, text, usedforsecurity=False).digest()).decode("ascii")[:8]

    return look.remember(("digest", algorithm, path), find)
