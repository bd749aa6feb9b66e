"""Any verb from a coroutine: it runs in a worker thread; cancelling the task cancels the work and waits until that is cleaned up."""

from __future__ import annotations

import asyncio
import functools
import inspect
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from typing import Any, ParamSpec, TypeVar, cast

from .control import joined
from .system.scope import (
    Scope as Scope,  # noqa: PLC0414 - shown here to the world
    settled,
)

P = ParamSpec("P")
T = TypeVar("T")

_END = object()


async def call(verb: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a verb in a worker thread and return its result.

    Cancelling the task sets the verb's `cancel` (joined with the caller's own), waits until the work has cleaned up, and only then
    raises `asyncio.CancelledError`.

    Example:
        >>> import asyncio, envkit, sys
        >>> asyncio.run(envkit.aio.call(envkit.resolve, sys.executable)).kind in {"interpreter", "venv", "conda"}
        True
    """
    cancelled = threading.Event()
    work = asyncio.get_running_loop().run_in_executor(None, functools.partial(verb, *args, **_with_cancel(verb, kwargs, cancelled)))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        cancelled.set()
        await settled(work)
        if not work.cancelled():
            work.exception()  # taken, so that it is not reported as never retrieved
        raise


async def stream(verb: Callable[P, Iterator[T]], /, *args: P.args, **kwargs: P.kwargs) -> AsyncGenerator[T, None]:
    """Run a verb that yields, such as `find`, in a worker thread and yield what it yields, as it comes.

    Closing the generator, or cancelling the task, ends the work.
    """
    loop = asyncio.get_running_loop()
    cancelled = threading.Event()
    items = await loop.run_in_executor(None, functools.partial(verb, *args, **_with_cancel(verb, kwargs, cancelled)))
    step: asyncio.Future[Any] | None = None
    try:
        while True:
            step = loop.run_in_executor(None, next, items, _END)
            item = await asyncio.shield(step)
            if item is _END:
                return
            yield cast("T", item)
    finally:
        cancelled.set()
        if step is not None:
            await settled(step)
            if not step.cancelled():
                step.exception()
        if close := getattr(items, "close", None):
            await settled(loop.run_in_executor(None, close))


def _with_cancel(verb: Callable[..., object], kwargs: dict[str, Any], cancelled: threading.Event) -> Any:
    """Return the keywords with our own cancel joined to the caller's, if the verb takes one."""
    if "cancel" not in inspect.signature(verb).parameters:
        return kwargs
    return {**kwargs, "cancel": joined(kwargs.get("cancel"), cancelled)}
