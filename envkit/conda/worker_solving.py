"""The worker's solver: from what is installed and what is wished to the records that should be there afterwards."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rattler import (
    Channel,
    ChannelPriority,
    GenericVirtualPackage,
    MatchSpec,
    PackageName,
    PrefixRecord,
    RepoDataRecord,
    Version,
    VirtualPackage,
)
from rattler.repo_data.gateway import Gateway
from rattler.solver import solve
from rattler.virtual_package.virtual_package import VirtualPackageOverrides

from .worker import FailureError
from .worker_exceptions import GatewayError, SolverError
from .worker_names import name_of
from .worker_network import gateway_of
from .worker_records import dependents, needed_by, requested_in, same

_PRIORITIES = {
    "strict": (ChannelPriority.Strict,),
    "flexible": (ChannelPriority.Strict, ChannelPriority.Disabled),  # what other channels have counts where the first cannot do it
    "disabled": (ChannelPriority.Disabled,),
}
_ELSEWHERE: Mapping[str, tuple[tuple[str, str], ...]] = {
    "linux": (("__unix", "0"), ("__linux", "4.18"), ("__glibc", "2.28")),
    "osx": (("__unix", "0"), ("__osx", "13.0")),
    "win": (("__win", "0"),),
}
"""What another platform's machine is taken to have, as pixi takes it; CONDA_OVERRIDE_* says otherwise."""


@dataclass(frozen=True, slots=True)
class Target:
    """What should be there: the records by name, and the specs by which the user asked for some of them."""

    records: Mapping[str, RepoDataRecord]
    requested: Mapping[str, str]


def spec_of(text: str) -> MatchSpec:
    """Return a match spec as conda reads it: "tiny 3" is exactly that version.

    Raises:
        FailureError: it is none, or names no package.
    """
    try:
        return MatchSpec(text, strict=False)
    except Exception as error:  # py-rattler's exceptions share no base
        raise FailureError("UsageError", f"{text!r} is not a match spec: {error}", code="match-spec") from error


async def target_of(request: dict[str, Any], records: Mapping[str, PrefixRecord]) -> Target:
    """Return what should be there after a request; solved only where something new is wished.

    Raises:
        SolverError, GatewayError: as py-rattler says.
        FailureError: a match spec is none, or a package is not allowed.
    """
    gone = dependents(records, request["remove"])
    kept = {name: record for name, record in records.items() if name not in gone}
    requested = requested_in(records, request["requested"], gone)
    if not request["install"] and request["update"] is None:
        wanted = needed_by(kept, requested) if request["prune"] else set(kept)
        return Target({name: kept[name] for name in wanted}, requested)
    updated = _updated(request, kept)
    requested |= {name_of(text): text for text in request["install"]}
    solver = _Solver(request, [record for name, record in kept.items() if name not in updated])
    soft = [] if request["prune"] else sorted(set(kept) - set(requested))
    limits = _limits(request, kept)
    try:
        solved = await solver.solve([spec_of(_located(request, text)) for text in requested.values()], soft, limits)
    except SolverError as error:
        tree = str(error)
        facts: dict[str, Any] = {"strict": request["priority"] == "strict" and len(request["channels"]) > 1}
        facts |= {"newest": request["exclude_newer"]}
        facts |= {"asked": list(requested.values()), "limits": request["pinned"], "available": await _available(request, tree)}
        raise FailureError("SolverError", tree, **facts) from error
    found = {record.name.normalized: record for record in solved}
    if request["exclude_newer"] is not None:  # see _old_enough: what is solved with has another moment
        found |= {name: kept[name] for name, record in found.items() if name in kept and same(kept[name], record)}
    _refuse_disallowed(request["disallowed"], found.values())
    return Target(found, {name: text for name, text in requested.items() if name in found})


