"""What `envkit find --json` wrote, written again by the next process as long as nothing that it was made from has changed.

Programs give that line again and again, each time in a new process, and most of its time goes into importing what then finds the
same. So the text is kept, with the state of everything that the search looked at (see `discovery/again.py`, whose rules hold here,
too), of envkit's own files, and of whatever tells which plug-ins there are. It belongs to one user, one set of environment
variables, one working directory and one Python; of the variables only a hash is kept, for there may be secrets among them.

Up to sixteen texts are kept, one for each first digit of that hash. A file lies in the cache below the data directory, readable by
this user alone and replaced as a whole. One that others may write is not believed, nor one that is older than an hour: should a file
system not tell of a change, it is seen then. Where it cannot be written, time is lost, never an answer.
"""

from __future__ import annotations

import os
import sys
import time

from ..data_directory import data_directory
from ..system import private

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_FORMAT = "envkit-kept/1"
_OLDEST = 3600.0  # seconds
_LARGEST = 16 * 1024 * 1024  # bytes of a file; a larger one is none of ours
_PASSING = frozenset({"_", "OLDPWD", "SHLVL"})  # variables that a shell changes all the time, and nobody asks for
_FORMS = frozenset({"--json", "--stream"})
_NOTHING = "- - -"
_ANY = "-1"  # in place of a time: as `ANY` in `system/states.py`
_BEGAN = time.time_ns()  # before anything else of envkit was imported


def form_of(words: Sequence[str]) -> str:
    """Return which text a command line asks for, "json" or "stream"; nothing for a line whose answer is not kept."""
    given = set(words[1:])
    if words[:1] != ["find"] or not given & _FORMS or given - _FORMS - {"--offline"} or len(given) < len(words) - 1:
        return ""
    return "stream" if "--stream" in given else "json"


def answer(form: str) -> str | None:
    """Return the text that was written for the same question, when nothing has changed; None otherwise."""
    if not (asked := _question(form)):
        return None
    key, path = asked
    try:
        if not private.is_private(os.path.dirname(path)) or not 0 <= time.time() - os.stat(path).st_mtime <= _OLDEST:
            return None
        head, known, *states, text = private.read(path, _LARGEST).split("\0")
        if head != _FORMAT or known != key:
            return None
        for line in states:
            follow, device, inode, changed, place = line.split(" ", 4)
            now = _state(place, follow=follow == "f")
            if now != f"{device} {inode} {changed}" and (changed != _ANY or not now.startswith(f"{device} {inode} ")):
                return None
    except (OSError, ValueError):  # not there, not ours, or damaged
        return None
    return text


def keep(form: str, text: str) -> None:
    """Keep the text that was just written, when all that it was made from may be believed to be still as it was."""
    from ..discovery import again  # noqa: PLC0415 - not where an answer is only repeated
    from ..system import states  # noqa: PLC0415 - as above

    looked_at, asked = again.grounds(), _question(form)
    if looked_at is None or asked is None or "\0" in text:
        return
    own = states.observed([*((path, False) for path in _code()), *((path, True) for path in _plugs())], _BEGAN)
    if own is not None:
        key, path = asked
        lines = [_line(*ground) for ground in (*looked_at, *own)]
        _write(path, "\0".join((_FORMAT, key, *lines, text)))


def _code() -> Iterator[str]:
    """Yield the files of envkit that are in use: another version of them may say something else."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "envkit" and (path := getattr(module, "__file__", None)):
            yield path


def _plugs() -> Iterator[str]:
    """Yield the directories of which each distribution may bring locators, and the files that say which."""
    from ..plugins import entry_point_files  # noqa: PLC0415 - as above

    yield from (directory or "." for directory in sys.path)
    yield from entry_point_files(sys.path)


def _question(form: str) -> tuple[str, str] | None:
    """Return a hash of all that the question depends on but files, and the path of the answer's file; None where none is kept."""
    home = os.environ.get("HOME", "")
    if os.name != "posix" or not form or not home.startswith("/"):
        return None
    try:
        from _blake2 import blake2b  # noqa: PLC0415 - hashlib brings OpenSSL, which takes longer than all the rest
    except ImportError:
        from hashlib import blake2b  # noqa: PLC0415 - the same where that module is not
    variables = sorted(item for item in os.environ.items() if item[0] not in _PASSING)
    who = (os.geteuid(), os.getegid(), sorted(os.getgroups()))
    runs = (sys.platform, sys.executable, getattr(sys, "_base_executable", ""), sys.path)
    try:
        asked = repr((form, os.getcwd(), who, runs, variables))
    except OSError:  # the working directory was removed under us
        return None
    key = blake2b(asked.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
    return key, os.path.join(data_directory(os.environ, home, sys.platform), "cache", f"found-{key[0]}.txt")


def _state(path: str, *, follow: bool) -> str:
    try:
        status = os.stat(path) if follow else os.lstat(path)
    except (OSError, ValueError):
        return _NOTHING
    return f"{status.st_dev} {status.st_ino} {status.st_ctime_ns}"


def _line(path: str, follow: bool, state: tuple[int, int, int] | None) -> str:  # noqa: FBT001 - a part of a ground
    return f"{'f' if follow else 'l'} {_NOTHING if state is None else ' '.join(map(str, state))} {path}"


def _write(path: str, text: str) -> None:
    from contextlib import suppress  # noqa: PLC0415 - as above
    from pathlib import Path  # noqa: PLC0415 - as above

    from ..errors import EnvkitError  # noqa: PLC0415 - as above
    from ..system import files  # noqa: PLC0415 - as above

    directory = os.path.dirname(path)
    with suppress(OSError, EnvkitError):
        if _may_make(directory):
            files.private_directory(Path(directory))
            files.write_atomic(Path(path), text)


def _may_make(directory: str) -> bool:
    """Say whether a directory is ours alone, or would be made in one of ours: whoever borrows a home (sudo) leaves nothing there."""
    above = directory
    while not os.path.lexists(above) and above != os.path.dirname(above):
        above = os.path.dirname(above)
    return private.is_private(directory) and os.stat(above).st_uid == os.geteuid()
