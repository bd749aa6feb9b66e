r"""The Pythons of the Microsoft Store, and the aliases that only offer to install one.

Marks: in `%LOCALAPPDATA%\Microsoft\WindowsApps` a directory `PythonSoftwareFoundation.Python.3.12_<publisher>` beside `python3.12.exe`.
That executable is an alias of an application (an empty file with a reparse point), and the only way to run it: the directory of
the package, which the registry names, is closed. Files read: those of the package where they can be, else its name, which
tells the exact version. Place in the table: before `windows_registry`, where the same Pythons are, and before `path`, which passes
`WindowsApps` over. Without such a package `python.exe` and `python3.exe` there are stubs that open the Store; they are given as broken
interpreters with the problem "stub". Limits: an architecture is told by the package's name alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from packaging.version import Version

from ...models.environment import Environment
from ...system import registry
from ...system.spelling import within
from ..placeholders import shims_in, stub
from ..places import at_home, stated

if TYPE_CHECKING:
    from ...system.look import Look

NAME: Final = "windows-store"
KINDS: Final = frozenset({"interpreter"})

_FAMILY = "PythonSoftwareFoundation.Python."
_MANAGER = "PythonSoftwareFoundation.PythonManager_"
_MODEL = "HKEY_CURRENT_USER\\Software\\Classes\\Local Settings\\Software\\Microsoft\\Windows\\CurrentVersion\\AppModel"
_MACHINES = {"x64": "x86_64", "x86": "i686", "arm64": "aarch64", "arm": "armv7l"}
_PHASES = {0xA: "a", 0xB: "b", 0xC: "rc"}


class Package(NamedTuple):
    """One package: its minor version, its directory among the aliases, its full name ("" if unknown), and where it is installed."""

    minor: str
    aliases: str
    full: str
    prefix: str


def candidates(look: Look, roots: tuple[str, ...]) -> Iterator[str]:
    """Yield the alias of each installed package, then what else is called like an interpreter there."""
    directory = _directory(look)
    if directory is None:
        return
    for package in _packages(look):
        yield within(directory, f"python{package.minor}.exe")
    for name in ("python.exe", "python3.exe"):
        if name in look.names(directory):
            yield within(directory, name)


def identify(look: Look, candidate: str) -> Environment | None:
    """Return the package that an alias, the package's directory or an executable in it belongs to; a stub where there is none."""
    directory = _directory(look)
    if directory is None:
        return None
    candidate = look.tidy(candidate)
    parent, name = os.path.split(candidate)
    packages = _packages(look)
    for package in packages:
        if candidate in {package.prefix, package.aliases} or parent in {package.prefix, package.aliases}:
            return _described(look, directory, package)
    if candidate == directory and not packages:
        return _other(look, directory, packages)
    if parent != directory or name.lower() not in look.remember("names of aliases", lambda: _lowered(look, directory)):
        return None
    minor = name.lower().removeprefix("python").removesuffix(".exe")
    for package in packages:
        if minor == package.minor or (len(packages) == 1 and minor in {"", package.minor.partition(".")[0]}):
            return _described(look, directory, package)
    return _other(look, directory, packages)


def _lowered(look: Look, directory: str) -> frozenset[str]:
    return frozenset(name.lower() for name in look.names(directory) if name.lower().startswith("python") and name.lower().endswith(".exe"))


def _other(look: Look, directory: str, packages: tuple[Package, ...]) -> Environment | None:
    """Return what an alias is that belongs to no package: the Install Manager's, one of several packages', or a stub."""
    if packages or any(name.startswith(_MANAGER) for name in look.names(directory)):
        return shims_in(look, directory, "windows-store" if packages else "pymanager")
    others = tuple(within(directory, name) for name in ("python.exe", "python3.exe") if name in look.names(directory))
    if not others:
        return None
    return stub(
        look,
        others[0],
        NAME,
        message=f"{others[0]} only offers to install Python from the Microsoft Store",
        hint="install Python from python.org or the Store, or turn the alias off under Settings, Apps, App execution aliases",
        others=others[1:],
    )


