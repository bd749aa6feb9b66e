"""Room: conda environments and their packages. This package fills `protocols.Backend` and `protocols.PackageManager`; its parts load
on first use, so that looking for environments pays for none of them.

Listing, checking and activating read files (`inventory`, `activating`); changing is done by an engine: the embedded one
(`rattler`, with py-rattler in a child process) or a conda, mamba or micromamba of the machine (`command`); `engines` says which.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

    from ..control import Work
    from ..host import Host
    from ..models.activation import Activation
    from ..models.environment import Environment, Problem
    from ..models.packages import Changes, Outdated, Package
    from ..models.specs import Project, Sources, Spec

NAME: Final = "conda"
KIND: Final = "conda"
ECOSYSTEM: Final = "conda"


def build(prefix: Path, *, spec: Spec, base: Environment | None, work: Work, descriptors: Collection[int] = ()) -> None:
    """Make the environment of a spec's match specs, or of its lock, at `prefix`: whole or not at all.

    Its packages are those of `spec.conda`; a Python is one of them. `base` is not needed.

    Raises:
        As `install`; RefusedError ("foreign-files") where something else than envkit's marks lies there.
    """
    from .transaction import make  # noqa: PLC0415 - see the module docstring

    make(prefix, spec, work, descriptors)


def strangers(prefix: Path, host: Host) -> tuple[str, ...] | None:
    """Return the names at the top of `prefix` that no conda environment has; None if it is no such environment at all."""
    from .recognition import strangers as found  # noqa: PLC0415 - see the module docstring

    return found(prefix, host)


def activation(env: Environment, host: Host) -> Activation:
    """Return what activating an environment changes, as data (CEP 32); a shell is started only where packages bring scripts for that."""
    from .activating import activation as of  # noqa: PLC0415 - see the module docstring

    return of(env, host)


def installed(env: Environment, host: Host) -> tuple[Package, ...]:
    """Return the conda packages of an environment, by reading `conda-meta`, sorted by name."""
    from .inventory import installed as found  # noqa: PLC0415 - see the module docstring

    return found(env, host)


def unsatisfied(env: Environment, wanted: Iterable[str | Project], host: Host) -> tuple[str | Project, ...]:
    """Return those of the wanted match specs that no installed package fits, in their order, by reading files.

    Raises:
        UsageError: a text is no match spec.
    """
    from .inventory import unsatisfied as found  # noqa: PLC0415 - see the module docstring

    return found(env, wanted, host)


def broken(env: Environment, host: Host) -> tuple[Problem, ...]:
    """Return a problem for each package of which files are missing, sorted by name."""
    from .inventory import broken as found  # noqa: PLC0415 - see the module docstring

    return found(env, host)


def altered(env: Environment, work: Work) -> tuple[Problem, ...]:
    """Return a problem for each package of which a file has another content than was recorded; reads every file.

    Raises:
        CancelledError, DeadlineError: the call is over.
    """
    from .inventory import altered as found  # noqa: PLC0415 - see the module docstring

    return found(env, work)


def conflicts(env: Environment, host: Host) -> tuple[Problem, ...]:
    """Return a problem for each dependency of what is installed that is missing or does not fit, sorted by package."""
    from .inventory import conflicts as found  # noqa: PLC0415 - see the module docstring

    return found(env, host)


def locks_itself(host: Host) -> bool:
    """Say whether the engine takes the lock file inside the environment: none does."""
    return False


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
    """Install match specs and return what changed; with `dry_run` what would change.

    Args:
        wanted: match specs; what is installed and fits stays as it is.
        sources: `exclude_newer` counts; indexes, directories of wheels and pre-releases are PyPI's.
        channels: where packages come from; where none is named, those that the installed ones came from, then those configured.
        constraints: match specs that limit versions of whatever is installed, for this call.
        dependencies: must be True: a conda package is not installed without what it needs.
        reinstall: put what is wanted in anew, from the package cache where it is there.
        upgrade: of what is wanted, take the newest that fits what was asked for; of everything where nothing is wanted.
        break_system_packages: no conda environment is managed by its system; a frozen one is never changed.
        work: deadline, cancel and reporter of the call; `work.offline` forbids the network.
        log: where all that the engine said is kept when it fails, secrets masked.
        descriptors: handed to each child process: the lock of the environment.

    Raises:
        UsageError: a match spec is none, no engine is installed ("extra-missing"), or the engine cannot limit by date ("exclude-newer").
        InstallError: package-not-found, no-matching-version, conflict, virtual-package, hash-mismatch, prefix-too-long, post-link.
        NetworkError: a channel cannot be reached, is none, or wants credentials; or `offline` and not on this machine.
        RefusedError: frozen (CEP 22), or files that no package owns are in the way ("foreign-files").
        MachineError: disk full, read-only, no permission.
    """
    from .transaction import install_into  # noqa: PLC0415 - see the module docstring

    return install_into(
        env,
        wanted,
        sources=sources,
        channels=channels,
        constraints=constraints,
        dependencies=dependencies,
        reinstall=reinstall,
        upgrade=upgrade,
        dry_run=dry_run,
        work=work,
        log=log,
        descriptors=descriptors,
    )


def outdated(env: Environment, *, sources: Sources, channels: Iterable[str] = (), work: Work) -> tuple[Outdated, ...]:
    """Return the packages for which there is a newer version that fits what was asked for, sorted by name.

    Raises:
        As `install`.
    """
    from .transaction import outdated_in  # noqa: PLC0415 - see the module docstring

    return outdated_in(env, sources=sources, channels=channels, work=work)


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
    """Uninstall packages and all that need them, and return what changed, with `dry_run` what would.

    A name that is not installed is no change. No channel is asked. What only they needed stays.

    Raises:
        As `install`.
    """
    from .transaction import uninstall_from  # noqa: PLC0415 - see the module docstring

    return uninstall_from(env, names, dry_run=dry_run, work=work, log=log, descriptors=descriptors)
