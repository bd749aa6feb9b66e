r"""A requirements file: text in, its lines out as what they ask for. Nothing is opened and nothing is looked up.

Lines that end with a backslash go on in the next, ` #` begins a comment, `${NAME}` (upper case only) is a variable of the
environment. A line is a requirement with its options, or an option for the whole file.

Source: pip's documentation, "Requirements File Format".
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

LIMIT: Final = 16 * 1024 * 1024  # bytes

Kind = Literal["requirement", "editable", "file", "constraints", "option"]

_COMMENT: Final = re.compile(r"(^|\s)#.*$")
_VARIABLE: Final = re.compile(r"\$\{(?P<name>[A-Z0-9_]+)\}")
_CODING: Final = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_MARKS: Final = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
# Options of the whole file, by every spelling, and whether a value follows.
_OPTIONS: Final = {
    **dict.fromkeys(("-i", "--index-url", "--pypi-url"), "index-url"),
    "--extra-index-url": "extra-index-url",
    "-f": "find-links",
    "--find-links": "find-links",
    "-r": "requirement",
    "--requirement": "requirement",
    "-c": "constraint",
    "--constraint": "constraint",
    "-e": "editable",
    "--editable": "editable",
    "--no-binary": "no-binary",
    "--only-binary": "only-binary",
    "--trusted-host": "trusted-host",
    "--use-feature": "use-feature",
    "--uploaded-prior-to": "uploaded-prior-to",
}
_FLAGS: Final = {"--no-index": "no-index", "--pre": "pre", "--prefer-binary": "prefer-binary", "--require-hashes": "require-hashes"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line that asks for something. `kind` "option": `name` and `text` are its name and value; `number` is counted from 1."""

    kind: Kind
    text: str
    number: int
    name: str = ""
    hashes: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


def decode(data: bytes) -> str:
    """Return the text of a file: by its byte order mark, else by a coding comment in its first two lines, else UTF-8.

    Raises:
        ValueError: it is no text.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data.decode(encoding)
    for line in data.split(b"\n", 2)[:2]:
        if match := _CODING.match(line):
            try:
                return data.decode(match[1].decode("ascii"))
            except LookupError as error:
                raise ValueError(f"the encoding {match[1]!r} is not known") from error
    return data.decode("utf-8")


def load(text: str, environ: Mapping[str, str]) -> tuple[Line, ...]:
    """Return what the lines of a file ask for, in its order.

    Raises:
        ValueError: a line cannot be read; the text begins with its number.
    """
    return tuple(line for number, whole in _joined(text) if (line := _line(_expanded(whole, environ), number)) is not None)


def _joined(text: str) -> Iterator[tuple[int, str]]:
    """Yield each line with the ones it goes on in, without comments, and its number."""
    parts: list[str] = []
    begun = 1
    for number, raw in enumerate(text.splitlines(), 1):
        is_comment = raw.lstrip().startswith("#")
        if not parts:
            begun = number
        elif is_comment:  # as pip: a comment ends a line that would go on
            raw = " " + raw  # noqa: PLW2901 - what is read is the line as pip sees it
        if raw.endswith("\\") and not is_comment:
            parts.append(raw[:-1])
            continue
        whole = _COMMENT.sub("", "".join([*parts, raw])).strip()
        parts = []
        if whole:
            yield begun, whole
    if parts and (whole := _COMMENT.sub("", "".join(parts)).strip()):
        yield begun, whole


def _expanded(line: str, environ: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda match: environ.get(match["name"]) or match[0], line)


def _line(line: str, number: int) -> Line | None:
    if not line.startswith("-"):
        return _requirement(line, number)
    word, value = _split_option(line)
    if word in _FLAGS:
        if value:
            raise ValueError(f"line {number}: {word} takes no value")
        return Line(kind="option", name=_FLAGS[word], text="", number=number)
    name = _OPTIONS.get(word)
    if name is None:
        raise ValueError(f"line {number}: the option {word!r} is not known")
    if not value:
        raise ValueError(f"line {number}: {word} needs a value")
    kinds: dict[str, Kind] = {"requirement": "file", "constraint": "constraints", "editable": "editable"}
    return Line(kind=kinds.get(name, "option"), name=name, text=value, number=number)


def _split_option(line: str) -> tuple[str, str]:
    """Return an option and its value, in whatever way the two are joined: `-r x`, `-rx`, `--requirement=x`."""
    head, _, rest = line.partition(" ")
    word, equals, value = head.partition("=")
    if head.startswith("--"):
        return word, _unquoted(f"{value} {rest}".strip() if equals else rest.strip())
    if len(head) > 2:
        return head[:2], _unquoted(f"{head[2:].removeprefix('=')} {rest}".strip())
    return head, _unquoted(rest.strip())


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"" else value


def _requirement(line: str, number: int) -> Line:
    """Return a requirement, its hashes, and what other options it has."""
    text, *rest = re.split(r"\s+(?=--[a-z])", line, maxsplit=1)
    hashes: list[str] = []
    others: list[str] = []
    try:
        words = shlex.split(rest[0]) if rest else []
    except ValueError as error:
        raise ValueError(f"line {number}: {error}") from error
    while words:
        word, equals, value = words.pop(0).partition("=")
        if not equals and words and not words[0].startswith("--"):
            value = words.pop(0)
        if word == "--hash":
            algorithm, colon, digest = value.partition(":")
            if not colon or algorithm not in {"sha256", "sha384", "sha512"} or not digest.isalnum():
                raise ValueError(f"line {number}: {value!r} is no hash that may be trusted, such as sha256:...")
            hashes.append(f"{algorithm}:{digest.lower()}")
        else:
            others.append(word)
    return Line(kind="requirement", text=text.strip(), number=number, hashes=tuple(hashes), others=tuple(others))
