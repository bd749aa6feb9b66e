import asyncio
import gc
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from support.patience import LONG, alive, more_and_more, own_time, until

import envkit
from envkit.control import Work
from envkit.errors import CancelledError, DeadlineError, KernelError, NotFoundError, UsageError
from envkit.host import Host
from envkit.kernelspec.child import Child
from envkit.kernelspec.launch import Launch
from envkit.kernelspec.running import Running
from envkit.models.cells import Output

WHERE = "import os, shutil, sys; print(sys.prefix, shutil.which('python'), os.environ['VIRTUAL_ENV'], sep='\\n')"


@pytest.mark.core
def test_a_session_runs_cells_in_its_environment(kernel_environment: Path, host: Host, tmp_path: Path) -> None:
    """Outputs come back in order and as they come; an error is a result; the kernel lives in its environment, directory and variables."""
    host = replace(host, environ={**host.environ, "PYTHONPATH": "/nowhere", "PYTHONHOME": "/nowhere", "VIRTUAL_ENV": "/nowhere"})
    with envkit.jupyter.session(kernel_environment, cwd=tmp_path, environ={"ANSWER": "42"}, host=host) as kernel:
        assert kernel.environment.prefix == kernel_environment
        prefix = str(kernel_environment)
        assert kernel.run(WHERE).text.split() == [prefix, f"{prefix}/bin/python", prefix]
        said = kernel.run("!python -c 'import sys; print(sys.prefix)'\n!python -m pip --version\nprint(sys.prefix)").text
        assert said.count(prefix) == 3
        assert kernel.run("print(os.getcwd(), os.environ['ANSWER'])").text == f"{tmp_path} 42\n"
        assert kernel.run("input('x')").ok is False

        heard: list[Output] = []
        code = "import sys; print(1); print(2); print(3, file=sys.stderr); from IPython.display import HTML, display; display(HTML('<b>4</b>')); 5"
        result = kernel.run(code, on_output=heard.append)
        assert [output.kind for output in result.outputs] == ["stdout", "stderr", "display", "result"]
        assert [output.text for output in result.outputs][:2] == ["1\n2\n", "3\n"]
        assert result.outputs[2].data["text/html"] == "<b>4</b>"
        assert "".join(output.text for output in heard) == result.text

        failed = kernel.run("1 / 0")
        assert not failed.ok
        assert failed.outputs[-1].kind == "error"
        assert failed.text.endswith("ZeroDivisionError: division by zero")
        assert "\x1b" not in failed.text
    with pytest.raises(UsageError) as caught:
        kernel.run("1")
    assert caught.value.code == "session-closed"


def test_displays_are_updated_and_cleared(kernel_environment: Path, host: Host) -> None:
    """What a cell replaces is replaced, what it clears is gone, as in a notebook."""
    with envkit.jupyter.session(kernel_environment, host=host) as kernel:
        kernel.run("from IPython.display import clear_output, display")
        assert kernel.run("h = display(1, display_id=True); display(2); h.update(3)").text == "32"
        assert kernel.run("print(1); clear_output(); print(2)").text == "2\n"
        assert kernel.run("print(1); clear_output(wait=True); print(2)").text == "2\n"
        assert len(kernel.run("for i in range(20000): print(i)").text.split()) == 20_000


def test_a_cell_can_be_stopped_and_the_session_goes_on(kernel_environment: Path, host: Host) -> None:
    """Time that is up, a cancel, an interrupt from another thread and an `on_output` that raises end the cell, not the kernel."""
    with envkit.jupyter.session(kernel_environment, host=host) as kernel:
        kernel.run("import time; kept = 1")
        for seconds in more_and_more(0.5):
            with pytest.raises(DeadlineError) as late:
                kernel.run("print('begun', flush=True); time.sleep(600)", timeout=seconds)
            if late.value.output:
                break
        assert late.value.output == "begun\n"

        cancel = threading.Event()
        threading.Timer(0.5, cancel.set).start()
        with pytest.raises(CancelledError):
            kernel.run("time.sleep(60)", cancel=cancel)

        begun = threading.Event()
        threading.Thread(target=lambda: (begun.wait(LONG), kernel.interrupt())).start()
        stopped = kernel.run("print('begun', flush=True); time.sleep(600)", on_output=lambda _: begun.set())
        assert (stopped.ok, "KeyboardInterrupt" in stopped.text) == (False, True)

        def disagree(output: Output) -> None:
            raise ZeroDivisionError(output.text)

        with pytest.raises(ZeroDivisionError):
            kernel.run("print(1, flush=True); time.sleep(60)", on_output=disagree)
        with pytest.raises(UsageError) as busy:
            kernel.run("print(1)", on_output=lambda output: print(kernel.run("2")))
        assert busy.value.code == "session-busy"
        kernel.interrupt()
        assert kernel.run("kept").text == "1"


