"""clone: an environment once more at another place, its files linked where that can be, its scripts made true there."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from .. import environments, places, records, venv
from ..control import Control, Work, takes_control
from ..errors import InstallError, RefusedError, UsageError
from ..formats import pyvenv_cfg
from ..formats.ready_record import Record
from ..locking import exactness
from ..match_specs import CONDA
from ..models.environment import Environment
from ..models.specs import Spec
from ..planning import Observation
from ..system import files
from ..system.look import Look
from ..venv import moving
from . import building, making, observing, place

if TYPE_CHECKING:
    from typing import Unpack

    from ..host import Host
    from ..models.aliases import Env, StrPath


@takes_control
def clone(env: Env, where: StrPath, **control: Unpack[Control]) -> Environment:
    """Make a copy of an environment that runs from its new place, scripts included, and return it.

    Files of packages are reflinked, else hard-linked, else copied: an installer replaces files, so what is done in one does not
    reach the other; who edits a file of a hard-linked package in place edits it in both. Kernels are not copied.

    Args:
        env: a virtual or conda environment, whoever made it; also a content-addressed or frozen one.
        where: the name of a managed environment, or a path.

    Raises:
        NotFoundError: there is no such environment. ExistsError: something is at `where`. UsageError: `where` lies inside of it.
        RefusedError: it is broken, temporary, or a plain interpreter. InstallError: files of its packages are missing, or the new
            place is too long for a file of conda's that names it.
        MachineError: the place cannot be written. BusyError: another process changes one of the two.
    """
    work = Work.of(control)
    source = clonable(environments.resolved(env, work), work.host)
    as_path = environments.is_path(where, work)
    given = Spec(name=None if as_path else str(where), prefix=Path(where) if as_path else None)
    spec = observing.checked_spec(given, work)
    prefix = records.prefix_of(spec, work.host)
    making.refuse_existing(spec, observing.observe_place(spec, work))
    _refuse_inside(prefix, source.prefix)
    with ExitStack() as held:
        for place in sorted((prefix, source.prefix), key=lambda place: str(records.lock_file(place, work.host))):
            held.enter_context(records.locked(place, work))  # in one order, so that two clones cannot wait for each other
        seen = observing.observe_place(spec, work)
        making.refuse_existing(spec, seen)
        source = clonable(environments.resolved(source.prefix, work), work.host)
        if source.kind == CONDA:
            from . import conda_mending  # noqa: PLC0415 - the conda room is loaded where there is conda

            return conda_mending.clone(source, spec, seen, work)
        return _clone(source, spec, seen, work)


def _refuse_inside(prefix: Path, source: Path) -> None:
    """Refuse a place inside of what is copied: the copy would hold a part of itself."""
    if Path(os.path.realpath(prefix)).is_relative_to(os.path.realpath(source)):
        raise UsageError(f"{prefix} lies inside of {source}, which is to be copied there", code="path", hint="choose another place")


def clonable(environment: Environment, host: Host) -> Environment:
    """Return the environment if it can be copied.

    Raises:
        RefusedError: it cannot, and why.
    """
    if environment.kind not in {"venv", CONDA}:
        raise RefusedError(
            f"{environment} is no virtual and no conda environment",
            code="not-a-venv",
            hint="make one on this Python with create(..., python=...)",
        )
    if places.is_temporary(environment.prefix, host):
        raise RefusedError(
            f"{environment} is temporary: what it shows is no part of it", code="temporary", hint="use ensure() with its spec"
        )
    problem = environment.problem
    if problem is not None:
        raise RefusedError(f"{environment} is broken: {problem.message}", code=problem.code, hint="repair() it first")
    return environment


def _clone(source: Environment, spec: Spec, seen: Observation, work: Work) -> Environment:
    prefix, host = seen.prefix, work.host
    record = records.state_of(source.prefix, host).record or Record(prefix=str(source.prefix))
    keys = pyvenv_cfg.load(Look(host).text(str(source.prefix / pyvenv_cfg.NAME), pyvenv_cfg.LIMIT) or "")
    system = keys.get("include-system-site-packages", "").lower() == "true"
    with place.replacing(seen), place.fresh(prefix), work.task("create", f"clone {source.prefix} to {prefix}"):
        with records.inner_locked(source.prefix, work):
            _put(source, prefix, spec.name, record, host, system_site_packages=system)
        if (lock := exactness.kept_lock(source.prefix, host)) is not None:
            exactness.keep_lock(prefix, lock, host)
        made = replace(
            records.new_record(prefix, spec, record.requested, host),
            constraints=record.constraints,
            variables=record.variables,
            seed=record.seed,
            python=record.python,
            sources=record.sources,
            post_install=record.post_install,
            system_site_packages=system,
        )
        records.finish(prefix, made, host, durable=False)  # asking the disk would wait for all that others write, longer than this took
    return building.identified(prefix, work)


def _put(source: Environment, prefix: Path, name: str | None, record: Record, host: Host, *, system_site_packages: bool) -> None:
    """Make an empty environment on the same Python, and put all that is in the source beside it."""
    try:
        venv.create(prefix, base=source, host=host, prompt=name, system_site_packages=system_site_packages, variables=record.variables)
        missing = moving.put_beside(source.prefix, prefix, host)
    except OSError as error:
        raise files.machine_error(error, prefix) from error
    if missing is not None:
        raise InstallError(f"files of packages are missing in {source.prefix}: {missing}", code="incomplete", hint="repair() it first")
