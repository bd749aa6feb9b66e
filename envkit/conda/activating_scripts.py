"""What the scripts of `activate.d` do, as data: run once in one shell, held against the variables before, kept until something changes.

conda sources these scripts in the user's shell. Here they run in a shell of their own, with their output kept away, and the variables
that come out, separated by NUL, are compared with those that went in. The difference is kept below `Host.data` under what it came
from: the scripts' identities, the environment's last change, the variables that activation sets, and those that the scripts name.

Source: CEP 32; conda's activate.py for their order.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import stat
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..control import Work
from ..errors import DeadlineError, MachineError
from ..formats.conda_meta import DIRECTORY, HISTORY
from ..system.files import private_directory, write_atomic
from ..system.look import Look
from ..system.process import run_process

if TYPE_CHECKING:
    from ..host import Host
    from ..models.activation import Activation

SECONDS: Final = 20.0
"""What the scripts of an environment have together, in seconds."""
_SHELLS: Final = ("/bin/bash", "/usr/bin/bash", "/usr/local/bin/bash", "/bin/sh")
_OWN: Final = frozenset({"_", "SHLVL", "PWD", "OLDPWD", "BASH_ENV", "ENV", "PROMPT"})  # of the shell that runs the scripts
_WORDS: Final = re.compile(rb"[A-Za-z_][A-Za-z0-9_]*")
_LIMIT: Final = 1024 * 1024  # bytes of a script that are searched for names of variables, and of the cache
_KEPT: Final = 8  # differences kept for one environment: it may be activated from several others


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What scripts change: `first` are directories that they put on PATH."""

    assign: Mapping[str, str]
    unset: frozenset[str]
    first: tuple[str, ...] = ()


def with_scripts(
    data: Activation, prefix: Path, leaving: Sequence[str], entering: Sequence[str], host: Host, *, seconds: float = SECONDS
) -> Activation:
    """Return an activation with what scripts add to it.

    Args:
        data: the activation without them.
        leaving: scripts that leave the environment that is active outside; they run first, with its variables.
        entering: scripts that enter this one, in their order.
        seconds: what those of either kind have together.

    Raises:
        DeadlineError: they do not end. MachineError: no shell runs them.
    """
    if not _is_this_machine(host):
        return data  # a tree that stands for another machine: its scripts are not for this one
    left = _difference(prefix, dict(host.environ), leaving, host, seconds) if leaving else Difference(assign={}, unset=frozenset())
    before = {**{name: value for name, value in host.environ.items() if name not in left.unset}, **left.assign}
    inside = data.apply(before)
    entered = _difference(prefix, inside, entering, host, seconds) if entering else Difference(assign={}, unset=frozenset())
    kept = {name: value for name, value in {**left.assign, **data.assign}.items() if name not in entered.unset}
    assign = {**kept, **entered.assign}
    return replace(
        data,
        prepend_path=(*map(Path, entered.first), *data.prepend_path),
        assign=assign,
        unset=(data.unset | left.unset | entered.unset) - assign.keys(),
    )


def _is_this_machine(host: Host) -> bool:
    return host.platform == sys.platform and (host.root == Path(os.sep) or os.name == "nt")


def _difference(prefix: Path, before: Mapping[str, str], scripts: Sequence[str], host: Host, seconds: float) -> Difference:
    shell = _shell(host)
    key, place = _key(prefix, before, scripts, shell, host), _place(prefix, host)
    kept = _read(place)
    found = _loaded(kept.get(key))
    if found is None:
        found = _compared(before, _run(prefix, before, scripts, shell, host, seconds))
        _keep(place, kept, key, found, host)
    return found


def _shell(host: Host) -> str:
    if host.platform == "win32":
        return host.environ.get("COMSPEC", r"C:\Windows\System32\cmd.exe")
    return next((shell for shell in _SHELLS if os.access(shell, os.X_OK)), _SHELLS[-1])


def _run(prefix: Path, before: Mapping[str, str], scripts: Sequence[str], shell: str, host: Host, seconds: float) -> dict[str, str]:
    """Return the variables after the scripts.

    Raises:
        DeadlineError: they do not end. MachineError: there is no shell, or they end it before it can tell.
    """
    environ = {name: value for name, value in before.items() if name not in {"BASH_ENV", "ENV"}}  # files that a shell would read first
    with tempfile.TemporaryDirectory(prefix="envkit-activation-") as directory:
        told = os.path.join(directory, "variables")
        if host.platform == "win32":
            file = os.path.join(directory, "activate.bat")
            write_atomic(Path(file), batch_text(scripts, told))
            argv = [shell, "/d", "/c", file]
        else:
            quiet = ["--noprofile", "--norc"] if shell.endswith("bash") else []
            argv = [shell, *quiet, "-c", shell_text(scripts, told, sys.executable)]
        try:
            run_process(argv, work=Work(host=host), environ=environ, cwd=prefix, seconds=seconds)
        except DeadlineError as error:
            names = ", ".join(map(os.path.basename, scripts))
            raise DeadlineError(
                f"the activation scripts of {prefix} did not end within {seconds:g} seconds: {names}",
                hint=f"look at them in {os.path.dirname(scripts[0])}; nobody is there to answer them",
            ) from error
        data = _data(told)
    if not data:
        raise MachineError(
            f"the activation scripts of {prefix} ended the shell that ran them",
            code="cannot-run",
            hint=f"look at {', '.join(scripts)}: a script that is sourced may not end its shell",
        )
    separator = b"\r\n" if host.platform == "win32" else b"\0"
    lines = (os.fsdecode(line).partition("=") for line in data.split(separator))
    return {name: value for name, sign, value in lines if sign and name}


