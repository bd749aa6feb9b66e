"""direct_url.json: where a distribution came from that was not found by name at an index.

Source: PEP 610, "Recording the direct URL origin of installed distributions", PEP 660 for editable ones.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import unquote, urlsplit, urlunsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectUrl:
    """The origin of a distribution. `url` holds no credentials; `revision` is what was asked of a version control system."""

    url: str
    editable: bool = False
    vcs: str | None = None
    revision: str | None = None
    commit: str | None = None
    subdirectory: str | None = None
    hashes: tuple[tuple[str, str], ...] = ()


def read_direct_url(text: str) -> DirectUrl:
    """Return what a direct_url.json says.

    Raises:
        ValueError: it is no such file.
    """
    try:
        given: Any = json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    document = cast("dict[str, Any]", given) if isinstance(given, dict) else {}
    url = _text(document, "url")
    if not url:
        raise ValueError("no url")
    vcs, directory, archive = (_table(document, name) for name in ("vcs_info", "dir_info", "archive_info"))
    return DirectUrl(
        url=without_credentials(url),
        editable=directory.get("editable") is True,
        vcs=_text(vcs, "vcs"),
        revision=_text(vcs, "requested_revision"),
        commit=_text(vcs, "commit_id"),
        subdirectory=_text(document, "subdirectory"),
        hashes=_hashes(archive),
    )


def without_credentials(url: str) -> str:
    """Return a URL without user and password; a version control system's fixed user such as `git` stays."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "" if "@" in url else url
    user, at, host = parts.netloc.rpartition("@")
    if not at or user in {"git", "hg", "svn"}:
        return url
    return urlunsplit(parts._replace(netloc=host))


def file_path(url: str) -> str | None:
    """Return the path that a `file:` URL names, as text of the machine that it is of; None for any other URL."""
    if not url.lower().startswith("file:"):
        return None
    parts = urlsplit(url)
    path = unquote(parts.path)
    if len(path) > 2 and path[0] == "/" and path[2] == ":":  # file:///C:/x
        return path[1:]
    return f"//{parts.netloc}{path}" if parts.netloc not in {"", "localhost"} else path


def _table(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = document.get(name)
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else {}


def _text(document: Mapping[str, Any], name: str) -> str | None:
    value = document.get(name)
    return value if isinstance(value, str) else None


def _hashes(archive: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return the hashes of an archive; `hash` ("sha256=...") is the older spelling."""
    found = {str(name): str(value) for name, value in _table(archive, "hashes").items()}
    name, equals, value = (_text(archive, "hash") or "").partition("=")
    if equals:
        found.setdefault(name, value)
    return tuple(sorted(found.items()))
