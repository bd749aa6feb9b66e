"""conda environments when things go wrong on the way: what is refused, what is taken back, and what is never left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from support import conda_channel
from support.conda_channel import Channel
from support.conda_server import serve_channel
from support.patience import LONG, until

import envkit
from envkit import Host, Sources, Spec
from envkit.cli.main import main
from envkit.conda.command_lines import refuse_date
from envkit.conda.request import Wish
from envkit.formats.values import from_json, to_json
from envkit.match_specs import checked
from envkit.models.views import view

_OLD = Sources(exclude_newer=datetime(2000, 1, 1, tzinfo=timezone(timedelta(hours=5))))


def files_below(directory: Path) -> set[str]:
    return {str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file() or path.is_symlink()}


def test_time_that_is_up_is_told_as_such(tiny_channel: Channel, host: Host) -> None:
    """A create whose time is up is a DeadlineError, which may be called again, and leaves nothing at its place or beside it."""
    with serve_channel(tiny_channel.path, rate=200.0) as served, pytest.raises(envkit.DeadlineError) as raised:
        envkit.create("late", conda=["native"], channels=[served.url], timeout=1.5, host=host)
    assert (raised.value.code, raised.value.retryable) == ("deadline", True)
    assert not (host.data / "environments").exists()


def test_a_change_that_fails_half_way_is_taken_back(tiny_channel: Channel, host: Host, tmp_path: Path) -> None:
    """One package that is not what its hash says: those that were linked before it go, and those that went come back, as asked for."""
    spoiled = conda_channel.spoiled(tiny_channel, tmp_path / "spoiled", "native", "sha256")
    made = envkit.create("whole", conda=["tiny=1", "rebuilt"], channels=[tiny_channel.url], host=host)
    before = files_below(made.prefix)
    with serve_channel(spoiled.path) as served, pytest.raises(envkit.InstallError) as raised:
        envkit.install("whole", conda=["tiny=2", "native", "leaf"], channels=[served.url], host=host)
    assert raised.value.code == "hash-mismatch"
    assert [(package.name, package.version, package.requested) for package in envkit.installed("whole", host=host)] == [
        ("rebuilt", "1.0", True),
        ("tiny", "1.0", True),
    ]
    assert files_below(made.prefix) == before
    assert envkit.check("whole", deep=True, host=host) == ()


def test_a_change_that_was_neither_finished_nor_taken_back_is_seen(tiny_channel: Channel, conda_host: Host) -> None:
    """Where the journal of a change is left the environment stays marked; the next change clears away what it names, and the mark goes."""
    made = envkit.create("torn", conda=["tiny=1"], channels=[tiny_channel.url], host=conda_host)
    (made.prefix / "conda-meta/envkit-linking").write_text(json.dumps(["share/left.txt"]))
    (made.prefix / "share/left.txt").write_text("linked, and then killed")
    (made.prefix / "conda-meta/prefix_record_aB3dE9").write_text("{")
    with pytest.raises(envkit.NetworkError):  # asked before anything is cleared away
        envkit.install("torn", conda=["leaf"], channels=["file:///no/such/channel"], host=conda_host)
    envkit.install("torn", conda=["leaf"], host=conda_host)
    assert not (made.prefix / "share/left.txt").exists()
    assert not (made.prefix / "conda-meta/prefix_record_aB3dE9").exists()
    assert envkit.check("torn", host=conda_host) == ()


@pytest.mark.skipif(sys.platform == "win32", reason="a job ends its processes there")
def test_the_engine_ends_with_the_process_that_called(tiny_channel: Channel, host: Host) -> None:
    """A caller that is killed takes its download along: the next call gets the lock at once, and makes the environment."""
    call = "import sys, envkit; envkit.create('again', conda=['native'], channels=[sys.argv[1]])"
    with serve_channel(tiny_channel.path, rate=50.0) as served:
        environ = {**host.environ, "PYTHONPATH": os.pathsep.join(sys.path), "ENVKIT_HOME": str(host.data)}
        caller = subprocess.Popen([sys.executable, "-c", call, served.url], env=environ)
        assert until(lambda: any(path.endswith(".conda") for path in served.requests))
        caller.send_signal(signal.SIGKILL)
        caller.wait()
        here = replace(host, environ=environ)
        made = envkit.create("again", conda=["tiny"], channels=[tiny_channel.url], timeout=LONG, host=here)
    assert os.listdir(made.prefix.parent) == ["again"]


@pytest.mark.core
def test_packages_newer_than_a_date_do_not_count(tiny_channel: Channel, conda_host: Host) -> None:
    """`exclude_newer` holds for conda's packages in each verb that solves; the error says the date, in UTC."""
    spec = Spec(name="dated", conda=("tiny",), channels=(tiny_channel.url,), sources=_OLD)
    for verb in (envkit.create, envkit.ensure, envkit.plan, envkit.lock):
        with pytest.raises(envkit.InstallError, match="1999-12-31 19:00 UTC") as raised:
            verb(spec, host=conda_host)
        assert (raised.value.code, raised.value.package) == ("no-matching-version", "tiny")
    late = replace(spec, sources=Sources(exclude_newer=datetime(2100, 1, 1, tzinfo=UTC)))
    assert [package.version for package in envkit.plan(late, host=conda_host).changes.added] == ["2.0"]


