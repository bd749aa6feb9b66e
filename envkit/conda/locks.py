"""Locks of conda packages: which exact package files one names for a platform, and a lock of what an engine resolved.

Two formats: "explicit.txt" is for one platform and without PyPI's distributions; "rattler-lock" is pixi's, for several.

Source: CEP 23; rattler_lock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from ..errors import CorruptError, RefusedError, UsageError
from ..formats import explicit_txt, pixi_lock
from ..formats.conda_locked import CondaLock, LockedDistribution, LockedPackage, from_url
from ..formats.conda_url import shown
from ..formats.explicit_txt import PackageUrl
from ..models.packages import Package
from ..models.specs import Lock
from .platforms import subdir_of
from .request import Exact

if TYPE_CHECKING:
    from ..host import Host
    from .request import Linked

NOARCH: Final = "noarch"
FORMATS: Final = frozenset({"explicit.txt", "rattler-lock"})


def read(lock: Lock) -> CondaLock:
    """Return what a lock holds.

    Raises:
        CorruptError: it cannot be read. UsageError: it is of another format.
    """
    if lock.format not in FORMATS:
        raise UsageError(
            f"a lock of the format {lock.format!r} is not for a conda environment",
            code="lock",
            hint="use one that lock() made of a spec with conda=",
        )
    try:
        return pixi_lock.load(lock.text) if lock.format == "rattler-lock" else _explicit(lock.text)
    except (ValueError, LookupError) as error:
        raise CorruptError(f"the lock cannot be read: {error}", code="lock", hint="make it anew with lock(spec)") from error


def _explicit(text: str) -> CondaLock:
    """Return what an explicit file locks. Its platform is the one that its comment or its URLs name; with neither it is for any."""
    said = explicit_txt.load(text)
    packages = [from_url(package.url, {"md5": package.md5, "sha256": package.sha256}) for package in said.packages]
    platform = said.platform or next((package.subdir for package in packages if package.subdir not in {NOARCH, ""}), NOARCH)
    return CondaLock(packages={platform: tuple(packages)})


def locked(lock: Lock, host: Host) -> tuple[LockedPackage, ...]:
    """Return the packages that a lock names for this machine, what is needed before what needs it.

    Raises:
        RefusedError: it is for other platforms. Others as `read`.
    """
    said = read(lock)
    platform = subdir_of(host)
    for known in (platform, NOARCH):
        if known in said.packages:
            return said.packages[known]
    why = said.refused.get(platform) or f"the lock is for {', '.join(said.platforms) or 'no platform'}, and this machine is {platform}"
    raise RefusedError(why, code="lock-mismatch", hint=f"make it anew with lock(spec, platforms=[{platform!r}])")


def exact(lock: Lock, host: Host) -> tuple[Exact, ...]:
    """Return the package files that a lock names for this machine, as an engine takes them.

    Raises:
        As `locked`.
    """
    return tuple(Exact(url=package.url, md5=package.md5, sha256=package.sha256) for package in locked(lock, host))


def distributions(lock: Lock, host: Host) -> tuple[LockedDistribution, ...]:
    """Return the distributions of PyPI that a lock names for this machine; empty where it names none.

    Raises:
        As `read`.
    """
    return read(lock).distributions.get(subdir_of(host), ())


def lock_of(said: CondaLock, host: Host) -> Lock:
    """Return the lock of what was read from another format; its packages are those for this machine, else for its first platform."""
    platform = subdir_of(host)
    platform = platform if platform in said.packages else next(iter(said.platforms), platform)
    return Lock(format="rattler-lock", text=pixi_lock.dump(said), packages=_values(said, platform))


def explicit_lock(packages: Iterable[PackageUrl], platform: str | None) -> Lock:
    """Return the lock of package files in their order."""
    text = explicit_txt.dump(packages, platform=platform)
    said = _explicit(text)
    return Lock(format="explicit.txt", text=text, packages=_values(said, next(iter(said.packages))))


def resolved_lock(outcomes: Mapping[str, Iterable[Linked]], channels: Iterable[str], *, several: bool) -> Lock:
    """Return the lock of what an engine resolved, by platform.

    Args:
        outcomes: everything that is to be there, what is needed before what needs it.
        channels: the URLs of the channels that it was resolved with, without credentials.
        several: make a lock that can hold other platforms, too.
    """
    if not several:
        ((platform, linked),) = outcomes.items()
        return explicit_lock((PackageUrl(url=shown(one.url), md5=one.md5, sha256=one.sha256) for one in linked), platform)
    said = CondaLock(channels=tuple(channels), packages={platform: tuple(map(_package, linked)) for platform, linked in outcomes.items()})
    return Lock(format="rattler-lock", text=pixi_lock.dump(said), packages=_values(said, next(iter(outcomes))))


def _package(one: Linked) -> LockedPackage:
    return LockedPackage(
        url=shown(one.url),
        name=one.name,
        version=one.version,
        build=one.build,
        subdir=one.subdir,
        md5=one.md5,
        sha256=one.sha256,
        size=one.size or None,
        depends=one.depends,
    )


def _values(said: CondaLock, platform: str) -> tuple[Package, ...]:
    """Return the packages of a platform as values, conda's and PyPI's, sorted by name."""
    found = [
        Package(name=one.name, version=one.version, ecosystem="conda", requires=one.depends, url=shown(one.url), build=one.build)
        for one in said.packages.get(platform, ())
    ]
    found += [
        Package(name=one.name, version=one.version or "", ecosystem="pypi", requires=one.requires, url=shown(one.url))
        for one in said.distributions.get(platform, ())
    ]
    return tuple(sorted(found, key=lambda package: (package.name, package.ecosystem)))
