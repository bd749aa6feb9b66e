"""Check an environment: is it what its records say? Files are read; nothing is run unless asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from . import ecosystems, plugins, records, remedies
from .control import Control, Work, takes_control
from .environments import resolved
from .errors import CancelledError, DeadlineError, EnvkitError
from .match_specs import CONDA
from .models.environment import Environment, Problem
from .models.several import Several

if TYPE_CHECKING:
    from typing import Unpack

    from .discovery.probe import Answer
    from .formats.ready_record import Record
    from .models.aliases import Env


@takes_control
def check(env: Env, *, deep: bool = False, **control: Unpack[Control]) -> tuple[Problem, ...]:
    """Return what is wrong with an environment and its packages. Reads files, starts no process unless `deep`.

    Looked at are its base, interpreter and `pyvenv.cfg`, envkit's own marks and record, the files of each package by its RECORD
    (existence and size) or its record in `conda-meta` (existence), and whether the packages fit together.

    Args:
        deep: compare the content of each file with its recorded hash, too, and run the Python once, isolated and bounded, to
            hold what was found by looking against what it says; each difference is named.

    Returns:
        Problems of the environment first, then those of packages, sorted by package; empty when nothing is wrong. `subject` is the
        package, or the field that differs; `fix`, where packages are missing, broken or do not fit together, is a plan for `apply`.

    Raises:
        NotFoundError: there is no such environment. CancelledError, DeadlineError: the call is over.

    Source:
        RECORD: recording installed projects (packaging.python.org). Requirements: as `pip check`.

    Example:
        >>> import envkit, sys
        >>> [problem for problem in envkit.check(sys.prefix) if problem.code == "half-made"]
        []
    """
    work = Work.of(control)
    environment = resolved(env, work)
    found = [*_of_environment(environment, work)]
    with work.task("prove", f"files of {environment.prefix}"):
        found += _of_packages(environment, work, deep=deep)
        found = remedies.with_fixes(environment, found, work)
    return Several((*found, *_differences(environment, work)) if deep else found, "no problem was found")


def _of_packages(environment: Environment, work: Work, *, deep: bool) -> Iterator[Problem]:
    """Yield what is wrong with the packages of each ecosystem; of what a conda package brought conda's records count alone."""
    owned = ecosystems.owned_by_conda(environment, work.host)
    for manager in ecosystems.managers(environment):
        ours = frozenset[str]() if manager.ECOSYSTEM == CONDA else owned
        for look in (manager.broken, manager.conflicts):
            yield from (problem for problem in look(environment, work.host) if problem.subject not in ours)
            work.check()
        if deep:
            yield from (problem for problem in manager.altered(environment, work) if problem.subject not in ours)


def _of_environment(environment: Environment, work: Work) -> Iterator[Problem]:
    """Yield what is wrong with the environment itself, and how it differs from envkit's record."""
    if environment.problem is not None:
        yield environment.problem
    record = records.state_of(environment.prefix, work.host).record
    if record is None or (environment.python is None and environment.kind != CONDA):
        return
    for requirement in _missing(environment, record, work):
        if not os.path.isabs(requirement):  # a project by path is never satisfied
            yield Problem(
                code="requirement-missing",
                message=f"{requirement} was asked for and is not there, or not in such a version",
                hint=f"install {requirement}",
                subject=requirement,
            )
    if record.digest and record.digest != records.digest_of(environment.prefix):
        yield Problem(
            code="edited",
            message="packages were installed or removed since envkit wrote its record",
            hint=None if record.key is None else "the next ensure() builds it anew",
            severity="info" if record.key is None else "warning",
        )


def _missing(environment: Environment, record: Record, work: Work) -> Iterator[str]:
    """Yield what was asked for and is not there: conda's match specs, then PyPI's requirements."""
    asked = {CONDA: record.conda, "pypi": record.requested if environment.python is not None else ()}
    for ecosystem, wanted in asked.items():
        missing = plugins.package_manager(ecosystem).unsatisfied(environment, wanted, work.host) if wanted else ()
        yield from (requirement for requirement in missing if isinstance(requirement, str))


def _differences(environment: Environment, work: Work) -> Iterator[Problem]:
    """Run the Python and yield each field in which the environment differs from what it says of itself."""
    if environment.python is None:
        return
    try:
        said = _asked(environment, work)
    except (CancelledError, DeadlineError):
        work.check()
        yield _unusable(environment, "it did not answer in time")
        return
    except EnvkitError as error:
        yield _unusable(environment, str(error))
        return
    for field, seen, told in _facts(environment, said):
        source = f" by {environment.version_source}" if field == "version" else ""
        yield Problem(
            code="record-differs",
            message=f"{field} is {seen}{source}, and the Python itself says {told}",
            hint="make the environment anew" if environment.kind == "venv" else None,
            severity="warning",
            subject=field,
        )


def _asked(environment: Environment, work: Work) -> Answer:
    from .discovery import probe  # noqa: PLC0415 - a check that reads files starts no process

    assert environment.python is not None
    prefix = environment.prefix if environment.kind == "venv" else None
    return probe.read(probe.ask(environment.python, work=work, prefix=prefix), environment.python)


def _unusable(environment: Environment, message: str) -> Problem:
    return Problem(code="python-unusable", message=f"{environment.python} does not run: {message}", hint="make the environment anew")


def _facts(environment: Environment, said: Answer) -> Iterator[tuple[str, str, str]]:
    """Yield field, what was seen and what was told, for each known field in which they differ."""
    told = said.interpreter
    version = environment.version
    if version is not None and version != told.version and (len(version.release) > 2 or version.release[:2] != told.version.release[:2]):
        yield "version", str(version), str(told.version)
    for field, seen, heard in (
        ("implementation", environment.implementation, told.implementation),
        ("architecture", environment.architecture, said.architecture),
        ("free_threaded", environment.free_threaded, said.free_threaded),
    ):
        if seen is not None and heard is not None and seen != heard:
            yield field, str(seen), str(heard)
    base, stated = told.base_prefix, environment.base if environment.kind == "venv" else environment.prefix
    if stated is not None and not _is_same(stated, base):
        yield "base" if environment.kind == "venv" else "prefix", str(stated), str(base)


def _is_same(one: Path, other: Path) -> bool:
    return one == other or os.path.realpath(one) == os.path.realpath(other)
