"""Trees that look like installations, and searches in them, for the tests of discovery."""

from __future__ import annotations

import os
import struct
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from envkit.control import Work
from envkit.discovery.locators import TABLE
from envkit.discovery.search import identify, search
from envkit.host import Host
from envkit.models.environment import Environment

ELF = b"\x7fELF\x02\x01\x01" + b"\0" * 9 + struct.pack("<HH", 2, 62) + b"\0" * 44
PE = b"MZ" + b"\0" * 58 + struct.pack("<I", 64) + b"PE\0\0" + struct.pack("<H", 0x8664) + b"\0" * 32


class World:
    """A private host, and what tests do with it."""

    def __init__(self, host: Host) -> None:
        self.host = host

    def having(self, **variables: str) -> World:
        """Return the same world with other variables."""
        return World(replace(self.host, environ={**self.host.environ, **variables}))

    def find(self, **asked: object) -> list[Environment]:
        """Return what a search gives."""
        return list(search(Work(host=self.host), table=TABLE, **asked))  # type: ignore[arg-type]

    def ours(self, **asked: object) -> list[Environment]:
        """Return what a search gives of all that these tests made: a kernel of this machine may lead to environments elsewhere."""
        place = self.host.home.parent.parent
        return [env for env in self.find(**asked) if env.prefix.is_relative_to(place)]

    def at(self, path: Path | str) -> Environment | None:
        """Return what is at a path."""
        return identify(self.host, str(path), TABLE)

    def sure(self, path: Path | str) -> Environment:
        """Return what is at a path, which must be something."""
        found = self.at(path)
        assert found is not None, path
        return found


@pytest.fixture
def host(host: Host) -> Host:
    """This machine without the user's cache of uv, in which environments of scripts lie, and without what is active on PATH."""
    environ = {name: value for name, value in host.environ.items() if name != "UV_CACHE_DIR"}
    return replace(host, environ={**environ, "PATH": "/usr/local/bin:/usr/bin:/bin"})


@pytest.fixture
def world(host: Host) -> World:
    """This machine with a private home and nothing on PATH."""
    return World(replace(host, environ={**host.environ, "PATH": "/nowhere"}))


@pytest.fixture
def empty(host: Host, tmp_path: Path) -> World:
    """A tree that stands for a machine where nothing is installed."""
    root = tmp_path / "root"
    home = root / "home" / "user"
    home.mkdir(parents=True)
    return World(replace(host, root=root, home=home, cwd=home, data=home / "envkit", environ={"PATH": "/usr/bin:/bin"}, platform="linux"))


@pytest.fixture(scope="session")
def installed() -> Callable[..., Path]:
    """Make a tree that looks like an installation of a Python, and return its executable."""

    def make(
        prefix: Path,
        version: str,
        *,
        name: str = "",
        library: str = "",
        headers: bool = True,
        links: tuple[str, ...] = ("python3", "python"),
    ) -> Path:
        minor = ".".join(version.split(".")[:2])
        library, name = library or f"python{minor}", name or f"python{minor}"
        for directory in (prefix / "bin", prefix / "lib" / library, prefix / "include" / library):
            directory.mkdir(parents=True, exist_ok=True)
        (prefix / "lib" / library / "os.py").touch()
        if headers:
            (prefix / "include" / library / "patchlevel.h").write_text(f'#define PY_VERSION "{version}"\n')
        executable = prefix / "bin" / name
        executable.write_bytes(ELF)
        executable.chmod(0o755)
        for link in links:
            (prefix / "bin" / link).unlink(missing_ok=True)
            (prefix / "bin" / link).symlink_to(name)
        return executable

    return make


@pytest.fixture(scope="session")
def made(interpreters: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Make a real virtual environment with the standard library's venv, and return its prefix."""

    def make(prefix: Path | None = None, *arguments: str, python: Path | None = None) -> Path:
        base = python or interpreters[max(interpreters, key=lambda minor: [int(part) for part in minor.split(".")])]
        prefix = prefix or tmp_path_factory.mktemp("made") / "env"
        environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        subprocess.run([base, "-m", "venv", "--without-pip", *arguments, prefix], check=True, capture_output=True, env=environ, timeout=120)
        return prefix

    return make
