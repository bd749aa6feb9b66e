"""Scope: `with` and `async with` from one generator; entered once, left once, cancellation cleans up."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator

import pytest

from envkit.control import Control, Work
from envkit.errors import CancelledError, UsageError
from envkit.system.scope import OpenedScope

pytestmark = pytest.mark.core


class Opening:
    """A thing that is opened and closed, and remembers by which threads."""

    def __init__(self, going: threading.Event | None = None) -> None:
        self.going = going  # it is not open before that is set
        self.said: list[str] = []
        self.threads: list[int] = []

    def scope(self, control: Control | None = None) -> OpenedScope[str]:
        return OpenedScope(self.opened, control or {})

    def opened(self, control: Control) -> Generator[str, None, None]:
        work = Work.of(control)
        self.said.append("opening")
        while self.going is not None and not self.going.wait(0.005):
            work.check()
        self.threads.append(threading.get_ident())
        try:
            yield "it"
        except BaseException as error:
            self.said.append(type(error).__name__)
            raise
        finally:
            self.said.append("closed")
            self.threads.append(threading.get_ident())


async def until(said: list[str]) -> None:
    """Wait until another thread has said something."""
    while not said:  # noqa: ASYNC110 - an asyncio.Event cannot be set from another thread
        await asyncio.sleep(0.005)


def test_nothing_happens_before_it_is_entered_and_it_is_entered_once() -> None:
    """A second entering is a UsageError, and does not disturb the first."""
    thing = Opening()
    scope = thing.scope()
    assert thing.said == []
    with scope as value:
        assert value == "it"
        with pytest.raises(UsageError), scope:
            pass
    assert thing.said == ["opening", "closed"]
    with pytest.raises(UsageError), scope:
        pass


def test_an_exception_of_the_body_passes_through() -> None:
    """The generator sees it, cleans up, and the caller gets the same one."""
    thing = Opening()
    error = KeyError("x")
    with pytest.raises(KeyError) as caught, thing.scope():
        raise error
    assert caught.value is error
    assert thing.said == ["opening", "KeyError", "closed"]


def test_an_exception_of_leaving_is_raised() -> None:
    """What closing raises is not lost, also where the body had raised something else."""

    def opened(control: Control) -> Generator[int, None, None]:
        try:
            yield 1
        finally:
            raise RuntimeError("could not close")

    with pytest.raises(RuntimeError), OpenedScope(opened, {}):
        pass
    with pytest.raises(RuntimeError) as caught, OpenedScope(opened, {}):
        raise KeyError("body")
    assert isinstance(caught.value.__context__, KeyError)


def test_async_with_works_in_worker_threads() -> None:
    """The loop is never blocked: entering and leaving happen elsewhere."""
    going = threading.Event()
    thing = Opening(going)

    async def main() -> None:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                if ticks > 3:
                    going.set()
                await asyncio.sleep(0.005)

        ticking = asyncio.ensure_future(tick())
        async with thing.scope() as value:
            assert value == "it"
        ticking.cancel()
        assert ticks > 3

    asyncio.run(main())
    assert threading.get_ident() not in thing.threads
    assert thing.said == ["opening", "closed"]


def test_cancelling_while_entering_cancels_the_work() -> None:
    """The opening sees our cancel, ends by it, and the task is cancelled only then."""
    thing = Opening(threading.Event())

    async def main() -> None:
        async def enter() -> None:
            async with thing.scope():
                raise AssertionError("must not be reached")

        task = asyncio.ensure_future(enter())
        await until(thing.said)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert thing.said == ["opening"]


def test_cancelling_just_after_it_was_entered_leaves_it() -> None:
    """Where the work could not be stopped any more, what was opened is closed before the task ends."""
    release = threading.Event()
    said: list[str] = []

    def opened(control: Control) -> Generator[int, None, None]:
        said.append("opening")
        release.wait(100)  # deaf to cancel
        try:
            yield 1
        finally:
            said.append("closed")

    async def main() -> None:
        async def enter() -> None:
            async with OpenedScope(opened, {}):
                raise AssertionError("must not be reached")

        task = asyncio.ensure_future(enter())
        await until(said)
        task.cancel()
        await asyncio.sleep(0.02)
        release.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert said == ["opening", "closed"]


def test_the_callers_own_cancel_is_heard_too() -> None:
    """Joined with the scope's."""
    stop = threading.Event()
    stop.set()
    with pytest.raises(CancelledError), Opening(threading.Event()).scope({"cancel": stop}):
        pass
