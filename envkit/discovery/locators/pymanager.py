r"""The Python Install Manager for Windows: one directory per installed Python.

Marks: `__install__.json` in a directory of `%LOCALAPPDATA%\Python`, such as `pythoncore-3.14-64`. Files read: as for any interpreter;
that file where they tell the minor only. Place in the table: before `windows_registry`, where it registers its Pythons. The executables in
`%LOCALAPPDATA%\Python\bin` pick one of them and are told by `shims`. Limits: a directory that its configuration names instead is
found by the registry, under that name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from packaging.version import InvalidVersion, Version

from ...system.spelling import within
from ..places import user_data
from ..recognition import directory_of, installed, owned
from ..versions import numbers

if TYPE_CHECKING:
    from ...models.environment import Environment
    from ...system.look import Look

NAME: Final = "pymanager"
KINDS: Final = frozenset({"interpreter"})

_MARK = "__install__.json"
_LIMIT = 4 * 1024 * 1024  # bytes


def candidates(look: Look, roots: tuple[str, ...]) -> Iterator[str]:
    """Yield the directories that hold its mark, newest first."""
    if look.windows:
        directory = user_data(look, "Python")
        for name in sorted(look.names(directory), key=numbers, reverse=True):
            if _MARK in look.names(within(directory, name)):
                yield within(directory, name)


def identify(look: Look, candidate: str) -> Environment | None:
    """Return the interpreter if it lies among those of the Install Manager, by its directory's name."""
    if not look.windows:
        return None
    found = installed(look, candidate)
    if found is None or directory_of(found) != user_data(look, "Python") or _MARK not in look.names(str(found.prefix)):
        return None
    mark = within(str(found.prefix), _MARK)
    if found.version is not None and len(found.version.release) < 3:
        exact = _stated(look, mark)
        if exact is not None and exact.release[:2] == found.version.release:
            found = replace(found, version=exact, version_source=mark)
    return owned(found, NAME, name=found.prefix.name)


def _stated(look: Look, mark: str) -> Version | None:
    """Return the exact version that the mark's `sort-version` tells; None where it tells none."""
    import json  # noqa: PLC0415 - only where such a file is met

    try:
        said = json.loads(look.text(mark, _LIMIT) or "")
        found = Version(str(said["sort-version"]))
    except (ValueError, KeyError, TypeError, RecursionError, InvalidVersion):
        return None
    return found if len(found.release) == 3 else None
