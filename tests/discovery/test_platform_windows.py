"""Windows, by trees: what the registry, the Store, WinPython, the Install Manager, Scoop and pyenv-win leave on a machine."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from envkit.discovery.locators import TABLE
from envkit.system import registry
from envkit.system.look import Look

if TYPE_CHECKING:
    from conftest import World

    from envkit.models.environment import Environment

LOCAL = "AppData/Local"
STORE = "PythonSoftwareFoundation.Python.3.12_qbz5n2kfra8p0"
FULL = "PythonSoftwareFoundation.Python.3.12_3.12.1264.0_x64__qbz5n2kfra8p0"
MODEL = "HKCU\\Software\\Classes\\Local Settings\\Software\\Microsoft\\Windows\\CurrentVersion\\AppModel"


def pe(machine: int = 0x8664) -> bytes:
    """Return the beginning of an executable for that processor."""
    return b"MZ" + b"\0" * 58 + struct.pack("<I", 64) + b"PE\0\0" + struct.pack("<H", machine) + b"\0" * 32


def python(
    prefix: Path, version: str, *, headers: bool = True, machine: int = 0x8664, executables: tuple[str, ...] = ("python.exe",)
) -> Path:
    """Make what looks like a Python of Windows, and return its executable."""
    (prefix / "Lib").mkdir(parents=True, exist_ok=True)
    (prefix / "Lib" / "os.py").touch()
    major, minor = version.split(".")[:2]
    (prefix / f"python{major}{minor}.dll").write_bytes(pe(machine))
    for name in executables:
        (prefix / name).write_bytes(pe(machine))
    if headers:
        (prefix / "include").mkdir(exist_ok=True)
        (prefix / "include" / "patchlevel.h").write_text(f'#define PY_VERSION "{version}"\n')
    return prefix / executables[0]


@pytest.fixture
def windows(empty: World) -> World:
    """A Windows machine on which nothing is installed; PATH has the aliases of the Store's applications, as it always has."""
    root = empty.host.root
    home = root / "C" / "Users" / "user"
    home.mkdir(parents=True)
    environ = {
        "PATH": "C:\\Windows\\System32;C:\\Users\\user\\AppData\\Local\\Microsoft\\WindowsApps",
        "USERPROFILE": "C:\\Users\\user",
        "LOCALAPPDATA": "C:\\Users\\user\\AppData\\Local",
        "APPDATA": "C:\\Users\\user\\AppData\\Roaming",
        "ProgramFiles": "C:\\Program Files",
        "ProgramData": "C:\\ProgramData",
    }
    return type(empty)(replace(empty.host, platform="win32", home=home, cwd=home, data=home / "envkit", environ=environ))


def register(world: World, keys: dict[str, Any]) -> None:
    """Write the registry."""
    (world.host.root / "registry.json").write_text(json.dumps(keys))


def facts(env: Environment) -> tuple[str | None, str, str | None, str | None]:
    """Return manager, version, architecture and problem."""
    return env.manager, str(env.version), env.architecture, env.problem.code if env.problem else None


def agree(world: World, env: Environment) -> None:
    """Hold the contract: from the executable, each alias and the prefix the same environment, and a second search is equal."""
    for path in (env.python, env.prefix, *env.aliases):
        assert path is not None
        assert world.sure(path) == env
    assert world.find() == world.find()


@pytest.mark.core
def test_registered_pythons_of_both_views_are_found(windows: World) -> None:
    """The user's, the machine's and the 32-bit ones; the launcher's own key registers none, and what is gone is told as broken."""
    root = windows.host.root
    mine = python(windows.host.home / LOCAL / "Programs/Python/Python312", "3.12.4")
    ours = python(root / "C/Program Files/Vendor/py311", "3.11.9", headers=False)
    small = python(root / "C/Program Files (x86)/Python310-32", "3.10.1", machine=0x014C)
    register(
        windows,
        {
            "HKEY_CURRENT_USER\\Software\\Python\\PythonCore\\3.12": {"InstallPath": {"": str(windows.host.shown(mine.parent)) + "\\"}},
            "HKLM": {
                "SOFTWARE": {
                    "Python": {
                        "Vendor": {
                            "3.11-custom": {
                                "Version": "3.11.9",
                                "InstallPath": {"": "C:\\Program Files\\Vendor\\py311", "ExecutablePath": str(windows.host.shown(ours))},
                            },
                            "gone": {"InstallPath": {"": "C:\\Gone"}},
                        },
                        "PyLauncher": {"InstallPath": {"": "C:\\Windows"}},
                    },
                    "WOW6432Node": {"Python": {"PythonCore": {"3.10-32": {"InstallPath": {"": "C:\\Program Files (x86)\\Python310-32"}}}}},
                }
            },
        },
    )
    found = {env.prefix: env for env in windows.find()}
    assert {prefix: facts(env) for prefix, env in found.items()} == {
        mine.parent: ("windows-registry", "3.12.4", "x86_64", None),
        ours.parent: ("windows-registry", "3.11.9", "x86_64", None),
        small.parent: ("windows-registry", "3.10.1", "i686", None),
        root / "C/Gone": ("windows-registry", "None", None, "python-missing"),
    }
    assert found[ours.parent].version_source == "HKEY_LOCAL_MACHINE\\Software\\Python\\Vendor\\3.11-custom"
    for env in found.values():
        if env.problem is None:
            agree(windows, env)


