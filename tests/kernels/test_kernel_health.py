import json
import os
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from support.patience import own_time, until

import envkit
from envkit.control import Work
from envkit.errors import CancelledError, DeadlineError, KernelError, NotFoundError, UsageError
from envkit.host import Host
from envkit.kernels import health
from envkit.kernelspec.child import Child
from envkit.kernelspec.client import Client
from envkit.kernelspec.launch import Launch


def written(host: Host, name: str, content: object) -> envkit.Kernel:
    """Write a kernelspec as another tool would, and return the kernel."""
    directory = Path(host.environ["JUPYTER_DATA_DIR"]) / "kernels" / name
    directory.mkdir(parents=True)
    (directory / "kernel.json").write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return envkit.Kernel(name=name, display_name=name, path=directory)


@pytest.mark.core
def test_a_registered_kernel_is_proven(kernel_environment: Path, host: Host) -> None:
    """What Jupyter would start is started: it runs in its environment although the caller's variables point elsewhere, and says so."""
    host = replace(host, environ={**host.environ, "PYTHONPATH": "/nowhere", "PYTHONHOME": "/nowhere", "VIRTUAL_ENV": "/nowhere"})
    events: list[envkit.Event] = []
    envkit.jupyter.register(kernel_environment, name="demo", host=host)
    proven = envkit.jupyter.verify("Demo", host=host, report=events.append)
    assert proven.proof is not None
    assert proven.proof.prefix == kernel_environment
    assert proven.proof.version.release == sys.version_info[:3]
    assert proven.proof.seconds > 0
    assert str(kernel_environment) in proven.proof.text
    assert [event.ok for event in events if isinstance(event, envkit.events.Finished)] == [True]

    again = health.proven(proven, Work(host=host), packages=["ipykernel", "jupyter-client"])
    assert again.proof is not None
    assert "ipykernel" in again.proof.text
    with pytest.raises(KernelError, match="no-such-package") as caught:
        health.proven(proven, Work(host=host), packages=["no-such-package"])
    assert caught.value.code == "cell-failed"


@pytest.mark.core
def test_a_kernel_that_does_not_start_says_why(kernel_environment: Path, bare_environment: Path, host: Host) -> None:
    """Each cause has its code, a hint, and where it said something, the end of that; none takes a second to notice."""
    good, bare = str(kernel_environment / "bin" / "python"), str(bare_environment / "bin" / "python")
    tail = ["-m", "ipykernel_launcher", "-f", "{connection_file}"]
    environ = {"PYTHONHOME": "/nowhere"}
    cases = {
        "interpreter-missing": {"argv": ["/gone/bin/python", *tail], "language": "python"},
        "interpreter-broken": {"argv": ["/etc/passwd", *tail], "language": "python"},
        "ipykernel-missing": {"argv": [bare, *tail], "language": "python"},
        "pythonpath-clash": {"argv": [good, *tail], "language": "python", "env": environ},
        "provisioner-missing": {
            "argv": [good, *tail],
            "language": "python",
            "metadata": {"kernel_provisioner": {"provisioner_name": "cloud-provisioner"}},
        },
        "died": {"argv": [good, "-c", "import sys; sys.exit('no luck')"], "language": "python"},
        "spec-unreadable": "\ufeff{}",
    }
    for code, content in cases.items():
        with own_time() as took, pytest.raises(KernelError) as caught:
            envkit.jupyter.verify(written(host, f"x-{code}", content), host=host)
        assert (caught.value.code, bool(caught.value.hint)) == (code, True)
        assert took.seconds < 5
        if code == "died":
            assert "no luck" in str(caught.value)
            assert "no luck" in caught.value.stderr


