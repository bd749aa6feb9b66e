"""Work and Control: one clock per call, cancellation that is obeyed, events in order, keywords that show."""

from __future__ import annotations

import inspect
import pickle
import threading
import time
from typing import Unpack

import pytest

from envkit.control import Control, Work, joined, takes_control
from envkit.errors import CancelledError, DeadlineError, NotFoundError, UsageError
from envkit.events import Event, Finished, Output, Progress, Started

pytestmark = pytest.mark.core


@takes_control
def verb(what: str, *, often: int = 1, **control: Unpack[Control]) -> tuple[str, int, Control]:
    """Say what was given."""
    return what, often, control


def test_the_keywords_of_every_verb_are_shown_and_no_others_are_taken() -> None:
    """`help` shows report, cancel, timeout, offline and host one by one; a misspelt keyword is a TypeError at once."""
    names = list(inspect.signature(verb).parameters)
    assert names == ["what", "often", "report", "cancel", "timeout", "offline", "host"]
    assert all(inspect.signature(verb).parameters[name].kind is inspect.Parameter.KEYWORD_ONLY for name in names[1:])
    with pytest.raises(TypeError, match="timeuot"):
        verb("x", timeuot=3)  # type: ignore[call-arg]
    assert verb("x", timeout=3) == ("x", 1, {"timeout": 3})
    assert pickle.loads(pickle.dumps(verb)) is verb


def test_a_generator_refuses_a_wrong_keyword_when_it_is_called() -> None:
    """Not only when its first item is asked for."""

    @takes_control
    def numbers(**control: Unpack[Control]) -> object:
        yield from range(3)

    with pytest.raises(TypeError):
        numbers(timeuot=3)  # type: ignore[call-arg]


def test_time_is_counted_once() -> None:
    """From the start of the call to its end; when it is up, `check` says so with the seconds given."""
    work = Work(timeout=100)
    left = work.remaining()
    assert left is not None
    assert 0 < left <= 100
    work.check()
    work = Work(timeout=0.05)
    time.sleep(0.06)
    assert work.remaining() == 0
    with pytest.raises(DeadlineError, match=r"0\.05 seconds"):
        work.check()
    assert Work().remaining() is None
    for wrong in (-1, float("nan")):
        with pytest.raises(UsageError):
            Work(timeout=wrong)


def test_cancel_is_obeyed_between_steps() -> None:
    """The caller's own event, and several joined."""
    stop, other = threading.Event(), threading.Event()
    work = Work(cancel=joined(None, stop, other))
    work.check()
    other.set()
    with pytest.raises(CancelledError):
        work.check()
    assert work.quiet().is_set()


def test_events_come_nested_and_in_order() -> None:
    """Each activity starts and ends, a nested one names its parent, a failed one is not ok and says why."""
    heard: list[Event] = []
    work = Work(report=heard.append)

    def make() -> None:
        with work.task("create", "make it") as outer:
            outer.progress(1, 2)
            with work.task("install", "fill it", total=3, unit="packages") as inner:
                inner.output("a line", "stderr")
                inner.text = "3 packages"
            raise NotFoundError("it was not there")

    with pytest.raises(NotFoundError):
        make()
    assert [type(event) for event in heard] == [Started, Progress, Started, Output, Finished, Finished]
    first, progress, second, output, done, failed = heard
    assert isinstance(first, Started)
    assert isinstance(second, Started)
    assert (first.parent, second.parent, second.total, second.unit) == (None, first.id, 3, "packages")
    assert progress == Progress(id=first.id, done=1, total=2)
    assert output == Output(id=second.id, line="a line", stream="stderr")
    assert isinstance(done, Finished)
    assert (done.id, done.ok, done.text) == (second.id, True, "3 packages")
    assert isinstance(failed, Finished)
    assert (failed.id, failed.ok, failed.text) == (first.id, False, "it was not there")


def test_what_a_reporter_raises_cancels_the_call() -> None:
    """Once: while that unwinds the reporter is not asked again, and its exception is the cause."""
    asked: list[Event] = []

    def report(event: Event) -> None:
        asked.append(event)
        raise RuntimeError("the display is gone")

    work = Work(report=report)
    with pytest.raises(CancelledError) as caught, work.task("find", "x"):
        raise AssertionError("must not be reached")
    assert isinstance(caught.value.__cause__, RuntimeError)
    assert len(asked) == 1
    assert work.is_set()


def test_quiet_work_shares_clock_and_cancel() -> None:
    """For another thread: it says nothing, and ends when the call ends."""
    heard: list[Event] = []
    stop = threading.Event()
    work = Work(report=heard.append, cancel=stop, timeout=100)
    quiet = work.quiet()
    with quiet.task("find", "x"):
        pass
    assert not heard
    assert quiet.deadline == work.deadline
    stop.set()
    assert quiet.is_set()


def test_no_report_and_no_reporter_are_told_apart() -> None:
    """`report=None` is silent; without `report` the default reporter hears."""
    heard: list[Event] = []
    with Work.of({"report": heard.append}).task("find", "x"):
        pass
    assert len(heard) == 2
    with Work.of({"report": None}).task("find", "x"):
        pass
    assert len(heard) == 2
