"""Files of variables: what VS Code reads is read, `run`, `session` and `register` take them in their order, values are not shown."""

from __future__ import annotations

import json
import os
import stat

import pytest
from hypothesis import given, strategies as st

import envkit
from envkit import Host, events, jupyter
from envkit.formats import dotenv

SAY = "import json, os; print(json.dumps(dict(os.environ)))"


@pytest.mark.core
@pytest.mark.parametrize(
    "line,value",
    [
        ("X=1", "1"),
        (" X =  two words \r", "two words"),
        ("X='quoted'", "quoted"),
        ('X="a\\nb"', "a\nb"),
        ("X='it''s'", "it''s"),
        ("X=", ""),
        ("X=a#b # c", "a#b # c"),
        ("X=a=b", "a=b"),
        ("X=${env:HOME}/x:${env:A}", "/home/x:one"),
        ("X='${env:A}'", "one"),
        ("X=${env:MISSING}|", "|"),
        (r"X=\$5 \${env:A}", "$5 ${env:A}"),
        ("X=$A ${A} %A% $(A)", "$A ${A} %A% $(A)"),
        ("X=${_${env:A}_EX}", "${_${env:A}_EX}"),
        ("X=${env:A", "${env:A"),
        ("X=${env:REF}", "${env:A}"),
    ],
)
def test_a_value_is_read_as_vs_code_reads_it(line: str, value: str) -> None:
    """Quotes, blanks, `${env:NAME}` and `\\$` mean what they mean there, and all else stays as it is."""
    assert dotenv.load(f"A=one\n{line}\n", {"HOME": "/home", "REF": "${env:A}"})["X"] == value


@pytest.mark.core
@pytest.mark.parametrize("line", ["# X=1", "export X=1", "1X=1", "X", "=1", "X-Y=1", "X: 1", ""])
def test_a_line_that_sets_nothing_means_nothing(line: str) -> None:
    """Comments and lines of another syntax are passed over, and a value does not go on in the next line."""
    assert dotenv.load(f'{line}\nB="1\n2"\n', {}) == {"B": '"1'}


@pytest.mark.core
def test_an_earlier_line_wins_over_the_environment_and_a_later_one_over_it() -> None:
    """A variable is looked up among the lines above it first."""
    assert dotenv.load("A=${env:A}:1\nB=${env:A}\nA=2\n", {"A": "0"}) == {"A": "2", "B": "0:1"}


@given(st.text(), st.dictionaries(st.sampled_from(["A", "B_1"]), st.text()))
def test_any_text_is_read(text: str, environ: dict[str, str]) -> None:
    """No text is an error, and every name is one."""
    found = dotenv.load(text, environ)
    assert all(name.isascii() and name.isidentifier() for name in found)


@pytest.fixture
def made(host: Host) -> envkit.Environment:
    return envkit.create(envkit.Spec(name="demo", variables={"STAGE": "spec", "OWN": "spec"}), host=host)


@pytest.mark.core
def test_order_is_base_activation_file_explicit(host: Host, made: envkit.Environment) -> None:
    """The file lies over the activated variables and sees them; what the call says lies over the file."""
    (host.cwd / ".env").write_text("STAGE=file\nTHIRD=file\nPATH=/first:${env:PATH}\nSEEN=${env:OWN}\n")
    done = envkit.run(made, ["python", "-c", SAY], capture_output=True, env_file=".env", environ={"THIRD": "call"}, host=host)
    inside = json.loads(done.stdout)
    assert [inside[name] for name in ("STAGE", "OWN", "THIRD", "SEEN")] == ["file", "spec", "call", "spec"]
    assert inside["PATH"].split(os.pathsep)[:2] == ["/first", str(made.prefix / "bin")]


