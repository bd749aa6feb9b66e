"""Where a conda environment can lie: its path is written into the files of its packages, in place of the one they were built at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..errors import RefusedError

if TYPE_CHECKING:
    from pathlib import Path

    from ..host import Host

_UNFIT: Final = "'\"`$\\"


def refuse_unfit(prefix: Path, host: Host) -> None:
    """Refuse a path that would end, or change, the quoted texts of Python's, shells' and configuration files in which it will stand.

    A blank or an accent is fine there. On Windows packages keep their own path out of such files, and all of these but the quotation
    mark, which no path has there, are ordinary.

    Raises:
        RefusedError: it holds a quotation mark, an apostrophe, a backquote, a dollar or a backslash ("path").
    """
    found = [character for character in _UNFIT if character in host.shown(prefix)] if host.platform != "win32" else []
    if found:
        raise RefusedError(
            f"{prefix} contains {found[0]}, and packages of conda write the path of their environment between quotation marks",
            code="path",
            hint="choose a path without " + " ".join(_UNFIT),
        )
