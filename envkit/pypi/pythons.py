"""Pythons that uv fetches: `uv python install`, into uv's own managed directory, where every locator and uv itself find them.

Asked for by `Sources(pythons="uv")` alone: nobody gets a Python from the network who did not say so.

Source: `uv python install --help` of uv 0.8 to 0.13; uv's documentation, "Python versions".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ..errors import EnvkitError, MachineError, NetworkError, NotFoundError
from ..system.process import run_process
from ..system.secrets import masker
from .environ import neutral, uv_own
from .failures import machine_failure, unreachable
from .installers import find_uv
from .resolution import cut
from .transaction import scratch_directory

if TYPE_CHECKING:
    from ..control import Work

# Where uv keeps Pythons and where it takes them from; UV_PYTHON_DOWNLOADS=never is somebody's word, so it counts.
_PYTHONS: Final = re.compile(
    r"UV_(PYTHON_INSTALL_DIR|PYTHON_INSTALL_MIRROR|PYPY_INSTALL_MIRROR|GRAALPY_INSTALL_MIRROR|PYTHON_DOWNLOADS|PYTHON_DOWNLOADS_JSON_URL|PYTHON_CACHE_DIR)"
)
_FORBIDDEN: Final = re.compile(r"(?i)downloads are (?:disabled|not allowed|set to)|python-downloads")
_UNKNOWN: Final = re.compile(
    r"(?i)no download found|no (?:python )?downloads? (?:are |is )?available|invalid (?:python )?(?:version|request)|cannot download"
)


def fetch_python(request: str | None, work: Work, *, isolated: bool = False) -> None:
    """Let uv install the newest Python that a request allows; None means the newest of all.

    Args:
        request: as people ask for a Python: "3.12", ">=3.11,<3.14", "pypy3.10", "3.13t".
        isolated: uv's configuration files do not count.

    Raises:
        NotFoundError: there is no uv here ("uv-not-found"), or uv has no such Python ("python-not-found").
        NetworkError: it cannot be downloaded, or the call may not use the network ("offline").
        MachineError: the disk is full, or uv's directory cannot be written; or uv failed otherwise.
    """
    wanted = f"a Python for {request!r}" if request else "a Python"
    uv = find_uv(work.host)
    if uv is None:
        raise NotFoundError(
            f"{wanted} is to be fetched by uv, and there is no uv",
            code="uv-not-found",
            hint="`python -m pip install uv`, or install such a Python yourself",
        )
    if work.offline:
        raise NetworkError(
            f"{wanted} would have to be fetched by uv, and the network may not be used",
            code="offline",
            retryable=False,
            hint="call once without offline, or install such a Python yourself",
        )
    environ = neutral(work.host.environ) | uv_own(work.host.environ, isolated=True, indexes=False)
    environ |= {name: value for name, value in work.host.environ.items() if value and _PYTHONS.fullmatch(name)}
    # --no-bin: a Python on PATH is more than was asked for.
    options = ["--no-progress", "--color=never", "--no-bin", *(["--no-config"] if isolated else [])]
    argv = [uv, "python", "install", *options, "--", *([_target(request)] if request else [])]
    with scratch_directory() as scratch, work.task("download", f"letting uv install {wanted}"):
        completed = run_process(argv, work=work, environ=environ, cwd=scratch)
    if completed.returncode != 0:
        raise _failure(wanted, masker(environ, ())(f"{completed.stdout}\n{completed.stderr}".strip()))


def _target(request: str) -> str:
    """Return a request in uv's words: what it calls a Python itself, it takes; of ours it does not know `python3.12`."""
    return re.sub(r"^python[@-]?(?=\d|[<>=!~])", "", request)


def _failure(wanted: str, output: str) -> EnvkitError:
    """Return the error for a uv that failed, from what it said."""
    words = cut(" ".join(output.split()))
    if _FORBIDDEN.search(output):
        return NotFoundError(
            f"{wanted} is to be fetched by uv, and uv's configuration forbids that: {words}",
            code="python-not-found",
            hint="allow it (UV_PYTHON_DOWNLOADS), or install such a Python yourself",
        )
    if _UNKNOWN.search(output):
        return NotFoundError(
            f"uv has no download of {wanted}: {words}", code="python-not-found", hint="ask for another one, or install it yourself"
        )
    if (error := machine_failure(output, f"uv cannot install {wanted}")) is not None:
        return error
    if unreachable(output, "") is not None:
        return NetworkError(
            f"{wanted} cannot be downloaded by uv: {words}",
            hint="check the network, the proxy and UV_PYTHON_INSTALL_MIRROR, then call again; or install such a Python yourself",
        )
    return MachineError(f"uv cannot install {wanted}: {words}", code="python-install-failed", hint="install such a Python yourself")
