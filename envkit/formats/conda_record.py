"""The record of an installed conda package, `conda-meta/<name>-<version>-<build>.json`: bytes in, facts out.

A record is a hundred kilobytes of file lists with a few facts before them and at most one behind. So the facts are parsed from its
beginning and its end, and the lists only where somebody checks files.

Source: CEP 32 (the record), CEP 34 (its paths); conda, mamba and rattler write the same keys in different orders and indentations.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeGuard

from .conda_url import shown

HEAD: Final = 4 * 1024  # bytes of the beginning, which hold the facts of all but a few packages
TAIL: Final = 2 * 1024  # bytes of the end, which hold what newer condas write behind the lists
LIMIT: Final = 256 * 1024 * 1024  # bytes of a record; a longer file is none
_LISTS: Final = (b'"files"', b'"paths_data"', b'"link"')
_SPECS: Final = b'"requested_specs"'
_KEY: Final = re.compile(r'\s*"(\w+)"\s*:\s*')
_STRING: Final = re.compile(rb'"((?:[^"\\]|\\.)*)"')
_METADATA: Final = (b'.dist-info/METADATA"', b'.egg-info/PKG-INFO"', b'.egg-info"')  # how the path of a distribution's metadata ends
_PACKAGES: Final = b"site-packages/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One installed package. No field shows credentials.

    channel: its URL or name as the record says it, without a platform's directory.
    requested: the match specs by which the user asked for it; empty for a dependency, and where nobody wrote it down.
    """

    name: str
    version: str
    build: str
    build_number: int = 0
    channel: str = ""
    subdir: str = ""
    url: str = ""
    filename: str = ""
    md5: str | None = None
    sha256: str | None = None
    size: int = 0
    noarch: str | None = None
    depends: tuple[str, ...] = ()
    constrains: tuple[str, ...] = ()
    requested: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """One file of a package as `paths_data` names it; a noarch Python package of conda's says it as it is in the package."""

    path: str
    kind: str = "hardlink"
    sha256: str | None = None
    size: int | None = None
    placeholder: bool = False


def load(head: bytes, tail: bytes = b"") -> Record | None:
    """Return what the beginning and the end of a record say; None where they do not hold the facts, so that all of it is needed.

    Raises:
        ValueError: it is no record.
    """
    facts = _parsed(_without_lists(head))
    if facts is None:
        facts = _beginning(head.decode("utf-8", "replace"))
    if not {"name", "version", "build"} <= facts.keys():
        return None
    if not facts.get("requested_specs") and (at := (end := head + tail).rfind(_SPECS)) >= 0:
        facts["requested_specs"] = _specs(end[at + len(_SPECS) :])
    return _record(facts)


def load_whole(data: bytes) -> tuple[Record, tuple[str, ...], tuple[Path, ...]]:
    """Return all that a record says: the facts, the files that were installed, relative to the prefix, and what is known of each.

    Raises:
        ValueError: it is no record.
    """
    facts = _parsed(data)
    if facts is None:
        raise ValueError("it is no JSON object")
    files = tuple(item for item in _items(facts.get("files")) if _is_inside(item))
    return _record(facts), files, tuple(_paths(facts.get("paths_data")))


def distributions(data: bytes) -> frozenset[str]:
    """Return the names, as written, of the Python distributions whose metadata a record lists; by search, without parsing it.

    What a package keeps of others deeper inside (`_vendor`) is none of its distributions.
    """
    found: set[str] = set()
    for end in _METADATA:
        at = data.find(end)
        while at >= 0:
            path = data[data.rfind(b'"', 0, at) + 1 : at]
            _, inside, name = path.rpartition(_PACKAGES)
            if inside and b"/" not in name:
                found.add(name.partition(b"-")[0].decode("utf-8", "replace"))
            at = data.find(end, at + 1)
    return frozenset(found)


def _without_lists(head: bytes) -> bytes:
    """Return the object that the keys before the first list make; what is no object stays none."""
    found = [at for name in _LISTS if (at := head.find(name)) >= 0]
    if not found:
        return head
    before = head[: min(found)].rstrip()
    return before.removesuffix(b",") + b"}"


