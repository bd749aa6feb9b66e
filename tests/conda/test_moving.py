"""clone, repair and check of conda environments with real packages: what comes out runs, and names its own place alone."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from support.conda_channel import Channel
from support.wheels import make_wheel

import envkit
from envkit import records
from envkit.conda import bookkeeping, inventory, moving
from envkit.control import Work
from envkit.errors import InstallError, RefusedError
from envkit.host import Host
from envkit.models.environment import Environment
from envkit.models.specs import Sources

pytest.importorskip("rattler")

TINY = ("tiny=1.0", "native", "variables", "posting")


@pytest.fixture
def tiny(tiny_channel: Channel, conda_host: Host) -> Environment:
    """An environment of tiny packages without Python."""
    return envkit.create(conda_host.cwd / "tiny", conda=TINY, channels=[tiny_channel.url], host=conda_host)


@pytest.fixture
def whole(channel: Channel, conda_host: Host, tmp_path: Path) -> Environment:
    """An environment with Python, pip and a distribution of PyPI's that has a script."""
    env = envkit.create(conda_host.cwd / "whole", conda=["python", "pip", "native"], channels=[channel.url], host=conda_host)
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    make_wheel(wheels, "ontop", "1.0", scripts={"ontop": "ontop:main"})
    envkit.install(env, "ontop", sources=Sources(find_links=(wheels.as_uri(),), configuration="isolated"), host=conda_host)
    return env


def naming(prefix: Path, place: Path) -> list[str]:
    """Return the files below a prefix that name a place; bytecode and the history say where they were made, and may."""
    found: list[str] = []
    for directory, _, files in os.walk(prefix):
        for name in files:
            path = Path(directory, name)
            if name not in {"history", "ready.json"} and not name.endswith(".pyc") and not path.is_symlink():
                data = path.read_bytes()
                if any(f"{place}{end}".encode() in data for end in ("/", '"', "\n", "\0")):
                    found.append(str(path.relative_to(prefix)))
    return found


@pytest.mark.core
def test_a_clone_names_its_own_place(tiny: Environment, conda_host: Host) -> None:
    """Scripts and binary files of the copy name its place, the source is as it was, and both are as their records say."""
    before = {path: path.read_bytes() for path in tiny.prefix.rglob("*") if path.is_file() and ".envkit" not in path.parts}
    copy = envkit.clone(tiny, conda_host.cwd / "a longer place", host=conda_host)
    said = subprocess.run([copy.prefix / "bin" / "native-hello"], capture_output=True, text=True).stdout
    assert said == f"hello from {copy.prefix}\n"
    assert f"{copy.prefix}/lib/native\0".encode() in (copy.prefix / "lib" / "native.bin").read_bytes()
    assert naming(copy.prefix, tiny.prefix) == []
    assert (list(envkit.check(copy, deep=True, host=conda_host)), list(envkit.check(tiny, deep=True, host=conda_host))) == ([], [])
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.core
def test_a_clone_has_what_was_asked_for_and_a_history_of_its_own(tiny: Environment, conda_host: Host) -> None:
    """Requested specs, pins and variables are the copy's, too; that a source is frozen is not."""
    meta = tiny.prefix / "conda-meta"
    (meta / "pinned").write_text("tiny <2\n")
    (meta / "frozen").write_text("")
    copy = envkit.clone(tiny, conda_host.cwd / "copy", host=conda_host)
    assert bookkeeping.requested(copy.prefix) == bookkeeping.requested(tiny.prefix)
    assert bookkeeping.pinned(copy.prefix) == ("tiny <2",)
    assert bookkeeping.frozen(copy.prefix) is None
    history = (copy.prefix / "conda-meta" / "history").read_text()
    assert "# cmd: envkit clone" in history
    assert history.count("==>") == 1
    assert str(copy.prefix) in (conda_host.home / ".conda" / "environments.txt").read_text().splitlines()


@pytest.mark.core
def test_unchanged_files_are_shared_and_rewritten_ones_are_not(tiny: Environment, conda_host: Host) -> None:
    """A file of a package without a prefix is the same file in both; a file that nobody owns is the copy's own."""
    (tiny.prefix / "notes.txt").write_text(f"mine, at {tiny.prefix}\n")
    copy = envkit.clone(tiny, conda_host.cwd / "copy", host=conda_host)
    one, two = (env.prefix / "share" / "tiny" / "version.txt" for env in (tiny, copy))
    assert one.stat().st_ino == two.stat().st_ino or one.stat().st_nlink == 1
    assert (copy.prefix / "notes.txt").read_text() == f"mine, at {copy.prefix}\n"
    assert (tiny.prefix / "notes.txt").read_text() == f"mine, at {tiny.prefix}\n"


