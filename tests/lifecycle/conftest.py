"""A few wheels, and worlds that install them without the network."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from support.wheels import make_wheel

from envkit import Sources


@pytest.fixture
def wheels(tmp_path: Path) -> Sources:
    """alpha in two versions, and beta, which needs it, with a console script, data files and a configuration file."""
    directory = tmp_path / "wheels"
    directory.mkdir()
    make_wheel(directory, "alpha", "1.0")
    make_wheel(directory, "alpha", "2.0")
    code = "import sys\n\nimport alpha\n\n\ndef main():\n    print(sys.prefix, alpha.__version__)\n"
    files = {
        "beta/__init__.py": code,
        "beta/data.txt": "data",
        "beta-1.0.data/data/share/beta/big.txt": "shared",
        "beta-1.0.data/data/etc/beta.conf": "configured",
    }
    make_wheel(directory, "beta", "1.0", requires=("alpha>=1",), files=files, scripts={"beta": "beta:main"})
    return Sources(find_links=(str(directory),), configuration="isolated")


def contents(directory: Path) -> dict[str, tuple[str, bytes | str, int]]:
    """Return every path below a directory with what it is, what is in it and when it was written; bytecode left out."""
    found: dict[str, tuple[str, bytes | str, int]] = {}
    for path in sorted(directory.rglob("*")):
        name = str(path.relative_to(directory))
        if "__pycache__" in name or name.startswith(".envkit"):
            continue
        if path.is_symlink():
            found[name] = ("link", os.readlink(path), 0)
        elif path.is_file():
            found[name] = ("file", path.read_bytes(), path.stat().st_mtime_ns)
    return found


@pytest.fixture
def snapshot() -> Callable[[Path], dict[str, tuple[str, bytes | str, int]]]:
    """What `contents` gives."""
    return contents


def said(*argv: object) -> str:
    """Run a program to its end, with nothing of the tests' variables, and return what it said."""
    environ = {"PATH": "/usr/bin:/bin", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([str(part) for part in argv], capture_output=True, text=True, env=environ, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


@pytest.fixture
def say() -> Callable[..., str]:
    """What `said` does."""
    return said
