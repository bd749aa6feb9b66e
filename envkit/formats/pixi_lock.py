"""pixi.lock, the lock of rattler: text in (versions 6 and 7), the packages that it locks out, and back as version 7.

A package that would have to be built from source cannot be taken from a lock alone: a platform that has one is refused with its name.

Source: rattler_lock's parse/models/v6 and v7 and parse/serialize.rs; pixi's documentation, "Lock File".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .conda_locked import (
    CondaLock,
    LockedDistribution,
    LockedPackage,
    document,
    from_url,
    in_order,
    is_list,
    is_table,
    tables,
    text,
    texts,
)
from .conda_url import EXTENSIONS, SUBDIRS, package_file

NAME: Final = "pixi.lock"
DEFAULT: Final = "default"
_VERSIONS: Final = ("6", "7")


class _SourceError(ValueError):
    """A package that must be built from source."""


def environments(source: str) -> tuple[str, ...]:
    """Return the names of the environments in a lock, sorted.

    Raises:
        ValueError: it cannot be read.
    """
    return tuple(sorted(_environments(_checked(source))))


def load(source: str, environment: str | None = None) -> CondaLock:
    """Return what a lock says of one environment.

    Args:
        environment: its name; None is "default", or the only one.

    Raises:
        ValueError: it cannot be read, or is of another version.
        LookupError: it has no such environment. Both texts are made for people.
    """
    said = _checked(source)
    known = _environments(said)
    name = environment or (DEFAULT if DEFAULT in known or len(known) != 1 else next(iter(known)))
    if name not in known:
        raise LookupError(f"it has no environment {name!r}: it has {', '.join(sorted(known)) or 'none'}")
    chosen = known[name]
    facts = {(kind, location): entry for entry in tables(said.get("packages"), "packages") for kind, location in [_key(entry)]}
    packages: dict[str, tuple[LockedPackage, ...]] = {}
    distributions: dict[str, tuple[LockedDistribution, ...]] = {}
    refused: dict[str, str] = {}
    subdirs = _subdirs(said)
    for platform, entries in _table(chosen, "packages").items():
        subdir = subdirs.get(platform, platform)
        if subdir not in SUBDIRS:
            raise ValueError(f"{platform!r} is no platform")
        if subdir in packages and platform != subdir:
            continue  # several platforms with one subdirectory: the one that is called so counts, else the first
        try:
            conda, pypi = _of_platform(entries, facts)
        except _SourceError as error:
            refused[subdir] = str(error)
            continue
        packages[subdir], distributions[subdir] = in_order(conda), tuple(pypi)
    return CondaLock(
        channels=tuple(filter(None, (text(channel, "url") for channel in tables(chosen.get("channels"), "channels")))),
        indexes=texts(chosen, "indexes"),
        packages=packages,
        distributions={platform: found for platform, found in distributions.items() if found},
        refused=refused,
    )


def _of_platform(entries: object, facts: Mapping[tuple[str, str], dict[str, Any]]) -> tuple[list[LockedPackage], list[LockedDistribution]]:
    """Return the packages and distributions that an environment has on one platform."""
    conda: list[LockedPackage] = []
    pypi: list[LockedDistribution] = []
    for entry in tables(entries, "packages"):
        kind, location = _key(entry)
        if kind == "conda_source":
            raise _SourceError(f"{location} must be built from source, which only pixi does")
        said = facts.get((kind, location))
        if said is None:
            raise ValueError(f"{location} is in an environment and not among its packages")
        if kind == "conda":
            if not location.endswith(EXTENSIONS):
                raise _SourceError(f"{location} must be built from source, which only pixi does")
            conda.append(from_url(location, said))
        else:
            pypi.append(_distribution(location, said))
    return conda, pypi


def _distribution(location: str, said: Mapping[str, Any]) -> LockedDistribution:
    name = text(said, "name")
    if name is None:
        raise ValueError(f"{location} has no name")
    return LockedDistribution(
        name=name,
        url=location,
        version=text(said, "version"),
        sha256=text(said, "sha256"),
        requires=texts(said, "requires_dist"),
        requires_python=text(said, "requires_python"),
        editable=said.get("editable") is True,
    )


def _checked(source: str) -> dict[str, Any]:
    said = document(source)
    version = said.get("version")
    if version not in _VERSIONS:
        raise ValueError(f"its version is {version!r}, and {' and '.join(_VERSIONS)} can be read")
    return said


def _environments(said: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    found = _table(said, "environments")
    if not all(is_table(value) for value in found.values()):
        raise ValueError("an environment is no mapping")
    return found


def _subdirs(said: Mapping[str, Any]) -> dict[str, str]:
    """Return the subdirectory of each platform that has a name of its own, as version 7 allows."""
    given = said.get("platforms")
    entries = [entry for entry in given if is_table(entry)] if is_list(given) else []
    return {name: text(entry, "subdir") or name for entry in entries if (name := text(entry, "name"))}


def _table(said: Mapping[str, Any], key: str) -> dict[str, Any]:
    value: object = said.get(key)
    if not is_table(value):
        raise ValueError(f"it has no {key}")
    return value


def _key(entry: Mapping[str, Any]) -> tuple[str, str]:
    for kind in ("conda", "pypi", "conda_source"):
        if (location := text(entry, kind)) is not None:
            return kind, location
    raise ValueError("a package is neither of conda nor of PyPI")


def dump(lock: CondaLock) -> str:
    """Return the text of a lock in version 7, as rattler orders it."""
    import yaml  # noqa: PLC0415 - only where a lock is written

    selectors = {
        platform: [
            *({"conda": package.url} for package in sorted(lock.packages.get(platform, ()), key=lambda package: package.url)),
            *({"pypi": found.url} for found in sorted(lock.distributions.get(platform, ()), key=lambda found: found.url)),
        ]
        for platform in lock.platforms
    }
    conda = {package.url: package for packages in lock.packages.values() for package in packages}
    pypi = {found.url: found for distributions in lock.distributions.values() for found in distributions}
    environment: dict[str, object] = {"channels": [{"url": url.rstrip("/") + "/"} for url in lock.channels]}
    if pypi or lock.indexes:
        environment["indexes"] = list(lock.indexes or ("https://pypi.org/simple",))
    return yaml.safe_dump(
        {
            "version": 7,
            "platforms": [{"name": platform} for platform in lock.platforms],
            "environments": {DEFAULT: {**environment, "packages": selectors}},
            "packages": [
                *(_conda_facts(conda[url]) for url in sorted(conda)),
                *(_pypi_facts(pypi[url]) for url in sorted(pypi)),
            ],
        },
        sort_keys=False,
        allow_unicode=True,
        width=4096,
    )


def _conda_facts(package: LockedPackage) -> dict[str, object]:
    """Return what is written of a package: what its URL tells is left out, as rattler does."""
    told = package_file(package.url)
    facts: dict[str, object] = {
        "conda": package.url,
        "name": None if package.name == told.name else package.name,
        "version": None if package.version == told.version else package.version,
        "build": None if package.build == told.build else package.build,
        "subdir": None if package.subdir == told.subdir else package.subdir,
        "sha256": package.sha256,
        "md5": package.md5,
        "depends": list(package.depends),
        "constrains": list(package.constrains),
        "size": package.size,
    }
    return {key: value for key, value in facts.items() if value}


def _pypi_facts(found: LockedDistribution) -> dict[str, object]:
    facts: dict[str, object] = {
        "pypi": found.url,
        "name": found.name,
        "version": found.version,
        "sha256": found.sha256,
        "requires_dist": list(found.requires),
        "requires_python": found.requires_python,
        "editable": found.editable,
    }
    return {key: value for key, value in facts.items() if value}
