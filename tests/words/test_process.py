"""Child processes: what they say comes back, and no tree outlives a call that ended early."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from support.patience import alive, more_and_more, own_time, until

from envkit.control import Work
from envkit.errors import CancelledError, DeadlineError, MachineError, NotFoundError
from envkit.events import Event
from envkit.host import Host
from envkit.system.ending import ended
from envkit.system.family import holders
from envkit.system.process import Completed, kill_tree, run_attached, run_process, start_service

ENVIRON = {"PATH": os.environ["PATH"], "PYTHONIOENCODING": "utf-8"}


def python(code: str, **options: object) -> Completed:
    """Run Python code as a child."""
    work = options.pop("work", None) or Work()
    return run_process([sys.executable, "-I", "-S", "-c", code], work=work, environ=ENVIRON, **options)  # type: ignore[arg-type]


@pytest.mark.core
def test_what_a_process_says_comes_back() -> None:
    """Both streams, each in its order, line by line as they come; its code; what it read; bytes that are no text as a sign of that."""
    heard: list[tuple[str, str]] = []
    done = python(
        "import sys, os; text = sys.stdin.read(); print(text.upper()); os.write(2, b'caf\\xe9\\n'); print('no end', end=''); sys.exit(3)",
        text="é in",
        on_line=lambda line, stream: heard.append((line, stream)),
    )
    assert (done.returncode, done.stdout, done.stderr, done.cut) == (3, "É IN\nno end", "caf\ufffd\n", False)
    assert sorted(heard) == sorted([("É IN", "stdout"), ("no end", "stdout"), ("caf\ufffd", "stderr")])
    assert python("import sys; print(repr(sys.stdin.read()))").stdout == "''\n"
    assert python("import os, signal; os.kill(os.getpid(), signal.SIGTERM)").returncode == -15


@pytest.mark.core
def test_variables_and_directory_are_those_given(tmp_path: Path) -> None:
    """Nothing of ours leaks into the child."""
    done = run_process(
        [sys.executable, "-I", "-S", "-c", "import os; print(sorted(os.environ), os.getcwd())"],
        work=Work(),
        environ={"ONLY": "1"},
        cwd=tmp_path,
    )
    names, _, directory = done.stdout.strip().partition("] ")
    assert set(names.strip("[").replace("'", "").split(", ")) <= {"ONLY", "LC_CTYPE"}
    assert directory == str(tmp_path)


@pytest.mark.core
def test_what_cannot_be_run_is_typed(tmp_path: Path) -> None:
    """No such program, no such directory, no permission, not a program: each says what."""
    with pytest.raises(NotFoundError) as caught:
        run_process([str(tmp_path / "none")], work=Work(), environ={})
    assert caught.value.code == "program-not-found"
    with pytest.raises(NotFoundError, match="nowhere"):
        run_process([sys.executable], work=Work(), environ={}, cwd=tmp_path / "nowhere")
    script = tmp_path / "script"
    script.write_text("no program\n")
    for mode in (0o600, 0o700):
        script.chmod(mode)
        with pytest.raises(MachineError) as refused:
            run_process([str(script)], work=Work(), environ={})
        assert refused.value.code == "cannot-run"
    with pytest.raises(MachineError):
        run_process([sys.executable, "a\0b"], work=Work(), environ={})


TREE = (
    "import os, subprocess, sys, time\n"
    "child = subprocess.Popen([sys.executable, '-I', '-S', '-c', 'import time; time.sleep(60)'])\n"
    "stranger = subprocess.Popen([sys.executable, '-I', '-S', '-c', 'import time; time.sleep(60)'], start_new_session=True)\n"
    "print(os.getpid(), child.pid, stranger.pid, flush=True)\n"
)


@pytest.mark.parametrize("end", ["deadline", "own deadline", "cancel", "reporter", "limit"])
def test_the_whole_tree_dies_when_the_call_ends_early(end: str) -> None:
    """Children, and grandchildren in a session of their own, whatever ended the call; what was said is in the error."""
    pids: list[int] = []
    with own_time() as took:
        for seconds in more_and_more(1.0):
            _end_early(end, seconds, pids)
            if pids or "deadline" not in end:
                break
    assert took.seconds < 15
    assert len(pids) == 3
    assert not any(map(alive, pids))


def _end_early(end: str, seconds: float, pids: list[int]) -> None:
    """Run a tree, end the call in this way, and see that it raises what it should; `pids` are the processes, if they were started in time."""
    stop = threading.Event()

    def hear(line: str, stream: str) -> None:
        if not pids:
            pids.extend(map(int, line.split()))
            if end == "cancel":
                stop.set()
            if end == "reporter":
                raise KeyError("x")

    work = Work(timeout=seconds if end == "deadline" else None, cancel=stop)
    expected = {"deadline": DeadlineError, "own deadline": DeadlineError, "cancel": CancelledError, "reporter": KeyError}.get(end)
    rest = "while True: print('x' * 1000, flush=True)\n" if end == "limit" else "time.sleep(60)\n"
    if expected is None:
        assert python(TREE + rest, work=work, on_line=hear, limit=5000).cut
    else:
        with pytest.raises(expected) as caught:
            python(TREE + rest, work=work, on_line=hear, seconds=seconds if end == "own deadline" else None)
        if isinstance(caught.value, DeadlineError):
            assert caught.value.output.split() == list(map(str, pids))


def test_what_a_tool_leaves_behind_is_killed_and_does_not_hold_the_call() -> None:
    """A child in the background that keeps the output open does not make the call wait, and does not stay."""
    with own_time() as took:
        done = python(
            "import subprocess, sys; print(subprocess.Popen([sys.executable, '-I', '-S', '-c', 'import time; time.sleep(60)']).pid, flush=True)"
        )
    assert took.seconds < 20
    assert done.returncode == 0
    assert not alive(int(done.stdout))


def test_what_was_said_is_read_to_the_end_also_where_something_holds_the_output() -> None:
    """Neither a line without end, nor what we were too busy to read while the process lived, is lost with the one that held the pipe."""
    heard: list[str] = []

    def hear(line: str, _: str) -> None:
        if not heard:
            time.sleep(1)  # longer than we wait for more when it has ended
        heard.append(line)

    holder = "subprocess.Popen([sys.executable, '-I', '-S', '-c', 'import time; time.sleep(60)'])"
    done = python(f"import subprocess, sys; {holder}; print('one', flush=True); print('two'); print('three', end='')", on_line=hear)
    assert heard == ["one", "two", "three"]
    assert done.stdout == "one\ntwo\nthree"


def test_a_neighbour_that_is_being_started_is_not_taken_for_a_holder() -> None:
    """What another thread has forked has our end of the pipes until it becomes its program; only who holds the other end is killed."""
    reading, writing = os.pipe()
    code = "import sys; print('up', flush=True); sys.stdin.read()"
    argv = [sys.executable, "-I", "-S", "-c", code]
    others = [
        subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=[descriptor]) for descriptor in (reading, writing)
    ]
    try:
        for other in others:
            assert other.stdout is not None
            assert other.stdout.readline() == b"up\n"
        assert holders([reading]) == {others[1].pid}
        assert holders([writing]) == {others[0].pid}
        assert holders([]) == set()
    finally:
        for other in others:
            other.communicate()
        os.close(reading)
        os.close(writing)


def test_what_a_users_program_leaves_behind_may_stay() -> None:
    """With `spare`, as `subprocess.run` does it: a server started in the background lives on."""
    code = (
        "import subprocess, sys; print(subprocess.Popen([sys.executable, '-I', '-S', '-c', 'import time; time.sleep(60)'],"
        " stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).pid, flush=True)"
    )
    pid = int(python(code, spare=True).stdout)
    assert alive(pid)
    os.kill(pid, 9)


def test_much_output_is_kept_up_to_a_bound() -> None:
    """A tool that talks without end fills no memory; what is beyond the bound is dropped, the process is not."""
    done = python("print(('x' * 99 + '\\n') * 1000)", kept=1000)
    assert len(done.stdout) == 1000
    assert done.returncode == 0
    assert len(python("print('x' * 200_000)", kept=None).stdout) == 200_001


def test_a_line_without_end_comes_in_pieces() -> None:
    """A progress bar that never ends its line is heard all the same."""
    heard: list[str] = []
    python("print('x' * 200_000, end='')", on_line=lambda line, _: heard.append(line))
    assert len(heard) > 1
    assert sum(map(len, heard)) == 200_000


@pytest.mark.core
def test_a_descriptor_is_handed_on(tmp_path: Path) -> None:
    """So that a lock lives as long as the child that writes under it."""
    with open(tmp_path / "lock", "w") as stream:
        done = python(f"import os; os.write({stream.fileno()}, b'held')", descriptors=(stream.fileno(),))
        assert done.returncode == 0, done.stderr
        assert "Bad file" in python(f"import os; os.fstat({stream.fileno()})").stderr
    assert (tmp_path / "lock").read_text() == "held"


def test_attached_programs_are_timed_and_killed_too(tmp_path: Path, host: Host) -> None:
    """On our own streams: the code comes back; on timeout the tree is dead."""
    argv = [sys.executable, "-I", "-S", "-c"]
    assert run_attached([*argv, "raise SystemExit(7)"], work=Work(), environ=ENVIRON) == 7
    file = tmp_path / "pids"
    code = TREE.replace("print(", "print_(").replace("flush=True", "") + "time.sleep(60)"
    code = f"def print_(*words): open({str(file)!r}, 'w').write(' '.join(map(str, words)))\n" + code
    for seconds in more_and_more(1.5):
        with pytest.raises(DeadlineError):
            run_attached([*argv, code], work=Work(timeout=seconds), environ=ENVIRON)
        if file.exists() and file.read_text():
            break
    pids = [int(pid) for pid in file.read_text().split()]
    assert len(pids) == 3
    assert not any(map(alive, pids))


def test_a_service_runs_beside_us_until_it_is_killed(tmp_path: Path) -> None:
    """In a session of its own, its words in a file."""
    with open(tmp_path / "log", "w") as log:
        child = start_service(
            [sys.executable, "-I", "-S", "-c", "import os, time; print(os.getsid(0), flush=True); time.sleep(60)"],
            environ=ENVIRON,
            cwd=tmp_path,
            output=log.fileno(),
        )
    assert until(lambda: (tmp_path / "log").read_text().endswith("\n"))
    assert int((tmp_path / "log").read_text()) == child.pid
    assert not ended(child)
    kill_tree(child)
    assert ended(child)
    assert not alive(child.pid)
    with pytest.raises(NotFoundError):
        start_service([str(tmp_path / "none")], environ={}, cwd=tmp_path, output=1)


def test_events_are_told_on_the_thread_that_calls() -> None:
    """Whoever reports is never called from a reader's thread."""
    threads: set[int] = set()
    events: list[Event] = []
    work = Work(report=events.append)
    with work.task("run", "x") as task:

        def hear(line: str, stream: str) -> None:
            threads.add(threading.get_ident())
            task.output(line)

        python("print(1); print(2)", work=work, on_line=hear)
    assert threads == {threading.get_ident()}
    assert len(events) == 4


def test_no_shell_is_involved(tmp_path: Path) -> None:
    """Words of a shell are plain text in an argument."""
    echo = shutil.which("echo")
    assert echo is not None
    done = run_process([echo, "$(touch pwn)", ";", "*"], work=Work(), environ=ENVIRON, cwd=tmp_path)
    assert done.stdout == "$(touch pwn) ; *\n"
    assert not list(tmp_path.iterdir())
