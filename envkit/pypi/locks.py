"""Locks of PyPI packages: made by the resolver of uv or pip, chosen from for one target, and installed exactly.

What is installed is named by version and hash, and found where packages are found: at an index, in a cache, in a directory of wheels.
So a lock works offline from a wheelhouse, and against a mirror, as long as the bytes are the same.

Source: PEP 751; uv's documentation, "Locking environments"; pip's, "Hash-checking mode" and `pip lock`.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from packaging.markers import InvalidMarker, Marker
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from ..errors import CorruptError, InstallError, RefusedError, UsageError
from ..formats import pylock
from ..formats.direct_url import file_path
from ..models.packages import Changes
from ..models.specs import Project, Sources
from ..system.files import write_atomic
from .inventory import distributions
from .markers import full_version, markers_of
from .request import Command, Request, Tool, project_text
from .requirements import parse, parse_constraint
from .satisfaction import Target
from .transaction import Runner, changes_between, checked_sources, inventory_of, python_of, scratch_directory, uninstall_from
from .uv_driver import install_commands as uv_commands

if TYPE_CHECKING:
    from ..control import Work
    from ..host import Host
    from ..models.environment import Environment
    from ..models.specs import Lock

_OUTPUT: Final = "pylock.toml"
_OF_INSTALL_ALONE: Final = frozenset({"--no-user", "--no-compile"})  # options of pip that `pip lock` does not have


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """What a lock says of one package for one target: `text` is a requirement that this and nothing else satisfies."""

    name: str
    text: str | Project
    hashes: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()


def resolve_lock(
    env: Environment,
    wanted: Iterable[str | Project],
    *,
    constraints: Iterable[str],
    sources: Sources,
    python: str | None = None,
    dependencies: bool = True,
    many: bool = False,
    work: Work,
) -> str:
    """Return the text of a pylock.toml for what is wanted.

    Args:
        env: a Python that the resolver may run.
        python: the oldest Python, as "3.9", that the lock is to be for; that of `env` if None.
        dependencies: lock what they need, too.
        many: it must be for other platforms, too, which only uv's resolver can do.

    Raises:
        UsageError: something is not allowed. InstallError: no versions fit. NetworkError: the index cannot be reached.
    """
    asked = [parse(requirement, work.host) for requirement in wanted]
    with scratch_directory() as scratch:
        request = Request(
            python=python_of(env), prefix=str(env.prefix), requirements=(), projects=(),
            constraints=tuple(parse_constraint(constraint) for constraint in constraints), dependencies=dependencies, reinstall=False,
            break_system_packages=False, dry_run=False, sources=checked_sources(sources, work.host), offline=work.offline, scratch=scratch,
            present=frozenset(),
        )  # fmt: skip
        lines = scratch / "requirements.in"
        write_atomic(lines, "".join(f"{_line(requirement)}\n" for requirement in asked))
        runner = Runner(env, work, None, ())
        if runner.tool.kind == "uv":
            command = _uv_command(runner.tool, request, lines, python, work.host)
        elif many:
            raise UsageError("pip locks for the platform it runs on alone", code="platforms", hint="install the extra 'uv'")
        else:
            command = _pip_command(runner.tool, request, lines, work.host)
        runner.run(command, request, "resolve", "resolving versions and hashes")
        try:
            text = (scratch / _OUTPUT).read_text("utf-8")
        except OSError as error:
            raise InstallError(
                f"{runner.tool.kind} wrote no lock", code="install-failed", hint="look at its log, or use another version"
            ) from error
        return pylock.anchored(text, str(scratch))


def _line(requirement: str | Project) -> str:
    if isinstance(requirement, str):
        return requirement
    if requirement.editable or requirement.groups:
        raise UsageError(
            f"{requirement.path} cannot be locked as editable or with groups",
            code="lock",
            hint="lock what it needs: read_spec(its pyproject.toml)",
        )
    return project_text(requirement)


def _uv_command(tool: Tool, request: Request, lines: Path, python: str | None, host: Host) -> Command:
    """Return `uv pip compile` with the options that an installation would have, for every platform."""
    (install,) = uv_commands(tool, request, host)
    options = list(install.argv[install.argv.index("install") + 1 : install.argv.index("--", install.argv.index("install"))])
    options += ["--format=pylock.toml", "--universal", "--no-header", "--no-annotate", f"--output-file={request.scratch / _OUTPUT}"]
    options += [f"--python-version={python}"] if python else []
    return replace(install, argv=(*tool.argv, "pip", "compile", "--quiet", *options, "--", str(lines)))


def _pip_command(tool: Tool, request: Request, lines: Path, host: Host) -> Command:
    from .pip_driver import install_commands  # noqa: PLC0415 - needed only where there is no uv

    if tool.version is None or tool.version.release < (25, 1):
        raise InstallError(
            f"pip {tool.version} cannot lock", code="installer-too-old", hint="install the extra 'uv', or take a newer Python"
        )
    install = install_commands(tool, request, host)[-1]
    argv = ["lock" if part == "install" else part for part in _before_texts(install.argv) if part not in _OF_INSTALL_ALONE]
    return replace(install, argv=(*argv, f"--output={request.scratch / _OUTPUT}", f"--requirement={lines}"))


def _before_texts(argv: Sequence[str]) -> tuple[str, ...]:
    """Return an argument list without the last `--` and what stands behind it."""
    return tuple(argv[: len(argv) - 1 - list(reversed(argv)).index("--")])


def read_lock(lock: Lock) -> pylock.Pylock:
    """Return what a lock says.

    Raises:
        UsageError: it is not for PyPI packages. CorruptError: it cannot be read.
    """
    if lock.format != "pylock.toml":
        raise UsageError(
            f"a lock of the format {lock.format!r} is not for a virtual environment", code="lock", hint="use one that lock() made"
        )
    try:
        return _loaded(lock.text)
    except ValueError as error:
        raise CorruptError(f"the lock cannot be read: {error}", code="lock", hint="make it anew with lock(spec)") from error


@lru_cache(maxsize=4)
def _loaded(text: str) -> pylock.Pylock:
    """Return what a lock says; one call asks several times, and thirty packages take 8 ms."""
    return pylock.load(text)


def pins_of(lock: Lock, env: Environment, host: Host) -> tuple[Pin, ...]:
    """Return what a lock says for one target, in the lock's order.

    Raises:
        RefusedError: the lock is not for this Python or platform, or names a package twice for it. CorruptError: it cannot be read.
    """
    said = read_lock(lock)
    markers = markers_of(env, host)
    version = full_version(env, host)
    if not _allows(said.requires_python, version):
        raise _unfit(f"the lock is for Python {said.requires_python}, and this is {version}")
    if said.environments and not any(_holds(marker, markers, (), ()) for marker in said.environments):
        raise _unfit(f"the lock is for other platforms: {'; '.join(said.environments)}")
    inputs = said.inputs or pylock.Inputs()
    found: dict[str, Pin] = {}
    for package in said.packages:
        groups = inputs.groups or said.default_groups
        if package.marker is not None and not _holds(package.marker, markers, inputs.extras, groups):
            continue
        if package.name in found:
            raise _unfit(f"the lock names {package.name} twice for this Python and platform")
        if not _allows(package.requires_python, version):
            raise _unfit(f"{package.name} in the lock is for Python {package.requires_python}, and this is {version}")
        found[package.name] = _pin(package, host)
    return tuple(found.values())


def _pin(package: pylock.Locked, host: Host) -> Pin:
    if package.directory is not None:
        return Pin(name=package.name, text=parse(Project(path=Path(package.directory), editable=package.editable), host))
    if package.url is not None or package.version is None:
        url = package.url or next(iter(package.locations), "")
        return Pin(name=package.name, text=parse(f"{package.name} @ {url}", host), hashes=package.hashes)
    local = (file_path(location) for location in package.locations)
    links = {os.path.dirname(path) for path in local if path is not None and os.path.isfile(path)}
    return Pin(name=package.name, text=parse(f"{package.name}=={package.version}"), hashes=package.hashes, find_links=tuple(sorted(links)))


def _holds(marker: str, markers: dict[str, str], extras: Iterable[str], groups: Iterable[str]) -> bool:
    try:
        return Marker(marker).evaluate(
            {**markers, "extras": frozenset(extras), "dependency_groups": frozenset(groups)}, context="lock_file"
        )
    except InvalidMarker as error:
        raise CorruptError(f"the lock has the marker {marker!r}", code="lock", hint="make it anew with lock(spec)") from error


def _allows(requires: str | None, version: str) -> bool:
    try:
        return requires is None or SpecifierSet(requires).contains(version, prereleases=True)
    except InvalidSpecifier as error:
        raise CorruptError(f"the lock is for Python {requires!r}", code="lock", hint="make it anew with lock(spec)") from error


def _unfit(why: str) -> RefusedError:
    return RefusedError(why, code="lock-mismatch", hint="make a lock for it with lock(spec), or ask for a Python that it is for")


def differences(env: Environment, lock: Lock, keep: Collection[str], host: Host) -> tuple[tuple[str | Project, ...], tuple[str, ...]]:
    """Return what of a lock is not installed as it says, and the names that are installed and not in it. Reads files only.

    Args:
        keep: names that may be there besides.

    Raises:
        As `pins_of`.
    """
    pins = pins_of(lock, env, host)
    target = Target(env, host)
    missing = tuple(pin.text for pin in pins if isinstance(pin.text, Project) or not target.satisfies(pin.text))
    allowed = {*(pin.name for pin in pins), *keep}
    return missing, tuple(sorted(found.name for found in distributions(env, host) if found.name not in allowed))


def sync_into(
    env: Environment, lock: Lock, *, keep: Collection[str], sources: Sources, afresh: Collection[str] = (), work: Work,
    log: Path | None, descriptors: Collection[int],
) -> Changes:  # fmt: skip
    """Make what is installed exactly what a lock says for this target, by uv or pip, hashes checked.

    Args:
        afresh: names of which what is installed is not trusted, nor what the installer's cache has.

    Raises:
        As `pins_of` and `install`; InstallError "hash-mismatch": what is to be had is not what was locked.
    """
    missing, surplus = differences(env, lock, keep, work.host)
    before = inventory_of(env, work.host)
    pins = [pin for pin in pins_of(lock, env, work.host) if pin.text in missing or pin.name in afresh]
    if surplus or afresh:
        uninstall_from(env, sorted({*surplus, *afresh}), break_system_packages=False, work=work, log=log, descriptors=descriptors)
    if pins:
        _install_pins(env, pins, _sources_of(lock, sources), fresh=bool(afresh), work=work, log=log, descriptors=descriptors)
    return changes_between(before, inventory_of(env, work.host))


def _sources_of(lock: Lock, sources: Sources) -> Sources:
    """Return where the packages of a lock come from: as the spec says, else as it was when the lock was made."""
    said = read_lock(lock)
    if sources.indexes:
        return sources
    if said.inputs is not None:
        return replace(sources, indexes=said.inputs.indexes)
    others = {package.index for package in said.packages if package.index} - {None}
    private = sorted(index for index in others if index and urlsplit(index).hostname not in {"pypi.org", "files.pythonhosted.org"})
    return replace(sources, indexes=("https://pypi.org/simple", *private)) if private else sources


def _install_pins(
    env: Environment, pins: Sequence[Pin], sources: Sources, *, fresh: bool, work: Work, log: Path | None, descriptors: Collection[int]
) -> None:
    links = tuple(dict.fromkeys((*sources.find_links, *(link for pin in pins for link in pin.find_links))))
    hashed = [pin for pin in pins if pin.hashes]
    plain = [pin.text for pin in pins if not pin.hashes]
    with scratch_directory() as scratch:
        request = Request(
            python=python_of(env), prefix=str(env.prefix), requirements=(), projects=(), constraints=(), dependencies=False, reinstall=False,
            break_system_packages=False, dry_run=False, sources=replace(checked_sources(sources, work.host), find_links=links),
            offline=work.offline, scratch=scratch, present=frozenset(), fresh=fresh,
        )  # fmt: skip
        runner = Runner(env, work, log, descriptors)
        if hashed:
            file = scratch / "locked.txt"
            write_atomic(file, "".join(" ".join([str(pin.text), *(f"--hash={value}" for value in pin.hashes)]) + "\n" for pin in hashed))
            command = runner.commands(request)[-1]
            argv = (*_before_texts(command.argv), "--require-hashes", f"--requirement={file}")
            runner.run(replace(command, argv=argv), request, "install", f"installing {', '.join(pin.name for pin in hashed)}")
        if plain:
            projects = tuple(text for text in plain if isinstance(text, Project))
            texts = tuple(text for text in plain if isinstance(text, str))
            for command in runner.commands(replace(request, requirements=texts, projects=projects)):
                runner.run(command, request, "install", f"installing {', '.join(pin.name for pin in pins if not pin.hashes)}")
