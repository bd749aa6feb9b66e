"""Text files of conda packages: `@EXPLICIT` ones, which name each package file, and lists of match specs. Text in, values out, and back.

Source: CEP 23, "Text spec input files"; `conda list --explicit` and `conda list --export` for what is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from .conda_url import package_file, shown
from .variables import expanded

LIMIT: Final = 16 * 1024 * 1024  # bytes
MARK: Final = "@EXPLICIT"
_LINE: Final = re.compile(r"(?P<url>.+?(?:\.tar\.bz2|\.conda))(?:#(?:(?P<md5>[0-9a-fA-F]{32})|(?:sha256:)?(?P<sha256>[0-9a-fA-F]{64})))?")
_PLATFORM: Final = re.compile(r"#\s*platform:\s*(?P<platform>[a-z0-9-]+)\s*")
_HEAD: Final = re.compile(r"#\s*\$\s*(?:conda|mamba|micromamba) create\b.*--file\b", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageUrl:
    """One line: where a package file is, as a URL or a path, and what it must be. Hashes are lower-case hexadecimal."""

    url: str
    md5: str | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explicit:
    """What an explicit file says: its packages in the order in which they are to be linked, and the platform that a comment names."""

    packages: tuple[PackageUrl, ...]
    platform: str | None = None


def is_explicit(text: str) -> bool:
    """Say whether a text is an explicit file: one line says so."""
    return any(line.strip() == MARK for line in text.splitlines())


def is_list(text: str) -> bool:
    """Say whether a text is a list of match specs that conda wrote: a requirements file looks the same but for its head."""
    return _HEAD.search(text[:4096]) is not None


def load(text: str, environ: Mapping[str, str] | None = None, *, home: str = "", windows: bool = False) -> Explicit:
    """Return what an explicit file says.

    Args:
        environ: variables that stand in its lines, with `home` for a leading `~`.

    Raises:
        ValueError: it is no such file, or a line is not allowed; the text names the line and shows no credentials.
    """
    if not is_explicit(text):
        raise ValueError(f"it has no line {MARK}")
    found: list[PackageUrl] = []
    platform: str | None = None
    for number, line in enumerate(map(str.strip, text.splitlines()), 1):
        if match := _PLATFORM.fullmatch(line):
            platform = platform or match["platform"]
        if not line or line.startswith("#") or line == MARK:
            continue
        found.append(_package(expanded(line, environ or {}, home=home, windows=windows), number))
    return Explicit(packages=tuple(found), platform=platform)


def _package(line: str, number: int) -> PackageUrl:
    match = _LINE.fullmatch(line)
    if match is None:
        what = "has a hash that is neither MD5 nor SHA256" if re.search(r"\.(tar\.bz2|conda)#", line) else "names no package file"
        raise ValueError(f"line {number} {what}: {shown(line)!r}")
    try:
        package_file(match["url"])
    except ValueError as error:
        raise ValueError(f"line {number}: {error}") from error
    md5, sha256 = match["md5"], match["sha256"]
    return PackageUrl(url=match["url"], md5=md5 and md5.lower(), sha256=sha256 and sha256.lower())


def dump(packages: Iterable[PackageUrl], *, platform: str | None = None) -> str:
    """Return the text of an explicit file; of the hashes of a package the stronger one is written.

    Args:
        packages: in the order in which they are to be linked, with URLs.
        platform: the subdirectory that they are for.
    """
    head = ["# This file may be used to create an environment using:", "# $ conda create --name <env> --file <this file>"]
    if platform is not None:
        head.append(f"# platform: {platform}")
    lines = [package.url + (f"#{package.sha256 or package.md5}" if package.sha256 or package.md5 else "") for package in packages]
    return "".join(f"{line}\n" for line in [*head, MARK, *lines])


def match_specs(text: str) -> tuple[str, ...]:
    """Return the match specs of a file that is not explicit, in its order."""
    lines = (line.strip() for line in text.splitlines())
    return tuple(line.partition(" #")[0].strip() for line in lines if line and not line.startswith("#"))
