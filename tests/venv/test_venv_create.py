"""`create`: environments from every kind of base run, and other tools take them for what they are."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from packaging.version import Version

from envkit.control import Work
from envkit.errors import ExistsError, MachineError, NotFoundError, RefusedError, UsageError
from envkit.formats import pyvenv_cfg
from envkit.host import Host
from envkit.models.environment import Environment
from envkit.models.specs import Spec
from envkit.venv import build, create, strangers

SUPPORTED = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14")
ASK = (
    "import sys, site, json; print(json.dumps([sys.prefix, sys.base_prefix, [p for p in sys.path if p.endswith('-packages')], "
    "sys.version_info[:2], site.ENABLE_USER_SITE, sys.executable]))"
)
AsBase = Callable[[Path], Environment]


def said_by(prefix: Path, host: Host, *, name: str = "python") -> tuple[str, str, list[str], list[int], bool, str]:
    """Run the interpreter of an environment and return what it says of itself."""
    done = subprocess.run([prefix / "bin" / name, "-c", ASK], env=dict(host.environ), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    prefix_, base_prefix, packages, version, user_site, executable = json.loads(done.stdout)
    return prefix_, base_prefix, packages, version, user_site, executable


@pytest.mark.core
@pytest.mark.parametrize("symlinks", [True, False])
@pytest.mark.parametrize("minor", SUPPORTED)
def test_an_environment_of_each_python_runs(
    minor: str, symlinks: bool, interpreters: dict[str, Path], as_base: AsBase, host: Host, tmp_path: Path
) -> None:
    """Its prefix is the environment, its base the Python it was made from, its packages are its own, under each of its names."""
    if minor not in interpreters:
        pytest.skip(f"no Python {minor} on this machine")
    base = as_base(interpreters[minor])
    prefix = tmp_path / "env"
    create(prefix, base=base, host=host, symlinks=symlinks)
    for name in ("python", "python3", f"python{minor}"):
        where, made_from, packages, version, _, executable = said_by(prefix, host, name=name)
        assert where == str(prefix)
        assert os.path.samefile(made_from, base.prefix)
        assert packages == [str(prefix / "lib" / f"python{minor}" / "site-packages")]
        assert version == list(map(int, minor.split(".")))
        assert executable == str(prefix / "bin" / name)
    assert (prefix / "bin" / "python").is_symlink() is symlinks
    assert os.readlink(prefix / "lib64") == "lib"
    assert strangers(prefix, host) == ()
    keys = pyvenv_cfg.load((prefix / "pyvenv.cfg").read_text("utf-8"))
    assert keys["version"] == str(base.version)
    assert keys["include-system-site-packages"] == "false"
    assert "prompt" not in keys


def test_debians_python_needs_no_ensurepip(as_base: AsBase, host: Host, tmp_path: Path) -> None:
    """The system's Python, which has no ensurepip and accepts no packages, is a base as any other; the system's packages on request."""
    system = Path("/usr/bin/python3")
    if not system.is_file():
        pytest.skip("no /usr/bin/python3")
    base = as_base(system)
    create(tmp_path / "own", base=base, host=host)
    create(tmp_path / "seeing", base=base, host=host, system_site_packages=True)
    _, made_from, packages, version, _, _ = said_by(tmp_path / "own", host)
    assert made_from == "/usr"
    assert packages == [str(tmp_path / "own" / "lib" / "python{}.{}".format(*version) / "site-packages")]
    _, _, seen, _, _, _ = said_by(tmp_path / "seeing", host)
    assert seen[0].startswith(str(tmp_path))
    if Path("/usr/lib/python3/dist-packages").is_dir():
        assert "/usr/lib/python3/dist-packages" in seen


def test_pypy_is_a_base(pypy: Path, as_base: AsBase, host: Host, tmp_path: Path) -> None:
    """An environment of PyPy has PyPy's names and its own directory of packages."""
    base = as_base(pypy)
    create(tmp_path / "env", base=base, host=host)
    for name in ("python", "pypy3", "pypy"):
        where, _, packages, version, _, _ = said_by(tmp_path / "env", host, name=name)
        assert where == str(tmp_path / "env")
        assert packages == [str(tmp_path / "env" / "lib" / "pypy{}.{}".format(*version) / "site-packages")]