def shell_text(scripts: Sequence[str], told: str, python: str) -> str:
    """Return what bash or sh runs: the scripts, then the variables, separated by NUL, into the file `told`.

    The variables are told also where a script ends the shell. `env -0` is not on every system; `python` does it there.
    """
    written = f"import os; open({told!r}, 'wb').write(b'\\0'.join(k + b'=' + v for k, v in os.environb.items()))"
    lines = [
        "__envkit_tell () {",
        f"    /usr/bin/env -0 > {shlex.quote(told)} 2> /dev/null || {shlex.quote(python)} -I -S -c {shlex.quote(written)}",
        "}",
        "trap __envkit_tell EXIT",
        *(f". {shlex.quote(script)} > /dev/null 2>&1 < /dev/null" for script in scripts),
    ]
    return "\n".join((*lines, ""))


def batch_text(scripts: Sequence[str], told: str) -> str:
    """Return what cmd runs: the scripts, then the variables, a line each, into the file `told`; checked as text, not run."""

    def quoted(path: str) -> str:
        return '"' + path.replace("%", "%%") + '"'

    lines = [
        "@echo off",
        r'"%SystemRoot%\System32\chcp.com" 65001 > nul',
        *(f"call {quoted(script)} > nul 2>&1 < nul" for script in scripts),
        f"set > {quoted(told)}",
    ]
    return "\r\n".join((*lines, ""))


def _compared(before: Mapping[str, str], after: Mapping[str, str]) -> Difference:
    """Return what differs; of PATH, the directories that are new, those put at its end too, for PATH is only ever added to."""
    names = {name for name in (*before, *after) if name not in _OWN and name.upper() != "PATH" and not name.startswith("BASH_FUNC_")}
    assign = {name: after[name] for name in names if name in after and after[name] != before.get(name)}
    unset = frozenset(name for name in names if name not in after)
    old = before.get("PATH", "").split(os.pathsep)
    new = [part for part in after.get("PATH", "").split(os.pathsep) if part and part not in old and os.path.isabs(part)]
    return Difference(assign=assign, unset=unset, first=tuple(dict.fromkeys(new)))


def _key(prefix: Path, before: Mapping[str, str], scripts: Sequence[str], shell: str, host: Host) -> str:
    """Return what stands for all that the difference depends on; what scripts read in another way is seen when packages change."""
    look = Look(host)
    words = {word.decode("ascii") for script in scripts for word in _WORDS.findall(look.data(script, _LIMIT) or b"")}
    outer = sorted((name, before[name]) for name in words & before.keys() - _OWN - {"PATH"})  # whether read, set or unset
    changed = [_identity(os.path.join(prefix, DIRECTORY, name)) for name in (HISTORY, "state")]
    said = json.dumps([1, shell, changed, [(script, _identity(script)) for script in scripts], outer])
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()


def _identity(path: str) -> list[int]:
    try:
        status = os.stat(path)
    except OSError:
        return []
    return [status.st_ino, status.st_size, status.st_mtime_ns]


def _place(prefix: Path, host: Host) -> Path:
    name = hashlib.sha256(os.fsencode(prefix)).hexdigest()[:24]
    return host.data / "cache" / "activation" / f"{name}.json"


def _read(place: Path) -> dict[str, Any]:
    """Return what was kept; nothing where it is not this user's alone, for who can write it decides what runs."""
    try:
        descriptor = os.open(place, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0))
        with open(descriptor, "rb") as stream:
            status = os.fstat(descriptor)
            own = sys.platform == "win32" or (status.st_uid == os.geteuid() and not status.st_mode & 0o022)
            found: Any = json.loads(stream.read(_LIMIT)) if stat.S_ISREG(status.st_mode) and own else {}
    except (OSError, ValueError, RecursionError):
        return {}
    return dict(found) if isinstance(found, dict) else {}  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]


def _loaded(kept: Any) -> Difference | None:
    try:
        assign, unset, first = dict(kept["assign"]), frozenset(kept["unset"]), tuple(kept["first"])
    except (TypeError, KeyError, ValueError):
        return None
    texts = (*assign, *assign.values(), *unset, *first)
    return Difference(assign=assign, unset=unset, first=first) if all(isinstance(text, str) for text in texts) else None


def _keep(place: Path, kept: Mapping[str, Any], key: str, found: Difference, host: Host) -> None:
    """Write a difference down; where that cannot be, nothing is lost but time."""
    newest = dict([*kept.items(), (key, {"assign": dict(found.assign), "unset": sorted(found.unset), "first": list(found.first)})][-_KEPT:])
    with suppress(OSError, MachineError):
        private_directory(place.parent)
        write_atomic(place, json.dumps(newest))


def _data(path: str) -> bytes:
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except OSError:
        return b""
