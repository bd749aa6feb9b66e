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

from ..errors import EnvkitError, InstallError
from ..formats import conda_meta
from ..system import files
from ..system.process import run_process
from . import rewriting
from .owned_files import Rewritten, entries, identity, mend

if TYPE_CHECKING:
    from ..control import Work

_TYPES: Final = {1: b"zZ", 4: b"aAut"}  # of marshalled texts, by the bytes that their length takes
_INTERNED: Final = b"ZAt"
_MAGIC: Final = (b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")  # how programs of macOS begin


def settle(made: Path, prefix: Path, work: Work) -> None:
    """Replace the path of the directory that an environment was made in by that of its place, in all its files.

    Raises:
        MachineError: a file cannot be read or written. InstallError: the place is too long for a binary file ("prefix-too-long").
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
    except EnvkitError:  # a deadline is an OSError, too
        raise
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
        after = moved_bytecode(before, made, prefix)
    elif b"\0" in before:
        after = rewriting.moved_binary(before, made, prefix)
        if after is None:
            raise InstallError(f"{prefix} is too long for {path}", code="prefix-too-long", hint="choose a shorter place")
    else:
        after = rewriting.moved_text(before, made, prefix, platform=work.host.platform, in_json=path.endswith(".json"))
    if after == before:
        return None
    files.write_atomic(Path(path), after, mode=os.stat(path).st_mode & 0o7777)
    if work.host.platform == "darwin" and after[:4] in _MAGIC:  # a program that was changed has to be signed anew
        run_process(["/usr/bin/codesign", "--force", "--sign", "-", path], work=work, environ=work.host.environ)
        after = Path(path).read_bytes()
    return Rewritten(before=identity(before), after=identity(after))


def moved_bytecode(data: bytes, old: str, new: str) -> bytes:
    """Return bytecode with another path at the beginning of the names of source files.

    Each is a marshalled text: its type, its length in one byte or four, its characters. The new one gets the type that takes any text.

    Source: CPython's Python/marshal.c.
    """
    before, after = old.encode("utf-8", "surrogatepass"), new.encode("utf-8", "surrogatepass")
    parts, position = list[bytes](), 0
    while (found := data.find(before, position)) >= 0:
        head = next((size for size in (1, 4) if found > size and data[found - size - 1] & 0x7F in _TYPES[size]), 0)
        rest = int.from_bytes(data[found - head : found], "little") - len(before) if head else -1
        if rest < 0:  # no text begins there
            parts.append(data[position : found + len(before)])
        else:
            kind = data[found - head - 1]
            text = (b"t" if kind & 0x7F in _INTERNED else b"u")[0] | kind & 0x80  # the eighth bit: others refer to it
            parts += [data[position : found - head - 1], bytes([text]), (len(after) + rest).to_bytes(4, "little"), after]
        position = found + len(before)
    return b"".join([*parts, data[position:]])


def _settle_record(path: Path, changed: Mapping[str, Rewritten]) -> None:
    """Write what rewritten files are now into the record of their package."""
    record: Any = json.loads(path.read_bytes())
    mended = [mend(entry, changed[place]) for place, entry in entries(record) if place in changed]
    if any(mended):
        files.write_atomic(path, json.dumps(record, indent=2), mode=0o644)
