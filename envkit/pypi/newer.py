"""Which installed packages have a newer version, as uv or pip finds it where packages come from."""

from __future__ import annotations

import json
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

from ..errors import InstallError
from ..models.packages import Outdated
from ..models.specs import Sources
from . import pip_driver, uv_driver
from .failures import unreachable
from .inventory import packages
from .request import Request
from .requirements import parse_name
from .resolution import offline_error
from .transaction import Runner, checked_sources, python_of, scratch_directory

if TYPE_CHECKING:
    from ..control import Work
    from ..models.environment import Environment

_DRIVERS: dict[str, ModuleType] = {"uv": uv_driver, "pip": pip_driver}


def outdated_of(env: Environment, *, sources: Sources, work: Work) -> tuple[Outdated, ...]:
    """Return what is installed and has a newer version; see `envkit.pypi.outdated`."""
    there = {package.name: package for package in packages(env, work.host)}
    if not there:
        return ()
    with scratch_directory() as scratch:
        request = Request(
            python=python_of(env), prefix=str(env.prefix), requirements=(), projects=(), constraints=(), dependencies=False, reinstall=False,
            break_system_packages=False, dry_run=True, sources=checked_sources(sources, work.host), offline=work.offline, scratch=scratch,
            present=frozenset(there),
        )  # fmt: skip
        runner = Runner(env, work, None, ())
        driver: Any = _DRIVERS[runner.tool.kind]
        command = driver.outdated_command(runner.tool, request, work.host)
        if work.offline and not _has_places(command.argv, command.environ, command.texts):
            raise offline_error("the newest version of each package")
        completed = runner.run(command, request, "resolve", "looking for newer versions")
        # pip takes an index that cannot be reached for an empty one, and says so in its detailed log alone.
        if (error := unreachable(completed.stderr, driver.details(request))) is not None:
            raise error
    found: list[Outdated] = []
    for name, latest in _said(completed.stdout):
        package = there.get(parse_name(name))
        if package is not None and package.editable is None and latest != package.version:
            found.append(Outdated(package=package, latest=latest))
    return tuple(sorted(found, key=lambda outdated: outdated.package.name))


def _has_places(argv: tuple[str, ...], environ: dict[str, str], texts: tuple[str, ...]) -> bool:
    """Say whether a directory of wheels is named: without one and without the network, either tool would call everything up to date."""
    options = any(option.startswith("--find-links") for option in argv)
    return options or bool(environ.get("UV_FIND_LINKS") or environ.get("PIP_FIND_LINKS")) or any("find-links" in text for text in texts)


def _said(text: str) -> list[tuple[str, str]]:
    """Return name and latest version of each item of the list that both tools print.

    Raises:
        InstallError: it is no such list.
    """
    try:
        listed = cast("list[dict[str, str]]", json.loads(text[text.index("[") :]))
        return [(item["name"], item["latest_version"]) for item in listed]
    except (ValueError, KeyError, TypeError) as error:
        raise InstallError(
            "the installer's list of newer versions cannot be read",
            code="installer-too-old",
            hint="update it, or choose the other one by ENVKIT_INSTALLER",
        ) from error
