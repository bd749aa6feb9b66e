"""Probe: every real Python answers, nothing of the environment or the caller runs, and what misbehaves is bounded."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.patience import more_and_more, own_time

from envkit.control import Work
from envkit.discovery.probe import probe
from envkit.errors import CancelledError, CorruptError, DeadlineError, EnvkitError, MachineError, NotFoundError

if TYPE_CHECKING:
    from conftest import World


def said_by(python: Path, expression: str) -> str:
    """Return what a Python prints of itself, run plainly."""
    code = f"import sys, sysconfig, platform, os; sys.stdout.write({expression})"
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run([python, "-c", code], check=True, capture_output=True, text=True, env=environ, timeout=60).stdout


@pytest.mark.core
def test_every_python_of_the_machine_answers_rightly(interpreters: dict[str, Path], world: World) -> None:
    """From 2.7 on: version, prefix and packages are what it says when it is run plainly."""
    for minor, python in interpreters.items():
        said = probe(python, work=Work(host=world.host))
        assert f"{said.version.major}.{said.version.minor}" == minor == said.markers["python_version"]
        facts = said_by(python, "sys.prefix + '|' + platform.python_version() + '|' + platform.machine() + '|' + platform.version()").split(
            "|"
        )
        assert [str(said.prefix), str(said.version), said.markers["platform_machine"], said.markers["platform_version"]] == facts
        assert said.base_prefix == said.prefix
        assert str(said.paths["purelib"]) == said_by(python, "sysconfig.get_path('purelib', 'posix_prefix')")


def test_the_markers_are_those_of_pep_508(world: World) -> None:
    from packaging.markers import default_environment

    said = probe(Path(sys.executable), work=Work(host=world.host))
    assert dict(said.markers) == dict(default_environment())


@pytest.mark.core
def test_an_environment_is_told_its_prefix(made: Callable[..., Path], world: World) -> None:
    prefix = made()
    said = probe(prefix / "bin/python", work=Work(host=world.host), prefix=prefix)
    assert (said.prefix, said.executable) == (prefix, prefix / "bin/python")
    assert said.base_prefix != prefix
    assert said.paths["purelib"].is_relative_to(prefix)
    assert str(said.paths["purelib"]) == said_by(prefix / "bin/python", "sysconfig.get_path('purelib')")
    assert said.paths["scripts"] == prefix / "bin"


def test_an_environment_of_virtualenv_20_for_python_2_answers(interpreters: dict[str, Path], world: World, tmp_path: Path) -> None:
    """It has a copied executable and of the standard library `os.py` alone, as virtualenv 20 makes it; its `site` is not run."""
    if "2.7" not in interpreters:
        pytest.skip("there is no Python 2.7")
    base, prefix, mark = interpreters["2.7"].parent.parent, tmp_path / "env", tmp_path / "mark"
    library = prefix / "lib" / "python2.7"
    (prefix / "bin").mkdir(parents=True)
    library.mkdir(parents=True)
    shutil.copy2(interpreters["2.7"], prefix / "bin" / "python")
    shutil.copy2(base / "lib" / "python2.7" / "os.py", library)
    (library / "site.py").write_text(f"open({str(mark)!r}, 'w').close()\n")
    (prefix / "pyvenv.cfg").write_text(f"home = {base}\nimplementation = CPython\nvirtualenv = 20.0.35\nbase-prefix = {base}\n")
    said = probe(prefix / "bin" / "python", work=Work(host=world.host), prefix=prefix)
    assert (said.prefix, said.base_prefix, said.version.release[:2]) == (prefix, base, (2, 7))
    assert said.paths["purelib"] == library / "site-packages"
    assert not mark.exists()


@pytest.mark.core
def test_no_code_of_the_environment_or_of_the_caller_runs(made: Callable[..., Path], world: World, tmp_path: Path) -> None:
    """Neither `.pth` files, nor sitecustomize, nor PYTHONPATH, PYTHONHOME or a json.py in the working directory."""
    prefix, mark = made(), tmp_path / "mark"
    packages = next((prefix / "lib").glob("python*")) / "site-packages"
    code = f"open({str(mark)!r}, 'w').close()"
    (packages / "evil.pth").write_text(f"import sys; {code}\n")
    (packages / "sitecustomize.py").write_text(code)
    (world.host.cwd / "json.py").write_text(code)
    evil = world.having(
        PYTHONPATH=str(world.host.cwd), PYTHONHOME="/nowhere", PYTHONSTARTUP=str(world.host.cwd / "json.py"), __PYVENV_LAUNCHER__="/x"
    )
    said = probe(prefix / "bin/python", work=Work(host=evil.host), prefix=prefix)
    assert said.prefix == prefix
    assert not mark.exists()


@pytest.fixture
def script(tmp_path: Path) -> Callable[[str], Path]:
    """Make an executable script that is given as a Python."""

    def make(text: str) -> Path:
        path = tmp_path / "bin" / "python3"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{text}\n")
        path.chmod(0o755)
        return path

    return make


@pytest.mark.parametrize(
    "text, error",
    [
        ("exit 0", CorruptError),
        ("exit 3", MachineError),
        ("echo no such version >&2; exit 127", MachineError),
        ("kill -SEGV $$", MachineError),
        ("while :; do echo yes; done", CorruptError),
        ("head -c 3000000 /dev/zero; exit 0", CorruptError),
        ('printf "%s{}%s" "$6" "$6"', CorruptError),
        ('printf "%s[[[%s" "$6" "$6"', CorruptError),
    ],
)
def test_what_is_no_python_is_a_typed_error(script: Callable[[str], Path], world: World, text: str, error: type[EnvkitError]) -> None:
    with pytest.raises(error) as caught:
        probe(script(text), work=Work(host=world.host), seconds=10)
    assert caught.value.code == "python-unusable"
    assert caught.value.hint


@pytest.mark.core
def test_what_prints_a_banner_first_is_a_python(script: Callable[[str], Path], world: World) -> None:
    """What it says besides is passed over; random bytes too."""
    path = script(f'echo hello; head -c 1000 /dev/urandom; echo; exec {sys.executable} "$@"')
    assert probe(path, work=Work(host=world.host)).version.release[:2] == sys.version_info[:2]


@pytest.mark.core
def test_what_hangs_is_killed_with_all_that_it_started(script: Callable[[str], Path], world: World, tmp_path: Path) -> None:
    path = script(f"sleep 60 & echo $! > {tmp_path}/child; sleep 60")
    said = tmp_path / "child"
    for seconds in more_and_more(0.5):
        with own_time() as took, pytest.raises(DeadlineError) as caught:
            probe(path, work=Work(host=world.host), seconds=seconds)
        assert took.seconds < seconds + 4.5
        assert f"{seconds:g} seconds" in str(caught.value)
        if said.exists() and said.read_text():
            break
    child = int(said.read_text())
    assert not Path(f"/proc/{child}").exists() or "Z" in Path(f"/proc/{child}/stat").read_text().split()[2]


def test_a_child_that_keeps_the_output_open_delays_nothing(script: Callable[[str], Path], world: World) -> None:
    path = script(f'sleep 60 & exec {sys.executable} "$@"')
    with own_time() as took:
        assert probe(path, work=Work(host=world.host)).version
    assert took.seconds < 5


def test_the_calls_own_deadline_and_cancel_count(script: Callable[[str], Path], world: World) -> None:
    path = script("sleep 60")
    with pytest.raises(DeadlineError):
        probe(path, work=Work(host=world.host, timeout=0.3))
    cancel = threading.Event()
    threading.Timer(0.3, cancel.set).start()
    with pytest.raises(CancelledError):
        probe(path, work=Work(host=world.host, cancel=cancel))


def test_what_is_not_there_or_not_executable_is_told(world: World, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        probe(tmp_path / "python", work=Work(host=world.host))
    (tmp_path / "python").touch()
    with pytest.raises(MachineError):
        probe(tmp_path / "python", work=Work(host=world.host))


def test_a_python_that_does_not_run_is_found_with_its_problem(world: World, installed: Callable[..., Path], tmp_path: Path) -> None:
    """A search that probes goes on: the broken one has a problem."""
    python = installed(tmp_path / "opt", "3.12.3")
    found = [env for env in world.having(PATH=str(python.parent)).find(probe="known", managers=("path",)) if env.python == python]
    assert [env.problem.code if env.problem else None for env in found] == ["python-unusable"]
