"""A lock and an environment: is the lock still what its spec asks for, what is not as it says, and making it so, exactly."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .. import match_specs, plugins, records
from ..changing import inner_lock, named
from ..errors import RefusedError
from ..formats import pylock
from ..models.packages import Package
from ..models.specs import Lock, Project, Spec
from ..system import files

if TYPE_CHECKING:
    from ..control import Work
    from ..host import Host
    from ..models.environment import Environment
    from ..system.locks import Held

LOCK_NAME: Final = "pylock.toml"  # kept among the marks of an environment that was made from a lock


def check_fresh(spec: Spec) -> None:
    """Refuse a lock that is not, or no longer, what the rest of its spec asks for; the text says what changed.

    Raises:
        RefusedError: it is stale ("lock-stale"). UsageError, CorruptError: it is no lock for such an environment, or cannot be read.
    """
    if spec.lock is None:
        return
    if match_specs.is_locked(spec):
        from . import conda_resolving  # noqa: PLC0415 - only where there is conda

        conda_resolving.check_fresh(spec)
        return
    from ..pypi import locks  # noqa: PLC0415 - a spec without lock does without it

    said = locks.read_lock(spec.lock)
    if changes := _changed(spec, said):
        raise RefusedError(
            f"the lock is stale: {'; '.join(changes)}",
            code="lock-stale",
            hint="make it anew with lock(spec), or take pypi= out of the spec",
        )


def _changed(spec: Spec, said: pylock.Pylock) -> list[str]:
    """Return what the spec asks for and the lock does not give, and what the lock was made for and is asked for no more."""
    noted = said.inputs.requirements if said.inputs is not None else ()
    before = {named(text): text for text in noted}
    asked = {named(requirement): shown(requirement) for requirement in spec.pypi}
    changes: list[str] = []
    for name, text in asked.items():
        if text not in noted and not _gives(said, text):
            changes.append(f"{text!r} was {before[name]!r}" if name in before else f"{text!r} is new")
    if asked:
        changes += [f"{text!r} is asked for no more" for name, text in before.items() if name not in asked]
    limits = said.inputs.constraints if said.inputs is not None else ()
    changes += [f"the constraint {text!r} is not kept" for text in spec.constraints if text not in limits and not _keeps(said, text)]
    return changes


def _gives(said: pylock.Pylock, text: str) -> bool:
    """Say whether a lock has what a requirement asks for, as far as the lock alone can tell: not for extras, nor for URLs."""
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415 - a spec without lock does without it

    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        return False
    found = [package for package in said.packages if package.name == requirement.name]
    if not found:
        return requirement.marker is not None and not requirement.marker.evaluate()
    if requirement.extras or requirement.url:
        return False
    return all(package.version is not None and requirement.specifier.contains(package.version, prereleases=True) for package in found)


def _keeps(said: pylock.Pylock, text: str) -> bool:
    from packaging.requirements import Requirement  # noqa: PLC0415 - a spec without lock does without it

    requirement = Requirement(text)
    return not any(package.name == requirement.name for package in said.packages) or _gives(said, text)


def kept_lock(prefix: Path, host: Host) -> Lock | None:
    """Return the lock that an environment was made from, as it is kept among its marks; None where there is none that can be read."""
    try:
        with open(records.marks_of(prefix, host) / LOCK_NAME, encoding="utf-8") as stream:
            text = stream.read(pylock.LIMIT + 1)
        return as_lock(text)
    except (OSError, ValueError):
        return None


def keep_lock(prefix: Path, lock: Lock, host: Host) -> None:
    """Keep the lock that an environment was made from among its marks.

    Raises:
        MachineError: it cannot be written.
    """
    marks = records.marks_of(prefix, host)
    try:
        files.write_atomic(files.private_directory(marks) / LOCK_NAME, lock.text)
    except OSError as error:
        raise files.machine_error(error, marks) from error


def locked_for(spec: Spec, base: Environment, host: Host) -> tuple[str, ...] | None:
    """Return what a spec's lock says for a Python, in the lock's order: what is for others, by its markers, is left out.

    None where there is no lock, and for one of conda, which is for a platform.

    Raises:
        RefusedError: the lock is for another Python or platform.
    """
    if spec.lock is None or match_specs.is_locked(spec):
        return None
    from ..pypi import locks  # noqa: PLC0415 - a spec without lock does without it

    said = {package.name: str(package) for package in spec.lock.packages}
    pins = locks.pins_of(spec.lock, base, host)
    return tuple(said.get(pin.name, pin.name) if isinstance(pin.text, Project) else pin.text.replace("==", " ") for pin in pins)


def differences(spec: Spec, environment: Environment, host: Host) -> tuple[tuple[str | Project, ...], tuple[str, ...]]:
    """Return what of a spec's lock, and of its seed, is not installed as it says, and what is installed and not in it.

    Raises:
        RefusedError: the lock is for another Python or platform.
    """
    assert spec.lock is not None
    if match_specs.is_locked(spec):
        from . import conda_resolving  # noqa: PLC0415 - only where there is conda

        return conda_resolving.differences(spec, environment, host)
    from ..pypi import locks  # noqa: PLC0415 - a spec without lock does without it

    missing, surplus = locks.differences(environment, spec.lock, _kept(spec), host)
    seed = plugins.package_manager("pypi").unsatisfied(environment, sorted(_kept(spec)), host)
    return (*seed, *missing), surplus


def sync(spec: Spec, environment: Environment, work: Work, held: Held, *, afresh: Collection[str] = ()) -> None:
    """Make an environment exactly what its spec's lock says, and keep the lock among its marks.

    The caller holds the environment's lock, has marked it dirty, and verifies the packages afterwards.

    Args:
        afresh: names of PyPI packages that are taken once more, from where they come from and from no cache.

    Raises:
        As `locks.sync_into`.
    """
    assert spec.lock is not None
    if match_specs.is_locked(spec):
        from . import conda_resolving  # noqa: PLC0415 - only where there is conda

        conda_resolving.sync(spec, environment, work, held)
        return
    from ..pypi import locks  # noqa: PLC0415 - as above

    log = records.log_of(environment.prefix, work.host)
    manager = plugins.package_manager("pypi")
    with inner_lock(environment, work) as inner:
        descriptors = (*held.descriptors, *inner)
        if spec.seed == "pip" and manager.unsatisfied(environment, ["pip"], work.host):
            manager.install(environment, ["pip"], sources=spec.sources, work=work, log=log, descriptors=descriptors)
        locks.sync_into(
            environment, spec.lock, keep=_kept(spec), sources=spec.sources, afresh=afresh, work=work, log=log, descriptors=descriptors
        )
    keep_lock(environment.prefix, spec.lock, work.host)


def _kept(spec: Spec) -> frozenset[str]:
    return frozenset({"pip"} if spec.seed == "pip" else ())


def as_lock(text: str) -> Lock:
    packages = {(package.name, package.version or "") for package in pylock.load(text).packages}
    found = tuple(Package(name=name, version=version, ecosystem="pypi") for name, version in sorted(packages))
    return Lock(format="pylock.toml", text=text, packages=found)


def shown(requirement: str | Project) -> str:
    return requirement if isinstance(requirement, str) else str(requirement.path)
