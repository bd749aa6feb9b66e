"""Activation for people: the script that a shell evaluates, which shell somebody sits in, and a subshell inside an environment."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, cast

from .control import Control, Work, takes_control
from .environments import resolved
from .errors import NotFoundError
from .execution import activation_of
from .match_specs import CONDA
from .system import process
from .system.files import write_atomic
from .venv import quoting, scripts
from .venv.scene import Scene

if TYPE_CHECKING:
    from typing import Unpack

    from .host import Host
    from .models.activation import Activation
    from .models.aliases import Env
    from .models.environment import Environment

Shell = Literal["sh", "bash", "zsh", "fish", "csh", "pwsh", "cmd", "nu", "xonsh"]
_EXTENSIONS: Final = {"sh": ".sh", "bash": ".sh", "zsh": ".sh", "fish": ".fish", "csh": ".csh", "pwsh": ".ps1", "cmd": ".bat"}
_PROGRAMS: Final = {  # what a shell's process is called, and which of the scripts is for it
    **{name: name for name in scripts.SHELLS},
    "dash": "sh",
    "ksh": "sh",
    "ksh93": "sh",
    "mksh": "sh",
    "busybox": "sh",
    "ash": "sh",
    "tcsh": "csh",
    "powershell": "pwsh",
}


@takes_control
def activation_script(env: Env, shell: Shell, **control: Unpack[Control]) -> str:
    """Return the script that activates an environment when a shell evaluates it; its `deactivate` puts everything back.

    No name, path, prompt or value in it can run code. sh's is also for dash and ksh, csh's also for tcsh, pwsh's also for Windows
    PowerShell. nu evaluates no text: write the script to a file and `overlay use FILE as activate`; cmd reads it as a batch file.

    Raises:
        NotFoundError: there is no such environment. UsageError: there is no such shell.
        RefusedError: the environment lies at a path that cannot stand on PATH.

    Example:
        >>> import envkit, sys
        >>> "VIRTUAL_ENV" in envkit.activation_script(sys.executable, "sh")
        True
    """
    work = Work.of(control)
    environment = resolved(env, work)
    return scripts.script(shell, scene_for(shell, environment, work.host))


def scene_for(shell: str, environment: Environment, host: Host) -> Scene:
    """Return what the script of an environment for one shell is made of.

    Scripts that a conda environment brings for that shell (`activate.d`, `deactivate.d`) are sourced by it, as by conda's own. For nu and
    xonsh, for which nobody writes any, what those for the platform's shell do is part of the variables.
    """
    extension = _EXTENSIONS.get(shell)
    if environment.kind != CONDA or extension is None:
        return scene_of(environment, activation_of(environment, host), host)
    from .conda import activating  # noqa: PLC0415 - only where there is conda

    found = {
        directory: tuple(host.shown(Path(path)) for path in activating.scripts(environment.prefix, directory, extension, host))
        for directory in (activating.ACTIVATE, activating.DEACTIVATE)
    }
    scene = scene_of(environment, activation_of(environment, host, scripts=False), host)
    return replace(scene, entering=found[activating.ACTIVATE], leaving=found[activating.DEACTIVATE])


def scene_of(environment: Environment, activated: Activation, host: Host) -> Scene:
    """Return what the scripts of an environment are made of."""
    assigned = dict(activated.assign)
    if environment.kind == CONDA:  # whatever stands in its files, a shell takes only names that are some
        assigned = {name: value for name, value in assigned.items() if scripts.can_be_set(name)}
    prefix = assigned.pop("VIRTUAL_ENV", None)
    prompt = assigned.pop("VIRTUAL_ENV_PROMPT", environment.name or environment.prefix.name)
    return Scene(
        prefix=prefix,
        programs=tuple(host.shown(directory) for directory in activated.prepend_path),
        prompt=prompt,
        variables=dict(sorted(assigned.items())),
        windows=host.platform == "win32",
    )


def current_shell(host: Host) -> Shell:
    """Return the kind of shell that started this process, as far as that can be told; else the user's own, else sh (or pwsh)."""
    for program in (_parent(host), host.environ.get("SHELL", "")):
        name = os.path.basename(program).removeprefix("-").removesuffix(".exe")
        if name in _PROGRAMS:
            return cast("Shell", _PROGRAMS[name])
    return "pwsh" if host.platform == "win32" else "sh"


