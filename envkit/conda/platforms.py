"""Which of a channel's subdirectories is this machine's.

Source: CEP 26 for the names; conda's base/context.py (`_native_subdir`).
"""

from __future__ import annotations

import platform
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ..host import Host

_SYSTEMS: Final = {"linux": "linux", "darwin": "osx", "win32": "win"}
_MACHINES: Final = {"x86_64": "64", "amd64": "64", "i386": "32", "i686": "32", "x86": "32"}


def subdir_of(host: Host) -> str:
    """Return the subdirectory of a machine ("linux-64", "osx-arm64"), or what `CONDA_SUBDIR` says instead.

    Of another platform's tree nobody knows the processor: it is taken for a common one.
    """
    if stated := host.environ.get("CONDA_SUBDIR"):
        return stated
    system = _SYSTEMS.get(host.platform, host.platform)
    machine = platform.machine().lower() if host.platform == sys.platform else "x86_64"
    if machine in {"arm64", "aarch64"}:
        return f"{system}-{'aarch64' if system == 'linux' else 'arm64'}"
    return f"{system}-{_MACHINES.get(machine, machine)}"
