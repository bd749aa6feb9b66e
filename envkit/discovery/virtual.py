"""Virtual environments: what the files of one say, and of the Python it stands on. Nothing is run.

A directory with `pyvenv.cfg` is one (PEP 405), also when that cannot be read, and so is what envkit marked. Which Python it runs
is told by `home =` and the links of its executable, and the version by that Python as it is today: after an upgrade in place
`pyvenv.cfg` still says the old one. Writers differ: virtualenv 20.0 wrote the prefix into `home`, uv only a minor version for a
base that follows its upgrades, PyPy calls its executable differently; an environment made inside an environment names the real
base, but a careless tool names the environment, so that is followed too.
"""

from __future__ import annotations

import os
from functools import lru_cache
from typing import TYPE_CHECKING

from packaging.version import Version

from ..formats import pyvenv_cfg
from ..models.environment import Environment
from ..system.spelling import name_of, parent_of, within
from . import binaries, old_virtualenv
from .bases import Inside, base_in_home, home_of, inside_of, minors_in
from .executables import read_name
from .faults import problem_of
from .installations import installation, installation_at
from .marks import has_marks, is_managed, marks

if TYPE_CHECKING:
    from ..system.look import Look

_NESTED = 4  # environments made inside environments that are followed to the real base


def virtual_prefix(look: Look, candidate: str) -> str | None:
    """Return the prefix of the virtual environment that a path belongs to, as spelled; None when it belongs to none.

    The path is a prefix, or an executable in its `bin` or `Scripts`: a link from elsewhere to such an executable runs the base,
    so it does not count (CPython looks beside the executable as called, and one directory above).
    """
    key = ("inside", candidate)
    try:
        known: str | None = look.memory[key]
    except KeyError:
        known = look.memory[key] = _prefix_of(look, look.tidy(candidate))
    return known


def _prefix_of(look: Look, candidate: str) -> str | None:
    if look.is_directory(candidate) and _is_marked(look, candidate):
        return candidate
    directory, name = os.path.split(candidate)
    above = parent_of(directory)
    if read_name(name, windows=look.windows) and name_of(directory).lower() in {"bin", "scripts"} and _is_marked(look, above):
        return above
    return None


def _is_marked(look: Look, directory: str) -> bool:
    return look.remember(("marked", directory), lambda: _has_mark(look, directory))


def _has_mark(look: Look, directory: str) -> bool:
    if look.has(directory, pyvenv_cfg.NAME):
        return True
    if look.is_none(directory):
        return False
    if has_marks(look, directory) or (is_managed(look, directory) and look.is_directory(directory)):
        return not look.has(directory, "conda-meta")  # envkit makes conda environments, too
    return old_virtualenv.is_old(look, directory)


def kind_of(look: Look, candidate: str) -> str:
    """Return who can answer for a path: "interpreter" for what lies in no virtual environment, "envkit" for ours, else "venv"."""
    found = virtual(look, candidate)
    return "interpreter" if found is None else "envkit" if found.manager == "envkit" else "venv"


def virtual(look: Look, candidate: str) -> Environment | None:
    """Return the virtual environment that a path belongs to, broken ones with their problem; None when it belongs to none.

    Its manager is the tool that wrote `pyvenv.cfg`, or "envkit" where envkit's record says so.
    """
    prefix = virtual_prefix(look, candidate)
    return None if prefix is None else look.remember(("virtual", prefix), lambda: _virtual(look, prefix, 0))


def _virtual(look: Look, prefix: str, depth: int) -> Environment:
    from pathlib import Path  # noqa: PLC0415 - values only

    made = marks(look, prefix)
    text = look.text(within(prefix, pyvenv_cfg.NAME), pyvenv_cfg.LIMIT)
    keys = pyvenv_cfg.load(text) if text is not None else old_virtualenv.keys_of(look, prefix)
    inside = inside_of(look, prefix)
    base = _base(look, prefix, keys, inside, depth)
    problem = made.problem or problem_of(look, prefix, keys if text is not None or keys else None, inside, base)
    version, source = _version(look, prefix, keys, inside, base)
    minors = minors_in(look, prefix) if base is None else ()
    library = read_name(minors[0]) if minors else None
    implementation = base.implementation if base else _implementation(keys, library.word if library else None)
    return Environment(
        prefix=Path(prefix),
        kind="venv",
        manager="envkit" if made.made or is_managed(look, prefix) else _writer(keys),
        python=Path(inside.python) if inside.python and inside.there else None,
        version=version,
        version_source=source,
        implementation=implementation,
        architecture=base.architecture if base else _architecture(look, inside),
        free_threaded=base.free_threaded if base else "t" in library.flags if library else None,
        name=made.name if made.known else name_of(prefix) if is_managed(look, prefix) else None,
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


def _architecture(look: Look, inside: Inside) -> str | None:
    header = look.data(inside.python, binaries.HEADER) if inside.python else None
    return binaries.architecture(header) if header else None


def _base(look: Look, prefix: str, keys: dict[str, str], inside: Inside, depth: int) -> Environment | None:
    """Return the plain interpreter that the environment stands on; None when it is gone or not to be told."""
    home = home_of(look, prefix, keys)
    if home is None:
        return None
    above = parent_of(home)
    if depth < _NESTED and above != prefix and _is_marked(look, above) and name_of(home).lower() in {"bin", "scripts"}:
        nested = _virtual(look, above, depth + 1)
        return None if nested.base is None else _base_again(look, nested)
    return base_in_home(look, home, keys, inside)


def _base_again(look: Look, nested: Environment) -> Environment | None:
    """Return the interpreter that a nested environment stands on, once more: its executable leads there."""
    if nested.python is not None and (found := installation(look, str(nested.python))) is not None:
        return found
    return installation_at(look, str(nested.base))


def _version(look: Look, prefix: str, keys: dict[str, str], inside: Inside, base: Environment | None) -> tuple[Version | None, str | None]:
    """Return the version that runs today and where it was read: the base's, except for a copy that is whole in itself."""
    config = within(prefix, pyvenv_cfg.NAME)
    text = pyvenv_cfg.python_version(keys)
    stated = _parsed(text) if text else None
    if base is not None and base.version is not None:
        exact = stated is not None and len(stated.release) > 2
        if exact and stated != base.version and _is_own(look, inside):
            return stated, config
        if exact and len(base.version.release) < 3 and stated is not None and stated.release[:2] == base.version.release[:2]:
            return stated, config
        return base.version, base.version_source
    if stated is not None:
        return stated, config
    minors = minors_in(look, prefix)
    if minors and (parts := read_name(minors[0])):
        return _parsed(parts.number), within(within(prefix, "lib"), minors[0])
    return None, None


@lru_cache(maxsize=256)
def _parsed(text: str) -> Version:
    return Version(text)


def _is_own(look: Look, inside: Inside) -> bool:
    """Say whether the environment runs a copy that holds the interpreter itself; a small one takes it from the base's library."""
    if inside.python is None or look.windows or look.link(inside.python) is not None:
        return False
    status = look.status(inside.python)
    return status is not None and status.st_size > 256 * 1024
