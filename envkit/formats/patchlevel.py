"""`patchlevel.h`, the header in which a Python says its version: text in, version out.

It lies beside the other headers of an installation, so the exact version is known without running anything.

Source: CPython's Include/patchlevel.h; PyPy's include/pypy3.x/patchlevel.h has the same macro besides PYPY_VERSION.
"""

from __future__ import annotations

from typing import Final

NAME: Final = "patchlevel.h"
LIMIT: Final = 64 * 1024  # bytes


def load(text: str) -> str | None:
    """Return what `PY_VERSION` says, without the `+` of a checkout; None where the macro is missing."""
    for line in text.splitlines():
        if "PY_VERSION" not in line:
            continue
        words = line.split()
        if words[:2] == ["#define", "PY_VERSION"] and len(words) > 2 and words[2].startswith('"') and words[2].endswith('"'):
            return words[2].strip('"').rstrip("+") or None
    return None
