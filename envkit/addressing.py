"""Content-addressed environments: the key of a spec, and which directory of the store holds what the key means.

The key is a hash of all that goes into an environment, the base Python chosen and the platform included. The environment of a key
lies at `<key>`; when somebody edited that one, its successor lies at `<key>-2`, and so on. Choosing a Python means looking at the
whole machine; so the choice is remembered, for at most an hour and only as long as the variables and the directories that
decide are the same.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import match_specs, places, planning, records
from .discovery import requests
from .errors import MachineError
from .formats.record_text import MARKS, READY
from .models.specs import Project
from .system import files

if TYPE_CHECKING:
    from .control import Work
    from .host import Host
    from .models.environment import Environment
    from .models.specs import Spec

Choose = Callable[[str | None], "Environment"]

_LENGTH = 24  # hexadecimal digits of a key: 96 bits, and short, for shebangs have to hold the path
_LASTING = 3600.0  # seconds that a choice of Python is remembered
_DECIDING = re.compile("PATH|HOME|ROOT|DIR|PREFIX|VIRTUAL_ENV|DATA")  # variables that say where Pythons may be
_BUILT = frozenset({"build", "dist", "node_modules", "__pycache__"})  # what building a project leaves in it
_DESCRIBING = ("pyproject.toml", "setup.py", "setup.cfg")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """The key of a spec on this machine; `base` is the Python chosen, None where it was only remembered which that is."""

    key: str
    base: Environment | None = None


def address(spec: Spec, work: Work, choose: Choose, *, anew: bool = False, checked: bool = False) -> Address:
    """Return the key of a spec without name and prefix.

    Args:
        choose: gives the base Python of a request; it is asked only where the last choice may not hold any more.
        anew: ask it in any case, so that `base` is known.
        checked: its requirements are in canonical form already.

    Raises:
        UsageError: the spec is not allowed. NotFoundError: no Python satisfies it, or a local package is not there.
    """
    spec = spec if checked else _canonical(spec, work.host)
    if spec.backend == match_specs.CONDA:  # it brings its own Python
        return Address(key=_key(spec, [_architecture()], work.host))
    remembered = None if anew else _remembered(spec.python, work.host)
    if remembered is not None:
        return Address(key=_key(spec, remembered, work.host))
    base = choose(spec.python)
    facts = _facts(base)
    if _is_request(spec.python):
        _remember(spec.python, facts, work.host)
    return Address(key=_key(spec, facts, work.host), base=base)


def _canonical(spec: Spec, host: Host) -> Spec:
    from .pypi import requirements as rules  # noqa: PLC0415 - looking does without it

    return replace(
        spec,
        python=planning.python_of(spec),
        backend=match_specs.backend_name(spec),
        conda=match_specs.checked(spec.conda),
        pypi=tuple(rules.parse(requirement, host) for requirement in spec.pypi),
        constraints=tuple(str(rules.parse(constraint, host)) for constraint in spec.constraints),
    )


def _key(spec: Spec, base: list[str], host: Host) -> str:
    newest = spec.sources.exclude_newer
    material: dict[str, Any] = {
        "format": 1,
        "python": spec.python,
        "backend": spec.backend,
        "pypi": sorted(_asked(requirement) for requirement in spec.pypi),
        "conda": sorted(spec.conda),
        "channels": spec.channels,
        "constraints": sorted(spec.constraints),
        "lock": None if spec.lock is None else [spec.lock.format, spec.lock.text],
        "indexes": spec.sources.indexes,
        "exclude_newer": None if newest is None else newest.astimezone(UTC).isoformat(),
        "prereleases": spec.sources.prereleases,
        "variables": sorted(spec.variables.items()),
        "post_install": spec.post_install,
        "system_site_packages": spec.system_site_packages,
        "seed": spec.seed,
        "base": base,
        "platform": host.platform,
    }
    return hashlib.sha256(json.dumps(material, sort_keys=True).encode("utf-8", "surrogateescape")).hexdigest()[:_LENGTH]


def _asked(requirement: str | Project) -> str:
    """Return what stands in the key for a requirement; for what lies on this machine also what is in it."""
    if isinstance(requirement, str):
        return requirement
    digest = hashlib.sha256()
    for part in _content(requirement):
        digest.update(part)
    how = "editable" if requirement.editable else "local"
    return f"{how} {requirement.path} {sorted(requirement.extras)} {sorted(requirement.groups)} {digest.hexdigest()}"


def _content(project: Project) -> Iterator[bytes]:
    """Yield what a local package is made of: a file's bytes; of a directory names, sizes and times, but not what a build left there."""
    if project.path.is_file():
        with open(project.path, "rb") as stream:
            while block := stream.read(1024 * 1024):
                yield block
        return
    if project.editable:  # its source is used as it lies there; what describes it was used once
        for name in _DESCRIBING:
            with suppress(OSError):
                yield (project.path / name).read_bytes()
        return
    for directory, names, others in os.walk(project.path):
        names[:] = sorted(name for name in names if name not in _BUILT and not name.startswith(".") and not name.endswith(".egg-info"))
        for name in sorted(others):
            with suppress(OSError):
                status = os.stat(os.path.join(directory, name))
                place = os.path.relpath(os.path.join(directory, name), project.path)
                yield f"{place}\0{status.st_size}\0{status.st_mtime_ns}\0".encode("utf-8", "surrogateescape")


