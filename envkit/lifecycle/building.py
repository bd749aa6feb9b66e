"""Carry out a plan under the environment's lock: build, build anew, mend, install, write the record last."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from .. import changing, environments, match_specs, planning, plugins, records
from ..changing import Wanted
from ..discovery import search
from ..errors import EnvkitError, MachineError
from ..locking import exactness
from ..models.specs import Lock, Project, Spec
from ..system import files
from . import afterwards, known_sets, observing

if TYPE_CHECKING:
    from ..control import Work
    from ..formats.ready_record import Record
    from ..models.environment import Environment
    from ..planning import Observation
    from ..system.locks import Held

ASIDE = ".envkit-old-"


def carry_out(spec: Spec, seen: Observation, work: Work, lock: Held, *, key: str | None = None, exactly: Lock | None = None) -> Environment:
    """Make what was observed what the spec says. The spec was checked, the planner has agreed, the lock is held.

    Args:
        key: of the environment, where it is content-addressed.
        exactly: what was resolved when the plan was shown, and is to be built without resolving it again.

    Raises:
        InstallError, NetworkError, MachineError, ...: what was new is gone then, what was there is as it was or marked dirty.
    """
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
    with replacing(seen), fresh(prefix):
        with work.task("create", f"create {prefix}" + (f" on {seen.base}" if seen.base else "")):
            records.begin(prefix, "create", work.host, made_directory=True)
            with records.inner_locked(prefix, work) as inner:  # outside of the try: to wait in vain is an OSError, too
                descriptors = (*lock.descriptors, *inner)
                try:
                    whole = replace(spec, conda=conda, lock=exactly or spec.lock)
                    plugins.backend(spec.backend).build(prefix, spec=whole, base=seen.base, work=work, descriptors=descriptors)
                except EnvkitError:  # a deadline is an OSError, too
                    raise
                except OSError as error:
                    raise files.machine_error(error, prefix) from error
        environment = identified_half_made(prefix, work)
        known = known_sets.put(environment, spec, wanted, work)
        if not known:
            if spec.lock is not None and not match_specs.is_locked(spec):
                exactness.sync(spec, environment, work, lock)
                changing.verify(environment, work.host)
            elif wanted:
                changing.put_unmarked(environment, _wanted(spec, wanted), work, lock)
            known_sets.remember(environment, spec, wanted, work)
        afterwards.run_all(environment, spec.post_install, spec, work, lock)
        requested = tuple(map(planning.shown, wanted))
        remembered = replace(spec, conda=conda if spec.lock is None else spec.conda)
        record = records.new_record(prefix, remembered, requested, work.host, key=key)
        slow = bool(spec.post_install or conda or spec.lock or wanted) and not (known and not spec.post_install)
        records.finish(prefix, record, work.host, durable=slow)  # what took milliseconds is made again in milliseconds
    return identified(prefix, work)


def identified_half_made(prefix: Path, work: Work) -> Environment:
    """Return the environment that is being made: whole but for its record."""
    found = search.virtual_at(work.host, str(prefix)) or search.identify(work.host, str(prefix), plugins.locators(work.host))
    if found is None or not _has_python(found) or (found.problem is not None and found.problem.code != "half-made"):
        why = found.problem.message if found and found.problem else "nothing that is an environment lies there"
        raise MachineError(f"{prefix} is not whole after it was made: {why}", code="not-whole", hint="choose another base Python")
    return replace(found, problem=None)


@contextmanager
def fresh(prefix: Path) -> Generator[None]:
    """Make the directory; whatever goes wrong in the body, the directory and what was made above it are gone again."""
    top = records.make_directory(prefix)
    try:
        yield
    except BaseException:
        with suppress(OSError, EnvkitError):
            if top is None:
                _empty(prefix)
            else:
                files.remove_tree(prefix)
                _remove_empty_parents(prefix.parent, top)
        raise


def _remove_empty_parents(directory: Path, top: Path) -> None:
    while directory.is_relative_to(top):
        directory.rmdir()
        directory = directory.parent


def _empty(directory: Path) -> None:
    for entry in list(os.scandir(directory)):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            os.unlink(entry.path)


@contextmanager
def replacing(seen: Observation) -> Generator[None]:
    """Put what lies at the prefix aside while its successor is built: it is deleted in the end, or put back on failure.

    What was half made is not worth keeping. What a kill left aside is swept by the next build of the same place.
    """
    prefix = seen.prefix
    _sweep(prefix)
    if seen.state == "absent":
        yield
        return
    if seen.state == "half-made":
        files.remove_tree(prefix)
        yield
        return
    aside = prefix.with_name(f"{ASIDE}{prefix.name}-{os.urandom(4).hex()}")
    try:
        os.rename(prefix, aside)
    except OSError as error:
        raise files.machine_error(error, prefix) from error
    try:
        yield
    except BaseException:
        os.rename(aside, prefix)
        raise
    with suppress(OSError):
        files.delete_renamed(aside)


def _sweep(prefix: Path) -> None:
    """Delete what an earlier build of this place put aside and could not delete; only with the place's lock held."""
    start = f"{ASIDE}{prefix.name}-"
    with suppress(OSError):
        for entry in list(os.scandir(prefix.parent)):
            if entry.name.startswith(start) and len(entry.name) == len(start) + 8 and entry.is_dir(follow_symlinks=False):
                files.delete_renamed(Path(entry.path))


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
