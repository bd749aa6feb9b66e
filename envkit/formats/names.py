"""What may be a name of an environment or a kernel: one rule for both.

A name becomes a directory, a word on a command line and a part of notebooks that travel, so the rule is the one that every
platform and Jupyter accept: 1 to 64 ASCII letters, digits, `.`, `_`, `-`, beginning and ending with a letter or digit, and no
Windows device name. Names are compared without case. Jupyter's own rule is no protection: it lets `..` through.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from ..errors import UsageError

LONGEST: Final = 64  # characters
_ALLOWED: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?")
_DEVICE: Final = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)


def checked_name(text: str, *, what: str) -> str:
    """Return `text` if it is allowed as a name.

    Args:
        text: the name as the caller gave it; it is returned as it is, in its own case.
        what: what is named, for the error: "environment", "kernel".

    Raises:
        UsageError: it is not allowed (code "name"); the hint proposes a spelling that is.
    """
    if is_name(text):
        return text
    if not text:
        reason = "it is empty"
    elif len(text) > LONGEST:
        reason = f"it has {len(text)} characters, {LONGEST} are allowed"
    elif _DEVICE.fullmatch(text):
        reason = "Windows has a device of that name"
    elif re.fullmatch(r"[A-Za-z0-9._-]+", text):
        reason = "it must begin and end with a letter or digit"
    else:
        reason = "only ASCII letters, digits, '.', '_' and '-' are allowed"
    shown = text if len(text) <= LONGEST else text[:LONGEST] + "..."
    raise UsageError(f"{shown!r} is not allowed as {what} name: {reason}", code="name", hint=f"for example {proposed_name(text)!r}")


def is_name(text: str) -> bool:
    """Say whether `text` is allowed as a name."""
    return _ALLOWED.fullmatch(text) is not None and _DEVICE.fullmatch(text) is None


def proposed_name(text: str, *, default: str = "demo") -> str:
    """Return an allowed name that reads like `text`; `default` where nothing of it can be kept."""
    plain = unicodedata.normalize("NFKD", text[:1000]).encode("ascii", "ignore").decode()
    words = re.sub(r"[^A-Za-z0-9._]+", "-", plain)[:LONGEST]
    name = re.sub(r"^[^A-Za-z0-9]+|[^A-Za-z0-9]+$", "", words)
    if _DEVICE.fullmatch(name):
        name = f"my-{name}"[:LONGEST].rstrip("._-")
    return name or default
