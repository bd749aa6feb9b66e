"""run, interpreter, activation: programs in an environment, without a shell."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from support.patience import LONG, more_and_more, own_time

import envkit
from envkit import Host


@pytest.fixture
def made(host: Host) -> envkit.Environment:
    return envkit.create("demo", host=host)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@pytest.mark.core
def test_python_and_its_children_are_the_environments(host: Host, made: envkit.Environment) -> None:
    """`python`, and a `python` that it starts, are the environment's."""
    code = "import subprocess, sys; print(sys.prefix); subprocess.run(['python', '-c', 'import sys; print(sys.prefix)'])"
    done = envkit.run("demo", ["python", "-u", "-c", code], capture_output=True, host=host)
    assert done.stdout.splitlines() == [str(made.prefix)] * 2
    assert done.returncode == 0


@pytest.mark.core
def test_arguments_are_no_shell_text(host: Host, made: envkit.Environment) -> None:
    """Arguments arrive as they are."""
    nasty = ["$(touch pwned)", "; rm -rf x", "a b", "*", "'\"", "é\n"]
    done = envkit.run(made, ["python", "-c", "import sys; print(ascii(sys.argv[1:]))", *nasty], capture_output=True, host=host)
    assert done.stdout.strip() == ascii(nasty)
    assert not list(host.cwd.iterdir())


@pytest.mark.core
def test_input_environ_cwd_check(host: Host, made: envkit.Environment) -> None:
    """subprocess's words mean what they mean there."""
    code = "import os, sys; print(sys.stdin.read(), os.environ['X'], os.getcwd())"
    done = envkit.run(made, ["python", "-c", code], input="hello", environ={"X": "1"}, cwd=host.home, host=host)
    assert done.stdout.strip() == f"hello 1 {host.home}"
    with pytest.raises(envkit.ProcessError) as caught:
        envkit.run(made, ["python", "-c", "import sys; print('out'); sys.exit('why')"], check=True, capture_output=True, host=host)
    assert (caught.value.returncode, caught.value.stdout, caught.value.stderr) == (1, "out\n", "why\n")


@pytest.mark.core
def test_all_of_a_long_output_is_kept(host: Host, made: envkit.Environment) -> None:
    """Twenty megabytes of output arrive whole."""
    done = envkit.run(made, ["python", "-c", "print('x' * 20_000_000)"], capture_output=True, host=host)
    assert len(done.stdout) == 20_000_001


@pytest.mark.core
def test_the_tree_is_killed_on_timeout_and_cancel(host: Host, made: envkit.Environment) -> None:
    """When time is up, or the call is cancelled, no grandchild is alive, even one in a session of its own."""
    code = (
        "import subprocess, sys, time\n"
        "for new in (False, True):\n"
        "    print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'], start_new_session=new).pid, flush=True)\n"
        "time.sleep(60)"
    )
    for seconds in more_and_more(1.5):
        with pytest.raises(envkit.DeadlineError) as caught:
            envkit.run(made, ["python", "-c", code], capture_output=True, timeout=seconds, host=host)
        pids = [int(line) for line in caught.value.output.splitlines()]
        assert not any(map(alive, pids))
        if len(pids) == 2:
            break
    assert len(pids) == 2
    cancel = threading.Event()
    threading.Timer(0.5, cancel.set).start()
    with own_time() as took, pytest.raises(envkit.CancelledError):
        envkit.run(made, ["python", "-c", "import time; time.sleep(60)"], cancel=cancel, host=host)
    assert took.seconds < 10


@pytest.mark.core
def test_a_program_that_is_not_there(host: Host, made: envkit.Environment) -> None:
    """A missing program, and a program in the working directory that nobody asked for by path, are NotFoundErrors."""
    (host.cwd / "tool").write_text("#!/bin/sh\necho pwned\n")
    (host.cwd / "tool").chmod(0o755)
    for path in (".", "", host.environ["PATH"]):
        other = envkit.Host(
            root=host.root, environ={**host.environ, "PATH": path}, platform=host.platform, home=host.home, cwd=host.cwd, data=host.data
        )
        with pytest.raises(envkit.NotFoundError):
            envkit.run(made, ["tool"], capture_output=True, host=other)
    assert envkit.run(made, ["./tool"], capture_output=True, host=host).stdout == "pwned\n"


@pytest.mark.core
def test_a_background_child_is_left_alone(host: Host, made: envkit.Environment) -> None:
    """What a program that ends by itself leaves in the background is spared, as subprocess does."""
    code = "import subprocess, sys; print(subprocess.Popen(['sleep', '600'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).pid)"
    pid = int(envkit.run(made, ["python", "-c", code], capture_output=True, host=host).stdout)
    assert alive(pid)
    os.kill(pid, signal.SIGKILL)


@pytest.mark.core
def test_without_capture_it_talks_on_our_streams(host: Host, made: envkit.Environment, capfd: pytest.CaptureFixture[str]) -> None:
    """Output goes to our own stdout, and the result holds none."""
    done = envkit.run(made, ["python", "-c", "print('hello')"], host=host)
    assert (done.stdout, done.stderr, done.returncode) == (None, None, 0)
    assert capfd.readouterr().out == "hello\n"


@pytest.mark.core
def test_activation_is_data(host: Host, made: envkit.Environment) -> None:
    """Activation puts the environment first on PATH, once, names it, and leaves what it was given alone."""
    before = {"PATH": f"{made.prefix / 'bin'}:/usr/bin", "PYTHONHOME": "/x", "KEEP": "1"}
    inside = envkit.activation(made, host=host).apply(before)
    assert inside["PATH"] == f"{made.prefix / 'bin'}:/usr/bin"
    assert inside["VIRTUAL_ENV"] == str(made.prefix)
    assert "PYTHONHOME" not in inside
    assert inside["KEEP"] == "1"
    assert before["PYTHONHOME"] == "/x"


@pytest.mark.core
def test_interpreter(host: Host, made: envkit.Environment) -> None:
    """The interpreter's own words: its paths lie in the environment, its base outside."""
    said = envkit.interpreter(made, host=host)
    assert said.prefix == made.prefix
    assert said.base_prefix != made.prefix
    assert said.paths["purelib"].is_relative_to(made.prefix)
    assert said.markers["python_full_version"] == str(said.version)


@pytest.mark.core
def test_the_signal_is_the_code(host: Host, made: envkit.Environment) -> None:
    """A program that a signal ended has its negative number as code."""
    done = envkit.run(made, ["python", "-c", "import os, signal; os.kill(os.getpid(), signal.SIGTERM)"], capture_output=True, host=host)
    assert done.returncode == -signal.SIGTERM


def test_ctrl_c_reaches_the_program(host: Host, made: envkit.Environment) -> None:
    """Ctrl-C in a terminal reaches the program as it reaches us, it may end in its own way, and no process is left."""
    code = (
        "import envkit, os, signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # ignored, and so inherited, where the tests run in the background
        f'child = \'import signal, sys, time; signal.signal(signal.SIGINT, lambda *_: (print("tidy", flush=True), sys.exit(0))); print("up", flush=True); time.sleep(30)\'\n'
        f"envkit.run({str(made.prefix)!r}, ['python', '-c', child])"
    )
    root = Path(envkit.__file__).parent.parent
    outer = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=root, start_new_session=True
    )
    assert outer.stdout is not None
    assert outer.stdout.readline() == "up\n"
    os.killpg(outer.pid, signal.SIGINT)
    out, err = outer.communicate(timeout=LONG)
    assert out == "tidy\n"
    assert "KeyboardInterrupt" in err
