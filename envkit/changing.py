"""A change of an environment's packages: who may be changed, its marks, its locks, and mending what an interrupted change left.

Order: lock, dirty mark, the change, each package held against what was recorded of it, ready record, dirty mark away, lock free.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from . import ecosystems, match_specs, plugins, records
from .errors import EnvkitError, InstallError, MachineError, RefusedError, UsageError
from .match_specs import CONDA
from .models.packages import Changes
from .models.specs import Project, Sources

if TYPE_CHECKING:
    from .control import Work
    from .formats.ready_record import Record
    from .host import Host
    from .models.environment import Environment
    from .models.requirement import Req
    from .system.locks import Held

_DEFAULT = Sources()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be put into an environment, and from where.

    pypi: requirements. conda: match specs, which come first, for what is PyPI's lies on top of them. channels: where conda packages
    come from; where none is named, those that the environment was made with, else the machine's configuration.
    """

    pypi: Sequence[str | Project] = ()
    conda: Sequence[str] = ()
    channels: Sequence[str] = ()
    constraints: Sequence[str] = ()
    sources: Sources = _DEFAULT
    dependencies: bool = True
    break_system_packages: bool = False

    def __bool__(self) -> bool:
        return bool(self.pypi or self.conda)


def checked(requirements: Iterable[Req], host: Host) -> tuple[str | Project, ...]:
    """Return requirements in their canonical form.

    Raises:
        UsageError: one is not allowed.
    """
    from .pypi import requirements as rules  # noqa: PLC0415 - looking does without it

    if isinstance(requirements, str):
        raise TypeError(f"pypi takes several requirements, not the string {requirements!r}")
    return tuple(rules.parse(requirement, host) for requirement in requirements)


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


def changeable(environment: Environment, *, needs_python: bool = True) -> Environment:
    """Return the environment if packages can be put into it.

    Args:
        needs_python: packages of PyPI are; conda's are not.

    Raises:
        RefusedError: it is broken, and what mends it. UsageError: it has no Python.
    """
    problem = environment.problem
    if problem is not None and problem.severity == "error" and problem.code != "half-made":
        raise RefusedError(f"{environment} is broken: {problem.message}", code=problem.code, hint=problem.hint or "make it anew")
    if environment.python is None and needs_python:
        hint = 'install one first: install(env, conda=["python"])' if environment.kind == "conda" else "choose an environment that has one"
        raise UsageError(f"{environment.prefix} has no Python", code="python-missing", hint=hint)
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
    environment: Environment, work: Work, *, asked: Wanted | None = None, dropped: Collection[str] = (), record: Record | None = None
) -> Generator[None]:
    """Mark the environment dirty while its packages change, and write its record anew once the files of each were verified.

    When the change fails but nothing is broken or half done, the environment is as it was, and its mark goes; else the mark stays.

    Args:
        asked: what is remembered as asked for from now on. dropped: names that are asked for no more; read after the change.
        record: what is written down of it afterwards; what it says now if None.

    Raises:
        RefusedError: it is a conda environment that is frozen.
    """
    ecosystems.refuse_frozen(environment)
    prefix, host = environment.prefix, work.host
    before = record if record is not None else records.state_of(prefix, host).record
    records.begin(prefix, "change", host)
    try:
        yield
    except EnvkitError:
        if not (ecosystems.broken_in(environment, host) or ecosystems.is_half_changed(environment)):
            with suppress(MachineError):  # such as a full disk, of which the first error speaks
                records.finish(prefix, before, host)
        raise
    verify(environment, host)
    records.finish(prefix, None if before is None else _remember(before, asked or Wanted(), frozenset(dropped)), host)


def _remember(record: Record, asked: Wanted, dropped: frozenset[str]) -> Record:
    """Return the record with what was asked for now in place of what was asked for before under the same name."""
    texts = {
        named(requirement): requirement if isinstance(requirement, str) else str(requirement.path)
        for requirement in (*record.requested, *asked.pypi)
    }
    record = replace(record, requested=tuple(text for name, text in texts.items() if name not in dropped))
    if record.kind != CONDA:
        return record
    specs = {match_specs.name_of(text): text for text in (*record.conda, *asked.conda)}
    kept = tuple(text for name, text in specs.items() if name not in dropped)
    from .formats.conda_url import lasting  # noqa: PLC0415 - only where there is conda

    return replace(record, conda=kept, channels=tuple(dict.fromkeys((*record.channels, *map(lasting, asked.channels)))))


def verify(environment: Environment, host: Host) -> None:
    """Hold the files of each package against what was recorded of them.

    Raises:
        InstallError: files are missing.
    """
    if broken := [problem.subject for _, problem in ecosystems.broken_in(environment, host)]:
        raise InstallError(
            f"files of {', '.join(broken)} are missing in {environment.prefix} after the change",
            code="incomplete",
            package=broken[0],
            retryable=True,
            hint="call again: it is mended then",
        )


