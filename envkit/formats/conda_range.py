"""conda's version ranges: text in, a yes or no for each version out.

The grammar is the embedded solver's lenient one, so that what is called satisfied here is what the solver would leave alone; beyond
it the two forms that only conda knows are read as conda reads them: a star inside (`1.*.2`) and a regular expression (`^1.*$`).

Source: CEP 29; rattler_conda_version's version_spec; conda's models/version.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final

from .conda_version import LONGEST, CondaVersion

_OPERATOR: Final = re.compile(r"[=!<>~]+")
_OPERAND: Final = re.compile(r"[\w!\-.*+]+")
_OPERATORS: Final = frozenset({"==", "!=", "<=", ">=", "<", ">", "=", "~="})
_STARS: Final = re.compile(r"\*|(?:\.\*)+")
_MANY_STARS: Final = re.compile(r"(?:\.\*)+\.?")
_DEPTH: Final = 50  # parentheses within parentheses


@dataclass(frozen=True, slots=True)
class VersionRange:
    """What a version may be. `text` is the canonical form, which all engines read; `check` answers for the version's own text."""

    text: str
    check: Callable[[str], bool]

    def holds(self, version: str) -> bool:
        """Say whether a version is in the range; one that is no version of conda is in `*` alone."""
        return self.check(version)

    def __str__(self) -> str:
        return self.text


_ANY: Final = VersionRange("*", lambda _: True)


def version_range(text: str) -> VersionRange:
    """Return what a version range says, such as ">=1.2,<2", "1.2.*" or "1.0|>=3".

    Raises:
        ValueError: it is none; the text says what is wrong.
    """
    compact = "".join(text.split())
    if not compact or len(compact) > LONGEST:
        raise ValueError("it has no version" if not compact else "it is too long")
    found, rest = _alternatives(compact, 0)
    if rest:
        raise ValueError(f"{rest!r} is not understood")
    return found


def _alternatives(text: str, depth: int) -> tuple[VersionRange, str]:
    return _joined(text, depth, "|", _conditions, any)


def _conditions(text: str, depth: int) -> tuple[VersionRange, str]:
    return _joined(text, depth, ",", _term, all)


def _joined(
    text: str,
    depth: int,
    sign: str,
    read: Callable[[str, int], tuple[VersionRange, str]],
    combine: Callable[[list[bool]], bool],
) -> tuple[VersionRange, str]:
    first, rest = read(text, depth)
    parts = [first]
    while rest.startswith(sign):
        part, rest = read(rest[1:], depth)
        parts.append(part)
    if len(parts) == 1:
        return first, rest
    inside = "|" if sign == "," else ""
    said = sign.join(f"({part})" if inside and inside in part.text else part.text for part in parts)
    checks = tuple(part.holds for part in parts)
    return VersionRange(said, lambda version: combine([check(version) for check in checks])), rest


def _term(text: str, depth: int) -> tuple[VersionRange, str]:
    if depth > _DEPTH:
        raise ValueError("its parentheses are nested too deeply")
    if text.startswith("("):
        found, rest = _alternatives(text[1:], depth + 1)
        if not rest.startswith(")"):
            raise ValueError("a parenthesis is not closed")
        return found, rest[1:]
    if text.startswith("^"):
        return _expression(text)
    if text.startswith("*"):
        return _ANY, text[3:] if text.startswith("*.*") else text[1:]
    return _constraint(text)


def _expression(text: str) -> tuple[VersionRange, str]:
    end = text.find("$")
    if end < 0:
        raise ValueError("a regular expression ends in '$'")
    try:
        pattern = re.compile(text[: end + 1])
    except re.error as error:
        raise ValueError(f"its regular expression is none: {error}") from error
    return VersionRange(text[: end + 1], lambda version: pattern.match(version) is not None), text[end + 1 :]


def _constraint(text: str) -> tuple[VersionRange, str]:
    operator = _OPERATOR.match(text)
    sign = operator[0] if operator else ""
    if sign and sign not in _OPERATORS:
        raise ValueError(f"there is no operator {sign!r}")
    operand = _OPERAND.match(text, len(sign))
    if operand is None:
        raise ValueError(f"a version is missing after {sign!r}" if sign else f"{text!r} is no version")
    rest = text[operand.end() :]
    if operand[0] == "*":
        if sign in {"!=", "<", ">"}:
            raise ValueError(f"'*' means nothing after {sign!r}")
        return _ANY, rest
    try:
        limit, after = CondaVersion.beginning(operand[0])
    except ValueError:
        if sign:
            raise
        return _glob(operand[0]), rest
    if not after:
        return _compared(sign or "==", limit), rest
    if sign == "!=" and after in {"*", ".*"}:
        return _compared("!=*", limit), rest
    if sign and _STARS.fullmatch(after):  # a star after an operator is superfluous, and common
        return _compared(">=" if sign == ">" else sign, limit), rest
    if not sign and (after == "*" or _MANY_STARS.fullmatch(after)):
        return _compared("=", limit), rest
    if not sign and "*" in operand[0]:
        return _glob(operand[0]), rest
    raise ValueError(f"{operand[0]!r} is no version")


def _glob(text: str) -> VersionRange:
    if "*" not in text:
        raise ValueError(f"{text!r} is no version")
    pattern = re.compile(".*".join(map(re.escape, text.split("*"))))
    return VersionRange(text, lambda version: pattern.fullmatch(version) is not None)


_CHECKS: Final[dict[str, Callable[[CondaVersion, CondaVersion], bool]]] = {
    "==": lambda version, limit: version == limit,
    "!=": lambda version, limit: version != limit,
    "<=": lambda version, limit: version <= limit,
    ">=": lambda version, limit: version >= limit,
    "<": lambda version, limit: version < limit,
    ">": lambda version, limit: version > limit,
    "=": lambda version, limit: version.starts_with(limit),
    "!=*": lambda version, limit: not version.starts_with(limit),
    "~=": lambda version, limit: version.compatible_with(limit),
}


def _compared(sign: str, limit: CondaVersion) -> VersionRange:
    check = _CHECKS[sign]
    text = {"=": f"{limit}.*", "!=*": f"!={limit}.*"}.get(sign, f"{sign}{limit}")

    def holds(version: str) -> bool:
        known = _known(version)
        return known is not None and check(known, limit)

    return VersionRange(text, holds)


@cache
def _known(version: str) -> CondaVersion | None:
    try:
        return CondaVersion(version)
    except ValueError:
        return None
