"""pylock.toml: text in, the packages it locks out, and back with a note of what it was made from.

Only what decides what is installed is read; the rest of the text is kept as it is. envkit's own note stands in `[tool.envkit]`, where
the specification lets tools keep what is theirs: the requirements, constraints and Python that were asked for, and the indexes.

Source: "pylock.toml Specification" (packaging.python.org), PEP 751.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final, TypeGuard, cast

from .direct_url import without_credentials
from .dist_info import normalized

LIMIT: Final = 64 * 1024 * 1024  # bytes
_TOOL: Final = "envkit"
_ARTEFACTS: Final = ("archive", "vcs", "directory")


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """One package of a lock. `url` is where it comes from when that is no index; `hashes` are "sha256:..." of what may be installed."""

    name: str
    version: str | None = None
    marker: str | None = None
    requires_python: str | None = None
    hashes: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()
    index: str | None = None
    url: str | None = None
    directory: str | None = None
    editable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What a lock was made from, as envkit noted it."""

    requirements: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    python: str | None = None
    indexes: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pylock:
    """What a pylock.toml says; `inputs` is None where envkit did not make it."""

    packages: tuple[Locked, ...]
    requires_python: str | None = None
    environments: tuple[str, ...] = ()
    default_groups: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    inputs: Inputs | None = None


def load(text: str) -> Pylock:
    """Return what a pylock.toml says.

    Raises:
        ValueError: it is no TOML, of a later major version, or lacks what each lock has; the text is made for people.
    """
    return _read(_document(text))


def with_inputs(text: str, inputs: Inputs, *, keep_python: bool = True, environments: Sequence[str] = ()) -> str:
    """Return the text of a lock with a note of what it was made from, in a canonical form.

    Args:
        keep_python: keep the range of Pythons that the tool wrote down.
        environments: markers of the platforms that it is for; none: as the tool wrote down.

    Raises:
        ValueError: as `load`.
    """
    import tomli_w  # noqa: PLC0415 - only where a lock is written

    document = _document(text)
    _read(document)
    if not keep_python:
        document.pop("requires-python", None)
    if environments:
        document["environments"] = list(environments)
    note = {
        "requirements": list(inputs.requirements),
        "constraints": list(inputs.constraints),
        "python": inputs.python,
        "indexes": list(inputs.indexes),
        "extras": list(inputs.extras),
        "groups": list(inputs.groups),
    }
    tools = _table(document.get("tool"))
    document["tool"] = {**tools, _TOOL: {name: value for name, value in note.items() if value}}
    return tomli_w.dumps(document)


def restricted(text: str, allowed: Mapping[str, frozenset[str]]) -> str:
    """Return the text of a lock with only those artefacts whose hash is among the allowed ones of their package.

    Raises:
        ValueError: of a package nothing is left, so it is not what the hashes are for.
    """
    import tomli_w  # noqa: PLC0415 - only where a lock is written

    document = _document(text)
    for package in _tables(document.get("packages")):
        name = normalized(_text(package, "name") or "")
        if name not in allowed:
            continue
        wheels = [wheel for wheel in _tables(package.get("wheels")) if _hashes(wheel) & allowed[name]]
        for key in ("sdist", *_ARTEFACTS):
            if key in package and not _hashes(_table(package[key])) & allowed[name]:
                del package[key]
        package.pop("wheels", None)
        if wheels:
            package["wheels"] = wheels
        if not wheels and not {"sdist", *_ARTEFACTS} & package.keys():
            raise ValueError(f"no file of {name} {package.get('version', '')} has a hash that is allowed")
    return tomli_w.dumps(document)


def anchored(text: str, directory: str) -> str:
    """Return the text of a lock with absolute paths, relative ones being taken from `directory`, and without credentials in URLs."""
    import tomli_w  # noqa: PLC0415 - only where a lock is written

    document = _document(text)
    changed = False
    for package in _tables(document.get("packages")):
        places = [_table(package[key]) for key in ("sdist", "archive", "directory", "vcs") if key in package]
        index = package.get("index")
        if isinstance(index, str) and (clean := without_credentials(index)) != index:
            package["index"], changed = clean, True
        for place in (*places, *_tables(package.get("wheels"))):
            url = place.get("url")
            if isinstance(url, str) and (clean := without_credentials(url)) != url:
                place["url"], changed = clean, True
            path = place.get("path")
            if isinstance(path, str) and not path.startswith("/"):
                place["path"], changed = _joined(directory, path), True
    return tomli_w.dumps(document) if changed else text


