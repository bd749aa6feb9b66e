"""Activation of conda environments as data: conda's variables, hostile values, scripts run once, and what it costs."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

import envkit
from envkit import Environment, Host
from envkit.conda import activating, activating_scripts

HOSTILE = {
    "QUOTE": "it's",
    "COMMAND": "$(touch pwned) `touch pwned`",
    "LINES": "one\ntwo",
    "PERCENT": "%PATH% !x! ^ & |",
    "SPACES": "  a  ",
    "EMPTY": "",
    "ACCENT": "é 漢",
}


def made(prefix: Path, state: dict[str, object] | None = None, **scripts: str) -> Environment:
    """Make an environment with variables and scripts of activate.d, by name without suffix."""
    (prefix / "conda-meta").mkdir(parents=True)
    (prefix / "conda-meta" / "history").touch()
    (prefix / "bin").mkdir()
    if state is not None:
        (prefix / "conda-meta" / "state").write_text(json.dumps({"env_vars": state}))
    for name, text in scripts.items():
        script(prefix, f"{name}.sh", text)
    return Environment(prefix=prefix, kind="conda")


def script(prefix: Path, name: str, text: str, directory: str = "activate.d") -> Path:
    """Write a script of an environment."""
    place = prefix / "etc" / "conda" / directory
    place.mkdir(parents=True, exist_ok=True)
    (place / name).write_text(text)
    return place / name


def inside(env: Environment, host: Host) -> dict[str, str]:
    """Return the variables of a process in an environment."""
    return envkit.activation(env, host=host).apply(host.environ)


@pytest.mark.core
def test_the_variables_that_conda_sets(tmp_path: Path, host: Host) -> None:
    """Without any conda: prefix, level, name and prompt, the environment's programs first, and nothing of a virtual environment left."""
    env = made(tmp_path / "envs" / "stats")
    outside = replace(host, environ={**host.environ, "VIRTUAL_ENV": "/v", "VIRTUAL_ENV_PROMPT": "v", "PYTHONHOME": "/p"})
    found = envkit.activation(env, host=outside)
    assert dict(found.assign) == {
        "CONDA_PREFIX": str(env.prefix),
        "CONDA_SHLVL": "1",
        "CONDA_DEFAULT_ENV": "stats",
        "CONDA_PROMPT_MODIFIER": "(stats) ",
    }
    assert found.prepend_path == (env.prefix / "bin",)
    assert found.unset == {"VIRTUAL_ENV", "VIRTUAL_ENV_PROMPT", "PYTHONHOME"}
    elsewhere = made(tmp_path / "elsewhere")
    assert envkit.activation(elsewhere, host=host).assign["CONDA_DEFAULT_ENV"] == str(elsewhere.prefix)


@pytest.mark.core
def test_beside_a_conda(tmp_path: Path, host: Host) -> None:
    """An environment of an installation says where conda is, as conda does; its base is called base."""
    root = made(tmp_path / "conda")
    (root.prefix / "bin" / "conda").touch()
    env = made(root.prefix / "envs" / "stats")
    found = envkit.activation(env, host=host)
    program = str(root.prefix / "bin" / "conda")
    assert {name: value for name, value in found.assign.items() if "EXE" in name or "ROOT" in name} == {
        "CONDA_EXE": program,
        "_CONDA_EXE": program,
        "CONDA_PYTHON_EXE": str(root.prefix / "bin" / "python"),
        "_CONDA_ROOT": str(root.prefix),
    }
    assert found.prepend_path == (env.prefix / "bin", root.prefix / "condabin")
    assert envkit.activation(root, host=host).assign["CONDA_DEFAULT_ENV"] == "base"


@pytest.mark.core
def test_one_environment_takes_the_place_of_another(tmp_path: Path, host: Host) -> None:
    """Level, previous prefix and saved values are conda's, the other one's programs leave PATH; the same one again changes nothing."""
    first = made(tmp_path / "first", {"COLOUR": "red"})
    second = made(tmp_path / "second", {"COLOUR": "blue"})
    one = replace(host, environ={**inside(first, host), "USER_PATH": "kept"})
    two = inside(second, one)
    assert (two["CONDA_SHLVL"], two["CONDA_PREFIX"], two["CONDA_PREFIX_1"]) == ("2", str(second.prefix), str(first.prefix))
    assert (two["COLOUR"], two["__CONDA_SHLVL_1_COLOUR"]) == ("blue", "red")
    assert two["PATH"].split(os.pathsep) == [str(second.prefix / "bin"), *host.environ["PATH"].split(os.pathsep)]
    again = inside(second, replace(host, environ=two))
    assert {name: value for name, value in again.items() if two.get(name) != value} == {}


