"""Carry out a plan under the environment's lock: build, build anew, mend, install, write the record last."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from .. import changing, ecosystems, environments, match_specs, planning, plugins, records
from ..changing import Wanted
from ..discovery import search
from ..errors import EnvkitError, MachineError
from ..locking import exactness
from ..models.specs import Lock, Project, Spec
from ..system import files
from . import afterwards, known_sets, observing, place

if TYPE_CHECKING:
    from ..control import Work
    from ..formats.ready_record import Record
    from ..models.environment import Environment
    from ..planning import Observation
    from ..system.locks import Held


def carry_out(spec: Spec, seen: Observation, work: Work, lock: Held, *, key: str | None = None, exactly: Lock | None = None) -> Environment:
    """Make what was observed what the spec says. The spec was checked, the planner has agreed, the lock is held.

    Args:
        key: of the environment, where it is content-addressed.
        exactly: what was resolved when the plan was shown, and is to be built without resolving it again.

    Raises:
        InstallError, NetworkError, MachineError, ...: what was new is gone then, what was there is as it was or marked dirty.
    """
    environment = _carried_out(spec, seen, work, lock, key=key, exactly=exactly)
    if seen.state != "absent":
        from ..kernels.refreshing import refresh  # noqa: PLC0415 - what is new has no kernel

        refresh(environment, work)
    return environment


def _carried_out(spec: Spec, seen: Observation, work: Work, lock: Held, *, key: str | None, exactly: Lock | None) -> Environment:
    """Make what was observed what the spec says; the kernels that are there know nothing of it yet."""
    if seen.state in {"absent", "half-made"} or seen.mismatch is not None:
        return build(spec, seen, work, lock, key=key, exactly=exactly)
    environment = seen.environment
    assert environment is not None
    if seen.state == "damaged":
        afterwards.catch_up(_mend(spec, seen, environment, work, lock), spec, work, lock)
        return identified(seen.prefix, work)
    record = records.state_of(seen.prefix, work.host).record
    if record is not None and seen.differing:
        record = replace(record, variables={**record.variables, **spec.variables})
        records.finish(seen.prefix, record, work.host)
        if spec.backend == match_specs.CONDA:
            _tell_conda(seen.prefix, record)
    if spec.lock is not None:
        if seen.unsatisfied or seen.surplus:
            with changing.changing(environment, work, asked=Wanted(pypi=spec.pypi), record=record):
                exactness.sync(spec, environment, work, lock)
    elif wanted := _wanted(spec, seen.unsatisfied, seen.conda):
        changing.put_held(environment, wanted, work, lock, record=record)
    if seen.commands:
        afterwards.catch_up(environment, spec, work, lock)
    return identified(seen.prefix, work)


def _tell_conda(prefix: Path, record: Record) -> None:
    """Write the variables of an environment down where conda and mamba read them."""
    from ..conda.transaction import write_state  # noqa: PLC0415 - only where there is conda

    write_state(prefix, record.variables)


def _wanted(spec: Spec, pypi: tuple[str | Project, ...], conda: tuple[str, ...] = ()) -> Wanted:
    return Wanted(pypi=pypi, conda=conda, channels=spec.channels, constraints=spec.constraints, sources=spec.sources)


def identified(prefix: Path, work: Work) -> Environment:
    """Return the environment at a prefix that was just made or changed."""
    found = search.identify(work.host, str(prefix), plugins.locators(work.host))
    if found is None or not _has_python(found) or found.problem is not None:
        why = found.problem.message if found and found.problem else "nothing that is an environment lies there"
        raise MachineError(f"{prefix} is not whole after it was made: {why}", code="not-whole", hint="look at the disk, and call again")
    return found


def _has_python(environment: Environment) -> bool:
    """Say whether an environment has the Python that it needs to be whole: one of conda needs none."""
    return environment.python is not None or environment.kind == match_specs.CONDA


def build(spec: Spec, seen: Observation, work: Work, lock: Held, *, key: str | None = None, exactly: Lock | None = None) -> Environment:
    """Build at an empty place, or in place of what is there, which comes back when that fails."""
    prefix = seen.prefix
    wanted = planning.wanted_in(spec, seen)
    conda = planning.conda_in(spec, seen)
    with place.replacing(seen), place.fresh(prefix) as mark:
        with work.task("create", f"create {prefix}" + (f" on {seen.base}" if seen.base else "")):
            try:
                whole = replace(spec, conda=conda, lock=exactly or spec.lock)
                plugins.backend(spec.backend).build(prefix, spec=whole, base=seen.base, work=work, descriptors=(*lock.descriptors, *mark))
            except EnvkitError:  # a deadline is an OSError, too
                raise
            except OSError as error:
                raise files.machine_error(error, prefix) from error
        known = _furnish(prefix, spec, wanted, work, lock) if wanted or spec.lock is not None or spec.post_install else True
        requested = tuple(map(planning.shown, wanted))
        remembered = replace(spec, conda=conda if spec.lock is None else spec.conda)
        record = records.new_record(prefix, remembered, requested, work.host, key=key)
        slow = bool(conda or spec.post_install) or not known
        records.finish(prefix, record, work.host, durable=slow)  # what took milliseconds is made again in milliseconds
        return identified(prefix, work)


def _furnish(prefix: Path, spec: Spec, wanted: tuple[str | Project, ...], work: Work, lock: Held) -> bool:
    """Put the packages into an environment that is being made, and run its commands; True if the packages came from the store."""
    environment = identified_half_made(prefix, work)
    outcome = known_sets.put(environment, spec, wanted, work)
    known = outcome == "put"
    if known and spec.lock is not None:
        exactness.keep_lock(prefix, spec.lock, work.host)
    if not known:
        _install(environment, spec, wanted, work, lock, doubted=outcome == "doubted")
        known_sets.remember(environment, spec, wanted, work)
    afterwards.run_all(environment, spec.post_install, spec, work, lock)
    return known


def _install(environment: Environment, spec: Spec, wanted: tuple[str | Project, ...], work: Work, lock: Held, *, doubted: bool) -> None:
    """Let an installer put what is wanted, or locked, into a new environment; what it has other than published is taken anew."""
    locked = spec.lock is not None and not match_specs.is_locked(spec)
    if locked:
        exactness.sync(spec, environment, work, lock)
    elif wanted:
        changing.put(environment, _wanted(spec, wanted), work, lock=lock)
    if not (locked or wanted):
        return
    if names := _distrusted(environment, work, deep=doubted):
        with work.task("install", f"take {', '.join(names)} anew: the installer's cache has other files"):
            if locked:
                exactness.sync(spec, environment, work, lock, afresh=names)
            else:
                changing.mend(environment, (names, ()), spec.sources, work, lock)
    if names or spec.backend == match_specs.CONDA:  # of a virtual environment that was just seen
        changing.verify(environment, work.host)


def _distrusted(environment: Environment, work: Work, *, deep: bool) -> tuple[str, ...]:
    """Return the PyPI packages of a new environment that are not as they were published, sorted.

    uv links files from its cache: who wrote into one, in an environment or in the store, wrote into the cache, and it is installed so.

    Args:
        deep: compare contents, not only sizes.
    """
    found = {problem.subject for manager, problem in ecosystems.broken_in(environment, work.host) if manager.ECOSYSTEM == "pypi"}
    if deep:
        found.update(problem.subject for problem in plugins.package_manager("pypi").altered(environment, work))
    return tuple(sorted(found))


def identified_half_made(prefix: Path, work: Work) -> Environment:
    """Return the environment that is being made: whole but for its record."""
    found = search.virtual_at(work.host, str(prefix)) or search.identify(work.host, str(prefix), plugins.locators(work.host))
    if found is None or not _has_python(found) or (found.problem is not None and found.problem.code != "half-made"):
        why = found.problem.message if found and found.problem else "nothing that is an environment lies there"
        raise MachineError(f"{prefix} is not whole after it was made: {why}", code="not-whole", hint="choose another base Python")
    return replace(found, problem=None)


def _mend(spec: Spec, seen: Observation, environment: Environment, work: Work, lock: Held) -> Environment:
    """Take up an interrupted change of packages: broken ones are put in again; where that does not help all is built anew."""
    record = records.state_of(seen.prefix, work.host).record
    environment = replace(environment, problem=None)
    try:
        with work.task("install", "mend packages whose change was interrupted"):
            changing.mend(environment, changing.torn_packages(environment, work), spec.sources, work, lock)
            if spec.lock is not None:
                exactness.sync(spec, environment, work, lock)
            else:
                whole = replace(spec, pypi=planning.wanted_in(spec, seen), conda=planning.conda_in(spec, seen))
                now = observing.unsatisfied(whole, seen, environment, work)
                if missing := _wanted(spec, now.unsatisfied, now.conda):
                    changing.put_unmarked(environment, missing, work, lock)
            changing.verify(environment, work.host)
    except EnvkitError:
        work.check()
        if record is None:
            raise  # another tool's environment: not ours to build anew
        base = None if spec.backend == match_specs.CONDA else environments.base_for(spec.python, work, spec.sources)
        return build(spec, replace(seen, base=base), work, lock)
    if record is not None:
        requested = tuple(map(planning.shown, planning.wanted_in(spec, seen)))
        record = replace(record, requested=requested, conda=planning.conda_in(spec, seen))
    records.finish(seen.prefix, record, work.host)
    return identified(seen.prefix, work)
