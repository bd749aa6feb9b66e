"""Conda packages and channels written by hand: what a test says is in one, as `.conda` or `.tar.bz2`, and `repodata.json` of them all.

A `.conda` is a ZIP of two zstd streams. The streams here are frames of raw blocks, which every reader takes and no library is needed
to write: nothing is gained by compressing what is unpacked a moment later.

Source: CEP 34 (contents of packages), CEP 35 (the two formats), CEP 36 (repodata); RFC 8878 (zstd frames).
"""

from __future__ import annotations

import hashlib
import io
import json
import platform
import struct
import sys
import tarfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

PLACEHOLDER = "/opt/envkit_tests_" + "placehold_" * 22 + "pl"  # 240 characters: as long as conda-build's, about
_MOMENT = 1_767_225_600  # seconds: 2026-01-01, the time of everything in a package
_BLOCK = 128 * 1024  # bytes: the largest block of a frame


def this_subdir() -> str:
    """Return what channels call this machine: "linux-64", "osx-arm64", ..."""
    machine = platform.machine().lower()
    if sys.platform == "win32":
        return "win-arm64" if machine == "arm64" else "win-64"
    if sys.platform == "darwin":
        return "osx-arm64" if machine == "arm64" else "osx-64"
    return "linux-64" if machine in {"x86_64", "amd64"} else f"linux-{machine}"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A file of a package. `prefix` says that PLACEHOLDER occurs in it and how it is to be replaced; `link` makes it a symbolic link."""

    data: bytes = b""
    executable: bool = False
    prefix: Literal["text", "binary"] | None = None
    link: str | None = None


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A package: its identity, what it needs, its files by path. `noarch` packages lie in that subdirectory, others in this machine's."""

    name: str
    version: str = "1.0"
    build: str = ""
    number: int = 0
    noarch: Literal["generic", "python"] | None = "generic"
    depends: tuple[str, ...] = ()
    constrains: tuple[str, ...] = ()
    files: Mapping[str, Entry] = field(default_factory=dict)
    entry_points: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
    format: Literal[".conda", ".tar.bz2"] = ".conda"
    placeholder: str = PLACEHOLDER

    @property
    def subdir(self) -> str:
        """The subdirectory of the channel."""
        return "noarch" if self.noarch else this_subdir()

    @property
    def string(self) -> str:
        """The build string."""
        return self.build or ("py_" if self.noarch == "python" else "h0_") + str(self.number)

    @property
    def stem(self) -> str:
        """Its file name without ending, which is the name of its record in `conda-meta` too."""
        return f"{self.name}-{self.version}-{self.string}"

    def index(self) -> dict[str, Any]:
        """Return its `info/index.json`."""
        return {
            "name": self.name,
            "version": self.version,
            "build": self.string,
            "build_number": self.number,
            "depends": list(self.depends),
            "constrains": list(self.constrains),
            "subdir": self.subdir,
            "timestamp": _MOMENT * 1000,
            "license": "MIT",
            **({"noarch": self.noarch} if self.noarch else {}),
            **self.extra,
        }


def text(content: str, *, prefix: bool = False, executable: bool = False) -> Entry:
    """Return a text file; `prefix` for one that names the prefix."""
    return Entry(data=content.encode(), prefix="text" if prefix else None, executable=executable)


def write_package(channel: Path, recipe: Recipe) -> Path:
    """Write a package into its subdirectory of the channel and return its path."""
    directory = channel / recipe.subdir
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{recipe.stem}{recipe.format}"
    own, info = _own_files(recipe), _information(recipe)
    if recipe.format == ".tar.bz2":
        path.write_bytes(_tar([*info, *own], "bz2"))
        return path
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, data in (
            ("metadata.json", b'{"conda_pkg_format_version": 2}'),
            (f"pkg-{recipe.stem}.tar.zst", frame(_tar(own))),
            (f"info-{recipe.stem}.tar.zst", frame(_tar(info))),
        ):
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), data)
    return path


def frame(data: bytes) -> bytes:
    """Return data as a zstd frame of raw blocks."""
    parts = [b"\x28\xb5\x2f\xfd", b"\xa0" + struct.pack("<I", len(data))]  # magic; one segment, its size in four bytes
    starts = range(0, len(data), _BLOCK) or (0,)
    for start in starts:
        block = data[start : start + _BLOCK]
        parts += [struct.pack("<I", len(block) << 3 | (start == starts[-1]))[:3], block]
    return b"".join(parts)


