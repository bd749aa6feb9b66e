"""Locks: exclusive between processes and threads, waiting that ends, handed to children, freed by death."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from itertools import pairwise
from pathlib import Path

import pytest
from support.patience import LONG, own_time

from envkit.control import Work
from envkit.errors import BusyError, CancelledError, MachineError
from envkit.events import Event, Finished, Started
from envkit.system.locks import acquire, held
from envkit.system.process import run_process

HOLDER = """
import sys, time
from pathlib import Path
from envkit.control import Work
from envkit.system.locks import held
with held(Path(sys.argv[1]), what="demo", work=Work()):
    print("held", flush=True)
    time.sleep(60)
"""
ROOT = Path(__file__).parents[2]


def hold_elsewhere(path: Path) -> subprocess.Popen[str]:
    """Start a process that holds the lock."""
    child = subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    return child


@pytest.mark.core
def test_another_process_waits_and_is_told_who_holds_it(tmp_path: Path) -> None:
    """Until time is up: then BusyError, which is a TimeoutError, with the holder's process id; killing the holder frees the lock."""
    path = tmp_path / "locks" / "a.lock"
    holder = hold_elsewhere(path)
    try:
        heard: list[Event] = []
        with pytest.raises(BusyError) as caught, held(path, what="demo", work=Work(timeout=0.2, report=heard.append)):
            raise AssertionError("must not be reached")
        assert caught.value.holder == holder.pid
        assert str(holder.pid) in str(caught.value)
        assert caught.value.retryable
        assert isinstance(heard[0], Started)
        assert heard[0].activity == "wait"
        assert isinstance(heard[-1], Finished)
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.communicate()
    with held(path, what="demo", work=Work(timeout=LONG)) as lock:
        assert lock.descriptors
    assert path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.core
def test_waiting_can_be_cancelled(tmp_path: Path) -> None:
    """At once, also without a timeout."""
    path = tmp_path / "a.lock"
    stop = threading.Event()
    with held(path, what="demo", work=Work()):
        threading.Timer(0.1, stop.set).start()
        with own_time() as took, pytest.raises(CancelledError), held(path, what="demo", work=Work(cancel=stop)):
            raise AssertionError("must not be reached")
        assert took.seconds < 5


@pytest.mark.core
def test_threads_exclude_one_another_and_a_lock_is_left_in_another_thread(tmp_path: Path) -> None:
    """As an `async with` does it."""
    path = tmp_path / "a.lock"
    lock = acquire(path, what="demo", work=Work())
    with pytest.raises(BusyError):
        acquire(path, what="demo", work=Work(), blocking=False)
    releasing = threading.Thread(target=lock.release)
    releasing.start()
    releasing.join()
    acquire(path, what="demo", work=Work(), blocking=False).release()


def test_a_child_keeps_the_lock_of_a_parent_that_died(tmp_path: Path) -> None:
    """An installer whose parent was killed still writes: nobody else may begin until it has ended."""
    path = tmp_path / "a.lock"
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom envkit.control import Work\nfrom envkit.system.locks import held\n"
        "from subprocess import DEVNULL, Popen\n"
        "with held(Path(sys.argv[1]), what='demo', work=Work()) as lock:\n"
        "    child = Popen([sys.executable, '-c', 'import time; time.sleep(60)'], stdout=DEVNULL, stderr=DEVNULL, pass_fds=lock.descriptors)\n"
        "    print(child.pid, flush=True)\n    os._exit(9)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 9, done.stderr
    child = int(done.stdout)
    try:
        with pytest.raises(BusyError):
            acquire(path, what="demo", work=Work(timeout=0.2))
    finally:
        os.kill(child, signal.SIGKILL)
    acquire(path, what="demo", work=Work(timeout=LONG)).release()


def test_eight_processes_never_hold_it_together(tmp_path: Path) -> None:
    """Each writes when it got the lock and when it gave it back; no two intervals overlap."""
    path, log = tmp_path / "a.lock", tmp_path / "log"
    code = (
        "import sys, time, os\nfrom pathlib import Path\nfrom envkit.control import Work\nfrom envkit.system.locks import held\n"
        "for _ in range(5):\n"
        "    with held(Path(sys.argv[1]), what='demo', work=Work(timeout=200)):\n"
        "        begin = time.monotonic_ns(); time.sleep(0.002); end = time.monotonic_ns()\n"
        "        with open(sys.argv[2], 'a') as log: log.write(f'{begin} {end}\\n')\n"
    )
    workers = [subprocess.Popen([sys.executable, "-c", code, str(path), str(log)], cwd=ROOT) for _ in range(8)]
    assert [worker.wait(240) for worker in workers] == [0] * 8
    intervals = sorted(tuple(map(int, line.split())) for line in log.read_text().splitlines())
    assert len(intervals) == 40
    assert all(before[1] <= after[0] for before, after in pairwise(intervals))


@pytest.mark.core
def test_a_lock_that_cannot_be_made_is_a_machine_error(tmp_path: Path) -> None:
    """Where a directory lies in its place, or a link: never a lock that is none."""
    (tmp_path / "directory.lock").mkdir()
    (tmp_path / "link.lock").symlink_to(tmp_path / "victim")
    for name in ("directory.lock", "link.lock"):
        with pytest.raises(MachineError):
            acquire(tmp_path / name, what="demo", work=Work())
    assert not (tmp_path / "victim").exists()


def test_the_lock_file_stays_and_the_holder_goes(tmp_path: Path) -> None:
    """The file of a lock is never deleted, for another may be waiting on it; who held it is forgotten."""
    path = tmp_path / "a.lock"
    with held(path, what="demo", work=Work()) as lock:
        done = run_process(
            [sys.executable, "-I", "-S", "-c", f"import os; os.fstat({lock.descriptors[0]})"],
            work=Work(),
            environ={},
            descriptors=lock.descriptors,
        )
        assert done.returncode == 0
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.lock"]
