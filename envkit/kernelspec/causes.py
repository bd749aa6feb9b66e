"""Why a kernel does not start: from what it said last to a cause that programs can tell apart and people can act on."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from ..errors import EnvkitError, KernelError, NotFoundError

if TYPE_CHECKING:
    from .launch import Launch

_NO_IPYKERNEL: Final = re.compile(r"No module named '?ipykernel")  # `-m` says it without quotes, an import with them
_NO_HOME: Final = re.compile(r"No module named '?encodings|Failed to import encodings|failed to get the Python codec|init_fs_encoding")
_NO_LIBRARY: Final = re.compile(r"error while loading shared libraries|Library not loaded|cannot execute|Exec format error")
_ADDRESS: Final = re.compile(r"Address already in use|\bEADDRINUSE\b")


def not_started(launch: Launch, error: EnvkitError) -> KernelError:
    """Return the error for a kernel whose program could not even be run."""
    if isinstance(error, NotFoundError):
        return KernelError(
            f"the kernel's interpreter {launch.argv[0]} is not there",
            code="interpreter-missing",
            hint="make the environment anew and register it again, or unregister the kernel",
        )
    return KernelError(f"the kernel's interpreter does not run: {error}", code="interpreter-broken", hint="make the environment anew")


def died(launch: Launch, returncode: int | None, said: str) -> KernelError:
    """Return the error for a kernel that ended before it answered; `said` is the end of its stderr."""
    last = next((line.strip() for line in reversed(said.splitlines()) if line.strip()), "")
    message = f"the kernel ended {_how(returncode)} before it answered" + (f": {last[:300]}" if last else "")
    code, hint = _cause(launch, said)
    return KernelError(message, code=code, stderr=said, hint=hint)


def late(seconds: float, said: str) -> KernelError:
    """Return the error for a kernel that runs but does not answer."""
    return KernelError(
        f"the kernel did not answer within {seconds:g} seconds",
        code="startup-timeout",
        stderr=said,
        retryable=True,
        hint="the machine may be busy: try again; IPython's startup files run first, look there too",
    )


def ended(returncode: int | None, said: str) -> KernelError:
    """Return the error for a kernel that ended while it was used."""
    return KernelError(
        f"the kernel ended {_how(returncode)}", code="died", stderr=said, hint="restart() starts a new one; its variables are gone"
    )


def is_address_taken(error: KernelError) -> bool:
    """Say whether it ended because another program took one of its ports meanwhile."""
    return _ADDRESS.search(error.stderr) is not None


def _cause(launch: Launch, said: str) -> tuple[str, str]:
    """Return the cause's code and what to do."""
    if _NO_HOME.search(said):
        return (
            "pythonpath-clash",
            "PYTHONHOME or PYTHONPATH points to another Python: unset it, or register the environment with envkit, which blanks it",
        )
    if _NO_IPYKERNEL.search(said):
        return "ipykernel-missing", "install ipykernel into the environment, or register it with install_ipykernel='if-missing'"
    foreign = [
        part for part in launch.environ.get("PYTHONPATH", "").split(os.pathsep) if part and f'"{part.rstrip(os.sep)}{os.sep}' in said
    ]
    if foreign:
        return (
            "pythonpath-clash",
            f"PYTHONPATH makes it load files of {foreign[0]}: unset it, or register the environment without inheriting it",
        )
    if _NO_LIBRARY.search(said):
        return "interpreter-broken", "the interpreter does not run on this machine: make the environment anew"
    return "died", "the error's stderr holds what it said last"


def _how(returncode: int | None) -> str:
    if returncode is None:
        return "unexpectedly"
    if returncode >= 0:
        return f"with code {returncode}"
    import signal  # noqa: PLC0415 - only for the message

    try:
        return f"by {signal.Signals(-returncode).name}"
    except ValueError:
        return f"by signal {-returncode}"
