"""What the desk asks of conda, as wishes to the engine that acts, and what came of it as the desk's values."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..errors import UsageError
from ..formats import conda_meta
from ..formats.conda_version import CondaVersion
from ..models.packages import Changes, Outdated, Package
from ..models.specs import Project
from ..system.files import machine_error, write_atomic
from . import inventory
from .configuration import Configuration, read, tell_unsupported
from .engines import engine
from .request import Linked, Outcome, Wish
from .worker_names import name_of

if TYPE_CHECKING:
    from ..control import Work
    from ..models.environment import Environment
    from ..models.specs import Sources, Spec

_STATE: Final = "state"


def make(prefix: Path, spec: Spec, work: Work, descriptors: Collection[int]) -> None:
    """Make the environment of a spec; see `envkit.conda.build`."""
    exact = None
    if spec.lock is not None:
        from .locks import exact as exact_of  # noqa: PLC0415 - only for a lock

        exact = exact_of(spec.lock, work.host)
    configuration = read(work.host, prefix=prefix, channels=spec.channels, offline=work.offline)
    tell_unsupported(configuration, work)
    newest = spec.sources.exclude_newer
    wish = Wish(prefix=prefix, create=True, install=spec.conda, exact=exact, exclude_newer=newest, prune=exact is not None)
    engine(configuration, work.host).carry_out(wish, configuration, work=work, descriptors=descriptors)
    if spec.variables:
        write_state(prefix, spec.variables)


def write_state(prefix: Path, variables: Mapping[str, str]) -> None:
    """Write down the variables that activating the environment sets, where conda and mamba read them (CEP 32)."""
    path = prefix / conda_meta.DIRECTORY / _STATE
    try:
        write_atomic(path, json.dumps({"env_vars": dict(variables)}, indent=2), mode=0o644)
    except OSError as error:
        raise machine_error(error, path) from error


def install_into(
    env: Environment,
    wanted: Iterable[str | Project],
    *,
    sources: Sources,
    channels: Iterable[str],
    constraints: Iterable[str],
    dependencies: bool,
    reinstall: bool,
    upgrade: bool,
    dry_run: bool,
    work: Work,
    log: Path | None,
    descriptors: Collection[int],
) -> Changes:
    """Install match specs; see `envkit.conda.install`."""
    specs = _specs(wanted)
    if not dependencies:
        raise UsageError("conda packages are installed with what they need", code="dependencies", hint="leave dependencies=False out")
    if not specs and not upgrade:
        return Changes()
    configuration = _configured(env, channels, work)
    configuration = replace(configuration, pinned=(*configuration.pinned, *constraints))
    there = {record.name: record for record in inventory.records(env.prefix)}
    names = tuple(dict.fromkeys(map(name_of, specs)))
    wish = Wish(
        prefix=env.prefix,
        install=tuple(text for text in specs if not ((reinstall or upgrade) and text == name_of(text) and text in there)),
        update=tuple(name for name in names if name in there) if upgrade else None,
        relink=tuple(name for name in names if name in there) if reinstall else (),
        exclude_newer=sources.exclude_newer,
        dry_run=dry_run,
    )
    outcome = engine(configuration, work.host).carry_out(wish, configuration, work=work, log=log, descriptors=descriptors)
    return changes_of(outcome, again=wish.relink)


def uninstall_from(
    env: Environment, names: Iterable[str], *, dry_run: bool, work: Work, log: Path | None, descriptors: Collection[int]
) -> Changes:
    """Uninstall packages; see `envkit.conda.uninstall`."""
    there = {record.name for record in inventory.records(env.prefix)}
    wanted = tuple(name for name in dict.fromkeys(name.lower() for name in names) if name in there)
    if not wanted:
        return Changes()
    configuration = _configured(env, (), work)
    wish = Wish(prefix=env.prefix, remove=wanted, dry_run=dry_run)
    outcome = engine(configuration, work.host).carry_out(wish, configuration, work=work, log=log, descriptors=descriptors)
    return changes_of(outcome)


def outdated_in(env: Environment, *, sources: Sources, channels: Iterable[str], work: Work) -> tuple[Outdated, ...]:
    """Return the packages for which there is a newer version that fits; see `envkit.conda.outdated`."""
    if not inventory.records(env.prefix):
        return ()
    configuration = _configured(env, channels, work)
    wish = Wish(prefix=env.prefix, update=(), exclude_newer=sources.exclude_newer, dry_run=True)
    outcome = engine(configuration, work.host).carry_out(wish, configuration, work=work)
    updated = changes_of(outcome).updated
    return tuple(Outdated(package=old, latest=new.version) for old, new in updated if CondaVersion(old.version) < CondaVersion(new.version))


def _specs(wanted: Iterable[str | Project]) -> tuple[str, ...]:
    texts: list[str] = []
    for one in wanted:
        if isinstance(one, Project):
            raise UsageError(f"{one.path} is a project of Python, which conda does not install", code="match-spec", hint="name it in pypi=")
        texts.append(one)
    return tuple(dict.fromkeys(texts))


def _configured(env: Environment, channels: Iterable[str], work: Work) -> Configuration:
    """Return the configuration with the channels that count: those asked for, else those that the environment's packages came from.

    Of the latter those come first that are configured, in that order, then those from which more packages came.
    """
    asked = tuple(channels)
    if not asked:
        configured = [channel.url for channel in read(work.host, prefix=env.prefix, offline=True).channels]
        counted = Counter(record.channel for record in inventory.records(env.prefix) if "://" in record.channel)
        known = [url for url in configured if url in counted]
        asked = (*known, *(url for url, _ in counted.most_common() if url not in known))
    configuration = read(work.host, prefix=env.prefix, channels=asked, offline=work.offline)
    tell_unsupported(configuration, work)
    return configuration


def changes_of(outcome: Outcome, *, again: Collection[str] = ()) -> Changes:
    """Return an outcome as the desk's value, each part sorted by name.

    Args:
        again: names that were to be put in anew; of others the same package at both ends is no change.
    """
    new = {package.name: package for package in outcome.linked}
    old = {package.name: package for package in outcome.unlinked}
    both = [name for name in sorted(new.keys() & old.keys()) if name in again or _identity(new[name]) != _identity(old[name])]
    return Changes(
        added=tuple(package_of(new[name]) for name in sorted(new.keys() - old.keys())),
        removed=tuple(package_of(old[name]) for name in sorted(old.keys() - new.keys())),
        updated=tuple((package_of(old[name]), package_of(new[name])) for name in both),
    )


def _identity(package: Linked) -> tuple[str, str, str | None]:
    return package.version, package.build, package.sha256


def package_of(package: Linked) -> Package:
    """Return a package of an outcome as the desk's value."""
    return Package(
        name=package.name,
        version=package.version,
        ecosystem="conda",
        requested=package.requested is not None,
        requires=package.depends,
        url=package.url or None,
        build=package.build,
        channel=inventory.channel_name(package.channel) or None,
    )
