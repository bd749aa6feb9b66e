"""Newer versions of what is installed: which there are (`outdated`), and getting them (`upgrade`)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from . import changing, ecosystems, plugins, records
from .changing import Wanted
from .control import Control, Work, takes_control
from .environments import resolved
from .errors import NotFoundError, RefusedError, UsageError
from .match_specs import CONDA
from .models.packages import Changes, Outdated, Package
from .models.several import Several
from .models.specs import Sources

if TYPE_CHECKING:
    from typing import Unpack

    from .formats.ready_record import Record
    from .models.aliases import Env
    from .models.environment import Environment
    from .system.locks import Held

_DEFAULT = Sources()


@takes_control
def outdated(env: Env, *, sources: Sources = _DEFAULT, **control: Unpack[Control]) -> tuple[Outdated, ...]:
    """Return the installed packages for which there is a newer version, as uv or pip finds it where packages come from.

    Whether the newer one fits the others is not asked: `upgrade` finds that out.

    Args:
        sources: indexes, directories of wheels, limits by date, pre-releases.

    Returns:
        Sorted by normalized name, each name once; empty when everything is the newest. What is installed as editable, and what
        those sources do not have, is left out.

    Raises:
        NotFoundError: there is no such environment. RefusedError: it is broken.
        NetworkError: the index cannot be reached, or `offline` and no directory of wheels is named.
    """
    work = Work.of(control)
    environment = changing.changeable(resolved(env, work), needs_python=False)
    with work.task("resolve", f"looking for newer versions of what is in {environment}"):
        channels = changing.channels_of(environment, Wanted(), work)
        found = [
            item
            for manager in ecosystems.managers(environment)
            for item in manager.outdated(environment, sources=sources, channels=channels, work=work)
        ]
    owned = ecosystems.owned_by_conda(environment, work.host)
    newer = [item for item in found if item.package.ecosystem == CONDA or item.package.name not in owned]
    return Several(sorted(newer, key=lambda item: (item.package.name, item.package.ecosystem)), "everything is the newest version")


@takes_control
def upgrade(
    env: Env,
    *names: str,
    constraints: Iterable[str] = (),
    sources: Sources = _DEFAULT,
    dry_run: bool = False,
    **control: Unpack[Control],
) -> Changes:
    """Install the newest versions of packages that are installed, and return what changed.

    What was asked for with a limit ("rich<14") stays within it, and so does what the environment's spec limited by its
    constraints, unless `constraints` says otherwise of the same package. What the packages need is changed only where it must be.
    Conda packages are upgraded by conda, as far as their channels and what was asked for allow.

    Args:
        names: what to upgrade. Without names: all that was asked for; in an environment that another tool made, all that is
            installed. Then what did not come from an index (local projects, URLs) is passed over.
        constraints: limits on versions of whatever is installed, as in a constraints file.
        sources: indexes, directories of wheels, limits by date, pre-releases.
        dry_run: only say what would change.

    Raises:
        UsageError: a name is not allowed. NotFoundError: there is no such environment, or a name is not installed.
        RefusedError: the Python is externally managed, or a named package did not come from an index.
        InstallError: no versions fit together. NetworkError: the index cannot be reached. BusyError: another process changes it.
    """
    work = Work.of(control)
    if isinstance(constraints, str):
        raise TypeError(f"constraints takes several, not the string {constraints!r}")
    limits = tuple(str(limit) for limit in changing.checked(constraints, work.host))
    environment = changing.changeable(resolved(env, work), needs_python=False)
    conda, rest = ecosystems.split(environment, names, work.host) if environment.kind == CONDA else ((), names)
    asked = tuple(map(_checked_name, rest))
    everything = not names
    if dry_run:
        wanted = _wanted(environment, asked, limits, sources, work) if everything or asked else Wanted(sources=sources)
        return _install(environment, wanted, conda, work, everything=everything)
    with records.locked(environment.prefix, work) as lock:
        wanted = _wanted(environment, asked, limits, sources, work) if everything or asked else Wanted(sources=sources)
        with_conda = conda or (everything and environment.kind == CONDA)
        if not wanted and not with_conda:
            return Changes()
        if wanted:
            changing.refuse_managed(environment, allowed=False)
        torn = changing.torn_packages(environment, work)
        with changing.changing(environment, work):
            changing.mend(environment, torn, sources, work, lock)
            return _install(environment, wanted, conda, work, everything=everything, lock=lock)


def _install(
    environment: Environment, wanted: Wanted, conda: Sequence[str], work: Work, *, everything: bool, lock: Held | None = None
) -> Changes:
    """Let conda upgrade its packages, all that were asked for where none is named, and then PyPI's manager its own."""
    done: list[Changes] = []
    if conda or (everything and environment.kind == CONDA):
        done.append(
            plugins.package_manager(CONDA).install(
                environment,
                conda,
                sources=wanted.sources,
                channels=changing.channels_of(environment, wanted, work),
                upgrade=True,
                dry_run=lock is None,
                work=work,
                log=records.log_of(environment.prefix, work.host),
                descriptors=() if lock is None else lock.descriptors,
            )
        )
    if wanted.pypi:
        environment = environment if lock is None or not done else ecosystems.as_it_is(environment, work)
        done.append(changing.put(environment, wanted, work, lock=lock, dry=lock is None, upgrade=True))
    return ecosystems.joined(done)


def _checked_name(name: str) -> str:
    from packaging.utils import InvalidName, canonicalize_name  # noqa: PLC0415 - looking does without it

    try:
        return canonicalize_name(name, validate=True)
    except InvalidName as error:
        raise UsageError(str(error), code="name", hint="give the names of packages; limits on versions go into constraints=") from error


def _wanted(environment: Environment, names: Sequence[str], limits: Sequence[str], sources: Sources, work: Work) -> Wanted:
    """Return what is to be installed from PyPI, and the constraints that hold.

    Raises:
        NotFoundError: a name is not installed. RefusedError: a named package did not come from an index.
    """
    there = {package.name: package for package in ecosystems.installed_in(environment, work.host) if package.ecosystem == "pypi"}
    record = records.state_of(environment.prefix, work.host).record
    before = _requested(record)
    if names:
        wanted = tuple(_named(name, there, before, environment) for name in dict.fromkeys(names))
    else:
        everything = before if record is not None and record.made else dict.fromkeys(there)
        chosen = (name for name in everything if name in there and (before.get(name) or _is_of_index(there[name])))
        wanted = tuple(before.get(name) or name for name in chosen)
    again = {changing.named(limit) for limit in limits}
    kept = () if record is None else tuple(limit for limit in record.constraints if changing.named(limit) not in again)
    return Wanted(pypi=wanted, constraints=(*kept, *limits), sources=sources)


def _requested(record: Record | None) -> dict[str, str]:
    """Return what was asked for by name; a local path, which has none, is left out."""
    texts = () if record is None else record.requested
    return {changing.named(text): text for text in texts if not os.path.isabs(text)}


def _named(name: str, there: dict[str, Package], before: dict[str, str], environment: Environment) -> str:
    if name not in there:
        raise NotFoundError(
            f"{name} is not installed in {environment.prefix}",
            code="package-not-installed",
            hint="look at installed() for what is, or install it with install()",
        )
    if name not in before and not _is_of_index(there[name]):
        raise RefusedError(
            f"{name} was installed from {there[name].editable or there[name].url}, and an index may have something else of that name",
            code="not-from-index",
            hint="install it from there again with install(), or uninstall it first",
        )
    return before.get(name, name)


def _is_of_index(package: Package) -> bool:
    return package.url is None and package.editable is None
