"""The pure planner: what a spec asks for and what was observed in, the steps from one to the other out. It touches nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from . import match_specs
from .errors import ExistsError, RefusedError
from .models.environment import Environment
from .models.plans import Plan, Step
from .models.specs import Project, Spec

_REQUIRES = re.compile(r"""^requires-python\s*=\s*["']([^"']+)["']\s*(?:#.*)?$""", re.MULTILINE)
State = Literal["absent", "ready", "half-made", "damaged", "foreign", "occupied"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What is there where a spec wants its environment.

    state: absent (nothing, or an empty directory), ready (ours and whole), half-made (ours, its creation was interrupted), damaged
    (ours, a change of its packages was interrupted), foreign (another tool's environment), occupied (something else).
    base: the Python that a new one would be built on. unsatisfied: requirements of the spec that are not met.
    mismatch: why what is there can never be what the spec says. remembered: what was asked for before, for a rebuild.
    conda: match specs of the spec that are not met. surplus: packages that are installed and not in the spec's lock.
    locked: what the spec's lock says for the base; None where that is not known yet.
    fetch: uv has to fetch the base first.
    commands: those of the spec's `post_install` that did not run there yet; in what is built all of them run.
    marked: it is half made by its dirty mark, which goes when it is finished.
    """

    prefix: Path
    state: State
    environment: Environment | None = None
    base: Environment | None = None
    unsatisfied: tuple[str | Project, ...] = ()
    conda: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    mismatch: str | None = None
    remembered: tuple[str, ...] = ()
    remembered_conda: tuple[str, ...] = ()
    differing: tuple[str, ...] = ()
    surplus: tuple[str, ...] = ()
    locked: tuple[str, ...] | None = None
    fetch: bool = False
    commands: tuple[tuple[str, ...], ...] = ()
    marked: bool = False


def steps_to(spec: Spec, seen: Observation, *, key: str | None = None) -> Plan:
    """Return the plan that makes what was observed what the spec says; it is False when that is the case already.

    Args:
        key: of the environment, where it is content-addressed.

    Raises:
        ExistsError: something that is no environment lies there.
        RefusedError: another tool's environment lies there and would have to be built anew.
    """
    if seen.state == "occupied":
        raise ExistsError(
            f"{seen.prefix} exists and is not an environment",
            code="not-an-environment",
            hint="choose another place, or move what lies there away",
        )
    if seen.state == "foreign" and (seen.mismatch or spec.variables or spec.post_install):
        kept = "variables" if spec.variables else "what post_install ran"
        why = seen.mismatch or f"{kept} can be remembered only in an environment that envkit made"
        raise RefusedError(
            f"{seen.prefix} was made by another tool, and {why}",
            code="foreign-environment",
            hint="choose another place, or remove it with remove(..., foreign=True) first",
        )
    steps: list[Step] = []
    build = seen.state in {"absent", "half-made"} or seen.mismatch is not None
    if build and seen.fetch:
        steps.append(Step(action="fetch", text=f"let uv install Python {spec.python or '(the newest)'}"))
    if build:
        steps.extend(_build_steps(seen))
    elif seen.state == "damaged":
        names = ", ".join(seen.broken)
        steps.append(
            Step(action="mend", text=f"mend {names}, whose change was interrupted" if names else "take up a change that was interrupted")
        )
    elif seen.differing:
        steps.append(Step(action="record", text=f"record {', '.join(seen.differing)}"))
    if build and spec.lock is not None:
        locked = map(str, spec.lock.packages) if seen.locked is None else seen.locked
        steps.append(Step(action="install", text=f"install what the lock says: {', '.join(locked) or 'nothing'}"))
    else:
        if conda := conda_in(spec, seen) if build else seen.conda:
            steps.append(Step(action="install", text=f"install with conda {', '.join(conda)}"))
        if wanted := wanted_in(spec, seen) if build else seen.unsatisfied:
            steps.append(Step(action="install", text=f"install {', '.join(map(shown, wanted))}"))
    if seen.surplus and not build:
        steps.append(Step(action="remove", text=f"uninstall {', '.join(seen.surplus)}, not in the lock"))
    if commands := spec.post_install if build else seen.commands:
        from .system.secrets import masked  # noqa: PLC0415 - few specs have commands

        steps.extend(Step(action="run", text=f"run {masked(' '.join(command))}") for command in commands)
    return Plan(spec=spec, steps=tuple(steps), environment=seen.environment, key=key)


def _build_steps(seen: Observation) -> list[Step]:
    on = f" on {seen.base}" if seen.base else ""
    if seen.state == "absent":
        return [Step(action="create", text=f"create {seen.prefix}{on}")]
    why = seen.mismatch or "its creation was interrupted"
    return [Step(action="rebuild", text=f"build {seen.prefix} anew{on}: {why}")]


def wanted_in(spec: Spec, seen: Observation) -> tuple[str | Project, ...]:
    """Return what a new environment gets: what the spec says, and, unless a lock says it exactly, what was asked for before."""
    if spec.lock is not None:
        return spec.pypi
    asked = {_key(requirement) for requirement in spec.pypi}
    before = [requirement for requirement in seen.remembered if _key(requirement) not in asked]
    seed = ["pip"] if spec.seed == "pip" and spec.backend != match_specs.CONDA and not {"pip"} & {*asked, *map(_key, before)} else []
    return (*seed, *spec.pypi, *before)


def conda_in(spec: Spec, seen: Observation) -> tuple[str, ...]:
    """Return what a new environment gets of conda: what the spec says, and, unless a lock says it exactly, what was asked for before."""
    if spec.backend != match_specs.CONDA:
        return ()
    wanted = match_specs.wanted(spec)
    if spec.lock is not None:
        return wanted
    asked = set(map(match_specs.name_of, wanted))
    return (*wanted, *(text for text in seen.remembered_conda if match_specs.name_of(text) not in asked))


def python_of(spec: Spec) -> str | None:
    """Return which Python a spec wants: as it says, else as its lock says, which is read no further than its head."""
    if spec.python is not None or spec.lock is None or spec.lock.format != "pylock.toml":
        return spec.python
    head = spec.lock.text.partition("[[packages]]")[0]
    found = _REQUIRES.search(head)
    return None if found is None else found[1]


def shown(requirement: str | Project) -> str:
    """Return a requirement as people read it."""
    return requirement if isinstance(requirement, str) else str(requirement.path)


def _key(requirement: str | Project) -> str:
    """Return the normalized name of a requirement, or its whole text where it has none: enough to see that two ask for the same."""
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415 - looking does without the planner
    from packaging.utils import canonicalize_name  # noqa: PLC0415 - as above

    try:
        return canonicalize_name(Requirement(shown(requirement)).name)
    except InvalidRequirement:
        return shown(requirement)
