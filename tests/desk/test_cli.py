"""The command line: text for people, `--json` exactly as `to_json`, codes 0, 1 and 2, `error:` and `hint:` on stderr."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import envkit

ROOT = Path(envkit.__file__).parent.parent


def run(*argv: str, cwd: Path | None = None, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run([sys.executable, "-m", "envkit", *argv], capture_output=True, text=True, timeout=timeout, env=environ, cwd=cwd)


@pytest.mark.core
def test_json_is_what_to_json_gives() -> None:
    """`--json` prints exactly what `to_json` gives for the same call."""
    assert run("create", "demo").returncode == 0
    shown = run("resolve", "--json", "demo")
    assert shown.stdout == envkit.to_json(envkit.resolve("demo")) + "\n"
    assert envkit.from_json(shown.stdout, envkit.Environment) == envkit.resolve("demo")
    found = json.loads(run("find", "--json").stdout)
    assert found == json.loads(envkit.to_json(tuple(envkit.find())))
    assert run("list", "--json", "demo").stdout == envkit.to_json(envkit.installed("demo")) + "\n"


@pytest.mark.core
def test_errors_and_wrong_usage() -> None:
    """An error is one line `error:` and one `hint:` with code 1, wrong usage code 2; there is never a traceback."""
    missing = run("resolve", "no-such-environment")
    assert missing.returncode == 1
    assert [line.split(":")[0] for line in missing.stderr.splitlines()] == ["error", "hint"]
    for wrong in (
        ["resolve"],
        ["nonsense"],
        ["find", "--probe", "maybe"],
        ["create", "x", "--timeout", "soon"],
        ["provision", ".."],
        ["create", "con"],
    ):
        done = run(*wrong)
        assert done.returncode == 2, wrong
        assert "Traceback" not in done.stderr


@pytest.mark.core
def test_people_read_tables(tmp_path: Path) -> None:
    """The life of an environment in commands: create, find, run, remove."""
    done = run("create", ".venv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert str(tmp_path / ".venv") in done.stdout
    assert str(tmp_path / ".venv") in run("find", cwd=tmp_path).stdout
    ran = run("run", ".venv", "--", "python", "-c", "import sys; print(sys.prefix); sys.exit(3)", cwd=tmp_path)
    assert (ran.returncode, ran.stdout.strip()) == (3, str(tmp_path / ".venv"))
    assert "would remove" in run("remove", "--dry-run", ".venv", cwd=tmp_path).stdout
    assert run("remove", ".venv", cwd=tmp_path).returncode == 0
    assert not (tmp_path / ".venv").exists()


@pytest.mark.core
def test_ensure_says_that_nothing_had_to_be_done() -> None:
    """A second ensure says so."""
    assert "nothing had to be done" not in run("ensure", "demo").stdout
    assert "nothing had to be done" in run("ensure", "demo").stdout


@pytest.mark.core
def test_options_may_stand_between_packages() -> None:
    """Packages after an option are packages; an unknown option is wrong usage."""
    done = run("create", "demo", "--python", "3.98", "this", "that")
    assert (done.returncode, "3.98" in done.stderr) == (1, True)
    assert run("create", "demo", "x", "--colour", "blue").returncode == 2
    assert run("resolve", "demo", "--probe", "never", "more").returncode == 2


@pytest.mark.core
def test_a_closed_pipe_is_no_traceback() -> None:
    """`envkit find | head -0` ends quietly."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["/bin/bash", "-c", 'set -o pipefail; "$0" -m envkit find | true', sys.executable],
        capture_output=True,
        text=True,
        env=environ,
        timeout=60,
    )
    assert done.stderr == ""


def test_the_doctor_names_the_command_that_mends(tmp_path: Path) -> None:
    """Where a plan would mend an environment, the words of a command that does it stand there, and it mends; 1 as long as one cannot start."""
    made = envkit.create(tmp_path / "a b")
    kernel = Path(os.environ["JUPYTER_DATA_DIR"]) / "kernels" / "bare"
    kernel.mkdir(parents=True)
    argv = [str(made.python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (kernel / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "Bare", "language": "python", "env": {"PYTHONPATH": ""}}))
    done = run("kernel", "doctor")
    assert done.returncode == 1
    (line,) = [line for line in done.stdout.splitlines() if line.strip().startswith("fix:") and line.endswith(" ipykernel")]
    command = shlex.split(line.partition(":")[2])
    assert command == ["envkit", "install", str(made.prefix), "ipykernel"]
    assert run(*command[1:]).returncode == 0
    assert "ipykernel-missing" not in run("kernel", "doctor").stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is full")
def test_what_cannot_be_written_is_told() -> None:
    """A full disk behind the output is an error in one line, not a trace of calls."""
    with open("/dev/full", "w") as full:
        argv = [sys.executable, "-m", "envkit", "find"]
        done = subprocess.run(argv, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("error: what was found cannot be written: ")
