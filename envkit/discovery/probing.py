"""Run the Pythons of a search: side by side, through the cache, within one time for all of them.

What is found is given out in the order of the search, whichever Python answered first. A Python that hangs has its own deadline,
and all of them together one that ends before the call's: so a call with a timeout still gives out everything, the good neighbours
with what they said and the hanging ones with a problem. When the search is abandoned, what runs is killed first.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from ..control import Work, joined
from ..errors import CorruptError, DeadlineError, EnvkitError
from ..models.environment import Environment, Problem
from . import probe
from .cache import Kept, ProbeCache, identity

if TYPE_CHECKING:
    from .probe import Answer

_BUDGET: Final = 60.0  # seconds for all Pythons of one search
_SHARE: Final = 0.9  # of what the call has left
_RESERVE: Final = 1.0  # seconds of it, up to half, in which what hangs is killed and what was found is given out
_SIDE_BY_SIDE: Final = 16  # those that hang wait only, so there are more than processors
_HINT: Final = "choose another Python, or install this one again"


class _Outcome(NamedTuple):
    """What came of one Python: an answer, or why there is none. Neither: there was no time left to ask it."""

    answer: Answer | None = None
    failure: str | None = None


def probed(environments: Iterable[Environment], work: Work, *, told: list[str] | None = None) -> Generator[Environment, None, None]:
    """Yield the environments in their order, each with the facts that its Python gave when it was run.

    Args:
        environments: those to run; one without Python, or that is known to be broken, is given as it is.
        work: the call's clock and cancel.
        told: takes a sentence for each that was not run although it should have been.

    Returns:
        Every environment once. One that does not run has the problem "python-unusable".

    Raises:
        CancelledError: when all that was started has been killed. When the call's time is up, what is known is still given out.
    """
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - only where something is run

    notes: list[str] = [] if told is None else told
    stop = threading.Event()
    asking = _Asking(work, stop)
    if asking.cache.note:
        notes.append(asking.cache.note)
    pool = ThreadPoolExecutor(max_workers=_SIDE_BY_SIDE, thread_name_prefix="envkit-probe")
    try:
        asked = [(env, pool.submit(asking.outcome, env) if _is_to_run(env) else None) for env in environments]
        for env, future in asked:
            if future is None:
                yield env
                continue
            outcome = future.result()
            if work.is_set():
                raise work.cancelled()
            if outcome == _Outcome():
                notes.append(f"{env.python}: not run, there was no time left")
            yield _updated(env, outcome)
    finally:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)
        asking.cache.save()


class _Asking:
    """One search's questions: their clock, their cancel, the cache."""

    def __init__(self, work: Work, stop: threading.Event) -> None:
        """Begin; `stop` ends what runs."""
        self._end = time.monotonic() + _budget(work.remaining())
        self._work = Work(host=work.host, cancel=joined(work, stop))  # it reports nothing: it is asked from other threads
        self.cache = ProbeCache(work.host, probe.script())

    def outcome(self, env: Environment) -> _Outcome:
        """Return what came of one Python, from the cache if its files are what they were; raises nothing but what ends the call."""
        assert env.python is not None
        python, prefix = str(env.python), str(env.prefix) if env.kind == "venv" else ""
        kept = self.cache.get(python, prefix)
        if kept is None:
            seconds = min(probe.SECONDS, self._end - time.monotonic())
            if seconds <= 0:
                return _Outcome()
            known = identity(python, prefix)
            kept, lasting = self._asked(env.python, Path(prefix) if prefix else None, seconds)
            if lasting:
                self.cache.put(python, prefix, known, kept)
        if kept.answer is None:
            return _Outcome(failure=kept.failure)
        try:
            return _Outcome(answer=probe.read(kept.answer, env.python))
        except CorruptError as error:
            return _Outcome(failure=str(error))

    def _asked(self, python: Path, prefix: Path | None, seconds: float) -> tuple[Kept, bool]:
        """Return what a Python said now, and whether that may be kept: not that it had less time than it should have."""
        self._work.check()
        try:
            answer = probe.ask(python, work=self._work, prefix=prefix, seconds=seconds)
            said = probe.read(answer, python)
        except EnvkitError as error:
            self._work.check()
            return Kept(None, str(error)), not isinstance(error, DeadlineError) or seconds >= probe.SECONDS
        except (OSError, RuntimeError) as error:  # no more threads, no more descriptors: of the machine, not of this Python
            return Kept(None, f"{python} could not be run: {error}"), False
        return Kept(answer, None), said.interpreter.executable == python  # what a shim says depends on more than its file


def _budget(remaining: float | None) -> float:
    """Return the seconds for all Pythons of a search, of a call that has so many left."""
    if remaining is None:
        return _BUDGET
    return min(_BUDGET, remaining * _SHARE, max(remaining - _RESERVE, remaining / 2))


def _is_to_run(env: Environment) -> bool:
    """Say whether an environment has a Python that can be one: not a script, an alias or a link to nothing."""
    return env.python is not None and (env.problem is None or env.problem.severity != "error")


def _updated(env: Environment, outcome: _Outcome) -> Environment:
    """Return the environment with what its Python said: the truth, so it replaces what files said."""
    if outcome.failure is not None:
        return replace(env, problem=Problem(code="python-unusable", message=outcome.failure, hint=_HINT))
    if outcome.answer is None:
        return env
    said = outcome.answer.interpreter
    base = env.base
    if base is None and env.kind == "venv" and said.base_prefix != env.prefix:
        base = said.base_prefix
    return replace(
        env,
        version=said.version,
        version_source=str(env.python),
        implementation=said.implementation,
        architecture=outcome.answer.architecture or env.architecture,
        free_threaded=outcome.answer.free_threaded,
        base=base,
    )
