"""`Spec.post_install`: what runs in an environment before it is ready."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import envkit
from envkit import Host, Sources, Spec

WRITE = ("python", "-c", "import os, pathlib, sys; pathlib.Path(sys.prefix, 'said').open('a').write(os.environ.get('STAGE', '-') + '\\n')")
FAIL = ("python", "-c", "import sys; print('told to', file=sys.stderr); sys.exit(3)")


@pytest.mark.core
@pytest.mark.parametrize("kind", ["name", "prefix", "neither"])
def test_commands_run_in_the_environment_before_it_is_ready(host: Host, tmp_path: Path, kind: str) -> None:
    """Each runs once, activated, with the spec's variables, wherever the environment lies; a second ensure finds nothing to do."""
    where = {"name": {"name": "x"}, "prefix": {"prefix": tmp_path / "here"}, "neither": {}}[kind]
    spec = Spec(**where, post_install=(WRITE,), variables={"STAGE": "test"})  # type: ignore[arg-type]
    assert [step.action for step in envkit.plan(spec, host=host).steps] == ["create", "run"]
    made = envkit.ensure(spec, host=host)
    assert envkit.ensure(spec, host=host) == made
    assert (made.prefix / "said").read_text() == "test\n"
    assert not envkit.plan(spec, host=host)


@pytest.mark.core
@pytest.mark.parametrize("kind", ["name", "prefix", "neither"])
def test_a_command_that_fails_leaves_nothing(host: Host, tmp_path: Path, kind: str) -> None:
    """The error says which command and what it said; neither the environment nor a directory above it is left."""
    where = {"name": {"name": "x"}, "prefix": {"prefix": tmp_path / "deep" / "here"}, "neither": {}}[kind]
    with pytest.raises(envkit.ProcessError, match="ended with code 3") as caught:
        envkit.ensure(Spec(**where, post_install=(WRITE, FAIL)), host=host)  # type: ignore[arg-type]
    assert (caught.value.code, caught.value.returncode, caught.value.stderr) == ("post-install", 3, "told to\n")
    assert not (tmp_path / "deep").exists()
    assert not list((host.data / "environments").glob("*"))
    assert not list((host.data / "store" / "environments").glob("*"))


@pytest.mark.core
def test_commands_belong_to_the_key(host: Host) -> None:
    """Two specs that differ in a command have different environments, and the order of commands counts."""
    keys = {envkit.plan(Spec(post_install=commands), host=host).key for commands in [(), (WRITE,), (WRITE, FAIL), (FAIL, WRITE)]}
    assert len(keys) == 4


@pytest.mark.core
def test_a_new_command_is_run_in_an_environment_that_is_there(host: Host) -> None:
    """Only what did not run yet is run; one that fails leaves the environment ready and is run again by the next ensure."""
    spec = Spec(name="x", post_install=(WRITE,))
    made = envkit.ensure(spec, host=host)
    more = replace(spec, post_install=(*spec.post_install, FAIL))
    assert [step.action for step in envkit.plan(more, host=host).steps] == ["run"]
    with pytest.raises(envkit.ProcessError):
        envkit.ensure(more, host=host)
    assert envkit.resolve("x", host=host).problem is None
    assert envkit.plan(more, host=host)
    again = (*WRITE[:2], WRITE[2] + " and None")
    envkit.ensure(replace(spec, post_install=(WRITE, again)), host=host)
    assert (made.prefix / "said").read_text() == "-\n-\n"


def test_commands_find_the_packages_and_never_touch_the_store(
    host: Host, wheels: Sources, snapshot: Callable[[Path], dict[str, object]]
) -> None:
    """A command may write into a file of a package in place: neither the store nor another environment sees it."""
    edit = ("python", "-c", "import alpha, pathlib; pathlib.Path(alpha.__file__).open('a').write('edited = True\\n')")
    plain = [envkit.ensure(Spec(name=name, pypi=("alpha",), sources=wheels), host=host) for name in ("one", "two")]
    before = snapshot(host.data / "store" / "wheels")
    assert before
    edited = envkit.ensure(Spec(name="three", pypi=("alpha",), sources=wheels, post_install=(edit,)), host=host)
    code = "import alpha; print(hasattr(alpha, 'edited'))"
    told = [envkit.run(env, ["python", "-c", code], capture_output=True, host=host).stdout for env in (*plain, edited)]
    assert told == ["False\n", "False\n", "True\n"]
    assert snapshot(host.data / "store" / "wheels") == before


@pytest.mark.core
def test_what_ran_is_known_of_a_copy(host: Host) -> None:
    """A clone has what the commands left, and they are not run again in it."""
    spec = Spec(name="x", post_install=(WRITE,))
    envkit.ensure(spec, host=host)
    envkit.clone("x", "copy", host=host)
    assert not envkit.plan(replace(spec, name="copy"), host=host)


@pytest.mark.core
@pytest.mark.parametrize("command", [(), ("",), ("python", "a\0b")])
def test_what_is_no_command_is_refused(host: Host, command: tuple[str, ...]) -> None:
    """An empty command or a NUL is wrong usage, and nothing is made."""
    with pytest.raises(envkit.UsageError, match="is no command"):
        envkit.ensure(Spec(name="x", post_install=(command,)), host=host)
    assert not (host.data / "environments").exists()


@pytest.mark.core
def test_another_tools_environment_is_refused(host: Host, tmp_path: Path) -> None:
    """What ran cannot be remembered there, so it would be run again and again."""
    envkit.create(tmp_path / "theirs", host=host)
    for name in ("ready.json",):
        (tmp_path / "theirs" / ".envkit" / name).unlink()
    with pytest.raises(envkit.RefusedError) as caught:
        envkit.ensure(Spec(prefix=tmp_path / "theirs", post_install=(WRITE,)), host=host)
    assert caught.value.code == "foreign-environment"
