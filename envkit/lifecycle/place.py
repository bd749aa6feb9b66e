"""The place of an environment that is made: claimed first, emptied again on failure; what was there is put aside meanwhile."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from .. import records
from ..errors import BusyError, EnvkitError, MachineError
from ..formats import ready_record
from ..formats.ready_record import Dirty
from ..formats.record_text import DIRTY, MARKS
from ..system import files
from . import observing

if TYPE_CHECKING:
    from ..planning import Observation

ASIDE = ".envkit-old-"
_FIRST = "00000000"


@contextmanager
def fresh(prefix: Path) -> Generator[None]:
    """Make the directory, and mark it; whatever goes wrong in the body, the directory and what was made above it are gone again.

    Raises:
        BusyError: somebody who does not use our lock is making an environment there, or has just made one. Nothing of it is touched.
    """
    top = _make_directory(prefix)
    try:
        _claim(prefix)
    except FileExistsError:
        raise _taken(prefix) from None
    except EnvkitError:
        _unmake(prefix, top)
        raise
    if top is None and _entries_of(prefix) - observing.ALONE:  # it was empty when it was looked at
        _unclaim(prefix)
        raise _taken(prefix)
    try:
        yield
    except BaseException:
        _unmake(prefix, top)
        raise


def _taken(prefix: Path) -> BusyError:
    return BusyError(
        f"another process, with a data directory of its own, makes an environment at {prefix}", hint="call again when it has ended"
    )


def _entries_of(prefix: Path) -> set[str]:
    """Return what lies in a directory and in that of its marks, but for what was just written there."""
    return {*os.listdir(prefix), *os.listdir(prefix / MARKS)} - {MARKS, DIRTY}


def _unmake(prefix: Path, top: Path | None) -> None:
    """Remove a directory that was made, and what was made above it from `top` on; one that was there is emptied."""
    with suppress(OSError, EnvkitError):
        if top is None:
            _empty(prefix)
        else:
            files.remove_tree(prefix)
            _remove_empty_parents(prefix.parent, top)


def _remove_empty_parents(directory: Path, top: Path) -> None:
    while directory.is_relative_to(top):
        directory.rmdir()
        directory = directory.parent


def _empty(directory: Path) -> None:
    for entry in list(os.scandir(directory)):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            os.unlink(entry.path)


@contextmanager
def replacing(seen: Observation) -> Generator[None]:
    """Put what lies at the prefix aside while its successor is built: it is deleted in the end, or put back on failure.

    What was half made is not worth keeping. What a kill left aside is swept by the next build of the same place.
    """
    prefix = seen.prefix
    _sweep(prefix)
    if seen.state == "absent":
        yield
        return
    if seen.state == "half-made":
        files.remove_tree(prefix)
        yield
        return
    aside = prefix.with_name(f"{ASIDE}{prefix.name}-{_FIRST}")
    if os.path.lexists(aside):  # it could not be deleted
        aside = prefix.with_name(f"{ASIDE}{prefix.name}-{os.urandom(4).hex()}")
    try:
        os.rename(prefix, aside)
    except OSError as error:
        raise files.machine_error(error, prefix) from error
    try:
        yield
    except BaseException:
        os.rename(aside, prefix)
        raise
    with suppress(OSError):
        files.delete_renamed(aside)


def _sweep(prefix: Path) -> None:
    """Delete what an earlier build of this place put aside and could not delete; only with the place's lock held.

    The first that is put aside always has the same name, and goes last: without it there are no others.
    """
    start = f"{ASIDE}{prefix.name}-"
    first = prefix.with_name(f"{start}{_FIRST}")
    if not os.path.lexists(first):
        return
    with suppress(OSError):
        for entry in list(os.scandir(prefix.parent)):
            ours = entry.name.startswith(start) and len(entry.name) == len(start) + 8 and entry.name != first.name
            if ours and entry.is_dir(follow_symlinks=False):
                files.delete_renamed(Path(entry.path))
        files.delete_renamed(first)


def _claim(prefix: Path) -> None:
    """Write the dirty mark into a directory in which an environment is to be made, where there is no such mark yet.

    Our lock does not exclude who has another data directory: another user, a container. Of two the mark lets one go on.

    Raises:
        FileExistsError: somebody is making one there. MachineError: it cannot be written.
    """
    marks = prefix / MARKS
    mark = ready_record.dump_dirty(Dirty(doing="create", pid=os.getpid(), since=records.now(), made_directory=True))
    try:
        files.private_directory(marks)
        files.write_new(f"{marks}{os.sep}{DIRTY}", mark.encode("utf-8", "surrogateescape"), 0o600)
    except FileExistsError:
        raise
    except OSError as error:
        raise files.machine_error(error, marks) from error


def _unclaim(prefix: Path) -> None:
    """Take back the mark of `_claim`."""
    with suppress(OSError):
        (prefix / MARKS / DIRTY).unlink()
        (prefix / MARKS).rmdir()


def _make_directory(prefix: Path) -> Path | None:
    """Make `prefix` and what is missing above it; return the topmost directory that was made, None if it was there.

    Raises:
        MachineError: it cannot be made.
    """
    top: Path | None = None
    missing = [prefix]
    while not os.path.exists(missing[-1].parent):  # unlike Path.exists, it says no where it may not look
        missing.append(missing[-1].parent)
    for directory in reversed(missing):
        try:
            directory.mkdir()
            top = top or directory
        except FileExistsError:
            if not os.path.isdir(directory):
                raise MachineError(f"{directory} is not a directory", code="not-a-directory", hint="choose another place") from None
        except OSError as error:
            raise files.machine_error(error, directory) from error
    return top
