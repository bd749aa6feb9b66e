"""What tests of conda share: the tiny channel, the one with Python, and a package cache for the session."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from support import conda_channel
from support.conda_channel import Channel

from envkit.host import Host


@pytest.fixture(scope="session")
def tiny_channel() -> Channel:
    """The channel of tiny packages, none of which needs Python."""
    return conda_channel.tiny()


@pytest.fixture(scope="session")
def channel() -> Channel:
    """The channel with real Pythons, pip and ipykernel; made in a minute at most when it is asked for the first time."""
    if sys.platform != "linux":
        pytest.skip("a Python is repacked on Linux alone")
    uv = pytest.importorskip("uv")
    return conda_channel.full(uv.find_uv_bin())


@pytest.fixture(scope="session")
def package_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package cache for all tests of the session, so that Python is unpacked once. Never write into a file that is linked from it."""
    return tmp_path_factory.mktemp("pkgs")


@pytest.fixture
def conda_host(host: Host, package_cache: Path) -> Host:
    """The test's own world, with the session's package cache."""
    return replace(host, environ={**host.environ, "CONDA_PKGS_DIRS": str(package_cache)})
