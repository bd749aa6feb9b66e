r"""Windows' registry, read only: the real one on Windows, and for a tree that stands for such a machine the file `registry.json`.

The file lies in `Host.root` and holds an object: a member whose value is an object is a key, any other member is a value, and the
default value has the name `""`. A key's name may be a path (`"HKEY_CURRENT_USER\\Software\\Python"`, as JSON writes it), or objects
stand in objects. `HKCU` and `HKLM` stand for the long names. Names are compared without regard to case. The 32-bit view is the
key `HKEY_LOCAL_MACHINE\Software\WOW6432Node`, in the file as in the real registry.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Final, TypeGuard

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .look import Look

FILE: Final = "registry.json"
_LIMIT = 64 * 1024 * 1024  # bytes
_ENTRIES = 4096  # keys or values read of one key
_DEPTH = 64  # objects in objects
_HIVES = {"hkcu": "hkey_current_user", "hklm": "hkey_local_machine", "hkcr": "hkey_classes_root"}
_Tree = dict[str, tuple[dict[str, str], dict[str, str]]]  # path in lower case: values, names of the keys below by their lower case


def values(look: Look, key: str) -> dict[str, str]:
    """Return the values of a key that are texts, by name in lower case, the default one by ""; empty where there is no such key."""
    if _is_real(look):
        return _real_values(key)
    return _tree(look).get(_normal(key), ({}, {}))[0]


def keys(look: Look, key: str) -> tuple[str, ...]:
    """Return the names of the keys below a key, sorted; empty where there is no such key."""
    if _is_real(look):
        return tuple(sorted(_real_keys(key)))
    return tuple(sorted(_tree(look).get(_normal(key), ({}, {}))[1].values()))


def _is_real(look: Look) -> bool:
    return sys.platform == "win32" and look.whole


def _normal(key: str) -> str:
    hive, slash, rest = key.lower().strip("\\").partition("\\")
    return _HIVES.get(hive, hive) + slash + rest


def _tree(look: Look) -> _Tree:
    return look.remember("registry", lambda: _read(look))


def _read(look: Look) -> _Tree:
    text = look.text(os.path.join(str(look.host.root), FILE), _LIMIT)
    if not text:
        return {}
    import json  # noqa: PLC0415 - only trees have such a file

    found: _Tree = {}
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    if _is_object(content):
        _add(found, "", content, 0)
    return found


def _is_object(value: object) -> TypeGuard[dict[str, object]]:
    return isinstance(value, dict)


def _add(found: _Tree, path: str, content: dict[str, object], depth: int) -> None:
    for name, value in content.items():
        if _is_object(value):
            below = path
            for part in filter(None, name.split("\\")):
                parent = _normal(below) if below else ""
                below = f"{below}\\{part}" if below else part
                found.setdefault(parent, ({}, {}))[1].setdefault(part.lower(), part)
            found.setdefault(_normal(below), ({}, {}))
            if depth < _DEPTH:
                _add(found, below, value, depth + 1)
        elif isinstance(value, str):
            found.setdefault(_normal(path), ({}, {}))[0][name.lower()] = value


def _real_values(key: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in _enumerated(key, "EnumValue"):
        if isinstance(value, str):
            found[name.lower()] = value
    return found


def _real_keys(key: str) -> Iterator[str]:
    for name, _ in _enumerated(key, "EnumKey"):
        yield name


def _enumerated(key: str, function: str) -> Iterator[tuple[str, object]]:
    """Yield name and value of what a key of the real registry holds, as the 64-bit view shows it."""
    from importlib import import_module  # noqa: PLC0415 - only on Windows

    winreg: Any = import_module("winreg")
    hive, _, rest = _normal(key).partition("\\")
    try:
        opened = winreg.OpenKey(getattr(winreg, hive.upper()), rest, 0, winreg.KEY_READ | winreg.KEY_WOW64_64KEY)
    except (OSError, AttributeError):
        return
    with opened:
        for number in range(_ENTRIES):
            try:
                entry = getattr(winreg, function)(opened, number)
            except OSError:
                return
            yield (entry, None) if isinstance(entry, str) else (entry[0], entry[1])
