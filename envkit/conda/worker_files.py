"""The worker's view of an environment's files: whose they are, what would be overwritten, what an interrupted call or a removal left."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from .worker import FailureError
from .worker_cache import information
from .worker_names import JOURNAL

if TYPE_CHECKING:
    from rattler import PackageRecord, PrefixRecord, RepoDataRecord
    from rattler.networking import Client

_TAG: Final = "CACHEDIR.TAG"
_UNWRITTEN, _REWRITTEN = "prefix_record_", ".json.envkit"  # how py-rattler's and our records are called before they are whole
_SHOWN = 3  # files that a refusal names
_AT_ONCE = 16  # archives read at the same time


def owned(prefix: str) -> set[str]:
    """Return the files of all packages, relative to the prefix, with slashes."""
    directory = os.path.join(prefix, "conda-meta")
    found = set[str]()
    for file in os.listdir(directory) if os.path.isdir(directory) else ():
        if file.endswith(".json"):
            with open(os.path.join(directory, file), "rb") as stream:
                found.update(path.replace("\\", "/") for path in json.load(stream).get("files", ()))
    return found


def recover(prefix: str) -> None:
    """Delete the files that a killed or failed call linked and no package owns, and records that it was about to write."""
    journal = os.path.join(prefix, "conda-meta", JOURNAL)
    try:
        with open(journal, encoding="utf-8") as stream:
            paths: list[str] = json.load(stream)
    except FileNotFoundError:
        return
    except ValueError:  # it was killed while it wrote that: nothing had been linked yet
        paths = []
    mine = owned(prefix) if paths else set[str]()
    for path in paths:
        if path not in mine:
            _delete(prefix, path)
    for name in os.listdir(os.path.dirname(journal)):
        if name.startswith(_UNWRITTEN) or name.endswith(_REWRITTEN):
            _delete(prefix, f"conda-meta/{name}")
    os.unlink(journal)


def begin(prefix: str, paths: Iterable[str]) -> None:
    """Write down which files are about to be made, replaced or removed, with the mark that py-rattler makes of its own."""
    paths = {*paths} if is_tagged(prefix) else {*paths, _TAG}
    with open(os.path.join(prefix, "conda-meta", JOURNAL), "w", encoding="utf-8") as stream:
        json.dump(sorted(paths), stream)


def end(prefix: str) -> None:
    """Say that all packages are linked."""
    with suppress(FileNotFoundError):
        os.unlink(os.path.join(prefix, "conda-meta", JOURNAL))


async def new_paths(request: dict[str, Any], linked: Iterable[RepoDataRecord], python: PackageRecord | None, client: Client) -> set[str]:
    """Return the files that linking will make: where there is none, or one of a package, which may be gone when the call is killed.

    Args:
        python: the record of the Python that will be there; noarch packages go into its site-packages.

    Raises:
        FailureError: a file is there that no package owns ("foreign-files").
    """
    gate = asyncio.Semaphore(_AT_ONCE)

    async def paths_of(record: RepoDataRecord) -> tuple[str, list[str]]:
        async with gate:
            said = await information(request["cache"], record, client, ("paths.json", "link.json"))
        return record.name.normalized, list(_placed(said, record, python, windows=os.name == "nt"))

    return _free(request["target"], await asyncio.gather(*map(paths_of, linked)))


def _free(prefix: str, packages: Iterable[tuple[str, list[str]]]) -> set[str]:
    """Return the paths of packages, at which nothing is or a file of a package; refuse those at which there is anything else."""
    found, mine = set[str](), None
    clashes: dict[str, list[str]] = {}
    for name, paths in packages:
        for path in paths:
            found.add(path)
            if not os.path.lexists(os.path.join(prefix, path)):
                continue
            mine = owned(prefix) if mine is None else mine
            if path not in mine:
                clashes.setdefault(name, []).append(path)
    if clashes:
        _refuse(prefix, clashes)
    return found


def _refuse(prefix: str, clashes: Mapping[str, list[str]]) -> None:
    name, paths = min(clashes.items())
    shown = ", ".join(paths[:_SHOWN]) + (f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else "")
    pip = any("site-packages" in path for path in paths)
    raise FailureError(
        "RefusedError",
        f"{name} would overwrite files in {prefix} that no conda package owns: {shown}",
        code="foreign-files",
        hint="uninstall what pip put there first" if pip else "move them away first",
    )


def _placed(said: Mapping[str, Any], record: PackageRecord, python: PackageRecord | None, *, windows: bool) -> Iterable[str]:
    """Yield where the files of a package will be.

    Source: CEP 20 and conda's core/link.py for noarch Python packages; `python_site_packages_path` is CEP 17.
    """
    noarch = bool(record.noarch.python)
    site, scripts = site_packages(python, windows=windows), "Scripts/" if windows else "bin/"
    for entry in said.get("paths.json", {}).get("paths", ()):
        path = str(entry["_path"]).replace("\\", "/")
        if entry.get("path_type") == "directory":
            continue
        if noarch and path.startswith("site-packages/"):
            path = site + path.removeprefix("site-packages")
        elif noarch and path.startswith("python-scripts/"):
            path = scripts + path.removeprefix("python-scripts/")
        yield path
    if noarch:
        for point in said.get("link.json", {}).get("noarch", {}).get("entry_points", ()):
            name = scripts + str(point).partition("=")[0].strip()
            yield from (f"{name}-script.py", f"{name}.exe") if windows else (name,)


def site_packages(python: PackageRecord | None, *, windows: bool) -> str:
    """Return where the packages of a Python lie, relative to the prefix."""
    if python is None:
        return "site-packages"
    stated = getattr(python, "python_site_packages_path", None)
    if stated:
        return str(stated).replace("\\", "/")
    return "Lib/site-packages" if windows else f"lib/python{'.'.join(str(python.version).split('.')[:2])}/site-packages"


def sweep(prefix: str, gone: Iterable[PrefixRecord]) -> None:
    """Delete the bytecode that Python wrote for modules that are gone, and the directories that are empty then."""
    for record in gone:
        for file in record.files:
            path = os.fspath(file).replace("\\", "/")
            if path.endswith(".py") and not os.path.lexists(os.path.join(prefix, path)):
                _sweep_bytecode(prefix, path)


def _sweep_bytecode(prefix: str, path: str) -> None:
    directory, _, name = path.rpartition("/")
    cache = os.path.join(prefix, directory, "__pycache__")
    with suppress(OSError):
        for entry in os.listdir(cache):
            if entry.startswith(name.removesuffix("py")) and entry.endswith(".pyc"):
                os.unlink(os.path.join(cache, entry))
    _remove_empty(prefix, f"{directory}/__pycache__")


def is_tagged(prefix: str) -> bool:
    """Say whether a prefix is marked as a cache, which backups leave out."""
    return os.path.lexists(os.path.join(prefix, _TAG))


def as_conda_leaves(prefix: str, stems: Iterable[str], *, tagged: bool) -> None:
    """Leave new packages as conda would: without a mark that the environment is a cache, and without hashes of symbolic links.

    py-rattler takes the hash of a link's text; conda's health check follows the link and would call each one altered.

    Args:
        stems: of the new packages. tagged: the mark was there before.
    """
    if not tagged:
        with suppress(FileNotFoundError):
            os.unlink(os.path.join(prefix, _TAG))
    for stem in stems:
        path = os.path.join(prefix, "conda-meta", f"{stem}.json")
        with suppress(FileNotFoundError):
            _without_link_hashes(path)


def _without_link_hashes(path: str) -> None:
    with open(path, "rb") as stream:
        data = stream.read()
    if b'"softlink"' not in data:
        return
    said = json.loads(data)
    for entry in said["paths_data"]["paths"]:
        if entry.get("path_type") == "softlink":
            entry.pop("sha256_in_prefix", None)
    write_record(path, said)


def write_record(path: str, said: Mapping[str, Any]) -> None:
    """Write a package's record anew, a line per key: with an indent Python's `json` takes 20 ms for the 2,000 files of a Python."""
    temporary = f"{path}.envkit"
    with open(temporary, "w", encoding="utf-8") as stream:
        stream.write("{\n" + ",\n".join(f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in said.items()) + "\n}\n")
    os.replace(temporary, path)


def _delete(prefix: str, path: str) -> None:
    if path.startswith("/") or ".." in path.split("/"):
        return
    with suppress(FileNotFoundError, IsADirectoryError, PermissionError):
        os.unlink(os.path.join(prefix, path))
        _remove_empty(prefix, path.rpartition("/")[0])


def _remove_empty(prefix: str, directory: str) -> None:
    """Remove a directory below the prefix, and those above it, as long as they are empty."""
    while directory:
        try:
            os.rmdir(os.path.join(prefix, directory))
        except OSError:
            return
        directory = directory.rpartition("/")[0]
