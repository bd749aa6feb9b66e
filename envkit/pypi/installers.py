"""Which installer works: uv where there is one, else pip; `ENVKIT_INSTALLER` decides otherwise."""

from __future__ import annotations

import importlib.util
import os
from typing import TYPE_CHECKING

from ..errors import NotFoundError, UsageError
from .request import Kind, Tool

if TYPE_CHECKING:
    from ..control import Work
    from ..host import Host
    from ..models.environment import Environment

VARIABLE = "ENVKIT_INSTALLER"


def choose(env: Environment, work: Work) -> Tool:
    """Return the installer for an environment.

    Raises:
        UsageError: `ENVKIT_INSTALLER` is neither "uv" nor "pip". NotFoundError: the installer asked for is not there.
    """
    asked = wanted(work.host)
    uv = None if asked == "pip" else find_uv(work.host)
    if uv is not None:
        return Tool(kind="uv", argv=(uv,))
    if asked == "uv":
        raise NotFoundError(
            f"{VARIABLE} asks for uv, and there is none",
            code="installer-not-found",
            hint="`python -m pip install uv`, or unset the variable",
        )
    from .pip_store import pip_for  # noqa: PLC0415 - needed only where there is no uv

    stored = pip_for(env, work)
    return Tool(kind="pip", argv=(str(env.python), "-I", str(stored.package)), version=stored.version)


def locks_itself(host: Host) -> bool:
    """Say whether the installer that will work takes the environment's own `.lock`: uv does, so it must be free then; pip does not."""
    return wanted(host) != "pip" and find_uv(host) is not None


def wanted(host: Host) -> Kind | None:
    """Return the installer that `ENVKIT_INSTALLER` asks for, None where it says nothing.

    Raises:
        UsageError: it says something else.
    """
    stated = host.environ.get(VARIABLE, "").strip().lower()
    if stated in {"", "auto"}:
        return None
    if stated == "uv":
        return "uv"
    if stated == "pip":
        return "pip"
    raise UsageError(f"{VARIABLE} is {stated!r}", code="installer", hint="set it to 'uv' or 'pip', or unset it")


def find_uv(host: Host) -> str | None:
    """Return uv's executable: the one of the extra `uv`, else one on PATH; None where there is none.

    A shim is none: it is a script that picks a version, and may pick nothing. Relative directories on PATH are passed over,
    for the working directory must not decide what is run.
    """
    if (own := _own_uv()) is not None:
        return own
    name = "uv.exe" if host.platform == "win32" else "uv"
    for directory in host.environ.get("PATH", "").split(os.pathsep):
        if os.path.isabs(directory) and _is_uv(path := os.path.join(directory, name)):
            return path
    return None


def _own_uv() -> str | None:
    """Return the executable of the extra `uv`; a directory that only happens to be called so has none."""
    if importlib.util.find_spec("uv") is None:
        return None
    import uv  # noqa: PLC0415 - the extra may be absent

    if not hasattr(uv, "find_uv_bin"):
        return None
    try:
        return os.fsdecode(uv.find_uv_bin())
    except FileNotFoundError:
        return None


def _is_uv(path: str) -> bool:
    """Say whether a file is uv itself: executable, a binary, and called uv where its links end."""
    if not os.access(path, os.X_OK) or not os.path.isfile(path):
        return False
    if os.path.basename(os.path.realpath(path)).lower() not in {"uv", "uv.exe"}:
        return False
    try:
        with open(path, "rb") as stream:
            return stream.read(2) != b"#!"
    except OSError:
        return False
