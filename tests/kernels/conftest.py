"""What the kernel tests share: real environments with ipykernel, made once per run by uv (or by venv and pip)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Build = Callable[..., Path]


def _uv() -> str | None:
    beside = Path(sys.prefix, "bin", "uv")
    return str(beside) if beside.is_file() else shutil.which("uv")


def build_environment(prefix: Path, python: str | os.PathLike[str], *requirements: str) -> Path:
    """Make a virtual environment at `prefix` on `python` with these packages, as another tool would."""
    environ = {name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME"}}
    uv = _uv()
    interpreter = str(prefix / "bin" / "python")
    if uv is not None:
        commands = [[uv, "venv", "--quiet", "--no-project", "--python", str(python), str(prefix)]]
        install = [uv, "pip", "install", "--quiet", "--python", interpreter]
    else:
        commands = [[str(python), "-m", "venv", str(prefix)]]
        install = [interpreter, "-m", "pip", "install", "--quiet"]
    if requirements:
        commands.append([*install, *requirements])
    for command in commands:
        subprocess.run(command, check=True, env=environ, capture_output=True, cwd=prefix.parent)
    return prefix


@pytest.fixture
def build() -> Build:
    """The function that makes environments: `build(prefix, python, *requirements)`."""
    return build_environment


@pytest.fixture(scope="session")
def kernel_environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The prefix of an environment with ipykernel and pip on the running Python; tests do not change it."""
    prefix = tmp_path_factory.mktemp("kernels") / "analysis"
    return build_environment(prefix, sys.executable, "ipykernel", "pip")


@pytest.fixture(scope="session")
def bare_environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The prefix of an environment on the running Python without any package."""
    return build_environment(tmp_path_factory.mktemp("bare") / "empty", sys.executable)