@pytest.mark.core
def test_what_misses_a_file_is_not_cloned(tiny: Environment, conda_host: Host) -> None:
    """The error names the file, the place is empty, and nothing lies beside it."""
    (tiny.prefix / "share" / "tiny" / "version.txt").unlink()
    with pytest.raises(InstallError) as caught:
        envkit.clone(tiny, conda_host.cwd / "copy", host=conda_host)
    assert caught.value.code == "incomplete"
    assert "share/tiny/version.txt" in str(caught.value)
    assert sorted(os.listdir(conda_host.cwd)) == ["tiny"]


@pytest.mark.core
def test_a_place_that_is_too_long_is_said(tiny: Environment, conda_host: Host) -> None:
    """Where a binary file has no room for the new prefix the clone fails with the file's name, and nothing is left."""
    with pytest.raises(InstallError) as caught:
        envkit.clone(tiny, conda_host.cwd / ("long" * 40) / ("place" * 20), host=conda_host)
    assert caught.value.code == "prefix-too-long"
    assert "lib/native.bin" in str(caught.value)
    assert sorted(os.listdir(conda_host.cwd)) == ["tiny"]


@pytest.mark.core
def test_what_is_gone_or_edited_is_put_in_anew(tiny: Environment, conda_host: Host, package_cache: Path) -> None:
    """A file that was edited through a hard link is fetched anew, for the cache has the edited one; a missing one comes from the cache."""
    edited, gone = tiny.prefix / "share" / "posting" / "posting.txt", tiny.prefix / "bin" / "native-hello"
    with edited.open("a") as stream:
        stream.write("edited")
    gone.unlink()
    found = {problem.subject: problem.code for problem in envkit.check(tiny, deep=True, host=conda_host)}
    assert found == {"native": "package-broken", "posting": "package-altered"}
    assert envkit.repair(tiny, host=conda_host).prefix == tiny.prefix
    assert edited.read_text() == "posting\n"
    assert subprocess.run([gone], capture_output=True).returncode == 0
    assert list(envkit.check(tiny, deep=True, host=conda_host)) == []
    assert inventory.requested(tiny.prefix).keys() == {"tiny", "native", "variables", "posting"}
    cached = next(package_cache.glob("posting-1.0-*/share/posting/posting.txt"))
    assert cached.read_text() == "posting\n"


@pytest.mark.core
def test_a_moved_environment_is_made_true_for_its_place(tiny: Environment, conda_host: Host) -> None:
    """Text, binary files and records follow; a second repair finds nothing to do."""
    place = conda_host.cwd / "elsewhere with a blank"
    os.rename(tiny.prefix, place)
    mended = envkit.repair(place, host=conda_host)
    assert mended.problem is None
    assert subprocess.run([place / "bin" / "native-hello"], capture_output=True, text=True).stdout == f"hello from {place}\n"
    assert naming(place, tiny.prefix) == []
    assert list(envkit.check(place, deep=True, host=conda_host)) == []
    stamp = (place / "conda-meta" / "native-1.0-h0_0.json").stat().st_mtime_ns
    envkit.repair(place, host=conda_host)
    assert (place / "conda-meta" / "native-1.0-h0_0.json").stat().st_mtime_ns == stamp


@pytest.mark.core
def test_an_interrupted_change_is_taken_up(tiny: Environment, conda_host: Host) -> None:
    """After a kill between unlinking and linking, what was asked for is there again."""
    records.begin(tiny.prefix, "change", conda_host)
    (tiny.prefix / "conda-meta" / "native-1.0-h0_0.json").unlink()
    for file in ("bin/native-hello", "lib/native.bin", "lib/native-link.bin", "share/native/empty"):
        (tiny.prefix / file).unlink()
    mended = envkit.repair(tiny.prefix, host=conda_host)
    assert mended.problem is None
    assert subprocess.run([tiny.prefix / "bin" / "native-hello"], capture_output=True).returncode == 0
    assert list(envkit.check(mended, deep=True, host=conda_host)) == []