def test_what_is_installed_stays_though_it_is_newer_than_a_date(tiny_channel: Channel, conda_host: Host) -> None:
    """Beside a date nothing newer is installed, and what is there already is neither an obstacle nor taken back."""
    envkit.create("kept", conda=["tiny=1"], channels=[tiny_channel.url], host=conda_host)
    envkit.install("kept", conda=["tiny"], host=conda_host)
    assert not envkit.install("kept", conda=["tiny"], sources=_OLD, host=conda_host)
    with pytest.raises(envkit.InstallError, match=r"leaf 1\.0 is newer than exclude_newer allows"):
        envkit.install("kept", conda=["leaf"], sources=_OLD, host=conda_host)
    assert envkit.outdated("kept", sources=_OLD, host=conda_host) == ()
    assert not envkit.upgrade("kept", "tiny", sources=_OLD, host=conda_host)
    assert [item.latest for item in envkit.outdated("kept", host=conda_host)] == ["2.0"]


def test_the_tools_of_the_machine_refuse_a_date(tmp_path: Path) -> None:
    """conda, mamba and micromamba cannot limit by date in all their versions: that is said, and not passed over."""
    wish = Wish(prefix=tmp_path, create=True, install=("tiny",), exclude_newer=_OLD.exclude_newer)
    with pytest.raises(envkit.UsageError, match="mamba cannot leave out") as raised:
        refuse_date(wish, "mamba")
    assert raised.value.code == "exclude-newer"
    refuse_date(replace(wish, exclude_newer=None), "mamba")


@pytest.mark.core
@pytest.mark.skipif(sys.platform == "win32", reason="such paths are ordinary there, or not allowed")
@pytest.mark.parametrize("name", ["it's", 'a "quote"', "back`quote", "$HOME", "back\\slash"])
def test_a_path_that_packages_cannot_hold_is_refused_before_anything_is_written(
    name: str, tiny_channel: Channel, conda_host: Host, tmp_path: Path
) -> None:
    """Packages write the path of their environment between quotation marks: what ends or changes such a text is refused, by clone, too."""
    place = tmp_path / name / "env"
    with pytest.raises(envkit.RefusedError, match="between quotation marks") as raised:
        envkit.create(place, conda=["tiny"], channels=[tiny_channel.url], host=conda_host)
    assert raised.value.code == "path"
    envkit.create("source", conda=["tiny"], channels=[tiny_channel.url], host=conda_host)
    with pytest.raises(envkit.RefusedError, match="between quotation marks"):
        envkit.clone("source", place, host=conda_host)
    assert not place.parent.exists()


@pytest.mark.core
@pytest.mark.parametrize("channel", ["", " ", "-c", "no channel", "http://", "ftp://example.org/channel", "file://", "/"])
def test_a_text_that_is_no_channel_is_refused(channel: str, tiny_channel: Channel, conda_host: Host) -> None:
    """What can be neither a name nor a path nor the URL of a channel is told as such, without asking the network."""
    for call in (
        lambda: envkit.create("none", conda=["tiny"], channels=[channel], host=conda_host),
        lambda: envkit.install("some", conda=["leaf"], channels=[channel], host=conda_host),
    ):
        if not (conda_host.data / "environments/some").exists():
            envkit.create("some", conda=["tiny"], channels=[tiny_channel.url], host=conda_host)
        with pytest.raises(envkit.UsageError) as raised:
            call()
        assert raised.value.code == "channel"