def _facts(base: Environment) -> list[str]:
    """Return what the key says of the base Python."""
    real = os.path.realpath(base.python) if base.python is not None else str(base.prefix)
    return [real, str(base.version), str(base.implementation), str(base.free_threaded), str(base.architecture)]


def _architecture() -> str:
    """Return the instruction set of this machine, which is that of what conda brings."""
    import platform  # noqa: PLC0415 - few look for one

    return platform.machine().lower()


def _is_request(python: str | None) -> bool:
    return python is None or requests.parse(python) is not None


def _choice_file(python: str | None, host: Host) -> Path:
    deciding = sorted((name, value) for name, value in host.environ.items() if _DECIDING.search(name))
    text = json.dumps([python, str(host.root), str(host.home), host.platform, deciding])
    return places.store_directory(host, "choices") / hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:_LENGTH]


def _remembered(python: str | None, host: Host) -> list[str] | None:
    """Return the facts of the base that was chosen last, where that choice still holds."""
    if not _is_request(python):
        return None
    try:
        said: Any = json.loads(_choice_file(python, host).read_text("utf-8"))
        facts, age = [str(fact) for fact in said["facts"]], time.time() - float(said["time"])
        return facts if 0 <= age < _LASTING and said["stamps"] == _stamps(facts[0], host) else None
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return None


def _remember(python: str | None, facts: list[str], host: Host) -> None:
    path = _choice_file(python, host)
    with suppress(OSError, MachineError):  # the next call looks again
        files.private_directory(path.parent)
        files.write_atomic(path, json.dumps({"facts": facts, "time": time.time(), "stamps": _stamps(facts[0], host)}))


def _stamps(executable: str, host: Host) -> list[list[object]]:
    """Return what changes when a Python is installed, removed or upgraded: the executable, and directories that list Pythons."""
    stated = [part for part in host.environ.get("PATH", "").split(os.pathsep) if os.path.isabs(part)]
    pyenv = host.environ.get("PYENV_ROOT") or str(host.home / ".pyenv")
    places = [executable, *stated, os.path.join(pyenv, "versions"), str(host.home / ".local" / "share" / "uv" / "python")]
    stamps: list[list[object]] = []
    for place in dict.fromkeys(places):
        try:
            status = os.stat(host.path(place))
        except OSError:
            continue
        stamps.append([place, status.st_mtime_ns, status.st_ino])
    return stamps


def first(key: str, host: Host) -> Path:
    """Return the place of a key: where its first environment lies, and what its lock is named after."""
    return places.store_directory(host, "environments") / key


def candidates(key: str, host: Host) -> tuple[Path, ...]:
    """Return the prefixes that are there for a key, in the order in which they were made."""
    directory = places.store_directory(host, "environments")
    found: list[tuple[int, Path]] = []
    with suppress(OSError):
        for name in os.listdir(directory):
            if name == key:
                found.append((1, directory / name))
            elif name.startswith(f"{key}-") and name[_LENGTH + 1 :].isdigit():
                found.append((int(name[_LENGTH + 1 :]), directory / name))
    return tuple(prefix for _, prefix in sorted(found))


def ready(key: str, host: Host) -> Iterator[Path]:
    """Yield the prefixes of the environments of a key that are as they were made; whether their Python still is, is not looked at."""
    for prefix in candidates(key, host):
        state = records.state_of(prefix, host)
        if state.ready and state.record is not None and state.record.key == key and state.record.digest == records.digest_of(prefix):
            yield prefix


def free(key: str, host: Host) -> Path:
    """Return where the environment of a key is to be built, the key's lock being held; what is half made there counts as nothing."""
    place = first(key, host)
    number = 1
    while _is_finished(place, host):
        number += 1
        place = place.with_name(f"{key}-{number}")
    return place


def _is_finished(prefix: Path, host: Host) -> bool:
    """Say whether an environment was once ready there, so that it may be in use, however it looks now."""
    dirty = records.state_of(prefix, host).dirty
    return os.path.lexists(prefix / MARKS / READY) or (dirty is not None and dirty.doing != "create")
