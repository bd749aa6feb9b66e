"""Activation scripts in the real shells: they do what `activation` says, undo it, and no name runs code."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from envkit.errors import UsageError
from envkit.host import Host
from envkit.models.environment import Environment
from envkit.venv import activation, create
from envkit.venv.quoting import displayed

SCRIPTS = {
    "sh": "activate",
    "bash": "activate",
    "dash": "activate",
    "ksh": "activate",
    "mksh": "activate",
    "zsh": "activate",
    "fish": "activate.fish",
    "tcsh": "activate.csh",
    "pwsh": "Activate.ps1",
}
HOSTILE = (
    "$(touch pwn)",
    "`touch pwn`",
    "';touch pwn;'",
    '";touch pwn;"',
    "a b  c",
    "é ü 漢",
    "!touch pwn",
    "a!!b",
    "x\\",
    "\\!y",
    "$HOME*?[a]",
    "&touch pwn&",
    "|touch pwn",
    "%n%P{x}",
    "@prefix@",
    "-n",
    "\u2019;touch pwn;\u2019",
)
REPORT = "import json, os, sys; print(json.dumps([dict(os.environ), sys.argv[1:]]))"


def shell_named(name: str) -> str:
    """Return the path of a shell; the test is skipped where there is none."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"no {name} on PATH")
    return found