def test_no_interrupt_at_any_moment_makes_a_run_hang(kernel_environment: Path, host: Host) -> None:
    """However an interrupt meets the beginning and the end of a cell, the run ends; one that comes before the cell has begun is not lost."""
    with envkit.jupyter.session(kernel_environment, host=host) as kernel:
        kernel.run("import time")
        for number in range(60):
            timer = threading.Timer(number / 2000, kernel.interrupt)
            timer.start()
            try:
                kernel.run(f"print(time.sleep({number % 7 / 1000}))", timeout=LONG)
            except KernelError:  # ipykernel itself may end when it is hit while it replies
                kernel.restart()
                kernel.run("import time")
            timer.join()
        client = kernel._running._client

        def interrupt_at_once() -> None:
            while client._cell is None:
                time.sleep(0.0001)
            kernel.interrupt()  # before the kernel has begun with the cell

        for _ in range(5):
            thread = threading.Thread(target=interrupt_at_once)
            thread.start()
            assert not kernel.run("time.sleep(600)", timeout=LONG).ok
            thread.join()
        assert kernel.run("6 * 7").text == "42"


def test_a_cell_that_will_not_stop_leaves_with_a_restart(kernel_environment: Path, host: Host) -> None:
    """A restart, also from another thread in the midst of a cell, gives a new kernel; a kernel that ended says how."""
    with envkit.jupyter.session(kernel_environment, host=host) as kernel:
        kernel.run("import os, signal, time; kept = 1; signal.signal(signal.SIGTERM, signal.SIG_IGN)")
        begun = threading.Event()
        restart = threading.Thread(target=lambda: (begun.wait(LONG), kernel.restart()))
        restart.start()
        with pytest.raises(KernelError) as killed:
            kernel.run("print('begun', flush=True); time.sleep(600)", on_output=lambda _: begun.set())
        assert killed.value.code == "died"
        restart.join()
        assert not kernel.run("kept").ok
        with pytest.raises(KernelError) as ended:
            kernel.run("import os; os.write(2, b'last words'); os._exit(7)")
        assert "code 7" in str(ended.value)
        kernel.restart()
        assert kernel.run("1").text == "1"


