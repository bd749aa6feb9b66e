"""kernel_manager and execute_notebook: any environment for nbclient and its kind, without registering anything."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from support.patience import more_and_more, own_time

import envkit
from envkit import jupyter
from envkit.errors import CancelledError, CorruptError, DeadlineError, KernelError, NotFoundError
from envkit.events import Progress
from envkit.host import Host

PREFIX = "import sys; print(sys.prefix)"


def notebook(path: Path, *cells: str, kernel: str | None = None) -> Path:
    """Write a notebook of these code cells, with a text cell before them."""
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Text"), *map(nbformat.v4.new_code_cell, cells)])
    if kernel:
        made.metadata["kernelspec"] = {"name": kernel, "display_name": kernel, "language": "python"}
    nbformat.write(made, path)
    return path


def said(path: Path) -> list[str]:
    """Return what each code cell of a notebook printed."""
    cells = nbformat.read(path, as_version=4).cells
    return ["".join(output.get("text", "") for output in cell.outputs) for cell in cells if cell.cell_type == "code"]


def registered(host: Host) -> list[Path]:
    """Return the kernelspecs of the user, and what is left of connections."""
    return [path for name in ("JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR") for path in Path(host.environ[name]).rglob("*.json")]


def test_a_manager_starts_a_kernel_of_the_environment(kernel_environment: Path, host: Host) -> None:
    """As jupyter_client says: start, client, shut down; a restart is the same environment; `!pip` is the environment's own."""
    manager = jupyter.kernel_manager(kernel_environment, host=host)
    manager.start_kernel()
    try:
        client = manager.client()
        client.start_channels()
        client.wait_for_ready(timeout=60)
        for _ in range(2):
            heard: list[str] = []
            client.execute_interactive(
                f"{PREFIX}\n!which pip",
                timeout=60,
                output_hook=lambda message, heard=heard: heard.append(str(message["content"].get("text", ""))),
            )
            assert "".join(heard).split() == [str(kernel_environment), str(kernel_environment / "bin" / "pip")]
            manager.restart_kernel(now=True)
            client.wait_for_ready(timeout=60)
        client.stop_channels()
    finally:
        manager.shutdown_kernel(now=True)
    assert registered(host) == []


def test_nbclient_takes_a_manager(kernel_environment: Path, host: Host, tmp_path: Path) -> None:
    """The cells run in the environment, also those that time out; whoever has the manager shuts the kernel down."""
    manager = jupyter.kernel_manager(kernel_environment, host=host)
    made = nbformat.read(notebook(tmp_path / "a.ipynb", PREFIX, "1 + 1"), as_version=4)
    try:
        NotebookClient(made, km=manager, timeout=60).execute()
    finally:
        manager.shutdown_kernel(now=True)
    assert made.cells[1].outputs[0].text.strip() == str(kernel_environment)


def test_without_ipykernel_there_is_no_manager(bare_environment: Path, host: Host) -> None:
    """It is said at once, not by a kernel that dies."""
    with pytest.raises(KernelError) as caught:
        jupyter.kernel_manager(bare_environment, host=host)
    assert (caught.value.code, bool(caught.value.hint)) == ("ipykernel-missing", True)


def test_a_content_addressed_environment_says_what_to_do(host: Host) -> None:
    """It is never changed, so ipykernel belongs into its spec; by every way to a kernel."""
    environment = envkit.ensure(envkit.Spec(), host=host)
    for attempt in (
        lambda: jupyter.register(environment, host=host),
        lambda: jupyter.kernel_manager(environment, host=host),
        lambda: jupyter.session(environment, host=host).__enter__(),
    ):
        with pytest.raises(KernelError) as caught:
            attempt()
        assert caught.value.code == "ipykernel-missing"
        assert "spec" in str(caught.value.hint)


@pytest.mark.core
def test_a_notebook_is_executed_in_any_environment(kernel_environment: Path, host: Host) -> None:
    """It is written where the caller says, runs in its own directory, and reports each cell."""
    source = notebook(host.cwd / "in.ipynb", PREFIX, "import os; print(os.getcwd())", "print('$HOME')")
    before = source.read_bytes()
    heard: list[int] = []
    result = jupyter.execute_notebook(
        "in.ipynb",
        kernel_environment,
        output="out.ipynb",
        host=host,
        report=lambda event: heard.append(event.done) if isinstance(event, Progress) else None,
    )
    assert result == host.cwd / "out.ipynb"
    assert [text.strip() for text in said(result)] == [str(kernel_environment), str(host.cwd), "$HOME"]
    assert (source.read_bytes(), heard, registered(host)) == (before, [2, 3, 4], [])


