"""Trees that stand for other machines and other builds: Windows, macOS, PyPy, free-threaded, debug, distributions."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from envkit.discovery import binaries
from envkit.discovery.requests import is_debug
from envkit.discovery.selection import best

if TYPE_CHECKING:
    from conftest import World

PE = b"MZ" + b"\0" * 58 + struct.pack("<I", 64) + b"PE\0\0" + struct.pack("<H", 0x8664) + b"\0" * 32
MACH = b"\xcf\xfa\xed\xfe" + struct.pack("<I", 0x0100000C) + b"\0" * 24
ELF = b"\x7fELF\x02\x01\x01" + b"\0" * 9 + struct.pack("<HH", 2, 62) + b"\0" * 44


@pytest.fixture
def windows(empty: World) -> World:
    """A tree that stands for a Windows machine with Python 3.12.4 in the usual place."""
    root = empty.host.root
    home = root / "C" / "Users" / "user"
    prefix = home / "AppData" / "Local" / "Programs" / "Python" / "Python312"
    (prefix / "Lib").mkdir(parents=True)
    (prefix / "include").mkdir()
    (prefix / "Lib/os.py").touch()
    (prefix / "include/patchlevel.h").write_text('#define PY_VERSION "3.12.4"\n')
    for name in ("python.exe", "pythonw.exe", "python3.dll", "python312.dll"):
        (prefix / name).write_bytes(PE)
    aliases = home / "AppData/Local/Microsoft/WindowsApps"
    aliases.mkdir(parents=True)
    (aliases / "python.exe").touch()
    path = "C:\\Users\\user\\AppData\\Local\\Microsoft\\WindowsApps;.;relative"
    environ = {"PATH": path, "LOCALAPPDATA": "C:\\Users\\user\\AppData\\Local", "ProgramFiles": "C:\\Program Files"}
    return type(empty)(replace(empty.host, platform="win32", home=home, cwd=home, data=home / "envkit", environ=environ))


@pytest.mark.core
def test_windows_installation_is_found_without_path(windows: World) -> None:
    """The store's alias beside it, which only offers to install another, is told as such."""
    found = [env for env in windows.find() if env.problem is None]
    assert [env.problem.code for env in windows.find() if env.problem] == ["stub"]
    prefix = windows.host.home / "AppData/Local/Programs/Python/Python312"
    assert [(env.prefix, env.python, str(env.version), env.architecture, env.kind) for env in found] == [
        (prefix, prefix / "python.exe", "3.12.4", "x86_64", "interpreter")
    ]
    assert windows.sure(prefix) == windows.sure(prefix / "python.exe") == found[0]


@pytest.mark.core
def test_windows_environment_is_found_on_its_base(windows: World) -> None:
    home = windows.host.home
    base = home / "AppData/Local/Programs/Python/Python312"
    prefix = home / ".venv"
    (prefix / "Scripts").mkdir(parents=True)
    (prefix / "Scripts/python.exe").write_bytes(PE)
    (prefix / "pyvenv.cfg").write_text(f"home = {windows.host.shown(base)}\nversion = 3.12.1\n")
    env = windows.sure(prefix / "Scripts" / "python.exe")
    assert (env.prefix, env.python, env.base, str(env.version), env.problem) == (
        prefix,
        prefix / "Scripts/python.exe",
        base,
        "3.12.4",
        None,
    )
    assert env in windows.find()
    (prefix / "pyvenv.cfg").write_text("home = C:\\Python39\n")
    problem = windows.sure(prefix).problem
    assert problem is not None
    assert problem.code == "base-missing"


def test_windows_free_threaded_build_is_known_by_its_library(windows: World) -> None:
    prefix = windows.host.root / "C" / "Python313"
    (prefix / "Lib").mkdir(parents=True)
    (prefix / "Lib/os.py").touch()
    for name in ("python.exe", "python313t.dll"):
        (prefix / name).write_bytes(PE)
    env = windows.sure(prefix)
    assert (str(env.version), env.free_threaded) == ("3.13", True)
    assert env in windows.find()


