"""Pipfile and Pipfile.lock: text in, lines of a requirements file and sources out.

Source: Pipenv's documentation, "Pipfile & Pipfile.lock"; pypa/pipfile.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

LIMIT: Final = 64 * 1024 * 1024  # bytes
DEV: Final = "dev"
_MARKERS: Final = (  # keys of a package that stand for a marker
    *("os_name", "sys_platform", "platform_machine", "platform_python_implementation", "platform_release", "platform_system"),
    *("platform_version", "python_version", "python_full_version", "implementation_name", "implementation_version"),
)
_VCS: Final = ("git", "hg", "svn", "bzr")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipfile:
    """What a file asks for. `lines` are by category ("default", "dev", ...), as in a requirements file; `locked` ones have hashes."""

    lines: Mapping[str, tuple[str, ...]]
    python: str | None = None
    indexes: tuple[str, ...] = ()


def load(text: str) -> Pipfile:
    """Return what a Pipfile asks for.

    Raises:
        ValueError: it cannot be read; the text is made for people.
    """
    try:
        document = tomllib.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    requires = _table(document, "requires")
    fixed = {"source", "requires", "scripts", "pipfile", "pipenv", "packages", "dev-packages"}
    categories = {"default": "packages", DEV: "dev-packages", **{name: name for name in document if name not in fixed}}
    return Pipfile(
        lines={category: _lines(_table(document, key)) for category, key in categories.items()},
        python=_text(requires, "python_full_version") or _text(requires, "python_version"),
        indexes=_indexes(_list(document.get("source", []))),
    )


def load_lock(text: str) -> Pipfile:
    """Return what a Pipfile.lock asks for.

    Raises:
        ValueError: it cannot be read; the text is made for people.
    """
    try:
        given: object = json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if not isinstance(given, dict):
        raise ValueError("it is no JSON object")
    document = cast("dict[str, Any]", given)
    meta = _table(document, "_meta")
    requires = _table(meta, "requires")
    categories = {name: {"develop": DEV}.get(name, name) for name in document if name != "_meta"}
    return Pipfile(
        lines={category: _lines(_table(document, name)) for name, category in categories.items()},
        python=_text(requires, "python_full_version") or _text(requires, "python_version"),
        indexes=_indexes(_list(meta.get("sources", []))),
    )


def _lines(packages: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(_line(name, {"version": said} if isinstance(said, str) else _table(packages, name)) for name, said in packages.items())


def _line(name: str, said: Mapping[str, Any]) -> str:
    """Return a package as a line of a requirements file."""
    extras = f"[{','.join(str(extra) for extra in _list(said['extras']))}]" if said.get("extras") else ""
    vcs = next((kind for kind in _VCS if kind in said), None)
    file = _text(said, "file") or _text(said, "url") or _text(said, "uri") or ""
    place = _text(said, "path") or ("" if "://" in file else file)
    if place:
        place = place if place.startswith((".", "/", "~")) else f"./{place}"
        return f"{'-e ' if said.get('editable') else ''}{place}{extras}"
    if vcs is not None:
        url = str(said[vcs])
        whole = url if url.startswith(f"{vcs}+") else f"{vcs}+{_as_url(url)}"
        revision = f"@{said['ref']}" if said.get("ref") else ""
        inner = f"#subdirectory={said['subdirectory']}" if said.get("subdirectory") else ""
        return _marked(f"{name}{extras} @ {whole}{revision}{inner}", said, url=True)
    if file:
        return _marked(f"{name}{extras} @ {file}", said, url=True)
    version = _text(said, "version") or "*"
    text = _marked(f"{name}{extras}{'' if version.strip() == '*' else version.strip()}", said)
    return " ".join([text, *(f"--hash={value}" for value in map(str, _list(said.get("hashes", []))))])


def _as_url(url: str) -> str:
    """Return a location such as `git@host:owner/name`, which only git knows, as a URL."""
    user_host, colon, path = url.partition(":")
    return f"ssh://{user_host}/{path}" if "://" not in url and colon and "@" in user_host else url


def _marked(text: str, said: Mapping[str, Any], *, url: bool = False) -> str:
    parts = [f"{name} {said[name]}" for name in _MARKERS if isinstance(said.get(name), str)]
    if isinstance(said.get("markers"), str):
        parts.insert(0, f"({said['markers']})" if parts else str(said["markers"]))
    return f"{text}{' ' if url else ''}; {' and '.join(parts)}" if parts else text


def _indexes(sources: Iterable[Any]) -> tuple[str, ...]:
    """Return the URLs of the sources; none where PyPI is the only one, which a machine's own configuration may have a mirror of."""
    urls = tuple(url for source in sources if isinstance(source, dict) and (url := _text(cast("dict[str, Any]", source), "url")))
    return () if {url.rstrip("/") for url in urls} <= {"https://pypi.org/simple", "https://pypi.python.org/simple"} else urls


def _table(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    value: object = document.get(name, {})
    if not isinstance(value, dict):
        raise ValueError(f"{name} is no table")
    return cast("dict[str, Any]", value)


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"{value!r} is no list")
    return cast("list[Any]", value)  # type: ignore[redundant-cast] # pyright calls what is in it unknown


def _text(table: Mapping[str, Any], name: str) -> str | None:
    value: object = table.get(name)
    return value if isinstance(value, str) else None
