"""The packages of an environment: list, install, uninstall, under its lock and with its marks."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from . import plugins, records
from .control import Control, Work, takes_control
from .environments import resolved
from .errors import EnvkitError, InstallError, RefusedError, UsageError
from .formats.ready_record import Record
from .models.plans import Changes, Package, Project, Sources
from .models.several import Several

if TYPE_CHECKING:
    from typing import Unpack

    from .host import Host
    from .models.aliases import Env
    from .models.environment import Environment
    from .models.requirement import Req
    from .system.locks import Held

_DEFAULT = Sources()


def installed(env: Env, *, host: Host | None = None) -> tuple[Package, ...]:
    """Return what is installed in an environment, sorted by normalized name. Reads files, starts no process.

    Raises:
        NotFoundError: there is no such environment.

    Source:
        Recording installed projects (packaging.python.org), PEP 610, PEP 376's INSTALLER and REQUESTED.

    Example:
        >>> import envkit, sys
        >>> "packaging" in {package.name for package in envkit.installed(sys.prefix)}
        True
    """
    work = Work(host=host)
    return Several(installed_in(resolved(env, work), work.host), "no package is installed")


def installed_in(environment: Environment, host: Host) -> tuple[Package, ...]:
    """Return what is installed in an environment that was resolved."""
    return plugins.package_manager("pypi").installed(environment, host)


@takes_control
def install(
    env: Env,
    *pypi: Req,
    constraints: Iterable[str] = (),
    dependencies: bool = True,
    sources: Sources = _DEFAULT,
    break_system_packages: bool = False,
    dry_run: bool = False,
    **control: Unpack[Control],
) -> Changes:
    """Install packages from PyPI into an environment and return what changed.

    Args:
        pypi: requirements ("rich>=13", "httpx[http2]"), wheels, sdists and projects by path, or `Project` values.
        constraints: limits on versions of whatever is installed, as in a constraints file.
        dependencies: install what they need, too.
        sources: indexes, directories of wheels, limits by date, pre-releases.
        break_system_packages: install into a Python that its system manages (PEP 668) all the same.
        dry_run: only say what would change.

    Raises:
        UsageError: a requirement is not allowed. NotFoundError: there is no such environment.
        InstallError: conflict, no such version, no such package, build failed; `log` holds the tool's output.
        NetworkError: the index cannot be reached. RefusedError: the Python is externally managed.
        BusyError: another process changes it.
    """
    work = Work.of(control)
    wanted = checked(pypi, work.host)
    environment = changeable(resolved(env, work))
    limits = tuple(constraints)
    if not wanted:
        return Changes()
    if dry_run:
        return _install(
            environment,
            wanted,
            sources=sources,
            constraints=limits,
            dependencies=dependencies,
            brk=break_system_packages,
            dry=True,
            work=work,
        )
    refuse_managed(environment, break_system_packages)
    with records.locked(environment.prefix, work) as lock:
        torn = interrupted(environment, work)
        with changing(environment, work, asked=wanted):
            mend(environment, torn, sources, work, lock)
            return _install(
                environment,
                wanted,
                sources=sources,
                constraints=limits,
                dependencies=dependencies,
                brk=break_system_packages,
                work=work,
                lock=lock,
            )


@takes_control
def uninstall(env: Env, *names: str, dry_run: bool = False, **control: Unpack[Control]) -> Changes:
    """Uninstall packages and return what changed; a name that is not installed is no change.

    Raises:
        UsageError: a name is not allowed. NotFoundError: there is no such environment.
        RefusedError: the Python is externally managed. BusyError: another process changes it.
    """
    from packaging.utils import InvalidName, canonicalize_name  # noqa: PLC0415 - looking does without it

    work = Work.of(control)
    try:
        wanted = {canonicalize_name(name, validate=True) for name in names}
    except InvalidName as error:
        raise UsageError(str(error), code="name", hint="give the names of packages, without versions") from error
    environment = changeable(resolved(env, work))
    there = tuple(package for package in installed_in(environment, work.host) if package.name in wanted)
    if not there or dry_run:
        return Changes(removed=there)
    refuse_managed(environment, allowed=False)
    with (
        records.locked(environment.prefix, work) as lock,
        changing(environment, work, dropped=wanted),
        inner_lock(environment, work) as inner,
    ):
        return plugins.package_manager("pypi").uninstall(
            environment,
            [package.name for package in there],
            work=work,
            log=records.log_of(environment.prefix, work.host),
            descriptors=(*lock.descriptors, *inner),
        )


def checked(requirements: Iterable[Req], host: Host) -> tuple[str | Project, ...]:
    """Return requirements in their canonical form.

    Raises:
        UsageError: one is not allowed.
    """
    from .pypi import requirements as rules  # noqa: PLC0415 - looking does without it

    if isinstance(requirements, str):
        raise TypeError(f"pypi takes several requirements, not the string {requirements!r}")
    return tuple(rules.parse(requirement, host) for requirement in requirements)


def changeable(environment: Environment) -> Environment:
    """Return the environment if packages can be put into it.

    Raises:
        RefusedError: it is broken, and what mends it. UsageError: it has no Python.
    """
    problem = environment.problem
    if problem is not None and problem.severity == "error" and problem.code != "half-made":
        raise RefusedError(
            f"{environment} is broken: {problem.message}",
            code=problem.code,
            hint=problem.hint or "make it anew",
        )
    if environment.python is None:
        raise UsageError(f"{environment.prefix} has no Python", code="python-missing", hint="choose an environment that has one")
    return environment


def refuse_managed(environment: Environment, allowed: bool) -> None:  # noqa: FBT001 - passed on from the caller's keyword
    """Refuse a Python that its system manages (PEP 668), before any tool sees it.

    Raises:
        RefusedError: it is, and the caller did not say by name that it may be changed.
    """
    if environment.externally_managed and not allowed:
        raise RefusedError(
            f"{environment} is managed by its system (PEP 668): packages installed there can break it",
            code="externally-managed",
            hint="make an environment with create() or provision() and install there; break_system_packages=True overrides this",
        )


@contextmanager
def changing(
    environment: Environment, work: Work, *, asked: Sequence[str | Project] = (), dropped: Iterable[str] = (), record: Record | None = None
) -> Generator[None]:
    """Mark the environment dirty while its packages change, and write its record anew once RECORD of each was verified.

    When the change fails but nothing is broken, the environment is as it was, and its mark goes; else the mark stays.
    """
    prefix, host = environment.prefix, work.host
    before = record if record is not None else records.state_of(prefix, host).record
    records.begin(prefix, "change", host)
    try:
        yield
    except EnvkitError:
        if not _broken(environment, host):
            records.finish(prefix, before, host)
        raise
    verify(environment, host)
    records.finish(prefix, None if before is None else _remember(before, asked, frozenset(dropped)), host)


def interrupted(environment: Environment, work: Work) -> tuple[str, ...]:
    """Return the packages that an interrupted change left without some of their files; looked for only where there was one."""
    dirty = records.state_of(environment.prefix, work.host).dirty is not None
    return tuple(_broken(environment, work.host)) if dirty else ()


def mend(environment: Environment, torn: Sequence[str], sources: Sources, work: Work, lock: Held) -> None:
    """Install anew, in their versions, what an interrupted change left torn: installers take it for whole and would leave it so."""
    if not torn:
        return
    from .pypi import mending  # noqa: PLC0415 - needed after an interruption only

    with inner_lock(environment, work) as inner, work.task("install", "mend packages whose change was interrupted"):
        mending.repair_distributions(
            environment,
            torn,
            sources=sources,
            work=work,
            log=records.log_of(environment.prefix, work.host),
            descriptors=(*lock.descriptors, *inner),
        )


def verify(environment: Environment, host: Host) -> None:
    """Hold each package's files against its RECORD.

    Raises:
        InstallError: files are missing.
    """
    if broken := _broken(environment, host):
        raise InstallError(
            f"files of {', '.join(broken)} are missing in {environment.prefix} after the change",
            code="incomplete",
            package=broken[0],
            retryable=True,
            hint="call again: it is mended then",
        )


def _broken(environment: Environment, host: Host) -> list[str]:
    return [problem.subject for problem in plugins.package_manager("pypi").broken(environment, host)]


def _remember(record: Record, asked: Sequence[str | Project], dropped: frozenset[str]) -> Record:
    """Return the record with what was asked for now in place of what was asked for before under the same name."""
    texts = {
        named(requirement): requirement if isinstance(requirement, str) else str(requirement.path)
        for requirement in (*record.requested, *asked)
    }
    return replace(record, requested=tuple(text for name, text in texts.items() if name not in dropped))


def named(requirement: str | Project) -> str:
    """Return the normalized name of a requirement, or its text or path where it has none."""
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415 - looking does without it
    from packaging.utils import canonicalize_name  # noqa: PLC0415 - as above

    if isinstance(requirement, Project):
        return str(requirement.path)
    try:
        return canonicalize_name(Requirement(requirement).name)
    except InvalidRequirement:
        return requirement


def _install(
    environment: Environment,
    wanted: Sequence[str | Project],
    *,
    sources: Sources,
    constraints: Sequence[str],
    dependencies: bool,
    brk: bool = False,
    dry: bool = False,
    work: Work,
    lock: Held | None = None,
) -> Changes:
    """Let the package manager install, with envkit's lock handed to its children."""
    manager = plugins.package_manager("pypi")
    with inner_lock(environment, work, needed=not dry) as inner:
        return manager.install(
            environment,
            wanted,
            sources=sources,
            constraints=constraints,
            dependencies=dependencies,
            break_system_packages=brk,
            dry_run=dry,
            work=work,
            log=records.log_of(environment.prefix, work.host),
            descriptors=(*(() if lock is None else lock.descriptors), *inner),
        )