def test_macos_framework_is_found_by_its_place(empty: World, installed: Callable[..., Path]) -> None:
    world = type(empty)(replace(empty.host, platform="darwin"))
    versions = world.host.root / "Library/Frameworks/Python.framework/Versions"
    python = installed(versions / "3.13", "3.13.1")
    python.write_bytes(MACH)
    (versions / "Current").symlink_to("3.13")
    link = world.host.root / "usr/local/bin"
    link.mkdir(parents=True)
    (link / "python3").symlink_to("/Library/Frameworks/Python.framework/Versions/3.13/bin/python3.13")
    stub = world.host.root / "usr/bin"
    stub.mkdir(parents=True)
    (stub / "python3").write_bytes(MACH)
    assert [env.problem.code for env in world.find() if env.problem] == ["stub"]
    found = [env for env in world.find() if env.problem is None]
    assert [(env.prefix, env.python, str(env.version), env.architecture) for env in found] == [
        (versions / "3.13", python, "3.13.1", "aarch64")
    ]
    assert link / "python3" in found[0].aliases


def test_links_of_a_tree_never_leave_it(empty: World) -> None:
    """An absolute link means a place in the tree, `..` stops at its root: this machine's own Pythons are not seen."""
    directory = empty.host.root / "usr/bin"
    directory.mkdir(parents=True)
    (directory / "python3").symlink_to("/usr/bin/python3.11")
    (directory / "python3.12").symlink_to("../" * 20 + "usr/bin/python3.11")
    assert empty.find() == []


def test_pypy_and_its_environment_are_known(empty: World, installed: Callable[..., Path]) -> None:
    prefix = empty.host.root / "opt/pypy3.10-v7.3.17-linux64"
    python = installed(prefix, "3.10.14", name="pypy3.10", library="pypy3.10", links=("pypy3", "pypy", "python3", "python3.10", "python"))
    env = empty.sure(prefix)
    assert (env.implementation, str(env.version), env.python, env.manager) == ("pypy", "3.10.14", python, "pypy")
    assert [one.python for one in empty.find()] == [python]
    made = empty.host.home / "made"
    (made / "bin").mkdir(parents=True)
    (made / "lib/pypy3.10/site-packages").mkdir(parents=True)
    (made / "bin/pypy3").symlink_to("/opt/pypy3.10-v7.3.17-linux64/bin/pypy3.10")
    (made / "bin/python").symlink_to("pypy3")
    (made / "pyvenv.cfg").write_text("home = /opt/pypy3.10-v7.3.17-linux64/bin\nversion = 3.10.14\n")
    virtual = empty.sure(made)
    assert (virtual.implementation, virtual.base, virtual.problem, str(virtual.version)) == ("pypy", prefix, None, "3.10.14")


@pytest.mark.core
def test_unusual_builds_are_recognized(empty: World, installed: Callable[..., Path]) -> None:
    """Free-threaded by its library, debug by its executable's name; the newest stable Python is neither."""
    root = empty.host.root
    free = installed(root / "opt/python/free", "3.14.1", name="python3.14t", library="python3.14t")
    debug = installed(root / "opt/python/debug", "3.13.5", name="python3.13d", library="python3.13")
    (debug.parent / "python3.13").hardlink_to(debug)
    plain = installed(root / "opt/python/plain", "3.12.1")
    rc = installed(root / "opt/python/rc", "3.15.0rc1")
    found = {env.python: env for env in empty.find()}
    assert set(found) == {free, debug, plain, rc}
    assert [found[path].free_threaded for path in (free, debug, plain)] == [True, False, False]
    assert [is_debug(found[path]) for path in (free, debug, plain)] == [False, True, False]
    assert empty.sure(debug.parent / "python3.13") == replace(found[debug], aliases=())
    assert best(found.values(), None) == found[plain]


def test_both_builds_in_one_prefix_are_two(empty: World, installed: Callable[..., Path]) -> None:
    prefix = empty.host.root / "usr"
    plain = installed(prefix, "3.13.2", links=())
    free = installed(prefix, "3.13.2", name="python3.13t", library="python3.13t", links=())
    assert {(env.python, env.free_threaded) for env in empty.find()} == {(plain, False), (free, True)}
    assert {env.id for env in empty.find()} == {str(plain), str(free)}


def test_build_details_come_before_headers(empty: World, installed: Callable[..., Path]) -> None:
    prefix = empty.host.root / "usr"
    installed(prefix, "3.14.0")
    level: dict[str, Any] = {"major": 3, "minor": 14, "micro": 0, "releaselevel": "candidate", "serial": 2}
    content = {
        "schema_version": "1.0",
        "language": {"version": "3.14", "version_info": level},
        "implementation": {"name": "cpython"},
        "abi": {"flags": ["d"]},
    }
    path = prefix / "lib/python3.14/build-details.json"
    path.write_text(json.dumps(content))
    assert [(str(env.version), env.version_source) for env in empty.find()] == [("3.14.0rc2", str(path))]
    path.write_text("{")
    assert [str(env.version) for env in empty.find()] == ["3.14.0"]


