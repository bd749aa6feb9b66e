"""`activation_script` of conda environments in the real shells: variables, scripts of activate.d and deactivate.d, and the way back."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import envkit
from envkit import Environment, Host

KINDS = {"dash": "sh", "ksh": "sh", "bash": "bash", "zsh": "zsh", "fish": "fish", "tcsh": "csh", "xonsh": "xonsh"}
START = {"bash": ["--norc", "--noprofile"], "zsh": ["-f"], "tcsh": ["-f"], "fish": ["--no-config"], "xonsh": ["--no-rc", "--no-env"]}
EVALUATE = {"sh": 'eval "$(cat {file})"', "fish": "cat {file} | source", "csh": 'eval "`cat {file}`"', "xonsh": "execx($(cat {file}))"}
ENTER = {"sh": 'export ENTERED="with $QUOTE"', "fish": 'set -gx ENTERED "with $QUOTE"', "csh": 'setenv ENTERED "with $QUOTE"'}
LEAVE = {"sh": "export LEFT=$CONDA_PREFIX; unset ENTERED", "fish": "set -gx LEFT $CONDA_PREFIX; set -e ENTERED"}
LEAVE["csh"] = "setenv LEFT $CONDA_PREFIX:q; unsetenv ENTERED"
REPORT = "import json, os; print(json.dumps(dict(os.environ)))"


def conda_environment(prefix: Path, variables: dict[str, str]) -> Environment:
    """Make an environment with variables, and scripts for the shells that conda has scripts for."""
    (prefix / "conda-meta").mkdir(parents=True)
    (prefix / "conda-meta" / "history").touch()
    (prefix / "bin").mkdir()
    (prefix / "conda-meta" / "state").write_text(json.dumps({"env_vars": variables}))
    for directory, texts in {"activate.d": ENTER, "deactivate.d": LEAVE}.items():
        place = prefix / "etc" / "conda" / directory
        place.mkdir(parents=True)
        for extension, text in texts.items():
            (place / f"package.{extension}").write_text(text + "\n")
    return Environment(prefix=prefix, kind="conda")


@pytest.mark.core
@pytest.mark.parametrize("name", KINDS)
def test_an_environment_is_entered_and_left(name: str, tmp_path: Path, host: Host) -> None:
    """In the shell: hostile variables as they are, the package's script run, and after `deactivate` everything as it was before."""
    shell = shutil.which(name)
    if shell is None:
        pytest.skip(f"no {name} on PATH")
    kind = KINDS[name]
    lines = {} if kind == "csh" else {"LINES_": "one\ntwo"}
    wanted = {"QUOTE": "it's", "COMMAND": "$(touch pwned)`touch pwned`", "OLD": "new", **lines}
    env = conda_environment(tmp_path / "$(touch pwned) it's", wanted)
    file = tmp_path / "script"
    file.write_text(envkit.activation_script(env, kind, host=host))  # type: ignore[arg-type]
    report = f"'{sys.executable}' -c '{REPORT}'"
    evaluate = EVALUATE.get(kind, EVALUATE["sh"]).format(file=f"'{file}'" if kind != "xonsh" else file)
    program = tmp_path / "program"
    program.write_text(f"{evaluate}\n{report}\ndeactivate\n{report}\n")
    environ = {**host.environ, "OLD": "old", "PYTHONHOME_": "x"}
    argv = [shell, *START.get(name, []), str(program)]
    done = subprocess.run(argv, env=environ, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    during, after = (json.loads(line) for line in done.stdout.splitlines() if line.startswith("{"))
    assert {key: during.get(key) for key in wanted} == wanted, done.stderr
    assert (during["ENTERED"], during["CONDA_PREFIX"], during["CONDA_SHLVL"]) == ("with it's", str(env.prefix), "1")
    assert during["PATH"].split(":")[0] == str(env.prefix / "bin")
    assert (after["OLD"], after["PATH"]) == ("old", environ["PATH"])
    assert not {"QUOTE", "COMMAND", "CONDA_PREFIX", "CONDA_SHLVL", "ENTERED"} & set(after)
    assert after.get("LEFT") == (None if kind == "xonsh" else str(env.prefix))
    assert not (tmp_path / "pwned").exists()


@pytest.mark.core
def test_the_texts_for_windows_source_their_scripts(tmp_path: Path, host: Host) -> None:
    """PowerShell's and cmd's scripts source those that the environment brings for them; checked as text, not run."""
    env = conda_environment(tmp_path / "it's", {"A": "1"})
    for directory in ("activate.d", "deactivate.d"):
        for extension in ("ps1", "bat"):
            (env.prefix / "etc" / "conda" / directory / f"package.{extension}").touch()
    place = str(env.prefix / "etc" / "conda").replace("'", "''")
    text = envkit.activation_script(env, "pwsh", host=host)
    assert f". '{place}/activate.d/package.ps1'" in text
    assert text.index("deactivate.d/package.ps1") < text.index("$env:PATH = $global:_OLD_VIRTUAL_PATH")
    assert f'call "{env.prefix}/etc/conda/activate.d/package.bat"' in envkit.activation_script(env, "cmd", host=host)


@pytest.mark.core
def test_a_value_of_several_lines_is_refused_where_it_cannot_be_written(tmp_path: Path, host: Host) -> None:
    """csh and cmd end a text with its line, so there the value is a typed error instead of a broken script."""
    env = conda_environment(tmp_path / "env", {"LINES_": "one\ntwo"})
    for kind in ("csh", "cmd"):
        with pytest.raises(envkit.UsageError) as error:
            envkit.activation_script(env, kind, host=host)  # type: ignore[arg-type]
        assert error.value.code == "variable"
