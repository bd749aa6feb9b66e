"""Locks of conda packages: made by a solve that links nothing, held against a spec and an environment, and carried out exactly."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .. import changing, ecosystems, match_specs, plugins, records
from ..conda import inventory, locks
from ..conda.configuration import read, tell_unsupported
from ..conda.engines import engine
from ..conda.platforms import subdir_of
from ..conda.request import Wish
from ..errors import RefusedError, UsageError
from ..formats import match_spec

if TYPE_CHECKING:
    from ..conda.request import Linked
    from ..control import Work
    from ..formats.conda_locked import LockedPackage
    from ..formats.conda_record import Record
    from ..host import Host
    from ..models.environment import Environment
    from ..models.specs import Lock, Project, Spec
    from ..system.locks import Held


def resolve(spec: Spec, platforms: Sequence[str], work: Work) -> Lock:
    """Return the lock of the conda packages that a spec asks for; nothing is downloaded but what channels say of their packages.

    Args:
        platforms: subdirectories such as "osx-arm64"; without any it is for this machine, and an explicit file.

    Raises:
        UsageError: packages of PyPI are asked for, too, or nothing. Others as `conda.request.Engine.carry_out`.
    """
    if spec.pypi:
        raise UsageError(
            "conda packages can be locked, and PyPI's on top of them cannot",
            code="lock",
            hint="leave pypi= out of what is locked, and beside the lock pin them: pypi=['rich==13.9.4']",
        )
    wanted = match_specs.wanted(spec)
    if not wanted:
        raise UsageError("the spec asks for nothing that could be locked", code="lock", hint="say what it needs with conda= or python=")
    configuration = read(work.host, channels=spec.channels, offline=work.offline)
    tell_unsupported(configuration, work)
    own = subdir_of(work.host)
    outcomes: dict[str, tuple[Linked, ...]] = {}
    with tempfile.TemporaryDirectory(prefix="envkit-lock-") as scratch, work.task("resolve", f"lock {', '.join(wanted)}"):
        for platform in platforms or (own,):
            wish = Wish(
                prefix=Path(scratch) / "prefix",
                create=True,
                install=wanted,
                platform=None if platform == own else platform,
                exclude_newer=spec.sources.exclude_newer,
                dry_run=True,
            )
            outcomes[platform] = engine(configuration, work.host).carry_out(wish, configuration, work=work).after
    return locks.resolved_lock(outcomes, (channel.url for channel in configuration.channels), several=bool(platforms))


def check_fresh(spec: Spec) -> None:
    """Refuse a lock that has not what its spec asks of conda, on any of the platforms that it is for.

    Raises:
        RefusedError: it is stale ("lock-stale"). CorruptError: it cannot be read.
    """
    assert spec.lock is not None
    said = locks.read(spec.lock)
    missing = [
        f"{text!r} is not in it" + (f" for {platform}" if len(said.packages) > 1 else "")
        for platform, packages in said.packages.items()
        for text in match_specs.wanted(spec)
        if not any(_is_meant(text, package) for package in packages)
    ]
    if missing:
        raise RefusedError(
            f"the lock is stale: {'; '.join(missing)}",
            code="lock-stale",
            hint="make it anew with lock(spec), or take conda= and python= out of the spec",
        )


def _is_meant(text: str, package: LockedPackage) -> bool:
    return match_spec.parse(text).fits(package.name, package.version, package.build)


def differences(spec: Spec, environment: Environment, host: Host) -> tuple[tuple[str | Project, ...], tuple[str, ...]]:
    """Return what of a spec's lock, and of PyPI's packages beside it, is not installed as it says, and what is installed besides.

    Packages of PyPI are besides where the lock lists all of them, or none is asked for.

    Raises:
        RefusedError: the lock is for another platform.
    """
    assert spec.lock is not None
    wanted = {package.name: package for package in locks.locked(spec.lock, host)}
    there = {record.name: record for record in inventory.records(environment.prefix)}
    missing = [
        f"{package.name}={package.version}={package.build}"
        for name, package in wanted.items()
        if name not in there or not _is_same(package, there[name])
    ]
    surplus = sorted(there.keys() - wanted.keys())
    on_top = spec.pypi if environment.python is None else plugins.package_manager("pypi").unsatisfied(environment, spec.pypi, host)
    return (*missing, *on_top), (*surplus, *_surplus_of_pypi(spec, environment, host))


def _is_same(package: LockedPackage, record: Record) -> bool:
    """Say whether a record is that of a locked package: the same build, and no other hash."""
    if (package.version, package.build) != (record.version, record.build):
        return False
    pairs = ((package.sha256, record.sha256), (package.md5, record.md5))
    return all(one is None or other is None or one == other for one, other in pairs)


def _surplus_of_pypi(spec: Spec, environment: Environment, host: Host) -> tuple[str, ...]:
    assert spec.lock is not None
    listed = {found.name.lower().replace("_", "-") for found in locks.distributions(spec.lock, host)}
    if spec.pypi and not listed:
        return ()  # what they need is not listed anywhere
    kept = listed | {changing.named(requirement) for requirement in spec.pypi}
    there = [package.name for package in ecosystems.installed_in(environment, host) if package.ecosystem == "pypi"]
    return tuple(name for name in there if name not in kept)


def sync(spec: Spec, environment: Environment, work: Work, held: Held) -> None:
    """Make an environment exactly what its spec's lock says: conda's packages, then PyPI's on top.

    The caller holds the environment's lock, has marked it dirty, and verifies the packages afterwards.

    Raises:
        As `conda.request.Engine.carry_out` and `PackageManager.install`.
    """
    assert spec.lock is not None
    host, prefix = work.host, environment.prefix
    log = records.log_of(prefix, host)
    missing, surplus = differences(spec, environment, host)
    conda = {record.name for record in inventory.records(prefix)}
    with changing.inner_lock(environment, work) as inner:
        descriptors = (*held.descriptors, *inner)
        pypi = plugins.package_manager("pypi")
        if gone := [name for name in surplus if name not in conda]:
            pypi.uninstall(environment, gone, work=work, log=log, descriptors=descriptors)
        if any(requirement not in spec.pypi for requirement in missing) or any(name in conda for name in surplus):
            configuration = read(host, prefix=prefix, channels=spec.channels, offline=work.offline)
            tell_unsupported(configuration, work)
            wish = Wish(prefix=prefix, exact=locks.exact(spec.lock, host), prune=True)
            engine(configuration, host).carry_out(wish, configuration, work=work, log=log, descriptors=descriptors)
        environment = ecosystems.as_it_is(environment, work)
        if spec.pypi and (unmet := pypi.unsatisfied(environment, spec.pypi, host)):
            pypi.install(
                environment,
                unmet,
                sources=spec.sources,
                constraints=spec.constraints,
                dependencies=not locks.distributions(spec.lock, host),
                work=work,
                log=log,
                descriptors=descriptors,
            )
