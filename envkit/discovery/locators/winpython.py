"""WinPython: Pythons that are carried about, on a stick or in a directory.

Marks: a directory `WPy64-31241` or one that holds `.winpython` or `winpython.ini`, and in it `python-3.12.4.amd64` or, of later ones, `python`.
Files read: as for any interpreter; the name of the directory tells the exact version. Place in the table: before `windows_registry`,
where it may be registered, and `path`. Looks into the home directory, its `WinPython` and `Downloads`, what `WINPYTHON_HOME` names, and
directories that the caller named. Limits: no drive is searched for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from packaging.version import InvalidVersion, Version

from ...system.spelling import name_of, parent_of, within
from ..places import at_home, listed
from ..recognition import installed, owned

if TYPE_CHECKING:
    from ...models.environment import Environment
    from ...system.look import Look

NAME: Final = "winpython"
KINDS: Final = frozenset({"interpreter"})

_FILES = frozenset({".winpython", "winpython.ini"})


def candidates(look: Look, roots: tuple[str, ...]) -> Iterator[str]:
    """Yield the directories of Pythons, newest WinPython first in each place."""
    if not look.windows:
        return
    usual = (at_home(look), at_home(look, "WinPython"), at_home(look, "Downloads"))
    for place in dict.fromkeys((*listed(look, "WINPYTHON_HOME"), *usual, *roots)):
        for whole in (place, *(within(place, name) for name in reversed(look.names(place)) if _is_name(name))):
            if _is_winpython(look, whole):
                for name in look.names(whole):
                    if _is_python(name):
                        yield within(whole, name)


def identify(look: Look, candidate: str) -> Environment | None:
    """Return the interpreter if it lies in a WinPython, whose directory is its name."""
    if not look.windows:
        return None
    found = installed(look, candidate)
    if found is None or found.kind != "interpreter" or not _is_python(found.prefix.name):
        return None
    whole = parent_of(str(found.prefix))
    if not _is_winpython(look, whole):
        return None
    if found.version is not None and len(found.version.release) < 3:
        exact = _version(found.prefix.name)
        if exact is not None and exact.release[:2] == found.version.release:
            found = replace(found, version=exact, version_source=str(found.prefix))
    return owned(found, NAME, name=name_of(whole))


def _is_winpython(look: Look, directory: str) -> bool:
    return _is_name(name_of(directory)) or not _FILES.isdisjoint(name.lower() for name in look.names(directory))


def _is_name(name: str) -> bool:
    """Say whether this is a name such as WPy64-31241 or WPy32-3850."""
    rest = name.lower().removeprefix("wpy")
    return rest != name.lower() and rest.removeprefix("64").removeprefix("32").lstrip("-")[:1].isdigit()


def _is_python(name: str) -> bool:
    return name.lower() == "python" or (name.lower().startswith("python-") and _version(name) is not None)


def _version(name: str) -> Version | None:
    """Return the version in `python-3.12.4.amd64`."""
    number = name.lower().removeprefix("python-").removesuffix(".amd64").removesuffix(".win32").removesuffix(".arm64")
    try:
        found = Version(number)
    except InvalidVersion:
        return None
    return found if len(found.release) == 3 else None
