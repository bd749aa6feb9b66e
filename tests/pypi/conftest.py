"""Real environments of the machine's Pythons, a directory of wheels, and a world for each installer."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from packaging.version import Version
from support.packages import MakeEnvironment
from support.wheels import make_wheel

from envkit.control import Work
from envkit.events import Event
from envkit.host import Host
from envkit.models.environment import Environment
from envkit.models.specs import Sources
from envkit.pypi.installers import find_uv


def running_minor() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture(scope="session")
def make_environment(tmp_path_factory: pytest.TempPathFactory, interpreters: dict[str, Path]) -> MakeEnvironment:
    """Make a fresh virtual environment without pip, of the running Python or of a minor version; skip where that is not here."""
    versions: dict[str, Version] = {}
    templates: dict[str, Path] = {}

    def make(minor: str | None = None) -> Environment:
        minor = minor or running_minor()
        if minor not in interpreters:
            pytest.skip(f"no Python {minor} here")
        base = interpreters[minor]
        prefix = tmp_path_factory.mktemp("environments") / "env"
        if minor not in versions:
            templates[minor] = tmp_path_factory.mktemp("templates") / "env"
            subprocess.run([base, "-I", "-m", "venv", "--without-pip", templates[minor]], check=True, timeout=60)
            ask = [base, "-I", "-c", "import platform; print(platform.python_version())"]
            versions[minor] = Version(subprocess.run(ask, check=True, capture_output=True, text=True, timeout=60).stdout.strip())
        shutil.copytree(templates[minor], prefix, symlinks=True)  # its activation scripts name another place: nothing here reads them
        return Environment(
            prefix=prefix,
            kind="venv",
            python=prefix / "bin" / "python",
            version=versions[minor],
            implementation="cpython",
            base=base.parent.parent,
        )

    return make


@pytest.fixture
def env(make_environment: MakeEnvironment) -> Environment:
    """A fresh environment of the running Python."""
    return make_environment()


@pytest.fixture(scope="session")
def shared_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One data directory for all tests of the room, so that pip is fetched once."""
    return tmp_path_factory.mktemp("data") / "envkit"


@pytest.fixture(params=["uv", "pip"])
def by(request: pytest.FixtureRequest, host: Host, shared_data: Path) -> Host:
    """A world where uv installs, and one where pip does; nobody waits for a dead index."""
    if request.param == "uv":
        pytest.importorskip("uv")
    return world(host, shared_data, request.param)


@pytest.fixture
def any_tool(host: Host, shared_data: Path) -> Host:
    """A world of the quicker installer, for promises that do not hang on which it is."""
    return world(host, shared_data, "uv" if find_uv(host) else "pip")


def world(host: Host, data: Path, tool: str) -> Host:
    environ = {**host.environ, "ENVKIT_INSTALLER": tool, "UV_HTTP_RETRIES": "0", "PIP_RETRIES": "0"}
    return replace(host, environ=environ, data=data)


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of wheels: alpha 1.0, 2.0 and 3.0rc1, beta (needs alpha, extras "more" and "all"), gamma, newer (Python 4)."""
    directory = tmp_path_factory.mktemp("wheels")
    for version in ("1.0", "2.0", "3.0rc1"):
        make_wheel(directory, "alpha", version, scripts={"alpha": "alpha:main"})
    make_wheel(directory, "beta", "1.0", ["alpha>=1"], {"more": ["gamma-ray>=1; python_version>='3'"], "all": ["beta[more]"]})
    make_wheel(directory, "gamma-ray", "1.5")
    make_wheel(directory, "newer", "1.0", requires_python=">=4")
    return directory


@pytest.fixture
def offline(wheels: Path) -> Sources:
    """Nothing but the directory of wheels."""
    return Sources(find_links=(str(wheels),), configuration="isolated")


@pytest.fixture
def heard(by: Host) -> SimpleNamespace:
    """A work without the network and the events it told."""
    events: list[Event] = []
    return SimpleNamespace(work=Work(host=by, offline=True, report=events.append), events=events)
