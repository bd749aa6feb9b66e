"""repair: the Python under an environment changes, or the environment is moved; it is mended, or built anew."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import envkit
from envkit import Host, Sources, Spec

ROOT = Path(envkit.__file__).parent.parent
RUNNING = f"{sys.version_info[0]}.{sys.version_info[1]}"


def installation(place: Path, executable: Path, minor: str) -> Path:
    """Make an installation of its own that can be moved and removed: a copy of the executable, the library by a link."""
    (place / "bin").mkdir(parents=True)
    shutil.copy2(executable, place / "bin" / f"python{minor}")
    (place / "bin" / "python3").symlink_to(f"python{minor}")
    real = Path(
        subprocess.run(
            [executable, "-I", "-c", "import sys; print(sys.base_prefix)"], capture_output=True, text=True, check=True
        ).stdout.strip()
    )
    (place / "lib").mkdir()
    (place / "lib" / f"python{minor}").symlink_to(real / "lib" / f"python{minor}")
    (place / "include").symlink_to(real / "include")
    return place / "bin" / f"python{minor}"


@pytest.fixture
def mine(host: Host, interpreters: dict[str, Path]) -> Path:
    """An installation of the Python that runs the tests, at a place of the test's own."""
    return installation(host.home / "pythons" / "one", interpreters[RUNNING], RUNNING)


def outside(host: Host, *directories: Path) -> Host:
    """Return a world that finds Pythons in these directories of its PATH; the Python that runs is found in each."""
    path = os.pathsep.join(str(directory) for directory in directories)
    return replace(host, environ={**host.environ, "PATH": path, "PYENV_ROOT": str(host.home / "no-pyenv")})


@pytest.fixture
def made(host: Host, mine: Path, wheels: Sources) -> envkit.Environment:
    """A named environment with beta in it, on that installation."""
    return envkit.ensure(Spec(name="demo", python=str(mine), pypi=("beta",), sources=wheels), host=host, offline=True)


@pytest.mark.core
def test_what_is_whole_is_left_alone(host: Host, made: envkit.Environment, snapshot: Callable[[Path], object]) -> None:
    """Nothing is written where nothing is wrong."""
    before = snapshot(made.prefix)
    assert envkit.repair("demo", host=host) == made
    assert snapshot(made.prefix) == before
    with pytest.raises(envkit.NotFoundError):
        envkit.repair("never-there", host=host)
    with pytest.raises(envkit.RefusedError):
        envkit.repair(Path(sys.base_prefix), host=host)


@pytest.mark.core
def test_base_moved(host: Host, made: envkit.Environment, mine: Path, say: Callable[..., str]) -> None:
    """Where its Python went elsewhere, the environment is put on that one, and keeps its packages."""
    new = host.home / "pythons" / "two"
    os.rename(mine.parent.parent, new)
    assert envkit.resolve("demo", host=host).problem is not None
    seen = outside(host, new / "bin")
    mended = envkit.repair("demo", offline=True, host=seen)
    assert mended.problem is None
    assert say(mended.prefix / "bin" / "beta") == f"{made.prefix} 2.0"
    assert not envkit.plan(Spec(name="demo", pypi=("beta",)), host=seen)


@pytest.mark.core
def test_base_upgraded_in_place(host: Host, made: envkit.Environment, mine: Path) -> None:
    """Where its Python got another patch release, pyvenv.cfg says so afterwards."""
    configuration = made.prefix / "pyvenv.cfg"
    now = ".".join(map(str, sys.version_info[:3]))
    configuration.write_text(configuration.read_text().replace(now, f"{RUNNING}.99") + "uv = 0.13.9\n")
    envkit.repair("demo", host=host)
    text = configuration.read_text()
    assert f"version = {now}" in text
    assert "uv = 0.13.9" in text


@pytest.mark.core
def test_environment_moved(host: Host, made: envkit.Environment, say: Callable[..., str]) -> None:
    """A moved environment runs from its new place, scripts included, and its kernel follows."""
    from envkit.formats import kernel_json

    place = host.home / "jupyter" / "kernels" / "demo"
    place.mkdir(parents=True)
    written = kernel_json.KernelJson(
        argv=(str(made.python), "-m", "ipykernel_launcher", "-f", "{connection_file}"),
        display_name="Demo",
        language="python",
        env={"PATH": f"{made.prefix}/bin:${{PATH}}", "VIRTUAL_ENV": str(made.prefix)},
        owner=kernel_json.Owner(environment=str(made.prefix)),
    )
    (place / "kernel.json").write_text(kernel_json.dump(written))
    new = host.cwd / "it's elsewhere"
    os.rename(made.prefix, new)
    mended = envkit.repair(new, host=host)
    assert (mended.problem, mended.name) == (None, None)
    assert say(new / "bin" / "beta") == f"{new} 2.0"
    assert say("/bin/sh", "-c", '. "$0"/bin/activate && python -c "import sys; print(sys.prefix)"', new) == str(new)
    assert str(made.prefix) not in (place / "kernel.json").read_text()
    kernel = next(kernel for kernel in envkit.jupyter.kernels(host=host) if kernel.name == "demo")
    assert (kernel.owned, kernel.problem, kernel.environment) == (True, None, mended)
    assert not envkit.plan(Spec(prefix=new, pypi=("beta",)), host=host)


