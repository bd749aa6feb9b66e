"""`pyvenv.cfg`, the file that makes a directory a virtual environment: text in, its keys out, and back.

Source: PEP 405; CPython's site.py reads it line by line: what is left of the first `=`, stripped and in lower case, is the key;
the rest, stripped, the value; lines without `=` mean nothing; a later key replaces an earlier one. Who wrote it shows in the
keys: `virtualenv`, `uv`, neither for the standard library.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

NAME: Final = "pyvenv.cfg"
LIMIT: Final = 64 * 1024  # bytes; a larger file is none that a tool wrote

_LEVELS = {"alpha": "a", "beta": "b", "candidate": "rc", "final": ""}


def load(text: str) -> dict[str, str]:
    """Return the keys, in lower case, and their values, stripped, in the order of the file."""
    keys: dict[str, str] = {}
    for line in (text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text).split("\n"):
        key, equals, value = line.partition("=")
        if equals and (name := key.strip().lower()):
            keys[name] = value.strip()
    return keys


def dump(keys: Mapping[str, str]) -> str:
    """Return the text of a file with these keys, in their order.

    Raises:
        ValueError: a key or a value would be read back as something else: it has line breaks or blanks at its ends, or the key
            is not in lower case, is empty, or contains `=`.
    """
    for key, value in keys.items():
        if load(f"{key} = {value}\n") != {key: value}:
            raise ValueError(f"{key!r} with the value {value!r} cannot be written to pyvenv.cfg")
    return "".join(f"{key} = {value}\n" for key, value in keys.items())


def python_version(keys: Mapping[str, str]) -> str | None:
    """Return the version of the Python it was made with, as text in the manner of PEP 440; None where nothing sensible is said.

    venv writes `version = 3.12.1`, virtualenv `version_info = 3.12.1.final.0`, uv `version_info = 3.12.1` or only `3.12`.
    """
    for key in ("version_info", "version"):
        if version := _version(keys.get(key, "")):
            return version
    return None


def _version(text: str) -> str | None:
    parts = text.rstrip("+").split(".")
    if len(parts) >= 5 and parts[3] in _LEVELS and all(part.isascii() and part.isdigit() for part in (*parts[:3], parts[4])):
        level = _LEVELS[parts[3]]
        return ".".join(parts[:3]) + (f"{level}{parts[4]}" if level else "")
    if len(parts) not in {2, 3} or not (parts[0].isascii() and parts[0].isdigit()):
        return None
    if all(part.isascii() and part.isdigit() for part in parts[1:]):
        return ".".join(parts)
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 - the numbers decide first

    try:
        Version(".".join(parts))
    except InvalidVersion:
        return None
    return ".".join(parts)
