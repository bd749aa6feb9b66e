"""What tests of the pypi room share besides fixtures: installing without the network, and what is there afterwards."""

from __future__ import annotations

from collections.abc import Callable

from envkit import pypi
from envkit.control import Work
from envkit.host import Host
from envkit.models.environment import Environment
from envkit.models.packages import Changes
from envkit.models.specs import Project, Sources

MakeEnvironment = Callable[..., Environment]


def install(env: Environment, host: Host, *wanted: str | Project, sources: Sources, offline: bool = True, **options: object) -> Changes:
    """Install without the network, unless told otherwise."""
    return pypi.install(env, wanted, sources=sources, work=Work(host=host, offline=offline), **options)  # type: ignore[arg-type]


def names(env: Environment, host: Host) -> dict[str, str]:
    """Return what is installed: version by name."""
    return {package.name: package.version for package in pypi.installed(env, host)}
