"""Which engine acts: the embedded one, or a conda, mamba or micromamba of the machine.

`ENVKIT_CONDA_ENGINE` decides: "rattler", "conda", "mamba", "micromamba", or the absolute path of one of the three. Where it says
nothing it is the embedded engine; without py-rattler, the first of micromamba, mamba and conda that is found.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, cast

from ..errors import NotFoundError, UsageError
from .command import Command
from .command_lines import Tool

if TYPE_CHECKING:
    from ..host import Host
    from .configuration import Configuration
    from .request import Engine

VARIABLE: Final = "ENVKIT_CONDA_ENGINE"
EMBEDDED: Final = "rattler"
TOOLS: Final[tuple[Tool, ...]] = ("micromamba", "mamba", "conda")
_ROOTS: Final = ("miniforge3", "mambaforge", "miniconda3", "anaconda3", "miniconda", "anaconda", "micromamba")
_SYSTEM_ROOTS: Final = ("/opt/conda", "/opt/miniforge3", "/opt/miniconda3", "/opt/anaconda3", "/usr/local/micromamba")


def engine(configuration: Configuration, host: Host) -> Engine:
    """Return the engine that acts.

    Raises:
        UsageError: `ENVKIT_CONDA_ENGINE` names none ("conda-engine"). NotFoundError: the tool that it names is not there.
    """
    wanted = (configuration.engine or host.environ.get(VARIABLE, "")).strip()
    if wanted.lower() in {"", "auto", EMBEDDED}:
        return _embedded() if wanted.lower() == EMBEDDED or _is_embedded() else _first_found(configuration, host)
    if os.path.isabs(wanted):
        return _at(wanted)
    if wanted.lower() not in TOOLS:
        raise UsageError(
            f"{VARIABLE} is {wanted!r}",
            code="conda-engine",
            hint=f"set it to {EMBEDDED}, {', '.join(TOOLS)} or an absolute path, or unset it",
        )
    tool = cast("Tool", wanted.lower())
    path = find(tool, configuration, host)
    if path is None:
        raise NotFoundError(
            f"{VARIABLE} asks for {tool}, and there is none on PATH or where it is usually installed",
            code="conda-engine-not-found",
            hint="set it to the absolute path of the program, or unset it to use the embedded engine",
        )
    return Command(NAME=tool, path=path)


def _is_embedded() -> bool:
    """Say whether py-rattler is installed, without importing it."""
    return importlib.util.find_spec("rattler") is not None


def _embedded() -> Engine:
    from . import rattler  # noqa: PLC0415 - one of several engines

    return rattler


def _first_found(configuration: Configuration, host: Host) -> Engine:
    """Return a tool of the machine; where there is none the embedded engine, which says how to get it."""
    for tool in TOOLS:
        if (path := find(tool, configuration, host)) is not None:
            return Command(NAME=tool, path=path)
    return _embedded()


def _at(path: str) -> Engine:
    """Return the engine of a program, whose name says what it is."""
    name = os.path.basename(path).lower().removesuffix(".exe")
    tool: Tool | None = next((tool for tool in TOOLS if name.startswith(tool)), None)
    if tool is None:
        raise UsageError(
            f"{VARIABLE} is {path!r}, which is not called as one of {', '.join(TOOLS)}",
            code="conda-engine",
            hint="name the program itself, such as /opt/conda/bin/conda",
        )
    if not _is_program(path):
        raise NotFoundError(f"{VARIABLE} is {path!r}, and no program is there", code="conda-engine-not-found", hint="check the path")
    return Command(NAME=tool, path=path)


def find(tool: Tool, configuration: Configuration, host: Host) -> str | None:
    """Return the path of a tool: what the variables of an initialized shell name, else on PATH, else where it is usually installed.

    A relative directory of PATH is passed over, for the working directory must not decide what is run; so are shims, which pick
    another version, or none, by that directory.
    """
    return next((path for path in _candidates(tool, configuration, host) if _is_program(path)), None)


def _candidates(tool: Tool, configuration: Configuration, host: Host) -> Iterator[str]:
    windows = host.platform == "win32"
    file = f"{tool}.exe" if windows else tool
    stated = host.environ.get("CONDA_EXE" if tool == "conda" else "MAMBA_EXE", "")
    if os.path.isabs(stated) and os.path.basename(stated).lower() == file:
        yield stated
    for directory in host.environ.get("PATH", "").split(os.pathsep):
        if os.path.isabs(directory) and os.path.basename(os.path.normpath(directory)) != "shims":
            yield os.path.join(directory, file)
    roots = [str(configuration.root)] if configuration.root is not None else []
    roots += [root for name in ("MAMBA_ROOT_PREFIX", "CONDA_ROOT") if os.path.isabs(root := host.environ.get(name, ""))]
    roots += [str(host.home / name) for name in _ROOTS]
    roots += [] if windows else [str(host.path(root)) for root in _SYSTEM_ROOTS]
    for root in roots:
        yield from (
            os.path.join(root, place, file) for place in (("Scripts", "Library\\bin", "condabin") if windows else ("bin", "condabin"))
        )
    if tool == "micromamba":
        yield str(host.home / ".local" / "bin" / file)


def _is_program(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)
