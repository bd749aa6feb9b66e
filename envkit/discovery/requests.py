"""Requests for a Python: text in, something that can be asked about an environment out.

The grammar is what users of uv, virtualenv and tox type: `3`, `3.12`, `3.12.4`, `>=3.11,<3.14`, `cp312`, `cpython@3.12`, `pypy`,
`pypy3.10`, `python3.12`, `3.13t`, `3.14rc`, `3.14rc1`, `3.12-64`, `cpython-3.12-linux-x86_64`, `3.12+debug`. Whatever does not
fit is a name; tox's `py312` and virtualenv's `312` may be one, and are requests only where nothing is called so (`spoken`).

A request never means a pre-release, a debug build or a free-threaded build unless it says so.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

    from ..models.environment import Environment

_IMPLEMENTATIONS: Final = {"python": None, "cpython": "cpython", "cp": "cpython", "pypy": "pypy", "graalpy": "graalpy"}
_VERSION: Final = r"(?P<number>\d(?:\d{1,2})?(?:\.\d{1,3}){0,2})(?:(?P<phase>a|b|rc)(?P<serial>\d{0,3}))?"
_FLAGS: Final = r"(?P<flags>t?d?)(?:\+(?P<words>freethreaded|debug|freethreaded\+debug|debug\+freethreaded|gil))?"
_PLAIN: Final = rf"(?:(?P<word>python|cpython|cp|pypy|graalpy)(?:[@-])?)?(?:{_VERSION}{_FLAGS})?(?:-(?P<bits>32|64))?"
_KEY: Final = rf"(?P<word>cpython|pypy|graalpy)-{_VERSION}{_FLAGS}-(?P<system>linux|macos|darwin|windows|any)(?:-(?P<machine>[a-z0-9_]+)(?:-(?P<libc>[a-z0-9]+))?)?"
_RANGE: Final = r"(?:(?P<word>python|cpython|pypy|graalpy)@?)?(?P<range>(?:~=|==|!=|<=|>=|<|>).+)"
_COMPACT: Final = r"(?P<major>[23])(?P<minor>\d{1,2})"  # cp312, pypy310
_SPOKEN: Final = r"(?P<word>py|pp|cpython|pypy)?(?P<major>[23])(?:\.?(?P<minor>\d{1,2}))?(?P<rest>t?(?:-(?:32|64))?)"
_SYSTEMS: Final = {"linux": "linux", "macos": "darwin", "darwin": "darwin", "windows": "win32"}  # as `sys.platform` says it
_MACHINES: Final = {"amd64": "x86_64", "x64": "x86_64", "arm64": "aarch64", "x86": "i686", "i386": "i686"}
_SMALL: Final = frozenset({"i686", "armv7l", "ppc", "mips"})  # of 32 bits
_LONGEST: Final = 200  # characters


class Request:
    """What was asked for. `str(request)` is the text that asked; two of the same text are equal."""

    __slots__ = (
        "bits", "debug", "free_threaded", "implementation", "machine", "musl", "number", "phase", "serial", "specifiers", "system", "text",
    )  # fmt: skip

    def __init__(
        self,
        text: str,
        *,
        implementation: str | None = None,
        number: tuple[int, ...] = (),
        phase: str | None = None,
        serial: int | None = None,
        free_threaded: bool = False,
        debug: bool = False,
        bits: int | None = None,
        machine: str | None = None,
        system: str | None = None,
        musl: bool = False,
        specifiers: SpecifierSet | None = None,
    ) -> None:
        """Keep the parts; those that are None or empty exclude nothing."""
        self.text = text
        self.implementation = implementation
        self.number = number
        self.phase = phase
        self.serial = serial
        self.free_threaded = free_threaded
        self.debug = debug
        self.bits = bits
        self.machine = machine
        self.system = system
        self.musl = musl
        self.specifiers = specifiers

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Request({self.text!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Request) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    def runs_on(self, platform: str) -> bool:
        """Say whether what was asked for can be on such a system, as `sys.platform` calls it."""
        return self.system is None or platform.startswith(self.system)

    def allows(self, env: Environment) -> bool | None:
        """Say whether an environment is what was asked for; None when what is known of it does not decide that.

        One without Python, or whose Python is gone, is not, nor is a shim, or what is left of one. `3.12` means any 3.12; `3.12.4` that one; a range means what PEP 440
        means by it.
        """
        if env.python is None or (env.kind == "interpreter" and env.problem is not None and env.version is None):
            return False
        answers = [self._fits_build(env), self._fits_machine(env), self._fits_version(env.version)]
        if False in answers:
            return False
        return None if None in answers else True

    def _fits_build(self, env: Environment) -> bool | None:
        if self.implementation is not None and env.implementation is not None and env.implementation != self.implementation:
            return False
        if (env.free_threaded or False) is not self.free_threaded and not (env.free_threaded is None and self.free_threaded):
            return False
        if is_debug(env) is not self.debug and env.kind != "venv":  # what a virtual environment stands on cannot be told by its name
            return False
        unknown = (self.implementation is not None and env.implementation is None) or (self.free_threaded and env.free_threaded is None)
        return None if unknown or (self.debug and env.kind == "venv") else True

    def _fits_machine(self, env: Environment) -> bool | None:
        if self.musl and not any("-musl" in str(place) for place in (env.prefix, env.base)):
            return None  # only uv's names tell; an executable of glibc must not be taken for one
        if self.machine is None and self.bits is None:
            return True
        if env.architecture is None:
            return None
        if self.machine is not None and env.architecture != self.machine:
            return False
        return self.bits is None or (32 if env.architecture in _SMALL else 64) == self.bits

    def _fits_version(self, version: Version | None) -> bool | None:
        if version is None:
            return None if self.number or self.specifiers is not None else True
        if self.specifiers is not None:
            return _fits_range(self.specifiers, version)
        release = version.release
        if release[: len(self.number)] != self.number[: len(release)]:
            return False
        if self.phase is not None:
            if len(release) < 3:
                return None
            return version.pre is not None and version.pre[0] == self.phase and self.serial in {None, version.pre[1]}
        if version.is_prerelease:
            return False
        return None if len(self.number) > len(release) else True


def _fits_range(specifiers: SpecifierSet, version: Version) -> bool | None:
    """Say whether a range holds a version; of one of which only the minor is known, whether it holds all or none of that minor."""
    from packaging.version import Version  # noqa: PLC0415 - only where a request is a range

    asked = any(_is_prerelease(specifier.version) for specifier in specifiers)
    if len(version.release) > 2:
        return specifiers.contains(version, prereleases=asked)
    ends = [specifiers.contains(Version(f"{version}.{patch}"), prereleases=asked) for patch in (0, 9999)]
    within = any(_names_patch_of(specifier.version, version) for specifier in specifiers)
    return None if within or ends[0] is not ends[1] else ends[0]


def _is_prerelease(text: str) -> bool:
    return any(character in text for character in "abr")


def _names_patch_of(text: str, version: Version) -> bool:
    parts = text.removesuffix(".*").split(".")
    return len(parts) > 2 and parts[:2] == [str(number) for number in version.release[:2]]


def is_debug(env: Environment) -> bool:
    """Say whether an interpreter is a debug build, which its executable's name tells: `python3.12d`."""
    from .executables import read_name  # noqa: PLC0415 - loaded already where anything was found

    name = read_name(env.python.name.removesuffix(".exe")) if env.python is not None else None
    return name is not None and "d" in name.flags