@pytest.mark.slow
def test_a_copied_interpreter_without_ensurepip_is_a_base(base: Environment, host: Host, tmp_path: Path) -> None:
    """A tree that somebody copied elsewhere, trimmed of ensurepip and venv, makes environments."""
    original = Path(base.prefix)
    copied = tmp_path / "copied"
    library = f"python{base.version.release[0]}.{base.version.release[1]}" if base.version else ""
    ignored = shutil.ignore_patterns(
        "ensurepip", "venv", "site-packages", "test", "__pycache__", "config-*", "idlelib", "*.a", "libpython*"
    )
    shutil.copytree(original / "lib" / library, copied / "lib" / library, ignore=ignored)
    (copied / "bin").mkdir()
    shutil.copy2(original / "bin" / library, copied / "bin" / library)
    create(tmp_path / "env", base=replace(base, prefix=copied, python=copied / "bin" / library), host=host)
    where, made_from, packages, *_ = said_by(tmp_path / "env", host)
    assert (where, made_from) == (str(tmp_path / "env"), str(copied))
    assert packages == [str(tmp_path / "env" / "lib" / library / "site-packages")]


@pytest.mark.core
@pytest.mark.parametrize(
    "name",
    ["with space", "é ü 漢", "it's", 'say "x"', "$(touch pwn)", "-rf", "a" * 200, "=x # y", "~"],
)
def test_a_place_may_have_any_name(name: str, base: Environment, host: Host, tmp_path: Path) -> None:
    """Blanks, quotes, accents, what shells obey, and 200 letters in a path: the environment works there."""
    prefix = tmp_path / name / "env"
    create(prefix, base=base, host=host, prompt='it\'s "both" é')
    where, _, packages, *_ = said_by(prefix, host)
    assert where == str(prefix)
    assert packages[0].startswith(str(prefix))
    assert pyvenv_cfg.load((prefix / "pyvenv.cfg").read_text("utf-8"))["prompt"] == repr('it\'s "both" é')


@pytest.mark.core
@pytest.mark.parametrize("name", ["a:b", "new\nline", "bell\a", "nel\x85", "par\u2029", os.fsdecode(b"latin-\xe9")])
def test_a_place_where_no_environment_can_work_is_refused(name: str, base: Environment, host: Host, tmp_path: Path) -> None:
    """A colon parts PATH, a control character ends a line of pyvenv.cfg, bytes that are no text cannot stand in it."""
    with pytest.raises(RefusedError) as caught:
        create(tmp_path / name, base=base, host=host)
    assert caught.value.code == "path"
    assert caught.value.hint
    assert not (tmp_path / name).exists()


@pytest.mark.core
def test_what_is_there_already_is_left_alone(base: Environment, host: Host, tmp_path: Path) -> None:
    """A second `create` in the same place is an ExistsError and changes nothing; so is a link in a file's place."""
    prefix = tmp_path / "env"
    create(prefix, base=base, host=host)
    before = {path: path.read_bytes() for path in prefix.rglob("*") if path.is_file()}
    with pytest.raises(ExistsError):
        create(prefix, base=base, host=host)
    assert {path: path.read_bytes() for path in prefix.rglob("*") if path.is_file()} == before

    victim, other = tmp_path / "victim", tmp_path / "other"
    other.mkdir()
    (other / "pyvenv.cfg").symlink_to(victim)
    with pytest.raises(ExistsError):
        create(other, base=base, host=host)
    assert not victim.exists()


@pytest.mark.core
def test_a_base_must_be_known(base: Environment, host: Host, tmp_path: Path) -> None:
    """Without interpreter, version or implementation, or with one that makes no environments, nothing is written."""
    for unknown in (
        replace(base, python=None),
        replace(base, version=None),
        replace(base, version=Version("3")),
        replace(base, implementation=None),
        replace(base, implementation="graalpy"),
        replace(base, version=Version("3.7.17")),
    ):
        with pytest.raises(UsageError):
            create(tmp_path / "env", base=unknown, host=host)
    with pytest.raises(NotFoundError):
        create(tmp_path / "env", base=replace(base, python=tmp_path / "gone" / "python3"), host=host)
    with pytest.raises(UsageError):
        create(Path("relative"), base=base, host=host)
    with pytest.raises(UsageError):
        create(tmp_path / "env", base=base, host=host, prompt="two\nlines")
    with pytest.raises(UsageError):
        build(tmp_path / "env", spec=Spec(), base=None, work=Work(host=host))
    assert not (tmp_path / "env").exists()


