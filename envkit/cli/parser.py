"""The parser: each command, its arguments and the function that carries it out."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from . import looking

Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] # it has no public name


class _Help(argparse.HelpFormatter):
    """argparse makes one for each argument, and by itself imports `shutil` and four compressors to learn the terminal's width."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_width())


def _width() -> int:
    stated = os.environ.get("COLUMNS", "")
    if stated.isascii() and stated.isdigit() and int(stated):
        return int(stated) - 2
    try:
        return os.get_terminal_size(sys.__stdout__.fileno() if sys.__stdout__ else 1).columns - 2
    except (OSError, ValueError):
        return 78


def parsed(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return the options of a command line.

    argparse gives a list of packages what stands before the first option, and calls the rest unrecognized; here it joins the list.
    Wrong usage ends the process with code 2, as argparse does.
    """
    words = sys.argv[1:] if argv is None else argv
    reader = parser(words[0] if words else None)
    options, rest = reader.parse_known_args(argv)
    more: list[str] | None = getattr(options, "packages", getattr(options, "roots", None))
    if rest and (more is None or any(text.startswith("-") for text in rest)):
        reader.error(f"unrecognized arguments: {' '.join(rest)}")
    if more is not None:
        more.extend(rest)
    return options


def parser(command: str | None = None) -> argparse.ArgumentParser:
    """Return the parser; what it parses has the command's function as `command`.

    For a `command` that there is, those of other groups are left out: to make them all takes longer than most of what they do.
    """
    made = argparse.ArgumentParser(
        formatter_class=_Help,
        prog="envkit",
        description="Find, make, manage and run Python environments, and give each a working Jupyter kernel.",
    )
    verbs = made.add_subparsers(metavar="COMMAND", required=True, prog="envkit")  # or argparse asks for the terminal's width
    groups = [group for names, group in _GROUPS if command in names.split()]
    for group in groups or [group for _, group in _GROUPS]:
        group(verbs)
    return made


def _verb(where: Verbs, name: str, text: str, command: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
    """Add a command, with the options that each has."""
    made = where.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".", formatter_class=_Help)
    made.set_defaults(command=command)
    made.add_argument("--json", action="store_true", help="print the result as JSON, for programs")
    made.add_argument("--timeout", type=_seconds, metavar="SECONDS", help="give up after this time")
    made.add_argument("--offline", action="store_true", help="use what is on this machine already")
    return made


def _looking(verbs: Verbs) -> None:
    find = _verb(verbs, "find", "list the environments of this machine, without running any", looking.find)
    find.add_argument("roots", nargs="*", metavar="DIRECTORY", help="look into these directories, too")
    find.add_argument("--python", metavar="REQUEST", help='only those that a request allows, such as ">=3.11"')
    find.add_argument("--kind", action="append", default=[], help="only this kind (interpreter, venv, conda); may be repeated")
    find.add_argument("--manager", action="append", default=[], help="only those of this tool; may be repeated")
    find.add_argument("--probe", choices=("never", "known", "all"), default="never", help="run Pythons to learn what files do not say")
    form = find.add_mutually_exclusive_group()
    form.add_argument("--stream", action="store_true", help="print a line of JSON for each, as soon as it is found")
    form.add_argument("--tree", action="store_true", help="show each Python with the environments that stand on it")
    resolve = _verb(verbs, "resolve", "show the one environment that a path, a name or a request means", looking.resolve)
    resolve.add_argument("target", metavar="PATH|NAME|REQUEST")
    resolve.add_argument("--probe", choices=("never", "auto"), default="never", help="run a Python where its files do not say enough")


def _making(verbs: Verbs) -> None:
    from . import making  # noqa: PLC0415 - other commands do without it

    create = _verb(verbs, "create", "make a new environment", making.create)
    create.add_argument("where", nargs="?", metavar="NAME|PATH", help="without it .venv here, with what the project here asks for")
    create.add_argument("--replace", action="store_true", help="build it anew if envkit made it before")
    ensure = _verb(verbs, "ensure", "make an environment what it should be; a second time nothing is to be done", making.ensure)
    ensure.add_argument("where", nargs="?", metavar="NAME|PATH", help="without it .venv here, with what the project here asks for")
    ensure.add_argument("--pip", action="store_true", help="put pip into it")
    provision = _verb(verbs, "provision", "environment, packages, Jupyter kernel and proof in one go", making.provision)
    provision.add_argument("where", metavar="NAME")
    provision.add_argument("--display-name", metavar="TEXT", help="what Jupyter shows")
    for made in (create, ensure, provision):
        made.add_argument("packages", nargs="*", metavar="PACKAGE", help="requirements of PyPI")
        made.add_argument("--python", metavar="REQUEST|PATH|NAME", help="the Python it is built on; the newest stable one if not given")
    for made in (create, ensure, provision):
        _conda(made)
    for made in (create, ensure):
        made.add_argument("--backend", default="auto", metavar="venv|conda", help="conda if conda packages are asked for, else venv")
        made.add_argument("--dry-run", action="store_true", help="only say what would be done")
    lock = _verb(verbs, "lock", "print the lock (pylock.toml) of what a file or a project asks for", making.lock)
    lock.add_argument(
        "spec",
        nargs="?",
        default=".",
        metavar="FILE|DIRECTORY",
        help="a requirements.txt, pyproject.toml, ...; this directory if not given",
    )
    lock.add_argument(
        "--platform", action="append", default=[], help="it must be installable there (linux-64, osx-arm64, win-64, ...); may be repeated"
    )
    lock.add_argument("--python", metavar="REQUEST", help='for these Pythons, such as ">=3.10"')
    for made in (create, ensure):
        made.add_argument("--spec", metavar="FILE|DIRECTORY", help="with what this file or project asks for")
    for made in (create, ensure, lock):
        made.add_argument("--extra", action="append", default=[], help="also what this extra of the project asks for; may be repeated")
        made.add_argument("--group", action="append", default=[], help="also what this dependency group asks for; may be repeated")


def _conda(made: argparse.ArgumentParser) -> None:
    made.add_argument("--conda", action="append", default=[], metavar="SPEC", help='a conda package, such as "numpy>=2"; may be repeated')
    made.add_argument("--channel", action="append", default=[], metavar="NAME|URL", help="where conda packages come from; may be repeated")


def _keeping(verbs: Verbs) -> None:
    from . import keeping  # noqa: PLC0415 - other commands do without it

    remove = _verb(verbs, "remove", "remove an environment and its kernels", keeping.remove)
    remove.add_argument("env", metavar="ENV", help="a path or a name")
    remove.add_argument("--foreign", action="store_true", help="also one that another tool made")
    remove.add_argument("--dry-run", action="store_true", help="only say what would be removed")
    clone = _verb(verbs, "clone", "copy an environment to another place, where it runs", keeping.clone)
    clone.add_argument("env", metavar="ENV", help="a path or a name")
    clone.add_argument("where", metavar="NAME|PATH")
    repair = _verb(verbs, "repair", "mend an environment that was moved, or whose Python was", keeping.repair)
    repair.add_argument("env", metavar="ENV", help="a path or a name")
    prune = _verb(verbs, "prune", "remove content-addressed environments that nobody uses, and what killed processes left", keeping.prune)
    prune.add_argument("--keep", action="append", default=[], metavar="ENV", help="leave this one; may be repeated")
    prune.add_argument("--max-age", type=_seconds, metavar="DAYS", help="leave what was used since then")
    prune.add_argument("--max-bytes", type=int, metavar="BYTES", help="leave as much as fits, what was used last first")
    prune.add_argument("--dry-run", action="store_true", help="only say what would be removed")


def _packages(verbs: Verbs) -> None:
    from . import packaging  # noqa: PLC0415 - other commands do without it

    install = _verb(verbs, "install", "install packages into an environment", packaging.install)
    _conda(install)
    install.add_argument("--no-deps", action="store_true", help="without what they need")
    install.add_argument("--break-system-packages", action="store_true", help="also into a Python that its system manages")
    uninstall = _verb(verbs, "uninstall", "uninstall packages from an environment", packaging.uninstall)
    for made in (install, uninstall):
        made.add_argument("env", metavar="ENV", help="a path or a name")
        made.add_argument("packages", nargs="*" if made is install else "+", metavar="PACKAGE")
        made.add_argument("--dry-run", action="store_true", help="only say what would change")
    export = _verb(verbs, "export", "print what an environment holds as a file that can be read back", packaging.export)
    export.add_argument("env", metavar="ENV", help="a path or a name")
    default = "(default: requirements.txt, of a conda environment environment.yml)"
    export.add_argument("--format", choices=packaging.FORMATS, help=f"of the file {default}")
    export.add_argument("--from-history", action="store_true", help="of a conda environment: what was asked for, not each package")
    packages = _verb(verbs, "list", "list the packages of an environment", packaging.packages)
    packages.add_argument("env", metavar="ENV", help="a path or a name")
    shown = packages.add_mutually_exclusive_group()
    shown.add_argument("--size", action="store_true", help="show how much room each takes, the largest first")
    shown.add_argument("--tree", action="store_true", help="show who needs whom")
    outdated = _verb(verbs, "outdated", "list the packages that have a newer version", packaging.outdated)
    upgrade = _verb(verbs, "upgrade", "install the newest versions of packages that are installed", packaging.upgrade)
    tree = _verb(verbs, "tree", "show the packages of an environment by who needs whom", packaging.tree)
    why = _verb(verbs, "why", "say which packages need a package", packaging.why)
    for asked in (outdated, upgrade, tree, why):
        asked.add_argument("env", metavar="ENV", help="a path or a name")
    upgrade.add_argument("packages", nargs="*", metavar="PACKAGE", help="only these; all that was asked for if not given")
    upgrade.add_argument("--constraint", action="append", default=[], metavar="LIMIT", help='such as "rich<15"; may be repeated')
    upgrade.add_argument("--dry-run", action="store_true", help="only say what would change")
    why.add_argument("package", metavar="PACKAGE")
    check = _verb(verbs, "check", "say what is wrong with an environment and its packages", packaging.check)
    check.add_argument("env", metavar="ENV", help="a path or a name")
    check.add_argument("--deep", action="store_true", help="compare every file's content, too, and run its Python once")


def _using(verbs: Verbs) -> None:
    from . import using  # noqa: PLC0415 - other commands do without it

    run = _verb(verbs, "run", "run a program in an environment, without a shell", using.run)
    run.add_argument("env", metavar="ENV", help="a path or a name")
    run.add_argument("argv", nargs=argparse.REMAINDER, metavar="PROGRAM ...", help="the program and its arguments, after -- if you like")
    run.add_argument("--env-file", metavar="FILE", help="a file of variables (.env); before ENV")
    activate = _verb(verbs, "activate", "print what a shell evaluates to activate an environment", using.activate)
    shell = _verb(verbs, "shell", "open a shell inside an environment", using.shell)
    for inside in (activate, shell):
        inside.add_argument("env", metavar="ENV", help="a path or a name")
    activate.add_argument("--shell", choices=using.SHELLS, help="for this shell; the one that runs the command if not given")
    shell.add_argument("--shell", metavar="PROGRAM", help="this shell; your own if not given")


def _kernels(verbs: Verbs) -> None:
    from . import kernels  # noqa: PLC0415 - other commands do without it

    text = "list, register, rename, remove, verify and examine Jupyter kernels"
    kernel = verbs.add_parser("kernel", help=text, description="Jupyter kernels of environments.", formatter_class=_Help)
    inner = kernel.add_subparsers(metavar="COMMAND", required=True, prog="envkit kernel")
    listed = _verb(inner, "list", "list the kernels that Jupyter finds", kernels.listed)
    doctor = _verb(inner, "doctor", "say what is wrong with kernels, and what mends it", kernels.doctor)
    for asked in (listed, doctor):
        asked.add_argument("--visible-from", metavar="ENV", help="the environment that Jupyter runs in (default: this Python)")
    register = _verb(inner, "register", "register an environment as a kernel", kernels.register)
    register.add_argument("env", metavar="ENV", help="a path or a name")
    register.add_argument("--name", help="the kernel's name; the environment's if not given")
    register.add_argument("--display-name", metavar="TEXT", help="what Jupyter shows")
    register.add_argument(
        "--scope", default="user", metavar="user|sys-prefix|system|DIRECTORY", help="where it is registered (default: user)"
    )
    register.add_argument("--on-exists", choices=("error", "replace", "suffix"), default="error", help="if another kernel has the name")
    register.add_argument("--env-file", metavar="FILE", help="a file of variables (.env) that the kernel gets")
    unregister = _verb(inner, "remove", "remove a kernel; its environment stays", kernels.remove)
    unregister.add_argument("name")
    unregister.add_argument("--foreign", action="store_true", help="also one that envkit did not write")
    unregister.add_argument("--dry-run", action="store_true", help="only say what would be removed")
    rename = _verb(inner, "rename", "give a kernel another name; the old one still opens old notebooks", kernels.rename)
    rename.add_argument("name")
    rename.add_argument("new_name", metavar="NEW-NAME")
    rename.add_argument("--no-alias", action="store_true", help="the old name goes")
    prune = _verb(inner, "prune", "remove the kernels whose environment is gone", kernels.prune)
    prune.add_argument("--foreign", action="store_true", help="also those that envkit did not write")
    prune.add_argument("--dry-run", action="store_true", help="only say what would be removed")
    verify = _verb(inner, "verify", "start a kernel, run a cell in it, stop it", kernels.verify)
    verify.add_argument("name")


_GROUPS: Final = (
    ("find resolve", _looking),
    ("create ensure provision lock", _making),
    ("remove clone repair prune", _keeping),
    ("install uninstall export list outdated upgrade tree why check", _packages),
    ("run activate shell", _using),
    ("kernel", _kernels),
)
"""The commands in the order in which help lists them, by what is imported for them."""


def _seconds(text: str) -> float:
    seconds = float(text)
    if not seconds >= 0:
        raise ValueError(text)
    return seconds
