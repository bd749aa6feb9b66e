"""A real conda, where there is one: on PATH, or named by ENVKIT_TEST_CONDA. No registry has one, so most machines skip these tests."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

PATH = os.environ.get("ENVKIT_TEST_CONDA") or shutil.which("conda")  # read before a test takes the caller's variables away
needs_conda = pytest.mark.skipif(PATH is None, reason="no conda on PATH, and ENVKIT_TEST_CONDA names none")


class RealConda:
    """That conda, run in a test's own world."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = {**environ, "CONDA_NUMBER_CHANNEL_NOTICES": "0", "CONDA_NOTIFY_OUTDATED_CONDA": "false"}

    @property
    def directory(self) -> str:
        """The directory of its program."""
        return os.path.dirname(os.path.realpath(str(PATH)))

    def text(self, *arguments: str | Path) -> str:
        """Return what it says, which must end well."""
        done = subprocess.run([str(PATH), *map(str, arguments)], env=self.environ, capture_output=True, text=True)
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout

    def json(self, *arguments: str | Path) -> Any:
        """Return its document."""
        return json.loads(self.text(*arguments, "--json"))

    def listed(self) -> set[str]:
        """Return the environments that it knows. For an administrator it looks in the homes of all users, whatever HOME says."""
        program = "from conda.core import envs_manager as m; m.is_admin = lambda: False; print(*m.list_all_known_prefixes(), sep='\\n')"
        done = subprocess.run([f"{self.directory}/python", "-c", program], env=self.environ, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return set(done.stdout.splitlines())

    def doctor(self, prefix: Path) -> list[str]:
        """Return what its health checks say of an environment, one line each; the one that asks the network is left out."""
        said = self.text("doctor", f"--prefix={prefix}").splitlines()
        return [line for line in said if line.startswith(("✅", "❌")) and "REQUESTS_CA_BUNDLE" not in line]

    def change(self, verb: str, prefix: Path, *words: str, channel: str) -> Any:
        """Create, install into or update an environment from one channel."""
        return self.json(verb, "--yes", f"--prefix={prefix}", "--override-channels", f"--channel={channel}", *words)