@pytest.mark.core
def test_the_users_variables_win_over_those_of_packages(tmp_path: Path, host: Host) -> None:
    """env_vars.d is read in the order of its names, the state over it; conda's word for unset unsets; PATH and prefix are not theirs."""
    env = made(
        tmp_path / "env", {"A": "state", "B": "***unset***", "PATH": "/evil", "CONDA_PREFIX": "/evil", "": "x", "N=M": "x", "NUL": "a\0b"}
    )
    place = env.prefix / "etc" / "conda" / "env_vars.d"
    place.mkdir(parents=True)
    (place / "1.json").write_text('{"A": "one", "B": "one", "C": "one", "NUMBER": 3}')
    (place / "2.json").write_text('{"C": "two"}')
    (place / "3.json").write_text("not JSON")
    os.mkfifo(place / "4.json")
    assigned = envkit.activation(env, host=host).assign
    assert {name: assigned.get(name) for name in ("A", "B", "C", "NUMBER")} == {"A": "state", "B": None, "C": "two", "NUMBER": "3"}
    assert assigned["CONDA_PREFIX"] == str(env.prefix)
    assert not {"", "N=M", "NUL", "PATH"} & set(assigned)


@pytest.mark.core
def test_hostile_values_survive_and_never_run(tmp_path: Path, host: Host) -> None:
    """Quotes, commands, several lines, blanks and other alphabets arrive in a program as they are written, with scripts and without."""
    plain = made(tmp_path / "pl ain", dict(HOSTILE))
    scripted = made(tmp_path / "it's $(touch pwned) é", dict(HOSTILE), keep='export SEEN="$QUOTE"\n')
    report = "import json, os; print(json.dumps(dict(os.environ)))"
    for env in (plain, scripted):
        said = envkit.run(env, [sys.executable, "-c", report], capture_output=True, cwd=tmp_path, host=host)
        found = json.loads(said.stdout)
        assert {name: found.get(name) for name in HOSTILE} == HOSTILE
    assert found["SEEN"] == "it's"
    assert not (tmp_path / "pwned").exists()


@given(st.dictionaries(st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True), st.text(max_size=20), max_size=4))
@settings(max_examples=50, deadline=None)
def test_any_value_is_assigned_as_it_is(tmp_path_factory: pytest.TempPathFactory, state: dict[str, str]) -> None:
    """Whatever text a state holds is what the variable gets."""
    prefix = tmp_path_factory.mktemp("env") / "env"
    env = made(prefix, dict(state))
    host = replace(Host.current(), environ={"PATH": "/bin"})
    assigned = activating.by_data(env, host).assign
    reserved = {"PATH", "CONDA_PREFIX", "CONDA_SHLVL", "CONDA_DEFAULT_ENV", "CONDA_PROMPT_MODIFIER"}
    for name, value in state.items():
        if name.upper() not in reserved and "\0" not in value and value != "***unset***":
            assert assigned[name] == value


@pytest.mark.core
def test_what_scripts_do_is_a_difference(tmp_path: Path, host: Host) -> None:
    """Scripts run in the order of their names; what they set, unset and put on PATH counts, what they say is heard by nobody."""
    env = made(
        tmp_path / "env",
        {"BASE": "b"},
        b_second='export ORDER="$ORDER second"\nunset GOES\nexport PATH="$CONDA_PREFIX/opt/bin:$PATH"\nexport TWO="one\ntwo"\n',
        a_first='echo said; echo said >&2; export ORDER="first $BASE"; read -r answer\nexit 3\n',
    )
    (env.prefix / "etc" / "conda" / "activate.d" / "ignored.fish").write_text("set -gx FISH 1")
    outside = replace(host, environ={**host.environ, "GOES": "x", "BASH_ENV": str(tmp_path / "rc")})
    (tmp_path / "rc").write_text("export FROM_RC=1\n")
    assert inside(env, outside)["ORDER"] == "first b"  # a script that ends the shell ends what comes after it
    (env.prefix / "etc" / "conda" / "activate.d" / "a_first.sh").write_text('echo said; export ORDER="first $BASE"\n')
    found = envkit.activation(env, host=outside)
    after = found.apply(outside.environ)
    assert (after["ORDER"], after["TWO"]) == ("first b second", "one\ntwo")
    assert "GOES" in found.unset
    assert found.prepend_path == (env.prefix / "opt" / "bin", env.prefix / "bin")
    assert not {"FISH", "FROM_RC", "SHLVL", "_", "answer"} & set(found.assign)
    assert after["BASH_ENV"] == str(tmp_path / "rc")


@pytest.mark.core
def test_scripts_run_again_only_when_something_changed(tmp_path: Path, host: Host) -> None:
    """The difference is kept until a script, the packages, or a variable that a script names has changed."""
    counter = tmp_path / "runs"
    env = made(tmp_path / "env", None, count=f'echo run >> "{counter}"\nexport GREETING="hello $NAME"\nexport FIXED=1\n')

    def runs() -> int:
        return len(counter.read_text().splitlines())

    assert inside(env, host)["GREETING"] == "hello "
    assert inside(env, host)["GREETING"] == "hello "
    assert runs() == 1
    named = replace(host, environ={**host.environ, "NAME": "you", "UNRELATED": "1"})
    assert inside(env, named)["GREETING"] == "hello you"
    assert inside(env, replace(named, environ={**named.environ, "FIXED": "2"}))["FIXED"] == "1"
    assert runs() == 3
    assert inside(env, named)["GREETING"] == "hello you"
    assert inside(env, host)["GREETING"] == "hello "
    assert runs() == 3  # several ways of coming are kept
    script(env.prefix, "count.sh", f'echo run >> "{counter}"\nexport GREETING="bye"\n')
    assert inside(env, host)["GREETING"] == "bye"
    (env.prefix / "conda-meta" / "history").write_text("a package was installed\n")
    inside(env, host)
    assert runs() == 5