@pytest.mark.parametrize("text", ["<html>log in</html>", "", "[]", '{"packages": {"tiny-1.0'])
def test_a_channel_that_answers_with_something_else(text: str, conda_host: Host, tmp_path: Path) -> None:
    """A page to log in, or half an answer, is no list of packages, and no fault of the packages: a NetworkError says so."""
    for subdirectory in ("noarch", "linux-64"):
        (tmp_path / "channel" / subdirectory).mkdir(parents=True)
        (tmp_path / "channel" / subdirectory / "repodata.json").write_text(text)
    with serve_channel(tmp_path / "channel") as served, pytest.raises(envkit.NetworkError, match="something else than a list"):
        envkit.create("none", conda=["tiny"], channels=[served.url], host=conda_host)


@pytest.mark.core
def test_a_spec_that_is_sent_holds_no_credentials() -> None:
    """`to_json` and the view of a spec leave passwords and tokens of channels out; variables that stand for them stay."""
    spec = Spec(
        conda=("tiny",), channels=("https://bob:secret@example.org/a", "https://example.org/t/secret/b", "https://$USER@example.org/c")
    )
    sent = to_json(spec)
    assert "secret" not in f"{sent}{view(spec)!r}"
    assert from_json(sent, Spec).channels == ("https://example.org/a", "https://example.org/b", "https://$USER@example.org/c")


@pytest.mark.core
def test_what_several_specs_say_of_a_package_holds_together(tiny_channel: Channel, conda_host: Host) -> None:
    """A later, wider spec does not undo an earlier one; what cannot hold together is an error and never passed over."""
    assert checked(["numpy<2", "scipy", "numpy", "numpy 1.0|>=1.5"]) == ("numpy <2,(==1.0|>=1.5)", "scipy")
    with pytest.raises(envkit.UsageError, match="cannot both hold"):
        checked(["one::numpy", "two::numpy"])
    envkit.create("both", conda=["tiny<2", "tiny"], channels=[tiny_channel.url], host=conda_host)
    assert [package.version for package in envkit.installed("both", host=conda_host)] == ["1.0"]
    with pytest.raises(envkit.InstallError, match="no version of tiny"):
        envkit.create("neither", conda=["tiny=1", "tiny=2"], channels=[tiny_channel.url], host=conda_host)


def test_extras_in_an_environment_file_are_passed_over_as_conda_does(tmp_path: Path, host: Host) -> None:
    """conda's packages have no extras, files of known projects name some, and conda passes over them."""
    path = tmp_path / "environment.yml"
    path.write_text("dependencies:\n  - nbconvert[execute]!=6.0.0,!=6.0.1\n  - tiny[build_number=1]\n")
    assert envkit.read_spec(path, host=host).conda == ("nbconvert!=6.0.0,!=6.0.1", "tiny[build_number=1]")


def test_an_error_in_the_pip_section_of_an_environment_file_names_the_file(tmp_path: Path, host: Host) -> None:
    """A checkout that does not say which package it is cannot be asked for; the error counts no lines of the section alone."""
    path = tmp_path / "environment.yml"
    path.write_text("dependencies:\n  - pip\n  - pip:\n    - git+https://github.com/dask/distributed\n")
    with pytest.raises(envkit.UsageError, match=r"environment\.yml: git\+https\S+ does not say which package it is"):
        envkit.read_spec(path, host=host)


@pytest.mark.core
def test_the_command_line_exports_an_environment_file(
    tiny_channel: Channel, conda_host: Host, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What `envkit export` prints of a conda environment is an environment.yml unless something else is wanted."""
    made = envkit.create("told", conda=["tiny=1"], channels=[tiny_channel.url], host=conda_host)
    for name, value in conda_host.environ.items():
        monkeypatch.setenv(name, value)
    assert main(["export", str(made.prefix)]) == 0
    assert "- tiny=1.0=h0_0" in capsys.readouterr().out


def test_a_frozen_environment_takes_no_package_of_pypi(channel: Channel, conda_host: Host) -> None:
    """Frozen is frozen (CEP 22): neither conda's packages nor PyPI's are put into such an environment, or taken out of it."""
    made = envkit.create("ice", conda=["python", "six"], channels=[channel.url], host=conda_host)
    (made.prefix / "conda-meta/frozen").write_text("{}")
    for change in (lambda: envkit.install("ice", "iniconfig", host=conda_host), lambda: envkit.uninstall("ice", "six", host=conda_host)):
        with pytest.raises(envkit.RefusedError) as raised:
            change()
        assert raised.value.code == "frozen"
    assert envkit.resolve("ice", host=conda_host).problem is None
