"""A running JupyterLab, and what is needed to start one that shares nothing with the caller's."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

import envkit

ROOT = Path(envkit.__file__).parent.parent
TOKEN = "token-of-the-tests"


def chromium() -> str | None:
    """Return the browser of this machine, if it has one that can be driven."""
    return next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab: where it answers, and the directory whose notebooks it shows."""

    url: str
    root: Path
    home: Path

    def write(self, name: str, *cells: str) -> Path:
        """Write a notebook of code cells."""
        path = self.root / name
        kernelspec = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells], metadata={"kernelspec": kernelspec})
        nbformat.write(notebook, path)
        return path

    def sessions(self) -> Any:
        """Return what its API says of the notebooks that are open."""
        request = urllib.request.Request(f"{self.url}api/sessions", headers={"Authorization": f"token {TOKEN}"})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
            return json.load(answer)


def environ_of(home: Path) -> dict[str, str]:
    """Return the variables of a Jupyter that shares nothing with the caller's; caches of pip and uv are the user's."""
    # and keeps its bytecode: JupyterLab is a second or ten to start with it, and a minute without
    dropped = ("JUPYTER", "JPY_", "IPYTHON", "VIRTUAL_ENV", "CONDA_", "ENVKIT_", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    return {
        **kept,
        "HOME": str(home),
        "JUPYTER_DATA_DIR": str(home / "jupyter"),
        "JUPYTER_CONFIG_DIR": str(home / "jupyter-config"),
        "JUPYTER_RUNTIME_DIR": str(home / "jupyter-runtime"),
        "IPYTHONDIR": str(home / "ipython"),
        "ENVKIT_HOME": str(home / "envkit"),
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(Path(__file__).parent)]),
    }


def wait(lab: Lab, server: subprocess.Popen[bytes], log: Path) -> bool:
    """Wait until it answers; False when another program has its port."""
    end = time.monotonic() + 180
    while time.monotonic() < end:
        if server.poll() is not None:
            said = log.read_text("utf-8", "replace")
            assert "already in use" in said, said
            return False
        with suppress(OSError):
            lab.sessions()
            return True
        time.sleep(0.2)
    raise AssertionError(log.read_text("utf-8", "replace"))
