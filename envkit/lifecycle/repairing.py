"""repair: an environment whose Python was upgraded, moved or removed, or that was moved itself: mended in place, or built anew.

In place, where a Python of the minor version is there that its packages are for: its interpreter, `pyvenv.cfg`, scripts and RECORDs
are made true, packages whose files are missing are put in again. Built anew with the same packages where there is none.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .. import changing, environments, places, planning, plugins, records, venv
from ..changing import Wanted
from ..control import Control, Work, takes_control
from ..discovery import search
from ..errors import EnvkitError, InstallError, RefusedError
from ..formats import pyvenv_cfg
from ..match_specs import CONDA
from ..models.environment import Environment
from ..models.specs import Project, Spec
from ..planning import Observation
from ..system import files, sites
from ..system.look import Look
from ..venv import moving
from . import afterwards, building, footing, moved_kernels, observing, removal

if TYPE_CHECKING:
    from typing import Unpack

    from ..formats.ready_record import Record
    from ..models.aliases import Env
    from ..system.locks import Held

_OF_PLACE: Final = frozenset({"base-missing", "python-dangling", "python-missing", "base-changed", "moved", "config-unreadable", "shim"})
_OF_BASE: Final = frozenset(
    {"home", "include-system-site-packages", "version", "implementation", "executable", "prompt", "command"}
    | {"base-prefix", "base-exec-prefix", "base-executable", "version_info"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Patient:
    """What is there, under its lock. `stated` is its record, also where that names another place; `library` what its packages are for."""

    prefix: Path
    environment: Environment
    stated: Record | None
    dirty: bool
    keys: Mapping[str, str]
    library: footing.Library | None


@takes_control
def repair(env: Env, **control: Unpack[Control]) -> Environment:
    """Mend an environment and return it; one that is whole is returned as it is.

    Mended in place: its Python was upgraded, moved or installed anew in the same minor version; it was moved or copied itself;
    files of packages are missing; a change of packages was interrupted. Built anew at its place, with the same versions of the
    same packages: no Python of its minor version is there any more. Where those versions cannot be had for another Python, what was
    asked for is installed again in versions that can. When that fails too, what was there is there as before.

    A conda environment is always mended in place: packages are put in anew of which a file is missing or is not as it was installed,
    which takes reading every file, and where it was moved its files are made true for where it lies.

    Raises:
        NotFoundError: there is no such environment, or no Python that it could be built on.
        RefusedError: it is a plain interpreter; it is content-addressed, then `ensure` gives another one; it was never finished;
            or it would have to be built anew, was not made by envkit, and holds what no virtual environment has.
        InstallError, NetworkError: packages cannot be had again. BusyError: another process changes it.
    """
    work = Work.of(control)
    prefix = removal.prefix_meant(env, work)
    with records.locked(prefix, work) as lock:
        found = _repairable(prefix, work)
        if found.kind == CONDA:
            from . import conda_mending  # noqa: PLC0415 - the conda room is loaded where there is conda

            return conda_mending.repair(prefix, found, work, lock)
        return _repaired(_examined(prefix, found, work), work, lock)


def _repairable(prefix: Path, work: Work) -> Environment:
    """Return what is there if it can be repaired.

    Raises:
        RefusedError: it cannot.
    """
    found = search.identify(work.host, str(prefix), plugins.locators(work.host))
    if found is None or found.kind not in {"venv", CONDA}:
        raise RefusedError(f"{prefix} is no virtual and no conda environment", code="not-a-venv", hint="name the directory of one")
    if places.is_stored(prefix, work.host) or places.is_temporary(prefix, work.host):
        raise RefusedError(
            f"{prefix} is content-addressed or temporary, and so never changed",
            code="content-addressed",
            hint="ensure() builds another one",
        )
    state = records.state_of(prefix, work.host)
    if state.dirty is not None and state.dirty.doing == "create":
        raise RefusedError(f"making {prefix} was interrupted", code="half-made", hint="make it with ensure() or create()")
    return found


def _examined(prefix: Path, found: Environment, work: Work) -> _Patient:
    keys = pyvenv_cfg.load(Look(work.host).text(str(prefix / pyvenv_cfg.NAME), pyvenv_cfg.LIMIT) or "")
    return _Patient(
        prefix=prefix,
        environment=found,
        stated=records.stated_record(prefix, work.host),
        dirty=records.state_of(prefix, work.host).dirty is not None,
        keys=keys,
        library=footing.library_of(prefix, keys),
    )


def _repaired(patient: _Patient, work: Work, lock: Held) -> Environment:
    base = _base(patient, work)
    if base is None:
        return _built_anew(patient, work, lock)
    misplaced = _is_misplaced(patient, base)
    environment = replace(patient.environment, problem=None)
    broken = () if misplaced else plugins.package_manager("pypi").broken(environment, work.host)
    if not (misplaced or broken or patient.dirty):
        return patient.environment
    records.begin(patient.prefix, "change", work.host)
    if misplaced:
        with work.task("create", f"put {patient.prefix} on {base}"):
            _put_right(patient, base, work)
    record = _record_here(patient)
    _mend_packages(patient, record, work, lock)
    records.finish(patient.prefix, record, work.host)
    mended = building.identified(patient.prefix, work)
    if patient.stated is not None and patient.stated.prefix != str(patient.prefix):
        moved_kernels.follow(Path(patient.stated.prefix), mended, patient.stated.kernels, work)
    return mended


def _base(patient: _Patient, work: Work) -> Environment | None:
    """Return the Python that it can stand on without being built anew: its own, else the best of the same minor version."""
    problem = patient.environment.problem
    if problem is None or problem.code not in _OF_PLACE - {"moved"}:
        try:
            return environments.base_for(patient.prefix, work)
        except EnvkitError:
            work.check()
    return footing.same_minor(patient.library, patient.keys, work)


def _is_misplaced(patient: _Patient, base: Environment) -> bool:
    problem = patient.environment.problem
    if problem is not None and problem.code in _OF_PLACE:
        return True
    return pyvenv_cfg.python_version(patient.keys) not in {None, str(base.version)}  # upgraded in place


def _put_right(patient: _Patient, base: Environment, work: Work) -> None:
    """Write anew what names the Python and the place."""
    prefix, host = patient.prefix, work.host
    stated = patient.stated
    places = [] if stated is None or stated.prefix == str(prefix) else [stated.prefix, os.path.realpath(stated.prefix)]
    if (made_at := moving.origin_of(prefix, host)) is not None:
        places.append(made_at)
    others = {key: value for key, value in patient.keys.items() if key not in _OF_BASE}
    prompt = patient.keys.get("prompt", "").strip("'\"") or None
    try:
        venv.create(
            prefix,
            base=base,
            host=host,
            prompt=prompt,
            system_site_packages=patient.keys.get("include-system-site-packages", "").lower() == "true",
            variables={} if stated is None else stated.variables,
            again=True,
        )
        configuration = prefix / pyvenv_cfg.NAME
        ours = pyvenv_cfg.load(configuration.read_text("utf-8"))
        if "version_info" in patient.keys:  # what uv and virtualenv read
            others["version_info"] = ours["version"]
        if others:
            files.write_atomic(configuration, pyvenv_cfg.dump({**ours, **others}), mode=0o644)
        moving.move_in_place(prefix, dict.fromkeys(places), host)
    except OSError as error:
        raise files.machine_error(error, prefix) from error


def _record_here(patient: _Patient) -> Record | None:
    """Return the record as it is to be at this place; another tool's environment has none."""
    stated = patient.stated
    if stated is None or stated.prefix == str(patient.prefix):
        return stated
    managed = patient.prefix.parent.name == Path(stated.prefix).parent.name == "environments"
    name = stated.name if stated.name is not None and patient.prefix.name == stated.name.lower() else patient.prefix.name
    return replace(stated, prefix=str(patient.prefix), name=name if managed else None, key=None)


