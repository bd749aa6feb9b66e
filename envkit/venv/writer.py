"""`create`: a virtual environment, written file by file.

What CPython's `venv` makes is little: a pyvenv.cfg, links to an interpreter, some directories and the activation scripts. Written
by us it takes two milliseconds, for any base on the machine, and the base needs neither `ensurepip` nor `virtualenv` and is not
run. The interpreter's links come last: as long as they are missing nothing takes the directory for an environment, and there is
no moment at which `bin/python` works but is the base's.

Source: PEP 405; CPython's Lib/venv/__init__.py, 3.8 to 3.14; https://bford.info/cachedir/ (CACHEDIR.TAG).
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ExistsError, NotFoundError, RefusedError, UsageError
from ..formats import pyvenv_cfg
from ..layout import Layout, layout
from ..models.mapping import EMPTY
from ..system.files import machine_error, write_new
from . import scripts
from .bases import Base, base_of, executable_names
from .naming import default_prompt
from .quoting import CONTROL
from .scene import Scene

if TYPE_CHECKING:
    from ..host import Host
    from ..models.environment import Environment

_TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# This directory can be made anew at any time; backups may leave it out.\n"
_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})


def create(
    prefix: Path,
    *,
    base: Environment,
    host: Host,
    symlinks: bool | None = None,
    prompt: str | None = None,
    system_site_packages: bool = False,
    variables: Mapping[str, str] = EMPTY,
    again: bool = False,
) -> None:
    """Make a virtual environment without packages at `prefix`, from any CPython 3.8+ or PyPy, without starting a process.

    Args:
        prefix: where it is to lie, absolute; what is there already is left alone, and is an error where it is in the way.
        base: the Python; its `python`, `version` and `implementation` must be known. Of a virtual environment its base is taken.
        host: says the platform; paths are written as its world writes them.
        symlinks: link to the interpreter; None does so everywhere but on Windows. Where links cannot be made it is copied.
        prompt: what shells show; None is the directory's name, or its parent's where it is called `.venv` or the like.
        system_site_packages: let it see the packages of the base.
        variables: set by the activation scripts, besides their own.
        again: replace what an earlier making wrote: interpreter, pyvenv.cfg and scripts; packages and other programs stay.

    Raises:
        RefusedError: no environment can work at such a path (`:` on POSIX, control characters, bytes that are no text).
        UsageError: the base, the prompt or a variable is not allowed.
        ExistsError: a file of the environment is there already.
        NotFoundError: the base is gone. MachineError: it cannot be written; what was written so far is left to the caller.
    """
    text = os.path.normpath(prefix)
    _check_place(text, host)
    made_from = base_of(base, host)
    _check_place(made_from.executable, host, colon=False)
    shown = _checked_prompt(prompt) if prompt is not None else default_prompt(prefix)
    paths = layout(
        text,
        platform=host.platform,
        version=made_from.version,
        implementation=made_from.implementation,
        free_threaded=made_from.free_threaded,
    )
    scene = Scene(
        prefix=host.shown(Path(paths.prefix)),
        programs=(host.shown(Path(paths.scripts)),),
        prompt=shown,
        variables=_checked_variables(variables, windows=host.platform == "win32"),
        windows=host.platform == "win32",
    )
    configuration = _configuration(made_from, host, shown if prompt is not None else None, system_site_packages=system_site_packages)
    try:
        _write_directories(paths, made_from, host)
        if again:
            _clear(paths, made_from, scene)
        _write_files(paths, scene, configuration, again=again)
        if host.platform == "win32":
            _copy_launchers(paths, made_from)
        else:
            _link_interpreter(paths, made_from, host, symlinks=symlinks is not False)
    except FileExistsError as error:
        raise ExistsError(
            f"{error.filename2 or error.filename} is there already", code="exists", hint="choose an empty directory, or remove it"
        ) from error
    except OSError as error:
        raise machine_error(error, prefix) from error


def _check_place(path: str, host: Host, *, colon: bool = True) -> None:
    """Refuse a path that a pyvenv.cfg or PATH cannot hold."""
    separator = ";" if host.platform == "win32" else ":"
    hint = "choose another directory"
    if not os.path.isabs(path):
        raise UsageError(f"{path!r} is not an absolute path", code="path", hint="give an absolute path")
    if CONTROL.search(path):
        raise RefusedError(f"the path {path!r} holds a control character, which pyvenv.cfg cannot hold", code="path", hint=hint)
    if colon and separator in host.shown(Path(path)):
        raise RefusedError(f"the path {path!r} holds {separator!r}, which parts the directories on PATH", code="path", hint=hint)
    try:
        path.encode()
    except UnicodeEncodeError:
        raise RefusedError(f"the path {path!r} is no text in UTF-8, which pyvenv.cfg has to be", code="path", hint=hint) from None


def _checked_prompt(prompt: str) -> str:
    if CONTROL.search(prompt) or not prompt.strip():
        raise UsageError(f"the prompt {prompt!r} is empty or holds a control character", code="prompt", hint="give one line of text")
    return prompt


def _checked_variables(variables: Mapping[str, str], *, windows: bool) -> dict[str, str]:
    scripts.check_variables(variables, windows=windows)
    return dict(sorted(variables.items()))


def _configuration(base: Base, host: Host, prompt: str | None, *, system_site_packages: bool) -> str:
    """Return the text of pyvenv.cfg: the keys of CPython's venv, which uv, virtualenv and others read, in its order."""
    executable = Path(base.executable)
    keys = {
        "home": host.shown(executable.parent),
        "include-system-site-packages": "true" if system_site_packages else "false",
        "version": base.full_version,
        "implementation": "PyPy" if base.implementation == "pypy" else "CPython",
        "executable": host.shown(executable),
    }
    return pyvenv_cfg.dump(keys if prompt is None else {**keys, "prompt": repr(prompt)})


