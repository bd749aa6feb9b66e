"""Broken environments are results: each has the problem that it has, and a hint."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from envkit.discovery.requests import parse
from envkit.formats.ready_record import Dirty, Record, dump_dirty, dump_record
from envkit.formats.record_text import DIRTY, MARKS, READY
from envkit.models.vocabulary import PROBLEMS

if TYPE_CHECKING:
    from conftest import World


def problem_of(world: World, path: Path) -> str | None:
    """Return the code of the problem at a path; what is told is told by find, too."""
    env = world.sure(path)
    assert env in world.find(roots=(str(path),)) or path != env.prefix
    if env.problem is None:
        return None
    assert env.problem.code in PROBLEMS
    assert env.problem.message
    assert env.problem.hint
    return env.problem.code


@pytest.fixture
def base(installed: Callable[..., Path], tmp_path: Path) -> Path:
    """A base Python that a test may take away."""
    return installed(tmp_path / "base", "3.12.1")


@pytest.fixture
def env(base: Path, tmp_path: Path) -> Path:
    """An environment on it."""
    prefix = tmp_path / "env"
    (prefix / "bin").mkdir(parents=True)
    (prefix / "lib/python3.12/site-packages").mkdir(parents=True)
    (prefix / "bin/python").symlink_to(base)
    (prefix / "bin/activate").write_text(f"export VIRTUAL_ENV={prefix}\n")
    (prefix / "pyvenv.cfg").write_text(f"home = {base.parent}\nversion = 3.12.1\n")
    return prefix


@pytest.mark.core
def test_a_whole_one_has_no_problem(world: World, env: Path) -> None:
    assert problem_of(world, env) is None


@pytest.mark.core
def test_a_base_that_is_gone_is_told(world: World, env: Path, base: Path) -> None:
    """It keeps what its own files say; it has no Python any more."""
    shutil.rmtree(base.parents[1])
    found = world.sure(env)
    assert problem_of(world, env) == "base-missing"
    assert (found.python, found.base, str(found.version), found.version_source) == (None, None, "3.12.1", str(env / "pyvenv.cfg"))


def test_a_link_to_nothing_is_told(world: World, env: Path) -> None:
    (env / "bin/python").unlink()
    (env / "bin/python").symlink_to("/nowhere/python")
    assert problem_of(world, env) == "python-dangling"
    assert world.sure(env / "bin/python").prefix == env


def test_a_loop_of_links_is_told(world: World, env: Path) -> None:
    (env / "bin/python").unlink()
    (env / "bin/python").symlink_to("python3")
    (env / "bin/python3").symlink_to("python")
    assert problem_of(world, env) == "python-dangling"


def test_an_interpreter_that_is_missing_is_told(world: World, env: Path) -> None:
    (env / "bin/python").unlink()
    assert problem_of(world, env) == "python-missing"
    (env / "bin/python").mkdir()
    assert problem_of(world, env) == "python-missing"


def test_an_interpreter_that_nobody_may_run_is_told(world: World, made: Callable[..., Path]) -> None:
    """As when an archive was unpacked that kept no permissions."""
    prefix = made(None, "--copies")
    (prefix / "bin" / "python").chmod(0o644)
    problem = world.sure(prefix).problem
    assert problem is not None
    assert problem.code == "python-unusable"
    assert "chmod" in (problem.hint or "")


def test_a_script_in_place_of_the_interpreter_is_told(world: World, env: Path) -> None:
    (env / "bin/python").unlink()
    (env / "bin/python").write_text("#!/bin/sh\ntouch /tmp/never\n")
    assert problem_of(world, env) == "shim"


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"no home\n", b"home = /usr/bin\n" * 10_000])
def test_a_config_that_says_nothing_is_told(world: World, env: Path, content: bytes) -> None:
    (env / "pyvenv.cfg").write_bytes(content)
    assert problem_of(world, env) == "config-unreadable"


def test_a_base_of_another_minor_is_told(world: World, env: Path, base: Path, installed: Callable[..., Path]) -> None:
    shutil.rmtree(base.parents[1])
    other = installed(base.parents[1], "3.13.0")
    (env / "bin/python").unlink()
    (env / "bin/python").symlink_to(other)
    assert problem_of(world, env) == "base-changed"


def test_a_link_that_now_leads_to_another_minor_is_told(world: World, env: Path, base: Path, installed: Callable[..., Path]) -> None:
    """Both minors are in the same directory, but what runs is what the link leads to."""
    (env / "bin/python").unlink()
    (env / "bin/python").symlink_to(base.parent / "python3")
    assert problem_of(world, env) is None
    installed(base.parents[1], "3.13.0")
    assert problem_of(world, env) == "base-changed"
    assert str(world.sure(env).version) == "3.13.0"


@pytest.mark.core
def test_one_that_was_moved_is_told_as_a_warning(world: World, made: Callable[..., Path], tmp_path: Path) -> None:
    """Its Python runs, its scripts do not: known by what its activation says, or the command that made it."""
    for name in ("with activation", "without"):
        prefix = made(tmp_path / "at first" / name)
        there = tmp_path / "there" / name
        there.parent.mkdir(exist_ok=True)
        prefix.rename(there)
        if name == "without":
            (there / "bin/activate").unlink()
            if "command = " not in (there / "pyvenv.cfg").read_text():
                continue
        found = world.sure(there)
        assert problem_of(world, there) == "moved"
        assert found.problem is not None
        assert found.problem.severity == "warning"
        assert str(prefix) in found.problem.message
        assert found.python == there / "bin/python"


def test_one_that_is_reached_by_a_link_is_not_moved(world: World, env: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(env)
    assert world.sure(tmp_path / "link").problem is None


@pytest.mark.core
def test_half_made_ones_are_told_and_ready_ones_are_envkits(world: World, env: Path) -> None:
    """A dirty mark, no record, or one that cannot be read: half made. A record that names another place: moved."""
    marks = env / MARKS
    marks.mkdir()
    assert problem_of(world, env) == "half-made"
    (marks / READY).write_text("{")
    assert problem_of(world, env) == "half-made"
    (marks / READY).write_text(dump_record(Record(prefix=str(env))))
    assert problem_of(world, env) is None
    assert world.sure(env).manager == "envkit"
    (marks / DIRTY).write_text(dump_dirty(Dirty(doing="change")))
    assert problem_of(world, env) == "half-made"
    (marks / DIRTY).unlink()
    (marks / READY).write_text(dump_record(Record(prefix="/elsewhere")))
    assert problem_of(world, env) == "moved"
    (marks / READY).write_text(dump_record(Record(prefix=str(env), made=False)))
    assert (problem_of(world, env), world.sure(env).manager) == (None, "venv")


def test_envkits_data_in_a_directory_makes_it_no_environment(world: World, installed: Callable[..., Path], tmp_path: Path) -> None:
    """`ENVKIT_HOME=~/.envkit` is a usual choice; another application's data may lie so too."""
    home = tmp_path / "someone"
    python = installed(home, "3.12.1")
    (home / MARKS / "locks").mkdir(parents=True)
    assert world.sure(python).kind == "interpreter"


