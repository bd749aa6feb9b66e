"""What a conda environment holds, as the files of conda: environment.yml, an explicit file, and a spec. Reads records, runs nothing."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Final, TypeGuard

from .. import ecosystems, records
from ..conda import inventory
from ..conda.platforms import subdir_of
from ..errors import CorruptError, NotFoundError
from ..formats import conda_meta, environment_yml, explicit_txt
from ..formats.conda_locked import LockedPackage, in_order
from ..formats.explicit_txt import PackageUrl
from ..match_specs import CONDA
from ..models.specs import Project, Spec
from ..system.look import Look

if TYPE_CHECKING:
    from ..formats.conda_record import Record
    from ..host import Host
    from ..models.environment import Environment
    from ..models.packages import Package

_LIMIT: Final = 1024 * 1024  # bytes of the file that holds variables
_UNSET: Final = "***unset***"  # what conda writes for a variable that was taken away


def explicit(environment: Environment, host: Host) -> str:
    """Return the text of an explicit file: the URL of each package file with its hash, what is needed before what needs it.

    It holds conda packages alone; comments name the packages of PyPI that lie on top of them.

    Raises:
        CorruptError: of a package nobody wrote down where it came from.

    Source: CEP 23.
    """
    found = _records(environment)
    for record in found:
        if not record.url:
            raise CorruptError(
                f"the record of {record.name} does not say where it came from",
                code="record",
                path=environment.prefix / "conda-meta",
                hint="install it anew, or export an environment.yml",
            )
    ordered = in_order(
        LockedPackage(
            url=one.url, name=one.name, version=one.version, build=one.build, subdir=one.subdir, md5=one.md5, sha256=one.sha256,
            depends=one.depends,
        )
        for one in found
    )  # fmt: skip
    platforms = [record.subdir for record in found if record.subdir not in {"noarch", ""}]
    packages = [PackageUrl(url=one.url, md5=one.md5, sha256=one.sha256) for one in ordered]
    text = explicit_txt.dump(packages, platform=platforms[0] if platforms else subdir_of(host))
    return text + "".join(f"# not in this file, as it comes from PyPI: {line}\n" for line in _lines(environment, host))


def environment_file(environment: Environment, host: Host, *, from_history: bool) -> str:
    """Return the text of an environment.yml with each package, its version and build, or with what was asked for.

    Raises:
        NotFoundError: nobody wrote down what was asked for.

    Source: CEP 24; `conda env export`.
    """
    return environment_yml.dump(
        environment_yml.EnvironmentYml(
            name=environment.name,
            channels=_channels(environment),
            conda=_asked(environment) if from_history else _exactly(environment),
            pip=_lines(environment, host),
            variables=_variables(environment, host),
        )
    )


def spec_of(environment: Environment, host: Host) -> Spec:
    """Return the spec that makes the environment again on this platform."""
    record = records.state_of(environment.prefix, host).record
    on_top = _on_top(environment, host)
    return Spec(
        name=environment.name if environment.manager == "envkit" else None,
        backend=CONDA,
        pypi=tuple(Project(path=package.editable, editable=True) if package.editable is not None else _line(package) for package in on_top),
        conda=_exactly(environment),
        channels=_channels(environment),
        constraints=record.constraints if record is not None else (),
        variables=_variables(environment, host),
    )


def _records(environment: Environment) -> tuple[Record, ...]:
    return inventory.records(environment.prefix)


def _exactly(environment: Environment) -> tuple[str, ...]:
    return tuple(f"{record.name}={record.version}={record.build}" for record in _records(environment))


def _asked(environment: Environment) -> tuple[str, ...]:
    asked = inventory.requested(environment.prefix)
    if not asked:
        raise NotFoundError(
            f"nobody wrote down what was asked for in {environment}",
            code="history-not-found",
            hint="export it without from_history",
        )
    return tuple(asked[name] for name in sorted(asked))


def _channels(environment: Environment) -> tuple[str, ...]:
    """Return the channels that packages came from, those of most packages first, as a file that another machine reads names them."""
    counted: dict[str, int] = {}
    for record in _records(environment):
        if name := inventory.channel_name(record.channel):
            counted[name] = counted.get(name, 0) + 1
    return tuple(sorted(counted, key=lambda name: (-counted[name], name)))


def _on_top(environment: Environment, host: Host) -> tuple[Package, ...]:
    """Return the packages of PyPI that lie on top of conda's."""
    return tuple(package for package in ecosystems.installed_in(environment, host) if package.ecosystem == "pypi")


def _lines(environment: Environment, host: Host) -> tuple[str, ...]:
    return tuple(f"-e {package.editable}" if package.editable is not None else _line(package) for package in _on_top(environment, host))


def _line(package: Package) -> str:
    return f"{package.name} @ {package.url}" if package.url else f"{package.name}=={package.version}"


def _variables(environment: Environment, host: Host) -> dict[str, str]:
    """Return the variables that were set in the environment by `conda env config vars`, envkit or an environment.yml (CEP 32)."""
    path = os.path.join(environment.prefix, conda_meta.DIRECTORY, "state")
    try:
        said: object = json.loads(Look(host).text(path, _LIMIT) or "{}")
    except (ValueError, RecursionError):
        return {}
    given = said.get("env_vars") if _is_object(said) else None
    return {name: str(value) for name, value in given.items() if value != _UNSET} if _is_object(given) else {}


def _is_object(value: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)
