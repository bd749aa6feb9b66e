"""An output of a cell as an output of nbformat 4, and back.

Written after nbformat's schema, which allows no key of our own beside its own, so there is no `"schema"`: `output_type` tells.
An error's name, value and traceback are one JSON object in its `data`, under `ERROR`. JSON in a bundle comes back with its keys
sorted; what that format has no place for is other `data` of a stream or an error.

Source: nbformat 4.5, `nbformat.v4.5.schema.json`: stream, display_data, execute_result, error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final, Literal, TypeGuard

from ..models.cells import Output

ERROR: Final = "application/vnd.jupyter.error"
_COLOUR = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_TEXT = "text/plain"


def dump(output: Any) -> dict[str, Any]:
    """Return the output of nbformat 4."""
    if output.kind in {"stdout", "stderr"}:
        return {"output_type": "stream", "name": output.kind, "text": output.text}
    if output.kind == "error":
        return {"output_type": "error", **_error_parts(output)}
    data = {kind: _from_text(kind, content) for kind, content in output.data.items()}
    metadata = {} if output.text == output.data.get(_TEXT, "") else {"envkit": {"text": output.text}}
    if output.kind == "result":
        return {"output_type": "execute_result", "data": data, "metadata": metadata, "execution_count": None}
    return {"output_type": "display_data", "data": data, "metadata": metadata}


def load(raw: Mapping[str, Any]) -> Output:
    """Return the output that nbformat 4 describes.

    Raises:
        ValueError, TypeError, KeyError: it is none.
    """
    kind = raw["output_type"]
    if kind == "stream":
        return Output(kind=_stream(raw["name"]), text=_joined(raw["text"]), data={})
    if kind == "error":
        parts = {"ename": _text(raw["ename"]), "evalue": _text(raw["evalue"]), "traceback": _lines(raw["traceback"])}
        text = "\n".join(_lines(raw["traceback"]) or [f"{parts['ename']}: {parts['evalue']}"])
        return Output(kind="error", text=_COLOUR.sub("", text), data={ERROR: json.dumps(parts)})
    if kind not in {"execute_result", "display_data"}:
        raise ValueError(f"output_type is {kind!r}")
    data = {str(mime): _to_text(str(mime), content) for mime, content in raw["data"].items()}
    noted = raw["metadata"].get("envkit", {}).get("text", data.get(_TEXT, ""))
    return Output(kind="result" if kind == "execute_result" else "display", text=_joined(noted), data=data)


def _stream(name: object) -> Literal["stdout", "stderr"]:
    if name == "stdout":
        return "stdout"
    if name == "stderr":
        return "stderr"
    raise ValueError(f"stream is {name!r}")


def _error_parts(output: Any) -> dict[str, Any]:
    """Return name, value and traceback; of an error without them, the text and its last line: "NameError: name 'x' is not defined"."""
    try:
        parts = json.loads(output.data[ERROR])
        return {"ename": _text(parts["ename"]), "evalue": _text(parts["evalue"]), "traceback": _lines(parts["traceback"])}
    except (KeyError, TypeError, ValueError):
        lines = output.text.splitlines()
        name, _, value = (lines[-1] if lines else "").partition(": ")
        return {"ename": name, "evalue": value, "traceback": output.text.split("\n")}


def _is_json(mime: str) -> bool:
    return mime == "application/json" or (mime.startswith("application/") and mime.endswith("+json"))


def _from_text(mime: str, content: str) -> Any:
    if not _is_json(mime):
        return content
    try:
        return json.loads(content)
    except ValueError:
        return content


def _to_text(mime: str, content: Any) -> str:
    return json.dumps(content, sort_keys=True) if _is_json(mime) else _joined(content)


def _joined(text: Any) -> str:
    """Return a text that nbformat lets be a list of lines."""
    return text if isinstance(text, str) else "".join(_lines(text))


def _text(text: object) -> str:
    if not isinstance(text, str):
        raise ValueError(f"not a text: {text!r}")
    return text


def _lines(lines: object) -> list[str]:
    if not _is_list(lines):
        raise ValueError(f"not lines of text: {lines!r}")
    checked = [line for line in lines if isinstance(line, str)]
    if len(checked) != len(lines):
        raise ValueError(f"not lines of text: {lines!r}")
    return checked


def _is_list(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)
