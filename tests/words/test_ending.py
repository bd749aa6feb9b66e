"""How the end of a child is seen."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from support.patience import until

from envkit.system import ending
from envkit.system.ending import ended, ends_within

WAYS = pytest.mark.parametrize("within", [ends_within, ending._asked], ids=["told", "asked"])
Child = subprocess.Popen[str]
Within = Callable[[Child, float], bool]


@pytest.fixture
def waiting() -> Iterator[Child]:
    """A child that ends when it is told to."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, text=True)
    yield child
    child.kill()
    child.communicate()


@WAYS
def test_a_child_that_goes_on_is_waited_for_no_longer_than_was_said(waiting: Child, within: Within) -> None:
    assert not within(waiting, 0.02)
    assert not within(waiting, 0)


@WAYS
def test_a_child_that_ends_is_seen_and_not_reaped(waiting: Child, within: Within) -> None:
    assert waiting.stdin is not None
    waiting.stdin.write("\n")
    waiting.stdin.flush()
    assert within(waiting, 60)
    assert waiting.returncode is None
    assert within(waiting, 0)  # again: its id is still its own
    assert waiting.wait() == 0
    assert within(waiting, 0)


def test_who_was_reaped_behind_our_back_has_ended(waiting: Child) -> None:
    waiting.kill()
    until(lambda: ended(waiting))

    os.waitpid(waiting.pid, 0)
    assert ends_within(waiting, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="descriptors of processes are Linux's")
def test_where_there_is_no_descriptor_for_it_the_child_is_asked(waiting: Child, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(pid: int, flags: int = 0) -> int:
        raise OSError(38, "not here")

    monkeypatch.setattr("os.pidfd_open", refuse)
    assert not ends_within(waiting, 0.02)
    waiting.kill()
    assert ends_within(waiting, 60)
