"""Virtual environments: what the files of one say, and of the Python it stands on. Nothing is run.

A directory with `pyvenv.cfg` is one (PEP 405), also when that cannot be read, and so is what envkit marked. Which Python it runs
is told by `home =` and the links of its executable, and the version by that Python as it is today: after an upgrade in place
`pyvenv.cfg` still says the old one. Writers differ: virtualenv 20.0 wrote the prefix into `home`, uv only a minor version for a
base that follows its upgrades, PyPy calls its executable differently; an environment made inside an environment names the real
base, but a careless tool names the environment, so that is followed too.
"""

from __future__ import annotations

import ntpath
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from packaging.version import Version

from ..formats import pyvenv_cfg
from ..layout import bin_name
from ..models.environment import Environment, Problem
from . import binaries
from .executables import best_names, read_name
from .installations import installation
from .marks import is_managed, marks

if TYPE_CHECKING:
    from ..system.look import Look

_NESTED = 4  # environments made inside environments that are followed to the real base


def virtual_prefix(look: Look, candidate: str) -> str | None:
    """Return the prefix of the virtual environment that a path belongs to, as spelled; None when it belongs to none.

    The path is a prefix, or an executable in its `bin` or `Scripts`: a link from elsewhere to such an executable runs the base,
    so it does not count (CPython looks beside the executable as called, and one directory above).
    """
    candidate = look.tidy(candidate)
    if _is_marked(look, candidate):
        return candidate
    directory, name = os.path.split(candidate)
    above = os.path.dirname(directory)
    if read_name(name, windows=look.windows) and os.path.basename(directory).lower() in {"bin", "scripts"} and _is_marked(look, above):
        return above
    return None


def _is_marked(look: Look, directory: str) -> bool:
    def find() -> bool:
        if os.path.lexists(os.path.join(directory, pyvenv_cfg.NAME)):
            return True
        return look.is_directory(os.path.join(directory, ".envkit")) or (is_managed(look, directory) and look.is_directory(directory))

    return look.remember(("marked", directory), find)


def virtual(look: Look, candidate: str) -> Environment | None:
    """Return the virtual environment that a path belongs to, broken ones with their problem; None when it belongs to none.

    Its manager is the tool that wrote `pyvenv.cfg`, or "envkit" where envkit's record says so.
    """
    prefix = virtual_prefix(look, candidate)
    return None if prefix is None else look.remember(("virtual", prefix), lambda: _virtual(look, prefix, 0))


class _Inside(NamedTuple):
    """What is inside a prefix: its executable as spelled, whether that leads to a file, and the minor of its packages."""

    python: str | None
    there: bool
    minors: tuple[str, ...]  # "python3.12", "python3.13t", "pypy3.10"


def _virtual(look: Look, prefix: str, depth: int) -> Environment:
    from pathlib import Path  # noqa: PLC0415 - values only

    made = marks(look, prefix)
    text = look.text(os.path.join(prefix, pyvenv_cfg.NAME), pyvenv_cfg.LIMIT)
    keys = pyvenv_cfg.load(text) if text is not None else {}
    inside = _inside(look, prefix)
    base = _base(look, prefix, keys, inside, depth)
    problem = made.problem or _problem(look, prefix, keys if text is not None else None, inside, base)
    version, source = _version(look, prefix, keys, inside, base)
    library = read_name(inside.minors[0]) if inside.minors else None
    implementation = base.implementation if base else _implementation(keys, library.word if library else None)
    return Environment(
        prefix=Path(prefix),
        kind="venv",
        manager="envkit" if (made.record and made.record.made) or is_managed(look, prefix) else _writer(keys),
        python=Path(inside.python) if inside.python and inside.there else None,
        version=version,
        version_source=source,
        implementation=implementation,
        architecture=base.architecture if base else _architecture(look, inside),
        free_threaded=base.free_threaded if base else "t" in library.flags if library else None,
        name=made.record.name if made.record else os.path.basename(prefix) if is_managed(look, prefix) else None,
        base=base.prefix if base else None,
        externally_managed=False,
        problem=problem,
    )


def _writer(keys: dict[str, str]) -> str:
    return "uv" if "uv" in keys else "virtualenv" if "virtualenv" in keys else "venv"


def _implementation(keys: dict[str, str], word: str | None) -> str | None:
    """Return the implementation that virtualenv and uv write, or that the name of the library tells."""
    stated = keys.get("implementation", "").lower()
    if stated:
        return stated
    return {"python": "cpython", "pypy": "pypy", "graalpy": "graalpy"}.get(word or "")


