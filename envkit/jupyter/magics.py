"""`%load_ext envkit`: the verbs as magics of a notebook. Each is one call, and what it gives is the cell's result.

So `env = %envkit create demo rich` keeps the environment. The words are those of the command line.
"""

from __future__ import annotations

import argparse
import importlib
import os
import shlex
from argparse import Namespace
from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn, Protocol

from ..errors import EnvkitError, UsageError
from ..markup import Table


class Shell(Protocol):
    """What the extension needs of IPython's shell."""

    def register_magic_function(self, func: Callable[[str], object], magic_kind: str = "line", magic_name: str | None = None) -> None: ...


def load_ipython_extension(ipython: Any) -> None:
    """Give IPython the magic `%envkit`; called by `%load_ext envkit`.

    Example:
        In a notebook: `%load_ext envkit`, then `%envkit find` or `%envkit provision demo rich`.
    """
    shell: Shell = ipython
    shell.register_magic_function(magic, "line", "envkit")


def magic(line: str) -> object:
    """Do what `%envkit LINE` says and return what the verb returns; `%envkit --help` lists the commands.

    Raises:
        IPython.core.error.UsageError: what went wrong, with its hint, in two lines and without a traceback.
    """
    try:
        options = _parser().parse_args(shlex.split(line, posix=os.name != "nt"))
        command: Callable[[Namespace], object] = options.command
        return command(options)
    except _HelpError as asked:
        return Table(title="%envkit", columns=("",), rows=(), said=str(asked))
    except EnvkitError as error:
        hint = f"\nhint: {error.hint}" if error.hint else ""
        raise _as_ipython_says(f"{error}{hint}") from error
    except ValueError as error:  # a quotation that does not end
        raise _as_ipython_says(str(error)) from error


def _as_ipython_says(text: str) -> Exception:
    """Return the error that IPython shows as one message; there is none of our own that it does not trace back."""
    kind: type[Exception] = importlib.import_module("IPython.core.error").UsageError
    return kind(text)


class _HelpError(Exception):
    """Help was asked for, and this is its text."""


class _Parser(argparse.ArgumentParser):
    """A parser that raises what the command line prints and exits with; help is such a text, too."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}\n{self.format_usage().strip()}", hint="%envkit --help lists the commands")

    def print_help(self, file: object = None) -> NoReturn:
        raise _HelpError(self.format_help())


def _parser() -> _Parser:
    made = _Parser(prog="%envkit", description="Find, make and use Python environments.")
    commands = made.add_subparsers(metavar="COMMAND", required=True, parser_class=_Parser)
    for name, (text, command, words) in _COMMANDS.items():
        one = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        one.set_defaults(command=command)
        for word in words:
            _add(one, word)
    return made


def _add(parser: argparse.ArgumentParser, word: str) -> None:
    """Add an argument by its word: `--python` an option, `--foreign!` a switch, `packages*` any number, `packages+` one or more."""
    if word.endswith("!"):
        parser.add_argument(word[:-1], action="store_true")
    elif word[-1] in "*+?":
        parser.add_argument(word[:-1], nargs=word[-1])
    else:
        parser.add_argument(word)


def _find(options: Namespace) -> object:
    from ..environments import find  # noqa: PLC0415 - each command imports what it needs
    from ..models.several import Several  # noqa: PLC0415 - as above

    return Several(find(python=options.python, roots=options.roots), "no environment was found")


def _create(options: Namespace) -> object:
    from ..lifecycle.making import create  # noqa: PLC0415 - each command imports what it needs

    return create(options.where, pypi=options.packages, python=options.python)


def _provision(options: Namespace) -> object:
    from ..provisioning import provision  # noqa: PLC0415 - each command imports what it needs

    return provision(options.name, pypi=options.packages, python=options.python)


def _use(options: Namespace) -> object:
    from ..kernels.switching import use  # noqa: PLC0415 - each command imports what it needs

    return use(options.env)


def _install(options: Namespace) -> object:
    from ..packages import install  # noqa: PLC0415 - each command imports what it needs

    return install(options.env, *options.packages)


def _uninstall(options: Namespace) -> object:
    from ..packages import uninstall  # noqa: PLC0415 - each command imports what it needs

    return uninstall(options.env, *options.packages)


def _list(options: Namespace) -> object:
    from ..packages import installed  # noqa: PLC0415 - each command imports what it needs

    return installed(options.env)


def _remove(options: Namespace) -> object:
    from ..lifecycle.removal import remove  # noqa: PLC0415 - each command imports what it needs

    return remove(options.env, foreign=options.foreign, dry_run=options.dry_run)


def _kernels(options: Namespace) -> object:
    from ..kernels.listing import kernels  # noqa: PLC0415 - each command imports what it needs

    return kernels()


def _doctor(options: Namespace) -> object:
    from ..kernels.checkup import doctor  # noqa: PLC0415 - each command imports what it needs

    return doctor()


def _verify(options: Namespace) -> object:
    from ..kernels.health import verify  # noqa: PLC0415 - each command imports what it needs

    return verify(options.name)


_COMMANDS: Final[Mapping[str, tuple[str, Callable[[Namespace], object], tuple[str, ...]]]] = {
    "find": ("list the environments of this machine", _find, ("roots*", "--python")),
    "create": ("make an environment, by name or path, with packages", _create, ("where", "packages*", "--python")),
    "provision": ("make an environment with packages and a proven kernel", _provision, ("name", "packages*", "--python")),
    "use": ("move this notebook to an environment", _use, ("env",)),
    "install": ("install packages into an environment", _install, ("env", "packages+")),
    "uninstall": ("uninstall packages from an environment", _uninstall, ("env", "packages+")),
    "list": ("list the packages of an environment", _list, ("env",)),
    "remove": ("remove an environment and its kernels", _remove, ("env", "--foreign!", "--dry-run!")),
    "kernels": ("list the kernels", _kernels, ()),
    "doctor": ("say what is wrong with kernels and environments", _doctor, ()),
    "verify": ("prove a kernel by a cell that runs in it", _verify, ("name",)),
}
