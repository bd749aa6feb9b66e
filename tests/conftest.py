"""What all tests share: a private outside world, the real interpreters of this machine, and nothing of the caller's variables."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from envkit.host import Host

# no example fails because the machine stalled while it was drawn or tried
hypothesis.settings.register_profile("patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("patient")

_KEPT = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "PIP_CERT")
_KEPT_PREFIXES = (
    "PIP_INDEX",
    "PIP_FIND",
    "PIP_CACHE",
    "UV_INDEX",
    "UV_DEFAULT_INDEX",
    "UV_CACHE",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "http_proxy",
)


_TOGETHER = ("real", "notebook")
"""Directories whose tests share what takes half a minute to make: one worker runs them all."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what pip does, which takes seconds where uv needs none."""
    for item in items:
        if isinstance(item, pytest.Function) and hasattr(item, "callspec") and "pip" in item.callspec.params.values():
            item.add_marker(pytest.mark.by_pip)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep together what shares expensive fixtures, with `--dist loadgroup`: from pytest 9.2 on xdist 3.8 does not see its own marks."""
    if config.getvalue("dist") != "loadgroup":
        return None
    from xdist.scheduler import LoadGroupScheduling

    class Together(LoadGroupScheduling):
        def _split_scope(self, nodeid: str) -> str:
            room = Path(nodeid.partition("::")[0]).parent.name
            return room if room in _TOGETHER else nodeid

    return Together(config, log)


def private_environ(home: Path) -> dict[str, str]:
    """Return variables for a world of its own below `home`; caches of pip and uv stay the user's, so that tests are fast."""
    kept = {name: value for name, value in os.environ.items() if name in _KEPT or name.startswith(_KEPT_PREFIXES)}
    real_home = Path.home()
    return {
        **kept,
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "PIP_CACHE_DIR": os.environ.get("PIP_CACHE_DIR", str(real_home / ".cache" / "pip")),
        "UV_CACHE_DIR": os.environ.get("UV_CACHE_DIR", str(real_home / ".cache" / "uv")),
        "JUPYTER_DATA_DIR": str(home / "jupyter"),
        "JUPYTER_RUNTIME_DIR": str(home / "jupyter-runtime"),
        "JUPYTER_CONFIG_DIR": str(home / "jupyter-config"),
        "IPYTHONDIR": str(home / "ipython"),
        "ENVKIT_HOME": str(home / "envkit"),
    }


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """This machine with a home, data and working directory of the test's own."""
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    environ = private_environ(home)
    return Host(root=Path("/"), environ=environ, platform=sys.platform, home=home, cwd=work, data=home / "envkit")


@pytest.fixture(autouse=True)
def _nothing_of_the_caller(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the caller's home, Jupyter directories and envkit data out of every test, also where no Host is passed."""
    home = tmp_path_factory.mktemp("caller")
    for name in list(os.environ):
        if name.startswith(("JUPYTER_", "IPYTHON", "VIRTUAL_ENV", "CONDA_", "PYTHONPATH", "PYTHONHOME", "ENVKIT_")):
            monkeypatch.delenv(name)
    for name, value in private_environ(home).items():
        monkeypatch.setenv(name, value)


def _interpreters() -> dict[str, Path]:
    """Return an executable for each CPython minor version that really is on this machine, never a shim."""
    roots = [Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"]
    found: dict[str, Path] = {}
    for root in roots:
        for directory in sorted(root.glob("[23].*")) if root.is_dir() else ():
            minor = ".".join(directory.name.split(".")[:2])
            if (executable := directory / "bin" / f"python{minor}").is_file():
                found[minor] = executable
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    found.setdefault(running, Path(sys.base_prefix) / "bin" / f"python{running}")
    return found


INTERPRETERS = _interpreters()


@pytest.fixture(scope="session")
def interpreters() -> dict[str, Path]:
    """Executables of the CPythons of this machine by minor version: {"3.12": Path(...)}, the running one always among them."""
    return INTERPRETERS
