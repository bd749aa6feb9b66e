"""What is a virtual environment and nothing else, and what activating one means as data."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from envkit.host import Host
from envkit.models.environment import Environment
from envkit.venv import KIND, NAME, activation, create, strangers

TOOLS = {
    "venv": [sys.executable, "-m", "venv", "--without-pip"],
    "virtualenv": [sys.executable, "-m", "virtualenv", "--no-seed", "--quiet"],
    "uv": [str(Path(sys.executable).with_name("uv")), "venv", "--quiet", "--offline", "--no-config"],
}


@pytest.mark.parametrize("tool", TOOLS)
def test_what_other_tools_make_has_no_strangers(tool: str, host: Host, tmp_path: Path) -> None:
    """What venv, virtualenv and uv write is all known."""
    try:
        done = subprocess.run([*TOOLS[tool], tmp_path / "env"], env=dict(host.environ), capture_output=True, text=True, timeout=120)
    except FileNotFoundError:
        pytest.skip(f"no {tool}")
    if f"No module named {tool}" in done.stderr:
        pytest.skip(f"no {tool}")
    assert done.returncode == 0, done.stderr
    assert strangers(tmp_path / "env", host) == ()


@pytest.mark.core
def test_what_a_user_put_there_is_a_stranger(base: Environment, host: Host, tmp_path: Path) -> None:
    """A notebook beside the environment's own files is named, sorted; so is `src`, where editable checkouts may hold work."""
    prefix = tmp_path / "env"
    create(prefix, base=base, host=host)
    for name in ("thesis.ipynb", "data"):
        (prefix / name).touch()
    (prefix / "src").mkdir()
    (prefix / ".envkit").mkdir()
    (prefix / ".lock").touch()
    assert strangers(prefix, host) == ("data", "src", "thesis.ipynb")


@pytest.mark.core
def test_what_is_no_environment_is_none(base: Environment, host: Host, tmp_path: Path) -> None:
    """A link, a missing directory, a file, one without pyvenv.cfg, one without interpreter: None, whatever else lies there."""
    prefix = tmp_path / "env"
    create(prefix, base=base, host=host)
    (tmp_path / "link").symlink_to(prefix)
    (tmp_path / "file").touch()
    assert strangers(tmp_path / "link", host) is None
    assert strangers(tmp_path / "file", host) is None
    assert strangers(tmp_path / "missing", host) is None
    (prefix / "bin" / "python").unlink()  # the other names are links to it, dangling now, and still an interpreter's entry
    assert strangers(prefix, host) == ()
    (prefix / "bin" / "python3").unlink()
    assert strangers(prefix, host) is None
    other = tmp_path / "other"
    create(other, base=base, host=host)
    (other / "pyvenv.cfg").unlink()
    assert strangers(other, host) is None


@pytest.mark.core
def test_activation_is_what_a_shell_does(host: Host, tmp_path: Path) -> None:
    """Programs first on PATH, VIRTUAL_ENV set, PYTHONHOME gone; all else as it was. The prompt of `.venv` is its project's name."""
    env = Environment(prefix=tmp_path / "project" / ".venv", kind="venv")
    before = {"PATH": "/usr/bin:/bin", "PYTHONHOME": "/x", "PYTHONPATH": "/y", "VIRTUAL_ENV": "/other"}
    inside = activation(env, host).apply(before)
    assert inside == {
        "PATH": f"{tmp_path}/project/.venv/bin:/usr/bin:/bin",
        "PYTHONPATH": "/y",
        "VIRTUAL_ENV": f"{tmp_path}/project/.venv",
        "VIRTUAL_ENV_PROMPT": "project",
    }
    assert activation(replace(env, name="analysis"), host).assign["VIRTUAL_ENV_PROMPT"] == "analysis"
    assert (NAME, KIND) == ("venv", "venv")


@pytest.mark.core
def test_activating_an_interpreter_leaves_any_environment(host: Host) -> None:
    """A plain Python has its programs on PATH and no environment active."""
    env = Environment(prefix=Path("/opt/python"), kind="interpreter", python=Path("/opt/python/bin/python3"))
    assert activation(env, host).apply({"PATH": "/bin", "VIRTUAL_ENV": "/x", "PYTHONHOME": "/y"}) == {"PATH": "/opt/python/bin:/bin"}


@pytest.mark.core
def test_activation_works_with_a_backslash_in_the_path(host: Host, tmp_path: Path) -> None:
    """On POSIX a backslash is a letter: PATH is still parted by colons."""
    env = Environment(prefix=tmp_path / "a\\b", kind="venv")
    assert activation(env, host).apply({"PATH": "/bin"})["PATH"] == os.pathsep.join((f"{tmp_path}/a\\b/bin", "/bin"))
