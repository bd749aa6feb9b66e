"""What a shim picks, by the rules of its tool: nothing is run, and one that would find nothing stays a broken interpreter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import envkit

if TYPE_CHECKING:
    from conftest import World

    from envkit.models.environment import Environment


def shim(world: World, root: Path, installed: Callable[..., Path], versions: str, *numbers: str) -> Path:
    """Make a tool's versions and the shim `python`, and return that."""
    for number in numbers:
        installed(root / versions / number, number)
    (root / "shims").mkdir()
    path = root / "shims/python"
    path.write_text("#!/bin/sh\ntouch $HOME/was-run\n")
    path.chmod(0o755)
    return path


def resolved(world: World, path: Path, *, cwd: Path | None = None, **variables: str) -> Environment:
    """Return what a shim stands for, seen from a directory."""
    host = world.having(**variables).host
    found = envkit.resolve(path, host=replace(host, cwd=cwd or host.cwd))
    assert not (host.home / "was-run").exists()
    return found


def test_pyenvs_rules(world: World, installed: Callable[..., Path]) -> None:
    """The variable, then the nearest file, then the root's; the beginning of a version means the newest such; several in their order."""
    root, work = world.host.home / ".pyenv", world.host.cwd
    path = shim(world, root, installed, "versions", "3.11.4", "3.12.1", "3.12.10")
    assert resolved(world, path).problem is not None
    (root / "version").write_text("3.11.4\n")
    assert resolved(world, path).name == "3.11.4"
    (work / ".python-version").write_text("# chosen\n")
    (work / "inner").mkdir()
    (work / ".python-version").write_text("2.7.18\n3.12\n")
    assert resolved(world, path, cwd=work / "inner").name == "3.12.10"
    (work / ".python-version").write_text("# why\n3.12.1 of this line only the first word counts\n")
    assert resolved(world, path).name == "3.12.1"
    assert resolved(world, path, PYENV_VERSION="python-3.12.1").name == "3.12.1"
    assert resolved(world, path, PYENV_VERSION="3.9:3.11.4").name == "3.11.4"
    system = installed(work / "usr", "3.10.2")
    assert resolved(world, path, PYENV_VERSION="system", PATH=f"{path.parent}:{system.parent}").prefix == work / "usr"


def test_asdfs_rules(world: World, installed: Callable[..., Path]) -> None:
    root = world.host.home / ".asdf"
    path = shim(world, root, installed, "installs/python", "3.11.4", "3.12.1")
    (world.host.home / ".tool-versions").write_text("nodejs 20.1\npython 3.11.4\n")
    assert resolved(world, path).name == "3.11.4"
    (world.host.cwd / ".tool-versions").write_text("python 3.9.1 3.12.1 # the newest\n")
    assert resolved(world, path).name == "3.12.1"
    assert resolved(world, path, ASDF_PYTHON_VERSION="3.11.4").name == "3.11.4"


def test_mises_rules(world: World, installed: Callable[..., Path]) -> None:
    root = world.host.home / ".local/share/mise"
    path = shim(world, root, installed, "installs/python", "3.11.4", "3.12.1", "3.12.10")
    configuration = world.host.home / ".config/mise"
    configuration.mkdir(parents=True)
    (configuration / "config.toml").write_text('[tools]\npython = "3.11"\n')
    assert resolved(world, path).name == "3.11.4"
    (world.host.cwd / ".tool-versions").write_text("python 3.11.4\n")
    (world.host.cwd / "mise.toml").write_text('[tools]\npython = [{version = "3.12"}, "3.11"]\n')
    assert resolved(world, path).name == "3.12.10"
    assert resolved(world, path, MISE_PYTHON_VERSION="3.12.1").name == "3.12.1"
    (world.host.cwd / "mise.toml").write_text("[tools]\npython = 3\n[[[")
    assert resolved(world, path).name == "3.11.4"