@pytest.mark.core
def test_without_headers_the_version_is_read_elsewhere_or_is_the_minor(empty: World, installed: Callable[..., Path]) -> None:
    """The directory's name, then the bytes of the executable or its library; versions of other things in there do not count."""
    root = empty.host.root
    versions = empty.host.home / ".pyenv/versions"
    installed(versions / "3.11.4", "3.11.4", headers=False)
    named = empty.find(managers=("pyenv",))
    assert [(str(env.version), env.version_source, env.name) for env in named] == [("3.11.4", str(versions / "3.11.4"), "3.11.4")]
    python = installed(root / "usr", "3.10.9", headers=False)
    python.write_bytes(ELF + b"\x003.1.2\x00\x003.10.x\x00 3.10.8\x00")
    assert [(str(env.version), env.version_source) for env in empty.find(managers=("system",))] == [
        ("3.10", str(root / "usr/lib/python3.10"))
    ]
    python.write_bytes(ELF + b"\x003.1.2\x00\x003.10.9\x00")
    assert [(str(env.version), env.version_source) for env in empty.find(managers=("system",))] == [("3.10.9", str(python))]
    python.write_bytes(ELF)
    library = root / "usr/lib/x86_64-linux-gnu/libpython3.10.so.1.0"
    library.parent.mkdir()
    library.write_bytes(ELF + b"\x003.10.9+\x00")
    assert [(str(env.version), env.version_source) for env in empty.find(managers=("system",))] == [("3.10.9", str(library))]


def test_a_distributions_python_is_known_and_told_as_managed(empty: World, installed: Callable[..., Path]) -> None:
    root = empty.host.root
    installed(root / "usr", "3.11.2")
    (root / "usr/lib/python3.11/EXTERNALLY-MANAGED").touch()
    (root / "bin").symlink_to("usr/bin")
    (root / "var/lib/dpkg").mkdir(parents=True)
    world = empty.having(PATH="/bin:/usr/bin")
    found = world.find()
    assert [(env.manager, env.prefix, env.externally_managed) for env in found] == [("debian", root / "usr", True)]
    assert world.sure(root / "bin/python3").python == found[0].python


def test_a_conda_prefix_is_not_a_plain_interpreter(empty: World, installed: Callable[..., Path]) -> None:
    prefix = empty.host.root / "opt/python/conda"
    installed(prefix, "3.12.1")
    (prefix / "conda-meta").mkdir()
    assert [(env.kind, env.manager) for env in empty.find()] == [("conda", "conda")]


def test_hard_links_in_two_prefixes_are_two_environments(empty: World, installed: Callable[..., Path]) -> None:
    """As conda and uv make them: one file, two Pythons."""
    first = installed(empty.host.root / "opt/python/a", "3.12.1")
    second = installed(empty.host.root / "opt/python/b", "3.12.1")
    second.unlink()
    second.hardlink_to(first)
    assert {env.python for env in empty.find()} == {first, second}


@pytest.mark.parametrize(
    "header, machine",
    [
        (ELF, "x86_64"),
        (b"\x7fELF\x02\x01" + b"\0" * 12 + struct.pack("<H", 183), "aarch64"),
        (b"\x7fELF\x02\x02" + b"\0" * 12 + struct.pack(">H", 22), "s390x"),
        (b"\x7fELF\x02\x01" + b"\0" * 12 + struct.pack("<H", 21), "ppc64le"),
        (MACH, "aarch64"),
        (b"\xca\xfe\xba\xbe" + b"\0" * 60, None),
        (PE, "x86_64"),
    ],
)
def test_the_header_tells_the_instruction_set(header: bytes, machine: str | None) -> None:
    assert binaries.is_binary(header)
    assert binaries.architecture(header) == machine


@pytest.mark.parametrize("header", [b"", b"#!/bin/sh", b"\x7fEL", b"MZ", b"MZ" + b"\xff" * 70, b"\xcf\xfa\xed\xfe"])
def test_headers_that_are_short_or_senseless_are_survived(header: bytes) -> None:
    assert binaries.architecture(header) is None
