"""selected: the environments that tools keep for a project elsewhere, made as those tools make them."""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


def letters(text: str) -> str:
    """Return the letters that Poetry and Pipenv put into a directory's name."""
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode()[:8]


@pytest.mark.core
def test_poetrys_active_environment_is_the_projects(project: Any) -> None:
    """Of several environments of Poetry the one that `envs.toml` says is active; `.venv` comes before it."""
    project.file("pyproject.toml", '[tool.poetry]\nname = "demo"\n')
    central = project.host.home / ".cache" / "pypoetry" / "virtualenvs"
    stem = f"demo-{letters(str(project.path))}"
    own = f"{sys.version_info[0]}.{sys.version_info[1]}"
    current = project.venv(central / f"{stem}-py{own}")
    other = project.venv(central / f"{stem}-py3.99")
    assert project.selected().reason == f"the environment that poetry keeps for {project.path}"
    for minor, prefix in ((own, current), ("3.99", other)):
        (central / "envs.toml").write_text(f'[{stem}]\nminor = "{minor}"\npatch = "{minor}.1"\n')
        assert project.prefix() == prefix
    beside = project.venv(".venv")
    assert project.prefix() == beside


def test_pipenvs_environment_is_the_projects(project: Any) -> None:
    """Pipenv's central environment, also asked from a file deep in the project, and where VS Code's settings name its manager."""
    pipfile = project.file("Pipfile", "[packages]\n")
    prefix = project.venv(project.host.home / ".local" / "share" / "virtualenvs" / f"project-{letters(str(pipfile))}")
    (prefix / ".project").write_text(str(project.path))
    project.file("a/b/module.py", "")
    assert project.prefix("a/b/module.py") == prefix
    project.venv(".venv")
    project.file(".vscode/settings.json", '{"python-envs.defaultEnvManager": "ms-python.python:pipenv"}')
    assert project.prefix() == prefix


def test_uvs_environment_elsewhere_is_the_projects(project: Any) -> None:
    """`UV_PROJECT_ENVIRONMENT` says where uv keeps the environment of a project that it manages."""
    prefix = project.venv("elsewhere")
    world = project.having(UV_PROJECT_ENVIRONMENT="elsewhere")
    assert project.prefix() != prefix
    project.file("pyproject.toml", '[project]\nname = "demo"\nversion = "1"\n')
    project.file("uv.lock", "version = 1\n")
    assert world.prefix() == prefix


@pytest.mark.skipif(shutil.which("uv") is None and not (Path(sys.executable).parent / "uv").exists(), reason="uv is not there")
def test_the_environment_that_uv_keeps_for_a_script(project: Any, tmp_path: Path) -> None:
    """A script that uv has run has an environment of its own in uv's cache; another script of the same name has another one."""
    uv = shutil.which("uv") or str(Path(sys.executable).parent / "uv")
    text = "# /// script\n# dependencies = []\n# ///\nimport sys\nprint(sys.prefix)\n"
    world = project.having(UV_CACHE_DIR=str(tmp_path / "cache"))
    said: dict[str, str] = {}
    for name in ("one/script.py", "two/script.py"):
        path = project.file(name, text)
        command = [uv, "run", "--offline", "--no-python-downloads", "--python", sys.executable, "--script", str(path)]
        said[name] = subprocess.run(command, capture_output=True, text=True, check=True, env=dict(world.host.environ)).stdout.strip()
    assert len(set(said.values())) == 2
    for name, prefix in said.items():
        found = world.selected(name)
        assert "PEP 723" in found.reason
        assert str(found.environment.prefix) == prefix
