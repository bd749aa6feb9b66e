"""What conda, mamba and micromamba say with `--json`: one document, or several with progress between them, in a stream that others write to.

conda ends each line of progress with a NUL character and names in LINK and UNLINK what a package is called, with all else in FETCH
alone; mamba writes whole records. Both may be preceded by warnings of a plug-in, of Python, or of a retry.

Source: conda's plugins/reporter_backends/json.py, core/link.py; libmamba's core/transaction.cpp, core/output.cpp.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeGuard

from ..formats.conda_url import EXTENSIONS, package_file, shown
from .request import Linked

_PROGRESS: Final = re.compile(r'^\0?\{"fetch":')


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """How much of one package file is there: `part` of 1."""

    package: str
    part: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """The documents that a tool wrote, and the text around them."""

    documents: tuple[Mapping[str, Any], ...]
    text: str

    @property
    def actions(self) -> Mapping[str, Any]:
        """What it did or would do; empty where it says nothing of that."""
        for document in reversed(self.documents):
            if is_table(actions := document.get("actions")):
                return actions
        return {}

    def records(self, action: str) -> tuple[Mapping[str, Any], ...]:
        """Return the records of one action ("FETCH", "LINK", "UNLINK"), in its order."""
        return tuple(entry for entry in items(self.actions.get(action)) if is_table(entry))

    @property
    def failed(self) -> bool:
        """Whether a document says that something went wrong."""
        return any(document.get("success") is False or "exception_name" in document for document in self.documents)


def said(stdout: str) -> Said:
    """Return what a tool wrote on its standard output."""
    documents, around = list[Mapping[str, Any]](), list[str]()
    for piece in _pieces(stdout):
        if is_table(piece):
            documents.append(piece)
        elif isinstance(piece, str):
            around.append(piece)
    return Said(documents=tuple(document for document in documents if "fetch" not in document), text="".join(around))


def _pieces(text: str) -> Iterator[Any]:
    """Yield the JSON documents of a text, and the lines that are none; a document begins at the start of a line."""
    decoder, position = json.JSONDecoder(), 0
    text = text.replace("\0", "\n")
    while position < len(text):
        end = text.find("\n", position)
        end = len(text) if end < 0 else end + 1
        if text[position : position + 1] in {"{", "["}:
            try:
                document, position = decoder.raw_decode(text, position)
            except ValueError:
                pass
            else:
                yield document
                continue
        yield text[position:end]
        position = end


def progress(line: str) -> Fetched | None:
    """Return how far a download is, None for any other line."""
    if not _PROGRESS.match(line):
        return None
    try:
        document: Any = json.loads(line.strip("\0 \r\n"))
        name = str(document["fetch"]).partition("|")[0].strip()
        return Fetched(package=name, part=1.0 if document.get("finished") else float(document.get("progress", 0)))
    except (ValueError, KeyError, TypeError):
        return None


def linked(record: Mapping[str, Any], *, requested: str | None = None) -> Linked:
    """Return what a record of `repodata.json`, `conda-meta`, a cache, or an action says; credentials are left out.

    Raises:
        ValueError: it has no name, version or build.
    """
    name, version, build = (_text(record, *keys) for keys in (("name",), ("version",), ("build", "build_string")))
    if not (name and version and build is not None):
        raise ValueError(f"no record of a package: {record}")
    subdir = _text(record, "subdir", "platform") or "noarch"
    url = shown(_text(record, "url") or "")
    base = _text(record, "base_url")
    channel = shown(base or _text(record, "channel") or "")
    if url and not base:
        channel = package_file(url).base or channel
    if not url and base:  # an action of conda names no file; `.conda` is a guess that a record of the cache corrects
        url = f"{shown(base).rstrip('/')}/{subdir}/{_text(record, 'fn') or f'{name}-{version}-{build}{EXTENSIONS[0]}'}"
    return Linked(
        name=name,
        version=version,
        build=build,
        subdir=subdir,
        channel=channel.removesuffix(f"/{subdir}").rstrip("/"),
        url=url,
        md5=_text(record, "md5") or None,
        sha256=_text(record, "sha256") or None,
        size=_size(record.get("size")),
        depends=tuple(map(str, items(record.get("depends")))),
        requested=requested,
    )


def _text(record: Mapping[str, Any], *keys: str) -> str | None:
    return next((value for key in keys if isinstance(value := record.get(key), str)), None)


def _size(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def is_table(value: object) -> TypeGuard[dict[str, Any]]:
    """Say whether a part of a document is an object."""
    return isinstance(value, dict)


def items(value: object) -> list[Any]:
    """Return a part of a document that should be a list; empty where it is none."""
    return [*value] if _is_list(value) else []


def _is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)
