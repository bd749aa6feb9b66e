"""What is in a conda environment, read from its records: packages, what they need, whether their files are as they were installed.

Nothing is run. Names come from the names of the records' files, facts from the first kilobytes of each, and whole records are read
only to check files. A record that cannot be read never hides another one: `broken` tells of it.

Source: CEP 32; conda's core/prefix_data.py.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from ..errors import UsageError
from ..formats import conda_meta, conda_record, match_spec
from ..formats.conda_record import Record
from ..formats.dist_info import normalized
from ..models.environment import Problem
from ..models.packages import Package
from ..models.specs import Project

if TYPE_CHECKING:
    from pathlib import Path

    from ..control import Work
    from ..host import Host
    from ..models.environment import Environment

_READ: Final = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)  # a named pipe must not hold us up


def installed(env: Environment, host: Host) -> tuple[Package, ...]:
    """Return the conda packages of an environment as values, sorted by name; see `protocols.PackageManager`.

    `requested` is None where neither records nor history tell what was asked for; `channel` is the name people know, or a URL.
    """
    found = records(env.prefix)
    asked = _requested(env.prefix, found)
    return tuple(
        Package(
            name=record.name,
            version=record.version,
            ecosystem="conda",
            requested=None if asked is None else record.name in asked,
            requires=record.depends,
            url=record.url or None,
            build=record.build,
            channel=channel_name(record.channel) or None,
        )
        for record in found
    )


def records(prefix: Path) -> tuple[Record, ...]:
    """Return what the readable records of a prefix say, sorted by name; of several of one package, the one written last."""
    found: dict[str, tuple[int, Record]] = {}
    for path, _ in _files(prefix):
        try:
            written, record = _read_record(path)
        except (OSError, ValueError):
            continue
        if record.name not in found or written >= found[record.name][0]:
            found[record.name] = (written, record)
    return tuple(found[name][1] for name in sorted(found))


def requested(prefix: Path) -> Mapping[str, str]:
    """Return the match spec by which each package was asked for, by its name; empty where nobody wrote that down."""
    return _requested(prefix, records(prefix)) or {}


def channel_name(channel: str) -> str:
    """Return how people call a channel: the end of its URL on the public hosts, else the URL."""
    for host, start in (("https://conda.anaconda.org/", ""), ("https://repo.anaconda.com/pkgs/", "pkgs/")):
        if channel.startswith(host) and (name := channel.removeprefix(host)):
            return start + name
    return channel


def unsatisfied(env: Environment, wanted: Iterable[str | Project], host: Host) -> tuple[str | Project, ...]:
    """Return those of the wanted match specs that nothing installed matches, in their order; see `protocols.PackageManager`.

    A virtual package, such as `__glibc`, is a fact of the machine and never missing; a local project is no conda package.

    Raises:
        UsageError: a text is no match spec.
    """
    there: dict[str, list[tuple[str, conda_meta.Package]]] = {}
    for path, package in _files(env.prefix):
        there.setdefault(package.name, []).append((path, package))
    return tuple(text for text in wanted if isinstance(text, Project) or not _is_satisfied(_spec(text), there))


def _spec(text: str) -> match_spec.MatchSpec:
    try:
        return match_spec.parse(text)
    except ValueError as error:
        raise UsageError(
            f"{_masked(text)!r} is no match spec of conda: {error}",
            code="match-spec",
            hint='say it as "numpy", "numpy=2.1" or "numpy>=2,<3"',
        ) from error


def _is_satisfied(spec: match_spec.MatchSpec, there: Mapping[str, list[tuple[str, conda_meta.Package]]]) -> bool:
    if spec.virtual:
        return True
    for path, package in there.get(spec.name, ()):
        if not spec.fits(package.name, package.version, package.build):
            continue
        if spec.by_name:
            return True
        try:
            if spec.matches(_read_record(path)[1]):
                return True
        except (OSError, ValueError):
            continue
    return False


def owned(prefix: Path, host: Host | None = None) -> frozenset[str]:
    """Return the normalized names of the distributions that conda packages brought, which no installer of PyPI's may touch."""
    return frozenset(owners(prefix))


def owners(prefix: Path) -> dict[str, str]:
    """Return the conda package that brought each distribution, by the distribution's normalized name."""
    found: dict[str, str] = {}
    for path, package in _files(prefix):
        try:
            data = read(path)
        except OSError:
            continue
        for name in conda_record.distributions(data):
            found.setdefault(normalized(name), package.name)
    return found