def test_without_environment_the_notebooks_own_kernel_runs_it(kernel_environment: Path, host: Host) -> None:
    """Written into the notebook itself; also through `aio`, where a loop runs; its mode stays."""
    jupyter.register(kernel_environment, name="mine", variables={"PRICE": "$5"}, host=host)
    source = notebook(host.cwd / "own.ipynb", "import os; print(os.environ['PRICE'])", kernel="mine")
    source.chmod(0o640)
    assert asyncio.run(envkit.aio.call(jupyter.execute_notebook, source, host=host)) == source
    assert [text.strip() for text in said(source)] == ["$5"]
    assert source.stat().st_mode & 0o777 == 0o640
    for missing in (notebook(host.cwd / "none.ipynb", "1"), notebook(host.cwd / "other.ipynb", "1", kernel="other")):
        with pytest.raises(NotFoundError) as caught:
            jupyter.execute_notebook(missing, host=host)
        assert caught.value.code == "kernel-not-found"


def test_a_cell_that_raises(kernel_environment: Path, host: Host) -> None:
    """It is told with its number, the outputs so far are written; or the rest runs all the same."""
    source = notebook(host.cwd / "raises.ipynb", "print('before')", "1 / 0", "print('after')")
    with pytest.raises(KernelError) as caught:
        jupyter.execute_notebook(source, kernel_environment, output=host.cwd / "failed.ipynb", host=host)
    assert (caught.value.code, "cell 3" in str(caught.value), "ZeroDivisionError" in str(caught.value)) == ("cell-failed", True, True)
    assert said(host.cwd / "failed.ipynb") == ["before\n", "", ""]
    jupyter.execute_notebook(source, kernel_environment, output=host.cwd / "all.ipynb", allow_errors=True, host=host)
    assert said(host.cwd / "all.ipynb") == ["before\n", "", "after\n"]


def test_time_and_cancel_end_it(kernel_environment: Path, host: Host) -> None:
    """A cell's limit, the call's limit, and a cancel in the midst of a cell; no kernel is left."""
    source = notebook(
        host.cwd / "long.ipynb", "import os; print(os.getpid(), flush=True)", "print('begun', flush=True)\nimport time; time.sleep(60)"
    )
    for seconds in more_and_more(1):
        with pytest.raises(DeadlineError) as caught:
            jupyter.execute_notebook(source, kernel_environment, output="late.ipynb", cell_timeout=int(seconds), host=host)
        if caught.value.output == "begun\n":
            break
    assert caught.value.output == "begun\n"
    numbers = [int(said(host.cwd / "late.ipynb")[0])]
    for seconds in more_and_more(8):
        with pytest.raises(DeadlineError) as late:
            jupyter.execute_notebook(source, kernel_environment, output="later.ipynb", timeout=seconds, host=host)
        if (host.cwd / "later.ipynb").exists() and said(host.cwd / "later.ipynb")[0]:
            break
    assert "the outputs so far are written" in str(late.value.hint)
    numbers.append(int(said(host.cwd / "later.ipynb")[0]))
    stop = threading.Event()
    with own_time() as took, pytest.raises(CancelledError):
        jupyter.execute_notebook(
            source,
            kernel_environment,
            output="never.ipynb",
            cancel=stop,
            report=lambda event: isinstance(event, Progress) and stop.set(),
            host=host,
        )
    assert took.seconds < 40
    assert not (host.cwd / "never.ipynb").exists()
    for number in numbers:
        with pytest.raises(ProcessLookupError):
            os.kill(number, 0)


def test_a_kernel_that_does_not_start_says_why(kernel_environment: Path, host: Host) -> None:
    """The cause is that of a session, with what the kernel said last."""
    jupyter.register(kernel_environment, name="dies", variables={"PYTHONHOME": "/nowhere"}, host=host)
    with pytest.raises(KernelError) as caught:
        jupyter.execute_notebook(notebook(host.cwd / "b.ipynb", "1", kernel="dies"), host=host)
    assert caught.value.code == "pythonpath-clash"
    assert caught.value.stderr


def test_a_kernel_that_ends_in_a_cell(kernel_environment: Path, host: Host) -> None:
    """The cell is named."""
    source = notebook(host.cwd / "ends.ipynb", "import os; os._exit(3)")
    with pytest.raises(KernelError) as caught:
        jupyter.execute_notebook(source, kernel_environment, host=host)
    assert (caught.value.code, "cell 2" in str(caught.value)) == ("died", True)


def test_what_is_no_notebook_is_refused(kernel_environment: Path, host: Host) -> None:
    """And stays as it is."""
    wrong = host.cwd / "wrong.ipynb"
    for text in ("", "[]", "{}", "{", '{"nbformat": 4, "nbformat_minor": 5, "cells": 3, "metadata": {}}'):
        wrong.write_text(text)
        with pytest.raises(CorruptError) as caught:
            jupyter.execute_notebook(wrong, kernel_environment, host=host)
        assert caught.value.code == "notebook"
        assert wrong.read_text() == text
    with pytest.raises(NotFoundError):
        jupyter.execute_notebook("gone.ipynb", kernel_environment, host=host)
    with pytest.raises(NotFoundError):
        jupyter.execute_notebook(notebook(host.cwd / "a.ipynb", "1"), kernel_environment, output="gone/a.ipynb", host=host)