@pytest.mark.parametrize("text", ["", "{", "[]", '"HKCU"', '{"HKCU": 1}', '{"HKCU": {"Software": {"Python": "x"}}}', "\x00"])
def test_a_registry_that_says_nothing_is_survived(windows: World, text: str) -> None:
    (windows.host.root / "registry.json").write_text(text)
    assert windows.find() == []
    assert registry.keys(Look(windows.host), "HKCU\\Software\\Python") == ()


@pytest.mark.core
def test_both_builds_in_one_directory_are_two(windows: World) -> None:
    """python.org's installer puts the free-threaded build beside the other."""
    prefix = windows.host.home / LOCAL / "Programs/Python/Python313"
    plain = python(prefix, "3.13.2", executables=("python.exe", "python3.13t.exe"))
    (prefix / "python313t.dll").write_bytes(pe())
    found = {env.python: env.free_threaded for env in windows.find()}
    assert found == {plain: False, prefix / "python3.13t.exe": True}


def test_without_headers_the_library_tells_the_version(windows: World) -> None:
    executable = python(windows.host.root / "C/Python311", "3.11.7", headers=False)
    library = executable.parent / "python311.dll"
    library.write_bytes(pe() + b"\x00\x003.11.7\x00")
    assert [(str(env.version), env.version_source) for env in windows.find()] == [("3.11.7", str(library))]


def aliases(windows: World, *names: str) -> Path:
    """Make aliases of the Store's applications, which are empty files."""
    directory = windows.host.home / LOCAL / "Microsoft/WindowsApps"
    directory.mkdir(parents=True, exist_ok=True)
    for name in names:
        (directory / name).touch()
    return directory


@pytest.mark.core
@pytest.mark.parametrize("registered", [True, False])
def test_a_python_of_the_store_is_found_by_its_alias(windows: World, registered: bool) -> None:
    """Its package cannot be run, so the alias is its executable; the package's name tells the exact version."""
    directory = aliases(windows, "python.exe", "python3.exe", "python3.12.exe")
    (directory / STORE).mkdir()
    for name in ("python.exe", "python3.exe", "python3.12.exe"):
        (directory / STORE / name).touch()
    prefix = windows.host.root / "C/Program Files/WindowsApps" / FULL
    prefix.mkdir(parents=True)
    if registered:
        repository = f"{MODEL}\\Repository\\Packages\\{FULL}"
        schemas = f"{MODEL}\\SystemAppData\\{STORE}\\Schemas"
        register(windows, {schemas: {"PackageFullName": FULL}, repository: {"PackageRootFolder": str(windows.host.shown(prefix))}})
    (env,) = windows.find()
    assert facts(env) == ("windows-store", "3.12.4", "x86_64", None)
    assert (env.prefix, env.python, env.kind) == (prefix, directory / "python3.12.exe", "interpreter")
    assert {directory / "python.exe", directory / STORE / "python.exe"} <= set(env.aliases)
    assert windows.sure(env.python or "").prefix == windows.sure(directory / "python.exe").prefix == windows.sure(prefix).prefix == prefix


def test_a_release_candidate_of_the_store_is_told_as_one(windows: World) -> None:
    full = "PythonSoftwareFoundation.Python.3.15_3.15.193.0_arm64__qbz5n2kfra8p0"
    directory = aliases(windows, "python3.15.exe")
    (directory / "PythonSoftwareFoundation.Python.3.15_qbz5n2kfra8p0").mkdir()
    (windows.host.root / "C/Program Files/WindowsApps" / full).mkdir(parents=True)
    assert [facts(env) for env in windows.find()] == [("windows-store", "3.15.0rc1", "aarch64", None)]


@pytest.mark.core
def test_aliases_that_only_open_the_store_are_told_as_broken(windows: World) -> None:
    directory = aliases(windows, "python.exe", "python3.exe", "winget.exe")
    (env,) = windows.find()
    assert facts(env)[0::3] == ("windows-store", "stub")
    assert (env.python, env.aliases) == (directory / "python.exe", (directory / "python3.exe",))
    assert env.problem is not None
    assert env.problem.hint
    agree(windows, env)