@contextmanager
def inner_lock(environment: Environment, work: Work, *, needed: bool = True) -> Generator[tuple[int, ...]]:
    """Hold the lock file inside an environment at a path, unless the installer takes it itself; its descriptors go to children."""
    if not needed or environment.kind == "interpreter" or plugins.package_manager("pypi").locks_itself(work.host):
        yield ()
        return
    with records.inner_locked(environment.prefix, work) as descriptors:
        yield descriptors


def install_unmarked(
    environment: Environment, wanted: Sequence[str | Project], *, sources: Sources, constraints: Sequence[str], work: Work, lock: Held
) -> Changes:
    """Install into an environment that is being made: its lock is held, its dirty mark is written, its record comes last.

    Raises:
        InstallError: also where files are missing afterwards.
    """
    changes = _install(environment, wanted, sources=sources, constraints=constraints, dependencies=True, work=work, lock=lock)
    verify(environment, work.host)
    return changes


def install_held(
    environment: Environment,
    wanted: Sequence[str | Project],
    *,
    sources: Sources,
    constraints: Sequence[str],
    work: Work,
    lock: Held,
    record: Record | None,
) -> Changes:
    """Install into an environment whose lock the caller holds; `record` is what is written down of it afterwards."""
    with changing(environment, work, asked=wanted, record=record):
        return _install(environment, wanted, sources=sources, constraints=constraints, dependencies=True, work=work, lock=lock)


def ensure_installed(environment: Environment, wanted: Sequence[str], work: Work) -> None:
    """Install what of `wanted` is missing, under the environment's lock; nothing is done where all is there."""
    manager = plugins.package_manager("pypi")
    if not manager.unsatisfied(environment, wanted, work.host):
        return
    refuse_managed(changeable(environment), allowed=False)
    with records.locked(environment.prefix, work) as lock:
        missing = manager.unsatisfied(environment, wanted, work.host)
        if missing:
            record = records.state_of(environment.prefix, work.host).record
            install_held(
                environment,
                missing,
                sources=_DEFAULT,
                constraints=record.constraints if record else (),
                work=work,
                lock=lock,
                record=record,
            )
