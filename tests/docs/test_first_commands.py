"""The commands of README that a new user types first, as they stand there, in a copy of the tree and a fresh virtual environment."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pages import ROOT, blocks, commands

PREPARE, FIRST, SECOND = (
    "python3 -m venv .venv && . .venv/bin/activate",
    'python -m pip install ".[all]" && python -m envkit provision demo rich',
    'python -m pip install "nox[uv]" && python -m nox',
)


def readme() -> list[str]:
    """Give every command of README's blocks that are not run with the page."""
    return [command.text for block in blocks(ROOT / "README.md") if block.not_run for command in commands(block)]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Copy what git knows or would add, the way a clone has it: nothing built, nothing ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git clone")
    copy = tmp_path / "envkit"
    for file in filter(None, listed.stdout.split("\0")):
        if (ROOT / file).is_file():
            (copy / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / file, copy / file)
    return copy


def test_readme_says_these_commands() -> None:
    assert readme()[:3] == [PREPARE, FIRST, SECOND]


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(os.name == "nt", reason="the line before the first command is written for a POSIX shell")
def test_the_first_command_makes_a_proven_kernel_and_again_finds_nothing_to_do(clone: Path, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "python3").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    (tools / "python3").chmod(0o755)
    environ = {**os.environ, "PATH": os.pathsep.join([str(tools), os.environ["PATH"]])}

    def shell(*lines: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            ["sh", "-e", "-c", "\n".join(lines)],
            cwd=clone,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=500,
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done

    first = shell(PREPARE, FIRST).stdout
    assert first.splitlines()[-7] == "demo: ready, kernel proven"

    again = shell(". .venv/bin/activate", "python -m envkit provision demo rich").stdout
    assert again.startswith("demo: nothing had to be done, kernel proven\n")

    said = json.loads(shell(". .venv/bin/activate", "python -m envkit provision demo rich --json").stdout)
    assert said["name"] == "demo"
    assert said["proof"]["prefix"] == said["environment"]["prefix"]
    assert said["problem"] is None
