"""The worker's package cache: what is there already, whether a local archive is what its hash says, and what is in an archive.

py-rattler keeps an extracted package as `<name>-<version>-<build>`, and beside it a file `.lock` with a revision and the sha256 of
the archive it came from. It checks no hash of a `file://` archive, so that is done here before one is extracted.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from .worker import FailureError

if TYPE_CHECKING:
    from rattler import PackageRecord, RepoDataRecord
    from rattler.networking import Client

_REVISION, _DIGEST = 8, 32  # bytes: how the file beside an extracted package begins
_PIECE = 1024 * 1024  # bytes read at once


def stem_of(record: PackageRecord) -> str:
    """Return the name of a package in the cache and in `conda-meta`."""
    return f"{record.name.normalized}-{record.version}-{record.build}"


def cached(cache: str, record: PackageRecord) -> bool:
    """Say whether a package is extracted already, from an archive with the same hash."""
    place = os.path.join(cache, stem_of(record))
    if not os.path.isfile(os.path.join(place, "info", "index.json")):
        return False
    known = cached_digest(place)
    return record.sha256 is None or known is None or known == record.sha256


def cached_digest(place: str) -> bytes | None:
    """Return the sha256 of the archive from which an extracted package came; None where that is not known."""
    try:
        with open(f"{place}.lock", "rb") as stream:
            data = stream.read(_REVISION + _DIGEST)
    except OSError:
        return None
    return data[_REVISION:] if len(data) == _REVISION + _DIGEST else None


def local_path(url: str) -> str | None:
    """Return the path of a `file://` URL; None for any other."""
    parts = urlsplit(url)
    if parts.scheme != "file":
        return None
    if os.name != "nt":
        return unquote(parts.path)
    from urllib.request import url2pathname  # noqa: PLC0415 - takes as long to import as linking a package

    return url2pathname(parts.path)


def check_archive(path: str, record: RepoDataRecord) -> None:
    """Compare a local archive with the hashes of its record, sha256 if there is one, else md5; what has neither gets its sha256.

    Raises:
        FailureError: it is another file, or cannot be read.
    """
    wanted = record.sha256 or record.md5
    kind = "md5" if record.md5 and not record.sha256 else "sha256"
    try:
        found = _digest(path, kind)
        if wanted is None or kind == "md5":
            record.sha256 = _digest(path, "sha256")
    except OSError as error:
        name = record.name.normalized
        raise FailureError(
            "NetworkError", f"{name}: {path} cannot be read: {error.strerror}", code="network", hint="look at the channel"
        ) from error
    if wanted is not None and found != wanted:
        mismatch(record.name.normalized, kind, wanted.hex(), found.hex())


def mismatch(name: str, kind: str, wanted: str, found: str) -> None:
    """Refuse a package that is not what its hash says."""
    raise FailureError(
        "InstallError",
        f"{name} is not what its {kind} says: {wanted} is wanted, {found} was found",
        code="hash-mismatch",
        package=name,
        hint="the channel or the lock is wrong or was tampered with; do not use it before you know which",
    )


def _digest(path: str, kind: str) -> bytes:
    import hashlib  # noqa: PLC0415 - only for what is not in the cache

    digest = hashlib.new(kind, usedforsecurity=kind != "md5")
    with open(path, "rb") as stream:
        while piece := stream.read(_PIECE):
            digest.update(piece)
    return digest.digest()


async def information(cache: str, record: RepoDataRecord, client: Client, names: Iterable[str]) -> Mapping[str, Any]:
    """Return what files of a package's `info` say, each as JSON: from the cache, else from the archive, of which only that is fetched.

    Returns:
        By name ("paths.json"); what the package does not have is left out.
    """
    if cached(cache, record):
        return dict(_extracted(os.path.join(cache, stem_of(record), "info"), names))
    return await archived(str(record.url), client, names)


def _extracted(directory: str, names: Iterable[str]) -> Iterable[tuple[str, Any]]:
    for name in names:
        try:
            with open(os.path.join(directory, name), "rb") as stream:
                yield name, json.load(stream)
        except FileNotFoundError:
            continue


async def archived(url: str, client: Client, names: Iterable[str]) -> Mapping[str, Any]:
    """Return what files of an archive's `info` say, each as JSON; see `information`."""
    from rattler.package_streaming import PackageArchive  # noqa: PLC0415 - only for what is not in the cache

    path = local_path(url)
    archive = await (PackageArchive.from_path(path) if path is not None else PackageArchive.from_url(client, url))
    found = await archive.read_files([f"info/{name}" for name in names])
    return {name.removeprefix("info/"): json.loads(data) for name, data in found.items() if data is not None}
