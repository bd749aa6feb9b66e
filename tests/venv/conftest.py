"""Bases for virtual environments: the Pythons of this machine as values, told by running them."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from packaging.version import Version

from envkit.models.environment import Environment

_ASK = (
    "import sys, json, platform; print(json.dumps([platform.python_version().replace('+', ''), sys.implementation.name, sys.prefix, "
    "bool(getattr(sys, 'abiflags', '').count('t'))]))"
)


@pytest.fixture(scope="session")
def as_base() -> Callable[[Path], Environment]:
    """Give the Environment of an executable, as a probe would."""

    def ask(executable: Path) -> Environment:
        said = subprocess.run([executable, "-I", "-c", _ASK], capture_output=True, text=True, check=True, timeout=60).stdout
        version, implementation, prefix, free_threaded = json.loads(said)
        return Environment(
            prefix=Path(prefix),
            kind="interpreter",
            python=executable,
            version=Version(version),
            implementation=implementation,
            free_threaded=free_threaded,
        )

    return ask


@pytest.fixture(scope="session")
def base(as_base: Callable[[Path], Environment], interpreters: dict[str, Path]) -> Environment:
    """A base to make environments from: the newest Python of this machine."""
    return as_base(interpreters[max(interpreters, key=lambda minor: tuple(map(int, minor.split("."))))])


@pytest.fixture(scope="session")
def pypy() -> Path:
    """PyPy's executable; the test is skipped where there is none."""
    found = shutil.which("pypy3")
    if found is None:
        pytest.skip("no pypy3 on PATH")
    return Path(found)
