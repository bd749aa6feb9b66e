"""Where envkit keeps its own. Text in, text out, and nothing is imported, for a command that only repeats an answer asks this, too."""

from __future__ import annotations

import os

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping


def data_directory(environ: Mapping[str, str], home: str, platform: str) -> str:
    """Return the directory by `environ` alone, so that an injected one is obeyed too: `ENVKIT_HOME`, else the platform's for user data.

    Args:
        environ: the variables of that world.
        home: its home directory.
        platform: as in `sys.platform`.
    """
    if stated := environ.get("ENVKIT_HOME"):
        return os.path.expanduser(stated)
    if platform == "linux":  # what platformdirs says, without its import: every look at the machine pays for it
        stated = environ.get("XDG_DATA_HOME", "")
        return os.path.join(stated if stated.startswith("/") else os.path.join(home, ".local", "share"), "envkit")
    from platformdirs import user_data_dir  # noqa: PLC0415 - only where it is needed

    return user_data_dir("envkit", appauthor=False)