@pytest.mark.core
def test_records_of_another_kind_of_writer_are_followed(tiny: Environment, conda_host: Host) -> None:
    """conda says of a noarch Python package where a file lies in the package; its hash follows as well."""
    path = tiny.prefix / "conda-meta" / "native-1.0-h0_0.json"
    record = json.loads(path.read_text())
    record["files"] += ["lib/python3.12/site-packages/made.py"]
    made = tiny.prefix / "lib" / "python3.12" / "site-packages" / "made.py"
    made.parent.mkdir(parents=True)
    made.write_text(f"place = {str(tiny.prefix)!r}\n")
    digest = moving.identity(made.read_bytes())[0]
    entry = {"_path": "site-packages/made.py", "path_type": "hardlink", "prefix_placeholder": "/p", "file_mode": "text"}
    record["paths_data"]["paths"].append({**entry, "sha256": "0" * 64, "sha256_in_prefix": digest})
    path.write_text(json.dumps(record))
    copy = envkit.clone(tiny, conda_host.cwd / "copy", host=conda_host)
    new = json.loads((copy.prefix / "conda-meta" / path.name).read_text())["paths_data"]["paths"][-1]
    placed = copy.prefix / made.relative_to(tiny.prefix)
    assert placed.read_text() == f"place = {str(copy.prefix)!r}\n"
    assert (new["sha256_in_prefix"], new["sha256"]) == (moving.identity(placed.read_bytes())[0], "0" * 64)


@pytest.mark.core
def test_an_installation_of_conda_is_cloned_without_its_environments(tiny: Environment, conda_host: Host) -> None:
    """`pkgs` and `envs` below a base environment are not a part of it."""
    for name in ("pkgs", "envs"):
        (tiny.prefix / name / "inner").mkdir(parents=True)
    copy = conda_host.cwd / "copy"
    moving.clone(tiny.prefix, copy, Work(host=conda_host), told=lambda _, __: None)
    assert not {"pkgs", "envs", ".envkit"} & set(os.listdir(copy))


@pytest.mark.core
def test_a_plain_interpreter_is_neither_cloned_nor_repaired(interpreters: dict[str, Path], conda_host: Host) -> None:
    """The error says that it is no environment of either kind."""
    prefix = next(iter(interpreters.values())).parent.parent
    verbs: tuple[Callable[[], object], ...] = (
        lambda: envkit.clone(prefix, conda_host.cwd / "copy", host=conda_host),
        lambda: envkit.repair(prefix, host=conda_host),
    )
    for verb in verbs:
        with pytest.raises(RefusedError) as caught:
            verb()
        assert caught.value.code == "not-a-venv"


def test_a_clone_with_python_runs(whole: Environment, conda_host: Host) -> None:
    """Interpreter, pip, entry points and PyPI's scripts run from the new place, also with a blank in it, and pip finds nothing wrong."""
    copy = envkit.clone(whole, conda_host.cwd / "ein Stück weiter", host=conda_host)
    assert copy.python is not None
    for argv in ([copy.python, "-m", "pip", "check"], [copy.prefix / "bin" / "pip", "--version"], [copy.prefix / "bin" / "ontop"]):
        ran = subprocess.run(argv, capture_output=True, text=True, env={"PATH": os.environ["PATH"]})
        assert ran.returncode == 0, ran.stderr
    said = subprocess.run([copy.python, "-c", "import sys, ssl, ontop; print(sys.prefix, ontop.__file__)"], capture_output=True, text=True)
    assert said.stdout.startswith(f"{copy.prefix} {copy.prefix}/lib/")
    assert naming(copy.prefix, whole.prefix) == []
    assert list(envkit.check(copy, deep=True, host=conda_host)) == []


def test_a_moved_environment_with_python_runs(whole: Environment, conda_host: Host) -> None:
    """After it was moved and repaired its scripts run there, PyPI's too, and RECORD agrees."""
    place = conda_host.cwd / "moved"
    os.rename(whole.prefix, place)
    envkit.repair(place, host=conda_host)
    for script in ("pip", "ontop"):
        ran = subprocess.run([place / "bin" / script, "--version"], capture_output=True, text=True)
        assert ran.returncode == 0, ran.stderr
    assert naming(place, whole.prefix) == []
    assert list(envkit.check(place, deep=True, host=conda_host)) == []
