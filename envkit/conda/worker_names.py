"""The name in a match spec, by its text alone: for the parent and the worker, neither of which needs more of it here."""

from __future__ import annotations

import re

_NAME = re.compile(r"^(?:[^\[\s]*::)?([A-Za-z0-9_][A-Za-z0-9_.-]*)")


def name_of(spec: str) -> str:
    """Return the normalized name that a match spec begins with; "" where it begins with none."""
    match = _NAME.match(spec)
    return match[1].lower() if match else ""
