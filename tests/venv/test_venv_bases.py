"""Which executable an environment is made from: links, Homebrew, other environments, and trees of other platforms."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from packaging.version import Version

from envkit.errors import NotFoundError, RefusedError, UsageError
from envkit.formats import pyvenv_cfg
from envkit.host import Host
from envkit.models.environment import Environment
from envkit.venv import activation, create, strangers
from envkit.venv.bases import base_of

AsBase = Callable[[Path], Environment]


def tree(root: Path, version: str = "3.12", name: str = "") -> Path:
    """Make the bare shape of an installed Python below `root` and return its executable."""
    (root / "bin").mkdir(parents=True)
    (root / "lib" / f"python{version}").mkdir(parents=True)
    (root / "lib" / f"python{version}" / "os.py").touch()
    executable = root / "bin" / (name or f"python{version}")
    executable.write_text("#!/bin/sh\n")
    executable.chmod(0o755)
    return executable


def environment_of(python: Path, version: str = "3.12.4", **facts: object) -> Environment:
    """Give the Environment of an executable in a tree."""
    made = Environment(prefix=python.parent.parent, kind="interpreter", python=python, version=Version(version), implementation="cpython")
    return replace(made, **facts)  # type: ignore[arg-type]


@pytest.mark.core
def test_a_link_to_the_executable_alone_is_followed(host: Host, tmp_path: Path) -> None:
    """`/usr/local/bin/python3` has no standard library beside it, so the place it points to is named."""
    executable = tree(tmp_path / "opt" / "python-3.12")
    (tmp_path / "usr" / "bin").mkdir(parents=True)
    (tmp_path / "usr" / "bin" / "python3").symlink_to(executable)
    (tmp_path / "usr" / "bin" / "python").symlink_to("python3")
    assert base_of(environment_of(tmp_path / "usr" / "bin" / "python"), host).executable == str(executable)


@pytest.mark.core
def test_a_linked_tree_keeps_its_public_name(host: Host, tmp_path: Path) -> None:
    """`/opt/python -> python-3.12.4` stays `/opt/python`: it is what survives the next patch release."""
    tree(tmp_path / "python-3.12.4")
    (tmp_path / "python").symlink_to("python-3.12.4")
    public = tmp_path / "python" / "bin" / "python3.12"
    assert base_of(environment_of(public), host).executable == str(public)


@pytest.mark.core
def test_a_relative_link_in_a_linked_directory_leads_where_the_system_says(host: Host, tmp_path: Path) -> None:
    """`..` in a link counts from where the link really lies, not from the name under which its directory was reached."""
    executable = tree(tmp_path / "store" / "python")
    (tmp_path / "store" / "links").mkdir()
    (tmp_path / "store" / "links" / "python3").symlink_to("../python/bin/python3.12")
    (tmp_path / "bin").symlink_to("store/links")
    assert base_of(environment_of(tmp_path / "bin" / "python3"), host).executable == str(executable)


@pytest.mark.core
def test_homebrews_cellar_is_named_by_its_lasting_link(host: Host, tmp_path: Path) -> None:
    """Below `Cellar/python@3.12/3.12.4` the next patch release would break the environment; `opt/python@3.12` outlives it."""
    brew = tmp_path / "homebrew"
    cellar = brew / "Cellar" / "python@3.12" / "3.12.4"
    tree(cellar)
    (brew / "opt").mkdir()
    (brew / "opt" / "python@3.12").symlink_to("../Cellar/python@3.12/3.12.4")
    (brew / "bin").mkdir()
    (brew / "bin" / "python3.12").symlink_to("../Cellar/python@3.12/3.12.4/bin/python3.12")
    found = base_of(environment_of(brew / "bin" / "python3.12"), host)
    assert found.executable == str(brew / "opt" / "python@3.12" / "bin" / "python3.12")


@pytest.mark.core
def test_the_versioned_name_is_preferred(host: Host, tmp_path: Path) -> None:
    """`python3` may be another minor version tomorrow, and the environment then silently empty; `python3.12` would be missing."""
    executable = tree(tmp_path / "usr")
    (tmp_path / "usr" / "bin" / "python3").symlink_to("python3.12")
    assert base_of(environment_of(tmp_path / "usr" / "bin" / "python3"), host).executable == str(executable)
    (tmp_path / "usr" / "bin" / "python3.12t").symlink_to("python3.12")
    threads = environment_of(tmp_path / "usr" / "bin" / "python3", free_threaded=True)
    (tmp_path / "usr" / "lib" / "python3.12t").mkdir()
    (tmp_path / "usr" / "lib" / "python3.12t" / "os.py").touch()
    assert base_of(threads, host).executable == str(tmp_path / "usr" / "bin" / "python3.12t")


@pytest.mark.parametrize("copied", [False, True])
def test_an_environment_as_base_gives_its_own_base(copied: bool, base: Environment, host: Host, tmp_path: Path) -> None:
    """An environment made from an environment does not depend on it: removing the first leaves the second working."""
    first, second = tmp_path / "first", tmp_path / "second"
    create(first, base=base, host=host, symlinks=not copied)
    create(second, base=replace(base, kind="venv", prefix=first, python=first / "bin" / "python"), host=host)
    shutil.rmtree(first)
    said = subprocess.run([second / "bin" / "python", "-c", "import sys; print(sys.base_prefix)"], capture_output=True, text=True)
    assert said.stdout.strip() == str(base.prefix)


@pytest.mark.core
def test_a_copy_is_not_traced_by_an_unversioned_name(host: Host, tmp_path: Path) -> None:
    """`home` may hold a `python3` of another version; only a versioned name there is believed, else the base is unknown."""
    home = tree(tmp_path / "usr", "3.9", name="python3").parent
    env = tmp_path / "env"
    (env / "bin").mkdir(parents=True)
    (env / "bin" / "python").write_text("")
    (env / "pyvenv.cfg").write_text(f"home = {home}\nversion = 3.12.4\n")
    with pytest.raises(UsageError) as caught:
        base_of(environment_of(env / "bin" / "python"), host)
    assert caught.value.code == "base-unknown"


@pytest.mark.core
def test_links_in_a_circle_end(host: Host, tmp_path: Path) -> None:
    """A loop of links is a base that is not there, not a call that does not end."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to("python3")
    (tmp_path / "bin" / "python3").symlink_to("python")
    with pytest.raises(NotFoundError):
        base_of(environment_of(tmp_path / "bin" / "python"), host)


