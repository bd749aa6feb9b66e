"""How Jupyter would start a kernelspec: its arguments and all variables of the process, as data.

Proof is only worth something if what is proven is what Jupyter starts, so its rules are followed here: a bare `python` becomes the
Python that Jupyter runs in (ours), templates are filled, and the kernelspec's variables lie over those of the caller.

Source: jupyter_client 8, KernelManager.format_kernel_cmd and KernelProvisionerBase.pre_launch.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..formats.kernel_json import KernelJson, filled_argv, filled_env

if TYPE_CHECKING:
    from ..host import Host


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """What starts a kernel. `argv` still has `{connection_file}` in it, which is only known when it starts."""

    argv: tuple[str, ...]
    environ: Mapping[str, str]
    interrupt_mode: str = "signal"

    def command(self, connection_file: str) -> tuple[str, ...]:
        """Return the arguments with the connection file filled in."""
        return tuple(os.path.expanduser(part) for part in filled_argv(self.argv, {"connection_file": connection_file}))


def launch_of(kernel: KernelJson, directory: str, host: Host) -> Launch:
    """Return how Jupyter, with the variables of `host`, starts the kernelspec that lies in `directory`."""
    argv = list(kernel.argv)
    if is_bare_python(argv[0]):
        argv[0] = sys.executable
    filled = filled_argv(tuple(argv), {"prefix": sys.prefix, "resource_dir": directory})
    environ = {name: value for name, value in host.environ.items() if name != "PYTHONEXECUTABLE"}
    return Launch(argv=filled, environ={**environ, **filled_env(kernel.env, environ)}, interrupt_mode=kernel.interrupt_mode)


def is_bare_python(program: str) -> bool:
    """Say whether Jupyter puts the Python that it runs in itself in place of this program."""
    major, minor = sys.version_info[:2]
    return program in {"python", f"python{major}", f"python{major}.{minor}"}
