"""Paths as they are spelled: what `os.path` says of a path without `.`, `..` and doubled slashes, in a quarter of its time.

A search asks some thousand times what lies in a directory, and in which directory something lies.
"""

from __future__ import annotations

import os

_WINDOWS = os.name == "nt"


def within(directory: str, name: str) -> str:
    """Return the path of a name in a directory. `name` may be several, but never an absolute path."""
    if _WINDOWS:
        return os.path.join(directory, name)
    return f"{directory}/{name}" if directory[-1:] != "/" else directory + name


def parent_of(path: str) -> str:
    """Return the directory that a path lies in."""
    return os.path.dirname(path) if _WINDOWS else path.rpartition("/")[0] or path[:1]


def name_of(path: str) -> str:
    """Return the name of a path in its directory."""
    return os.path.basename(path) if _WINDOWS else path.rpartition("/")[2]
