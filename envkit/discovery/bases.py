"""The base of a virtual environment: which plain interpreter its own executable and `home` lead to."""

from __future__ import annotations

import ntpath
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from ..formats import pyvenv_cfg
from ..layout import bin_name
from .executables import interpreters_in, read_name
from .installations import installation

if TYPE_CHECKING:
    from ..models.environment import Environment
    from ..system.look import Look


class Inside(NamedTuple):
    """What is inside a prefix: its executable as spelled, whether that leads to a file, and the minor of its packages."""

    python: str | None
    there: bool
    minors: tuple[str, ...]  # "python3.12", "python3.13t", "pypy3.10"


def inside_of(look: Look, prefix: str) -> Inside:
    names = () if look.windows else look.names(os.path.join(prefix, "lib"))
    minors = tuple(name for name in names if (parts := read_name(name)) and parts.minor)
    directory = os.path.join(prefix, bin_name(look.host.platform))
    usual = os.path.join(directory, "python.exe" if look.windows else "python")
    if look.is_file(usual):
        return Inside(usual, there=True, minors=minors)
    executables = [os.path.join(directory, name) for name in interpreters_in(look, directory)]
    there = next(filter(look.is_file, executables), None)
    return Inside(there or next(iter(executables), None), there=there is not None, minors=minors)


def base_in_home(look: Look, home: str, keys: dict[str, str], inside: Inside) -> Environment | None:
    """Return the plain interpreter of a home that is no environment itself; found once for all environments that agree on it."""
    target = _own_target(look, inside)
    stated = tuple(keys.get(key, "") for key in ("version_info", "version", "base-executable", "executable"))
    return look.remember(("base", home, target, inside.minors, stated), lambda: _base_in(look, home, target, keys, inside))


def _base_in(look: Look, home: str, target: str | None, keys: dict[str, str], inside: Inside) -> Environment | None:
    """Return the interpreter in `home` that the environment leads to; without a link, one that agrees with its packages."""
    first = installation(look, os.path.join(home, os.path.basename(target))) if target is not None else None
    if first is not None:
        return first  # it is what runs, also when it is of another minor now
    for path in dict.fromkeys(_base_executables(look, home, keys, inside)):
        found = installation(look, path)
        if found is not None and agrees(found, inside):
            return found
        first = first or found
    return first


def home_of(look: Look, prefix: str, keys: dict[str, str]) -> str | None:
    """Return the directory that `home` names, as a path of this machine."""
    home = keys.get("home", "")
    if not home:
        return None
    absolute = ntpath.isabs(home) if look.windows else home.startswith("/")
    return look.tidy(look.place(home) if absolute else os.path.join(prefix, home))


def _own_target(look: Look, inside: Inside) -> str | None:
    """Return where the environment's executable leads to outside of it: python -> python3 -> /usr/bin/python3.12."""
    if inside.python is None:
        return None
    own, target = os.path.dirname(inside.python), look.link(inside.python)
    for _ in range(8):
        if target is None or os.path.dirname(target) != own:
            break
        target = look.link(target)
    return look.tidy(target) if target else None


def _base_executables(look: Look, home: str, keys: dict[str, str], inside: Inside) -> Iterator[str]:
    """Yield where the base's executable may be, the likeliest first: of the minor that packages or `pyvenv.cfg` tell, then any."""
    stated = pyvenv_cfg.python_version(keys)
    minor = ".".join(stated.split(".")[:2]) if stated else ""
    wanted = [f"{name}{end}" for name in (*inside.minors, f"python{minor}" if minor else "") if name for end in ("", ".exe")]
    for directory in (home,) if look.windows else (home, os.path.join(home, "bin")):
        names = look.contents(directory)
        yield from (os.path.join(directory, name) for name in wanted if name in names)
        yield from (os.path.join(directory, name) for name in interpreters_in(look, directory))
    for key in ("base-executable", "executable"):
        path = keys.get(key, "")
        if ntpath.isabs(path) if look.windows else path.startswith("/"):
            yield look.tidy(look.place(path))


def agrees(base: Environment, inside: Inside) -> bool:
    """Say whether the base is of the minor version that the packages are for; an environment without any agrees with each."""
    if not inside.minors or base.version is None:
        return True
    return any(
        (parts := read_name(name)) is not None
        and parts.minor == base.version.release[:2]
        and ("t" in parts.flags) is bool(base.free_threaded)
        for name in inside.minors
    )
