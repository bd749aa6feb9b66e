"""What VS Code's settings.json says of Python: JSON with comments and trailing commas, text in, values out.

Source: VS Code's "JSON with Comments"; the settings `python.defaultInterpreterPath`, `python-envs.pythonProjects` and
`python-envs.defaultEnvManager` of the extensions ms-python.python and ms-python.vscode-python-envs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeGuard

NAME: Final = ".vscode/settings.json"
LIMIT: Final = 4 * 1024 * 1024  # bytes

# A text is left as it is, so that "//" and "," in it are no comment and no trailing comma.
_PARTS: Final = re.compile(r'"(?:[^"\\]|\\.)*"|//[^\n]*|/\*.*?\*/|,(?=(?:\s|//[^\n]*|/\*.*?\*/)*[}\]])', re.DOTALL)
_VARIABLE: Final = re.compile(r"\$\{([^{}]*)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonSettings:
    """What the settings of one folder say; what they do not say, or not rightly, is None or empty."""

    interpreter: str | None = None
    manager: str | None = None  # of the whole folder: "poetry", from "ms-python.python:poetry"
    projects: tuple[tuple[str, str], ...] = ()  # a directory as written, and its manager


def load(text: str) -> PythonSettings:
    """Return what the text says; nothing where it is no JSON."""
    try:
        raw: object = json.loads(_PARTS.sub(_plain, text))
    except (ValueError, RecursionError):
        return PythonSettings()
    if not _is_object(raw):
        return PythonSettings()
    interpreter = _text(raw.get("python.defaultInterpreterPath"))
    return PythonSettings(
        interpreter=None if interpreter in {None, "", "python"} else interpreter,  # "python" is what it says when nobody chose
        manager=_manager(raw.get("python-envs.defaultEnvManager")),
        projects=tuple(_projects(raw.get("python-envs.pythonProjects"))),
    )


def substituted(text: str, variables: Mapping[str, str]) -> str | None:
    """Return a setting with its variables, such as `workspaceFolder` and `env:HOME`, replaced; None where one is not known."""
    if any(match[1] not in variables for match in _VARIABLE.finditer(text)):
        return None
    return _VARIABLE.sub(lambda match: variables[match[1]], text)


def _plain(match: re.Match[str]) -> str:
    return match[0] if match[0].startswith('"') else " "


def _projects(raw: object) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for entry in raw if _is_list(raw) else []:
        if _is_object(entry):
            path, manager = _text(entry.get("path")), _manager(entry.get("envManager"))
            if path is not None and manager is not None:
                found.append((path, manager))
    return found


def _manager(raw: object) -> str | None:
    """Return the last part of an environment manager's id: "ms-python.python:venv" is "venv"."""
    text = _text(raw)
    return None if text is None else text.rpartition(":")[2].lower() or None


def _text(raw: object) -> str | None:
    return raw if isinstance(raw, str) else None


def _is_object(raw: object) -> TypeGuard[dict[str, object]]:
    return isinstance(raw, dict)


def _is_list(raw: object) -> TypeGuard[list[object]]:
    return isinstance(raw, list)
