r"""Windows' registry: the Pythons whose installers registered them (PEP 514).

Marks: the keys `Software\Python\<company>\<tag>\InstallPath` of the user, of the machine, and of the machine's 32-bit view. Files
read: as for any interpreter; where they tell the minor only, the value `Version` tells the rest. Place in the table: after what
registers its Pythons too and is known by its place (`pymanager`, `winpython`, `scoop`, `windows_store`), before `path`. A Python that is
registered and gone is given as broken. Limits: the company `PyLauncher` registers no Python (PEP 514), and conda's installations are
of another locator.

Source: PEP 514.
"""

from __future__ import annotations

import ntpath
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from packaging.version import InvalidVersion, Version

from ...models.environment import Environment, Problem
from ...system import registry
from ..recognition import installed

if TYPE_CHECKING:
    from ...system.look import Look

NAME: Final = "windows-registry"
KINDS: Final = frozenset({"interpreter", "conda"})

_KEYS = (
    "HKEY_CURRENT_USER\\Software\\Python",
    "HKEY_LOCAL_MACHINE\\Software\\Python",
    "HKEY_LOCAL_MACHINE\\Software\\WOW6432Node\\Python",
)
_NONE = "PyLauncher"


class Entry(NamedTuple):
    """One registered Python: its key, its paths on this machine, and what the registry says of it."""

    key: str
    prefix: str
    python: str
    version: str


def candidates(look: Look, roots: tuple[str, ...]) -> Iterator[str]:
    """Yield the executables that are registered, the user's before the machine's."""
    for entry in _entries(look):
        yield entry.python


def identify(look: Look, candidate: str) -> Environment | None:
    """Return the interpreter if it is registered, also when it is gone."""
    entries = _entries(look)
    if not entries:
        return None
    candidate = look.tidy(candidate)
    found = installed(look, candidate)
    if found is None:
        entry = next((entry for entry in entries if candidate in {entry.prefix, entry.python}), None)
        return None if entry is None or look.status(entry.python) is not None else _gone(look, entry)
    paths = {look.real(str(found.python)), look.real(str(found.prefix))}
    entry = next((entry for entry in entries if look.real(entry.python) in paths), None) or next(
        (entry for entry in entries if look.real(entry.prefix) in paths), None
    )
    if entry is None or found.kind != "interpreter":
        return None
    version = _exact(entry.version, found)
    return replace(found, manager=NAME, version=version, version_source=entry.key if version is not found.version else found.version_source)


def _exact(text: str, found: Environment) -> Version | None:
    """Return the registered version where it tells more than the files do and agrees with them."""
    if found.version is None or len(found.version.release) > 2:
        return found.version
    try:
        stated = Version(text)
    except InvalidVersion:
        return found.version
    return stated if len(stated.release) == 3 and stated.release[:2] == found.version.release else found.version


def _gone(look: Look, entry: Entry) -> Environment:
    return Environment(
        prefix=Path(entry.prefix),
        kind="interpreter",
        manager=NAME,
        problem=Problem(
            code="python-missing",
            message=f"it is registered at {look.host.shown(Path(entry.python))}, and nothing is there",
            hint=f"repair or uninstall it in the system's settings, or remove the key {entry.key}",
        ),
    )


def _entries(look: Look) -> tuple[Entry, ...]:
    return look.remember("registered Pythons", lambda: tuple(_read(look)) if look.windows else ())


def _read(look: Look) -> Iterator[Entry]:
    for root in _KEYS:
        for company in registry.keys(look, root):
            if company.lower() == _NONE.lower():
                continue
            for tag in registry.keys(look, f"{root}\\{company}"):
                key = f"{root}\\{company}\\{tag}"
                paths = registry.values(look, f"{key}\\InstallPath")
                prefix, python = paths.get("", ""), paths.get("executablepath", "")
                if not ntpath.isabs(python):
                    if not ntpath.isabs(prefix):
                        continue
                    python = ntpath.join(prefix, "python.exe")
                whole = prefix if ntpath.isabs(prefix) else ntpath.dirname(python)
                yield Entry(
                    key=key,
                    prefix=look.tidy(look.place(whole.rstrip("\\/") or whole)),
                    python=look.tidy(look.place(python)),
                    version=registry.values(look, key).get("version", ""),
                )