def test_packages_of_another_python_are_a_clash(kernel_environment: Path, host: Host, tmp_path: Path) -> None:
    """A kernelspec that does not blank PYTHONPATH loads what lies there, and the error names the directory."""
    (tmp_path / "zmq").mkdir()
    (tmp_path / "zmq" / "__init__.py").write_text("raise ImportError('built for another Python')")
    host = replace(host, environ={**host.environ, "PYTHONPATH": str(tmp_path)})
    argv = [str(kernel_environment / "bin" / "python"), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    with pytest.raises(KernelError) as caught:
        envkit.jupyter.verify(written(host, "clash", {"argv": argv, "language": "python"}), host=host)
    assert caught.value.code == "pythonpath-clash"
    assert str(tmp_path) in str(caught.value.hint)
    envkit.jupyter.register(kernel_environment, name="clash", on_exists="replace", host=host)
    assert envkit.jupyter.verify("clash", host=host).proof


def test_a_kernel_that_runs_elsewhere_is_not_proven(kernel_environment: Path, build: object, host: Host, tmp_path: Path) -> None:
    """A kernelspec whose interpreter lands in another environment than it says is an error, not a proof."""
    kernel = envkit.jupyter.register(kernel_environment, name="demo", host=host)
    content = json.loads((kernel.path / "kernel.json").read_text())
    wrapper = tmp_path / "elsewhere" / "bin" / "python"
    wrapper.parent.mkdir(parents=True)
    (wrapper.parent.parent / "pyvenv.cfg").write_text((kernel_environment / "pyvenv.cfg").read_text())
    wrapper.write_text(f'#!/bin/sh\nexec {kernel_environment}/bin/python "$@"\n')
    wrapper.chmod(0o755)
    content["argv"][0] = str(wrapper)
    (kernel.path / "kernel.json").write_text(json.dumps(content))
    with pytest.raises(KernelError) as caught:
        envkit.jupyter.verify("demo", host=host)
    assert caught.value.code == "wrong-environment"


@pytest.mark.core
def test_what_cannot_be_verified_is_said(host: Host) -> None:
    """A kernel that is not there is not found, with what is near; one for another language cannot be proven."""
    written(host, "demo", {"argv": ["/bin/sh"], "language": "sh"})
    with pytest.raises(NotFoundError) as missing:
        envkit.jupyter.verify("dmo", host=host)
    assert missing.value.code == "kernel-not-found"
    assert "demo" in str(missing.value.hint)
    with pytest.raises(UsageError) as other:
        envkit.jupyter.verify("demo", host=host)
    assert other.value.code == "language"


def test_a_kernel_that_never_answers_ends_with_the_call(kernel_environment: Path, host: Host) -> None:
    """Deadline and cancel end the start of a kernel, and its processes; without them it is given up after a while of its own."""
    sleep = f"sleep 4321.{os.getpid()}{time.monotonic_ns()}"  # of this run
    kernel = written(host, "slow", {"argv": ["/bin/sh", "-c", f"echo not yet >&2; {sleep}"], "language": "python"})
    with pytest.raises(DeadlineError):
        envkit.jupyter.verify(kernel, timeout=0.3, host=host)
    cancel = threading.Event()
    threading.Timer(0.3, cancel.set).start()
    with pytest.raises(CancelledError):
        envkit.jupyter.verify(kernel, cancel=cancel, host=host)
    child = Child(Launch(argv=("/bin/sh", "-c", f"echo not yet >&2; {sleep}"), environ=host.environ), cwd=host.cwd, host=host)
    client = Client(child)
    assert until(child.said)
    with pytest.raises(KernelError) as caught:
        client.wait_ready(0.3, Work(host=host))
    client.close()
    child.close()
    assert (caught.value.code, caught.value.retryable, caught.value.stderr) == ("startup-timeout", True, "not yet\n")
    assert sleep not in subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout if shutil.which("ps") else True


@pytest.mark.slow
def test_jupyters_own_tools_run_a_registered_kernel(kernel_environment: Path, host: Host) -> None:
    """nbclient, through jupyter_client's own search and start, lands in the environment, and so do the programs that a cell starts."""
    from nbclient import NotebookClient
    from nbformat.v4 import new_code_cell, new_notebook

    envkit.jupyter.register(kernel_environment, name="demo")  # in the private home of this test
    cells = [
        "import sys; print(sys.prefix)",
        "!python -c 'import sys; print(sys.prefix)'",
        "import subprocess; print(subprocess.run(['python', '-c', 'import sys; print(sys.prefix)'], capture_output=True, text=True).stdout)",
        "!pip --version",
    ]
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, kernel_name="demo", timeout=60).execute()
    for cell in notebook.cells:
        assert str(kernel_environment) in "".join(output["text"] for output in cell.outputs)
