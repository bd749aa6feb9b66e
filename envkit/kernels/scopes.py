"""Where kernelspecs were written that no search of ours would find: directories of the caller's choice, other Pythons' own.

An environment's record names its kernelspecs, but one that another tool made has no record, and the Python that registers it may not
be the one that removes it. So each such `kernels` directory is remembered below `Host.data`, once, for all environments.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..kernelspec import paths
from ..system.files import write_atomic
from ..system.look import Look

if TYPE_CHECKING:
    from ..control import Work
    from ..host import Host

_NAME: Final = "kernel-scopes.json"
_LIMIT: Final = 1024 * 1024  # bytes


def remembered(host: Host) -> tuple[str, ...]:
    """Return the `kernels` directories that were remembered, as they were written; empty where the file is missing or broken."""
    try:
        said: Any = json.loads(Look(host).text(str(host.data / _NAME), _LIMIT) or "[]")
    except ValueError:
        return ()
    places: list[Any] = said if isinstance(said, list) else []  # pyright: ignore[reportUnknownVariableType]
    return tuple(place for place in places if isinstance(place, str) and "\0" not in place)


def remember(directory: Path, work: Work) -> None:
    """Remember a `kernels` directory, unless it is the user's own, where every Jupyter of the user looks.

    Those that are gone are forgotten.

    Raises:
        MachineError: it cannot be written down.
    """
    host = work.host
    if directory == paths.user_directory(host) / "kernels" or str(directory) in remembered(host):
        return
    from ..system import locks  # noqa: PLC0415 - only where something is written
    from ..system.files import machine_error  # noqa: PLC0415 - as above

    file = host.data / _NAME
    with locks.held(host.data / "locks" / f"{_NAME}.lock", what=str(file), work=work):
        known = [place for place in remembered(host) if os.path.isdir(place)]
        try:
            write_atomic(file, json.dumps(sorted({*known, str(directory)}), indent=1) + "\n")
        except OSError as error:
            raise machine_error(error, file) from error
