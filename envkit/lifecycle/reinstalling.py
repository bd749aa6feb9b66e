"""Put packages in again, as a plan of `check` says: their files were gone or altered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import changing, environments, records, remedies
from ..errors import RefusedError
from . import building

if TYPE_CHECKING:
    from ..control import Work
    from ..models.environment import Environment
    from ..models.plans import Plan
    from ..models.specs import Spec


def is_one(plan: Plan) -> bool:
    """Say whether a plan puts packages in again."""
    return any(step.action == remedies.REINSTALL for step in plan.steps)


def carry_out(plan: Plan, spec: Spec, work: Work) -> Environment:
    """Put the packages of a plan in again, each in the version that it has, and return the environment.

    Args:
        spec: that of the plan, checked.

    Raises:
        RefusedError: what is installed changed since ("plan-stale"). InstallError, NetworkError: a package cannot be had again.
    """
    prefix = records.prefix_of(spec, work.host)
    packages = tuple(before for before, _ in plan.changes.updated)
    pypi, conda = (tuple(package.name for package in packages if package.ecosystem == which) for which in ("pypi", "conda"))
    with records.locked(prefix, work) as lock:
        environment = environments.resolved(prefix, work)
        now = remedies.plan_again(environment, (*pypi, *conda), work)
        if now is None or now.changes != plan.changes:
            raise RefusedError(
                "what is installed there changed since the plan was made",
                code="plan-stale",
                hint="look at it anew with check(), and apply the fix that it gives now",
            )
        record = records.state_of(prefix, work.host).record
        with changing.changing(environment, work):
            changing.mend(environment, (pypi, conda), records.sources_of(record), work, lock)
    return building.identified(prefix, work)
