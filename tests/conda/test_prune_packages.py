"""prune and conda: packages that no environment links to go from envkit's own cache, and what a killed create left beside its place."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from support.conda_channel import Channel

import envkit
from envkit import records
from envkit.conda import caches
from envkit.control import Work
from envkit.host import Host

pytest.importorskip("rattler")
pytestmark = pytest.mark.core


def names(host: Host) -> set[str]:
    """Return the packages in envkit's own cache."""
    return {package.name for package in caches.packages(caches.own(host))}


def test_what_an_environment_links_to_stays(tiny_channel: Channel, host: Host) -> None:
    """After one of two environments is gone its packages go, those of the other stay, and the other is whole."""
    one = envkit.create(host.cwd / "one", conda=["tiny=1.0", "leaf"], channels=[tiny_channel.url], host=host)
    two = envkit.create(host.cwd / "two", conda=["tiny=2.0"], channels=[tiny_channel.url], host=host)
    everything = {"tiny-1.0-h0_0", "leaf-1.0-h0_0", "tiny-2.0-h0_0"}
    assert names(host) == everything
    assert list(envkit.prune(host=host)) == []
    envkit.remove(one, host=host)
    (announced,) = envkit.prune(dry_run=True, host=host)
    assert not announced.done
    assert names(host) == everything
    (removal,) = envkit.prune(host=host)
    assert removal.done
    assert {path.name for path in removal.paths} == {"tiny-1.0-h0_0", "leaf-1.0-h0_0"}
    assert removal.size > 0
    assert names(host) == {"tiny-2.0-h0_0"}
    assert list(envkit.check(two, deep=True, host=host)) == []
    envkit.create(host.cwd / "again", conda=["tiny=1.0"], channels=[tiny_channel.url], host=host)


def test_what_was_used_lately_stays_as_long_as_it_is_told(tiny_channel: Channel, host: Host) -> None:
    """Within `max_age`, and while it fits into `max_bytes`, a package that nobody links to stays for the next create."""
    env = envkit.create(host.cwd / "one", conda=["tiny=1.0", "leaf"], channels=[tiny_channel.url], host=host)
    envkit.remove(env, host=host)
    assert list(envkit.prune(max_age=timedelta(hours=1), host=host)) == []
    assert list(envkit.prune(max_bytes=10_000_000, host=host)) == []
    (removal,) = envkit.prune(max_bytes=0, host=host)
    assert len(removal.paths) == 2
    assert names(host) == set()


def test_a_configured_cache_is_left_to_its_owner(tiny_channel: Channel, conda_host: Host, package_cache: Path) -> None:
    """What lies in the cache of a conda that is configured stays, whoever linked it."""
    env = envkit.create(conda_host.cwd / "one", conda=["leaf"], channels=[tiny_channel.url], host=conda_host)
    envkit.remove(env, host=conda_host)
    assert list(envkit.prune(host=conda_host)) == []
    assert "leaf-1.0-h0_0" in {package.name for package in caches.packages(package_cache)}


def test_while_an_engine_links_nothing_goes(tiny_channel: Channel, host: Host) -> None:
    """An engine that is linking holds the cache's lock, and prune does not wait for it."""
    env = envkit.create(host.cwd / "one", conda=["leaf"], channels=[tiny_channel.url], host=host)
    envkit.remove(env, host=host)
    with caches.locked(caches.own(host), Work(host=host)) as held:
        assert held
        assert list(envkit.prune(host=host)) == []
    assert len(envkit.prune(host=host)) == 1


def test_what_a_killed_create_left_beside_its_place_goes(host: Host) -> None:
    """It is found by its name, and stays while somebody holds the lock of its place."""
    place = records.environments_directory(host)
    left = place / ".envkit-new-named-0123abcd"
    (left / "conda-meta").mkdir(parents=True)
    with records.locked(place / "named", Work(host=host)):
        assert list(envkit.prune(host=host)) == []
    (removal,) = envkit.prune(host=host)
    assert removal.paths == (left,)
    assert os.listdir(place) == []
