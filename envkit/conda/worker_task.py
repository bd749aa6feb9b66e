"""The worker's task: one request from solving to linking, and what came of it."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from rattler import PrefixRecord, RepoDataRecord
from rattler.install import install

from . import worker_files
from .worker import FailureError
from .worker_cache import cached, check_archive, local_path, stem_of
from .worker_network import client_of
from .worker_records import Say, checked_paths, installed, ordered, requested_in, same, told
from .worker_solving import Target, spec_of, target_of

if TYPE_CHECKING:
    from rattler.install import InstallerReporter
    from rattler.networking import Client

_TOLD_EVERY = 0.1  # seconds between two words on a download
_STALLED = 60  # seconds without a byte after which a download is given up


def answer(request: dict[str, Any], say: Say) -> dict[str, Any]:
    """Carry out a request and return its result. The loop is left open: the process ends right after."""
    return asyncio.new_event_loop().run_until_complete(_carry_out(request, say))


@dataclass(frozen=True, slots=True)
class _Difference:
    """What is to be linked and unlinked; a package that is put in anew is in both."""

    linked: list[RepoDataRecord]
    unlinked: list[PrefixRecord]


async def _carry_out(request: dict[str, Any], say: Say) -> dict[str, Any]:
    client = client_of(request["network"])
    if not request["dry_run"] and not request["create"]:
        worker_files.recover(request["target"])
    records = installed(request["prefix"])
    say(phase="resolve")
    target = await (_exact(request, records, client) if request["exact"] is not None else target_of(request, records))
    difference = _difference(request, records, target)
    missing = [record for record in difference.linked if not cached(request["cache"], record)]
    if not request["dry_run"]:
        await _link(request, records, target, difference, missing, client, say)
    before = requested_in(records, request["requested"])
    return {
        "linked": [told(record, target.requested.get(record.name.normalized)) for record in difference.linked],
        "unlinked": [told(record, before.get(record.name.normalized)) for record in difference.unlinked],
        "after": [told(target.records[name], target.requested.get(name)) for name in ordered(target.records.values())],
        "download": sum(record.size or 0 for record in missing),
    }


async def _exact(request: dict[str, Any], records: Mapping[str, PrefixRecord], client: Client) -> Target:
    from .worker_exact import exact_target  # noqa: PLC0415 - each import is a part of every call

    return await exact_target(request, records, client)


def _difference(request: dict[str, Any], records: Mapping[str, PrefixRecord], target: Target) -> _Difference:
    """Return what differs, in the order in which packages need one another."""
    after = target.records
    again = {name.lower() for name in request["relink"]}
    if _minor(records) != _minor(after):  # noarch Python packages lie in a directory of the Python's minor version
        again |= {name for name, record in records.items() if record.noarch.python}
    changed = {name for name, record in after.items() if name not in records or name in again or not same(records[name], record)}
    gone = {name for name in records if name not in after or name in changed}
    linked = [after[name] for name in ordered(after.values()) if name in changed]
    return _Difference(linked, [records[name] for name in reversed(ordered(records.values())) if name in gone])


def _minor(records: Mapping[str, RepoDataRecord]) -> str:
    return ".".join(str(records["python"].version).split(".")[:2]) if "python" in records else ""


async def _link(
    request: dict[str, Any],
    records: Mapping[str, PrefixRecord],
    target: Target,
    difference: _Difference,
    missing: list[RepoDataRecord],
    client: Client,
    say: Say,
) -> None:
    """Change the environment as solved."""
    _check_missing(request, missing)
    checked_paths(difference.unlinked)
    prefix, create = request["target"], request["create"]
    if difference.linked or difference.unlinked or create:
        if not create:
            new = await worker_files.new_paths(request, difference.linked, target.records.get("python"), client)
            old = (os.fspath(file).replace("\\", "/") for record in difference.unlinked for file in record.files)
            worker_files.begin(prefix, new.union(old))
        reporter = _Reporter(say, difference, missing)
        await _install(request, records, target, difference, client, reporter)
    if not create:
        _write_requested(prefix, records, target, difference.linked)
        worker_files.end(prefix)


async def _install(
    request: dict[str, Any],
    records: Mapping[str, PrefixRecord],
    target: Target,
    difference: _Difference,
    client: Client,
    reporter: _Reporter,
) -> None:
    """Let py-rattler carry out a difference, and leave what it leaves as conda would."""
    prefix = request["target"]
    tagged = worker_files.is_tagged(prefix)
    work = install(
        list(target.records.values()),
        prefix,
        cache_dir=Path(request["cache"]),
        installed_packages=list(records.values()),
        reinstall_packages={record.name.normalized for record in difference.unlinked if record.name.normalized in target.records},
        execute_link_scripts=False,
        show_progress=False,
        client=client,
        reporter=cast("InstallerReporter", reporter),
        requested_specs=_specs(target) if request["create"] else None,
        alternative_target_prefix=request["prefix"],
        platform=_platform(request),
    )
    await _unless_stalled(work, reporter)
    worker_files.sweep(prefix, difference.unlinked)
    worker_files.as_conda_leaves(prefix, map(stem_of, difference.linked), tagged=tagged)


def _check_missing(request: dict[str, Any], missing: list[RepoDataRecord]) -> None:
    """Check what is to be extracted: local archives by their hashes, as py-rattler does not; nothing is fetched offline."""
    for record in missing:
        path = local_path(str(record.url))
        if path is not None:
            check_archive(path, record)
        elif request["network"]["offline"]:
            name = record.name.normalized
            raise FailureError(
                "NetworkError",
                f"{name} {record.version} is not on this machine, and the call is to stay offline",
                code="offline",
                hint="call again without offline",
            )


def _specs(target: Target) -> list[Any]:
    """Return the requested specs as `install` takes them: its signature says MatchSpec, and it takes what that holds (0.26 to 0.28)."""
    return [getattr(spec, "_match_spec", spec) for spec in map(spec_of, target.requested.values())]


def _platform(request: dict[str, Any]) -> Any:
    if request["platform"] is None:
        return None
    from rattler import Platform  # noqa: PLC0415 - for another platform alone

    return Platform(request["platform"])


def _write_requested(prefix: str, records: Mapping[str, PrefixRecord], target: Target, linked: list[RepoDataRecord]) -> None:
    """Write into each record by which spec the user asked for it, where that is not what it says.

    Args:
        records: what was installed before. linked: what was put in, whose records say nothing of it yet.
    """
    new = {record.name.normalized for record in linked}
    for name, record in target.records.items():
        wanted = [target.requested[name]] if name in target.requested else []
        before = [] if name in new else records[name].requested_specs
        said = None if name in new else records[name].requested_spec
        if before == wanted or (said in wanted and not before):
            continue
        path = os.path.join(prefix, "conda-meta", f"{stem_of(record)}.json")
        if os.path.isfile(path):  # conda may spell the name of a file otherwise
            _rewrite(path, wanted)


def _rewrite(path: str, wanted: list[str]) -> None:
    with open(path, "rb") as stream:
        said = json.load(stream)
    said["requested_specs"] = wanted
    if "requested_spec" in said:
        said["requested_spec"] = wanted[0] if wanted else "None"
    worker_files.write_record(path, said)


async def _unless_stalled(work: Any, reporter: _Reporter) -> None:
    """Wait for an installation, unless what it downloads has not come any further for too long."""
    task = asyncio.ensure_future(work)
    while not task.done():
        await asyncio.wait({task}, timeout=1)
        if not task.done() and reporter.stalled():
            raise FailureError(
                "NetworkError",
                f"the download of {reporter.waiting()} has not come any further for {_STALLED} seconds",
                code="network",
                hint="call again; what was fetched is kept",
            )
    task.result()


class _Reporter:
    """Hears py-rattler on its own threads, and says at times how far it is; what it raises would be lost.

    It has the few callbacks that are listened to; py-rattler passes over those that are not there.
    """

    def __init__(self, say: Say, difference: _Difference, missing: list[RepoDataRecord]) -> None:
        self._say, self._guard = say, threading.Lock()
        self._names: list[str] = []
        self._bytes: dict[int, int] = {}
        self._open = set[int]()
        self._moved = self._said = time.monotonic()
        self._sizes = {record.name.normalized: record.size or 0 for record in missing}
        self._packages = 0
        self._remote = any(local_path(str(record.url)) is None for record in missing)
        if self._remote:
            say(phase="download", total=sum(self._sizes.values()) or None)
        else:
            say(phase="install", total=len(difference.linked))
        self._total = len(difference.linked)

    def stalled(self) -> bool:
        with self._guard:
            return bool(self._open) and time.monotonic() - self._moved > _STALLED

    def waiting(self) -> str:
        with self._guard:
            return ", ".join(sorted(self._names[index] for index in self._open))

    def on_populate_cache_start(self, operation: int, package_name: str) -> int:
        with self._guard:
            self._names.append(package_name)
            return len(self._names) - 1

    def on_download_start(self, cache_entry: int) -> int:
        with self._guard:
            self._open.add(cache_entry)
            self._moved = time.monotonic()
        return cache_entry

    def on_download_progress(self, download_idx: int, progress: int, total: int | None) -> None:
        with self._guard:
            self._moved = time.monotonic()
            self._bytes[download_idx] = progress
            if not self._remote or self._moved - self._said < _TOLD_EVERY:
                return
            self._said = self._moved
            self._say(done=sum(self._bytes.values()))

    def on_download_completed(self, download_idx: int) -> None:
        with self._guard:
            self._moved = time.monotonic()
            self._open.discard(download_idx)
            self._bytes[download_idx] = self._sizes.get(self._names[download_idx], self._bytes.get(download_idx, 0))
            if self._remote:
                self._say(done=sum(self._bytes.values()))
                if len(self._bytes) == len(self._sizes):
                    self._remote = False
                    self._say(phase="install", total=self._total, done=self._packages)

    def on_link_complete(self, index: int) -> None:
        with self._guard:
            self._packages += 1
            if not self._remote:
                self._say(done=self._packages)
