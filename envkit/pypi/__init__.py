"""Room: the distributions of PyPI in an environment. This package fills `protocols.PackageManager`; its parts load on first
use, so that looking for environments pays for none of them.

Listing and checking read files (`inventory`, `satisfaction`, `verification`); changing is done by uv or pip, run as child
processes (`transaction`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

    from ..control import Work
    from ..host import Host
    from ..models.environment import Environment, Problem
    from ..models.packages import Changes, Outdated, Package
    from ..models.specs import Project, Sources

NAME: Final = "pypi"
ECOSYSTEM: Final = "pypi"


def installed(env: Environment, host: Host) -> tuple[Package, ...]:
    """Return what is installed in the environment's own site-packages, by reading files.

    Returns:
        Sorted by normalized name, each name once; what has no readable METADATA is left out (`broken` tells of it).
    """
    from .inventory import packages  # noqa: PLC0415 - see the module docstring

    return packages(env, host)


def unsatisfied(env: Environment, wanted: Iterable[str | Project], host: Host) -> tuple[str | Project, ...]:
    """Return those of the wanted requirements that what is installed does not satisfy, in their order, by reading files.

    Satisfied means: an installed distribution of that name fits the specifier, the extras (recursively, with the target's
    markers) and, for URLs, direct_url.json. A marker that does not hold for the target asks for nothing. A local path is always
    installed anew, so it is never satisfied.

    Raises:
        UsageError: a text is no requirement.
    """
    from .satisfaction import unsatisfied_of  # noqa: PLC0415 - see the module docstring

    return unsatisfied_of(env, wanted, host)


def broken(env: Environment, host: Host) -> tuple[Problem, ...]:
    """Return a problem "package-broken" for each distribution whose files are not what its RECORD says, sorted by name.

    Existence and size are looked at, not hashes. `subject` is the package's name.
    """
    from .verification import problems  # noqa: PLC0415 - see the module docstring

    return problems(env, host)


def altered(env: Environment, work: Work) -> tuple[Problem, ...]:
    """Return a problem "package-altered" for each distribution of which a file has another content than its RECORD says.

    Reads every file, so `work` is asked between two whether to go on. `subject` is the package's name; sorted by it.

    Raises:
        CancelledError, DeadlineError: the call is over.
    """
    from .verification import alterations  # noqa: PLC0415 - see the module docstring

    return alterations(env, work)


def conflicts(env: Environment, host: Host) -> tuple[Problem, ...]:
    """Return a problem for each requirement of what is installed that is missing or does not fit, sorted by package.

    "requirement-missing", "requirement-conflict" and "python-unsupported"; `subject` is the package that asks. By reading files.
    """
    from .coherence import conflicts_of  # noqa: PLC0415 - see the module docstring

    return conflicts_of(env, host)


def locks_itself(host: Host) -> bool:
    """Say whether the installer takes the lock file inside the environment, so that it must be free when that starts."""
    from .installers import locks_itself as tool_locks_itself  # noqa: PLC0415 - see the module docstring

    return tool_locks_itself(host)


def install(
    env: Environment,
    wanted: Iterable[str | Project],
    *,
    sources: Sources,
    channels: Iterable[str] = (),
    constraints: Iterable[str] = (),
    dependencies: bool = True,
    reinstall: bool = False,
    upgrade: bool = False,
    break_system_packages: bool = False,
    dry_run: bool = False,
    work: Work,
    log: Path | None = None,
    descriptors: Collection[int] = (),
) -> Changes:
    """Install what is wanted by uv or pip and return what changed, as the disk says; with `dry_run` what would change.

    Args:
        wanted: requirements, and local projects, wheels and sdists as `Project`; see `requirements.parse`.
        sources: indexes, directories of wheels and limits; whether the machine's configuration counts.
        channels: passed over; they are conda's.
        constraints: limits on versions, each a requirement without extras.
        dependencies: install what they need, too.
        reinstall: install what is wanted anew even if it is there in that version.
        upgrade: of what is wanted take the newest version that fits, also where one that fits is installed.
        break_system_packages: change a Python that its system manages (PEP 668).
        work: deadline, cancel and reporter of the call; `work.offline` forbids the network.
        log: where the tool's whole output is kept when it fails, secrets masked.
        descriptors: handed to each child process: the lock of the environment.

    Raises:
        UsageError: a requirement, a source or `ENVKIT_INSTALLER` is not allowed.
        NotFoundError: the installer asked for is not there, or the environment has no Python.
        RefusedError: externally managed.
        InstallError: package-not-found, no-matching-version, python-too-old, conflict, build-failed, hash-mismatch.
        NetworkError: the index cannot be reached, or `offline` and not on this machine.
        MachineError: disk full, read-only, no permission.
    """
    from .transaction import install_into  # noqa: PLC0415 - see the module docstring

    return install_into(
        env,
        wanted,
        sources=sources,
        constraints=constraints,
        dependencies=dependencies,
        reinstall=reinstall,
        upgrade=upgrade,
        break_system_packages=break_system_packages,
        dry_run=dry_run,
        work=work,
        log=log,
        descriptors=descriptors,
    )


def outdated(env: Environment, *, sources: Sources, channels: Iterable[str] = (), work: Work) -> tuple[Outdated, ...]:
    """Return the installed packages for which there is a newer version, as uv or pip finds it.

    Returns:
        Sorted by name. What is editable, or no index and no directory of wheels has, is left out.

    Raises:
        NetworkError: the index cannot be reached; or `offline`, and no directory of wheels is named. Else as `install`.
    """
    from .newer import outdated_of  # noqa: PLC0415 - see the module docstring

    return outdated_of(env, sources=sources, work=work)


def uninstall(
    env: Environment,
    names: Iterable[str],
    *,
    break_system_packages: bool = False,
    dry_run: bool = False,
    work: Work,
    log: Path | None = None,
    descriptors: Collection[int] = (),
) -> Changes:
    """Uninstall packages by uv or pip and return what changed; a name that is not installed is no change.

    Args:
        dry_run: only say what would go.

    Raises:
        UsageError: a name is none. Else as `install`.
    """
    from .transaction import uninstall_from  # noqa: PLC0415 - see the module docstring

    if dry_run:
        from ..models.packages import Changes  # noqa: PLC0415 - see the module docstring

        going = frozenset(names)
        return Changes(removed=tuple(package for package in installed(env, work.host) if package.name in going))
    return uninstall_from(env, names, break_system_packages=break_system_packages, work=work, log=log, descriptors=descriptors)
