"""Kernelspecs that start the kernel through something else: a shell that activates, `conda run`, a runner, a script.

What stands in argv[0] is there as long as the machine is; what matters is what it leads to, which nobody looks at: Jupyter lists a
wrapper whose environment is gone as a kernel like any other. Only what can be nothing but an environment is read from such a
command: a shell can say anything.
"""

from __future__ import annotations

import ntpath
import re
import shlex
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

_SHELLS: Final = frozenset({"sh", "bash", "dash", "zsh", "ksh", "fish", "env", "cmd", "powershell", "pwsh"})
_RUNNERS: Final = frozenset({"conda", "mamba", "micromamba", "uv", "pixi"})
_OPTIONS: Final = ("-p", "--prefix", "--python", "--project", "--directory", "--manifest-path")
_MODULE_RUNNERS: Final = {"nb_conda_kernels.runner": 2}  # how many arguments after the module are prefixes
_ENTRANCE: Final = re.compile(r"activate(\.[a-z0-9]+)?|(python|pypy)[0-9.]*(\.exe)?", re.IGNORECASE)
_PYTHON: Final = re.compile(r"(python|pypy)[0-9.]*w?(\.exe)?", re.IGNORECASE)


def targets(argv: tuple[str, ...]) -> tuple[str, ...]:
    """Return the absolute paths that a wrapper needs: scripts that activate, interpreters, prefixes, launchers.

    Returns:
        In the order of the command, as they are written; empty for a command that starts Python's own kernel, or tells nothing.
    """
    program = _bare(argv[0])
    if is_shell(argv[0]):
        found = _in_shell(argv[1:])
    elif program in _RUNNERS:
        found = _after_options(argv[1:])
    elif _PYTHON.fullmatch(program):
        found = _in_python(argv[1:])
    else:
        return ()
    return tuple(dict.fromkeys(path for path in found if _is_absolute(path) and "{" not in path and "$" not in path))


def is_shell(program: str) -> bool:
    """Say whether a program is a shell, or `env`, which belong to no environment."""
    return _bare(program) in _SHELLS


def _bare(program: str) -> str:
    return ntpath.basename(program).lower().removesuffix(".exe")


def environment_of(target: str) -> str:
    """Return what leads to the environment of a target: its interpreter, or its prefix."""
    name = ntpath.basename(target)
    if name.lower().startswith("activate"):
        return target[: -len(name)].rstrip("/\\").rpartition("/" if "/" in target else "\\")[0]
    return target


def _in_shell(arguments: tuple[str, ...]) -> Iterator[str]:
    for argument in arguments:
        for word in _words(argument):
            if _ENTRANCE.fullmatch(ntpath.basename(word)):
                yield word


def _words(text: str) -> list[str]:
    try:
        lexer = shlex.shlex(text, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        return [text, *lexer]
    except ValueError:
        return [text]


def _after_options(arguments: tuple[str, ...]) -> Iterator[str]:
    for option, value in pairwise(arguments):
        if option == "--":
            return
        if option in _OPTIONS:
            yield value
    for argument in arguments:
        option, separator, value = argument.partition("=")
        if separator and option in _OPTIONS:
            yield value


def _in_python(arguments: tuple[str, ...]) -> Iterator[str]:
    """Yield what a command of Python leads to: the prefixes of a known runner, or the script that it runs."""
    rest = iter(range(len(arguments)))
    for at in rest:
        if arguments[at] == "-m":
            module = arguments[at + 1] if at + 1 < len(arguments) else ""
            yield from arguments[at + 2 : at + 2 + _MODULE_RUNNERS.get(module, 0)]
            return
        if arguments[at] in {"-c", "--"}:
            return
        if arguments[at] in {"-X", "-W"}:
            next(rest, None)
        elif not arguments[at].startswith("-"):
            yield arguments[at]
            return


def _is_absolute(path: str) -> bool:
    return path.startswith("/") or path[1:3] in {":\\", ":/"}
