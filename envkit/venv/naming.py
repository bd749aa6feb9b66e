"""How an environment without a name is called where shells show it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

GENERIC: Final = frozenset({".venv", "venv", ".env", "env"})  # directories that are shown by their project's name


def default_prompt(prefix: Path) -> str:
    """Return the name that shells show for an environment: its directory's, or its project's where that says nothing."""
    if prefix.name.lower() in GENERIC and prefix.parent.name:
        return prefix.parent.name
    return prefix.name or str(prefix)