def _write_directories(paths: Layout, base: Base, host: Host) -> None:
    include = paths.join("Include" if host.platform == "win32" else "include")
    for directory in (paths.prefix, paths.scripts, include, paths.purelib):
        try:
            os.mkdir(directory)
        except FileExistsError:
            pass  # where it is no directory, what is written into it will say so
        except FileNotFoundError:
            os.makedirs(directory, exist_ok=True)
    if host.platform not in {"win32", "darwin"} and base.wide:
        # Some distributions put compiled packages into lib64; without links (FAT) only those are worse off.
        with suppress(OSError):
            os.symlink("lib", paths.join("lib64"))


def _write_files(paths: Layout, scene: Scene, configuration: str, *, again: bool) -> None:
    for name, text in ((".gitignore", "*\n"), ("CACHEDIR.TAG", _TAG)):
        if not (again and os.path.exists(paths.join(name))):
            _write(paths.join(name), text)
    for name, text in scripts.files(scene).items():
        _write(f"{paths.scripts}{paths.separator}{name}", text)
    _write(paths.join(pyvenv_cfg.NAME), configuration)


def _clear(paths: Layout, base: Base, scene: Scene) -> None:
    """Remove what is written anew: links to an interpreter above all, which must not be written through."""
    names = executable_names(base.version, base.implementation, free_threaded=base.free_threaded)
    programs = [f"{paths.scripts}{paths.separator}{name}" for name in scripts.files(scene)]
    for path in (*(paths.script(name) for name in names), *programs, paths.join(pyvenv_cfg.NAME)):
        with suppress(FileNotFoundError):
            os.unlink(path)


def _write(path: str, text: str) -> None:
    """Write a new file; one that is there, or a link, is a FileExistsError."""
    write_new(path, text.encode(), 0o666)


def _link_interpreter(paths: Layout, base: Base, host: Host, *, symlinks: bool) -> None:
    """Make `python` and its other names, `python` itself last: without it nothing takes the directory for an environment."""
    names = executable_names(base.version, base.implementation, free_threaded=base.free_threaded)
    others = [name for name in names if name != "python"]
    if symlinks and _linked(host.shown(Path(base.executable)), others, paths):
        return
    real = os.path.realpath(base.executable)
    for library in _libraries_beside(real, base):
        shutil.copy2(library, paths.scripts)
    _refuse_existing(paths, names)
    first = os.path.join(paths.scripts, others[0])
    shutil.copyfile(real, first)
    _make_executable(first)
    for name in (*others[1:], "python"):
        target = os.path.join(paths.scripts, name)
        try:
            os.link(first, target)
        except OSError:
            shutil.copyfile(first, target)
            _make_executable(target)


def _make_executable(path: str) -> None:
    """Let whoever may read a file run it, too: the file's mode came from the user's umask."""
    mode = os.stat(path).st_mode
    os.chmod(path, mode | (mode & 0o444) >> 2)


def _linked(executable: str, others: list[str], paths: Layout) -> bool:
    """Make the interpreter's names as links; False where this file system or user cannot make links."""
    try:
        for name in others:
            os.symlink("python", os.path.join(paths.scripts, name))
        os.symlink(executable, paths.python)
    except OSError as error:
        if error.errno in _NO_LINKS:
            return False
        raise
    return True


def _refuse_existing(paths: Layout, names: tuple[str, ...]) -> None:
    for name in names:
        path = os.path.join(paths.scripts, name)
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)


def _libraries_beside(executable: str, base: Base) -> list[str]:
    """Return the libraries that a copied PyPy needs beside itself."""
    if base.implementation != "pypy":
        return []
    directory = os.path.dirname(executable)
    return [os.path.join(directory, name) for name in os.listdir(directory) if name.startswith("libpypy")]


def _copy_launchers(paths: Layout, base: Base) -> None:
    """Copy the launchers that stand for the interpreter on Windows: each reads `home` and starts the base's executable."""
    source = os.path.join(base.home, "Lib", "venv", "scripts", "nt")
    thread = "t" if base.free_threaded else ""
    kinds = {"pythonw.exe": (f"venvwlauncher{thread}.exe", "pythonw.exe"), "python.exe": (f"venvlauncher{thread}.exe", "python.exe")}
    for name, launchers in kinds.items():
        found = [path for path in (os.path.join(source, launcher) for launcher in launchers) if os.path.isfile(path)]
        if not found:
            raise NotFoundError(
                f"{base.executable} has no launcher for environments below {source}",
                code="launcher-not-found",
                hint="choose a Python that was installed in full: the embeddable package has none",
            )
        shutil.copyfile(found[0], os.path.join(paths.scripts, name))