def _updated(request: dict[str, Any], kept: Mapping[str, PrefixRecord]) -> set[str]:
    """Return which installed packages may be replaced by newer ones: not those that are newer than what is to be had."""
    names = set(kept) if request["update"] == [] else {name.lower() for name in request["update"] or ()} & set(kept)
    if request["exclude_newer"] is None:
        return names
    newest = datetime.fromisoformat(request["exclude_newer"])
    return {name for name in names if (moment := kept[name].timestamp) is not None and moment <= newest}


def _located(request: dict[str, Any], text: str) -> str:
    """Return a match spec with the URL of its channel in place of a name, which py-rattler would take for one of conda's alias."""
    name, found, rest = text.rpartition("::")
    return request["located"].get(text) or (f"{request['names'][name]}::{rest}" if found and name in request["names"] else text)


async def _available(request: dict[str, Any], tree: str) -> dict[str, list[str]]:
    """Return the versions that the channels have of what nothing fitted, oldest first."""
    from .explanation import missing_names  # noqa: PLC0415 - only where nothing fits

    names = [name for name in missing_names(tree) if not name.startswith("__")]
    found: dict[str, list[Version]] = {name: [] for name in names}
    for url in request["channels"] if names else ():
        for record in await gathered(request, url, names):
            found[record.name.normalized].append(record.version)
    return {name: list(dict.fromkeys(map(str, sorted(versions)))) for name, versions in found.items()}


def _limits(request: dict[str, Any], kept: Mapping[str, PrefixRecord]) -> list[MatchSpec]:
    """Return the match specs that hold whatever is solved: pinned packages, and the installed Python's minor version.

    As in conda, only a spec for Python itself changes that: everything built for it would have to be changed with it.
    """
    limits = [spec_of(text) for text in request["pinned"]]
    if "python" in kept and "python" not in map(name_of, request["install"]):
        minor = ".".join(str(kept["python"].version).split(".")[:2])
        limits.append(spec_of(f"python {minor}.*"))
    return limits


class _Solver:
    """Solves for one request, each time with another strictness."""

    def __init__(self, request: dict[str, Any], locked: list[PrefixRecord]) -> None:
        self._request, self._locked = request, locked
        self._newest = None if request["exclude_newer"] is None else datetime.fromisoformat(request["exclude_newer"])
        self._channels = [Channel(url) for url in request["channels"]]
        self._platforms = platforms_of(request)
        self._virtual = virtual_packages(request)
        self._gateway = gateway_of(request["network"], request["repodata"])

    async def solve(self, wanted: list[MatchSpec], soft: list[str], limits: list[MatchSpec]) -> list[RepoDataRecord]:
        """Solve for what is wanted, with everything else that is installed where that can be (`soft`), else without.

        Raises:
            SolverError: of the last try that was as strict as is wished.
        """
        failure: Exception | None = None
        priorities = _PRIORITIES[self._request["priority"]]
        for names in (soft, []) if soft else ([],):
            for priority in priorities:
                try:
                    with _old_enough(self._locked, self._newest):
                        return await self._once([*wanted, *map(spec_of, names)], limits, priority)
                except SolverError as error:
                    failure = error if priority is priorities[0] else failure
        assert failure is not None
        raise failure

    async def _once(self, specs: list[MatchSpec], limits: list[MatchSpec], priority: ChannelPriority) -> list[RepoDataRecord]:
        try:
            return await self._with(self._gateway, specs, limits, priority)
        except GatewayError as error:
            # A store that may not be listed forbids what is not there, and most have no sharded repodata.
            if "repodata_shards" not in str(error) or "403" not in str(error):
                raise
        self._gateway = gateway_of(self._request["network"], self._request["repodata"], sharded=False)
        return await self._with(self._gateway, specs, limits, priority)

    async def _with(
        self, gateway: Gateway, specs: list[MatchSpec], limits: list[MatchSpec], priority: ChannelPriority
    ) -> list[RepoDataRecord]:
        if priority is ChannelPriority.Strict and len(self._channels) > 1:
            specs, limits = _by_name(specs, limits)
        return await solve(
            self._channels,
            specs,
            gateway=gateway,
            platforms=self._platforms,  # type: ignore[arg-type]
            locked_packages=self._locked,
            virtual_packages=self._virtual,
            channel_priority=priority,
            exclude_newer=self._newest,
            constraints=limits,
        )