@pytest.mark.core
def test_what_others_can_write_is_not_believed(tmp_path: Path, host: Host) -> None:
    """A kept difference that others may write, or that is none, counts as absent."""
    env = made(tmp_path / "env", None, only="export REAL=1\n")
    assert inside(env, host)["REAL"] == "1"
    (kept,) = (host.data / "cache" / "activation").iterdir()
    assert kept.stat().st_mode & 0o077 == 0
    forged = {key: {"assign": {"FORGED": "1"}, "unset": [], "first": []} for key in json.loads(kept.read_text())}
    kept.write_text(json.dumps(forged))
    kept.chmod(0o666)
    assert "FORGED" not in inside(env, host)
    for nonsense in ("[]", "{", '{"x": 1}', json.dumps({key: {"assign": {"A": 1}, "unset": [], "first": []} for key in forged})):
        kept.write_text(nonsense)
        kept.chmod(0o600)
        assert inside(env, host)["REAL"] == "1"


def test_scripts_that_do_not_end_are_ended(tmp_path: Path, host: Host) -> None:
    """A script that waits for ever is killed with all that it started, and named."""
    env = made(tmp_path / "env", None, stuck="sleep 4321\n")
    scripts = activating.scripts(env.prefix, activating.ACTIVATE, ".sh", host)
    with pytest.raises(envkit.DeadlineError) as late:
        activating_scripts.with_scripts(activating.by_data(env, host), env.prefix, (), scripts, host, seconds=0.5)
    assert "stuck.sh" in str(late.value)
    assert late.value.hint


@pytest.mark.core
def test_leaving_runs_the_other_ones_scripts(tmp_path: Path, host: Host) -> None:
    """The scripts by which the active environment is left run first, with its variables."""
    first = made(tmp_path / "first", None, enter="export TOOL=first\n")
    script(first.prefix, "leave.sh", "unset TOOL\nexport LEFT=$CONDA_PREFIX\n", "deactivate.d")
    second = made(tmp_path / "second", None, enter='export FOUND="${TOOL-nothing}"\n')
    after = inside(second, replace(host, environ=inside(first, host)))
    assert (after.get("TOOL"), after["LEFT"], after["FOUND"]) == (None, str(first.prefix), "nothing")


@pytest.mark.core
def test_on_windows(tmp_path: Path, host: Host) -> None:
    """A tree of Windows: the directories in conda's order, the first MSYS2 one that is there, and paths as Windows writes them."""
    env = made(tmp_path / "C" / "conda" / "envs" / "stats", {"A": "1"}, never="export RAN=1\n")
    for name in ("mingw64", "ucrt64"):
        (env.prefix / "Library" / name).mkdir(parents=True)
    windows = replace(host, root=tmp_path, platform="win32", environ={"PATH": "C:\\Windows"})
    found = activating.activation(env, windows)
    inner = [directory.relative_to(env.prefix).as_posix() for directory in found.prepend_path]
    assert inner == [".", "Library/ucrt64/bin", "Library/mingw-w64/bin", "Library/usr/bin", "Library/bin", "Scripts", "bin"]
    assert found.assign["CONDA_PREFIX"] == "C:\\conda\\envs\\stats"
    assert "RAN" not in found.assign  # what lies in a tree for another machine never runs on this one


@pytest.mark.core
def test_the_text_for_cmd_quotes_its_paths() -> None:
    """Percent signs in paths stay text in the batch file, and each script is called, so that the next one is reached."""
    text = activating_scripts.batch_text([r"C:\a b\100%\x.bat", r"C:\y.bat"], r"C:\t\told")
    assert r'call "C:\a b\100%%\x.bat" > nul 2>&1 < nul' in text.splitlines()
    assert text.endswith('set > "C:\\t\\told"\r\n')


@pytest.mark.core
def test_activation_takes_no_time_worth_speaking_of(tmp_path: Path, host: Host) -> None:
    """What `run` does before the program starts is a few file reads: ten milliseconds would be seen, the second time also with scripts."""
    env = made(tmp_path / "env", dict(HOSTILE), some="export X=1\n")
    activating.activation(env, host)
    spent: list[float] = []
    for _ in range(5):
        began = time.process_time()
        activating.activation(env, host)
        spent.append(time.process_time() - began)
    assert min(spent) < 0.01
