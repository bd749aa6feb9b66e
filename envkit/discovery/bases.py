"""The base of a virtual environment: which plain interpreter its own executable and `home` lead to."""

from __future__ import annotations

import ntpath
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..formats import pyvenv_cfg
from ..layout import bin_name
from ..system.spelling import name_of, parent_of, within
from .executables import interpreters_in, read_name
from .installations import installation

if TYPE_CHECKING:
    from ..models.environment import Environment
    from ..system.look import Look


class Inside:
    """What is inside a prefix: its executable as spelled, and whether that leads to a file."""

    __slots__ = ("prefix", "python", "there")

    def __init__(self, prefix: str, python: str | None, *, there: bool) -> None:
        """Keep them."""
        self.prefix = prefix
        self.python = python
        self.there = there


def inside_of(look: Look, prefix: str) -> Inside:
    """Return the executable of a prefix: the usual one, else the first that is there."""
    directory = within(prefix, bin_name(look.host.platform))
    usual = within(directory, "python.exe" if look.windows else "python")
    if look.is_file(usual):
        return Inside(prefix, usual, there=True)
    executables = [within(directory, name) for name in interpreters_in(look, directory)]
    there = next(filter(look.is_file, executables), None)
    return Inside(prefix, there or next(iter(executables), None), there=there is not None)


def minors_in(look: Look, prefix: str) -> tuple[str, ...]:
    """Return the minor versions that the packages in a prefix are for, by their directories: "python3.12", "python3.13t", "pypy3.10"."""
    names = () if look.windows else look.names(within(prefix, "lib"))
    return tuple(name for name in names if (parts := read_name(name)) and parts.minor)


def base_in_home(look: Look, home: str, keys: dict[str, str], inside: Inside) -> Environment | None:
    """Return the plain interpreter of a home that is no environment itself: what runs, also when it is of another minor now.

    Without a link that tells it, it is one that agrees with the packages, found once for all environments that agree on it.
    """
    target = _own_target(look, inside)
    found = installation(look, within(home, name_of(target))) if target is not None else None
    if found is not None:
        return found
    minors = minors_in(look, inside.prefix)
    stated = tuple(keys.get(key, "") for key in ("version_info", "version", "base-executable", "executable"))
    return look.remember(("base", home, minors, stated), lambda: _base_in(look, home, keys, inside))


def _base_in(look: Look, home: str, keys: dict[str, str], inside: Inside) -> Environment | None:
    """Return the interpreter in `home` that agrees with the packages, else the first one there."""
    first: Environment | None = None
    for path in dict.fromkeys(_base_executables(look, home, keys, inside)):
        found = installation(look, path)
        if found is not None and agrees(look, found, inside):
            return found
        first = first or found
    return first


def home_of(look: Look, prefix: str, keys: dict[str, str]) -> str | None:
    """Return the directory that `home` names, as a path of this machine."""
    home = keys.get("home", "")
    if not home:
        return None
    absolute = ntpath.isabs(home) if look.windows else home.startswith("/")
    if not absolute:
        return look.tidy(os.path.join(prefix, home))
    return look.remember(("home", home), lambda: look.tidy(look.place(home)))


def _own_target(look: Look, inside: Inside) -> str | None:
    """Return where the environment's executable leads to outside of it: python -> python3 -> /usr/bin/python3.12."""
    if inside.python is None:
        return None
    own, target = parent_of(inside.python), look.link(inside.python)
    for _ in range(8):
        if target is None or parent_of(target) != own:
            break
        target = look.link(target)
    return look.tidy(target) if target else None


def _base_executables(look: Look, home: str, keys: dict[str, str], inside: Inside) -> Iterator[str]:
    """Yield where the base's executable may be, the likeliest first: of the minor that packages or `pyvenv.cfg` tell, then any."""
    stated = pyvenv_cfg.python_version(keys)
    minor = ".".join(stated.split(".")[:2]) if stated else ""
    wanted = [
        f"{name}{end}" for name in (*minors_in(look, inside.prefix), f"python{minor}" if minor else "") if name for end in ("", ".exe")
    ]
    for directory in (home,) if look.windows else (home, within(home, "bin")):
        names = look.contents(directory)
        yield from (within(directory, name) for name in wanted if name in names)
        yield from (within(directory, name) for name in interpreters_in(look, directory))
    for key in ("base-executable", "executable"):
        path = keys.get(key, "")
        if ntpath.isabs(path) if look.windows else path.startswith("/"):
            yield look.tidy(look.place(path))


def agrees(look: Look, base: Environment, inside: Inside) -> bool:
    """Say whether the base is of the minor version that the packages are for; an environment without any agrees with each."""
    if base.version is None:
        return True
    minor, flag = base.version.release[:2], "t" if base.free_threaded else ""
    if not look.windows and look.is_directory(within(within(inside.prefix, "lib"), f"python{minor[0]}.{minor[1]}{flag}")):
        return True
    minors = minors_in(look, inside.prefix)
    parts = [read_name(name) for name in minors]
    return not minors or any(part is not None and part.minor == minor and ("t" in part.flags) is bool(flag) for part in parts)
