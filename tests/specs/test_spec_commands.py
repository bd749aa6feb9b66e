"""The command line of specs: quick create in a project, `--spec`, lock and export, each as the library says it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.wheels import make_wheel

import envkit

ROOT = Path(envkit.__file__).parent.parent


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that asks for one package, and a directory of wheels that pip's configuration names."""
    make_wheel(tmp_path / "wheels", "library", "1.0")
    make_wheel(tmp_path / "wheels", "tester", "1.0")
    place = tmp_path / "project"
    place.mkdir()
    (place / "pyproject.toml").write_text(
        '[project]\nname = "demo"\nversion = "1"\nrequires-python = ">=3.9"\ndependencies = ["library"]\n[dependency-groups]\ntest = ["tester"]\n'
    )
    (place / ".python-version").write_text(f"{sys.version_info.major}.{sys.version_info.minor}\n")
    return place


def run(project: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(project.parent / "wheels")}
    return subprocess.run([sys.executable, "-m", "envkit", *argv], capture_output=True, text=True, timeout=120, env=environ, cwd=project)


def test_quick_create_makes_what_the_project_asks_for(project: Path) -> None:
    """`envkit create` in a project makes .venv with its packages on its Python, says what it read, and does not overwrite one."""
    planned = run(project, "create", "--dry-run")
    assert planned.stdout.splitlines()[:2] == ["read pyproject.toml", "read .python-version"], planned.stderr
    assert not (project / ".venv").exists()
    done = run(project, "create")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "as pyproject.toml, .python-version says"
    assert [package.name for package in envkit.installed(project / ".venv")] == ["library"]
    assert run(project, "create").returncode == 1
    again = run(project, "ensure", "--group", "test")
    assert again.returncode == 0, again.stderr
    assert [package.name for package in envkit.installed(project / ".venv")] == ["library", "tester"]
    assert "nothing had to be done" in run(project, "ensure", "--group", "test").stdout


def test_a_spec_for_a_named_environment_and_a_project_that_says_nothing(project: Path, tmp_path: Path) -> None:
    """`--spec` is for any name or path; a directory without any known file is an error, and makes nothing."""
    (tmp_path / "needs.txt").write_text("tester\n")
    done = run(project, "create", "named", "library", "--spec", str(tmp_path / "needs.txt"), "--json")
    assert done.returncode == 0, done.stderr
    assert [package.name for package in envkit.installed("named")] == ["library", "tester"]
    assert json.loads(done.stdout)["name"] == "named"
    (tmp_path / "empty").mkdir()
    nothing = run(tmp_path / "empty", "create")
    assert (nothing.returncode, nothing.stderr.startswith("error:")) == (1, True)
    assert run(project, "create", "x", "--group", "test").returncode == 2


def test_lock_and_export_print_files_that_are_read_back(project: Path) -> None:
    """What `lock` prints is a pylock.toml that `--spec` takes, and `export` prints it again."""
    locked = run(project, "lock")
    assert locked.returncode == 0, locked.stderr
    (project / "pylock.toml").write_text(locked.stdout)
    made = run(project, "create", "locked", "--spec", "pylock.toml")
    assert made.returncode == 0, made.stderr
    assert run(project, "export", "locked").stdout == "library==1.0\n"
    assert run(project, "export", "locked", "--format", "pylock.toml").stdout == locked.stdout
    assert json.loads(run(project, "export", "locked", "--format", "spec.json").stdout)["pypi"] == ["library==1.0"]
