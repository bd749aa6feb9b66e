"""The messages of a cell as outputs: streams joined, displays updated, errors as text without colours.

Source: "Messaging in Jupyter" (jupyter-client.readthedocs.io), iopub channel; nbformat 4's outputs.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from ..models.cells import Output

ERROR: Final = "application/vnd.jupyter.error"  # MIME type of an error's parts: name, message, traceback as one JSON object
_COLOUR: Final = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")


class Cell:
    """The outputs of one cell while they come, and whether it is done: the kernel has replied and says that it is idle."""

    def __init__(self, request: str, on_output: Callable[[Output], None] | None = None) -> None:
        """Belong to the request with this message id; `on_output` hears each output as it comes."""
        self.request = request
        self.started: float | None = None  # by the clock of time.monotonic()
        self.replied = False
        self.idle = False
        self.ok = False
        self._on_output = on_output
        self._outputs: list[Output] = []
        self._pieces: list[str] = []  # of the stream that is open: joined once, at its end
        self._displays: dict[str, list[int]] = {}
        self._clear = False

    @property
    def done(self) -> bool:
        """Whether nothing more will come."""
        return self.replied and self.idle

    def outputs(self) -> tuple[Output, ...]:
        """Return what came until now; neighbouring pieces of one stream are one output."""
        self._close_stream()
        return tuple(self._outputs)

    def text(self) -> str:
        """Return all texts until now."""
        return "".join(output.text for output in self.outputs())

    def mute(self) -> None:
        """Tell nobody of what still comes."""
        self._on_output = None

    def end(self) -> None:
        """Count what is missing as lost."""
        self.replied = self.idle = True

    def take(self, kind: str, content: Mapping[str, Any]) -> None:
        """Take a message whose parent is this cell's request."""
        if kind == "execute_reply":
            self.replied, self.ok = True, content.get("status") == "ok"
        elif kind == "status":
            self.idle = self.idle or content.get("execution_state") == "idle"
        elif kind == "execute_input":
            self.started = time.monotonic()
        elif kind == "clear_output":
            self._clear = True
            if not content.get("wait"):
                self._clear_now()
        else:
            self._add(kind, content)

    def _add(self, kind: str, content: Mapping[str, Any]) -> None:
        output = _output(kind, content)
        if output is None:
            return
        if self._clear:
            self._clear_now()
        display = str(content.get("transient", {}).get("display_id") or "")
        if kind == "update_display_data":
            for index in self._displays.get(display, ()):
                self._outputs[index] = replace(output, kind=self._outputs[index].kind)
        elif output.kind in {"stdout", "stderr"}:
            self._add_stream(output)
        else:
            self._close_stream()
            self._outputs.append(output)
            if display:
                self._displays.setdefault(display, []).append(len(self._outputs) - 1)
        if self._on_output is not None:
            self._on_output(output)

    def _add_stream(self, output: Output) -> None:
        if not self._pieces or self._outputs[-1].kind != output.kind:
            self._close_stream()
            self._outputs.append(output)
        self._pieces.append(output.text)

    def _close_stream(self) -> None:
        if len(self._pieces) > 1:
            self._outputs[-1] = replace(self._outputs[-1], text="".join(self._pieces))
        self._pieces = []

    def _clear_now(self) -> None:
        self._clear = False
        self._outputs, self._pieces = [], []
        self._displays = {}


def _output(kind: str, content: Mapping[str, Any]) -> Output | None:
    """Return the output that a message is; None for a message that is none."""
    if kind == "stream":
        return Output(kind="stderr" if content.get("name") == "stderr" else "stdout", text=str(content.get("text", "")), data={})
    if kind == "error":
        parts = {name: content.get(name) for name in ("ename", "evalue", "traceback")}
        lines = content.get("traceback") or [f"{content.get('ename')}: {content.get('evalue')}"]
        return Output(kind="error", text=_COLOUR.sub("", "\n".join(map(str, lines))), data={ERROR: json.dumps(parts)})
    if kind in {"display_data", "execute_result", "update_display_data"}:
        data = {str(mime): _as_text(value) for mime, value in dict(content.get("data") or {}).items()}
        return Output(kind="result" if kind == "execute_result" else "display", text=data.get("text/plain", ""), data=data)
    return None


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