def _architecture(look: Look, inside: _Inside) -> str | None:
    header = look.data(inside.python, binaries.HEADER) if inside.python else None
    return binaries.architecture(header) if header else None


def _inside(look: Look, prefix: str) -> _Inside:
    names = () if look.windows else look.names(os.path.join(prefix, "lib"))
    minors = tuple(name for name in names if (parts := read_name(name)) and parts.minor)
    directory = os.path.join(prefix, bin_name(look.host.platform))
    usual = os.path.join(directory, "python.exe" if look.windows else "python")
    if look.is_file(usual):
        return _Inside(usual, there=True, minors=minors)
    executables = [os.path.join(directory, name) for name in best_names(look.names(directory), windows=look.windows)]
    there = next(filter(look.is_file, executables), None)
    return _Inside(there or next(iter(executables), None), there=there is not None, minors=minors)


def _base(look: Look, prefix: str, keys: dict[str, str], inside: _Inside, depth: int) -> Environment | None:
    """Return the plain interpreter that the environment stands on; None when it is gone or not to be told."""
    home = _home(look, prefix, keys)
    if home is None:
        return None
    above = os.path.dirname(home)
    if depth < _NESTED and above != prefix and _is_marked(look, above) and os.path.basename(home).lower() in {"bin", "scripts"}:
        nested = _virtual(look, above, depth + 1)
        return None if nested.base is None else _base_again(look, nested)
    target = _own_target(look, inside)
    stated = tuple(keys.get(key, "") for key in ("version_info", "version", "base-executable", "executable"))
    return look.remember(("base", home, target, inside.minors, stated), lambda: _base_in(look, home, target, keys, inside))


def _base_in(look: Look, home: str, target: str | None, keys: dict[str, str], inside: _Inside) -> Environment | None:
    """Return the interpreter in `home` that agrees with the packages; without one, the first that is there."""
    first = None
    for path in dict.fromkeys(_base_executables(look, home, target, keys, inside)):
        found = installation(look, path)
        if found is not None and _agrees(found, inside):
            return found
        first = first or found
    return first


def _base_again(look: Look, nested: Environment) -> Environment | None:
    """Return the interpreter that a nested environment stands on, once more: its executable leads there."""
    if nested.python is not None and (found := installation(look, str(nested.python))) is not None:
        return found
    from .installations import installation_at  # noqa: PLC0415 - rare

    return installation_at(look, str(nested.base))


def _home(look: Look, prefix: str, keys: dict[str, str]) -> str | None:
    """Return the directory that `home` names, as a path of this machine."""
    home = keys.get("home", "")
    if not home:
        return None
    absolute = ntpath.isabs(home) if look.windows else home.startswith("/")
    return look.tidy(look.place(home) if absolute else os.path.join(prefix, home))


def _own_target(look: Look, inside: _Inside) -> str | None:
    """Return where the environment's executable leads to outside of it: python -> python3 -> /usr/bin/python3.12."""
    if inside.python is None:
        return None
    own, target = os.path.dirname(inside.python), look.link(inside.python)
    for _ in range(8):
        if target is None or os.path.dirname(target) != own:
            break
        target = look.link(target)
    return look.tidy(target) if target else None


def _base_executables(look: Look, home: str, target: str | None, keys: dict[str, str], inside: _Inside) -> Iterator[str]:
    """Yield where the base's executable may be, the likeliest first: what the environment's own leads to, by its name in `home`."""
    if target is not None:
        yield os.path.join(home, os.path.basename(target))
    stated = pyvenv_cfg.python_version(keys)
    minor = ".".join(stated.split(".")[:2]) if stated else ""
    wanted = [f"{name}{end}" for name in (*inside.minors, f"python{minor}" if minor else "") if name for end in ("", ".exe")]
    for directory in (home,) if look.windows else (home, os.path.join(home, "bin")):
        names = look.names(directory)
        yield from (os.path.join(directory, name) for name in wanted if name in names)
        yield from (os.path.join(directory, name) for name in best_names(names, windows=look.windows))
    for key in ("base-executable", "executable"):
        path = keys.get(key, "")
        if ntpath.isabs(path) if look.windows else path.startswith("/"):
            yield look.tidy(look.place(path))


