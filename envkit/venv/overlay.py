"""An empty virtual environment over others: it shows their packages, and nothing that is done in it reaches them.

Its site-packages holds one `.pth` file that adds those of the layers by `site.addsitedir`; so an installer run in it takes their
packages for somebody else's, installs over them and removes none. Console scripts are written anew, for their first lines name an
interpreter. Of `share`, headers and the like each file is linked by itself; of `etc` and kernelspecs, which tools write into in
place, it is copied.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from ..layout import bin_name
from ..system.placing import Placer
from ..system.sites import LAYERS, layer_lines, site_packages
from .console_scripts import new_script, rebased

if TYPE_CHECKING:
    from pathlib import Path

    from ..host import Host
    from ..models.environment import Environment

_NOT_DATA: Final = frozenset({"bin", "scripts", "lib", "lib64", "local"})
_WRITTEN_IN_PLACE: Final = ("etc", os.path.join("share", "jupyter", "kernels"))


def lay_over(prefix: Path, packages: str, layers: tuple[Environment, ...], host: Host) -> None:
    """Make an empty environment show what is in others, the first of them first.

    Args:
        prefix: of the empty environment.
        packages: its site-packages.
        layers: other environments on the same Python, which must stay where they are.

    Raises:
        OSError: it cannot be written.
    """
    directories = [directory for layer in layers for directory in site_packages(layer, host)]
    with open(os.path.join(packages, LAYERS), "x", encoding="ascii") as stream:
        stream.write(layer_lines(directories))
    placer = Placer()
    for layer in layers:
        _programs(str(layer.prefix), str(prefix), host, placer)
        _data(str(layer.prefix), str(prefix), placer)


def _programs(layer: str, prefix: str, host: Host, placer: Placer) -> None:
    """Give the overlay the programs of a layer, but for those that every environment has, such as `python` and `activate`."""
    name = bin_name(host.platform)
    source, target = os.path.join(layer, name), os.path.join(prefix, name)
    there = {entry.lower() for entry in os.listdir(target)}
    for entry in list(os.scandir(source)):
        if entry.name.lower() in there or entry.name == "__pycache__" or not entry.is_file(follow_symlinks=False):
            continue
        goal = os.path.join(target, entry.name)
        with open(entry.path, "rb") as stream:
            head = stream.read(2)
            data = head + stream.read() if head == b"#!" else b""
        script = rebased(data, (source,), os.path.join(target, "python")) if data else None
        if script is None:
            placer.put(entry.path, goal)
        else:
            new_script(goal, script, entry.stat().st_mode & 0o7777)


def _data(layer: str, prefix: str, placer: Placer) -> None:
    for entry in list(os.scandir(layer)):
        if entry.is_dir(follow_symlinks=False) and entry.name.lower() not in _NOT_DATA and not entry.name.startswith("."):
            _data_below(layer, prefix, entry.name, placer)


def _data_below(layer: str, prefix: str, inner: str, placer: Placer) -> None:
    """Put a directory and all below it; what another layer or the environment itself has already stays."""
    private = any(inner == place or inner.startswith(place + os.sep) for place in _WRITTEN_IN_PLACE)
    target = os.path.join(prefix, inner)
    os.makedirs(target, exist_ok=True)
    for entry in list(os.scandir(os.path.join(layer, inner))):
        below = os.path.join(inner, entry.name)
        goal = os.path.join(prefix, below)
        if entry.is_dir(follow_symlinks=False):
            _data_below(layer, prefix, below, placer)
        elif os.path.lexists(goal):
            continue
        elif entry.is_symlink():
            os.symlink(os.readlink(entry.path), goal)
        elif entry.is_file(follow_symlinks=False):
            (placer.put_private if private else placer.put)(entry.path, goal)
