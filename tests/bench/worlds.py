"""Generated machines: ten interpreters, and a home with any number of environments of many tools, as their files show them."""

from __future__ import annotations

import struct
from pathlib import Path

from envkit.host import Host

ELF = b"\x7fELF\x02\x01\x01" + b"\0" * 9 + struct.pack("<HH", 2, 62) + b"\0" * 44


def interpreter(prefix: Path, version: str) -> Path:
    """Make what looks like an installation, and return its executable."""
    minor = ".".join(version.split(".")[:2])
    for directory in (prefix / "bin", prefix / "lib" / f"python{minor}", prefix / "include" / f"python{minor}"):
        directory.mkdir(parents=True, exist_ok=True)
    (prefix / "lib" / f"python{minor}" / "os.py").touch()
    (prefix / "include" / f"python{minor}" / "patchlevel.h").write_text(f'#define PY_VERSION "{version}"\n')
    executable = prefix / "bin" / f"python{minor}"
    executable.write_bytes(ELF)
    executable.chmod(0o755)
    for name in ("python3", "python"):
        link = prefix / "bin" / name
        link.unlink(missing_ok=True)
        link.symlink_to(executable.name)
    return executable


def environment(prefix: Path, base: Path, shown: str, *extra: str) -> Path:
    """Make what looks like a virtual environment on `base`, which that machine writes as `shown`."""
    minor = base.name.removeprefix("python")
    (prefix / "bin").mkdir(parents=True)
    (prefix / "lib" / f"python{minor}" / "site-packages").mkdir(parents=True)
    (prefix / "bin" / "python").symlink_to(f"{shown}/bin/{base.name}")
    (prefix / "bin" / "python3").symlink_to("python")
    (prefix / "bin" / "activate").write_text("# activate\n" * 30)
    lines = [f"home = {shown}/bin", "include-system-site-packages = false", f"version = {minor}.1", *extra]
    (prefix / "pyvenv.cfg").write_text("\n".join(lines) + "\n")
    return prefix


def machine(root: Path, environments: int = 0) -> Host:
    """Make a machine with ten interpreters (nine of pyenv, one of the system) and that many environments of twelve tools."""
    home = root / "home" / "user"
    project = home / "project"
    project.mkdir(parents=True)
    system = interpreter(root / "usr", "3.11.2")
    versions = [f"3.{5 + number}.{number}" for number in range(9)]
    bases = [
        (interpreter(home / ".pyenv" / "versions" / version, version), f"/home/user/.pyenv/versions/{version}") for version in versions
    ]
    (root / "usr" / "bin" / "env").write_bytes(ELF)
    for number in range(600):
        (root / "usr" / "bin" / f"tool{number}").touch()
    bases.append((system, "/usr"))
    for number in range(environments):
        base, shown = bases[number % len(bases)]
        prefix, extra = _place(home, number)
        environment(prefix, base, shown, *extra)
    environ = {"PATH": "/home/user/.local/bin:/usr/local/bin:/usr/bin:/bin", "HOME": "/home/user"}
    return Host(root=root, environ=environ, platform="linux", home=home, cwd=project, data=home / ".local" / "share" / "envkit")


def _place(home: Path, number: int) -> tuple[Path, tuple[str, ...]]:
    """Return where the environment of that number lies and what its tool adds to `pyvenv.cfg`: a dozen tools in turn."""
    share, cache = home / ".local" / "share", home / ".cache"
    minor = f"3.{5 + number % 9}"
    places: list[tuple[Path, tuple[str, ...]]] = [
        (home / ".virtualenvs" / f"wrapped{number}", ("virtualenv = 20.26.1",)),
        (home / ".venvs" / f"plain{number}", ()),
        (home / "envs" / f"old{number}", ()),
        (cache / "pypoetry" / "virtualenvs" / f"poem{number}-AbCdEfGh-py{minor}", ("virtualenv = 20.26.1",)),
        (share / "virtualenvs" / f"piped{number}-AbCdEfGh", ("virtualenv = 20.26.1",)),
        (share / "hatch" / "env" / "virtual" / f"egg{number}" / "AbCdEfGh" / f"egg{number}", ("virtualenv = 20.26.1",)),
        (share / "pdm" / "venvs" / f"pad{number}-AbCdEfGh-{minor}", ("virtualenv = 20.26.1",)),
        (share / "pipx" / "venvs" / f"tool{number}", ()),
        (share / "uv" / "tools" / f"tool{number}", ("uv = 0.9.6", f"version_info = {minor}.1")),
        (cache / "uv" / "environments-v2" / f"script{number}-0123456789abcdef", ("uv = 0.9.6", f"version_info = {minor}.1")),
        (home / ".pyenv" / "versions" / f"named{number}", ()),
        (share / "envkit" / "environments" / f"managed{number}", ()),
    ]
    return places[number % len(places)]
