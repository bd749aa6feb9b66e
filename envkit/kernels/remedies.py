"""The plan that puts a missing package into an environment, as `plan(Spec(prefix=..., pypi=...))` would give it; for `apply`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import changing, places, planning, plugins, records
from ..errors import EnvkitError
from ..models.plans import Plan, Spec

if TYPE_CHECKING:
    from ..control import Work
    from ..models.environment import Environment


def plan_for(environment: Environment, requirement: str, work: Work) -> Plan | None:
    """Return the plan by which a requirement is met; None where `apply` could not carry it out.

    That is: in a plain interpreter, in a content-addressed or temporary environment, and where an interrupted change must be mended
    first.
    """
    prefix, host = environment.prefix, work.host
    if environment.kind == "interpreter" or places.is_stored(prefix, host) or places.is_temporary(prefix, host):
        return None
    marks = records.state_of(prefix, host)
    if marks.dirty is not None:
        return None
    spec = Spec(
        prefix=prefix,
        pypi=(requirement,),
        system_site_packages=marks.record is not None and marks.record.system_site_packages,
    )
    try:
        wanted = changing.checked(spec.pypi, host)
        missing = plugins.package_manager("pypi").unsatisfied(environment, wanted, host)
        seen = planning.Observation(
            prefix=prefix, state="ready" if marks.ready else "foreign", environment=environment, unsatisfied=missing
        )
        return planning.steps_to(spec, seen) or None
    except EnvkitError:
        return None
