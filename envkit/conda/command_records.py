"""The records of an environment as an external engine needs them: what is installed, what needs what, which package file it came from."""

from __future__ import annotations

import glob
import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from urllib.request import url2pathname

from ..errors import InstallError
from ..formats import conda_meta
from ..formats.conda_url import shown
from ..formats.match_spec import parse
from ..system.files import write_atomic
from . import bookkeeping, command_output, inventory
from .request import Linked

_RECORD: Final = os.path.join("info", "repodata_record.json")
_URL: Final = re.compile(rb"[a-z][a-z0-9+.\-]{0,11}://[^\s\"'<>]+")


def installed(prefix: Path) -> dict[str, Linked]:
    """Return what is installed, by name, sorted; empty where there is no environment. What no tool can read is left for it to tell."""
    asked = inventory.requested(prefix)
    return {
        record.name: Linked(
            name=record.name,
            version=record.version,
            build=record.build,
            subdir=record.subdir or "noarch",
            channel=record.channel,
            url=record.url,
            md5=record.md5,
            sha256=record.sha256,
            size=record.size,
            depends=record.depends,
            requested=asked.get(record.name),
        )
        for record in inventory.records(prefix)
    }


def name_of(spec: str) -> str:
    """Return the name that a match spec begins with; "" where it names none."""
    try:
        return str(parse(spec).name or "")
    except ValueError:
        return ""


def needs(package: Linked) -> frozenset[str]:
    """Return the names of what a package depends on."""
    return frozenset(map(name_of, package.depends)) - {""}


def ordered(records: Mapping[str, Linked]) -> tuple[Linked, ...]:
    """Return packages so that what is needed comes before what needs it; by name where neither needs the other, or both do."""
    found: dict[str, Linked] = {}
    for start in sorted(records):
        todo = [(start, False)]
        seen = set[str]()
        while todo:
            name, ready = todo.pop()
            if ready:
                found.setdefault(name, records[name])
            elif name not in found and name not in seen:
                seen.add(name)
                todo.append((name, True))
                todo += [(other, False) for other in sorted(needs(records[name]) & set(records), reverse=True) if other not in found]
    return tuple(found.values())


def with_dependents(records: Mapping[str, Linked], names: Iterable[str]) -> set[str]:
    """Return those of the names that are installed, and all that need them, however far."""
    found = {name for name in (name.lower() for name in names) if name in records}
    while more := {name for name, package in records.items() if name not in found and needs(package) & found}:
        found |= more
    return found


def unneeded(records: Mapping[str, Linked]) -> set[str]:
    """Return the names of what nobody asked for and nothing that was asked for needs; none where nobody wrote down what was asked for."""
    todo = [name for name, package in records.items() if package.requested is not None]
    needed = set[str]()
    while todo:
        name = todo.pop()
        if name not in needed:
            needed.add(name)
            todo += [other for other in needs(records[name]) if other in records]
    return set(records) - needed if needed else set()


def completed(package: Linked, caches: Iterable[str]) -> Linked:
    """Return a package with its URL, hashes and dependencies from a cache in which it is unpacked; conda's actions leave them out."""
    stem = f"{package.name}-{package.version}-{package.build}"
    for cache in caches:
        try:
            with open(os.path.join(cache, stem, _RECORD), "rb") as stream:
                record: Any = json.load(stream)
            found = command_output.linked(record, requested=package.requested)
        except (OSError, ValueError, AttributeError):
            continue
        if found.subdir == package.subdir and found.channel == package.channel:
            return found
    return package


def roots(records: Mapping[str, Linked]) -> set[str]:
    """Return the names that nothing needs."""
    return set(records) - set[str]().union(*map(needs, records.values()))