def test_aliases_of_the_install_manager_are_told_as_shims(windows: World) -> None:
    directory = aliases(windows, "python.exe", "python3.exe", "py.exe")
    (directory / "PythonSoftwareFoundation.PythonManager_qbz5n2kfra8p0").mkdir()
    assert [facts(env)[0::3] for env in windows.find()] == [("pymanager", "shim")]


def test_pythons_of_the_install_manager_are_found_by_their_place(windows: World) -> None:
    """Also where they are registered, and on PATH by the executables that pick one."""
    base = windows.host.home / LOCAL / "Python"
    for version, name in (("3.14.1", "pythoncore-3.14-64"), ("3.13.0", "pythoncore-3.13-64")):
        python(base / name, version, headers=False)
        (base / name / "__install__.json").write_text(json.dumps({"sort-version": version, "company": "PythonCore"}))
    (base / "bin").mkdir()
    (base / "bin/python.exe").write_bytes(pe())
    (base / "bin/python3.14.exe").write_bytes(pe())
    shown = str(windows.host.shown(base / "pythoncore-3.14-64"))
    register(windows, {"HKCU\\Software\\Python\\PythonCore\\3.14": {"InstallPath": {"": shown}}})
    world = windows.having(PATH=f"{windows.host.shown(base / 'bin')}")
    found = world.find()
    assert [(*facts(env), env.name) for env in found] == [
        ("pymanager", "3.14.1", "x86_64", None, "pythoncore-3.14-64"),
        ("pymanager", "3.13.0", "x86_64", None, "pythoncore-3.13-64"),
        ("pymanager", "None", None, "shim", None),
    ]
    for env in found:
        agree(world, env)


@pytest.mark.parametrize("inner", ["python-3.12.4.amd64", "python"])
def test_winpython_is_found_and_named(windows: World, inner: str) -> None:
    whole = windows.host.home / "WinPython" / "WPy64-31241"
    executable = python(whole / inner, "3.12.4", headers=inner == "python")
    (env,) = windows.find()
    assert (*facts(env), env.name, env.python) == ("winpython", "3.12.4", "x86_64", None, "WPy64-31241", executable)
    agree(windows, env)
    elsewhere = windows.host.root / "D" / "stick" / "mine"
    python(elsewhere / "python-3.11.9", "3.11.9")
    (elsewhere / "winpython.ini").touch()
    named = windows.having(WINPYTHON_HOME="D:\\stick\\mine").find(managers=("winpython",))
    assert [env.name for env in named] == ["mine", "WPy64-31241"]


def test_scoops_python_is_one_under_its_version_and_its_link(windows: World) -> None:
    apps = windows.host.home / "scoop/apps"
    executable = python(apps / "python/3.12.4", "3.12.4")
    older = python(apps / "python311/3.11.9", "3.11.9")
    (apps / "python/current").symlink_to("3.12.4")
    shims = windows.host.home / "scoop/shims"
    shims.mkdir()
    (shims / "python.exe").write_bytes(pe())
    world = windows.having(PATH="C:\\Users\\user\\scoop\\shims;C:\\Users\\user\\scoop\\apps\\python\\current")
    found = world.find()
    assert [(env.python, *facts(env)[0::3], env.name) for env in found] == [
        (executable, "scoop", None, "python"),
        (older, "scoop", None, "python311"),
        (shims / "python.exe", "scoop", "shim", None),
    ]
    assert apps / "python/current" in found[0].aliases
    assert world.sure(apps / "python/current/python.exe").prefix == executable.parent


def test_pyenv_win_keeps_32_bit_versions_beside_the_others(windows: World) -> None:
    versions = windows.host.home / ".pyenv/pyenv-win/versions"
    python(versions / "3.12.1", "3.12.1", headers=False)
    python(versions / "3.11.4-win32", "3.11.4", headers=False, machine=0x014C)
    assert [(*facts(env), env.name) for env in windows.find()] == [
        ("pyenv", "3.12.1", "x86_64", None, "3.12.1"),
        ("pyenv", "3.11.4", "i686", None, "3.11.4-win32"),
    ]


@pytest.mark.parametrize("name", ["windows-registry", "windows-store", "winpython", "pymanager", "scoop"])
def test_locators_of_windows_name_nothing_elsewhere(empty: World, name: str) -> None:
    (locator,) = (locator for locator in TABLE if name == locator.NAME)
    assert list(locator.candidates(Look(empty.host), (str(empty.host.root),))) == []
    assert locator.identify(Look(empty.host), "/usr/bin/python3") is None
