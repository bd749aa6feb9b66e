"""Content-addressed environments: built once at their final path, never changed once ready, found again by what went into them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import addressing, environments, places, planning, records
from ..errors import NotFoundError
from ..locking import exactness
from ..models.plans import Plan
from ..models.specs import Spec
from ..planning import Observation
from ..system import files
from . import building, previewing

if TYPE_CHECKING:
    from ..control import Work
    from ..models.environment import Environment


def planned(spec: Spec, work: Work, *, anew: bool = True, fetch: bool = False) -> tuple[Plan, Observation]:
    """Return the plan for a checked spec without name and prefix, and what was seen; the plan's `key` is that of the environment.

    Args:
        anew: choose the base Python anew, which a plan that is to be carried out needs.
        fetch: let uv fetch the base Python, where the spec allows it and none is there.

    Raises:
        NotFoundError: no Python satisfies it.
    """
    sources = spec.sources if fetch else None
    found = addressing.address(spec, work, lambda python: environments.base_for(python, work, sources), anew=anew, checked=True)
    seen = _observed(spec, found, work)
    return planning.steps_to(spec, seen, key=found.key), seen


def shown(spec: Spec, work: Work) -> Plan:
    """Return the plan as it is shown, without doing anything of it; one that begins with fetching a Python cannot know the key yet.

    Raises:
        NotFoundError: no Python satisfies the spec, and none may be fetched.
    """
    try:
        plan, seen = planned(spec, work)
        return previewing.previewed(plan, spec, seen, work)
    except NotFoundError as error:
        if spec.sources.pythons != "uv" or error.code != "python-not-found":
            raise
    place = places.store_directory(work.host, "environments")
    return planning.steps_to(spec, Observation(prefix=place, state="absent", fetch=True))


def _observed(spec: Spec, found: addressing.Address, work: Work) -> Observation:
    environment = environments.whole(found.key, work)
    if environment is not None:
        return Observation(prefix=environment.prefix, state="ready", environment=environment)
    place = addressing.free(found.key, work.host)
    locked = None if found.base is None else exactness.locked_for(spec, found.base, work.host)
    return Observation(prefix=place, state="half-made" if place.exists() else "absent", base=found.base, locked=locked)


def ensured(spec: Spec, work: Work) -> tuple[Environment, Plan]:
    """Return the environment of a checked spec, built if it is not there, and the plan that was carried out.

    Any number of callers at once get one build. What somebody edited is left to `prune`; a successor is built beside it.
    """
    plan, seen = planned(spec, work, anew=False, fetch=True)
    if not plan and seen.environment is not None:
        places.note_use(seen.prefix, work.host)
        return seen.environment, plan
    files.private_directory(places.store_directory(work.host, "environments"))
    while True:
        key = str(plan.key)
        with records.locked(addressing.first(key, work.host), work) as lock:
            plan, seen = planned(spec, work, fetch=True)
            if not plan and seen.environment is not None:
                return seen.environment, plan
            if plan.key == key:
                return building.carry_out(spec, seen, work, lock, key=key), plan  # else another Python is the one to choose now
