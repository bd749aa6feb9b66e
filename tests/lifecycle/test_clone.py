"""clone: an environment once more, that runs from its new place."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.wheels import make_project

import envkit
from envkit import Host, Sources, Spec

Snapshot = Callable[[Path], dict[str, tuple[str, bytes | str, int]]]
ROOT = Path(envkit.__file__).parent.parent


@pytest.fixture
def source(host: Host, wheels: Sources) -> envkit.Environment:
    """A named environment with beta and pip in it."""
    return envkit.ensure(Spec(name="source", python=sys.base_prefix, pypi=("beta",), sources=wheels, seed="pip"), host=host, offline=True)


@pytest.mark.core
@pytest.mark.parametrize("where", ["copy", "a place", "l" * 130])
def test_it_runs_from_its_new_place(
    host: Host, source: envkit.Environment, say: Callable[..., str], snapshot: Snapshot, where: str
) -> None:
    """Interpreter, console scripts and pip run there, also below paths that no first line of a script holds; the source is as before."""
    before = snapshot(source.prefix)
    target = where if where == "copy" else host.cwd / where
    made = envkit.clone(source.prefix, target, host=host)
    assert (made.manager, made.name, made.version) == ("envkit", "copy" if where == "copy" else None, source.version)
    assert say(made.prefix / "bin" / "beta") == f"{made.prefix} 2.0"
    assert say(made.prefix / "bin" / "pip", "--version").startswith("pip ")
    assert str(made.prefix) in say(made.prefix / "bin" / "pip", "--version")
    assert snapshot(source.prefix) == before
    assert envkit.installed(made.prefix, host=host) == envkit.installed(source.prefix, host=host)
    assert (made.prefix / "etc" / "beta.conf").read_text() == "configured"
    text = subprocess.run(
        ["grep", "-rlIF", "--exclude-dir=__pycache__", f"{source.prefix}/", str(made.prefix)], capture_output=True, text=True, check=False
    )
    assert text.stdout == ""  # no file names the old place


@pytest.mark.core
def test_files_are_linked_and_records_are_right(host: Host, source: envkit.Environment, say: Callable[..., str]) -> None:
    """Files of packages share their bytes, configuration does not; each RECORD says what is there, and pip can uninstall."""
    from envkit import plugins

    made = envkit.clone(source.prefix, "copy", host=host)
    inner = Path("lib") / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    linked = [
        os.path.samefile(source.prefix / path, made.prefix / path)
        for path in (inner / "beta" / "data.txt", inner / "alpha" / "__init__.py")
    ]
    assert linked in ([True, True], [False, False])  # a file system with reflinks, or without links
    assert not os.path.samefile(source.prefix / "etc" / "beta.conf", made.prefix / "etc" / "beta.conf")
    assert not plugins.package_manager("pypi").broken(made, host)
    checking = (
        "import base64, hashlib, importlib.metadata as m\n"
        "for file in m.files('beta'):\n"
        "    if file.hash: assert base64.urlsafe_b64encode(hashlib.sha256(file.read_binary()).digest()).decode().rstrip('=') == file.hash.value, file"
    )
    say(made.python, "-c", checking)
    envkit.uninstall("copy", "beta", host=host)
    assert not (made.prefix / "bin" / "beta").exists()
    assert (source.prefix / "bin" / "beta").exists()
    assert say(source.prefix / "bin" / "beta") == f"{source.prefix} 2.0"


@pytest.mark.core
def test_what_was_asked_for_is_remembered(host: Host, source: envkit.Environment, wheels: Sources) -> None:
    """ensure finds nothing to do in a clone; installing in it changes the clone alone."""
    spec = Spec(name="copy", pypi=("beta",), sources=wheels, seed="pip")
    made = envkit.clone(source.prefix, "copy", host=host)
    assert not envkit.plan(spec, host=host)
    envkit.install("copy", "alpha==1.0", sources=wheels, offline=True, host=host)
    assert {package.name: package.version for package in envkit.installed(made.prefix, host=host)}["alpha"] == "1.0"
    assert {package.name: package.version for package in envkit.installed(source.prefix, host=host)}["alpha"] == "2.0"


@pytest.mark.core
def test_a_content_addressed_one_becomes_one_that_may_change(host: Host, wheels: Sources, say: Callable[..., str]) -> None:
    """A clone of a content-addressed environment is an ordinary one; what it was made from stays as it was."""
    spec = Spec(python=sys.base_prefix, pypi=("beta",), sources=wheels)
    made = envkit.clone(envkit.ensure(spec, host=host, offline=True).prefix, "copy", host=host)
    envkit.install("copy", "alpha==1.0", sources=wheels, offline=True, host=host)
    assert say(made.prefix / "bin" / "beta") == f"{made.prefix} 1.0"
    assert say(envkit.resolve(spec, host=host).prefix / "bin" / "beta").endswith(" 2.0")


@pytest.mark.core
def test_another_tools_environment(host: Host, say: Callable[..., str]) -> None:
    """A venv by the standard library can be cloned, too."""
    theirs = host.cwd / "theirs"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(theirs)], check=True, timeout=120)
    (theirs / "notes.txt").write_text("mine")
    made = envkit.clone(theirs, host.cwd / "copy", host=host)
    assert say(made.python, "-c", "import sys; print(sys.prefix)") == str(made.prefix)
    assert (made.prefix / "notes.txt").read_text() == "mine"
    assert not os.path.samefile(made.prefix / "notes.txt", theirs / "notes.txt")


@pytest.mark.core
def test_an_editable_project_inside_comes_along(host: Host, say: Callable[..., str]) -> None:
    """Sources that lie inside of the environment are copied, and the clone imports its own."""
    env = envkit.create("source", python=sys.base_prefix, host=host)
    project = make_project(env.prefix / "src", "gamma", "1.0")
    envkit.install(env.prefix, envkit.Project(path=project, editable=True), offline=True, host=host)
    made = envkit.clone(env.prefix, "copy", host=host)
    assert say(made.python, "-c", "import gamma; print(gamma.__file__)").startswith(str(made.prefix / "src"))
    assert not os.path.samefile(made.prefix / "src" / "gamma" / "gamma" / "__init__.py", project / "gamma" / "__init__.py")


@pytest.mark.core
def test_refused(host: Host, source: envkit.Environment) -> None:
    """An occupied place, one inside of the source, a plain interpreter and a broken environment are refused, and nothing is left behind."""
    (host.cwd / "mine").mkdir()
    (host.cwd / "mine" / "notes.txt").write_text("mine")
    for where in ("source", host.cwd / "mine"):
        with pytest.raises(envkit.ExistsError):
            envkit.clone(source.prefix, where, host=host)
    for inside in (source.prefix, source.prefix / "lib" / "copy"):
        with pytest.raises((envkit.ExistsError, envkit.UsageError)):
            envkit.clone(source.prefix, inside, host=host)
    with pytest.raises(envkit.RefusedError) as caught:
        envkit.clone(Path(sys.base_prefix), "copy", host=host)
    assert caught.value.code == "not-a-venv"
    site = next((source.prefix / "lib").glob("python*/site-packages"))
    (site / "beta" / "data.txt").unlink()
    with pytest.raises(envkit.InstallError):
        envkit.clone(source.prefix, "copy", host=host)
    (source.prefix / "bin" / "python").unlink()
    with pytest.raises(envkit.RefusedError):
        envkit.clone(source.prefix, "copy", host=host)
    assert sorted(os.listdir(host.data / "environments")) == ["source"]
    assert os.listdir(host.cwd / "mine") == ["notes.txt"]


@pytest.mark.core
def test_hostile_names(host: Host, source: envkit.Environment, say: Callable[..., str]) -> None:
    """Names of directories that a shell would obey are text in scripts."""
    for name in ("$(touch pwn)", 'a"b', "it's", "`id`", "é x"):
        made = envkit.clone(source.prefix, host.cwd / name, host=host)
        assert say(made.prefix / "bin" / "beta") == f"{made.prefix} 2.0"
    assert not list(host.cwd.rglob("pwn"))
