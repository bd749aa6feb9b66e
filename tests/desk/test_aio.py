"""Any verb from a coroutine: in a worker thread, cancelled with its task, `async with` for scopes."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Generator

import pytest
from support.patience import LONG, alive

import envkit
from envkit import Host
from envkit.control import Control
from envkit.system.scope import OpenedScope


@pytest.mark.core
def test_call_runs_beside_the_loop(host: Host) -> None:
    """The loop goes on while a verb runs in its thread; the result is the verb's."""

    async def main() -> envkit.Environment:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                if ticks > 1:
                    ticked.set()
                await asyncio.sleep(0.001)

        ticked = threading.Event()
        ticking = asyncio.create_task(tick())
        made = await envkit.aio.call(envkit.create, "demo", report=lambda _: ticked.wait(LONG), host=host)
        ticking.cancel()
        assert ticks > 1
        return made

    assert asyncio.run(main()).name == "demo"


@pytest.mark.core
def test_cancelling_the_task_kills_the_work_first(host: Host) -> None:
    """Cancelling the task ends the program that runs, and the task ends only after that."""
    made = envkit.create("demo", host=host)
    mark = host.cwd / "mark"

    async def main() -> None:
        code = f"import os, time; open({str(mark)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
        task = asyncio.create_task(envkit.aio.call(envkit.run, made, ["python", "-c", code], host=host))
        while not (mark.exists() and mark.read_text()):  # noqa: ASYNC110 - another process makes it
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert not alive(int(mark.read_text()))


@pytest.mark.core
def test_errors_come_through() -> None:
    """An error of the verb is the coroutine's."""
    with pytest.raises(envkit.UsageError):
        asyncio.run(envkit.aio.call(envkit.resolve, "no such name!"))


@pytest.mark.core
def test_stream_yields_and_can_be_left(host: Host) -> None:
    """`find` as an async generator gives what `find` gives, and can be left at any point."""

    async def main() -> tuple[list[envkit.Environment], envkit.Environment]:
        everything = [env async for env in envkit.aio.stream(envkit.find, host=host)]
        first: list[envkit.Environment] = []
        async for env in envkit.aio.stream(envkit.find, host=host):
            first.append(env)
            break
        return everything, first[0]

    everything, first = asyncio.run(main())
    assert everything == list(envkit.find(host=host))
    assert first == everything[0]


@pytest.mark.core
def test_a_scope_is_entered_once_for_with_and_async_with() -> None:
    """A scope serves `with` and `async with`, does nothing before, is entered once, and hears of errors in its body."""
    said: list[str] = []

    def opening(control: Control) -> Generator[int, None, None]:
        said.append("in")
        try:
            yield 7
        except ValueError:
            said.append("error")
            raise
        finally:
            said.append("out")

    scope = OpenedScope(opening, {})
    assert said == []
    with scope as value:
        assert value == 7
    with pytest.raises(envkit.UsageError), scope:
        pass
    with pytest.raises(ValueError, match="x"), OpenedScope(opening, {}):
        raise ValueError("x")

    async def main() -> int:
        async with OpenedScope(opening, {}) as number:
            return number

    assert asyncio.run(main()) == 7
    assert said == ["in", "out", "in", "error", "out", "in", "out"]


@pytest.mark.core
def test_cancelling_while_a_scope_opens_leaves_it() -> None:
    """A task that is cancelled while `async with` opens waits until what was opened is closed again."""
    opened, closed = threading.Event(), threading.Event()

    def opening(control: Control) -> Generator[int, None, None]:
        opened.set()
        cancel = control.get("cancel")
        while cancel is not None and not cancel.is_set():
            time.sleep(0.01)
        try:
            yield 1
        finally:
            closed.set()

    async def main() -> None:
        async def use() -> None:
            async with OpenedScope(opening, {}):
                raise AssertionError("never entered")

        task = asyncio.create_task(use())
        while not opened.is_set():  # noqa: ASYNC110 - another thread sets it
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert closed.is_set()