def test_a_place_that_cannot_be_written_says_why(base: Environment, host: Host) -> None:
    """Where the system says no, that is a MachineError with the path."""
    with pytest.raises(MachineError, match="/proc"):
        create(Path("/proc/envkit-test"), base=base, host=host)


def test_build_takes_the_spec(base: Environment, host: Host, tmp_path: Path) -> None:
    """The backend's `build` makes what the spec says: its prompt is the name, its variables are set on activation."""
    build(
        tmp_path / "env",
        spec=Spec(name="analysis", variables={"STAGE": "test"}, system_site_packages=True),
        base=base,
        work=Work(host=host),
    )
    keys = pyvenv_cfg.load((tmp_path / "env" / "pyvenv.cfg").read_text("utf-8"))
    assert (keys["prompt"], keys["include-system-site-packages"]) == ("'analysis'", "true")
    assert "STAGE='test'" in (tmp_path / "env" / "bin" / "activate").read_text("utf-8")


@pytest.mark.slow
def test_pip_from_outside_installs_into_it(base: Environment, host: Host, tmp_path: Path) -> None:
    """pip, told of the interpreter by `--python`, takes the environment for one, though it has no pip itself."""
    create(tmp_path / "env", base=base, host=host)
    wheel = _wheel(tmp_path)
    command = [sys.executable, "-m", "pip", "--python", tmp_path / "env" / "bin" / "python", "install", "--no-index", "--no-deps", wheel]
    done = subprocess.run(command, env=dict(host.environ), capture_output=True, text=True, timeout=120)
    if "No module named pip" in done.stderr:
        pytest.skip("the tests run without pip")
    assert done.returncode == 0, done.stderr
    said = subprocess.run(
        [tmp_path / "env" / "bin" / "python", "-c", "import sample; print(sample.__file__)"], capture_output=True, text=True
    )
    assert said.stdout.startswith(str(tmp_path / "env"))


def test_uv_takes_it_for_an_environment(base: Environment, host: Host, tmp_path: Path) -> None:
    """uv installs into it without being asked twice."""
    uv = shutil.which("uv", path=os.pathsep.join((str(Path(sys.executable).parent), host.environ["PATH"])))
    if uv is None:
        pytest.skip("no uv")
    create(tmp_path / "env", base=base, host=host)
    command = [
        uv,
        "pip",
        "install",
        "--offline",
        "--no-config",
        "--no-index",
        "--python",
        tmp_path / "env" / "bin" / "python",
        _wheel(tmp_path),
    ]
    done = subprocess.run(command, env=dict(host.environ), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "env" / "lib").glob("python*/site-packages/sample.py"))
    assert strangers(tmp_path / "env", host) == ()


@pytest.mark.slow
def test_venv_and_virtualenv_take_it_for_an_environment(base: Environment, host: Host, tmp_path: Path) -> None:
    """`python -m venv --upgrade` upgrades it, virtualenv makes one from it with the same base, and both still run."""
    prefix = tmp_path / "env"
    create(prefix, base=base, host=host)
    subprocess.run([base.python or "", "-m", "venv", "--upgrade", "--without-pip", prefix], env=dict(host.environ), check=True, timeout=120)
    where, made_from, *_ = said_by(prefix, host)
    assert where == str(prefix)
    command = [sys.executable, "-m", "virtualenv", "--no-seed", "--quiet", "-p", prefix / "bin" / "python", tmp_path / "second"]
    done = subprocess.run(command, env=dict(host.environ), capture_output=True, text=True, timeout=120)
    if "No module named virtualenv" in done.stderr:
        pytest.skip("the tests run without virtualenv")
    assert done.returncode == 0, done.stderr
    assert said_by(tmp_path / "second", host)[1] == made_from


def _wheel(directory: Path) -> Path:
    """Write a wheel with one module, `sample`."""
    import zipfile

    path = directory / "sample-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("sample.py", "")
        archive.writestr("sample-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: sample\nVersion: 1.0\n")
        archive.writestr("sample-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("sample-1.0.dist-info/RECORD", "sample.py,,\nsample-1.0.dist-info/METADATA,,\nsample-1.0.dist-info/WHEEL,,\n")
    return path
