"""Do the installed packages fit together? What each asks for held against what is there, as `pip check` does, without a process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from ..formats.dist_info import normalized
from ..models.environment import Problem
from .markers import full_version
from .satisfaction import Target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..host import Host
    from ..models.environment import Environment
    from .inventory import Distribution


def conflicts_of(env: Environment, host: Host) -> tuple[Problem, ...]:
    """Return a problem for each requirement that is not satisfied, sorted by package; see `envkit.pypi.conflicts`."""
    target = Target(env, host)
    exact = full_version(env, host) if env.version is not None and len(env.version.release) > 2 else None
    found: list[Problem] = []
    for name, distribution in sorted(target.installed.items()):
        if exact is not None and (problem := _of_python(name, distribution, exact)) is not None:
            found.append(problem)
        found.extend(_of_requirements(name, distribution, target))
    return tuple(found)


def unmet_of(env: Environment, host: Host) -> dict[str, tuple[str, ...]]:
    """Return what to install so that what packages need is there, by the package that lacks it.

    Returns:
        A requirement for each thing that is missing or does not fit, with what all installed packages say of its version.
    """
    target = Target(env, host)
    needs = {name: list(_needs(distribution, target)) for name, distribution in target.installed.items()}
    said: dict[str, list[Requirement]] = {}
    for requirement in (requirement for those in needs.values() for requirement in those):
        said.setdefault(normalized(requirement.name), []).append(requirement)
    found: dict[str, tuple[str, ...]] = {}
    for name, those in sorted(needs.items()):
        lacking = {normalized(each.name) for each in those if not target.satisfies(str(each))}
        if lacking:
            found[name] = tuple(_together(said[other]) for other in sorted(lacking))
    return found


def _together(requirements: list[Requirement]) -> str:
    """Return several requirements of one package as one."""
    first = requirements[0]
    extras = sorted({extra for requirement in requirements for extra in requirement.extras})
    limits = sorted({str(limit) for requirement in requirements for limit in requirement.specifier})
    asked = f"[{','.join(extras)}]" if extras else ""
    return f"{first.name}{asked}{','.join(limits)}"


def _needs(distribution: Distribution, target: Target) -> Iterator[Requirement]:
    """Yield what a package needs here; what it needs for its extras is not asked."""
    for text in dict.fromkeys(distribution.metadata.requires):
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue  # no installer can act on it
        requirement.url = None  # from where it came is its installer's business
        if target.applies(requirement):
            requirement.marker = None
            yield requirement


def _of_python(name: str, distribution: Distribution, version: str) -> Problem | None:
    """Return a problem when a package says that it is not made for this Python."""
    stated = distribution.metadata.requires_python
    try:
        fits = not stated or SpecifierSet(stated).contains(version, prereleases=True)
    except InvalidSpecifier:
        return None  # installers take what they cannot read for nothing, too
    if fits:
        return None
    return Problem(
        code="python-unsupported",
        message=f"{distribution.metadata.version} needs Python {stated}, and this is {version}",
        hint=f"install another version of {name}, or make the environment on such a Python",
        subject=name,
    )


def _of_requirements(name: str, distribution: Distribution, target: Target) -> Iterator[Problem]:
    """Yield a problem for each thing that a package needs and that is not there."""
    for requirement in _needs(distribution, target):
        if target.satisfies(str(requirement)):
            continue
        wanted = f"{requirement.name}{_extras(requirement)}{requirement.specifier}"
        there = target.installed.get(normalized(requirement.name))
        if there is None or requirement.specifier.contains(there.metadata.version, prereleases=True):
            what = "is not installed" if there is None else "is installed without what the extra needs"
            yield Problem(code="requirement-missing", message=f"needs {wanted}, which {what}", hint=f"install {wanted}", subject=name)
        else:
            message = f"needs {wanted}, and {there.metadata.version} is installed"
            yield Problem(
                code="requirement-conflict", message=message, hint=f"install {wanted}, or another version of {name}", subject=name
            )


def _extras(requirement: Requirement) -> str:
    return f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