def remember(prefix: Path, wanted: Mapping[str, str], command: Sequence[str]) -> None:
    """Write down by which specs the user asked for what is there, where a tool wrote down its own way of getting it.

    conda takes an exact package, and one that is put in anew, for what the user wants for ever: no later solve would change it.

    Args:
        wanted: match specs by name, of all that was asked for. command: what stands for the call in the history.
    """
    there = installed(prefix)
    wrong = {name for name, package in there.items() if _canonical(package.requested) != _canonical(wanted.get(name))}
    if not wrong:
        return
    for name in wrong:
        package = there[name]
        path = prefix / conda_meta.DIRECTORY / f"{package.name}-{package.version}-{package.build}.json"
        try:
            record: Any = json.loads(path.read_bytes())
        except (OSError, ValueError):
            continue
        spec = wanted.get(name)
        record |= {"requested_spec": spec or "None", "requested_specs": [spec] if spec else []}
        write_atomic(path, json.dumps(record, indent=2), mode=0o644)
    bookkeeping.record_change(
        prefix, command=command, asked=[wanted[name] for name in sorted(wrong & set(wanted))], dropped=sorted(wrong - set(wanted))
    )


def _canonical(spec: str | None) -> str | None:
    try:
        return None if spec is None else str(parse(spec))
    except ValueError:
        return spec


def scrub(prefix: Path, packages: Iterable[Linked], caches: Iterable[str], secrets: Iterable[str]) -> None:
    """Take credentials out of what conda wrote: the records of an environment, and what its caches say of where packages came from."""
    known = tuple(secret.encode() for secret in secrets)
    directory = os.path.join(prefix, conda_meta.DIRECTORY)
    paths = [os.path.join(directory, name) for name in os.listdir(directory)]
    stems = [f"{package.name}-{package.version}-{package.build}" for package in packages]
    for cache in caches:
        paths += [os.path.join(cache, "urls.txt"), *(os.path.join(cache, stem, _RECORD) for stem in stems)]
        paths += glob.glob(os.path.join(glob.escape(cache), "cache", "*.info.json"))  # where repodata was fetched
    for path in paths:
        try:
            data = Path(path).read_bytes()
        except OSError:
            continue
        if any(secret in data for secret in known):
            write_atomic(Path(path), _scrubbed(data, known), mode=0o644)


def _scrubbed(data: bytes, secrets: Iterable[bytes]) -> bytes:
    """Return a text without the credentials in its URLs, and without any other word of them."""
    for url in dict.fromkeys(_URL.findall(data)):
        if (clean := shown(url.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")) != url:
            data = data.replace(url, clean)
    for secret in secrets:
        data = data.replace(secret, b"****")
    return data


def refuse_disallowed(packages: Iterable[Linked], disallowed: Iterable[str]) -> None:
    """Refuse packages that the configuration does not allow.

    Raises:
        InstallError: one is among them ("disallowed").
    """
    for text in disallowed:
        spec = parse(text)
        for package in packages:
            if spec.fits(package.name, package.version, package.build):
                raise InstallError(
                    f"{package.name} {package.version} is needed, but the configuration does not allow {text}",
                    code="disallowed",
                    package=package.name,
                    hint="ask for something that does not need it, or see `disallowed_packages` in condarc",
                )


def check_local(packages: Iterable[tuple[str, str | None, str | None]]) -> None:
    """Hold local package files against their hashes: conda does not, where they lie in a `file://` channel or list.

    Args:
        packages: URL, md5 and sha256 of each; those that are not local, or have no hash, are passed over.

    Raises:
        InstallError: one is not what its hash says ("hash-mismatch").
    """
    for url, md5, sha256 in packages:
        parts = urlsplit(url)
        wanted = sha256 or md5
        if parts.scheme != "file" or not wanted:
            continue
        path = url2pathname(parts.path)
        try:
            with open(path, "rb") as stream:
                found = hashlib.file_digest(stream, "sha256" if sha256 else "md5").hexdigest()
        except OSError:
            continue  # the tool says what is wrong with it
        if found != wanted.lower():
            package = conda_meta.package(os.path.basename(path).removesuffix(".conda").removesuffix(".tar.bz2") + ".json")
            name = package.name if package is not None else os.path.basename(path)
            raise InstallError(
                f"{name} is not what its {'sha256' if sha256 else 'md5'} says: {wanted} is wanted, {found} was found",
                code="hash-mismatch",
                package=name,
                hint="the channel or the lock is wrong or was tampered with; do not use it before you know which",
            )
