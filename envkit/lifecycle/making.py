"""create, ensure, plan, apply: `ensure(spec)` is `apply(plan(spec))` under one lock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from .. import environments, match_specs, places, planning, records
from ..control import Control, Work, takes_control
from ..errors import ExistsError, RefusedError, UsageError
from ..models.environment import Environment
from ..models.plans import Plan
from ..models.specs import Spec
from . import addressed, building, observing, previewing, reinstalling, removal

if TYPE_CHECKING:
    from typing import Unpack

    from ..models.aliases import StrPath
    from ..models.requirement import Req


@takes_control
def create(
    where: StrPath | Spec,
    *,
    python: StrPath | Environment | None = None,
    pypi: Iterable[Req] = (),
    conda: Iterable[str] = (),
    channels: Iterable[str] = (),
    backend: str = "auto",
    on_exists: Literal["error", "replace"] = "error",
    **control: Unpack[Control],
) -> Environment:
    """Make a new environment and return it. Nothing of it is left behind when that fails.

    Args:
        where: the name of a managed environment, a path, or a Spec that says all the rest.
        python: a request ("3.12", ">=3.11"), a path, a name or an Environment; None for the newest stable Python of the machine.
        pypi: packages of PyPI to install.
        conda: match specs ("numpy>=2", "r-base") of conda packages; then a conda environment is made, which brings its own Python if
            one is asked for, by `python`, by a package or by what lies on top from PyPI.
        channels: where conda packages come from, by name, URL or path; the machine's configuration of conda if none is named.
        backend: "venv", "conda", a plug-in's, or "auto": conda if conda packages or channels are asked for, else venv.
        on_exists: "replace" builds an environment that is there anew, if envkit made it. One that was left half made is always
            built anew.

    Raises:
        ExistsError: something is there. UsageError: a name, request or requirement is not allowed.
        NotFoundError: no Python satisfies the request. InstallError, NetworkError: the packages cannot be had.
        MachineError: the place cannot be written. BusyError: another process is making it.
    """
    work = Work.of(control)
    asked = observing.several(pypi=pypi, conda=conda, channels=channels)
    if on_exists not in ("error", "replace"):
        raise UsageError(f"on_exists is {on_exists!r}", code="on-exists", hint='give "error" or "replace"')
    spec = observing.checked_spec(observing.spec_from(where, python, asked, backend, work), work)
    prefix = records.prefix_of(spec, work.host)
    if on_exists == "error":  # said before any lock is waited for, and again once it is held
        refuse_existing(spec, observing.observe_place(spec, work))
    with records.locked(prefix, work) as lock:
        there = observing.observe_place(spec, work)
        if on_exists == "error":
            refuse_existing(spec, there)
        elif there.state not in {"absent", "half-made"}:
            removal.check(prefix, work)
            there = replace(there, mismatch="it is to be replaced", remembered=(), remembered_conda=())
        base = None if spec.backend == match_specs.CONDA else environments.base_for(spec.python, work, spec.sources)
        seen = replace(there, base=base)
        return building.carry_out(spec, seen, work, lock)


def refuse_existing(spec: Spec, seen: planning.Observation) -> None:
    """Refuse a place where something is already.

    Raises:
        ExistsError: something is there.
    """
    if seen.state not in {"absent", "half-made"}:
        what = f"the environment {spec.name!r}" if spec.name else str(seen.prefix)
        if seen.state == "occupied":
            raise ExistsError(
                f"{what} exists and is not an environment",
                code="not-an-environment",
                hint="choose another place, or move what lies there away",
            )
        raise ExistsError(
            f"{what} exists already",
            code="environment-exists",
            hint='use ensure() to get it as it should be, or on_exists="replace" to build it anew',
        )


@takes_control
def ensure(spec: Spec, **control: Unpack[Control]) -> Environment:
    """Make an environment what a spec says, and return it. A second call finds nothing to do.

    What is missing is installed, what was left half made is built anew, what was interrupted is mended, a Python that does not fit
    is replaced by building anew (with all that was asked for before). Any number of callers at once get one build.

    A spec with neither name nor prefix gives a content-addressed environment: found again by all that went into it, never changed
    once it is ready, kept until `prune`. One that somebody edited is left alone, and another one built beside it.

    Raises:
        As `create`; and RefusedError where another tool's environment would have to be built anew.
    """
    return ensured(spec, Work.of(control))[0]


def ensured(spec: Spec, work: Work) -> tuple[Environment, Plan]:
    """Return the environment of a spec, made or changed as needed, and the plan that was carried out."""
    spec = observing.checked_spec(spec, work)
    if places.is_addressed(spec):
        return addressed.ensured(spec, work)
    prefix = records.prefix_of(spec, work.host)
    there = observing.observe_place(spec, work)  # most often all is there: no lock, no search for a Python
    planned = planning.steps_to(spec, there)
    if not planned and there.environment is not None:
        return there.environment, planned
    with records.locked(prefix, work) as lock:
        seen = observing.observe(spec, work)
        planned = planning.steps_to(spec, seen)
        if not planned and seen.environment is not None:
            return seen.environment, planned
        return building.carry_out(spec, observing.fetched(spec, seen, work), work, lock), planned


@takes_control
def plan(spec: Spec, **control: Unpack[Control]) -> Plan:
    """Return the steps from what is there to what a spec says, without doing any; false when there is nothing to do.

    The plan for a spec with neither name nor prefix has the `key` under which its environment is found again. A plan with conda
    packages says which would come and go, in `changes`, and how much has to be fetched.

    Raises:
        UsageError: the spec is not allowed. NotFoundError: no Python satisfies it.
        ExistsError: something that is no environment lies there. RefusedError: another tool's environment is in the way.
    """
    work = Work.of(control)
    spec = observing.checked_spec(spec, work)
    if places.is_addressed(spec):
        return addressed.shown(spec, work)
    seen = observing.observe(spec, work)
    return previewing.previewed(planning.steps_to(spec, seen), spec, seen, work)


@takes_control
def apply(plan: Plan, **control: Unpack[Control]) -> Environment:
    """Carry out a plan as it was shown, and return the environment.

    Raises:
        RefusedError: what is there changed since, so that other steps would be needed ("plan-stale").
        UsageError: the plan has no spec. Else as `ensure`.
    """
    work = Work.of(control)
    if plan.spec is None:
        raise UsageError("the plan has no spec", code="plan", hint="make one with plan(spec)")
    spec = observing.checked_spec(plan.spec, work)
    if places.is_addressed(spec):
        if addressed.shown(spec, work).key != plan.key:
            raise _stale("another Python or other files would be taken now")
        return addressed.ensured(spec, work)[0]
    if reinstalling.is_one(plan):
        return reinstalling.carry_out(plan, spec, work)
    with records.locked(records.prefix_of(spec, work.host), work) as lock:
        seen = observing.observe(spec, work)
        now = planning.steps_to(spec, seen)
        if now.steps != previewing.steps_done(plan):
            raise _stale("what is there changed since the plan was made")
        if not now and seen.environment is not None:
            return seen.environment
        return building.carry_out(spec, observing.fetched(spec, seen, work), work, lock, exactly=plan.lock)


def _stale(why: str) -> RefusedError:
    return RefusedError(why, code="plan-stale", hint="make the plan anew with plan(spec), look at it, and apply that")
