"""clone and repair of conda environments: files linked and made true for their place, altered and missing ones put in anew."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .. import changing, ecosystems, plugins, records
from ..changing import Wanted
from ..conda import caches, moving
from ..errors import EnvkitError, MachineError, RefusedError
from ..formats import conda_meta
from ..formats.ready_record import Record
from ..match_specs import CONDA
from ..system import files
from ..venv import moving as venv_moving
from . import building, moved_kernels, place

if TYPE_CHECKING:
    from ..control import Work
    from ..models.environment import Environment
    from ..models.specs import Spec
    from ..planning import Observation
    from ..system.locks import Held

_OF_PLACE: Final = frozenset({"moved", "half-made", "python-missing", "python-dangling"})  # what this mends


def clone(source: Environment, spec: Spec, seen: Observation, work: Work) -> Environment:
    """Make a conda environment once more at the place of a spec; see `cloning.clone`. Both locks are held."""
    prefix, host = seen.prefix, work.host
    record = records.state_of(source.prefix, host).record or Record(prefix=str(source.prefix))
    with place.replacing(seen), place.fresh(prefix), work.task("create", f"clone {source.prefix} to {prefix}"):
        with records.inner_locked(source.prefix, work):
            moving.clone(source.prefix, prefix, work, told=venv_moving.mend_records)
        made = replace(
            record,
            prefix=str(prefix),
            name=spec.name,
            kind=CONDA,
            backend=CONDA,
            made=True,
            created=records.new_record(prefix, spec, (), host).created,
            kernels=(),
            key=None,
            layers=(),
        )
        records.finish(prefix, made, host)
    return building.identified(prefix, work)


def repair(prefix: Path, found: Environment, work: Work, lock: Held) -> Environment:
    """Mend a conda environment at its place; its lock is held.

    Where it was moved or copied its files name the place it was made at, and are written anew. Packages of which a file is missing
    or is not as it was installed are put in anew, from the package cache where that is whole. After an interrupted change what was
    asked for and is not there is installed.

    Raises:
        RefusedError: it is broken in a way that this does not mend. Others as `packages.install`.
    """
    host, state = work.host, records.state_of(prefix, work.host)
    if found.problem is not None and found.problem.code not in _OF_PLACE:
        raise RefusedError(
            f"{found} is broken: {found.problem.message}", code=found.problem.code, hint=found.problem.hint or "make it anew"
        )
    stated = records.stated_record(prefix, host)
    origins = _origins(prefix, stated)
    environment = replace(found, problem=None)
    torn = ((), ()) if origins else _torn(environment, work)
    if not (origins or any(torn) or state.dirty):
        return found
    records.begin(prefix, "change", host)
    if origins:
        with work.task("create", f"put {prefix} at its place"):
            _put_right(prefix, origins, work)
        torn = _torn(environment, work)
    record = _record_here(prefix, stated)
    sources = records.sources_of(record)
    _drop_altered(environment, torn[1], work)
    changing.mend(environment, torn, sources, work, lock)
    environment = ecosystems.as_it_is(environment, work)
    if record is not None and state.dirty is not None:
        _put_what_was_asked(environment, record, work, lock)
    changing.verify(environment, host)
    records.finish(prefix, record, host)
    mended = building.identified(prefix, work)
    if stated is not None and stated.prefix != str(prefix):
        moved_kernels.follow(Path(stated.prefix), mended, stated.kernels, work)
    return mended


def _origins(prefix: Path, stated: Record | None) -> tuple[str, ...]:
    """Return the places that its files may name instead of its own: none where it lies where it was made."""
    made_at = moving.origin_of(prefix)
    places = [] if stated is None or os.path.realpath(stated.prefix) == os.path.realpath(prefix) else [stated.prefix]
    return tuple(dict.fromkeys((*places, *([] if made_at is None else [made_at]))))


def _put_right(prefix: Path, origins: tuple[str, ...], work: Work) -> None:
    try:
        venv_moving.mend_records(prefix, moving.move_in_place(prefix, origins, work))
    except EnvkitError:  # a deadline is an OSError, too
        raise
    except OSError as error:
        raise files.machine_error(error, prefix) from error


def _torn(environment: Environment, work: Work) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return which packages of PyPI miss files, and which of conda do, or have other content than was installed."""
    broken = ecosystems.broken_in(environment, work.host)
    altered = plugins.package_manager(CONDA).altered(environment, work)
    conda = [problem.subject for manager, problem in broken if manager.ECOSYSTEM == CONDA] + [problem.subject for problem in altered]
    return tuple(problem.subject for manager, problem in broken if manager.ECOSYSTEM != CONDA), tuple(dict.fromkeys(conda))


def _drop_altered(environment: Environment, names: tuple[str, ...], work: Work) -> None:
    """Take packages out of the cache whose files were edited in an environment that shares them: they would be linked again as they are."""
    from ..conda import configuration  # noqa: PLC0415 - reads what conda's tools are configured with, where something has to be mended

    directory = environment.prefix / conda_meta.DIRECTORY
    stems = [file.removesuffix(".json") for name in names for file in _records_of(directory, name)]
    for cache in configuration.read(work.host, prefix=environment.prefix, offline=True).caches if stems else ():
        with caches.locked(cache, work) as held:
            if held:
                try:
                    caches.drop_altered(cache, stems, work)
                except MachineError:
                    work.check()  # a cache of another user: what is altered there stays


def _records_of(directory: Path, name: str) -> list[str]:
    return [package.file for package in conda_meta.named(os.listdir(directory), name)]


def _put_what_was_asked(environment: Environment, record: Record, work: Work, lock: Held) -> None:
    """Install what a change was interrupted before."""
    asked = changing.checked([text for text in record.requested if not os.path.isabs(text)], work.host)
    conda = plugins.package_manager(CONDA).unsatisfied(environment, record.conda, work.host)
    pypi = plugins.package_manager("pypi").unsatisfied(environment, asked, work.host) if asked else ()
    wanted = Wanted(
        pypi=pypi,
        conda=tuple(map(str, conda)),
        channels=record.channels,
        constraints=record.constraints,
        sources=records.sources_of(record),
    )
    if wanted:
        changing.put_unmarked(environment, wanted, work, lock)


def _record_here(prefix: Path, stated: Record | None) -> Record | None:
    """Return the record as it is to be at this place; another tool's environment has none."""
    if stated is None or stated.prefix == str(prefix):
        return stated
    managed = prefix.parent.name == Path(stated.prefix).parent.name == "environments"
    return replace(stated, prefix=str(prefix), name=prefix.name if managed else None, key=None)
