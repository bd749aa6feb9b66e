"""macOS and Homebrew, by trees: kegs, frameworks, Xcode and the Command Line Tools, and what only looks like a Python."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import World

    from envkit.models.environment import Environment

MACH = b"\xcf\xfa\xed\xfe" + struct.pack("<I", 0x0100000C) + b"\0" * 24


@pytest.fixture
def mac(empty: World) -> World:
    """A Mac without any Python."""
    home = empty.host.root / "Users" / "user"
    home.mkdir(parents=True)
    environ = {"PATH": "/opt/homebrew/bin:/usr/local/bin:/usr/bin:/bin"}
    return type(empty)(replace(empty.host, platform="darwin", home=home, cwd=home, data=home / "envkit", environ=environ))


def framework(versions: Path, version: str, installed: Callable[..., Path], *, free: bool = False) -> Path:
    """Make one version of a framework, and return its executable."""
    minor = ".".join(version.split(".")[:2])
    name = f"python{minor}t" if free else f"python{minor}"
    executable = installed(versions / minor, version, name=name, library=name)
    executable.write_bytes(MACH)
    return executable


def agree(world: World, env: Environment) -> None:
    """Hold the contract: from the executable, each alias and the prefix the same interpreter, and a second search is equal."""
    for path in (env.python, env.prefix, *env.aliases):
        assert path is not None
        there = world.sure(path)
        assert (there.id, there.prefix, there.manager, there.version) == (env.id, env.prefix, env.manager, env.version)
    assert world.find() == world.find()


def keg(brew: Path, formula: str, version: str, installed: Callable[..., Path]) -> Path:
    """Install a formula as Homebrew does on macOS, link it, and return the keg."""
    minor = ".".join(version.split(".")[:2])
    directory = brew / "Cellar" / formula / version
    framework(directory / "Frameworks/Python.framework/Versions", version.partition("_")[0], installed)
    (directory / "bin").mkdir()
    (directory / f"bin/python{minor}").symlink_to(f"../Frameworks/Python.framework/Versions/{minor}/bin/python{minor}")
    return directory


@pytest.mark.core
@pytest.mark.parametrize("place", ["opt/homebrew", "usr/local"])
def test_homebrews_python_is_called_by_its_opt_link(mac: World, installed: Callable[..., Path], place: str) -> None:
    """As it calls itself; what it is linked as elsewhere is an alias, and a keg that was replaced is another Python."""
    brew = mac.host.root / place
    new, old = keg(brew, "python@3.12", "3.12.4_1", installed), keg(brew, "python@3.12", "3.12.3", installed)
    (brew / "opt").mkdir()
    (brew / "opt/python@3.12").symlink_to("../Cellar/python@3.12/3.12.4_1")
    (brew / "bin").mkdir()
    (brew / "bin/python3.12").symlink_to("../Cellar/python@3.12/3.12.4_1/bin/python3.12")
    (brew / "bin/python3").symlink_to("../Cellar/python@3.12/3.12.4_1/bin/python3.12")
    found = mac.find(managers=("homebrew",))
    inside = "Frameworks/Python.framework/Versions/3.12"
    assert [(env.python, env.prefix, str(env.version), env.architecture) for env in found] == [
        (brew / "opt/python@3.12/bin/python3.12", brew / "opt/python@3.12" / inside, "3.12.4", "aarch64"),
        (old / "bin/python3.12", old / inside, "3.12.3", "aarch64"),
    ]
    assert {brew / "bin/python3", brew / "bin/python3.12"} <= set(found[0].aliases)
    assert mac.sure(new / "bin/python3.12").id == found[0].id
    for env in found:
        agree(mac, env)


def test_homebrew_on_linux_has_no_framework(empty: World, installed: Callable[..., Path]) -> None:
    brew = empty.host.root / "home/linuxbrew/.linuxbrew"
    installed(brew / "Cellar/python@3.13/3.13.1", "3.13.1")
    (brew / "opt").mkdir()
    (brew / "opt/python@3.13").symlink_to("../Cellar/python@3.13/3.13.1")
    (env,) = empty.find()
    assert (env.manager, env.python, str(env.version)) == ("homebrew", brew / "opt/python@3.13/bin/python3.13", "3.13.1")
    agree(empty, env)


def test_an_environment_on_homebrews_python_is_a_virtual_environment(mac: World, installed: Callable[..., Path]) -> None:
    brew = mac.host.root / "opt/homebrew"
    keg(brew, "python@3.12", "3.12.4", installed)
    (brew / "opt").mkdir()
    (brew / "opt/python@3.12").symlink_to("../Cellar/python@3.12/3.12.4")
    prefix = mac.host.cwd / ".venv"
    (prefix / "bin").mkdir(parents=True)
    (prefix / "bin/python3.12").symlink_to("/opt/homebrew/opt/python@3.12/bin/python3.12")
    (prefix / "bin/python").symlink_to("python3.12")
    (prefix / "pyvenv.cfg").write_text("home = /opt/homebrew/opt/python@3.12/bin\nversion = 3.12.3\n")
    env = mac.sure(prefix / "bin/python")
    assert (env.kind, env.manager, str(env.version), env.problem) == ("venv", "venv", "3.12.4", None)
    assert env.base == brew / "opt/python@3.12/Frameworks/Python.framework/Versions/3.12"


@pytest.mark.core
def test_frameworks_of_python_org_are_found_once_each(mac: World, installed: Callable[..., Path]) -> None:
    """The free-threaded build has a framework of its own; `Current` is another spelling; a universal build has no one architecture."""
    library = mac.host.root / "Library/Frameworks"
    plain = framework(library / "Python.framework/Versions", "3.13.1", installed)
    free = framework(library / "PythonT.framework/Versions", "3.13.1", installed, free=True)
    older = framework(library / "Python.framework/Versions", "3.9.13", installed)
    older.write_bytes(b"\xca\xfe\xba\xbe" + b"\0" * 60)
    (library / "Python.framework/Versions/Current").symlink_to("3.13")
    local = mac.host.root / "usr/local/bin"
    local.mkdir(parents=True)
    (local / "python3").symlink_to("/Library/Frameworks/Python.framework/Versions/3.13/bin/python3")
    found = mac.find()
    assert [(env.python, env.manager, env.free_threaded, env.architecture) for env in found] == [
        (plain, "python.org", False, "aarch64"),
        (older, "python.org", False, None),
        (free, "python.org", True, "aarch64"),
    ]
    assert local / "python3" in found[0].aliases
    assert mac.sure(library / "Python.framework/Versions/Current/bin/python3").prefix == plain.parents[1]
    for env in found:
        agree(mac, env)


TOOLS = "Library/Developer/CommandLineTools"
XCODE = "Applications/Xcode.app/Contents/Developer"


def apple(mac: World, place: str, installed: Callable[..., Path]) -> Path:
    """Install a set of Apple's tools with their Python, and return its executable."""
    developer = mac.host.root / place
    executable = framework(developer / "Library/Frameworks/Python3.framework/Versions", "3.9.6", installed)
    (developer / "usr/bin").mkdir(parents=True)
    (developer / "usr/bin/python3").symlink_to("../../Library/Frameworks/Python3.framework/Versions/3.9/bin/python3.9")
    return executable


