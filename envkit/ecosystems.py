"""Which backend and which package managers act on an environment.

A virtual environment has PyPI's packages. A conda environment has conda's, and PyPI's on top of them where it has a Python; what a
conda package brought is conda's, also where it looks like a distribution of PyPI.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from . import environments, plugins
from .match_specs import CONDA
from .models.packages import Changes

if TYPE_CHECKING:
    from .control import Work
    from .host import Host
    from .models.environment import Environment, Problem
    from .models.packages import Package
    from .protocols import Backend, PackageManager


def managers(environment: Environment) -> tuple[PackageManager, ...]:
    """Return the package managers of an environment, that of what lies below first; none where it can hold no packages."""
    found = [plugins.package_manager(CONDA)] if environment.kind == CONDA else []
    if environment.python is not None or environment.kind != CONDA:
        found.append(plugins.package_manager("pypi"))
    return tuple(found)


def backend_of(environment: Environment) -> Backend:
    """Return the backend that activates an environment: that of its kind; a plain interpreter is activated as a virtual environment is."""
    return plugins.backend(CONDA if environment.kind == CONDA else "venv")


def installed_in(environment: Environment, host: Host) -> tuple[Package, ...]:
    """Return what is installed in an environment, sorted by name; of what conda owns conda's word counts."""
    found = [package for manager in managers(environment) for package in manager.installed(environment, host)]
    if environment.kind == CONDA:
        owned = owned_by_conda(environment, host)
        found = [package for package in found if package.ecosystem == CONDA or package.name not in owned]
        found.sort(key=lambda package: (package.name, package.ecosystem))
    return tuple(found)


def owned_by_conda(environment: Environment, host: Host) -> frozenset[str]:
    """Return the normalized names of the distributions that conda packages brought; empty for what is no conda environment."""
    if environment.kind != CONDA:
        return frozenset()
    from .conda import inventory  # noqa: PLC0415 - only where there is conda

    return inventory.owned(environment.prefix, host)


def broken_in(environment: Environment, host: Host) -> list[tuple[PackageManager, Problem]]:
    """Return a problem for each package of which files are missing, with the manager that mends it."""
    owned = owned_by_conda(environment, host)
    return [
        (manager, problem)
        for manager in managers(environment)
        for problem in manager.broken(environment, host)
        if manager.ECOSYSTEM == CONDA or problem.subject not in owned
    ]


def refuse_frozen(environment: Environment) -> None:
    """Refuse to change a conda environment that is frozen, also by packages of PyPI.

    Raises:
        RefusedError: it is ("frozen").

    Source: CEP 22.
    """
    if environment.kind == CONDA:
        from .conda import bookkeeping  # noqa: PLC0415 - only where there is conda

        bookkeeping.refuse_frozen(environment.prefix)


def is_half_changed(environment: Environment) -> bool:
    """Say whether a change of conda packages was begun and neither finished nor taken back."""
    if environment.kind != CONDA:
        return False
    from .conda import bookkeeping  # noqa: PLC0415 - only where there is conda

    return bookkeeping.is_half_changed(environment.prefix)


def split(environment: Environment, names: Iterable[str], host: Host) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return which of some names are conda packages there, and which are to be looked for among PyPI's."""
    there = {package.name for package in installed_in(environment, host) if package.ecosystem == CONDA}
    conda = tuple(name for name in names if name.lower() in there)
    return conda, tuple(name for name in names if name.lower() not in there)


def as_it_is(environment: Environment, work: Work) -> Environment:
    """Return an environment as it is now, after conda has perhaps brought another Python; its half-made mark is no problem here."""
    found = environments.resolved(environment, work)
    return replace(found, problem=None) if found.problem is not None and found.problem.code == "half-made" else found


def joined(changes: Sequence[Changes]) -> Changes:
    """Return several changes as one."""
    return Changes(
        added=tuple(package for each in changes for package in each.added),
        removed=tuple(package for each in changes for package in each.removed),
        updated=tuple(pair for each in changes for pair in each.updated),
    )
