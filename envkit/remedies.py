"""What mends an environment whose packages are wrong, as a plan for `apply`: `Problem.fix`.

A missing package, or one in another version, is installed as `plan(Spec(prefix=..., pypi=...))` would do it; a package whose files
are gone or were altered is put in again in its version, which no spec can say, so that the plan says it in its changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from . import changing, ecosystems, places, planning, plugins, records
from .errors import EnvkitError
from .models.packages import Changes, Package
from .models.plans import Plan, Step
from .models.specs import Spec
from .system.sites import site_packages

if TYPE_CHECKING:
    from .control import Work
    from .models.environment import Environment, Problem

_UNMET: Final = frozenset({"requirement-missing", "requirement-conflict"})
_BROKEN: Final = frozenset({"package-broken", "package-altered"})
REINSTALL: Final = "reinstall"
"""The action of the step that puts packages in again; `Plan.changes` says which."""


def plan_for(environment: Environment, requirements: str | Sequence[str], work: Work) -> Plan | None:
    """Return the plan by which requirements are met; None where `apply` could not carry it out.

    That is: in a plain interpreter, in a content-addressed or temporary environment, and where an interrupted change must be mended
    first.
    """
    prefix, host = environment.prefix, work.host
    marks = records.state_of(prefix, host)
    if not _may_change(environment, work) or marks.dirty is not None:
        return None
    spec = Spec(
        prefix=prefix,
        pypi=(requirements,) if isinstance(requirements, str) else tuple(requirements),
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


def plan_again(environment: Environment, names: Iterable[str], work: Work) -> Plan | None:
    """Return the plan by which packages are put in again in their versions; None where `apply` could not carry it out."""
    if not _may_change(environment, work) or records.state_of(environment.prefix, work.host).dirty is not None:
        return None
    there = {package.name: package for package in ecosystems.installed_in(environment, work.host)}
    found = [package for name in names if (package := there.get(name) or _lost(name, environment, work)) is not None]
    if not found:
        return None
    return Plan(
        spec=Spec(prefix=environment.prefix),
        steps=(Step(action=REINSTALL, text=f"install {', '.join(str(package).strip() for package in found)} anew"),),
        changes=Changes(updated=tuple((package, package) for package in found)),
        environment=environment,
    )


def _lost(name: str, environment: Environment, work: Work) -> Package | None:
    """Return a package whose own description is gone, as its directory is called; None where there is no such directory."""
    from .formats.dist_info import named_directory  # noqa: PLC0415 - nearly every package describes itself
    from .pypi.verification import dist_infos  # noqa: PLC0415 - as above

    for site in site_packages(environment, work.host):
        for directory, found in dist_infos(site):
            if found == name and (named := named_directory(directory)) is not None:
                return Package(name=name, version=named[1], ecosystem="pypi")
    return None


def with_fixes(environment: Environment, problems: Iterable[Problem], work: Work) -> list[Problem]:
    """Return problems of an environment and its packages, with the plan that mends it where there is one; in the same order."""
    found = list(problems)
    codes = {problem.code for problem in found}
    unmet: dict[str, tuple[str, ...]] = {}
    if codes & _UNMET:
        from .pypi.coherence import unmet_of  # noqa: PLC0415 - most environments are in order

        unmet = unmet_of(environment, work.host)
    known: dict[tuple[bool, str], Plan | None] = {}
    for number, problem in enumerate(found):
        if problem.fix is not None or problem.code not in _UNMET | _BROKEN:
            continue
        key = problem.code in _UNMET, problem.subject
        if key not in known:
            wanted = unmet.get(problem.subject, (problem.subject,))
            known[key] = plan_for(environment, wanted, work) if key[0] else plan_again(environment, (problem.subject,), work)
        if (fix := known[key]) is not None:
            found[number] = replace(problem, fix=fix)
    return found


def _may_change(environment: Environment, work: Work) -> bool:
    prefix, host = environment.prefix, work.host
    return environment.kind != "interpreter" and not places.is_stored(prefix, host) and not places.is_temporary(prefix, host)