def _mend_packages(patient: _Patient, record: Record | None, work: Work, lock: Held) -> None:
    """Put in again packages whose files are missing, and what of the things asked for is missing altogether."""
    from ..pypi import mending  # noqa: PLC0415 - most repairs need no installer

    manager = plugins.package_manager("pypi")
    environment = building.identified_half_made(patient.prefix, work)
    sources = records.sources_of(record)
    broken = tuple(problem.subject for problem in manager.broken(environment, work.host))
    missing: tuple[str | Project, ...] = ()
    if broken:
        mending.repair_distributions(
            environment, broken, sources=sources, work=work, log=records.log_of(patient.prefix, work.host), descriptors=lock.descriptors
        )
    if record is not None and patient.dirty:
        asked = changing.checked([text for text in record.requested if not os.path.isabs(text)], work.host)
        missing = manager.unsatisfied(environment, asked, work.host)
    if missing:
        limits = () if record is None else record.constraints
        changing.put_unmarked(environment, Wanted(pypi=missing, sources=sources, constraints=limits), work, lock)
    if broken:
        changing.verify(environment, work.host)


def _built_anew(patient: _Patient, work: Work, lock: Held) -> Environment:
    """Build it at its place on another Python, with the same versions; else with what was asked for."""
    from ..pypi import mending  # noqa: PLC0415 - most repairs need no installer

    prefix, stated = patient.prefix, patient.stated
    _check_own(patient, work)
    pins = mending.again(sites.site_packages_below(str(prefix)))
    asked = () if stated is None else stated.requested
    spec = observing.checked_spec(_spec(patient, pins, work), work)
    seen = Observation(
        prefix=prefix,
        state="ready",
        environment=patient.environment,
        base=footing.another(None if stated is None else stated.python, work),
        mismatch="no Python of its version is there any more",
    )
    try:
        building.build(spec, seen, work, lock)
    except InstallError:
        if not asked:
            raise
        building.build(replace(spec, pypi=changing.checked(asked, work.host)), seen, work, lock)
    record = records.state_of(prefix, work.host).record
    if record is not None:
        requested = asked or tuple(map(planning.shown, pins))
        records.finish(prefix, replace(record, requested=requested, python=None if stated is None else stated.python), work.host)
    return building.identified(prefix, work)


def _check_own(patient: _Patient, work: Work) -> None:
    if patient.stated is not None and patient.stated.made:
        return
    strangers = plugins.backend("venv").strangers(patient.prefix, work.host)
    if strangers is None or strangers:
        raise RefusedError(
            f"{patient.prefix} would have to be built anew, and holds what no virtual environment has: {', '.join(strangers or ())}",
            code="foreign-files",
            hint="move that away first; nothing was changed",
        )


def _spec(patient: _Patient, pins: tuple[str | Project, ...], work: Work) -> Spec:
    stated = patient.stated
    name = stated.name if stated is not None else None
    managed = name is not None and records.managed_prefix(name, work.host) == patient.prefix
    return Spec(
        name=name if managed else None,
        prefix=None if managed else patient.prefix,
        pypi=pins,
        sources=records.sources_of(stated),
        variables={} if stated is None else stated.variables,
        post_install=afterwards.of_record(stated),
        system_site_packages=patient.keys.get("include-system-site-packages", "").lower() == "true",
    )
