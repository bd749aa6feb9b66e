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
from .paths import this_python

if TYPE_CHECKING:
    from ..host import Host
    from .paths import Reader


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
    return Launch(argv=filled, environ=environ_of(kernel, host), interrupt_mode=kernel.interrupt_mode)


def environ_of(kernel: KernelJson, host: Host) -> dict[str, str]:
    """Return all variables that a kernel gets from a Jupyter that has those of `host`."""
    environ = {name: value for name, value in host.environ.items() if name != "PYTHONEXECUTABLE"}
    return {**environ, **filled_env(kernel.env, environ)}


def is_bare_python(program: str, reader: Reader | None = None) -> bool:
    """Say whether Jupyter puts the Python that it runs in itself, `reader` or else ours, in place of this program."""
    version = (reader or this_python()).version
    return program == "python" or program in {f"python{'.'.join(map(str, version[:count]))}" for count in (1, 2) if len(version) >= count}
