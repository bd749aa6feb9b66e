"""A pip outside of every environment: unpacked once below envkit's data, run by the target's own interpreter.

So an environment without pip is served, no target's old pip is relied upon, and what a pip supports is decided by its own
Requires-Python (pip 26 refuses Python 3.9). Only the package `pip` is unpacked, not its metadata: else pip would see itself as
installed. The wheel is kept beside it, so that pip can be put *into* an environment without the network.

Layout: `<data>/cache/pip/<version>/` with `pip/`, `METADATA` and the wheel; it appears by one rename. A pip that came with a
Python is used when no newer one is to be had, and replaced by a fetched one as soon as the network is there.
"""

from __future__ import annotations

import os
import sys
import sysconfig
import tempfile
import zipfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from ..errors import MachineError, NetworkError, NotFoundError
from ..formats.dist_info import read_metadata
from ..models.specs import Sources
from ..system.files import delete_renamed, machine_error, private_directory
from ..system.process import run_process
from .configuration import pip_settings
from .environ import neutral
from .markers import full_version

if TYPE_CHECKING:
    from ..control import Work
    from ..host import Host
    from ..models.environment import Environment

_BUNDLED_MARK = "BUNDLED"  # a file: this pip came with a Python and was not fetched
_LARGEST = 64 * 1024 * 1024  # bytes of all unpacked files; a pip has some 8 million


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPip:
    """A pip of the store: `package` is the directory that is run, `wheel` its wheel; `bundled` if it came with a Python."""

    version: Version
    package: Path
    wheel: Path
    requires_python: SpecifierSet
    bundled: bool


def pip_for(env: Environment, work: Work) -> StoredPip:
    """Return a pip that supports the target: stored, fetched, or one that came with a Python of this machine, in this order.

    Raises:
        NotFoundError: none is to be had.
    """
    target = full_version(env, work.host)
    stored = _newest(_stored(work.host), target)
    if stored is not None and (not stored.bundled or work.offline):
        return stored
    why = "offline"
    if not work.offline:
        try:
            return _fetched(target, work)
        except (NetworkError, NotFoundError) as error:
            why = str(error)
    if stored is None:
        stored = _newest(_unpack_bundled(env, work.host), target)
    if stored is not None:
        return stored
    raise NotFoundError(
        f"no pip for Python {target} is on this machine, and none can be fetched: {why}",
        code="installer-not-found",
        hint="connect to the network once, or install uv (`python -m pip install uv`)",
    )


def _directory(host: Host) -> Path:
    return private_directory(host.data / "cache" / "pip")


def _newest(found: Iterator[StoredPip], target: str) -> StoredPip | None:
    """Return the newest pip whose Requires-Python allows the target; a fetched one before one that came with a Python."""
    fitting = [stored for stored in found if stored.requires_python.contains(target, prereleases=True)]
    return max(fitting, key=lambda stored: (not stored.bundled, stored.version), default=None)


def _stored(host: Host) -> Iterator[StoredPip]:
    """Yield the pips of the store."""
    directory = host.data / "cache" / "pip"
    try:
        names = os.listdir(directory)
    except OSError:
        return
    for name in names:
        if (stored := _read(directory / name)) is not None:
            yield stored


def _read(directory: Path) -> StoredPip | None:
    try:
        version = Version(directory.name)
        metadata = read_metadata((directory / "METADATA").read_bytes())
        requires = SpecifierSet(metadata.requires_python or "")
        wheel = next(directory.glob("pip-*.whl"))
    except (OSError, ValueError, InvalidVersion, InvalidSpecifier, StopIteration):
        return None
    bundled = (directory / _BUNDLED_MARK).exists()
    return StoredPip(version=version, package=directory / "pip", wheel=wheel, requires_python=requires, bundled=bundled)


def _fetched(target: str, work: Work) -> StoredPip:
    """Fetch the newest pip for the target, by the pip of the Python that runs, or by one that came with it.

    Raises:
        NetworkError: the index cannot be reached. NotFoundError: there is no pip to fetch it with.
    """
    host = work.host
    environ = neutral(host.environ) | {
        f"PIP_{name.upper().replace('-', '_')}": value for name, value in pip_settings(host, sys.prefix, Sources()).items()
    }
    environ |= {"PIP_CONFIG_FILE": os.devnull}
    asked = ["download", "--no-input", "--disable-pip-version-check", "--no-color", "--progress-bar=off", "--no-deps"]
    asked += ["--only-binary=:all:", f"--python-version={target}", "--retries=1"]
    with work.task("download", f"fetching pip for Python {target}"), _scratch(host) as directory:
        for command in _commands(host):
            done = run_process([*command, *asked, f"--dest={directory}", "--", "pip"], work=work, environ=environ, cwd=Path(directory))
            if done.returncode == 0 and (wheels := sorted(Path(directory).glob("pip-*.whl"))):
                return _unpack(wheels[-1], host, bundled=False)
            if "No module named pip" not in done.stderr:
                raise NetworkError("pip cannot be fetched from the index", hint="check the network and pip's index settings")
    raise NotFoundError("there is no pip to fetch it with", code="installer-not-found")


