"""A real JupyterLab and a real browser, each started once for the tests that need them, with directories of their own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from running_lab import TOKEN, Lab, chromium, environ_of, wait


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A JupyterLab of this Python."""
    pytest.importorskip("jupyterlab", reason="JupyterLab is not installed")
    home = tmp_path_factory.mktemp("lab")
    root = home / "work"
    root.mkdir()
    quiet = home / "jupyter-config" / "lab" / "user-settings" / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    quiet.parent.mkdir(parents=True)
    quiet.write_text('{"fetchNews": "false", "checkForUpdates": false}', "utf-8")  # no question stands in the pictures
    options = [
        "--no-browser",
        "--ip=127.0.0.1",
        "--ServerApp.port_retries=0",
        "--allow-root",
        "--expose-app-in-browser",
        "--LabApp.extension_manager=readonly",  # asks no index
        "--LanguageServerManager.autodetect=False",  # looks for no programs
    ]
    argv = [sys.executable, "-m", "jupyterlab", *options, f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={root}"]
    log = home / "lab.log"
    for _ in range(5):  # a free port may be another program's by the time it is used
        port = free_port()
        with log.open("wb") as stream:
            server = subprocess.Popen(
                [*argv, f"--port={port}"], env=environ_of(home), cwd=root, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream
            )
        try:
            made = Lab(url=f"http://127.0.0.1:{port}/", root=root, home=home)
            if wait(made, server, log):
                yield made
                return
        finally:
            server.terminate()
            with suppress(subprocess.TimeoutExpired):
                server.wait(20)
            server.kill()
            server.wait()
    raise AssertionError(log.read_text("utf-8", "replace"))


def free_port() -> int:
    """Return a port that nobody uses now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A Chromium, driven by Playwright, whose event loop runs in this thread as long as it is open: not beyond its own module."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    path = chromium()
    if path is None:
        pytest.skip("there is no Chromium on this machine")
    with playwright.sync_playwright() as driver:
        made = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield made
        made.close()


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory where screenshots are kept: PICTURES_OF_TESTS, else one of the run's own."""
    stated = os.environ.get("PICTURES_OF_TESTS")
    place = Path(stated) if stated else tmp_path_factory.mktemp("pictures")
    place.mkdir(parents=True, exist_ok=True)
    return place
