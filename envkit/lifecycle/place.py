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
from ..system import files, locks
from . import observing

if TYPE_CHECKING:
    from ..planning import Observation
    from ..system.locks import Held

ASIDE = ".envkit-old-"
_FIRST = "00000000"


@contextmanager
def fresh(prefix: Path) -> Generator[tuple[int, ...]]:
    """Make the directory, and mark it; whatever goes wrong in the body, the directory and what was made above it are gone again.

    Our lock does not exclude who has another data directory: another user, a container. So the mark itself is held as long as
    the body runs, and any child that has the descriptors.

    Raises:
        BusyError: somebody who does not use our lock is making an environment there, or has just made one. Nothing of it is touched.
    """
    top, mark = _taken_for_us(prefix)
    try:
        try:
            yield mark.descriptors
        except BaseException:
            _unmake(prefix, top)
            raise
    finally:
        mark.release()


def _taken_for_us(prefix: Path) -> tuple[Path | None, Held]:
    """Make the directory and its mark, and return the topmost directory that was made, and what holds the mark."""
    above = _make_directory(prefix.parent)
    with locks.briefly(prefix.parent):
        made = _make_directory(prefix)
        top = above or made
        try:
            mark = _claimed(prefix)
        except FileExistsError:
            raise _taken(prefix) from None
        except OSError as error:
            if top is not None:
                _remove_empty(prefix / MARKS, top)
            raise files.machine_error(error, prefix) from error
        if _holds_more(prefix):  # it was empty when it was looked at
            _unclaim(prefix)
            mark.release()
            raise _taken(prefix)
    return top, mark


def _taken(prefix: Path) -> BusyError:
    return BusyError(
        f"another process, with a data directory of its own, makes an environment at {prefix}", hint="call again when it has ended"
    )


def _holds_more(prefix: Path) -> bool:
    """Say whether more lies in a directory than the mark that was just written there, or even that is gone."""
    try:
        return {*os.listdir(prefix), *os.listdir(prefix / MARKS)} - observing.ALONE != {MARKS, DIRTY}
    except OSError:
        return True


def _remove_half_made(prefix: Path, *, marked: bool) -> None:
    """Remove what nobody is at any more; where it was seen by a mark, that must still be there: else it was finished meanwhile."""
    if not marked:
        files.remove_tree(prefix)
        return
    with locks.briefly(prefix.parent):
        mark = locks.taken_over(prefix / MARKS / DIRTY)
        if mark is None:
            raise _taken(prefix)
        try:
            files.remove_tree(prefix)
        finally:
            mark.release()


def _unmake(prefix: Path, top: Path | None) -> None:
    """Remove a directory that was made, and what was made above it from `top` on; one that was there is emptied."""
    with suppress(OSError, EnvkitError):
        if top is None:
            _empty(prefix)
        else:
            files.remove_tree(prefix)
            _remove_empty(prefix.parent, top)


def _remove_empty(directory: Path, top: Path) -> None:
    """Remove an empty directory, and those above it up to `top`; others have put something into one that is not."""
    with suppress(OSError):
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
        _remove_half_made(prefix, marked=seen.marked)
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


def _claimed(prefix: Path) -> Held:
    """Write the dirty mark into a directory in which an environment is to be made, where there is no such mark yet, and hold it.

    Raises:
        FileExistsError: somebody is making one there. OSError: it cannot be written, and is not there.
    """
    marks = prefix / MARKS
    mark = ready_record.dump_dirty(Dirty(doing="create", pid=os.getpid(), since=records.now(), made_directory=True))
    with suppress(FileExistsError):
        marks.mkdir(mode=0o700)
    return locks.marked(marks / DIRTY, mark.encode("utf-8", "surrogateescape"))


def _unclaim(prefix: Path) -> None:
    """Take back the mark of `_claimed`."""
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