def _commands(host: Host) -> Iterator[tuple[str, ...]]:
    """Yield how a pip can be run by the Python that runs: its own, else one that came with it."""
    if not sys.executable:
        return
    yield (sys.executable, "-I", "-m", "pip")
    running = f"{sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}"
    bundled = _newest((_unpack(wheel, host, bundled=True) for wheel in _bundled_wheels([Path(sysconfig.get_path("stdlib"))])), running)
    if bundled is not None:
        yield (sys.executable, "-I", str(bundled.package))


def _unpack_bundled(env: Environment, host: Host) -> Iterator[StoredPip]:
    """Yield the pips that came with the target's base and with the Python that runs."""
    libraries = [Path(sysconfig.get_path("stdlib"))]
    for prefix in filter(None, (env.base, env.prefix)):
        libraries += [prefix / "Lib", *sorted(prefix.glob("lib/python3*")), *sorted(prefix.glob("lib/pypy3*"))]
    for wheel in _bundled_wheels(libraries):
        with suppress(MachineError):
            yield _unpack(wheel, host, bundled=True)


def _bundled_wheels(libraries: list[Path]) -> Iterator[Path]:
    """Yield the wheels of pip that ensurepip brings, or that a distribution keeps for it, each name once."""
    directories = [library / "ensurepip" / "_bundled" for library in libraries]
    if stated := sysconfig.get_config_var("WHEEL_PKG_DIR"):
        directories.append(Path(stated))
    directories += [Path("/usr/share/python-wheels"), Path("/usr/share/python3-wheels")]
    seen: set[str] = set()
    for directory in directories:
        for wheel in sorted(directory.glob("pip-*.whl")):
            if wheel.name not in seen:
                seen.add(wheel.name)
                yield wheel


def _unpack(wheel: Path, host: Host, *, bundled: bool) -> StoredPip:
    """Put a wheel of pip into the store and return it; whoever comes second finds the first one's.

    Raises:
        MachineError: it cannot be written, or the wheel holds what no pip holds.
    """
    try:
        version = parse_wheel_filename(wheel.name)[1]
    except InvalidWheelFilename as error:
        raise MachineError(f"{wheel} is no wheel", code="wheel", hint="remove it") from error
    place = _directory(host) / str(version)
    if (stored := _read(place)) is not None and (bundled or not stored.bundled):
        return stored
    try:
        with _scratch(host) as scratch:
            whole = Path(scratch) / "whole"
            whole.mkdir(mode=0o700)
            _extract(wheel, whole)
            (whole / wheel.name).write_bytes(wheel.read_bytes())
            if bundled:
                (whole / _BUNDLED_MARK).touch()
            _put(whole, place, Path(scratch))
    except OSError as error:
        raise machine_error(error, place) from error
    stored = _read(place)
    if stored is None:
        raise MachineError(f"{wheel} holds no pip", code="wheel", hint="remove it")
    return stored


def _put(whole: Path, place: Path, scratch: Path) -> None:
    """Rename the unpacked pip to its place; one that is there already and whole stays, any other is set aside."""
    try:
        os.rename(whole, place)
    except OSError:
        if not place.exists():
            raise
        there = _read(place)
        if there is not None and (not there.bundled or (whole / _BUNDLED_MARK).exists()):
            return
        os.rename(place, scratch / "aside")
        with suppress(OSError):  # another process was faster: its pip is as good
            os.rename(whole, place)


def _extract(wheel: Path, directory: Path) -> None:
    """Unpack the package `pip` and METADATA; a member that leads elsewhere makes the wheel none of pip's."""
    with zipfile.ZipFile(wheel) as archive:
        members = archive.infolist()
        if sum(member.file_size for member in members) > _LARGEST:
            raise MachineError(f"{wheel} is larger than any pip", code="wheel", hint="remove it")
        for member in members:
            parts = member.filename.split("/")
            if not member.filename.isprintable() or "\\" in member.filename or ":" in member.filename or {"", "..", "."} & set(parts[:-1]):
                raise MachineError(f"{wheel} holds {member.filename!r}", code="wheel", hint="remove it")
            if parts[-1] and parts[0] == "pip":
                path = directory.joinpath(*parts)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(archive.read(member))
            elif len(parts) == 2 and parts[0].endswith(".dist-info") and parts[1] == "METADATA":
                (directory / "METADATA").write_bytes(archive.read(member))


@contextmanager
def _scratch(host: Host) -> Generator[str, None, None]:
    """Make a private directory beside the store's, so that a rename stays on one file system; it is removed at the end."""
    path = tempfile.mkdtemp(prefix=".new-", dir=_directory(host))
    try:
        yield path
    finally:
        with suppress(OSError):
            delete_renamed(Path(path))