def torn_packages(environment: Environment, work: Work) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return which packages of PyPI and of conda an interrupted change left without some of their files; looked for after one only."""
    if records.state_of(environment.prefix, work.host).dirty is None:
        return (), ()
    found = [(manager.ECOSYSTEM, problem.subject) for manager, problem in ecosystems.broken_in(environment, work.host)]
    return tuple(name for kind, name in found if kind == "pypi"), tuple(name for kind, name in found if kind == CONDA)


def mend(environment: Environment, torn: tuple[Sequence[str], Sequence[str]], sources: Sources, work: Work, lock: Held) -> None:
    """Install anew, in their versions, what an interrupted change left torn: installers take it for whole and would leave it so."""
    pypi, conda = torn
    if not pypi and not conda:
        return
    log = records.log_of(environment.prefix, work.host)
    with inner_lock(environment, work) as inner, work.task("install", "mend packages whose change was interrupted"):
        descriptors = (*lock.descriptors, *inner)
        if conda:
            plugins.package_manager(CONDA).install(
                environment, conda, sources=sources, reinstall=True, work=work, log=log, descriptors=descriptors
            )
        if pypi:
            from .pypi import mending  # noqa: PLC0415 - needed after an interruption only

            mending.repair_distributions(environment, pypi, sources=sources, work=work, log=log, descriptors=descriptors)


@contextmanager
def inner_lock(environment: Environment, work: Work, *, needed: bool = True) -> Generator[tuple[int, ...]]:
    """Hold the lock file inside an environment at a path, unless the installer takes it itself; its descriptors go to children."""
    if not needed or environment.kind == "interpreter" or plugins.package_manager("pypi").locks_itself(work.host):
        yield ()
        return
    with records.inner_locked(environment.prefix, work) as descriptors:
        yield descriptors


def put(
    environment: Environment, wanted: Wanted, work: Work, *, lock: Held | None = None, dry: bool = False, upgrade: bool = False
) -> Changes:
    """Let the package managers install what is wanted, conda's first, with envkit's lock handed to their children.

    Args:
        dry: only say what would change. upgrade: take the newest versions that fit, also where others that fit are installed.

    Raises:
        RefusedError: a package of PyPI would take the place of one that conda owns. Else as the managers' `install`.
    """
    done: list[Changes] = []
    log = records.log_of(environment.prefix, work.host)
    held = () if lock is None else lock.descriptors
    if wanted.conda:
        done.append(
            plugins.package_manager(CONDA).install(
                environment,
                wanted.conda,
                sources=wanted.sources,
                channels=channels_of(environment, wanted, work),
                dependencies=wanted.dependencies,
                upgrade=upgrade,
                dry_run=dry,
                work=work,
                log=log,
                descriptors=held,
            )
        )
        environment = environment if dry else ecosystems.as_it_is(environment, work)
    if wanted.pypi:
        changeable(environment)
        _refuse_owned(environment, wanted, work, upgrade=upgrade)
        done.append(_put_pypi(environment, wanted, work, held, dry=dry, upgrade=upgrade))
    return ecosystems.joined(done)


def _put_pypi(environment: Environment, wanted: Wanted, work: Work, held: tuple[int, ...], *, dry: bool, upgrade: bool) -> Changes:
    with inner_lock(environment, work, needed=not dry) as inner:
        return plugins.package_manager("pypi").install(
            environment,
            wanted.pypi,
            sources=wanted.sources,
            constraints=wanted.constraints,
            dependencies=wanted.dependencies,
            break_system_packages=wanted.break_system_packages,
            upgrade=upgrade,
            dry_run=dry,
            work=work,
            log=records.log_of(environment.prefix, work.host),
            descriptors=(*held, *inner),
        )


def _refuse_owned(environment: Environment, wanted: Wanted, work: Work, *, upgrade: bool) -> None:
    """Refuse what would change or remove a distribution that a conda package brought: conda would go on believing that its own is there.

    Raises:
        RefusedError: it would.
    """
    owned = ecosystems.owned_by_conda(environment, work.host)
    if not owned:
        return
    would = _put_pypi(environment, wanted, work, (), dry=True, upgrade=upgrade)
    touched = sorted({package.name for package in (*would.removed, *(before for before, _ in would.updated))} & owned)
    if touched:
        raise RefusedError(
            f"packages of PyPI would take the place of what conda installed: {', '.join(touched)}",
            code="conda-owned",
            hint=f"let conda change it: install(env, conda={touched!r}), or ask for versions that fit",
        )


def channels_of(environment: Environment, wanted: Wanted, work: Work) -> tuple[str, ...]:
    """Return where conda packages come from: as said, else as the environment was made; empty for the machine's configuration."""
    record = None if wanted.channels else records.state_of(environment.prefix, work.host).record
    return tuple(wanted.channels) or (() if record is None else record.channels)


def put_unmarked(environment: Environment, wanted: Wanted, work: Work, lock: Held) -> Changes:
    """Install into an environment that is being made: its lock is held, its dirty mark is written, its record comes last.

    Raises:
        InstallError: also where files are missing afterwards.
    """
    changes = put(environment, wanted, work, lock=lock)
    verify(environment, work.host)
    return changes


def put_held(environment: Environment, wanted: Wanted, work: Work, lock: Held, *, record: Record | None) -> Changes:
    """Install into an environment whose lock the caller holds; `record` is what is written down of it afterwards."""
    with changing(environment, work, asked=wanted, record=record):
        return put(environment, wanted, work, lock=lock)