def _parsed(data: bytes) -> dict[str, Any] | None:
    try:
        found: object = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return found if _is_object(found) else None


def _beginning(text: str) -> dict[str, Any]:
    """Return the keys of an object whose end may be missing: those before the lists, or before where the text breaks off."""
    decoder, facts = json.JSONDecoder(), dict[str, Any]()
    position = text.find("{") + 1
    while position and (key := _KEY.match(text, position)) is not None and key[1] not in {"files", "paths_data", "link"}:
        try:
            facts[key[1]], position = decoder.raw_decode(text, key.end())
        except (ValueError, RecursionError):
            return {} if key[1] in {"depends", "constrains"} else facts  # those may be long: then all of it is read
        position = text.find(",", position) + 1
    return facts


def _specs(data: bytes) -> list[str]:
    """Return the strings of the list that stands behind a key."""
    text = data[: data.find(b"]")]
    found = (_parsed(b'{"spec":"' + item + b'"}') for item in _STRING.findall(text))
    return [one["spec"] for one in found if one is not None]


def _record(facts: Mapping[str, Any]) -> Record:
    name, version, build = facts.get("name"), facts.get("version"), facts.get("build", facts.get("build_string"))
    if not (isinstance(name, str) and isinstance(version, str) and isinstance(build, str) and name and version):
        raise ValueError("it has no name, version or build")
    asked = (*_items(facts.get("requested_specs")), *_items([facts.get("requested_spec")]))
    return Record(
        name=name.lower(),
        version=version,
        build=build,
        build_number=_number(facts.get("build_number")),
        channel=channel_of(_text(facts.get("channel")), _text(facts.get("url"))),
        subdir=_text(facts.get("subdir")),
        url=shown(_text(facts.get("url"))),
        filename=_text(facts.get("fn")),
        md5=_text(facts.get("md5")).lower() or None,
        sha256=_text(facts.get("sha256")).lower() or None,
        size=_number(facts.get("size")),
        noarch=_text(facts.get("noarch")) or None,
        depends=_items(facts.get("depends")),
        constrains=_items(facts.get("constrains")),
        requested=tuple(dict.fromkeys(spec for spec in asked if spec not in {"", "None"})),
    )


def channel_of(channel: str, url: str) -> str:
    """Return a package's channel without credentials and platform's directory, by the URL of its file where the channel says nothing."""
    said = channel if channel and channel != "<unknown>" else url.rpartition("/")[0]
    clean = shown(said).rstrip("/")
    above, _, last = clean.rpartition("/")
    subdir = url.rpartition("/")[0].rpartition("/")[2]
    return above if above and last and last in {subdir, "noarch"} else clean


def _paths(data: object) -> Iterator[Path]:
    listed: object = data.get("paths") if _is_object(data) else None
    for item in listed if _is_list(listed) else ():
        if not _is_object(item) or not isinstance(item.get("_path"), str) or not _is_inside(item["_path"]):
            continue
        placeholder = bool(item.get("prefix_placeholder"))
        in_prefix, original = item.get("sha256_in_prefix"), item.get("sha256")
        digest = in_prefix or (None if placeholder else original)
        size = item.get("size_in_bytes")
        yield Path(
            path=item["_path"],
            kind=_text(item.get("path_type")) or "hardlink",
            sha256=digest.lower() if isinstance(digest, str) and digest else None,
            size=size if isinstance(size, int) and in_prefix in {None, original} and not placeholder else None,
            placeholder=placeholder,
        )


def _is_inside(path: str) -> bool:
    """Say whether a path stays below the prefix that it is joined to."""
    parts = path.replace("\\", "/").split("/")
    return bool(path) and not path.startswith(("/", "\\")) and ".." not in parts and ":" not in parts[0] and "\0" not in path


def _items(value: object) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if _is_list(value) else ()


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: object) -> int:
    return value if type(value) is int and value >= 0 else 0


def _is_object(value: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def _is_list(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)
