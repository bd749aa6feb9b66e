"""What tools of conda leave in an environment, and in the user's home, for one another: history, requested specs, pins, marks, lists.

envkit writes them so that conda, mamba and editors go on working with its environments, and reads theirs. Nothing that another tool
wrote is ever written anew: the history and the list of environments are appended to, each by one write.

Source: conda's history.py, core/envs_manager.py and core/prefix_data.py; CEP 22 (frozen environments), CEP 32 (what marks one).
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from ..errors import RefusedError
from ..formats import conda_history, conda_meta
from ..formats.conda_url import shown
from ..system import files, locks
from .worker_names import JOURNAL

if TYPE_CHECKING:
    from ..control import Work
    from .request import Linked

FROZEN: Final = "frozen"
PINNED: Final = "pinned"
CREATED: Final = "created_at"
_ALIAS: Final = "https://conda.anaconda.org/"
_LIST_LIMIT: Final = 4 * 1024 * 1024  # bytes of a history or list that are read; a longer one is none that tools wrote
_NOT_LISTED: Final = ("placehold_pl", "skeleton_")  # environments of conda-build


def record_change(
    prefix: Path,
    *,
    command: Sequence[str],
    linked: Iterable[Linked] = (),
    unlinked: Iterable[Linked] = (),
    asked: Iterable[str] = (),
    dropped: Iterable[str] = (),
) -> None:
    """Append a block to the history of an environment, whose lock the caller holds; nothing is written where there is nothing to say.

    Args:
        prefix: the environment, or the directory in which it is being made.
        command: the words that somebody could call for the same, "envkit" first; credentials in them are left out.
        linked: packages that were put in. unlinked: those that went.
        asked: match specs that were requested. dropped: names that are requested no more.

    Raises:
        MachineError: it cannot be written.
    """
    new, old = tuple(map(_dist, linked)), tuple(map(_dist, unlinked))
    wanted, gone = tuple(asked), tuple(dropped)
    if not (new or old or wanted or gone):
        return
    block = conda_history.Block(
        date=time.strftime("%Y-%m-%d %H:%M:%S"),
        command=tuple(command),
        tool=_tool(),
        asked=wanted,
        dropped=gone,
        linked=new,
        unlinked=old,
    )
    path = prefix / conda_meta.DIRECTORY / conda_meta.HISTORY
    try:
        path.parent.mkdir(exist_ok=True)
        _append(path, conda_history.dump(block).encode("utf-8", "replace"))
    except OSError as error:
        raise files.machine_error(error, path) from error


def _tool() -> str:
    """Return the line that says who wrote a block."""
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - takes 20 ms, and only changes need it

    try:
        return f"envkit version: {version('envkit-python')}"
    except PackageNotFoundError:  # run from a source tree
        return ""


def _dist(package: Linked) -> str:
    """Return a package as a history names it: channel/subdir::name-version-build."""
    channel = shown(package.channel).rstrip("/").removeprefix(_ALIAS)
    return f"{channel}/{package.subdir}::{package.name}-{package.version}-{package.build}"


def _append(path: Path, data: bytes) -> None:
    """Append lines by one write, on a line of their own; the file is made where it is not there."""
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)
    with open(descriptor, "r+b", buffering=0) as stream:
        size = stream.seek(0, os.SEEK_END)
        if size:
            stream.seek(size - 1)
        torn = bool(size) and stream.read(1) != b"\n"
        stream.write((b"\n" if torn else b"") + data)


def requested(prefix: Path) -> dict[str, str]:
    """Return the match spec by which each installed package was asked for, by the package's name; empty where the history tells none."""
    found = conda_history.requested(_text(prefix / conda_meta.DIRECTORY / conda_meta.HISTORY))
    there = installed_names(prefix) if found else frozenset[str]()
    return {name: spec for name, spec in found.items() if name in there}


def installed_names(prefix: Path) -> frozenset[str]:
    """Return the names of the packages that are recorded in an environment, from the names of their records alone."""
    try:
        names = os.listdir(prefix / conda_meta.DIRECTORY)
    except OSError:
        return frozenset()
    return frozenset(package.name for name in names if (package := conda_meta.package(name)) is not None)


def mark_created(prefix: Path) -> None:
    """Write down when an environment was made, as conda does, for most file systems do not tell; one that is told stays.

    Raises:
        MachineError: it cannot be written.
    """
    path = prefix / conda_meta.DIRECTORY / CREATED
    if not os.path.lexists(path):
        try:
            files.write_atomic(path, f"{time.time():.6f}", mode=0o644)
        except OSError as error:
            raise files.machine_error(error, path) from error


def is_half_changed(prefix: Path) -> bool:
    """Say whether a change of an environment's packages was begun and neither finished nor taken back."""
    return os.path.lexists(prefix / conda_meta.DIRECTORY / JOURNAL)


def pinned(prefix: Path) -> tuple[str, ...]:
    """Return the match specs of `conda-meta/pinned`, which limit every change, in their order; empty where there is no such file."""
    lines = (line.strip() for line in _text(prefix / conda_meta.DIRECTORY / PINNED).splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))


def frozen(prefix: Path) -> str | None:
    """Return why an environment must not be changed, "" where its mark does not say; None where it may be."""
    path = prefix / conda_meta.DIRECTORY / FROZEN
    if not os.path.lexists(path):
        return None
    with suppress(ValueError):
        said: Any = json.loads(_text(path))
        if isinstance(said, dict):
            message = cast("dict[str, object]", said).get("message")
            return message.strip() if isinstance(message, str) else ""
    return ""


def refuse_frozen(prefix: Path) -> None:
    """Refuse to change an environment that is marked as frozen.

    Raises:
        RefusedError: it is; the text says why, where the mark does.

    Source: CEP 22.
    """
    why = frozen(prefix)
    if why is not None:
        raise RefusedError(
            f"{prefix} is frozen (CEP 22)" + (f": {why}" if why else ""),
            code="frozen",
            hint=f"work in a clone() of it; who froze it may change it after deleting {prefix / conda_meta.DIRECTORY / FROZEN}",
        )


def register(prefix: Path, work: Work, *, wanted: bool = True) -> bool:
    """Append an environment to `~/.conda/environments.txt`, so that conda, mamba and editors find it; return whether it was written.

    Lines of others stay as they are, also of environments that cannot be seen at the moment. Not written: one that is there
    already, and what conda-build makes. A list that cannot be written is no error: the environment is as good without it.

    Args:
        wanted: what condarc's `register_envs` and `ENVKIT_CONDA_REGISTER` say (`Configuration.register`).
    """
    host = work.host
    line = os.path.normpath(host.shown(prefix))
    if not wanted or any(mark in line for mark in _NOT_LISTED) or len(line.splitlines()) != 1:
        return False
    path = host.home / ".conda" / "environments.txt"
    with locks.held(host.data / "locks" / "conda-environments.lock", what=str(path), work=work):
        if line in _text(path).splitlines():
            return False
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _append(path, f"{line}\n".encode())
        except (OSError, UnicodeEncodeError):  # a name that is no text would keep others from reading the list
            return False
    return True


def _text(path: Path) -> str:
    """Return what a file says, "" where it is not there, cannot be read, or is no such file."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as stream:
            return stream.read(_LIST_LIMIT)
    except OSError:
        return ""
