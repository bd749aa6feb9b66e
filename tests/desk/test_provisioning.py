"""provision: from nothing to a proven kernel, again, at once, from a notebook, and what is left when it fails."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from support.wheels import make_wheel

import envkit
from envkit import Host

pytestmark = pytest.mark.slow


@pytest.mark.core
def test_from_nothing_to_a_proven_kernel(host: Host) -> None:
    """The kernel that comes back has run a cell in the environment; a second call changes nothing and proves it again."""
    kernel = envkit.provision("demo", pypi=["rich"], host=host)
    env, proof = kernel.environment, kernel.proof
    assert env is not None
    assert proof is not None
    assert proof.prefix == env.prefix == host.data / "environments" / "demo"
    assert env.version == proof.version
    assert "rich" in proof.text
    assert {"pip", "ipykernel", "rich"} <= {package.name for package in envkit.installed(env, host=host)}
    assert not env.version.is_prerelease
    assert kernel.owned
    heard: list[str] = []
    again = envkit.provision("demo", pypi=["rich"], host=host, report=lambda event: heard.append(getattr(event, "activity", "")))
    assert again.name == kernel.name
    assert again.environment == kernel.environment
    assert again.proof is not None
    assert "install" not in heard
    assert "create" not in heard
    assert "prove" in heard


def test_two_at_once(host: Host) -> None:
    """Two calls for one name at once give the same kernel, from one build, and no failure."""
    kernels: list[envkit.Kernel] = []
    built: list[str] = []

    def report(event: envkit.Event) -> None:
        if getattr(event, "activity", "") == "create":
            built.append("x")

    threads = [threading.Thread(target=lambda: kernels.append(envkit.provision("demo", host=host, report=report))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(kernels) == 2
    assert kernels[0].path == kernels[1].path
    assert len(built) == 1


def test_inside_a_notebook(host: Host, tmp_path: Path) -> None:
    """In a notebook cell, where an event loop runs, provision works; and the cells of its kernel agree on where they are."""
    import nbformat
    from nbclient import NotebookClient

    root = Path(envkit.__file__).parent.parent
    cell = (
        f"import sys; sys.path.insert(0, {str(root)!r})\n"
        "import asyncio; asyncio.get_running_loop()\n"
        "import envkit\n"
        "kernel = envkit.provision('demo', report=None)\n"
        "print(kernel.name, kernel.proof.prefix == kernel.environment.prefix)"
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])
    NotebookClient(notebook, timeout=240, kernel_name="python3").execute()
    assert notebook.cells[0].outputs[0].text == "demo True\n"
    inner = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell("import sys; print(sys.prefix)"),
            nbformat.v4.new_code_cell("!python -c 'import sys; print(sys.prefix)'"),
            nbformat.v4.new_code_cell("!pip --version"),
        ]
    )
    NotebookClient(inner, timeout=120, kernel_name="demo").execute()
    prefix, python, pip = ["".join(output.text for output in cell.outputs).strip() for cell in inner.cells]
    assert prefix == python
    assert f"from {prefix}" in pip


def test_nothing_is_left_when_the_package_does_not_exist(host: Host) -> None:
    """When a package does not exist the error says so, and neither environment nor kernel is left."""
    with pytest.raises(envkit.InstallError) as caught:
        envkit.provision("demo", pypi=["this-package-does-not-exist-envkit"], host=host)
    assert caught.value.hint
    assert "this-package-does-not-exist-envkit" in str(caught.value)
    assert not (host.data / "environments" / "demo").exists()
    assert envkit.jupyter.kernels(host=host) == tuple(kernel for kernel in envkit.jupyter.kernels(host=host) if kernel.name != "demo")


def test_a_kernel_that_cannot_start_is_taken_back(host: Host, tmp_path: Path) -> None:
    """A kernel that dies says why, with the end of its stderr, and what the call made is gone again; what was there stays."""
    envkit.provision("good", host=host)
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    make_wheel(
        wheels, "envkit-test-breaker", "1.0", files={"breaker.pth": "import os, sys; os.write(2, b'broken on purpose\\n'); os._exit(3)\n"}
    )
    broken = envkit.Spec(name="bad", pypi=("envkit-test-breaker",), sources=envkit.Sources(find_links=(str(wheels),)))
    with pytest.raises(envkit.KernelError) as caught:
        envkit.provision(broken, host=host)
    assert "broken on purpose" in caught.value.stderr
    assert caught.value.hint
    assert not (host.data / "environments" / "bad").exists()
    assert [kernel.name for kernel in envkit.jupyter.kernels(host=host) if kernel.path.is_relative_to(host.home)] == ["good"]


def test_removing_the_environment_removes_its_kernel(host: Host) -> None:
    """remove(env) takes its kernel along, and says so."""
    kernel = envkit.provision("demo", host=host)
    removal = envkit.remove("demo", host=host)
    assert [gone.name for gone in removal.kernels] == ["demo"]
    assert not kernel.path.exists()


@pytest.mark.core
@pytest.mark.parametrize("name", ["a/b", "./x", "~", "C:\\x"])
def test_a_path_is_refused_where_a_name_is_needed(host: Host, name: str) -> None:
    """provision takes a name, and says so."""
    with pytest.raises(envkit.UsageError):
        envkit.provision(name, host=host)


@pytest.mark.core
def test_a_bare_string_of_packages(host: Host) -> None:
    """A bare string where several packages are expected is a TypeError."""
    with pytest.raises(TypeError):
        envkit.provision("demo", pypi="rich", host=host)  # type: ignore[arg-type]


@pytest.mark.parametrize("minor", ["3.8", "3.9", "3.10", "3.11", "3.12", "3.13"])
def test_a_kernel_for_each_python(host: Host, interpreters: dict[str, Path], minor: str) -> None:
    """Each CPython from 3.8 on gets a kernel that runs."""
    if minor not in interpreters:
        pytest.skip(f"no CPython {minor} here")
    kernel = envkit.provision("demo", python=str(interpreters[minor]), host=host)
    assert kernel.proof is not None
    assert str(kernel.proof.version).startswith(f"{minor}.")
    assert kernel.display_name == f"Python {minor} (demo)"