def test_only_a_log_of_ours_makes_nothing_half_made(world: World, env: Path) -> None:
    (env / MARKS).mkdir()
    (env / MARKS / "error.log").touch()
    assert problem_of(world, env) is None


@pytest.mark.core
def test_managed_ones_have_their_name_from_the_record(world: World, env: Path) -> None:
    directory = world.host.data / "environments"
    directory.mkdir(parents=True)
    prefix = directory / "demo"
    env.rename(prefix)
    (prefix / "bin/activate").unlink()
    (prefix / MARKS).mkdir()
    (prefix / MARKS / READY).write_text(dump_record(Record(prefix=str(prefix), name="Demo")))
    (directory / "empty").mkdir()
    (directory / ".envkit-trash-1").mkdir()
    (directory / "a file").touch()
    found = world.ours(managers=("envkit",))
    assert [(one.prefix, one.name, one.manager) for one in found] == [(prefix, "Demo", "envkit"), (directory / "empty", "empty", "envkit")]
    assert [one.problem.code if one.problem else None for one in found] == [None, "half-made"]
    assert world.sure(prefix / "bin/python") == found[0]
    assert world.sure(directory / "empty") == found[1]


@pytest.mark.parametrize("left", ["nothing", "text", "no library"])
def test_what_is_left_of_a_version_is_told(world: World, installed: Callable[..., Path], left: str) -> None:
    """A build that broke off, or a removal: the directory of the version is there, with a name of an interpreter in it."""
    versions = world.host.home / ".pyenv" / "versions"
    whole = installed(versions / "3.12.1", "3.12.1")
    python = versions / "3.11.4" / "bin" / "python3.11"
    if left == "no library":
        installed(versions / "3.11.4", "3.11.4")
        shutil.rmtree(versions / "3.11.4" / "lib")
        python = next(python.parent.glob("python*"))
    else:
        python.parent.mkdir(parents=True)
        python.symlink_to("gone") if left == "nothing" else python.write_text("")
    (versions / "notes").mkdir()
    found = world.find(managers=("pyenv",))
    assert [env.name for env in found] == ["3.12.1", "3.11.4"]
    assert found[0].python == whole
    broken = found[1]
    assert broken.problem is not None
    assert broken.problem.code == ("python-dangling" if left == "nothing" else "python-unusable")
    assert "install it again with pyenv" in (broken.problem.hint or "")
    assert [world.sure(path) for path in (versions / "3.11.4", broken.python or python)] == [broken, broken]
    request = parse("3.11")
    assert request is not None
    assert request.allows(broken) is False


def test_a_shim_that_is_named_is_told_as_one(world: World, tmp_path: Path) -> None:
    shim = tmp_path / "shims" / "python3.12"
    shim.parent.mkdir()
    shim.write_text("#!/usr/bin/env bash\nexec pyenv exec\n")
    shim.chmod(0o755)
    found = world.sure(shim)
    assert found.problem is not None
    assert found.problem.code == "shim"
    there = [env for env in world.having(PATH=str(shim.parent)).find() if shim in (env.python, *env.aliases)]
    assert there == [found]


def test_what_is_nothing_is_none(world: World, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "file", tmp_path / "missing", "/", "/proc/self/mem", os.fsdecode(b"/tmp/\xff"), "\0"):
        assert world.at(path) is None
