"""The distributions of an environment, read from its site-packages: `.dist-info`, `.egg-info` and `.egg-link`.

No process, no email parser, no importlib.metadata: 300 distributions take some 20 ms. One that cannot be read never hides the
others.

Source: "Recording installed projects" (packaging.python.org), PEP 376 (INSTALLER, REQUESTED), PEP 610; setuptools for eggs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..formats.dist_info import Metadata, ends_header, normalized, read_metadata, read_requires_txt
from ..models.packages import Package
from ..system.remembering import remembered
from ..system.sites import site_packages

if TYPE_CHECKING:
    from ..formats.direct_url import DirectUrl
    from ..host import Host
    from ..models.environment import Environment

_FIRST = 16 * 1024  # bytes of METADATA read at once: the header of nearly all
_LONGEST = 4 * 1024 * 1024  # bytes of a header; a longer one is none
_SMALL = 64 * 1024  # bytes of INSTALLER, direct_url.json, an egg-link: what is longer is none

_MARKS = (".dist-info", ".egg-info", ".egg-link")
_FILES = ("", "/METADATA", "/INSTALLER", "/direct_url.json")
_EGG_FILES = ("", "/PKG-INFO", "/requires.txt")

_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)  # a named pipe must not hold us up


@dataclass(frozen=True, slots=True)
class Distribution:
    """One installed distribution: what it says about itself, and where that is written. `directory` may be a file (eggs)."""

    name: str
    metadata: Metadata
    directory: str
    installer: str | None = None
    requested: bool | None = None
    direct_url: DirectUrl | None = None
    editable: str | None = None


def packages(env: Environment, host: Host) -> tuple[Package, ...]:
    """Return what is installed as values, sorted by normalized name."""
    return tuple(package_of(found, host) for found in distributions(env, host))


def package_of(found: Distribution, host: Host) -> Package:
    """Return a distribution as the value that callers see."""
    return Package(
        name=found.name,
        version=found.metadata.version,
        ecosystem="pypi",
        requested=found.requested,
        requires=found.metadata.requires,
        url=found.direct_url.url if found.direct_url else None,
        editable=host.path(found.editable) if found.editable else None,
        installer=found.installer,
    )


def distributions(env: Environment, host: Host) -> tuple[Distribution, ...]:
    """Return the distributions of an environment's own site-packages, sorted by name; of one name the first on its path."""
    return in_directories(site_packages(env, host))


def in_directories(directories: tuple[str, ...]) -> tuple[Distribution, ...]:
    """Return the distributions in some site-packages, sorted by name; of one name the first.

    Who shows environments asks again and again: what was asked twice is remembered as long as no file that it came from has changed.
    """
    return remembered(directories, _found_in, _files_of)


def _found_in(directories: tuple[str, ...]) -> tuple[Distribution, ...]:
    found: dict[str, Distribution] = {}
    for directory in directories:
        for distribution in _in_site(directory):
            found.setdefault(distribution.name, distribution)
    return tuple(sorted(found.values(), key=lambda distribution: distribution.name))


def _files_of(directories: tuple[str, ...]) -> Iterator[str] | None:
    """Return every path that says something of the distributions in some site-packages; None where they are not all known."""
    found = list(directories)
    for site in directories:
        for name in _names(site):
            if name.endswith(".egg-link"):  # what it leads to is read, too
                return None
            files = _FILES if name.endswith(".dist-info") else _EGG_FILES
            found += (f"{site}/{name}{file}" for file in files)
    return iter(found)


def _in_site(site: str) -> Iterator[Distribution]:
    for name in _names(site):
        path = f"{site}/{name}"
        try:
            if name.endswith(".dist-info"):
                yield _dist_info(path)
            elif name.endswith(".egg-info"):
                yield _egg_info(path)
            else:
                yield _egg_link(path)
        except (OSError, ValueError):
            continue


def _names(site: str) -> list[str]:
    """Return the names that may be of distributions, sorted; pip puts "~" before those that it is about to remove."""
    try:
        return sorted(name for name in os.listdir(site) if name.endswith(_MARKS) and not name.startswith("~"))
    except OSError:
        return []


def _dist_info(directory: str) -> Distribution:
    there = os.listdir(directory)
    metadata = read_header(f"{directory}/METADATA")
    installer = _word(f"{directory}/INSTALLER") if "INSTALLER" in there else None
    # uv writes REQUESTED into what it installs as a dependency, too, so there the file says nothing.
    requested = None if installer == "uv" else True if "REQUESTED" in there else False if installer in {"pip", "envkit"} else None
    origin, editable = _origin(f"{directory}/direct_url.json") if "direct_url.json" in there else (None, None)
    return Distribution(normalized(metadata.name), metadata, directory, installer, requested, origin, editable)


def _origin(path: str) -> tuple[DirectUrl | None, str | None]:
    from ..formats.direct_url import file_path, read_direct_url  # noqa: PLC0415 - few distributions have one

    try:
        origin = read_direct_url(_small(path))
    except (OSError, ValueError):
        return None, None
    return origin, file_path(origin.url) if origin.editable else None


def _egg_info(path: str) -> Distribution:
    """Read what setuptools before wheels (a directory) or distutils (a file) left."""
    if not os.path.isdir(path):
        metadata = read_header(path)
        return Distribution(normalized(metadata.name), metadata, path)
    return Distribution(*_egg(path), path)


def _egg(directory: str) -> tuple[str, Metadata]:
    metadata = read_header(f"{directory}/PKG-INFO")
    if not metadata.requires and os.path.isfile(f"{directory}/requires.txt"):
        requires = read_requires_txt(_small(f"{directory}/requires.txt"))
        metadata = Metadata(metadata.name, metadata.version, requires, metadata.extras, metadata.requires_python)
    return normalized(metadata.name), metadata


def _egg_link(path: str) -> Distribution:
    """Read `setup.py develop`'s link to a source tree."""
    source = _small(path).split("\n", 1)[0].strip()
    for name in sorted(os.listdir(source)):
        if name.endswith(".egg-info"):
            return Distribution(*_egg(f"{source}/{name}"), path, editable=source)
    raise ValueError("no egg-info where the link points")


def read_header(path: str) -> Metadata:
    """Return what a METADATA or PKG-INFO file says, reading no more of it than its header.

    Raises:
        OSError: it cannot be read. ValueError: it is no such file.
    """
    descriptor = os.open(path, _READ)
    try:
        data = os.read(descriptor, _FIRST)
        while data and len(data) < _LONGEST and not ends_header(data):
            more = os.read(descriptor, 4 * len(data))
            if not more:
                break
            data += more
    finally:
        os.close(descriptor)
    return read_metadata(data)


def _word(path: str) -> str | None:
    try:
        return _small(path).strip() or None
    except (OSError, ValueError):
        return None


def _small(path: str) -> str:
    descriptor = os.open(path, _READ)  # a third of the time of open(), for a file in every distribution
    try:
        return os.read(descriptor, _SMALL).decode("utf-8")
    finally:
        os.close(descriptor)


def stamp(distribution: Distribution) -> tuple[int, int]:
    """Return what changes when a distribution is installed anew, also in the same version: its directory is another then."""
    try:
        status = os.stat(distribution.directory)
    except OSError:
        return 0, 0
    return status.st_ino, status.st_mtime_ns
