"""Every Python that another finder sees on this machine is seen by envkit, too, which runs none of them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import envkit
from envkit.host import Host

pytestmark = pytest.mark.slow

PEERS = {
    "python-discovery": "import python_discovery as peer; found = [info.executable for info in peer.iter_interpreters()]",
    "findpython": "import findpython as peer; found = [python.executable for python in peer.find_all()]",
    "pythonfinder": "import pythonfinder as peer; found = [python.executable for python in peer.Finder().find_all_python_versions()]",
    "pythonmapper-dmm": "import pymapper.discover as peer; found = [env['python'] for env in peer.scan()['environments']]",
}
"""What each gives, as paths of executables."""

PYENV = os.environ.get("PYENV_ROOT") or str(Path.home() / ".pyenv")  # asked before a test has a home of its own
File = tuple[int, int]


def uv() -> str:
    """Return uv; skip where it is not."""
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.exists() else shutil.which("uv")
    if found is None:
        pytest.skip("there is no uv")
    return found


def with_versions_of_pyenv(host: Host) -> dict[str, str]:
    """Return the variables of a private home in which the user's own pyenv is known."""
    return {**host.environ, "PYENV_ROOT": PYENV}


def files_of(environ: dict[str, str], host: Host) -> set[File]:
    """Return the files that envkit's finds lead to: executables, and those of their aliases."""
    found = [env for env in envkit.find(host=replace(host, environ=environ)) if env.problem is None]
    return {file_at(path) for env in found for path in (env.python, *env.aliases) if path is not None}


def file_at(path: Path | str) -> File:
    """Return what tells a file from every other, whatever its name."""
    status = os.stat(path)
    return status.st_dev, status.st_ino


def file_of(path: str) -> File | None:
    """Return the file that a peer's find is when it is run, for a shim is another one each time; None for one that does not run."""
    code = "import sys; print(getattr(sys, '_base_executable', sys.executable))"
    done = subprocess.run([path, "-c", code], capture_output=True, text=True, timeout=60)
    return file_at(done.stdout.strip()) if done.returncode == 0 and done.stdout.strip() else None


def missing(paths: list[str], environ: dict[str, str], host: Host) -> list[str]:
    """Return those of a peer's finds that run and that envkit does not see."""
    ours = files_of(environ, host)
    return [path for path in paths if (file := file_of(path)) is not None and file not in ours]


@pytest.mark.parametrize("peer", PEERS)
def test_what_a_peer_finds_is_found(peer: str, host: Host, tmp_path: Path) -> None:
    """The peer runs in an environment of its own; a Python that it finds by a shim is the one that the shim starts."""
    environ = with_versions_of_pyenv(host)
    prefix = tmp_path / "peer"
    subprocess.run([uv(), "venv", "--quiet", "--python", os.path.realpath(sys.executable), str(prefix)], check=True, env=environ)
    python = prefix / "bin" / "python"
    installed = subprocess.run(
        [uv(), "pip", "install", "--quiet", "--python", str(python), peer], capture_output=True, text=True, env=environ
    )
    if installed.returncode != 0:
        pytest.skip(f"{peer} cannot be installed: {installed.stderr.strip().splitlines()[-1:]}")
    code = f"import json; {PEERS[peer]}; print(json.dumps([str(path) for path in found if path]))"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, env=environ, cwd=host.cwd, timeout=200)
    assert done.returncode == 0, done.stderr
    paths = json.loads(done.stdout.splitlines()[-1])
    assert paths
    assert missing(paths, environ, host) == []


def test_what_uv_finds_is_found(host: Host) -> None:
    """Also what it finds by shims, which it runs."""
    environ = with_versions_of_pyenv(host)
    listing = [uv(), "python", "list", "--only-installed", "--offline", "--output-format", "json"]
    done = subprocess.run(listing, capture_output=True, text=True, env=environ, cwd=host.cwd, timeout=200)
    if done.returncode != 0:
        pytest.skip(f"uv lists nothing: {done.stderr.strip()}")
    assert missing([entry["path"] for entry in json.loads(done.stdout)], environ, host) == []