def stub(mac: World) -> Path:
    """Put Apple's stub where every Mac has it."""
    path = mac.host.root / "usr/bin/python3"
    path.parent.mkdir(parents=True)
    path.write_bytes(MACH)
    return path


@pytest.mark.core
def test_the_stub_of_the_command_line_tools_leads_to_their_python(mac: World, installed: Callable[..., Path]) -> None:
    path, executable = stub(mac), apple(mac, TOOLS, installed)
    (env,) = mac.find()
    assert (env.manager, env.python, str(env.version), env.problem) == ("xcode", executable, "3.9.6", None)
    assert path in env.aliases
    agree(mac, env)


def test_the_stub_leads_to_the_tools_that_were_chosen(mac: World, installed: Callable[..., Path]) -> None:
    path, tools, xcode = stub(mac), apple(mac, TOOLS, installed), apple(mac, XCODE, installed)
    assert [(env.python, path in env.aliases) for env in mac.find()] == [(xcode, True), (tools, False)]
    link = mac.host.root / "var/db/xcode_select_link"
    link.parent.mkdir(parents=True)
    link.symlink_to(f"/{TOOLS}")
    assert [(env.python, path in env.aliases) for env in mac.find()] == [(xcode, False), (tools, True)]
    assert mac.sure(path).python == tools
    assert mac.having(DEVELOPER_DIR="/Applications/Xcode.app").sure(path).python == xcode


@pytest.mark.core
def test_a_stub_without_tools_is_told_as_broken_with_what_to_do(mac: World) -> None:
    path = stub(mac)
    (env,) = mac.find()
    assert (env.python, env.manager, env.version) == (path, "xcode", None)
    assert env.problem is not None
    assert env.problem.code == "stub"
    assert "xcode-select --install" in str(env.problem.hint)
    assert mac.sure(path) == env


def test_shims_are_told_once_for_a_directory(empty: World, installed: Callable[..., Path]) -> None:
    """By whose they are; a version that a shim could pick is found where it is installed, and none of them is run."""
    shims = empty.host.home / ".pyenv/shims"
    shims.mkdir(parents=True)
    for name in ("python", "python3", "python3.12", "pip"):
        (shims / name).write_text("#!/usr/bin/env bash\nexit 1\n")
        (shims / name).chmod(0o755)
    version = installed(empty.host.home / ".pyenv/versions/3.12.1", "3.12.1")
    world = empty.having(PATH=f"/home/user/.pyenv/shims:{empty.host.environ['PATH']}")
    found = world.find()
    assert [(env.python, env.manager, env.problem.code if env.problem else None) for env in found] == [
        (version, "pyenv", None),
        (shims / "python", "pyenv", "shim"),
    ]
    assert found[1].aliases == (shims / "python3", shims / "python3.12")
    for path in (shims, shims / "python", shims / "python3.12"):
        assert world.sure(path) == found[1]
