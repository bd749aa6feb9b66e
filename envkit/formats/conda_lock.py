"""conda-lock.yml: text in, the packages that it locks out.

Source: CEP 37, "conda-lock.yml lockfiles"; conda-lock's lockfile/v1/models.py. Versions other than 1 are refused, as the CEP wants.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .conda_locked import CondaLock, LockedDistribution, LockedPackage, document, from_url, in_order, is_list, is_table, tables, text
from .conda_url import SUBDIRS


def load(source: str, categories: Iterable[str] = ()) -> CondaLock:
    """Return what a conda-lock.yml locks.

    Args:
        categories: wanted beside "main".

    Raises:
        ValueError: it cannot be read, or is of another version. LookupError: it has no such category. Both texts are made for people.
    """
    said = document(source)
    version = said.get("version", "1")
    if version != "1":
        raise ValueError(f"its version is {version!r}, and 1 can be read")
    metadata = said.get("metadata")
    if not is_table(metadata) or "package" not in said:
        raise ValueError("it has no metadata, or no packages")
    wanted = {"main", *categories}
    entries = tables(said["package"], "package")
    if missing := sorted(wanted - {"main"} - {_category(entry) for entry in entries}):
        known = sorted({_category(entry) for entry in entries} - {"main"})
        raise LookupError(f"it has no category {missing[0]!r}: it has {', '.join(known) or 'main alone'}")
    platforms = _platforms(metadata)
    packages: dict[str, list[LockedPackage]] = {platform: [] for platform in platforms}
    distributions: dict[str, list[LockedDistribution]] = {platform: [] for platform in platforms}
    for entry in entries:
        platform = text(entry, "platform")
        if platform not in packages:
            raise ValueError(f"{entry.get('name')} is for the platform {platform!r}, which its metadata do not name")
        if _category(entry) not in wanted or str(entry.get("name")).startswith("__"):
            continue  # what begins with two underscores is a property of a machine, and no package: old versions wrote such
        if entry.get("manager") == "conda":
            packages[platform].append(_package(entry))
        elif entry.get("manager") == "pip":
            distributions[platform].append(_distribution(entry))
        else:
            raise ValueError(f"{entry.get('name')} has the manager {entry.get('manager')!r}, which is not known")
    return CondaLock(
        channels=_channels(metadata),
        packages={platform: in_order(found) for platform, found in packages.items()},
        distributions={platform: tuple(found) for platform, found in distributions.items() if found},
    )


def _platforms(metadata: dict[str, Any]) -> tuple[str, ...]:
    given: object = metadata.get("platforms")
    found = [platform for platform in given if isinstance(platform, str)] if is_list(given) else []
    if not found:
        raise ValueError("its metadata name no platform")
    if unknown := [platform for platform in found if platform == "noarch" or platform not in SUBDIRS]:
        raise ValueError(f"{unknown[0]!r} is no platform")
    return tuple(dict.fromkeys(found))


def _channels(metadata: dict[str, Any]) -> tuple[str, ...]:
    """Return the channels; old versions wrote their names alone."""
    given: object = metadata.get("channels")
    if is_list(given) and all(isinstance(channel, str) for channel in given):
        return tuple(map(str, given))
    return tuple(filter(None, (text(channel, "url") for channel in tables(given, "channels"))))


def _category(entry: dict[str, Any]) -> str:
    return text(entry, "category") or "main"


def _package(entry: dict[str, Any]) -> LockedPackage:
    needs: object = entry.get("dependencies")
    needs = {} if needs is None else needs
    hashes: object = entry.get("hash")
    if not is_table(needs) or not is_table(hashes) or not (text(hashes, "md5") or text(hashes, "sha256")):
        raise ValueError(f"{entry.get('name')} has no hash, or dependencies that are no mapping")
    url = _url(entry)
    facts = {key: entry.get(key) for key in ("name", "version", "build")}
    depends = [f"{name} {limit}".strip() for name, limit in needs.items()]
    return from_url(url, {**facts, "md5": hashes.get("md5"), "sha256": hashes.get("sha256"), "depends": depends})


def _distribution(entry: dict[str, Any]) -> LockedDistribution:
    name, hashes = text(entry, "name"), entry.get("hash")
    if name is None or not is_table(hashes):
        raise ValueError("a distribution has no name, or no hash")
    return LockedDistribution(name=name, url=_url(entry), version=text(entry, "version"), sha256=text(hashes, "sha256"))


def _url(entry: dict[str, Any]) -> str:
    url = text(entry, "url")
    if url is None:
        raise ValueError(f"{entry.get('name')} has no url")
    return url
