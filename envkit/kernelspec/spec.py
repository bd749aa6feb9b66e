"""Read, write and remove kernelspecs on disk, so that no reader ever misses one that is there.

Jupyter's own install deletes the directory and copies it anew: two of them at once fail, and readers find nothing meanwhile. Here a
directory is never deleted to be written: each file is replaced by itself, kernel.json last; and it goes first when a kernelspec
is removed, for without it the directory is none. Nothing is ever staged inside `kernels`, where Jupyter would list it.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..formats import kernel_json
from ..formats.kernel_json import KernelJson
from ..system.files import machine_error, remove_tree, write_atomic
from ..system.look import Look

if TYPE_CHECKING:
    from ..control import Work
    from ..host import Host
    from ..system.locks import Held

LOGOS: Final = ("logo-32x32.png", "logo-64x64.png", "logo-svg.svg")  # all that Jupyter's front ends ask for
_LOGO_LIMIT: Final = 1024 * 1024  # bytes
_FILE_MODE: Final = 0o644  # whoever may use the scope may read it
_DIRECTORY_MODE: Final = 0o755
_PRIVATE_MODE: Final = 0o600


def directories_in(kernels: str) -> Iterator[str]:
    """Yield the paths of the kernelspec directories in a `kernels` directory, sorted by name; none where it cannot be read."""
    try:
        with os.scandir(kernels) as entries:
            paths = sorted(entry.path for entry in entries)
    except (OSError, ValueError):
        return
    for path in paths:
        if os.path.lexists(os.path.join(path, kernel_json.NAME)):
            yield path


def is_there(directory: Path) -> bool:
    """Say whether a directory is a kernelspec, be it readable or not."""
    return os.path.lexists(directory / kernel_json.NAME)


def read(directory: str, host: Host) -> KernelJson:
    """Return the kernelspec in a directory.

    Raises:
        ValueError: it cannot be read, and why.
    """
    data = Look(host).data(os.path.join(directory, kernel_json.NAME), kernel_json.LIMIT + 1)
    if data is None:
        raise ValueError("it is no file that can be read")
    return kernel_json.load(data)


def logos_in(directory: str, host: Host) -> dict[str, bytes]:
    """Return the logos in a kernelspec directory by file name; what is missing, or no logo by its size, is left out."""
    look = Look(host)
    found = {name: look.data(os.path.join(directory, name), _LOGO_LIMIT + 1) for name in LOGOS}
    return {name: data for name, data in found.items() if data and len(data) <= _LOGO_LIMIT}


def locked(kernels: Path, work: Work) -> AbstractContextManager[Held]:
    """Hold the lock of a `kernels` directory; it lies among envkit's own locks, not in there."""
    from ..system.locks import held  # noqa: PLC0415 - filelock is for whoever writes

    key = hashlib.sha256(os.fsencode(os.path.realpath(kernels))).hexdigest()[:16]
    return held(work.host.data / "locks" / f"kernels-{key}.lock", what=str(kernels), work=work)


def write(directory: Path, kernel: KernelJson, logos: Mapping[str, bytes], *, private: bool = False) -> None:
    """Write a kernelspec: logos first, kernel.json last. The caller holds the lock of the directory above.

    Args:
        directory: `<...>/kernels/<name>`; it is made where it is missing, with what is above it.
        logos: by file name; a logo of an earlier kernelspec of this name that is not among them is removed.
        private: only the user may read kernel.json: its variables hold secrets.

    Raises:
        MachineError: it cannot be written; an earlier kernelspec is then still there.
    """
    try:
        os.makedirs(directory.parent.parent, exist_ok=True)
        for place in (directory.parent, directory):
            with suppress(FileExistsError):
                os.mkdir(place)
                os.chmod(place, _DIRECTORY_MODE)  # mkdir's mode is cut by the umask
        for name in LOGOS:
            if name in logos:
                _put(directory / name, logos[name], _FILE_MODE)
            else:
                with suppress(FileNotFoundError):
                    os.unlink(directory / name)
        _put(directory / kernel_json.NAME, kernel_json.dump(kernel).encode("ascii"), _PRIVATE_MODE if private else _FILE_MODE)
    except OSError as error:
        raise machine_error(error, directory) from error


def _put(path: Path, content: bytes, mode: int) -> None:
    """Write a file where it does not hold that already: a refresh most often changes nothing, and replacing takes most of its time."""
    with suppress(OSError):
        there = os.lstat(path)
        if stat.S_ISREG(there.st_mode) and stat.S_IMODE(there.st_mode) == mode and there.st_size == len(content):
            with open(path, "rb", buffering=0) as stream:
                if stream.read(len(content)) == content:
                    return
    write_atomic(path, content, mode=mode)


def remove(directory: Path, *, entirely: bool = False) -> None:
    """Remove a kernelspec: kernel.json first, then the logos, then the directory where nothing else is in it.

    A directory that is a link goes alone; what it leads to stays. The caller holds the lock of the directory above.

    Args:
        entirely: also remove files that are no logos: it is another tool's, which may have brought more.

    Raises:
        MachineError: it cannot be removed.
    """
    try:
        if directory.is_symlink():
            directory.unlink()
            return
        for name in (kernel_json.NAME, *LOGOS):
            with suppress(FileNotFoundError):
                os.unlink(directory / name)
        if entirely:
            remove_tree(directory)
            return
        with suppress(OSError):  # files of somebody's own are in it: without kernel.json it is no kernelspec any more
            os.rmdir(directory)
    except OSError as error:
        raise machine_error(error, directory) from error