def _agrees(base: Environment, inside: _Inside) -> bool:
    """Say whether the base is of the minor version that the packages are for; an environment without any agrees with each."""
    if not inside.minors or base.version is None:
        return True
    return any(
        (parts := read_name(name)) is not None and parts.minor == base.version.release[:2] and ("t" in parts.flags) is bool(base.free_threaded)
        for name in inside.minors
    )


def _version(
    look: Look, prefix: str, keys: dict[str, str], inside: _Inside, base: Environment | None
) -> tuple[Version | None, str | None]:
    """Return the version that runs today and where it was read: the base's, except for a copy that is whole in itself."""
    config = os.path.join(prefix, pyvenv_cfg.NAME)
    text = pyvenv_cfg.python_version(keys)
    stated = Version(text) if text else None
    if base is not None and base.version is not None:
        exact = stated is not None and len(stated.release) > 2
        if exact and stated != base.version and inside.python and look.link(inside.python) is None and not look.windows and _is_whole(look, inside.python):
            return stated, config
        if exact and len(base.version.release) < 3 and stated is not None and stated.release[:2] == base.version.release[:2]:
            return stated, config
        return base.version, base.version_source
    if stated is not None:
        return stated, config
    if inside.minors and (parts := read_name(inside.minors[0])):
        return Version(parts.number), os.path.join(prefix, "lib", inside.minors[0])
    return None, None


def _is_whole(look: Look, python: str) -> bool:
    """Say whether an executable holds the interpreter itself; a small one takes it from the base's shared library."""
    status = look.status(python)
    return status is not None and status.st_size > 256 * 1024


def _problem(look: Look, prefix: str, keys: dict[str, str] | None, inside: _Inside, base: Environment | None) -> Problem | None:
    """Return what is wrong with an environment that is not half made; None when it is whole."""
    anew = "make the environment anew"
    if keys is None or "home" not in keys:
        return Problem(code="config-unreadable", message=f"{os.path.join(prefix, pyvenv_cfg.NAME)} cannot be read or names no home", hint=anew)
    home = _home(look, prefix, keys)
    if base is None and not (home and best_names(look.names(home), windows=look.windows)):
        return Problem(code="base-missing", message=f"the Python it was made from is gone: {keys['home']}", hint=f"install that Python again, or {anew}")
    if not inside.there:
        if inside.python is not None and os.path.islink(inside.python):
            return Problem(code="python-dangling", message=f"{inside.python} is a link to nothing", hint=anew)
        return Problem(code="python-missing", message="it has no Python executable", hint=anew)
    if inside.python and look.link(inside.python) is None and binaries.is_script(look.data(inside.python, 2) or b""):
        return Problem(code="shim", message=f"{inside.python} is a script, not an interpreter", hint=anew)
    if base is not None and not _agrees(base, inside):
        made, now = ", ".join(inside.minors), base.version
        return Problem(code="base-changed", message=f"its packages are for {made}, its Python is {now} now", hint=f"install that Python again, or {anew}")
    if (stated := _stated_place(look, prefix, keys)) and _is_elsewhere(look, stated, prefix):
        return Problem(
            code="moved",
            message=f"it was made at {stated}, which its scripts still name",
            hint=f"move it back, or {anew} where it is to be",
            severity="warning",
        )
    return None


def _stated_place(look: Look, prefix: str, keys: dict[str, str]) -> str | None:
    """Return where the environment says it lies, by its activation script or the command that made it; None when it does not."""
    text = look.text(os.path.join(prefix, bin_name(look.host.platform), "activate"), 64 * 1024)
    for after in (text or "").split("VIRTUAL_ENV=")[1:]:
        value = after.partition("\n")[0].strip().strip("'\"")
        if _is_plain_path(look, value):
            return value
    _, found, arguments = keys.get("command", "").partition(" -m venv ")
    value = arguments[arguments.find(" /") + 1 :] if found and not arguments.startswith("/") else arguments
    return value if text is None and _is_plain_path(look, value) else None


def _is_plain_path(look: Look, text: str) -> bool:
    """Say whether this is an absolute path without anything that a shell would replace."""
    return (ntpath.isabs(text) if look.windows else text.startswith("/")) and not any(character in text for character in "$`'\"")


def _is_elsewhere(look: Look, stated: str, prefix: str) -> bool:
    if stated == prefix:
        return False
    there, here = look.status(look.place(stated)), look.status(prefix)
    return here is not None and (there is None or (there.st_dev, there.st_ino) != (here.st_dev, here.st_ino))
