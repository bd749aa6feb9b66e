"""export: what an environment holds, in formats that `read_spec` and other tools read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from .. import ecosystems, plugins, records
from ..control import Work
from ..environments import resolved
from ..errors import NotFoundError, RefusedError, UsageError
from ..match_specs import CONDA
from ..models.packages import Package
from ..models.specs import Lock, Project, Spec
from .exactness import kept_lock, shown

if TYPE_CHECKING:
    from ..formats.ready_record import Record
    from ..host import Host
    from ..models.aliases import Env
    from ..models.environment import Environment

Format = Literal["requirements.txt", "pylock.toml", "environment.yml", "explicit.txt", "spec.json"]


def export(env: Env, format: Format, *, host: Host | None = None) -> str:  # noqa: A002 - says what it is
    """Return what an environment holds as the text of a file that `read_spec` reads back. Reads files, starts no process.

    Args:
        format: "requirements.txt" (each package at its version), "pylock.toml" (of an environment that was made from a lock and still
            is what the lock says), "environment.yml", "spec.json" (all that envkit knows of it); "explicit.txt" (of a conda environment:
            the URL and hash of each package file, what is needed first).

    Raises:
        NotFoundError: there is no such environment, or it has no lock ("lock-not-found").
        UsageError: there is no such format for it. RefusedError: the environment is no longer what its lock says.

    Example:
        >>> import envkit, sys
        >>> "packaging==" in envkit.export(sys.prefix, "requirements.txt")
        True
    """
    return exported(env, format, Work(host=host))


def exported(env: Env, format: Format, work: Work, *, from_history: bool = False) -> str:  # noqa: A002 - as above
    """Return what `export` does.

    Args:
        from_history: of a conda environment write into environment.yml what was asked for, and not each package with its build; so
            the file is of use on other platforms.

    Raises:
        As `export`.
    """
    environment = resolved(env, work)
    if from_history and (format != "environment.yml" or environment.kind != CONDA):
        raise UsageError("from_history is for the environment.yml of a conda environment", code="format", hint="leave from_history out")
    if environment.kind == CONDA and format in {"environment.yml", "explicit.txt", "spec.json"}:
        return _exported_conda(environment, format, work.host, from_history=from_history)
    if format == "requirements.txt":
        return "".join(f"{line}\n" for line in _lines(environment, work.host))
    if format == "pylock.toml":
        return _exported_lock(environment, work.host).text
    if format == "environment.yml":
        return _environment_yml(environment, work.host)
    if format == "spec.json":
        from ..formats.values import to_json  # noqa: PLC0415 - only for this format

        return to_json(_spec(environment, work.host)) + "\n"
    if format == "explicit.txt":
        raise UsageError("explicit.txt is for conda environments alone", code="format", hint='give "requirements.txt" or "pylock.toml"')
    raise UsageError(
        f"format is {format!r}", code="format", hint="one of requirements.txt, pylock.toml, environment.yml, explicit.txt, spec.json"
    )


def _exported_conda(environment: Environment, format: Format, host: Host, *, from_history: bool) -> str:  # noqa: A002 - as above
    from . import conda_exporting  # noqa: PLC0415 - only where there is conda

    if format == "explicit.txt":
        return conda_exporting.explicit(environment, host)
    if format == "environment.yml":
        return conda_exporting.environment_file(environment, host, from_history=from_history)
    from ..formats.values import to_json  # noqa: PLC0415 - only for this format

    return to_json(conda_exporting.spec_of(environment, host)) + "\n"


def _packages(environment: Environment, host: Host) -> tuple[Package, ...]:
    """Return the packages of PyPI; of what a conda package brought the place where it was built says nothing."""
    found = plugins.package_manager("pypi").installed(environment, host)
    owned = ecosystems.owned_by_conda(environment, host)
    return tuple(replace(package, url=None, editable=None) if package.name in owned else package for package in found)


def _lines(environment: Environment, host: Host) -> list[str]:
    """Return a line of a requirements file for each package but pip, which an environment has or has not by its `seed`."""
    lines: list[str] = []
    for package in _packages(environment, host):
        if package.editable is not None:
            lines.append(f"-e {package.editable}")
        elif package.name != "pip":
            lines.append(f"{package.name} @ {package.url}" if package.url else f"{package.name}=={package.version}")
    return lines


def _environment_yml(environment: Environment, host: Host) -> str:
    from ..formats import environment_yml  # noqa: PLC0415 - only for this format

    record = records.state_of(environment.prefix, host).record
    python = f"python={_minor(environment)}" if environment.version is not None else "python"
    return environment_yml.dump(
        environment_yml.EnvironmentYml(
            name=environment.name,
            channels=("conda-forge",),
            conda=(python,),
            pip=tuple(_lines(environment, host)),
            variables=record.variables if record is not None else {},
        )
    )


def _minor(environment: Environment) -> str:
    assert environment.version is not None
    return ".".join(map(str, environment.version.release[:2]))


def _spec(environment: Environment, host: Host) -> Spec:
    """Return the spec that makes the environment again."""
    record: Record | None = records.state_of(environment.prefix, host).record
    packages = _packages(environment, host)
    pypi: list[str | Project] = []
    for package in packages:
        if package.editable is not None:
            pypi.append(Project(path=package.editable, editable=True))
        elif package.name != "pip":
            pypi.append(f"{package.name} @ {package.url}" if package.url else f"{package.name}=={package.version}")
    word = "" if environment.implementation in {None, "cpython"} else environment.implementation
    free = "t" if environment.free_threaded else ""
    spec = Spec(
        name=environment.name if environment.manager == "envkit" else None,
        python=None if environment.version is None else f"{word}{_minor(environment)}{free}",
        pypi=tuple(pypi),
        seed="pip" if any(package.name == "pip" for package in packages) else "none",
    )
    if record is None:
        return spec
    return replace(
        spec, constraints=record.constraints, variables=record.variables, system_site_packages=record.system_site_packages, name=record.name
    )


def _exported_lock(environment: Environment, host: Host) -> Lock:
    from ..pypi import locks  # noqa: PLC0415 - only for this format

    found = kept_lock(environment.prefix, host)
    if found is None:
        raise NotFoundError(
            f"{environment} was not made from a lock, and hashes of what is installed are not kept",
            code="lock-not-found",
            hint="make a lock with lock(spec), where spec is what export(env, 'spec.json') says",
        )
    missing, surplus = locks.differences(environment, found, {"pip"}, host)
    if missing or surplus:
        changed = ", ".join([*(f"{shown(text)} is missing" for text in missing), *(f"{name} is not in it" for name in surplus)])
        raise RefusedError(
            f"{environment} is no longer what its lock says: {changed}", code="lock-stale", hint="ensure() it again with the lock"
        )
    return found
