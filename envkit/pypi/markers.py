"""The PEP 508 environment of a target, from what is known of it, without running it.

Source: dependency specifiers (PEP 508), "Environment Markers".
"""

from __future__ import annotations

import platform
import sys
from typing import TYPE_CHECKING

from ..system.sites import site_packages

if TYPE_CHECKING:
    from ..host import Host
    from ..models.environment import Environment

_SYSTEMS = {"linux": "Linux", "darwin": "Darwin", "win32": "Windows", "cygwin": "CYGWIN_NT"}
_IMPLEMENTATIONS = {"cpython": "CPython", "pypy": "PyPy", "graalpy": "GraalVM"}
_MACHINES = {  # Environment.architecture is as Linux says it
    "win32": {"x86_64": "AMD64", "aarch64": "ARM64", "i686": "x86"},
    "darwin": {"aarch64": "arm64"},
}


def markers_of(env: Environment, host: Host) -> dict[str, str]:
    """Return the marker variables of an environment, without `extra`.

    What is unknown of it is taken from the Python that runs, which is right in most cases: the same machine, the same release.
    """
    full = full_version(env, host)
    implementation = env.implementation or "cpython"
    here = host.platform == sys.platform
    machine = env.architecture or platform.machine()
    return {
        "python_version": ".".join(full.split(".")[:2]),
        "python_full_version": full,
        "os_name": "nt" if host.platform == "win32" else "posix",
        "sys_platform": host.platform,
        "platform_machine": _MACHINES.get(host.platform, {}).get(machine, machine),
        "platform_system": _SYSTEMS.get(host.platform, host.platform.capitalize()),
        "platform_release": platform.release() if here else "",
        "platform_version": platform.version() if here else "",
        "platform_python_implementation": _IMPLEMENTATIONS.get(implementation, implementation),
        "implementation_name": implementation,
        "implementation_version": full,
    }


def full_version(env: Environment, host: Host) -> str:
    """Return the target's version with three release numbers; where only the minor is known, the third is 0."""
    if env.version is not None:
        numbers = env.version.release
        if len(numbers) < 3:
            return ".".join(map(str, (*numbers, 0, 0)[:3]))
        return str(env.version).partition("+")[0]
    for site in site_packages(env, host):
        library = site.replace("\\", "/").rsplit("/", 2)[-2]
        number = library.lstrip("abcdefghijklmnopqrstuvwxyz").rstrip("tdmu")
        if number.count(".") == 1 and number.replace(".", "").isdigit():
            return f"{number}.0"
    return platform.python_version()
