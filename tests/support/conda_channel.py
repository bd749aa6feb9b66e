"""The conda channels of the tests: made once by this code, kept in the user's cache, the same for all workers and runs.

`tiny()` needs no Python and takes a moment; `full()` holds real CPythons, pip and ipykernel with all they need, too.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock

from . import conda_packages, conda_python, conda_tiny
from .conda_packages import index_channel, this_subdir, write_package

_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path(os.path.expanduser("~")) / ".cache") / "envkit-tests"  # as it was before any test
_DISTRIBUTIONS = ("pip", "setuptools", "ipykernel", "six", "requests")
_SOURCES = (conda_packages, conda_tiny, conda_python)
_DAYS = 30  # after which a channel that nobody used goes


@dataclass(frozen=True, kw_only=True)
class Channel:
    """A channel in a directory. `pythons` are the versions of Python in it, the running one first; empty in the tiny one."""

    path: Path
    pythons: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        """Its address."""
        return self.path.as_uri()

    @cached_property
    def records(self) -> Mapping[str, Mapping[str, Any]]:
        """What repodata says of each package, by file name; `subdir` says in which subdirectory the file lies."""
        found: dict[str, Mapping[str, Any]] = {}
        for subdir in ("noarch", this_subdir()):
            said = json.loads((self.path / subdir / "repodata.json").read_text("utf-8"))
            found |= said["packages"] | said["packages.conda"]
        return found

    def record(self, name: str, version: str | None = None) -> Mapping[str, Any]:
        """Return what repodata says of one package, the newest build of it, and `fn` and `url` as well."""
        fitting = [(said["build_number"], said["version"], file) for file, said in self.records.items() if said["name"] == name]
        file = max(one for one in fitting if version in {None, one[1]})[2]
        said = self.records[file]
        return {**said, "fn": file, "url": f"{self.url}/{said['subdir']}/{file}"}

    def package(self, name: str, version: str | None = None) -> Path:
        """Return the file of one package."""
        said = self.record(name, version)
        return self.path / said["subdir"] / said["fn"]


def tiny() -> Channel:
    """Return the channel of tiny packages."""
    return Channel(path=_cached("tiny", (), _write_tiny))


def full(uv: str) -> Channel:
    """Return the channel with Python; `uv` fetches the distributions when it is made."""
    pythons = conda_python.installations()

    def write(directory: Path) -> None:
        _write_tiny(directory)
        for python in pythons:
            write_package(directory, conda_python.python_recipe(python))
            write_package(directory, conda_python.abi_recipe(python))
        for recipe in conda_python.distribution_recipes(_DISTRIBUTIONS, pythons[0], pythons, uv):
            write_package(directory, recipe)
        index_channel(directory)

    key = tuple(f"{python.executable} {python.version} {python.executable.stat().st_mtime_ns}" for python in pythons)
    return Channel(path=_cached("full", (*key, *_DISTRIBUTIONS), write), pythons=tuple(python.version for python in pythons))


def _write_tiny(directory: Path) -> None:
    for recipe in conda_tiny.recipes():
        write_package(directory, recipe)
    index_channel(directory)


def _cached(kind: str, key: tuple[str, ...], write: Callable[[Path], None]) -> Path:
    """Return the directory of what `write` makes; made under a lock beside its place, then renamed, so that it is whole or not there."""
    digest = hashlib.sha256("\n".join((sys.platform, *key)).encode())
    for module in _SOURCES:
        digest.update(Path(str(module.__file__)).read_bytes())
    place = _CACHE / f"conda-{kind}-{digest.hexdigest()[:16]}" / "channel"
    if not place.is_dir():
        place.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(place.parent / "lock"):
            if not place.is_dir():
                unfinished = place.with_name("unfinished")
                shutil.rmtree(unfinished, ignore_errors=True)
                unfinished.mkdir()
                write(unfinished)
                unfinished.rename(place)
                _sweep(kind)
    os.utime(place.parent)
    return place


def _sweep(kind: str) -> None:
    """Delete channels of this kind that no run has used for a month."""
    for other in _CACHE.glob(f"conda-{kind}-*"):
        if other.stat().st_mtime < time.time() - _DAYS * 86400:
            shutil.rmtree(other, ignore_errors=True)


Fault = Literal["sha256", "md5", "truncated"]


def spoiled(channel: Channel, target: Path, name: str, fault: Fault) -> Channel:
    """Copy a channel to `target` with one package that is not what repodata says: by one hash (the other is not given), or cut in half."""
    shutil.copytree(channel.path, target)
    copy = Channel(path=target)
    for said in [copy.record(name)]:
        index = target / said["subdir"] / "repodata.json"
        repodata = json.loads(index.read_text("utf-8"))
        entry = repodata["packages.conda" if said["fn"].endswith(".conda") else "packages"][said["fn"]]
        if fault == "truncated":
            path = target / said["subdir"] / said["fn"]
            path.write_bytes(path.read_bytes()[: said["size"] // 2])
        else:
            del entry["md5" if fault == "sha256" else "sha256"]
            entry[fault] = "0" * len(entry[fault])
        index.write_text(json.dumps(repodata))
    return Channel(path=target, pythons=channel.pythons)
