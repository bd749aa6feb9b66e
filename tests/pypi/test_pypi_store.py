"""The pip outside of every environment: which one is taken, how it comes, and what is done without a network."""

from __future__ import annotations

import sys
import threading
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from packaging.version import Version
from support.packages import MakeEnvironment, install, names
from support.wheels import dead_index

from envkit import pypi
from envkit.control import Work
from envkit.errors import MachineError, NetworkError, NotFoundError
from envkit.host import Host
from envkit.models.environment import Environment
from envkit.models.specs import Sources
from envkit.pypi import pip_store
from envkit.pypi.pip_store import pip_for


def test_pips_own_requirement_decides(host: Host, make_environment: MakeEnvironment, shared_data: Path) -> None:
    """A Python that the newest pip refuses gets an older one; each is fetched once."""
    host = replace(host, data=shared_data)
    old, new = pip_for(make_environment("3.8"), Work(host=host)), pip_for(make_environment(), Work(host=host))
    assert old.version < Version("25.1") <= new.version
    assert not old.bundled
    assert old.requires_python.contains("3.8.18")
    assert (old.package / "__main__.py").is_file()
    assert not list(old.package.parent.glob("*.dist-info"))
    assert pip_for(make_environment("3.8"), Work(host=host, offline=True)) == old
    assert shared_data.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("minor", [None, "3.8"])
def test_without_a_network_the_bundled_one_serves(
    host: Host, make_environment: MakeEnvironment, minor: str | None, offline: Sources
) -> None:
    """Offline, with nothing stored, the pip that came with the running Python or with the target's base installs."""
    env = make_environment(minor)
    if not list(Path(sys.base_prefix).glob("lib/python3*/ensurepip/_bundled/pip-*.whl")):
        pytest.skip("this Python brings no pip")
    host = replace(host, environ={**host.environ, "ENVKIT_INSTALLER": "pip"})
    assert [package.name for package in install(env, host, "alpha", sources=offline).added] == ["alpha"]
    assert pip_for(env, Work(host=host, offline=True)).bundled


@pytest.mark.core
def test_pip_is_seeded_without_a_network(by: Host, env: Environment, tmp_path: Path) -> None:
    """Where only pip is missing and the index cannot be reached, it comes from the store; it is no direct reference then."""
    if not list(Path(sys.base_prefix).glob("lib/python3*/ensurepip/_bundled/pip-*.whl")):
        pytest.skip("this Python brings no pip")
    dead = Sources(indexes=(dead_index(),), configuration="isolated")
    changes = pypi.install(env, ["pip"], sources=dead, work=Work(host=by))
    assert [(package.name, package.url) for package in changes.added] == [("pip", None)]
    assert pypi.broken(env, by) == ()
    with pytest.raises(NetworkError):
        pypi.install(env, ["pip", "alpha"], sources=dead, work=Work(host=by), reinstall=True)


def test_none_to_be_had_is_an_error_that_says_what_to_do(host: Host, env: Environment) -> None:
    """No stored, no fetched and no bundled pip that supports the target."""
    impossible = replace(env, version=Version("2.7.18"))
    with pytest.raises(NotFoundError) as raised:
        pip_for(impossible, Work(host=host, offline=True))
    assert raised.value.code == "installer-not-found"
    assert "uv" in (raised.value.hint or "")


def test_a_bundled_one_is_replaced_as_soon_as_it_can_be(host: Host, env: Environment) -> None:
    """What came with a Python serves only until a newer pip can be fetched."""
    bundled = pip_for(env, Work(host=host, offline=True))
    fetched = pip_for(env, Work(host=host))
    assert bundled.bundled
    assert not fetched.bundled
    assert fetched.version >= bundled.version
    assert pip_for(env, Work(host=host)) == fetched


def test_four_at_once_find_one_whole_pip(host: Host, env: Environment) -> None:
    """Whoever comes second finds the first one's; nothing half unpacked is ever seen, nothing is left behind."""
    found: list[pip_store.StoredPip] = []
    failed: list[BaseException] = []

    def fetch() -> None:
        try:
            found.append(pip_for(env, Work(host=host, offline=True)))
        except BaseException as error:  # noqa: BLE001 - told to the test
            failed.append(error)

    threads = [threading.Thread(target=fetch) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert len({stored.package for stored in found}) == 1
    assert not list((host.data / "cache" / "pip").glob(".new-*"))


@pytest.mark.parametrize("member", ["pip/../../evil.py", "/pip/x", "pip/..\\x", "pip//x", "c:/pip/x", "../pip/x.py"])
def test_a_wheel_that_leads_elsewhere_is_refused(host: Host, tmp_path: Path, member: str) -> None:
    """No member of an archive is ever written outside of the store."""
    wheel = tmp_path / "pip-99.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("pip/__init__.py", "")
        archive.writestr("pip-99.0.dist-info/METADATA", "Name: pip\nVersion: 99.0\n")
        archive.writestr(zipfile.ZipInfo(member), "evil")
    with pytest.raises(MachineError) as raised:
        pip_store._unpack(wheel, host, bundled=True)
    assert raised.value.code == "wheel"
    assert not list(host.data.rglob("evil.py"))
    assert not (host.data / "cache" / "pip" / "99.0").exists()


def test_a_half_made_store_is_not_believed(host: Host, env: Environment) -> None:
    """A directory without METADATA or wheel is no stored pip."""
    (host.data / "cache" / "pip" / "99.0" / "pip").mkdir(parents=True)
    stored = pip_for(env, Work(host=host, offline=True))
    assert stored.version < Version("99")
    assert names(env, host) == {}