def parse(text: str) -> Request | None:
    """Return the request that a text is; None when it does not fit the grammar, so that it is a name."""
    text = text.strip()
    if not text or len(text) > _LONGEST or not text.isascii():
        return None
    if match := re.fullmatch(_KEY, text, re.IGNORECASE):
        machine = (match["machine"] or "any").lower()
        return _request(
            text,
            match,
            machine=None if machine == "any" else _MACHINES.get(machine, machine),
            system=_SYSTEMS.get(match["system"].lower()),
            musl=(match["libc"] or "").lower() == "musl",
        )
    if match := re.fullmatch(_RANGE, text, re.IGNORECASE | re.DOTALL):
        return _range(text, match)
    if match := re.fullmatch(_PLAIN, text, re.IGNORECASE):
        return _request(text, match)
    return None


def spoken(text: str) -> Request | None:
    """Return the request that a text is in the spelling of tox's environments or virtualenv's `-p`: `py312`, `py3.12`, `pp310`, `312`."""
    match = re.fullmatch(_SPOKEN, text.strip(), re.IGNORECASE)
    if match is None:
        return None
    word = {"py": "", "pp": "pypy"}.get((match["word"] or "").lower(), match["word"] or "")
    minor = f".{match['minor']}" if match["minor"] else ""
    return parse(f"{word}{match['major']}{minor}{match['rest']}")


def _range(text: str, match: re.Match[str]) -> Request | None:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415 - only where a request is a range

    try:
        specifiers = SpecifierSet(match["range"])
    except InvalidSpecifier:
        return None
    return Request(text, implementation=_IMPLEMENTATIONS[(match["word"] or "python").lower()], specifiers=specifiers)


def _request(
    text: str, match: re.Match[str], *, machine: str | None = None, system: str | None = None, musl: bool = False
) -> Request | None:
    """Return the request of a match; None for what is only a separator, a lone `-64` or `cp`, or a number that no Python has."""
    parts = match.groupdict()
    word, number = (parts["word"] or "").lower(), parts["number"] or ""
    if not (word.removeprefix("cp") or number) or text.endswith(("@", "-")):
        return None
    if len(number.split(".")[0]) > 1 and not (word and re.fullmatch(_COMPACT, number)):
        return None  # "312" alone may as well be a name
    words = (parts["words"] or "").lower().split("+")
    return Request(
        text,
        implementation=_IMPLEMENTATIONS[word or "python"],
        number=_numbers(number, word) if number else (),
        phase=parts["phase"].lower() if parts["phase"] else None,
        serial=int(parts["serial"]) if parts["serial"] else None,
        free_threaded="t" in (parts["flags"] or "").lower() or "freethreaded" in words,
        debug="d" in (parts["flags"] or "").lower() or "debug" in words,
        bits=int(bits) if (bits := parts.get("bits")) else None,
        machine=machine,
        system=system,
        musl=musl,
    )


def _numbers(text: str, word: str) -> tuple[int, ...]:
    """Return the numbers of a version; those of a tag are written together: cp312 means 3.12."""
    if word and (match := re.fullmatch(_COMPACT, text)):
        return int(match["major"]), int(match["minor"])
    return tuple(map(int, text.split(".")))