def _joined(directory: str, path: str) -> str:
    parts: list[str] = []
    for part in PurePosixPath(directory, path).parts:
        if part == "..":
            parts = parts[:-1] if len(parts) > 1 else parts
        else:
            parts.append(part)
    return str(PurePosixPath(*parts))


def _document(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _read(document: Mapping[str, Any]) -> Pylock:
    version = document.get("lock-version")
    if not isinstance(version, str) or version.split(".", 1)[0] != "1":
        raise ValueError(f"its lock-version is {version!r}, and 1.0 can be read")
    if not isinstance(document.get("packages"), list):
        raise ValueError("it has no packages")
    note = _table(document.get("tool")).get(_TOOL)
    return Pylock(
        packages=tuple(_package(package) for package in _tables(document["packages"])),
        requires_python=_text(document, "requires-python"),
        environments=_texts(document, "environments"),
        default_groups=_texts(document, "default-groups"),
        extras=_texts(document, "extras"),
        groups=_texts(document, "dependency-groups"),
        inputs=None if note is None else _inputs(_table(note)),
    )


def _inputs(note: Mapping[str, Any]) -> Inputs:
    return Inputs(
        requirements=_texts(note, "requirements"),
        constraints=_texts(note, "constraints"),
        python=_text(note, "python"),
        indexes=_texts(note, "indexes"),
        extras=_texts(note, "extras"),
        groups=_texts(note, "groups"),
    )


def _package(package: Mapping[str, Any]) -> Locked:
    name = _text(package, "name")
    if not name:
        raise ValueError("a package has no name")
    files = [*_tables(package.get("wheels")), *([_table(package["sdist"])] if "sdist" in package else [])]
    url, directory, editable, hashes = None, None, False, frozenset[str]().union(*map(_hashes, files))
    if "archive" in package:
        archive = _table(package["archive"])
        url, hashes = _location(archive), _hashes(archive)
    elif "vcs" in package:
        vcs = _table(package["vcs"])
        commit = _text(vcs, "commit-id")
        if not commit:
            raise ValueError(f"{name} has no commit-id")
        place = _location(vcs)
        inner = _text(vcs, "subdirectory")
        url = f"{_text(vcs, 'type') or 'git'}+{place}@{commit}" + (f"#subdirectory={inner}" if inner else "")
    elif "directory" in package:
        table = _table(package["directory"])
        directory, editable = _text(table, "path"), table.get("editable") is True
    elif not files:
        raise ValueError(f"{name} has nothing that can be installed")
    if (files or "archive" in package) and not hashes:
        raise ValueError(f"{name} has no hashes")
    return Locked(
        name=normalized(name),
        version=_text(package, "version"),
        marker=_text(package, "marker"),
        requires_python=_text(package, "requires-python"),
        hashes=tuple(sorted(hashes)),
        locations=tuple(_location(file) for file in files),
        index=_text(package, "index"),
        url=url,
        directory=directory,
        editable=editable,
    )


def _location(file: Mapping[str, Any]) -> str:
    """Return where a file is, as a URL."""
    url, path = _text(file, "url"), _text(file, "path")
    if url:
        return url
    if path and path.startswith("/"):
        return Path(path).as_uri()
    return path or ""


def _hashes(file: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(f"{name}:{str(value).lower()}" for name, value in _table(file.get("hashes")).items() if str(value).isalnum())


def _table(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _tables(value: object) -> list[dict[str, Any]]:
    return [cast("dict[str, Any]", item) for item in value if isinstance(item, dict)] if _is_list(value) else []


def _is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def _text(table: Mapping[str, Any], name: str) -> str | None:
    value = table.get(name)
    return value if isinstance(value, str) else None


def _texts(table: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = table.get(name)
    return tuple(item for item in value if isinstance(item, str)) if _is_list(value) else ()
