"""Built-in and plugged-in parts by name: locators, backends, package managers.

A plug-in is an entry point in the group `envkit.locators`, `envkit.backends` or `envkit.package_managers` that names a module.
Entry points are found by listing `*.dist-info/entry_points.txt`, which takes a millisecond; `importlib.metadata` takes twenty.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from .errors import UsageError

if TYPE_CHECKING:
    from . import conda, pypi, venv
    from .host import Host
    from .protocols import Backend, Locator, PackageManager

    # Each built-in module against its Protocol, once: mypy and pyright check it here.
    _BACKENDS: tuple[Backend, ...] = (venv, conda)
    _PACKAGE_MANAGERS: tuple[PackageManager, ...] = (pypi, conda)

_BUILT_IN = {
    "envkit.backends": {"venv": "envkit.venv", "conda": "envkit.conda"},
    "envkit.package_managers": {"pypi": "envkit.pypi", "conda": "envkit.conda"},
}


def locators(host: Host) -> tuple[Locator, ...]:
    """Return a world's locators in the order in which they are asked: plugged-in ones first, for they know more than the generic ones."""
    from .discovery.locators import table  # noqa: PLC0415 - packages and backends do without the locators

    return (*(cast("Locator", importlib.import_module(module)) for _, module in sorted(_plugged("envkit.locators"))), *table(host.platform))


def backend(name: str) -> Backend:
    """Return the backend of that name; "auto" is the one for virtual environments.

    Raises:
        UsageError: there is none, or it is not available yet.
    """
    wanted = "venv" if name == "auto" else name
    module = _named("envkit.backends", wanted)
    if module is None:
        raise UsageError(f"there is no backend {wanted!r}", code="backend", hint=f"available: {', '.join(_names('envkit.backends'))}")
    return cast("Backend", module)


def package_manager(ecosystem: str) -> PackageManager:
    """Return the package manager of an ecosystem, such as "pypi".

    Raises:
        UsageError: there is none.
    """
    module = _named("envkit.package_managers", ecosystem)
    if module is None:
        raise UsageError(
            f"there is no package manager for {ecosystem!r}",
            code="package-manager",
            hint=f"available: {', '.join(_names('envkit.package_managers'))}",
        )
    return cast("PackageManager", module)


def _named(group: str, name: str) -> Any:
    module = _BUILT_IN[group].get(name) or dict(_plugged(group)).get(name)
    return None if module is None else importlib.import_module(module)


def _names(group: str) -> list[str]:
    return sorted({*_BUILT_IN[group], *dict(_plugged(group))})


@cache
def _plugged(group: str) -> tuple[tuple[str, str], ...]:
    """Return name and module of each entry point of a group; the first on `sys.path` wins."""
    return entry_points(group, sys.path)


def entry_points(group: str, directories: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Return name and module of each entry point of a group that distributions in some directories have; the first of a name wins."""
    found: dict[str, str] = {}
    for path in entry_point_files(directories):
        try:
            with open(path, encoding="utf-8") as stream:
                text = stream.read()
        except (OSError, ValueError):
            continue
        if group in text:
            for name, module in _section(text, group):
                found.setdefault(name, module)
    return tuple(found.items())


def entry_point_files(directories: Iterable[str]) -> Iterator[str]:
    """Yield the path that the entry points of each distribution in some directories have, whether there are any or not."""
    for directory in directories:
        try:
            entries = [entry for entry in os.listdir(directory or ".") if entry.endswith(".dist-info")]
        except OSError:
            continue
        for entry in entries:
            yield os.path.join(directory, entry, "entry_points.txt")


def _section(text: str, group: str) -> Iterator[tuple[str, str]]:
    """Yield name and module of the lines of one section of an entry_points.txt (the format of the entry points specification)."""
    section = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            section = line.strip("[] ")
        elif section == group and "=" in line:
            name, _, value = line.partition("=")
            yield name.strip(), value.partition("[")[0].strip()
