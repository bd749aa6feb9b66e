"""Which shells there are, the activation script of each, and the files of them that an environment has."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, Literal

from ..errors import RefusedError, UsageError
from . import other_scripts, unix_scripts, windows_scripts
from .quoting import CONTROL
from .scene import Scene

Shell = Literal["sh", "bash", "zsh", "fish", "csh", "pwsh", "cmd", "nu", "xonsh"]

_SCRIPTS: Final[Mapping[str, Callable[[Scene], str]]] = {
    "sh": unix_scripts.sh_script,
    "bash": unix_scripts.sh_script,
    "zsh": unix_scripts.sh_script,
    "fish": unix_scripts.fish_script,
    "csh": unix_scripts.csh_script,
    "pwsh": windows_scripts.powershell_script,
    "cmd": windows_scripts.cmd_script,
    "nu": other_scripts.nu_script,
    "xonsh": other_scripts.xonsh_script,
}
SHELLS: Final = tuple(_SCRIPTS)
_NAME: Final = re.compile("[A-Za-z_][A-Za-z0-9_]*")
_ONE_LINE: Final = frozenset({"csh", "cmd"})  # shells in which a quoted text ends with its line
_OURS: Final = frozenset({"PATH", "VIRTUAL_ENV", "VIRTUAL_ENV_PROMPT", "PYTHONHOME"})


def script(shell: str, scene: Scene) -> str:
    """Return the activation script of an environment for one shell.

    Raises:
        UsageError: there is no such shell, or a variable cannot be set by a script.
        RefusedError: the environment's path cannot stand on PATH or in a script.
    """
    write = _SCRIPTS.get(shell)
    if write is None:
        raise UsageError(f"shell is {shell!r}", code="shell", hint=f"one of {', '.join(SHELLS)}")
    check_variables(scene.variables, windows=scene.windows, lines=shell not in _ONE_LINE)
    separator = ";" if scene.windows else ":"
    for path in (*scene.programs, *filter(None, (scene.prefix,)), *scene.entering, *scene.leaving):
        if CONTROL.search(path) or separator in path or (shell == "cmd" and '"' in path) or not _is_text(path):
            raise RefusedError(
                f"no script can put {path!r} on PATH",
                code="path",
                hint="move the environment to a path without control characters and separators",
            )
    if CONTROL.search(scene.prompt):
        raise UsageError(f"the prompt {scene.prompt!r} holds a control character", code="prompt", hint="give one line of text")
    return write(scene)


def files(scene: Scene) -> dict[str, str]:
    """Return the scripts that lie in an environment's directory of programs, by file name."""
    found = {
        "activate": unix_scripts.sh_script(scene),
        "activate.fish": unix_scripts.fish_script(scene),
        "activate.csh": unix_scripts.csh_script(scene),
        "activate.nu": other_scripts.nu_script(scene),
        "activate.xsh": other_scripts.xonsh_script(scene),
        "Activate.ps1": "\ufeff" + windows_scripts.powershell_script(scene),
    }
    if scene.windows:
        found["activate.bat"] = windows_scripts.cmd_script(scene).replace("\n", "\r\n")
        found["deactivate.bat"] = windows_scripts.cmd_leaving_script(scene).replace("\n", "\r\n")
    return found


def can_be_set(name: str) -> bool:
    """Say whether a script can set a variable of that name."""
    return _NAME.fullmatch(name) is not None and name.upper() not in _OURS


def check_variables(variables: Mapping[str, str], *, windows: bool, lines: bool = False) -> None:
    """Refuse variables that no activation script can set; `lines` allows several lines, for shells that can quote them.

    Raises:
        UsageError: a name is none or one of activation's own, or a value has several lines.
    """
    for name, value in variables.items():
        if not can_be_set(name):
            raise UsageError(
                f"the variable {name!r} cannot be set by an environment",
                code="variable",
                hint="a name has letters, digits and _, and PATH and those of virtual environments are not to be set",
            )
        if CONTROL.search(value.replace("\n", "").replace("\t", "") if lines else value) or (windows and '"' in value):
            raise UsageError(
                f"the value of {name} cannot be written into an activation script: {value!r}",
                code="variable",
                hint="give one line of text" + (" without double quotes" if windows else ""),
            )


def _is_text(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