def broken(env: Environment, host: Host) -> tuple[Problem, ...]:
    """Return a problem "package-broken" for each package whose record cannot be read or whose files are gone; see `verification`."""
    from .verification import problems  # noqa: PLC0415 - listing does without it

    return problems(env)


def altered(env: Environment, work: Work) -> tuple[Problem, ...]:
    """Return a problem "package-altered" for each package of which a file has another content than was installed; see `verification`."""
    from .verification import alterations  # noqa: PLC0415 - listing does without it

    return alterations(env, work)


def conflicts(env: Environment, host: Host) -> tuple[Problem, ...]:
    """Return a problem for each requirement and constraint of a package that does not hold, sorted by package.

    "requirement-missing" and "requirement-conflict"; what asks for a virtual package, or under a condition, is passed over.
    """
    there = {record.name: record for record in records(env.prefix)}
    return tuple(problem for record in there.values() for problem in _conflicts(record, there))


def _conflicts(record: Record, there: Mapping[str, Record]) -> Iterator[Problem]:
    for texts, needed in ((record.depends, True), (record.constrains, False)):
        for text in texts:
            try:
                spec = match_spec.parse(text)
            except ValueError:
                continue  # no solver could act on it either
            found = there.get(spec.name)
            if spec.virtual or "when" in spec.others or (found is None and not needed) or (found is not None and spec.matches(found)):
                continue
            if found is None:
                code, said = "requirement-missing", f"needs {text}, which is not installed"
            else:
                verb = "needs" if needed else "does not go with any but"
                code, said = "requirement-conflict", f"{verb} {text}, and {found.version} {found.build} is installed"
            yield Problem(code=code, message=said, hint=f"install {str(spec)!r}, or another version of {record.name}", subject=record.name)


def packages_with(prefix: Path, file: str) -> tuple[str, ...]:
    """Return the names of the packages that brought a file, sorted; `file` is relative to the prefix, with forward slashes."""
    wanted, found = json.dumps(file).encode(), list[str]()
    for path, package in _files(prefix):
        try:
            if wanted in read(path):
                found.append(package.name)
        except OSError:
            continue
    return tuple(found)


def _requested(prefix: Path, found: Iterable[Record]) -> dict[str, str] | None:
    """Return the spec for each package that was asked for; None where neither records nor history say anything."""
    asked = {record.name: record.requested[0] for record in found if record.requested}
    from .bookkeeping import requested as written  # noqa: PLC0415 - that module locks and writes, too

    asked |= written(prefix)
    return asked or None


def _files(prefix: Path) -> Iterator[tuple[str, conda_meta.Package]]:
    """Yield the path of each record and what its name says, sorted by name."""
    directory = os.path.join(prefix, conda_meta.DIRECTORY)
    try:
        names = sorted(os.listdir(directory))
    except OSError:
        return
    for name in names:
        if not name.startswith(".") and (package := conda_meta.package(name)) is not None:
            yield f"{directory}{os.sep}{name}", package._replace(name=package.name.lower())


def _read_record(path: str) -> tuple[int, Record]:
    """Return when a record was written, in nanoseconds, and what it says.

    Raises:
        OSError: it cannot be read. ValueError: it is none.
    """
    descriptor = os.open(path, _READ)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > conda_record.LIMIT:
            raise ValueError("it is no record")
        head = os.read(descriptor, conda_record.HEAD)
        tail = b""
        if status.st_size > len(head):
            os.lseek(descriptor, max(len(head), status.st_size - conda_record.TAIL), os.SEEK_SET)
            tail = os.read(descriptor, conda_record.TAIL)
        record = conda_record.load(head, tail)
    finally:
        os.close(descriptor)
    return status.st_mtime_ns, record if record is not None else conda_record.load_whole(read(path))[0]


def read(path: str) -> bytes:
    """Return a whole record.

    Raises:
        OSError: it cannot be read, or is no such file.
    """
    descriptor = os.open(path, _READ)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > conda_record.LIMIT:
            raise OSError(f"{path} is no record")
        with open(descriptor, "rb", closefd=False) as stream:
            return stream.read(conda_record.LIMIT)
    finally:
        os.close(descriptor)


def whole_records(prefix: Path) -> Iterator[tuple[str, str]]:
    """Yield the path of each record of a prefix and the name of its package, sorted by name."""
    for path, package in _files(prefix):
        yield path, package.name


def _masked(text: str) -> str:
    from ..system.secrets import masked  # noqa: PLC0415 - only for an error

    return masked(text)
