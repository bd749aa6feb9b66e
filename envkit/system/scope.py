"""`Scope`: what `with` and `async with` take, from one generator."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Generator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from types import TracebackType
from typing import Protocol, TypeVar

from ..control import Control, joined
from ..errors import UsageError

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Scope(AbstractContextManager[T_co, None], AbstractAsyncContextManager[T_co, None], Protocol[T_co]):
    """For `with` and for `async with`. Nothing happens before it is entered, except that wrong arguments are refused; it is entered once."""


class OpenedScope(Scope[T]):
    """A scope over a generator that yields once. `async with` enters and leaves it in worker threads, not always the same."""

    def __init__(self, opening: Callable[[Control], Generator[T, None, None]], control: Control) -> None:
        """Keep what is to be opened; cancelling an `async with` is joined to the caller's own `cancel`."""
        self._cancelled = threading.Event()
        given: Control = {**control, "cancel": joined(control.get("cancel"), self._cancelled)}
        self._generator = opening(given)
        self._entered = False

    def __enter__(self) -> T:
        if self._entered:
            raise UsageError("this scope was entered before", code="scope-used", hint="call the verb again for a new one")
        self._entered = True
        return next(self._generator)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is None:
            for _ in self._generator:
                raise RuntimeError("a scope's generator yields once")
            return
        try:
            self._generator.throw(error)
        except BaseException as raised:
            if raised is not error:
                raise

    async def __aenter__(self) -> T:
        loop = asyncio.get_running_loop()
        entering = loop.run_in_executor(None, self.__enter__)
        try:
            return await asyncio.shield(entering)
        except asyncio.CancelledError:
            self._cancelled.set()
            await settled(entering)
            if entering.exception() is None:  # it was entered all the same: leave it
                await settled(loop.run_in_executor(None, self.__exit__, None, None, None))
            raise

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        leaving = asyncio.get_running_loop().run_in_executor(None, self.__exit__, kind, error, trace)
        try:
            await asyncio.shield(leaving)
        except asyncio.CancelledError:
            await settled(leaving)
            raise


async def settled(work: asyncio.Future[T]) -> None:
    """Wait until the work in its thread is done, however often the task is cancelled meanwhile."""
    while not work.done():
        try:
            await asyncio.wait([work])
        except asyncio.CancelledError:
            continue
