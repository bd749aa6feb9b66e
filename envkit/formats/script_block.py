"""The block of TOML at the head of a script that says which Python it needs and what it imports. Text in, values out.

Source: PEP 723, "Inline script metadata" (packaging.python.org): its reference pattern, and that several blocks of one type are
an error.
"""

from __future__ import annotations

import re
import tomllib
from typing import Final

LIMIT: Final = 1024 * 1024  # bytes of a script that are looked at

_BLOCK: Final = re.compile(r"(?m)^# /// script$\s(?P<content>(^#(| .*)$\s)+)^# ///$")


def load(text: str) -> dict[str, object] | None:
    """Return what the block says; None when the script has none, more than one, or one that is no TOML."""
    found = list(_BLOCK.finditer(text.replace("\r\n", "\n")))
    if len(found) != 1:
        return None
    lines = found[0]["content"].splitlines()
    try:
        return tomllib.loads("\n".join(line.removeprefix("# ") if line.startswith("# ") else line[1:] for line in lines))
    except tomllib.TOMLDecodeError:
        return None


def requires_python(block: dict[str, object]) -> str | None:
    """Return the range of Pythons that a block asks for; None where it does not."""
    stated = block.get("requires-python")
    return stated if isinstance(stated, str) else None
