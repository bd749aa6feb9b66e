"""papermill runs what envkit registers, and takes an environment's manager where nothing is registered."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import nbformat
import papermill
import pytest

import envkit
from envkit import jupyter
from envkit.host import Host


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The prefix of an environment with ipykernel, whose path has a space and a `$`."""
    prefix = tmp_path_factory.mktemp("papermill") / "a b$HOME"
    host = replace(Host.current(), data=tmp_path_factory.mktemp("data"))
    return envkit.create(prefix, python=sys.executable, pypi=["ipykernel"], host=host).prefix


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A notebook with a parameter, which says where it ran."""
    parameters = nbformat.v4.new_code_cell("factor = 1", metadata={"tags": ["parameters"]})
    cells = [parameters, nbformat.v4.new_code_cell("import sys; print(sys.prefix, factor)")]
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    path = tmp_path / "in.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), path)
    return path


def _said(path: Path) -> str:
    return str(nbformat.read(path, as_version=4).cells[-1].outputs[0].text).strip()


def test_papermill_runs_a_registered_kernel(environment: Path, source: Path, tmp_path: Path) -> None:
    """By its name, with a parameter."""
    jupyter.register(environment, name="milled")
    papermill.execute_notebook(str(source), str(tmp_path / "out.ipynb"), parameters={"factor": 3}, kernel_name="milled", progress_bar=False)
    assert _said(tmp_path / "out.ipynb") == f"{environment} 3"


def test_papermill_takes_a_manager(environment: Path, source: Path, tmp_path: Path, host: Host) -> None:
    """Nothing is registered; the environment is where the cells run."""
    manager = jupyter.kernel_manager(environment, host=host)
    try:
        papermill.execute_notebook(str(source), str(tmp_path / "out.ipynb"), parameters={"factor": 4}, km=manager, progress_bar=False)
    finally:
        manager.shutdown_kernel(now=True)
    assert _said(tmp_path / "out.ipynb") == f"{environment} 4"
    assert "milled" not in {kernel.name for kernel in jupyter.kernels(host=host)}