@pytest.mark.core
def test_values_are_masked_where_they_are_shown(host: Host, made: envkit.Environment) -> None:
    """Events and errors do not show a value of the file; the result is what the program said."""
    (host.cwd / "secret.env").write_text("KEY=canary-value\n")
    heard: list[envkit.Event] = []
    code = "import os, sys, time; print(os.environ['KEY'], flush=True); print(os.environ['KEY'], file=sys.stderr)"
    done = envkit.run(made, ["python", "-c", code], capture_output=True, env_file="secret.env", report=heard.append, host=host)
    assert done.stdout == "canary-value\n"
    assert [event.line for event in heard if isinstance(event, events.Output)] == ["****", "****"]
    with pytest.raises(envkit.ProcessError) as failed:
        envkit.run(made, ["python", "-c", f"{code}; sys.exit(3)"], check=True, capture_output=True, env_file="secret.env", host=host)
    with pytest.raises(envkit.DeadlineError) as late:
        envkit.run(made, ["python", "-c", f"{code}; time.sleep(60)"], capture_output=True, env_file="secret.env", timeout=2, host=host)
    for error in (failed.value, late.value):
        assert "canary" not in envkit.to_json(error)


@pytest.mark.core
def test_a_file_that_is_none_is_an_error(host: Host, made: envkit.Environment) -> None:
    """A file that is not there, a directory and bytes that are no text are typed errors, before anything runs."""
    with pytest.raises(envkit.NotFoundError) as missing:
        envkit.run(made, ["python", "-V"], env_file="none.env", host=host)
    assert missing.value.code == "path-not-found"
    with pytest.raises(envkit.NotFoundError):
        envkit.run(made, ["python", "-V"], env_file=host.home, host=host)
    (host.cwd / "bad.env").write_bytes(b"A=\xff\n")
    with pytest.raises(envkit.CorruptError) as corrupt:
        envkit.run(made, ["python", "-V"], env_file="bad.env", host=host)
    assert (corrupt.value.code, corrupt.value.path) == ("env-file", host.cwd / "bad.env")


@pytest.fixture
def with_kernel(host: Host, made: envkit.Environment) -> envkit.Environment:
    """An environment that counts as one with ipykernel, which registering only looks for."""
    version = ".".join(map(str, (made.version.release if made.version else (3, 13))[:2]))
    (made.prefix / "lib" / f"python{version}" / "site-packages" / "ipykernel_launcher.py").write_text("")
    return made


@pytest.mark.core
def test_a_kernelspec_with_values_of_a_file_is_private(host: Host, with_kernel: envkit.Environment) -> None:
    """The values stand in kernel.json as Jupyter reads them back, only the user may read it, and without a file others may again."""
    (host.cwd / ".env").write_text("KEY=a$b${env:HOME}\nPATH=/first:${env:PATH}\nSTAGE=file\nTHIRD=file\n")
    kernel = jupyter.register(with_kernel, env_file=".env", variables={"THIRD": "call"}, host=host)
    file = kernel.path / "kernel.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    env = json.loads(file.read_text())["env"]
    assert env["KEY"] == f"a$$b{host.home}"
    assert env["PATH"] == f"/first:{with_kernel.prefix / 'bin'}:${{PATH}}"
    assert (env["STAGE"], env["OWN"], env["THIRD"]) == ("file", "spec", "call")
    again = jupyter.register(with_kernel, host=host)
    assert again.path == kernel.path
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert "KEY" not in json.loads(file.read_text())["env"]


@pytest.mark.slow
def test_a_session_has_the_variables_of_a_file(host: Host) -> None:
    """A kernel that is started without registering sees the file's variables, over the activated ones."""
    made = envkit.create("kernels", pypi=["ipykernel"], host=host)
    (host.cwd / ".env").write_text("KEY=value-of-file\nTHIRD=file\n")
    with jupyter.session(made, env_file=".env", environ={"THIRD": "call"}, host=host) as session:
        said = session.run("import os; print(os.environ['KEY'], os.environ['THIRD'])", timeout=120).text
    assert said.strip() == "value-of-file call"
