"""What the parent and the worker both know: the name in a match spec, by its text alone, and the journal of a change."""

from __future__ import annotations

import re
from typing import Final

JOURNAL: Final = "envkit-linking"
"""File in `conda-meta`, there while packages are linked: their paths. What is left of a failed or killed change is known by it."""

_NAME = re.compile(r"^(?:[^\[\s]*::)?([A-Za-z0-9_][A-Za-z0-9_.-]*)")


def name_of(spec: str) -> str:
    """Return the normalized name that a match spec begins with; "" where it begins with none."""
    match = _NAME.match(spec)
    return match[1].lower() if match else ""