def run_shell(shell: str, script: str, cwd: Path, environ: dict[str, str]) -> str:
    """Run a script in a shell, without its start-up files, and return what it says."""
    name = Path(shell).name
    start = {"bash": ["--norc", "--noprofile"], "zsh": ["-f"], "tcsh": ["-f"], "fish": ["--no-config"], "pwsh": ["-NoProfile"]}.get(
        name, []
    )
    path = cwd / "script.ps1" if name == "pwsh" else cwd / "script"
    path.write_text(script, encoding="utf-8")
    done = subprocess.run(
        [shell, *start, str(path)], cwd=cwd, env=environ, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert not done.stderr, done.stderr
    return done.stdout


@pytest.fixture
def environ(host: Host, tmp_path: Path) -> dict[str, str]:
    """Variables with a PYTHONHOME that an activation has to hide, and one that an environment replaces."""
    return {"PATH": host.environ["PATH"], "HOME": str(tmp_path), "LC_ALL": "C.UTF-8", "PYTHONHOME": "/nowhere", "REPLACED": "before it"}


@pytest.mark.parametrize("name", SCRIPTS)
def test_each_shell_enters_and_leaves(name: str, base: Environment, host: Host, tmp_path: Path, environ: dict[str, str]) -> None:
    """Sourcing the script changes what `activation` says and `deactivate` puts everything back, whatever the names contain."""
    shell = shell_named(name)
    reporter = tmp_path / "report.py"
    reporter.write_text(REPORT, encoding="utf-8")
    python = sys.executable  # runs under PYTHONHOME only with -I
    lines: list[str] = []
    places: list[Path] = []
    for number, hostile in enumerate(HOSTILE):
        place = tmp_path / str(number) / hostile
        create(place, base=base, host=host, prompt=hostile, variables={"REPLACED": hostile, "MADE": f"'{hostile}"})
        places.append(place)
        link = tmp_path / f"script{number}"  # so that only the script's own quoting is tried
        link.symlink_to(place / "bin" / SCRIPTS[name])
        source = "source" if name in {"fish", "tcsh"} else "."
        lines += [f"{source} {link}", f"{python} -I {reporter} in", "deactivate", f"{python} -I {reporter} out"]
    strict = "set -eu\n" if SCRIPTS[name] == "activate" else ""
    said = run_shell(shell, strict + "\n".join(lines) + "\n", tmp_path, environ)

    reports = [json.loads(line) for line in said.splitlines()]
    assert len(reports) == 2 * len(HOSTILE)
    for place, hostile, (inside, _), (outside, _) in zip(places, HOSTILE, reports[::2], reports[1::2], strict=True):
        env = Environment(prefix=place, kind="venv")
        wanted = activation(env, host).apply(environ) | {"REPLACED": hostile, "MADE": f"'{hostile}", "VIRTUAL_ENV_PROMPT": hostile}
        assert {key: inside.get(key) for key in {*wanted, "PYTHONHOME"}} == {**wanted, "PYTHONHOME": None}
        assert {key: outside.get(key) for key in (*environ, "VIRTUAL_ENV", "VIRTUAL_ENV_PROMPT", "MADE")} == {
            **environ,
            **dict.fromkeys(("VIRTUAL_ENV", "VIRTUAL_ENV_PROMPT", "MADE")),
        }
    assert not list(tmp_path.rglob("pwn"))


@pytest.mark.parametrize("name", SCRIPTS)
def test_one_is_activated_over_another(name: str, base: Environment, host: Host, tmp_path: Path, environ: dict[str, str]) -> None:
    """Activating a second environment leaves the first one first: nothing of it stays, and leaving the second leads outside."""
    shell = shell_named(name)
    for place in ("first", "second"):
        create(tmp_path / place, base=base, host=host, variables={"OF_THE_FIRST": "1"} if place == "first" else {})
    reporter = tmp_path / "report.py"
    reporter.write_text(REPORT, encoding="utf-8")
    source = "source" if name in {"fish", "tcsh"} else "."
    lines = [f"{source} {tmp_path / place / 'bin' / SCRIPTS[name]}" for place in ("first", "second")]
    report = f"{sys.executable} -I {reporter}"
    said = run_shell(shell, "\n".join([*lines, report, "deactivate", report, ""]), tmp_path, environ)

    (second, _), (outside, _) = (json.loads(line) for line in said.splitlines())
    assert second["VIRTUAL_ENV"] == str(tmp_path / "second")
    assert second["PATH"] == os.pathsep.join((str(tmp_path / "second" / "bin"), environ["PATH"]))
    assert "OF_THE_FIRST" not in second
    assert {key: outside.get(key) for key in (*environ, "VIRTUAL_ENV")} == {**environ, "VIRTUAL_ENV": None}


def test_a_prompt_is_not_obeyed_when_it_is_shown(base: Environment, host: Host, tmp_path: Path, environ: dict[str, str]) -> None:
    """bash expands its prompt each time it shows it; what a name holds is not expanded with it."""
    shell = shell_named("bash")
    place = tmp_path / "env"
    create(place, base=base, host=host, prompt="$(touch pwn) `touch pwn` \\u")
    said = run_shell(
        shell, f"PS1='$ '\n. {place}/bin/activate\nprintf '%s\\n' \"${{PS1@P}}\"\ndeactivate\nprintf '%s' \"$PS1\"\n", tmp_path, environ
    )
    assert said == "(__touch pwn_ _touch pwn_ _u) $ \n$ "
    assert not list(tmp_path.rglob("pwn"))


@pytest.mark.core
def test_a_prompt_shows_letters_of_every_script_and_nothing_that_a_shell_obeys() -> None:
    """What is displayed keeps letters and digits and has none of the characters that some shell expands."""
    assert displayed("Daten-Analyse 3.12 é漢") == "Daten-Analyse 3.12 é漢"
    assert not set(displayed("".join(HOSTILE))) & set("$`\\%!'\"&|;<>*?[]{}~#^\u2019")


@pytest.mark.core
@pytest.mark.parametrize(
    "variables", [{"PATH": "x"}, {"VIRTUAL_ENV": "x"}, {"A B": "x"}, {"1": "x"}, {"": "x"}, {"A": "1\n2"}, {"A": "\0"}]
)
def test_a_variable_that_no_script_can_set_is_refused(variables: dict[str, str], base: Environment, host: Host, tmp_path: Path) -> None:
    """Names that are none, our own names, and values of several lines are a UsageError, before anything is written."""
    with pytest.raises(UsageError) as caught:
        create(tmp_path / "env", base=base, host=host, variables=variables)
    assert caught.value.code == "variable"
    assert not (tmp_path / "env").exists()
