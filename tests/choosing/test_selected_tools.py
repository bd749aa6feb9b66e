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


def test_what_pdm_says_it_uses_is_the_projects(project: Any) -> None:
    """`.pdm-python` may name any Python; one that is gone is told, and what lies there is taken."""
    far = project.venv(project.path.parent / "far")
    project.file("pyproject.toml", '[project]\nname = "it"\n')
    project.file(".pdm-python", f"{far}/bin/python\n")
    found = project.selected("pyproject.toml")
    assert (found.environment.prefix, found.environment.manager, found.environment.project) == (far, "pdm", project.path)
    assert found.reason == f"{project.path}/.pdm-python names it"
    project.file(".pdm-python", f"{sys.base_prefix}/bin/python3\n")
    assert project.selected().environment.kind == "interpreter"
    project.file(".pdm-python", "/nowhere/bin/python\n")
    own = project.venv("venv")
    found = project.selected()
    assert found.environment.prefix == own
    assert "/nowhere/bin/python, which" in found.reason


@pytest.mark.parametrize("name", ["venv", "env", ".env", ".direnv/python-3.13", "elsewhere"])
def test_another_environment_that_is_tied_to_a_directory_is_its_own(project: Any, name: str) -> None:
    """What `find` calls the project's is what `selected` takes, before any Python of the machine, also below that directory."""
    made = project.venv(name)
    project.file("deep/module.py", "")
    if name == "elsewhere":
        project.file(".python-envs", "elsewhere\n")
    assert project.prefix() == made
    if name in {"venv", "env", ".env"}:
        assert project.prefix("deep/module.py") != made
        project.file("setup.py", "")
    assert project.prefix("deep/module.py") == made


def test_a_conda_environment_in_a_workspace_comes_before_other_names(project: Any) -> None:
    """VS Code makes `.conda` and uses it; environments that tests are run in are never a project's own."""
    project.venv("venv")
    project.venv(".tox/py")
    project.file(".conda/conda-meta/history", "")
    found = project.selected()
    assert (found.environment.prefix, found.environment.kind) == (project.path / ".conda", "conda")


def test_other_lines_of_python_version_files(project: Any) -> None:
    """pyenv's `system` is the first Python on PATH that is no shim; uv's `.python-versions` counts where the other file is not there."""
    shims = project.file("shims/python", "#!/bin/sh\n").parent
    where = f"{shims}:/nowhere:{sys.base_prefix}/bin"
    project.file(".python-versions", f"{sys.version_info[0]}.{sys.version_info[1]}\n2.7\n")
    assert ".python-versions asks for" in project.selected().reason
    project.file(".python-version", "system\n")
    found = project.having(PATH=where).selected()
    assert found.reason == f"{project.path}/.python-version asks for system"
    assert found.environment.prefix == Path(sys.base_prefix)
