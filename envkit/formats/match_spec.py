"""Match specs, conda's requirements: text in, a value out that says which packages it means.

The grammar is the embedded solver's lenient one, which is conda's but for oddities: "numpy", "numpy=2.1" (2.1 and what begins
with it), "numpy 2.1" and "numpy==2.1" (that alone), "numpy>=2,<3", "numpy 2.1 py312*", "conda-forge::numpy", "numpy[build=py*]",
the URL or path of a package file. Which packages are meant must be said here exactly as there, for it decides whether anything is
to be done.

Source: CEP 29; rattler_conda_types' match_spec/parse.rs; conda's models/match_spec.py.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from ..models.mapping import EMPTY, freeze
from . import conda_url
from .conda_range import VersionRange, version_range
from .match_spec_parts import HASH, quoted, version_and_build, without_brackets, without_comment

_NAME: Final = re.compile(r"[A-Za-z0-9_.\-]+")
_NAME_END: Final = re.compile(r"[\s=<>!~]")
_PLAIN_BUILD: Final = re.compile(r"[A-Za-z0-9_*.+]+")
_BUILD_NUMBER: Final = re.compile(r"(==|!=|<=|>=|<|>)?([0-9]{1,18})")
_HEX: Final = {"md5": re.compile("[0-9a-fA-F]{32}"), "sha256": re.compile("[0-9a-fA-F]{64}")}
_OWN: Final = frozenset({"version", "build", "build_number", "channel", "subdir", "url", "md5", "sha256", "fn"})
_OTHERS: Final = frozenset({"license", "license_family", "track_features", "features", "namespace", "extras", "flags", "when"})
_LONGEST: Final = 16 * 1024  # characters
_OPERATORS: Final[Mapping[str, Callable[[int, int], bool]]] = {
    "": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}


class Candidate(Protocol):
    """A package that a match spec may mean: a record of an environment, a channel or a lock."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def build(self) -> str: ...
    @property
    def build_number(self) -> int: ...
    @property
    def channel(self) -> str: ...
    @property
    def subdir(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def filename(self) -> str: ...
    @property
    def md5(self) -> str | None: ...
    @property
    def sha256(self) -> str | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchSpec:
    """A match spec. `str` gives its canonical form, which both engines read and which never shows credentials.

    others: keys in brackets that say nothing of an installed package by itself: license, when, extras, ...
    """

    name: str
    version: VersionRange | None = None
    build: str | None = None
    build_number: str | None = None
    channel: str | None = None
    subdir: str | None = None
    url: str | None = None
    filename: str | None = None
    md5: str | None = None
    sha256: str | None = None
    others: Mapping[str, str] = EMPTY

    def __post_init__(self) -> None:
        """Keep the mapping immutable."""
        freeze(self, mappings=("others",))

    @property
    def virtual(self) -> bool:
        """Whether it means a virtual package, such as `__glibc`, which no environment holds."""
        return self.name.startswith("__")

    @property
    def by_name(self) -> bool:
        """Whether name, version and build, which a record's file name tells, decide alone."""
        given = (self.build_number, self.channel, self.subdir, self.url, self.filename, self.md5, self.sha256)
        return all(value is None for value in given)

    def fits(self, name: str, version: str, build: str) -> bool:
        """Say whether the parts of a record's file name are meant; see `by_name` for whether that is all there is to ask."""
        return (
            name.lower() == self.name
            and (self.version is None or self.version.holds(version))
            and (self.build is None or _is_like(self.build, build))
        )

    def matches(self, found: Candidate) -> bool:
        """Say whether a package is one of those that are meant."""
        return (
            self.fits(found.name, found.version, found.build)
            and (self.build_number is None or _holds(self.build_number, found.build_number))
            and (self.channel is None or is_of_channel(found.channel, found.url, self.channel))
            and (self.subdir is None or self.subdir == found.subdir)
            and (self.url is None or self.url == _plain(found.url))
            and (self.filename is None or self.filename == found.filename)
            and (self.md5 is None or self.md5 == found.md5)
            and (self.sha256 is None or self.sha256 == found.sha256)
        )

    def __str__(self) -> str:
        if self.url is not None and self.version is None and self.build is None:
            return self.url + (f"#{self.md5}" if self.md5 else f"#sha256:{self.sha256}" if self.sha256 else "")
        plain = self.build is None or _PLAIN_BUILD.fullmatch(self.build)
        words = [self.name]
        if self.version is not None or (self.build is not None and plain):
            words.append(str(self.version or "*"))
        if self.build is not None and plain:
            words.append(self.build)
        fields: dict[str, str | None] = {
            "build": None if plain else self.build,
            "build_number": self.build_number,
            "url": self.url,
            "fn": self.filename,
            "md5": self.md5,
            "sha256": self.sha256,
            **self.others,
        }
        place = "/".join(part for part in (self.channel, self.subdir) if part) if self.channel else ""
        if not self.channel:
            fields["subdir"] = self.subdir
        said = ",".join(f"{key}={quoted(value)}" for key, value in fields.items() if value is not None)
        return (f"{place}::" if place else "") + " ".join(words) + (f"[{said}]" if said else "")


def parse(text: str) -> MatchSpec:
    """Return what a match spec says.

    Raises:
        ValueError: it is none; the text says what is wrong, without what it may hold of credentials.
    """
    if len(text) > _LONGEST:
        raise ValueError("it is too long")
    if any(character in text for character in "\0\n\r"):
        raise ValueError("it has more than one line")
    rest, fields = without_brackets(without_comment(text).strip())
    known = _fields(fields)
    if "::" not in rest and (conda_url.has_scheme(rest) or _is_absolute(rest)):
        return _of_file(rest, known)
    head, sign, rest = rest.rpartition(":")
    channel = head.rpartition(":")[0] if sign else ""
    end = _NAME_END.search(rest.strip())
    name = rest.strip()[: end.start()] if end else rest.strip()
    if not name:
        raise ValueError("it names no package")
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a package")
    version, build = version_and_build(rest.strip()[len(name) :].strip())
    found = None if version is None else version_range(version)
    place, subdir = _place(channel) if channel else (None, None)
    return MatchSpec(
        name=name.lower(),
        version=known.version or found,
        build=known.build if known.build is not None else None if build is None else _checked_build(build),
        build_number=known.build_number,
        channel=known.channel or place,
        subdir=known.subdir or subdir,
        url=known.url,
        filename=known.filename,
        md5=known.md5,
        sha256=known.sha256,
        others=known.others,
    )


def is_of_channel(channel: str, url: str, wanted: str) -> bool:
    """Say whether a package came from a channel.

    Args:
        channel: what its record says: a name or a URL, with or without a platform's directory and credentials.
        url: its file's URL; empty if unknown.
        wanted: the channel's name or URL. A name is that of the end of a URL, for what stands before it is configured.
    """
    bases = {_base(channel), _base(url.rpartition("/")[0])} - {""}
    if conda_url.has_scheme(wanted) or _is_absolute(wanted):
        return _base(wanted if conda_url.has_scheme(wanted) else conda_url.file_url(wanted)) in bases
    wanted = wanted.strip("/")
    if wanted == "defaults":
        return any("//repo.anaconda.com/pkgs/" in base or base == "defaults" or base.startswith("pkgs/") for base in bases)
    return any(base == wanted or base.endswith(f"/{wanted}") for base in bases)


def _base(channel: str) -> str:
    """Return a channel without credentials and without a platform's directory."""
    clean = _plain(channel).rstrip("/")
    above, _, last = clean.rpartition("/")
    return above if above and last in conda_url.SUBDIRS else clean


def _plain(url: str) -> str:
    """Return a URL without credentials and without an anchor."""
    return conda_url.shown(url).partition("#")[0]


def _fields(fields: Mapping[str, str]) -> MatchSpec:
    """Return what the keys in brackets say, as a match spec without a name.

    Raises:
        ValueError: there is no such key, or a value does not fit.
    """
    if unknown := sorted(fields.keys() - _OWN - _OTHERS):
        raise ValueError(f"there is no key {unknown[0]!r}" + (": the name stands before the brackets" if unknown[0] == "name" else ""))
    for name, pattern in _HEX.items():
        if name in fields and not pattern.fullmatch(fields[name]):
            raise ValueError(f"its {name} is no hash")
    number = fields.get("build_number")
    if number is not None and not _BUILD_NUMBER.fullmatch(number.replace(" ", "")):
        raise ValueError(f"{number!r} is no build number")
    place, subdir = _place(fields["channel"]) if fields.get("channel") else (None, None)
    url = fields.get("url")
    if url is not None and not conda_url.has_scheme(url):
        url = conda_url.file_url(url)
    return MatchSpec(
        name="",
        version=version_range(fields["version"]) if "version" in fields else None,
        build=_checked_build(fields["build"]) if "build" in fields else None,
        build_number=None if number is None else number.replace(" ", ""),
        channel=place,
        subdir=fields.get("subdir", subdir),
        url=None if url is None else _plain(url),
        filename=fields.get("fn"),
        md5=fields["md5"].lower() if "md5" in fields else None,
        sha256=fields["sha256"].lower() if "sha256" in fields else None,
        others={key: fields[key] for key in sorted(fields.keys() & _OTHERS)},
    )


def _place(channel: str) -> tuple[str, str | None]:
    """Return a channel without credentials, and the platform's directory that it ends in."""
    clean = _plain(channel.strip()).rstrip("/")
    above, _, last = clean.rpartition("/")
    return (above, last) if above and last in conda_url.SUBDIRS else (clean, None)


def _of_file(text: str, known: MatchSpec) -> MatchSpec:
    """Return the match spec of a package file; what its URL says beside the name is not relied upon."""
    url, _, anchor = text.partition("#")
    url = url if conda_url.has_scheme(url) else conda_url.file_url(url)
    hashed = anchor.strip().lower() if HASH.fullmatch(anchor.strip()) else ""
    return MatchSpec(
        name=conda_url.package_file(url).name,
        url=_plain(url),
        md5=known.md5 or (hashed if _HEX["md5"].fullmatch(hashed) else None),
        sha256=known.sha256 or (hashed.removeprefix("sha256:") if _HEX["sha256"].fullmatch(hashed.removeprefix("sha256:")) else None),
    )


def _is_absolute(text: str) -> bool:
    return text.startswith("/") or re.match(r"[A-Za-z]:[\\/]", text) is not None


def _checked_build(build: str) -> str:
    if build.startswith("^") and build.endswith("$"):
        try:
            re.compile(build)
        except re.error as error:
            raise ValueError(f"the regular expression of its build is none: {error}") from error
    return build


def _is_like(pattern: str, build: str) -> bool:
    """Say whether a build is meant by a build, which may have stars or be a regular expression; case is not looked at."""
    if pattern.startswith("^") and pattern.endswith("$"):
        return re.search(pattern, build, re.IGNORECASE) is not None
    if "*" in pattern:
        return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), build, re.IGNORECASE) is not None
    return pattern.lower() == build.lower()


def _holds(wanted: str, number: int) -> bool:
    found = _BUILD_NUMBER.fullmatch(wanted)
    return found is not None and _OPERATORS[found[1] or ""](number, int(found[2]))
