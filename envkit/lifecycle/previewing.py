"""What a plan for a conda environment would change: the engine solves, links nothing, and says which packages and how many bytes."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .. import changing, match_specs, planning
from ..changing import Wanted
from ..models.plans import Plan, Step

if TYPE_CHECKING:
    from ..conda.configuration import Configuration
    from ..conda.request import Outcome
    from ..control import Work
    from ..models.specs import Spec
    from ..planning import Observation

DOWNLOAD: Final = "download"  # the action of a step that says how much there is to fetch; it is shown, and decides nothing


def previewed(planned: Plan, spec: Spec, seen: Observation, work: Work) -> Plan:
    """Return the plan with what conda would link and unlink, and how much it would fetch; a plan without conda as it is.

    For a new environment the plan also gets the lock of what was resolved, so that `apply` makes what was shown.

    Raises:
        InstallError: the channels have no such packages, or none that fit together. NetworkError: a channel cannot be reached.
    """
    build = seen.state in {"absent", "half-made"} or seen.mismatch is not None
    conda = planning.conda_in(spec, seen) if build else seen.conda
    if not planned or spec.backend != match_specs.CONDA or not conda or spec.lock is not None:
        return planned
    from ..conda import locks, transaction  # noqa: PLC0415 - only where there is conda
    from ..conda.platforms import subdir_of  # noqa: PLC0415 - as above

    with work.task("resolve", f"solve for {seen.prefix}"):
        outcome, configuration = _solved(spec, seen, conda, build=build, work=work)
    lock = None
    if build:
        channels = [channel.url for channel in configuration.channels]
        lock = locks.resolved_lock({subdir_of(work.host): outcome.after}, channels, several=False)
    fetch = Step(action=DOWNLOAD, text=f"fetch {outcome.download / 1e6:.1f} MB of {len(outcome.linked)} packages")
    return replace(planned, steps=(*planned.steps, fetch), changes=transaction.changes_of(outcome), lock=lock)


def _solved(spec: Spec, seen: Observation, conda: tuple[str, ...], *, build: bool, work: Work) -> tuple[Outcome, Configuration]:
    from ..conda.configuration import read  # noqa: PLC0415 - only where there is conda
    from ..conda.engines import engine  # noqa: PLC0415 - as above
    from ..conda.request import Wish  # noqa: PLC0415 - as above

    channels = spec.channels
    if not build and seen.environment is not None:
        channels = changing.channels_of(seen.environment, Wanted(channels=spec.channels), work)
    configuration = read(work.host, prefix=seen.prefix, channels=channels, offline=work.offline)
    with tempfile.TemporaryDirectory(prefix="envkit-plan-") as scratch:
        prefix = Path(scratch) / "prefix" if build else seen.prefix
        wish = Wish(prefix=prefix, create=build, install=conda, exclude_newer=spec.sources.exclude_newer, dry_run=True)
        return engine(configuration, work.host).carry_out(wish, configuration, work=work), configuration


def steps_done(plan: Plan) -> tuple[Step, ...]:
    """Return the steps of a plan that do something, by which two plans are held against each other."""
    return tuple(step for step in plan.steps if step.action != DOWNLOAD)
