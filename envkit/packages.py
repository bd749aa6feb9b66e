"""The packages of an environment: list, install, uninstall, under its lock and with its marks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from . import changing, ecosystems, match_specs, plugins, records
from .changing import Wanted
from .control import Control, Work, takes_control
from .environments import resolved
from .errors import RefusedError, UsageError
from .match_specs import CONDA
from .models.environment import Environment
from .models.packages import Changes, Package
from .models.several import Several
from .models.specs import Sources
from .system import sites

if TYPE_CHECKING:
    from typing import Unpack

    from .host import Host
    from .models.aliases import Env
    from .models.requirement import Req

_DEFAULT = Sources()


def installed(env: Env, *, host: Host | None = None) -> tuple[Package, ...]:
    """Return what is installed in an environment, sorted by normalized name. Reads files, starts no process.

    In a conda environment those are its conda packages, and what lies on top of them from PyPI.

    Raises:
        NotFoundError: there is no such environment.

    Source:
        Recording installed projects (packaging.python.org), PEP 610, PEP 376's INSTALLER and REQUESTED; `conda-meta`.

    Example:
        >>> import envkit, sys
        >>> "packaging" in {package.name for package in envkit.installed(sys.prefix)}
        True
    """
    work = Work(host=host)
    return Several(ecosystems.installed_in(_for_reading(env, work), work.host), "no package is installed")


def _for_reading(env: Env, work: Work) -> Environment:
    """Return the environment; one that was found before is read as it was found, as long as its packages lie where they should.

    To look again whose it is takes ten times as long as to read it, and a list of packages harms nobody.
    """
    if isinstance(env, Environment) and env.kind == "venv" and env.python is not None and sites.site_packages(env, work.host):
        return env
    return resolved(env, work)


@takes_control
def install(
    env: Env,
    *pypi: Req,
    conda: Iterable[str] = (),
    channels: Iterable[str] = (),
    constraints: Iterable[str] = (),
    dependencies: bool = True,
    sources: Sources = _DEFAULT,
    break_system_packages: bool = False,
    dry_run: bool = False,
    **control: Unpack[Control],
) -> Changes:
    """Install packages into an environment and return what changed.

    Args:
        pypi: requirements of PyPI ("rich>=13", "httpx[http2]"), wheels, sdists and projects by path, or `Project` values.
        conda: match specs ("numpy>=2", "python=3.12"), for a conda environment; they are put in first.
        channels: where those come from, by name or URL; those that the environment was made with if none is named, else conda's
            configuration.
        constraints: limits on versions of whatever is installed from PyPI, as in a constraints file.
        dependencies: install what they need, too.
        sources: indexes, directories of wheels, limits by date, pre-releases.
        break_system_packages: install into a Python that its system manages (PEP 668) all the same.
        dry_run: only say what would change.

    Raises:
        UsageError: a requirement is not allowed, or conda packages are asked for in an environment that is not conda's.
        NotFoundError: there is no such environment.
        InstallError: conflict, no such version, no such package, build failed; `log` holds the tool's output.
        NetworkError: the index or channel cannot be reached. RefusedError: the Python is externally managed, the environment is
            frozen, or what conda installed would be overwritten. BusyError: another process changes it.
    """
    work = Work.of(control)
    wanted = Wanted(
        pypi=changing.checked(pypi, work.host),
        conda=match_specs.checked(_several("conda", conda)),
        channels=_several("channels", channels),
        constraints=_several("constraints", constraints),
        sources=sources,
        dependencies=dependencies,
        break_system_packages=break_system_packages,
    )
    environment = changing.changeable(resolved(env, work), needs_python=not wanted.conda)
    _refuse_conda_elsewhere(environment, wanted)
    if not wanted:
        return Changes()
    if dry_run:
        return changing.put(environment, wanted, work, dry=True)
    if wanted.pypi:
        changing.refuse_managed(environment, break_system_packages)
    with records.locked(environment.prefix, work) as lock:
        torn = changing.torn_packages(environment, work)
        with changing.changing(environment, work, asked=wanted):
            changing.mend(environment, torn, sources, work, lock)
            return changing.put(environment, wanted, work, lock=lock)


def _several(name: str, given: Iterable[str]) -> tuple[str, ...]:
    if isinstance(given, str):
        raise TypeError(f"{name} takes several, not the string {given!r}")
    return tuple(given)


def _refuse_conda_elsewhere(environment: Environment, wanted: Wanted) -> None:
    if (wanted.conda or wanted.channels) and environment.kind != CONDA:
        raise UsageError(
            f"{environment} is no conda environment, so it takes no conda packages",
            code="not-conda",
            hint="make one with create(..., conda=[...]), or name packages of PyPI",
        )


@takes_control
def uninstall(env: Env, *names: str, dry_run: bool = False, **control: Unpack[Control]) -> Changes:
    """Uninstall packages and return what changed; a name that is not installed is no change.

    In a conda environment a conda package goes together with the conda packages that cannot be without it.

    Raises:
        UsageError: a name is not allowed. NotFoundError: there is no such environment.
        RefusedError: the Python is externally managed, the environment is frozen, or a name is that of what a conda package of
            another name brought. BusyError: another process changes it.
    """
    work = Work.of(control)
    environment = resolved(env, work)
    conda, rest = ecosystems.split(environment, names, work.host) if environment.kind == CONDA else ((), names)
    pypi = _checked_names(rest)
    environment = changing.changeable(environment, needs_python=not conda)
    if taken := sorted(set(pypi) & ecosystems.owned_by_conda(environment, work.host)):
        raise RefusedError(
            f"{', '.join(taken)} came with a conda package of another name",
            code="conda-owned",
            hint="uninstall that package: its files are listed in conda-meta",
        )
    pypi = tuple(package.name for package in ecosystems.installed_in(environment, work.host) if package.name in pypi)
    if dry_run or not (pypi or conda):
        return _uninstall(environment, pypi, conda, work, dry=True)
    if pypi:
        changing.refuse_managed(environment, allowed=False)
    with (
        records.locked(environment.prefix, work) as lock,
        changing.changing(environment, work, dropped=(dropped := {*conda, *pypi})),
        changing.inner_lock(environment, work) as inner,
    ):
        changes = _uninstall(environment, pypi, conda, work, descriptors=(*lock.descriptors, *inner))
        dropped.update(package.name for package in changes.removed)  # with a conda package goes what needs it
        return changes


def _uninstall(
    environment: Environment,
    pypi: Sequence[str],
    conda: Sequence[str],
    work: Work,
    *,
    dry: bool = False,
    descriptors: tuple[int, ...] = (),
) -> Changes:
    """Let each manager uninstall its own: PyPI's first, while the Python is there that says where they lie."""
    log = records.log_of(environment.prefix, work.host)
    return ecosystems.joined(
        [
            plugins.package_manager(ecosystem).uninstall(environment, names, dry_run=dry, work=work, log=log, descriptors=descriptors)
            for ecosystem, names in (("pypi", pypi), (CONDA, conda))
            if names
        ]
    )


def _checked_names(names: Iterable[str]) -> tuple[str, ...]:
    from packaging.utils import InvalidName, canonicalize_name  # noqa: PLC0415 - looking does without it

    try:
        return tuple(canonicalize_name(name, validate=True) for name in names)
    except InvalidName as error:
        raise UsageError(str(error), code="name", hint="give the names of packages, without versions") from error


def ensure_installed(environment: Environment, wanted: Sequence[str], work: Work) -> None:
    """Install what of `wanted` is missing from PyPI, under the environment's lock; nothing is done where all is there."""
    manager = plugins.package_manager("pypi")
    if not manager.unsatisfied(environment, wanted, work.host):
        return
    changing.refuse_managed(changing.changeable(environment), allowed=False)
    with records.locked(environment.prefix, work) as lock:
        missing = manager.unsatisfied(environment, wanted, work.host)
        if missing:
            record = records.state_of(environment.prefix, work.host).record
            limits = record.constraints if record else ()
            changing.put_held(environment, Wanted(pypi=missing, constraints=limits), work, lock, record=record)
