"""What conda or mamba made beside its place (`staging`) learns where it will be.

None of the three tools can be told another prefix than the directory that it writes to. So the path of that directory, which is
longer than the final one, is replaced afterwards wherever it was written: in text, in binary files, in the names of source files that
bytecode holds, in links, in what `conda-meta` says; and the hashes there follow. Files that are shared with the package cache are as
they were packed and hold no path.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..formats import conda_meta
from ..system import files
from ..system.process import run_process
from . import rewriting
from .owned_files import Rewritten, entries, identity, mend

if TYPE_CHECKING:
    from ..control import Work

_SHORT, _LONG = b"zZ\xfa\xda", b"aAut\xe1\xc1\xf5\xf4"  # types of marshalled text, by the size of the length that follows
_MAGIC: Final = (b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")  # how programs of macOS begin


def settle(made: Path, prefix: Path, work: Work) -> None:
    """Replace the path of the directory that an environment was made in by that of its place, in all its files.

    Raises:
        MachineError: a file cannot be read or written.
    """
    changed: dict[str, Rewritten] = {}
    try:
        for path in _own_files(str(made)):
            work.check()
            if os.path.islink(path):
                _settle_link(path, str(made), str(prefix))
            elif (rewritten := _settle_file(path, str(made), str(prefix), work)) is not None:
                changed[os.path.relpath(path, made).replace(os.sep, "/")] = rewritten
        for name in os.listdir(made / conda_meta.DIRECTORY) if changed else ():
            if name.endswith(".json"):
                _settle_record(made / conda_meta.DIRECTORY / name, changed)
    except OSError as error:
        raise files.machine_error(error, made) from error


def move_up(made: Path) -> None:
    """Move everything in a directory into the one above it, and remove it.

    Raises:
        MachineError: the file system says no.
    """
    try:
        for name in os.listdir(made):
            os.rename(made / name, made.parent / name)
        os.rmdir(made)
    except OSError as error:
        raise files.machine_error(error, made) from error


def _own_files(top: str) -> Iterator[str]:
    """Yield links, and files that are not shared with the package cache."""
    todo = [top]
    while todo:
        with os.scandir(todo.pop()) as found:
            for entry in found:
                if entry.is_dir(follow_symlinks=False):
                    todo.append(entry.path)
                elif entry.is_symlink() or entry.stat(follow_symlinks=False).st_nlink == 1:
                    yield entry.path


def _settle_link(path: str, made: str, prefix: str) -> None:
    target = os.readlink(path)
    if target == made or target.startswith(made + os.sep):
        os.unlink(path)
        os.symlink(prefix + target[len(made) :], path)


def _settle_file(path: str, made: str, prefix: str, work: Work) -> Rewritten | None:
    """Rewrite one file; return what it was and is, None where it held no path."""
    before = Path(path).read_bytes()
    if not rewriting.names(before, made):
        return None
    after: bytes | None
    if path.endswith((".pyc", ".pyo")):
        after = moved_bytecode(before, os.fsencode(made), os.fsencode(prefix))
    elif b"\0" in before:
        after = rewriting.moved_binary(before, made, prefix)
    else:
        after = rewriting.moved_text(before, made, prefix, platform=work.host.platform, in_json=path.endswith(".json"))
    if after is None or after == before:
        return None
    files.write_atomic(Path(path), after, mode=os.stat(path).st_mode & 0o7777)
    if work.host.platform == "darwin" and after[:4] in _MAGIC:  # a program that was changed has to be signed anew
        run_process(["/usr/bin/codesign", "--force", "--sign", "-", path], work=work, environ=work.host.environ)
        after = Path(path).read_bytes()
    return Rewritten(before=identity(before), after=identity(after))


def moved_bytecode(data: bytes, old: bytes, new: bytes) -> bytes:
    """Return bytecode with another path at the beginning of the names of source files, whose lengths stand before them."""
    parts, position = list[bytes](), 0
    while (found := data.find(old, position)) >= 0:
        head, length = _marshalled(data, found)
        if not head:
            parts.append(data[position : found + len(old)])
        else:
            size = length - len(old) + len(new)
            parts += [data[position : found - head], size.to_bytes(head, "little"), new]
        position = found + len(old)
    return b"".join([*parts, data[position:]])


def _marshalled(data: bytes, start: int) -> tuple[int, int]:
    """Return how many bytes the length of the text that starts there takes, and that length; no bytes where no text starts there."""
    if start >= 2 and data[start - 2] in _SHORT:
        return 1, data[start - 1]
    if start >= 5 and data[start - 5] in _LONG:
        return 4, int.from_bytes(data[start - 4 : start], "little")
    return 0, 0


def _settle_record(path: Path, changed: Mapping[str, Rewritten]) -> None:
    """Write what rewritten files are now into the record of their package."""
    record: Any = json.loads(path.read_bytes())
    mended = [mend(entry, changed[place]) for place, entry in entries(record) if place in changed]
    if any(mended):
        files.write_atomic(path, json.dumps(record, indent=2), mode=0o644)