def _parent(host: Host) -> str:
    """Return what the parent process is called, where the system tells."""
    if host.platform == "linux" and host.root == Path(os.sep):
        with suppress(OSError), open(f"/proc/{os.getppid()}/comm", encoding="utf-8", errors="replace") as stream:
            return stream.read().strip()
    return ""


def open_shell(env: Env, work: Work, *, program: str | None = None) -> int:
    """Run a shell inside an environment on our own standard streams until it ends, and return its code.

    On a terminal the user's own start-up files are read first and the environment is activated after them, so that they cannot push
    it aside; elsewhere the shell gets the activated variables.

    Args:
        program: the shell, by name or path; None for the user's own.

    Raises:
        NotFoundError: there is no such environment or shell.
    """
    environment = resolved(env, work)
    host = work.host
    executable = _executable(program, host)
    kind = _PROGRAMS.get(os.path.basename(executable).removesuffix(".exe"), "")
    if not (sys.stdin.isatty() and kind in _STARTS):
        environ = activation_of(environment, host).apply(host.environ)
        return process.run_attached([executable], work=work, environ=environ, cwd=host.cwd)
    script = scripts.script(kind, scene_for(kind, environment, host))
    with _started(kind, executable, script, host) as (argv, variables):
        return process.run_attached(argv, work=work, environ={**host.environ, **variables}, cwd=host.cwd)


def _executable(program: str | None, host: Host) -> str:
    wanted = program or host.environ.get("COMSPEC" if host.platform == "win32" else "SHELL") or current_shell(host)
    found = shutil.which(wanted, path=host.environ.get("PATH"))
    if found is None:
        raise NotFoundError(f"no shell {wanted!r} on PATH", code="program-not-found", hint="name another one with --shell")
    return os.path.abspath(found)


@contextmanager
def _started(kind: str, executable: str, script: str, host: Host) -> Generator[tuple[list[str], dict[str, str]], None, None]:
    """Give the arguments and variables of an interactive shell that reads the user's files and then the script."""
    directory = Path(tempfile.mkdtemp(prefix="envkit-shell-"))
    try:
        name = {"pwsh": "activate.ps1", "cmd": "activate.bat", "nu": "activate.nu", "zsh": ".zshrc"}.get(kind, "activate")
        file = directory / name
        write_atomic(file, _BEFORE.get(kind, "") + script)
        options, variables = [option.replace("@", str(file)) for option in _STARTS[kind]], dict[str, str]()
        if kind in {"fish", "nu"}:
            quoted = quoting.fish(str(file)) if kind == "fish" else quoting.nu(str(file))
            options = [option.replace(str(file), quoted) for option in options]
        if kind == "sh":
            variables = {"ENV": str(file), "ENVKIT_SHELL_FILE": host.environ.get("ENV", "")}
        if kind == "zsh":
            write_atomic(directory / ".zshenv", _ZSHENV)
            variables = {"ZDOTDIR": str(directory), "ENVKIT_SHELL_FILE": host.environ.get("ZDOTDIR", str(host.home))}
        yield [executable, *options], variables
    finally:
        shutil.rmtree(directory, ignore_errors=True)


_STARTS: Final = {  # how each is started; @ is the file
    "bash": ("--rcfile", "@", "-i"),
    "zsh": ("-i",),
    "fish": ("--init-command", "source @"),
    "sh": ("-i",),
    "pwsh": ("-NoLogo", "-NoExit", "-File", "@"),
    "cmd": ("/K", "@"),
    "nu": ("--execute", "overlay use @ as activate"),
}
_ZSHENV: Final = '[ -f "$ENVKIT_SHELL_FILE/.zshenv" ] && . "$ENVKIT_SHELL_FILE/.zshenv"\n'
_BEFORE: Final = {  # the user's own start-up files, which the shell would have read
    "bash": "[ -f ~/.bashrc ] && . ~/.bashrc\n",
    "zsh": 'ZDOTDIR="$ENVKIT_SHELL_FILE"\nunset ENVKIT_SHELL_FILE\n[ -f "$ZDOTDIR/.zshrc" ] && . "$ZDOTDIR/.zshrc"\n',
    "sh": 'ENV="$ENVKIT_SHELL_FILE"\nunset ENVKIT_SHELL_FILE\n[ -n "$ENV" ] && [ -f "$ENV" ] && . "$ENV"\n',
}
