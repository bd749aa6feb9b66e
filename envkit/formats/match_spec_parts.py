"""How a match spec is cut into its parts: comment, brackets, and what stands behind the name. Texts in, texts out.

The order of the alternatives is that of the embedded solver's parser, which takes the first that fits and never goes back.

Source: rattler_conda_types' match_spec/parse.rs and version_spec/version_tree.rs; conda's models/match_spec.py for builds after " =".
"""

from __future__ import annotations

import re
from typing import Final

from .conda_url import EXTENSIONS

_WORD: Final = r"(?:[A-Za-z]+|[0-9]+|\*)"
_WORDS: Final = rf"(?:{_WORD}(?:[.\-_]*+{_WORD})*+[\-_]*+)"
_VERSION: Final = rf"(?:(?:[0-9]+!)?+{_WORDS}(?:\+{_WORDS})?+)"
_CONSTRAINT: Final = re.compile(
    rf"=(?:{_VERSION}(?:\.?\*)?+|\*)|\^[^$\s]*\$|\*(?:\.\*)?+(?![0-9A-Za-z])|(?:\s*(?:==|!=|=|>=|>|<=|<|~=)\s*)?+(?:{_VERSION}[.*]*+|\*)"
)
_SIGN: Final = re.compile(r"\s*[,|]\s*")
_FIELD: Final = re.compile(
    r"""\s*([\w-]*)\s*=\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\[[^\]]*\]|[^,\]'"]+)\s*(,|$)"""  # key, value, sign
)
_DEPTH: Final = 50  # parentheses within parentheses
HASH: Final = re.compile("[0-9a-fA-F]{32}|(?:sha256:)?[0-9a-fA-F]{64}")
"""What the anchor of a package file's URL says."""


def without_comment(text: str) -> str:
    """Cut off a comment; a hash sign in brackets, or that begins the hash of a URL's file, is none."""
    inside = 0
    for position, character in enumerate(text):
        inside += {"[": 1, "]": -1}.get(character, 0)
        if character == "#" and inside <= 0:
            follows = text[position + 1 :].strip()
            anchored = HASH.fullmatch(follows) and text[:position].rstrip().endswith(EXTENSIONS)
            return text if anchored else text[:position]
    return text


def without_brackets(text: str) -> tuple[str, dict[str, str]]:
    """Return a text without the brackets at its end, and the keys and values in them.

    Raises:
        ValueError: they are not written as such.
    """
    if not text.endswith("]"):
        return text, {}
    start = _opening(text)
    inside, position, fields = text[start + 1 : -1], 0, dict[str, str]()
    while inside[position:].strip():
        field = _FIELD.match(inside, position)
        if field is None or not field[1]:
            raise ValueError(f"{text[start:]!r} is no list of key=value")
        fields[field[1]] = _unquoted(field[2].strip())
        position = field.end()
    return text[:start].strip(), fields


def _opening(text: str) -> int:
    """Return where the brackets open that close at the end of a text; brackets between quotes are text."""
    depth, start, quote = 0, -1, ""
    for position, character in enumerate(text):
        if quote:
            quote = "" if character == quote and text[position - 1] != "\\" else quote
        elif character in "'\"" and depth:
            quote = character
        elif character == "[":
            start = position if not depth else start
            depth += 1
        elif character == "]":
            depth -= 1
            if depth < 0 or (not depth and position != len(text) - 1):
                raise ValueError("its brackets are not balanced, or there are several")
    if depth or quote or start < 0:
        raise ValueError("its brackets are not balanced")
    return start


def _unquoted(value: str) -> str:
    if value[:1] in {"'", '"'}:
        return re.sub(r"\\([\"'\\])", r"\1", value[1:-1])
    return value


def quoted(value: str) -> str:
    if value.startswith("[") and value.endswith("]"):
        return value
    sign = "'" if '"' in value else '"'
    return sign + value + sign


def version_and_build(text: str) -> tuple[str | None, str | None]:
    """Return what stands behind the name: "=1.2", ">=1,<2 py312*", "1.2=py312_0".

    Raises:
        ValueError: it is no version.
    """
    if not text:
        return None, None
    if "[" in text or ";" in text:
        raise ValueError("brackets stand at the end, once")
    end = _group(text, 0, 0)
    rest = text[end:]
    build = (rest[1:] if rest[:1] in {" ", "="} else rest).strip().removeprefix("=") or None
    version = "".join(text[:end].split())
    if version.startswith("="):
        version = _without_equals(version, has_build=build is not None)
    return version, build


def _without_equals(version: str, *, has_build: bool) -> str:
    """Return a version that begins with "=" without it, where that stands for something else than the operator."""
    if version.startswith("==") and not has_build:
        return version[2:]
    if any(sign in version[1:] for sign in "=,|"):
        return version
    return version[1:] if has_build or version.endswith("*") else f"{version[1:]}*"


def _group(text: str, position: int, depth: int) -> int:
    """Return where the version range that begins at a position ends.

    Raises:
        ValueError: there is none.
    """
    if depth > _DEPTH:
        raise ValueError("its parentheses are nested too deeply")
    end = _item(text, position, depth)
    while (sign := _SIGN.match(text, end)) is not None:
        end = _item(text, sign.end(), depth)
    return end


def _item(text: str, position: int, depth: int) -> int:
    if text[position : position + 1] == "(":
        end = _group(text, position + 1, depth + 1)
        if text[end : end + 1] != ")":
            raise ValueError("a parenthesis is not closed")
        return end + 1
    found = _CONSTRAINT.match(text, position)
    if found is None:
        raise ValueError(f"{text[position:]!r} is no version")
    return found.end()