def test_a_session_works_where_a_loop_runs_and_in_threads(kernel_environment: Path, host: Host) -> None:
    """`with` inside a running event loop, `async with`, and several sessions in threads at once all work."""

    async def blocking() -> str:
        with envkit.jupyter.session(kernel_environment, host=host) as kernel:
            return kernel.run("6 * 7").text

    async def waiting() -> str:
        async with envkit.jupyter.session(kernel_environment, host=host) as kernel:
            return (await asyncio.to_thread(kernel.run, "6 * 7")).text

    assert asyncio.run(blocking()) == asyncio.run(waiting()) == "42"
    said: list[str] = []
    threads = [threading.Thread(target=lambda: said.append(asyncio.run(blocking()))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said == ["42"] * 3


@pytest.mark.slow
def test_a_notebook_cell_can_open_a_session(kernel_environment: Path, host: Host) -> None:
    """In a real notebook's cell, where ipykernel's loop runs, a session starts, runs and ends."""
    from nbclient import NotebookClient
    from nbformat.v4 import new_code_cell, new_notebook

    root = str(Path(__file__).parents[2])
    envkit.jupyter.register(sys.prefix, name="ours", variables={"PYTHONPATH": root})
    code = f"import envkit\nwith envkit.jupyter.session({str(kernel_environment)!r}, report=None) as kernel:\n    print(kernel.run('import sys; print(sys.prefix)').text)"
    notebook = new_notebook(cells=[new_code_cell(code)])
    NotebookClient(notebook, kernel_name="ours", timeout=60).execute()
    assert notebook.cells[0].outputs[0]["text"].strip() == str(kernel_environment)


def open_now() -> tuple[int, int]:
    """Count the descriptors and threads of this process."""
    return len(os.listdir("/proc/self/fd")), threading.active_count()


@pytest.mark.slow
def test_nothing_is_left_of_twenty_sessions(kernel_environment: Path, host: Host, tmp_path: Path) -> None:
    """After twenty sessions, what they started in the background included, there are no more descriptors, threads, processes or files than before."""
    host = replace(host, environ={**host.environ, "XDG_RUNTIME_DIR": str(tmp_path)})
    before: tuple[int, int] | None = None
    for number in range(20):
        pids: list[int] = []
        with envkit.jupyter.session(kernel_environment, host=host) as kernel:
            pids.append(int(kernel.run("import os, subprocess; print(os.getpid())").text))
            if number % 10 == 0:
                pids.append(int(kernel.run("print(subprocess.Popen(['sleep', '600']).pid)").text))
            assert len([name for name in os.listdir(tmp_path) if name.startswith("envkit-kernel-")]) == 1
        assert not any(map(alive, pids))
        gc.collect()
        if number == 1:
            before = open_now()  # what imports keep open is open by now
    assert before is not None
    most = before  # fewer is no leak: an earlier test's may be closed by its collection meanwhile
    assert until(lambda: all(now <= then for now, then in zip(open_now(), most, strict=True))), (open_now(), most)
    assert not [name for name in os.listdir(tmp_path) if name.startswith("envkit-kernel-")]


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="orphans are found by /proc")
@pytest.mark.parametrize("end", ["import os; os._exit(3)", "1"], ids=["crash", "goodbye"])
def test_orphans_of_a_kernel_end_with_its_session(kernel_environment: Path, host: Host, end: str) -> None:
    """What a cell started in a session of its own, or as a daemon, is gone when the session has ended, also after the kernel itself crashed."""
    start = (
        "import subprocess\n"
        "print(subprocess.Popen(['sleep', '600'], start_new_session=True).pid)\n"
        "print(subprocess.check_output('setsid sleep 600 >/dev/null 2>&1 & echo $!', shell=True, text=True))\n"
    )
    with envkit.jupyter.session(kernel_environment, host=host) as kernel:
        pids = kernel.run(start).text.split()
        assert len(pids) == 2
        assert all(os.path.exists(f"/proc/{pid}") for pid in pids)
        with suppress(KernelError):
            kernel.run(end)
    assert [pid for pid in pids if os.path.exists(f"/proc/{pid}") and ") Z" not in Path(f"/proc/{pid}/stat").read_text()] == []


def test_a_kernel_ends_with_the_process_that_started_it(kernel_environment: Path, host: Host, tmp_path: Path) -> None:
    """When we are killed, the kernel ends by itself within seconds."""
    code = (
        "import envkit, os, signal, sys\n"
        f"with envkit.jupyter.session({str(kernel_environment)!r}, report=None) as kernel:\n"
        "    print(kernel.run('import os; print(os.getpid())').text, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    environ = {**host.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "XDG_RUNTIME_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True)
    pid = int(done.stdout)
    assert until(lambda: not alive(pid))


@pytest.mark.core
def test_a_session_that_cannot_start_says_why(kernel_environment: Path, bare_environment: Path, host: Host, tmp_path: Path) -> None:
    """Each cause has its code, and nothing is left behind."""
    host = replace(host, environ={**host.environ, "XDG_RUNTIME_DIR": str(tmp_path)})
    with pytest.raises(KernelError) as missing, envkit.jupyter.session(bare_environment, host=host):
        pass
    assert missing.value.code == "ipykernel-missing"
    assert "ipykernel" in missing.value.stderr
    with pytest.raises(NotFoundError) as nowhere, envkit.jupyter.session(kernel_environment, cwd=tmp_path / "gone", host=host):
        pass
    assert nowhere.value.code == "directory-not-found"
    with own_time() as took, pytest.raises(DeadlineError), envkit.jupyter.session(kernel_environment, timeout=0.1, host=host):
        pass
    assert took.seconds < 5
    with pytest.raises(TypeError):
        envkit.jupyter.session(kernel_environment, timout=3)  # type: ignore[call-arg]
    assert not [name for name in os.listdir(tmp_path) if name.startswith("envkit-kernel-")]


def test_ports_do_where_there_are_no_sockets_in_the_file_system(kernel_environment: Path, host: Host) -> None:
    """The same kernel talks over ports of the local machine; a path too long for a socket makes it do so by itself."""
    launch = Launch(
        argv=(str(kernel_environment / "bin" / "python"), "-m", "ipykernel_launcher", "-f", "{connection_file}"), environ=host.environ
    )
    running = Running(launch, cwd=host.cwd, work=Work(host=host), transport="tcp")
    try:
        assert running.run("6 * 7").text == "42"
    finally:
        running.close()
    long = host.cwd / ("x" * 100)
    long.mkdir()
    sleeper = Launch(argv=("/bin/sleep", "60"), environ={})
    child = Child(sleeper, cwd=host.cwd, host=replace(host, environ={"XDG_RUNTIME_DIR": str(long)}))
    assert child.connection["transport"] == "tcp"
    child.close()
    assert os.listdir(long) == []


def test_what_a_kernel_says_on_stderr_is_bounded(host: Host) -> None:
    """However much a kernel says, its file stays small and the end is kept."""
    launch = Launch(argv=("/bin/sh", "-c", "yes | head -c 5000000; echo the end; sleep 60"), environ={"PATH": "/usr/bin:/bin"})
    child = Child(launch, cwd=host.cwd, host=host)

    def at_end() -> bool:
        child.trim()
        return child.said().endswith("the end\n")

    assert until(at_end)
    child.trim()
    assert child.said().endswith("the end\n")
    assert os.fstat(child._log).st_size < 2_000_000
    child.close()
