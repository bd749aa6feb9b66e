"""`envkit find` for people and programs: groups, marks, kernels, tree, stream."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import envkit
from envkit import Environment, Problem
from envkit.cli import finding

ROOT = Path(envkit.__file__).parent.parent


def run(*argv: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", **variables}
    return subprocess.run([sys.executable, "-m", "envkit", "find", *argv], capture_output=True, text=True, timeout=60, env=environ, cwd=cwd)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with an environment that is a kernel, and beside it a broken one."""
    made = envkit.create(tmp_path / "project" / ".venv")
    kernel = Path(os.environ["JUPYTER_DATA_DIR"]) / "kernels" / "of-the-project"
    kernel.mkdir(parents=True)
    argv = [str(made.python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (kernel / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "Ours", "language": "python"}))
    broken = tmp_path / "project" / "broken"
    broken.mkdir()
    (broken / "pyvenv.cfg").write_text("home = /nowhere/bin\nversion = 3.12.4\n")
    return tmp_path / "project"


@pytest.mark.core
def test_the_table_shows_what_a_person_looks_for(project: Path) -> None:
    """Groups by tool, the project, the kernel, the broken one marked, explained and counted."""
    shown = run(str(project), "--kind", "venv", cwd=project)
    assert shown.returncode == 0, shown.stderr
    lines = shown.stdout.splitlines()
    assert [name for name in lines[0].split() if name != "name"] == ["version", "kernels", "project", "path"]
    groups = [line for line in lines[1:] if line and not line.startswith((" ", "!", "?"))]
    assert set(groups[:-1]) >= {"envkit", "venv"}
    own = next(line for line in lines if str(project / ".venv") in line)
    assert "of-the-project" in own
    assert str(project) in own.split()
    at = next(number for number, line in enumerate(lines) if str(project / "broken") in line)
    assert lines[at].startswith("!")
    assert "base-missing" in lines[at + 1]
    assert "hint:" in lines[at + 2]
    assert "1 broken (!)" in lines[-1]


def test_the_tree_puts_environments_below_their_python(project: Path) -> None:
    """With --tree an environment stands below its base, also in letters that a plain terminal has."""
    base = envkit.resolve(project / ".venv").base
    for encoding, fork in (("utf-8", "└─ "), ("ascii", "`- ")):
        lines = run(str(project), "--tree", cwd=project, PYTHONIOENCODING=encoding).stdout.splitlines()
        at = next(number for number, line in enumerate(lines) if str(project / ".venv") in line)
        above = next(line for line in reversed(lines[:at]) if not line.startswith(("├", "└", "│", " ", "|", "+", "`")))
        assert str(base) in above
        assert any(fork in line for line in lines[at:])
    assert any("gone" in line for line in lines)


@pytest.mark.core
def test_streaming_gives_the_same_line_by_line(project: Path) -> None:
    """--stream prints one JSON object in each line, together what --json prints at once; a table is not asked for as well."""
    lines = run(str(project), "--stream", cwd=project).stdout.splitlines()
    assert [json.loads(line) for line in lines] == json.loads(run(str(project), "--json", cwd=project).stdout)
    assert envkit.from_json(lines[0], Environment).prefix.is_absolute()
    assert run("--stream", "--tree", cwd=project).returncode == 2


def test_nothing_found_is_said() -> None:
    """No environment is a sentence, in each form."""
    assert finding.listing((), {}) == finding.tree((), {}) == "no environment was found"


def test_names_cannot_steer_a_terminal_or_a_page() -> None:
    """Control characters in names and messages are shown as escapes, and markup is escaped in the page of a notebook."""
    evil = "\x1b[31m<script>\n"
    problem = Problem(code="moved", message=evil, hint=evil, severity="warning")
    env = Environment(prefix=Path("/" + evil), kind="venv", manager=evil, name=evil, base=Path("/" + evil), problem=problem)
    for text in (finding.listing((env,), {str(env.prefix): [evil]}), finding.tree((env,), {})):
        assert "\x1b" not in text
        assert any(line.startswith("?") for line in text.splitlines()) or "? " in text
    page = env._repr_mimebundle_()["text/html"]
    assert "<script>" not in page
    assert "\x1b" not in page
    assert "hint" in page