def _described(look: Look, directory: str, package: Package) -> Environment:
    version, machine = _said(package.full)
    library = within(package.prefix, "Lib")
    python = within(directory, f"python{package.minor}.exe")
    names = dict.fromkeys((f"python{package.minor}.exe", f"python{package.minor.partition('.')[0]}.exe", "python.exe"))
    places = (directory, package.aliases, package.prefix) if len(_packages(look)) == 1 else (package.aliases, package.prefix)
    inside = (within(place, name) for place in places for name in names if name in look.names(place))
    return Environment(
        prefix=Path(package.prefix),
        kind="interpreter",
        manager=NAME,
        python=Path(python),
        version=version or Version(package.minor),
        version_source=package.prefix if version else package.aliases,
        implementation="cpython",
        architecture=machine,
        free_threaded=False,
        aliases=tuple(dict.fromkeys(Path(path) for path in inside if path != python)),
        externally_managed=look.is_file(within(library, "EXTERNALLY-MANAGED")) if look.is_directory(library) else None,
    )


def _said(full: str) -> tuple[Version | None, str | None]:
    """Return version and architecture that a package's full name tells: in `3.12.1264.0` 1264 is 4 * 256 + 0xF0, the final 3.12.4."""
    parts = full.removeprefix(_FAMILY).split("_")
    numbers = parts[1].split(".") if len(parts) > 2 else []
    machine = _MACHINES.get(parts[2].lower()) if len(parts) > 2 else None
    if len(numbers) < 3 or not all(number.isascii() and number.isdigit() and len(number) < 6 for number in numbers):
        return None, machine
    micro, level = divmod(int(numbers[2]), 256)
    phase = _PHASES.get(level >> 4)
    if phase is None and level >> 4 != 0xF:
        return None, machine
    return Version(f"{numbers[0]}.{numbers[1]}.{micro}" + (f"{phase}{level & 0xF}" if phase else "")), machine


def _packages(look: Look) -> tuple[Package, ...]:
    return look.remember("store packages", lambda: tuple(_read(look)))


def _read(look: Look) -> Iterator[Package]:
    """Yield the packages, newest first."""
    directory = _directory(look) or ""
    names = look.names(directory)
    found: list[tuple[list[int], Package]] = []
    for name in names:
        minor = name.removeprefix(_FAMILY).partition("_")[0]
        if (
            not name.startswith(_FAMILY)
            or minor.count(".") != 1
            or not minor.replace(".", "").isdigit()
            or f"python{minor}.exe" not in names
        ):
            continue
        aliases = within(directory, name)
        full = registry.values(look, f"{_MODEL}\\SystemAppData\\{name}\\Schemas").get("packagefullname", "")
        stated_root = registry.values(look, f"{_MODEL}\\Repository\\Packages\\{full}").get("packagerootfolder", "") if full else ""
        prefix = look.tidy(look.place(stated_root)) if stated_root else _installed_at(look, name)
        numbers = [int(part) for part in minor.split(".")]
        found.append((numbers, Package(minor, aliases, full or os.path.basename(prefix or ""), prefix or aliases)))
    for _, package in sorted(found, key=lambda item: item[0], reverse=True):
        yield package


def _installed_at(look: Look, family: str) -> str | None:
    """Return the directory of a package by its name, where the registry does not say it and the parent can be listed."""
    parent = os.path.join(stated(look, "ProgramFiles") or look.place("C:\\Program Files"), "WindowsApps")
    application, _, publisher = family.partition("_")
    names = [name for name in look.names(parent) if name.startswith(application + "_") and name.endswith(publisher)]
    return os.path.join(parent, names[-1]) if names else None


def _directory(look: Look) -> str | None:
    def find() -> str | None:
        if not look.windows:
            return None
        return os.path.join(stated(look, "LOCALAPPDATA") or at_home(look, "AppData", "Local"), "Microsoft", "WindowsApps")

    return look.remember("aliases of applications", find)