@contextmanager
def _old_enough(records: Iterable[PrefixRecord], newest: datetime | None) -> Generator[None]:
    """Let what is installed count though it is newer than what is to be had: py-rattler 0.28 leaves it out, earlier ones do not."""
    names = ("timestamp", "indexed_timestamp") if newest is not None else ()
    said = [(record, name, getattr(record, name)) for record in records for name in names if hasattr(record, name)]
    for record, name, moment in said:
        if name == "timestamp" or moment is not None:
            setattr(record, name, newest if moment is None or moment > newest else moment)
    try:
        yield
    finally:
        for record, name, moment in said:
            setattr(record, name, moment)


def _by_name(specs: list[MatchSpec], limits: list[MatchSpec]) -> tuple[list[MatchSpec], list[MatchSpec]]:
    """Return specs that name packages alone, and with them as limits what they said besides.

    py-rattler asks channels for what fits a spec, and takes the first channel that answers for the first that has the package: one
    whose versions do not fit would be passed over, and its package come from a channel that strict priority excludes.
    """
    names: list[MatchSpec] = []
    more: list[MatchSpec] = []
    for spec in specs:
        plain = spec.channel is None and "url=" not in str(spec)
        names.append(spec_of(spec.name.normalized) if plain else spec)
        if plain and str(spec) != str(names[-1]):
            more.append(spec)
    return names, [*limits, *more]


def platforms_of(request: dict[str, Any]) -> list[str]:
    """Return the subdirectories to look into."""
    from rattler import Platform  # noqa: PLC0415 - called Subdir since 0.27; both names are there in all versions that are allowed

    return [request["platform"] or str(Platform.current()), "noarch"]


def virtual_packages(request: dict[str, Any]) -> list[VirtualPackage] | list[GenericVirtualPackage]:
    """Return what this machine has, or one of another platform is taken to have; CONDA_OVERRIDE_* counts more."""
    here = platforms_of({"platform": None})[0]
    if request["platform"] in {None, here}:
        return VirtualPackage.detect(VirtualPackageOverrides.from_env())
    family, _, machine = request["platform"].partition("-")
    found = dict(_ELSEWHERE.get(family, ()))
    for name in ("__cuda", "__osx", "__glibc", "__linux", "__win"):
        override = os.environ.get(f"CONDA_OVERRIDE_{name[2:].upper()}")
        if override:
            found[name] = override
        elif override == "":
            found.pop(name, None)
    architecture = {"64": "x86_64", "32": "x86"}.get(machine) or machine
    return [*(_virtual(name, version, "0") for name, version in found.items()), _virtual("__archspec", "1", architecture)]


def _virtual(name: str, version: str, build: str) -> GenericVirtualPackage:
    """Return a virtual package; the build is a text until 0.27, and a class of its own since."""
    from rattler import package  # noqa: PLC0415 - for another platform alone

    kind: Any = getattr(package, "BuildString", str)
    return GenericVirtualPackage(PackageName(name), Version(version), kind(build))


def _refuse_disallowed(disallowed: Iterable[str], records: Iterable[RepoDataRecord]) -> None:
    specs = [(text, spec_of(text)) for text in disallowed]
    for record in records if specs else ():
        for text, spec in specs:
            if spec.matches(record):
                name = record.name.normalized
                raise FailureError(
                    "InstallError",
                    f"{name} {record.version} is needed, but the configuration does not allow {text}",
                    code="disallowed",
                    package=name,
                )


async def gathered(request: dict[str, Any], url: str, names: Iterable[str]) -> list[RepoDataRecord]:
    """Return all records of some names that one channel has."""
    gateway = gateway_of(request["network"], request["repodata"])
    found = await gateway.query([Channel(url)], platforms_of(request), list(names), recursive=False)  # type: ignore[arg-type]
    return [record for records in found for record in records]
