"""What an installed distribution says about itself: the header of METADATA or PKG-INFO, and `requires.txt` of an egg-info.

Read with one regular expression instead of the email parser, which takes eight times as long and reads the description too.

Source: core metadata (PEP 566, 643, 685), "Recording installed projects" (packaging.python.org).
"""

from __future__ import annotations

import re

from ..value import dataclass

_HEADER_END = re.compile(rb"\r?\n\r?\n")  # a line of blanks goes on with the field above it
_FIELD = re.compile(
    r"^(name|version|requires-dist|provides-extra|requires-python):[ \t]*([^\n]*(?:\n[ \t]+[^\n]*)*)",
    re.IGNORECASE | re.MULTILINE,
)
_SEPARATORS = re.compile(r"[-_.]+")
_FOLD = re.compile(r"\s*\n[ \t]+")


@dataclass(frozen=True, slots=True)
class Metadata:
    """The header of a METADATA file, as far as it tells what is installed and what it needs."""

    name: str
    version: str
    requires: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    requires_python: str | None = None


def normalized(name: str) -> str:
    """Return a distribution's name as names are compared (PEP 503)."""
    return _SEPARATORS.sub("-", name).lower()


def ends_header(data: bytes) -> bool:
    """Say whether the bytes read so far hold the whole header."""
    return _HEADER_END.search(data) is not None


def read_metadata(data: bytes) -> Metadata:
    """Return what the header of a METADATA or PKG-INFO file says; what follows the header is not looked at.

    Raises:
        ValueError: it has no name or no version.
    """
    end = _HEADER_END.search(data)
    header = (data[: end.start()] if end else data).decode("utf-8", "replace")
    if "\r" in header:
        header = header.replace("\r\n", "\n")
    fields: dict[str, list[str]] = {"name": [], "version": [], "requires-dist": [], "provides-extra": [], "requires-python": []}
    for key, value in _FIELD.findall(header):
        fields[key.lower()].append(_FOLD.sub(" ", value) if "\n" in value else value)
    if not fields["name"] or not fields["version"]:
        raise ValueError("the header has no name or no version")
    name, version = fields["name"][0].strip(), fields["version"][0].strip()
    if not name or not version:
        raise ValueError("the name or the version is empty")
    needed = fields["requires-python"]
    return Metadata(name, version, tuple(fields["requires-dist"]), tuple(fields["provides-extra"]), needed[0] if needed else None)


def read_requires_txt(text: str) -> tuple[str, ...]:
    """Return the requirements of an egg-info's `requires.txt` as METADATA would write them.

    A section `[extra:marker]` holds for what follows it; either part may be absent.
    """
    requires: list[str] = []
    condition = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("[") and line.endswith("]"):
            extra, _, marker = line[1:-1].partition(":")
            parts = [f"({marker})"] if marker else []
            parts += [f'extra == "{extra}"'] if extra else []
            condition = " and ".join(parts)
        elif line and not line.startswith("#"):
            requires.append(f"{line} ; {condition}" if condition else line)
    return tuple(requires)


def named_directory(directory: str) -> tuple[str, str] | None:
    """Return name and version that the name of a `.dist-info` directory gives, or None if it gives none."""
    stem = directory.removesuffix(".dist-info")
    name, dash, version = stem.partition("-")
    if stem == directory or not dash or not name or not version or "-" in version or name.startswith("~"):
        return None
    return normalized(name), version