@pytest.mark.core
def test_a_tree_of_another_machine_is_written_in_its_own_words(host: Host, tmp_path: Path) -> None:
    """Below another root the files name paths as that machine knows them."""
    root = tmp_path / "machine"
    tree(root / "opt" / "python")
    (root / "usr" / "bin").mkdir(parents=True)
    (root / "usr" / "bin" / "python3.12").symlink_to("/opt/python/bin/python3.12")
    there = replace(host, root=root, home=root / "home", cwd=root, data=root / "data")
    create(root / "env", base=environment_of(root / "usr" / "bin" / "python3.12"), host=there)
    keys = pyvenv_cfg.load((root / "env" / "pyvenv.cfg").read_text("utf-8"))
    assert (keys["home"], keys["executable"]) == ("/opt/python/bin", "/opt/python/bin/python3.12")
    assert os.readlink(root / "env" / "bin" / "python") == "/opt/python/bin/python3.12"
    assert "VIRTUAL_ENV='/env'\n" in (root / "env" / "bin" / "activate").read_text("utf-8")


@pytest.mark.core
@pytest.mark.parametrize("launchers", [("venvlauncher.exe", "venvwlauncher.exe"), ("python.exe", "pythonw.exe")])
def test_windows_gets_launchers_and_its_own_layout(launchers: tuple[str, str], host: Host, tmp_path: Path) -> None:
    """On Windows the interpreters are launchers that the base brings (under two names over the years); nothing is linked."""
    root = tmp_path / "machine"
    there = replace(host, root=root, platform="win32", home=root / "C" / "Users" / "u", cwd=root / "C", data=root / "C" / "data")
    python = root / "C" / "Python312" / "python.exe"
    source = python.parent / "Lib" / "venv" / "scripts" / "nt"
    source.mkdir(parents=True)
    (python.parent / "Lib" / "os.py").touch()
    python.write_text("")
    for launcher in launchers:
        (source / launcher).write_text(launcher)
    base = environment_of(python)
    prefix = root / "C" / "work" / "100%"
    create(prefix, base=replace(base, prefix=python.parent), host=there, variables={"RATE": "5%"})
    assert sorted(path.name for path in prefix.iterdir()) == [".gitignore", "CACHEDIR.TAG", "Include", "Lib", "Scripts", "pyvenv.cfg"]
    assert (prefix / "Lib" / "site-packages").is_dir()
    assert (prefix / "Scripts" / "python.exe").read_text() == launchers[0]
    assert (prefix / "Scripts" / "pythonw.exe").read_text() == launchers[1]
    assert not [path for path in prefix.rglob("*") if path.is_symlink()]
    assert pyvenv_cfg.load((prefix / "pyvenv.cfg").read_text("utf-8"))["home"] == "C:\\Python312"
    batch = (prefix / "Scripts" / "activate.bat").read_bytes().decode()
    assert 'set "VIRTUAL_ENV=C:\\work\\100%%"\r\n' in batch
    assert 'set "RATE=5%%"\r\n' in batch
    assert "$env:VIRTUAL_ENV = 'C:\\work\\100%'\n" in (prefix / "Scripts" / "Activate.ps1").read_text("utf-8-sig")
    assert "VIRTUAL_ENV=\"$(cygpath -u 'C:\\work\\100%')\"\n" in (prefix / "Scripts" / "activate").read_text("utf-8")
    assert strangers(prefix, there) == ()
    env = Environment(prefix=prefix, kind="venv")
    assert activation(env, there).prepend_path == (prefix / "Scripts",)
    assert activation(env, there).assign["VIRTUAL_ENV"] == "C:\\work\\100%"


@pytest.mark.core
def test_windows_refuses_what_its_files_cannot_hold(host: Host, tmp_path: Path) -> None:
    """`;` parts PATH there, a double quote cannot be written into a batch file, and the embeddable package has no launcher."""
    root = tmp_path / "machine"
    there = replace(host, root=root, platform="win32", home=root / "C", cwd=root / "C", data=root / "C" / "data")
    python = root / "C" / "Python312" / "python.exe"
    python.parent.mkdir(parents=True)
    python.write_text("")
    (python.parent / "python312.zip").touch()
    base = environment_of(python)
    with pytest.raises(RefusedError):
        create(root / "C" / "a;b", base=base, host=there)
    with pytest.raises(UsageError):
        create(root / "C" / "env", base=base, host=there, variables={"A": 'x" & calc & "'})
    with pytest.raises(NotFoundError) as caught:
        create(root / "C" / "env", base=base, host=there)
    assert caught.value.code == "launcher-not-found"
