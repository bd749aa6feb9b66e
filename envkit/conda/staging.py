"""Making an environment beside its place: it appears there whole, by a rename, or not at all.

Everything is linked in a sibling directory with the final prefix written into the files. A process that is killed leaves that sibling,
which is deleted when an environment is made at the same place again; no tool ever takes the place itself for an environment before.
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from ..errors import RefusedError
from ..system import files

_START: Final = ".envkit-new-"
_MARKS: Final = (".envkit", ".lock")
"""How the names of envkit's own marks begin, which may lie at the place already."""


class Stage:
    """The directory in which an environment is made, and the place where it will be."""

    def __init__(self, directory: Path, prefix: Path) -> None:
        """Nothing is at the place yet but marks."""
        self.directory, self.prefix = directory, prefix
        self.moved = False

    def move(self) -> None:
        """Put what was made at its place, with the marks that lie there.

        Raises:
            MachineError: the file system says no; the place is as it was.
        """
        if self.directory == self.prefix:
            self.moved = True
            return
        taken: list[str] = []
        try:
            for name in os.listdir(self.prefix):
                os.rename(self.prefix / name, self.directory / name)
                taken.append(name)
            os.rmdir(self.prefix)
            os.rename(self.directory, self.prefix)
        except OSError as error:
            _give_back(self.directory, self.prefix, taken)
            raise files.machine_error(error, self.prefix) from error
        self.moved = True

    def undo(self) -> None:
        """Leave the place as it was: a directory with nothing but marks. What cannot be removed stays beside it, to be deleted later."""
        if self.directory == self.prefix:
            _empty(self.prefix)
            return
        if self.moved:
            os.rename(self.prefix, self.directory)
            _give_back(self.directory, self.prefix, [name for name in os.listdir(self.directory) if name.startswith(_MARKS)])
        with suppress(OSError):
            files.delete_renamed(self.directory)


@contextmanager
def staged(prefix: Path) -> Generator[Stage]:
    """Give a directory in which the environment of a place is to be made; when the body fails everything is as it was before.

    On Windows that is the place itself, for a directory in which a lock is held cannot be renamed there.

    Raises:
        RefusedError: something else than envkit's marks lies at the place. MachineError: the file system says no.
    """
    try:
        prefix.mkdir(parents=True, exist_ok=True)
        others = sorted(name for name in os.listdir(prefix) if not name.startswith(_MARKS))
        if others:
            raise RefusedError(
                f"{prefix} is not empty: {', '.join(others[:3])} {'is' if len(others) == 1 else 'are'} there",
                code="foreign-files",
                hint="choose another place, or move that away",
            )
        _sweep(prefix)
        stage = Stage(prefix if sys.platform == "win32" else _sibling(prefix), prefix)
    except OSError as error:
        raise files.machine_error(error, prefix) from error
    try:
        yield stage
    except BaseException:
        stage.undo()
        raise


def _sibling(prefix: Path) -> Path:
    directory = prefix.with_name(f"{_START}{prefix.name}-{secrets.token_hex(4)}")
    directory.mkdir(mode=prefix.stat().st_mode & 0o777)
    return directory


def _sweep(prefix: Path) -> None:
    """Delete what a killed process left when it made an environment at the same place. Its lock is ours, so nobody is at work there."""
    start = f"{_START}{prefix.name}-"
    for name in os.listdir(prefix.parent):
        if name.startswith(start) and len(name) == len(start) + 8:
            with suppress(OSError):
                files.delete_renamed(prefix.parent / name)


def place_of(directory: Path) -> Path | None:
    """Return at which place an environment is made, or was when the process was killed, in a directory; None for any other directory."""
    name, dash, mark = directory.name.removeprefix(_START).rpartition("-")
    return directory.with_name(name) if directory.name.startswith(_START) and dash and len(mark) == 8 else None


def _give_back(directory: Path, prefix: Path, names: Iterable[str]) -> None:
    with suppress(OSError):
        prefix.mkdir(exist_ok=True)
    for name in names:
        with suppress(OSError):
            os.rename(directory / name, prefix / name)


def _empty(prefix: Path) -> None:
    """Remove all but the marks."""
    for entry in list(os.scandir(prefix)):
        with suppress(OSError):
            if entry.name.startswith(_MARKS):
                continue
            if entry.is_dir(follow_symlinks=False):
                files.delete_renamed(Path(entry.path))
            else:
                os.unlink(entry.path)
