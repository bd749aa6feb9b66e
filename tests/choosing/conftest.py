"""A project in a world of its own, with real virtual environments."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import envkit
from envkit import Host, Selection


class Project:
    """A directory, and what envkit says it uses."""

    def __init__(self, host: Host, path: Path) -> None:
        self.host = host
        self.path = path

    def having(self, **variables: str) -> Project:
        """Return the same project in a world with other variables."""
        return Project(replace(self.host, environ={**self.host.environ, **variables}), self.path)

    def selected(self, path: str = ".") -> Selection:
        """Return the selection of something in the project, which must have one."""
        found = envkit.selected(self.path / path, host=self.host)
        assert found is not None
        return found

    def prefix(self, path: str = ".") -> Path:
        """Return the directory of what is selected."""
        return self.selected(path).environment.prefix

    def venv(self, where: str | Path, python: Path | None = None) -> Path:
        """Make a virtual environment and return its directory."""
        prefix = self.path / where
        subprocess.run([python or sys.executable, "-m", "venv", "--without-pip", prefix], check=True)
        return prefix

    def file(self, name: str, text: str) -> Path:
        """Write a file of the project."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path


@pytest.fixture
def project(host: Host, tmp_path: Path) -> Project:
    """An empty project; nothing is on PATH but what a test puts there."""
    path = tmp_path / "project"
    path.mkdir()
    return Project(replace(host, environ={**host.environ, "PATH": "/nowhere"}), path)