def _tar(entries: Iterable[tuple[str, Entry]], compression: str = "") -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=f"w:{compression}" if compression else "w", format=tarfile.GNU_FORMAT) as archive:
        for path, entry in entries:
            information = tarfile.TarInfo(path)
            information.mtime = _MOMENT
            if entry.link is not None:
                information.type, information.linkname, information.mode = tarfile.SYMTYPE, entry.link, 0o777
                archive.addfile(information)
                continue
            information.size, information.mode = len(entry.data), 0o755 if entry.executable else 0o644
            archive.addfile(information, io.BytesIO(entry.data))
    return stream.getvalue()


def _own_files(recipe: Recipe) -> list[tuple[str, Entry]]:
    return sorted(recipe.files.items())


def _information(recipe: Recipe) -> list[tuple[str, Entry]]:
    """Return the files of `info/`."""
    own = _own_files(recipe)
    said: dict[str, str] = {
        "index.json": json.dumps(recipe.index()),
        "paths.json": json.dumps({"paths": [_path(path, entry, recipe.placeholder) for path, entry in own], "paths_version": 1}),
        "files": "".join(f"{path}\n" for path, _ in own),
        "about.json": json.dumps({"summary": f"{recipe.name}, for tests", "license": "MIT"}),
    }
    prefixed = [f"{recipe.placeholder} {entry.prefix} {path}\n" for path, entry in own if entry.prefix]
    if prefixed:
        said["has_prefix"] = "".join(prefixed)
    if recipe.noarch:
        said["link.json"] = json.dumps(_link(recipe))
    return [(f"info/{name}", text(content)) for name, content in sorted(said.items())]


def _path(path: str, entry: Entry, placeholder: str) -> dict[str, Any]:
    data = b"" if entry.link is not None else entry.data
    stated: dict[str, Any] = {
        "_path": path,
        "path_type": "hardlink" if entry.link is None else "softlink",
        "sha256": hashlib.sha256(data).hexdigest(),
        "size_in_bytes": len(data),
    }
    return {**stated, "prefix_placeholder": placeholder, "file_mode": entry.prefix} if entry.prefix else stated


def _link(recipe: Recipe) -> dict[str, Any]:
    noarch: dict[str, Any] = {"type": recipe.noarch}
    if recipe.entry_points:
        noarch["entry_points"] = list(recipe.entry_points)
    return {"noarch": noarch, "package_metadata_version": 1}


def index_channel(channel: Path) -> None:
    """Write `repodata.json` of each subdirectory, from the packages that lie there."""
    for subdir in {"noarch", this_subdir()}:
        directory = channel / subdir
        directory.mkdir(parents=True, exist_ok=True)
        packages: dict[str, dict[str, Any]] = {".tar.bz2": {}, ".conda": {}}
        for path in sorted(directory.iterdir()):
            ending = next((ending for ending in packages if path.name.endswith(ending)), None)
            if ending is not None:
                packages[ending][path.name] = _record(path)
        repodata = {
            "info": {"subdir": subdir},
            "packages": packages[".tar.bz2"],
            "packages.conda": packages[".conda"],
            "removed": [],
            "repodata_version": 1,
        }
        (directory / "repodata.json").write_text(json.dumps(repodata, indent=1, sort_keys=True))


def _record(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    return {
        **json.loads(dict(read_information(path))["index.json"]),
        "md5": hashlib.md5(data, usedforsecurity=False).hexdigest(),
        "sha256": hashlib.sha256(data).hexdigest(),
        "size": len(data),
    }


def read_information(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of each file in `info/` of a package that `write_package` wrote."""
    if path.name.endswith(".conda"):
        with zipfile.ZipFile(path) as archive:
            data = _unframed(archive.read(next(name for name in archive.namelist() if name.startswith("info-"))))
    else:
        data = path.read_bytes()
    with tarfile.open(fileobj=io.BytesIO(data)) as stream:
        for member in stream:
            content = stream.extractfile(member) if member.name.startswith("info/") else None
            if content is not None:
                yield member.name.removeprefix("info/"), content.read()


def _unframed(data: bytes) -> bytes:
    parts, place, last = list[bytes](), 9, False
    while not last:
        header = int.from_bytes(data[place : place + 3], "little")
        last, size = bool(header & 1), header >> 3
        parts.append(data[place + 3 : place + 3 + size])
        place += 3 + size
    return b"".join(parts)
