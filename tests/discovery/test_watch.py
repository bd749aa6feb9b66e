"""watch: everything first, then only differences, cheaply, until it is ended."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.patience import LONG, own_time, until

import envkit
from envkit import Change, Host


class Watcher:
    """A watch in a thread of its own, and what it has told."""

    def __init__(self, host: Host, root: Path) -> None:
        self.changes: list[Change] = []
        self.stop = threading.Event()
        self.ended: list[BaseException] = []
        self._thread = threading.Thread(target=self._watch, args=(host, root))
        self._thread.start()

    def _watch(self, host: Host, root: Path) -> None:
        try:
            for change in envkit.watch(kinds=["venv"], roots=[root], interval=0.1, cancel=self.stop, host=host):
                if change.environment.prefix.is_relative_to(root):  # this machine may have others, that come and go as they like
                    self.changes.append(change)
        except envkit.EnvkitError as error:
            self.ended.append(error)

    def told(self, number: int) -> list[tuple[str, str]]:
        """Wait for so many changes and return kind and directory of each."""
        until(lambda: len(self.changes) >= number)
        return [(change.kind, change.environment.prefix.name) for change in self.changes]

    def end(self) -> None:
        self.stop.set()
        self._thread.join(LONG)
        assert not self._thread.is_alive()


@pytest.fixture
def watched(host: Host, tmp_path: Path) -> Iterator[Callable[[], Watcher]]:
    """Start a watch of a directory that holds one environment."""
    begun: list[Watcher] = []
    make(tmp_path / "many" / "first")

    def begin() -> Watcher:
        begun.append(Watcher(host, tmp_path / "many"))
        assert begun[-1].told(1) == [("added", "first")]
        return begun[-1]

    yield begin
    for watcher in begun:
        watcher.end()


def make(prefix: Path) -> Path:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(prefix)], check=True)
    return prefix


def package(prefix: Path, name: str) -> Path:
    """Put what says that a package is there into an environment, and return it."""
    site = prefix / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    (site / f"{name}.dist-info").mkdir()
    return site / f"{name}.dist-info"


@pytest.mark.core
def test_differences_of_environments_are_told(watched: Callable[[], Watcher], tmp_path: Path) -> None:
    """One that comes is added, one that breaks is changed, one that goes is removed, and nothing is told twice."""
    watcher = watched()
    staged = make(tmp_path / "second")
    staged.rename(tmp_path / "many" / "second")
    assert watcher.told(2)[1:] == [("added", "second")]
    (tmp_path / "many" / "first" / "bin" / "python").unlink()
    (tmp_path / "many" / "first" / "bin" / "python3").unlink()
    watcher.told(3)
    shutil.move(tmp_path / "many" / "second", tmp_path / "gone")
    assert until(lambda: ("removed", "second") in watcher.told(0))
    told = watcher.told(4)[2:]
    assert told[-1] == ("removed", "second")
    assert set(told[:-1]) == {("changed", "first")}
    time.sleep(0.5)
    assert watcher.told(0)[2:] == told


@pytest.mark.core
def test_packages_are_differences(watched: Callable[[], Watcher], tmp_path: Path) -> None:
    """A package that comes, goes or changes version changes its environment; bytecode and other files do not."""
    watcher = watched()
    there = package(tmp_path / "many" / "first", "one-1.0")
    assert watcher.told(2)[1:] == [("changed", "first")]
    there.rename(there.with_name("one-2.0.dist-info"))
    assert watcher.told(3)[2:] == [("changed", "first")]
    (there.parent / "__pycache__").mkdir()
    (there.parent / "module.py").write_text("")
    time.sleep(0.5)
    assert len(watcher.changes) == 3
    there.with_name("one-2.0.dist-info").rmdir()
    assert watcher.told(4)[3:] == [("changed", "first")]


@pytest.mark.core
def test_cancel_ends_it_at_once(watched: Callable[[], Watcher]) -> None:
    """A watch ends within a fraction of its interval when it is cancelled, and says that it was."""
    watcher = watched()
    with own_time() as took:
        watcher.end()
    assert took.seconds < 1
    assert [type(error) for error in watcher.ended] == [envkit.CancelledError]


def test_a_timeout_and_closing_end_it(host: Host) -> None:
    """A watch with a timeout ends by DeadlineError; one that is closed ends silently, also in the middle of the first look."""
    with pytest.raises(envkit.DeadlineError):
        for _ in envkit.watch(kinds=["interpreter"], interval=30, timeout=0.5, host=host):
            pass
    watching = envkit.watch(kinds=["interpreter"], host=host)
    assert next(watching).kind == "added"
    watching.close()


def test_what_makes_no_sense_is_refused_at_once() -> None:
    """An interval that is no time is refused by the call, not by the first change."""
    for interval in (0, -1, float("nan")):
        with pytest.raises(envkit.UsageError) as caught:
            envkit.watch(interval=interval)
        assert caught.value.code == "interval"
    with pytest.raises(TypeError):
        envkit.watch(roots="one")


def test_watching_is_cheap(watched: Callable[[], Watcher]) -> None:
    """While nothing changes, a watch takes a small part of one processor, also at a short interval."""
    watched()
    time.sleep(0.3)
    began, used = time.monotonic(), sum(os.times()[:2])
    time.sleep(2)
    assert (sum(os.times()[:2]) - used) / (time.monotonic() - began) < 0.3
