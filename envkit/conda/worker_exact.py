"""The worker's exact packages: from URLs and hashes to records, without a solve.

What a channel's repodata says of a package is preferred, for it is mended after a package was built; else what the package itself
says, from the cache or from its archive. The hashes that were given count, whatever repodata says.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rattler import PackageRecord, PrefixRecord, RepoDataRecord

from .worker import FailureError
from .worker_cache import archived, cached_digest
from .worker_exceptions import FetchRepoDataError, GatewayError
from .worker_names import name_of
from .worker_records import requested_in, roots
from .worker_solving import Target, gathered

if TYPE_CHECKING:
    from rattler.networking import Client

_ENDINGS = (".conda", ".tar.bz2")


async def exact_target(request: dict[str, Any], records: Mapping[str, PrefixRecord], client: Client) -> Target:
    """Return what should be there when exactly some package files are wished; what is installed besides stays unless it is to be pruned.

    Raises:
        FailureError: a URL is none of a package, or two are of the same package.
    """
    found: dict[str, RepoDataRecord] = {}
    for record in await _records(request, client):
        name = record.name.normalized
        if name in found:
            raise FailureError("UsageError", f"{name} is there twice: {found[name].url} and {record.url}", code="lock")
        found[name] = record
    after: dict[str, RepoDataRecord] = {**({} if request["prune"] else records), **found}
    asked = {name_of(text): text for text in request["install"]}
    requested = requested_in(records, request["requested"])
    if not request["restore"]:
        requested |= asked or {name: name for name in roots(found)}
    return Target(after, {name: spec for name, spec in requested.items() if name in after})


async def _records(request: dict[str, Any], client: Client) -> list[RepoDataRecord]:
    """Return the records of all exact packages, in their order."""
    parts = [(_parts(one["url"]), one) for one in request["exact"]]
    known = dict[str, RepoDataRecord]()
    for channel in dict.fromkeys(part.channel for part, _ in parts):
        names = {part.name for part, _ in parts if part.channel == channel}
        try:
            known |= {str(record.url): record for record in await gathered(request, channel, sorted(names))}
        except (GatewayError, FetchRepoDataError):
            continue  # no channel, only files
    found: list[RepoDataRecord] = []
    for part, one in parts:
        record = known.get(one["url"]) or await _own(request["cache"], part, one, client)
        found.append(_hashed(record, one))
    return found


class _Parts:
    """The parts of a package's URL: `<channel>/<subdir>/<stem><ending>`."""

    def __init__(self, url: str) -> None:
        place, _, self.file = url.rpartition("/")
        self.channel = place.rpartition("/")[0]
        self.stem = next((self.file.removesuffix(ending) for ending in _ENDINGS if self.file.endswith(ending)), "")
        self.name = self.stem.rsplit("-", 2)[0]


def _parts(url: str) -> _Parts:
    parts = _Parts(url)
    if parts.stem.count("-") < 2 or not parts.channel:
        raise FailureError("UsageError", f"{url} is not the URL of a conda package", code="lock")
    return parts


async def _own(cache: str, part: _Parts, one: dict[str, Any], client: Client) -> RepoDataRecord:
    """Return a record of what the package says of itself."""
    index = _cached_index(cache, part, one)
    if index is not None:
        return _record(index, part, one)
    said = await archived(one["url"], client, ("index.json",))
    if "index.json" not in said:
        raise FailureError("InstallError", f"{one['url']} is not a conda package: it has no info/index.json", code="install-failed")
    return _written(json.dumps(said["index.json"]), part, one)


def _cached_index(cache: str, part: _Parts, one: dict[str, Any]) -> str | None:
    """Return the index of a package that is extracted already from an archive with the hash that was given."""
    place = os.path.join(cache, part.stem)
    index, digest = os.path.join(place, "info", "index.json"), cached_digest(place)
    return index if digest is not None and digest.hex() == one["sha256"] and os.path.isfile(index) else None


def _written(text: str, part: _Parts, one: dict[str, Any]) -> RepoDataRecord:
    """Return the record of an index, which py-rattler reads from a file alone."""
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "index.json")
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(text)
        return _record(path, part, one)


def _record(index: str, part: _Parts, one: dict[str, Any]) -> RepoDataRecord:
    return RepoDataRecord(PackageRecord.from_index_json(Path(index)), part.file, one["url"], part.channel + "/")


def _hashed(record: RepoDataRecord, one: dict[str, Any]) -> RepoDataRecord:
    """Give a record the hashes that were given; a hash of repodata's stays only where it speaks of the same file."""
    md5, sha256 = one["md5"], one["sha256"]
    if sha256:
        record.sha256 = bytes.fromhex(sha256)
    elif md5 and record.md5 and record.md5.hex() != md5:
        record.sha256 = None
    if md5:
        record.md5 = bytes.fromhex(md5)
    return record