@pytest.mark.core
def test_environment_copied(host: Host, made: envkit.Environment, say: Callable[..., str]) -> None:
    """A copy by `cp -a` becomes an environment of its own; the first one stays as it was."""
    copied = host.cwd / "copied"
    subprocess.run(["cp", "-a", str(made.prefix), str(copied)], check=True)
    envkit.repair(copied, host=host)
    assert say(copied / "bin" / "beta") == f"{copied} 2.0"
    assert say(made.prefix / "bin" / "beta") == f"{made.prefix} 2.0"


@pytest.mark.core
def test_interpreter_of_another_minor(host: Host, interpreters: dict[str, Path], wheels: Sources, say: Callable[..., str]) -> None:
    """The base became another minor version: with no Python of its own left, the environment is built anew with the same versions."""
    other = next((minor for minor in ("3.9", "3.10", "3.8", "3.12") if minor in interpreters and minor != RUNNING), None)
    if other is None:
        pytest.skip("one Python only")
    old = installation(host.home / "pythons" / "old", interpreters[other], other)
    made = envkit.ensure(Spec(name="demo", python=str(old), pypi=("beta", "alpha<2"), sources=wheels), host=host, offline=True)
    shutil.rmtree(old.parent.parent)
    assert envkit.resolve("demo", host=host).problem is not None
    seen = outside(host, interpreters[RUNNING].parent)
    mended = envkit.repair("demo", offline=True, host=seen)
    assert mended.version is not None
    assert mended.version.release[:2] == sys.version_info[:2]
    assert say(mended.prefix / "bin" / "beta") == f"{made.prefix} 1.0"
    assert not envkit.plan(Spec(name="demo", pypi=("beta", "alpha<2"), sources=wheels), host=seen)
    assert not list((host.data / "environments").glob(".envkit-*"))


@pytest.mark.core
def test_what_cannot_be_built_anew_stays(host: Host, interpreters: dict[str, Path], wheels: Sources) -> None:
    """When its packages are not to be had, the environment is there as before, and the error says why."""
    other = next((minor for minor in ("3.9", "3.10", "3.8", "3.12") if minor in interpreters and minor != RUNNING), None)
    if other is None:
        pytest.skip("one Python only")
    old = installation(host.home / "pythons" / "old", interpreters[other], other)
    made = envkit.ensure(Spec(name="demo", python=str(old), pypi=("beta",), sources=wheels), host=host, offline=True)
    shutil.rmtree(old.parent.parent)
    shutil.rmtree(wheels.find_links[0])
    with pytest.raises(envkit.EnvkitError):
        envkit.repair("demo", offline=True, host=outside(host, interpreters[RUNNING].parent))
    assert {package.name for package in envkit.installed(made.prefix, host=host)} == {"alpha", "beta"}
    assert os.listdir(host.data / "environments") == ["demo"]


@pytest.mark.core
def test_files_of_packages_missing(host: Host, made: envkit.Environment, say: Callable[..., str]) -> None:
    """Packages whose files are gone are put in again, from where they came from."""
    site = next((made.prefix / "lib").glob("python*/site-packages"))
    shutil.rmtree(site / "alpha")
    (made.prefix / "bin" / "beta").unlink()
    envkit.repair("demo", offline=True, host=host)
    assert say(made.prefix / "bin" / "beta") == f"{made.prefix} 2.0"


@pytest.mark.core
def test_another_tools_environment(host: Host, mine: Path, say: Callable[..., str]) -> None:
    """One by the standard library is mended in place, too; it is not built anew while it holds a user's file."""
    theirs = host.cwd / "theirs"
    subprocess.run([mine, "-m", "venv", "--without-pip", str(theirs)], check=True, timeout=120)
    (theirs / "notes.txt").write_text("mine")
    new = host.home / "pythons" / "two"
    os.rename(mine.parent.parent, new)
    mended = envkit.repair(theirs, host=outside(host, new / "bin"))
    assert say(mended.python, "-c", "import sys; print(sys.prefix)") == str(theirs)
    assert mended.manager == "venv"
    assert (theirs / "notes.txt").read_text() == "mine"


@pytest.mark.core
def test_content_addressed_ones_are_never_changed(host: Host, mine: Path, wheels: Sources) -> None:
    """A content-addressed environment whose Python is gone is refused; ensure builds another one."""
    spec = Spec(python=str(mine), pypi=("beta",), sources=wheels)
    made = envkit.ensure(spec, host=host, offline=True)
    with pytest.raises(envkit.RefusedError) as caught:
        envkit.repair(made.prefix, host=host)
    assert caught.value.code == "content-addressed"
