"""The kernel that a notebook names: nbformat 4's `metadata.kernelspec`, changed in the text of the file without touching the rest.

The text is written as Jupyter writes it (an indent of one, letters as they are), or with the indent, line ends and last line that
it had, so that a version control shows a change of three lines.

Source: nbformat 4.5, "Top-level structure" and "Metadata" (nbformat.readthedocs.io).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, TypeGuard

_INDENT = re.compile(r"\{\r?\n([ \t]*)\"")


def with_kernel(data: bytes, *, name: str, display_name: str, language: str) -> bytes | None:
    """Return a notebook that names another kernel; None where it names that one already.

    Raises:
        ValueError: it is no notebook of nbformat 4.
    """
    text = data.decode("utf-8-sig")
    try:
        notebook: object = json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if not _is_object(notebook) or not isinstance(notebook.get("cells"), list):
        number = notebook.get("nbformat") if _is_object(notebook) else None
        raise ValueError("it has no cells" if number in {None, 4} else f"it is of nbformat {number}, and 4 is needed")
    before = notebook.get("metadata", {})
    if not _is_object(before):
        raise ValueError("its metadata are no object")
    wanted = {"display_name": display_name, "language": language, "name": name}
    if before.get("kernelspec") == wanted:
        return None
    metadata = {**before, "kernelspec": wanted}
    if "kernelspec" not in before:
        metadata = {key: metadata[key] for key in sorted(metadata)}  # where Jupyter puts it
    return _written({**notebook, "metadata": metadata}, text, marked=data.startswith(b"\xef\xbb\xbf"))


def _written(notebook: Mapping[str, Any], text: str, *, marked: bool) -> bytes:
    """Return a notebook in the form that its text had."""
    found = _INDENT.match(text)
    said = json.dumps(notebook, ensure_ascii=False, indent=found[1] if found else 1)
    if text.endswith("\n"):
        said += "\n"
    if "\r\n" in text:
        said = said.replace("\n", "\r\n")
    try:
        data = said.encode("utf-8")
    except UnicodeEncodeError:  # half a letter, which JSON can hold and UTF-8 cannot
        data = json.dumps(notebook, indent=found[1] if found else 1).encode("ascii")
    return b"\xef\xbb\xbf" + data if marked else data


def _is_object(value: object) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, Mapping)
