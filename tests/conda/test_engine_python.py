"""The embedded engine with real Pythons: what is linked for one of them, what goes with it, and what other tools left."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from support.conda_channel import Channel

from envkit.conda import configuration, rattler
from envkit.conda.request import Outcome, Wish
from envkit.control import Work
from envkit.errors import InstallError, RefusedError
from envkit.host import Host

Act = Callable[..., Outcome]


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    return tmp_path / "environment"


@pytest.fixture
def act(conda_host: Host, channel: Channel, prefix: Path) -> Act:
    """Carry out a wish for `prefix` with the channel that has Pythons."""

    def carry_out(*, host: Host = conda_host, **wish: object) -> Outcome:
        settings = configuration.read(host, channels=[channel.url, "nodefaults"])
        full = Wish(**{"prefix": prefix, **wish})  # type: ignore[arg-type]
        return rattler.carry_out(full, settings, work=Work(host=host))

    return carry_out


def minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


def python(prefix: Path, code: str) -> str:
    done = subprocess.run([prefix / "bin/python", "-c", code], capture_output=True, text=True, env={})  # so that it writes bytecode
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def as_conda_writes_it(record: Path) -> None:
    """Rewrite the record of a noarch Python package as conda writes it: `paths_data` says where the files lie in the archive."""
    said = json.loads(record.read_text())
    for entry in said["paths_data"]["paths"]:
        start, found, rest = entry["_path"].partition("site-packages/")
        entry["_path"] = f"site-packages/{rest}" if found and start else entry["_path"]
    said.pop("requested_specs", None)
    record.write_text(json.dumps({**said, "requested_spec": "six"}, indent=2, sort_keys=True))


def test_a_python_with_pip_runs_where_it_is_and_knows_itself(act: Act, prefix: Path, channel: Channel) -> None:
    wanted = minor(channel.pythons[0])
    outcome = act(create=True, install=(f"python={wanted}", "pip"))
    assert {package.name for package in outcome.after} >= {"python", "pip"}
    assert python(prefix, "import sys; print(sys.prefix)") == str(prefix)
    shown = subprocess.run([prefix / "bin/pip", "--version"], capture_output=True, text=True).stdout
    assert str(prefix) in shown


def test_a_package_that_conda_installed_is_removed_without_a_trace(act: Act, prefix: Path, channel: Channel) -> None:
    act(create=True, install=(f"python={minor(channel.pythons[0])}", "six"))
    (record,) = prefix.glob("conda-meta/six-*.json")
    as_conda_writes_it(record)
    python(prefix, "import six")
    assert list(prefix.rglob("six*.pyc"))
    outcome = act(remove=("six",))
    assert [package.name for package in outcome.unlinked] == ["six"]
    assert [path for path in prefix.rglob("six*") if "test" not in path.parts] == []
    assert [path for path in prefix.rglob("__pycache__") if not any(path.iterdir())] == []


def test_another_python_takes_the_noarch_packages_along(act: Act, prefix: Path, channel: Channel) -> None:
    if len({minor(version) for version in channel.pythons}) < 2:
        pytest.skip("this machine has one Python to repack")
    new, old = map(minor, channel.pythons[:2])
    act(create=True, install=(f"python={old}", "six"))
    (record,) = prefix.glob("conda-meta/six-*.json")
    as_conda_writes_it(record)
    outcome = act(install=(f"python={new}",))
    assert {"python", "six"} <= {package.name for package in outcome.linked}
    assert python(prefix, "import six, sys; print(sys.version_info[1])") == new.partition(".")[2]
    assert not list((prefix / f"lib/python{old}").rglob("six*"))


def test_what_is_installed_besides_keeps_the_minor_version_of_python(act: Act, channel: Channel) -> None:
    if len({minor(version) for version in channel.pythons}) < 2:
        pytest.skip("this machine has one Python to repack")
    new, old = map(minor, channel.pythons[:2])
    act(create=True, install=(f"python={old}",))
    assert act(update=()).linked == ()
    with pytest.raises(InstallError) as caught:
        act(install=(f"python_abi={new}",))
    assert caught.value.code == "conflict"
    assert f"python {old}.*" in str(caught.value) or f"python={old}" in str(caught.value)


def test_what_pip_installed_is_not_overwritten(act: Act, prefix: Path, channel: Channel) -> None:
    wanted = minor(channel.pythons[0])
    act(create=True, install=(f"python={wanted}",))
    mine = prefix / f"lib/python{wanted}/site-packages/six.py"
    mine.write_text("mine = True\n")
    with pytest.raises(RefusedError) as caught:
        act(install=("six",))
    assert caught.value.code == "foreign-files"
    assert "pip" in (caught.value.hint or "")
    assert mine.read_text() == "mine = True\n"


def test_modules_are_compiled_when_that_is_asked_for_and_go_with_their_package(
    act: Act, prefix: Path, channel: Channel, conda_host: Host
) -> None:
    compiling = replace(conda_host, environ={**conda_host.environ, "ENVKIT_CONDA_COMPILE": "on"})
    act(create=True, install=(f"python={minor(channel.pythons[0])}", "six"), host=compiling)
    assert list(prefix.rglob("site-packages/__pycache__/six*.pyc"))
    act(remove=("six",))
    assert not list(prefix.rglob("site-packages/__pycache__"))
