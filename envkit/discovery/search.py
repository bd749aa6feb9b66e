"""Find and identify: candidates from every locator first, then each thing once, in the order of the table.

Gathering lists directories, nothing more. Candidates that are the same thing are put together by what the files are (the same
file behind several links; one directory under several spellings), never by which came first or by time, so that the same machine
gives the same answer in the same order. No process is started unless `probe` asks for it.

Time is limited for each locator, so that one which hangs (a plug-in, a file system that does not answer) costs only its own
results; see `looking.py`. The reporter hears of each locator what it found, what was left out and why, and the seconds.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from contextlib import closing, suppress
from time import monotonic
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from ..formats import conda_meta, pyvenv_cfg
from ..system.look import Look
from ..system.spelling import name_of
from . import again
from .locators import things_of
from .looking import Looking
from .virtual import kind_of, virtual

if TYPE_CHECKING:
    from collections import deque

    from ..control import Task, Work
    from ..host import Host
    from ..models.environment import Environment
    from ..protocols import Locator
    from .requests import Request
    from .shares import Share

Probe: TypeAlias = Literal["never", "known", "all"]

PATIENCE: Final = 2.0
"""Seconds that a locator may give no sign of life; a quarter of `timeout` where that is less."""

LONGEST: Final = 10.0
"""Seconds in which a locator must name all its candidates, or say of one what it is, with whatever signs of life."""

_RING = 0.002  # seconds between the first two rings for what is found; each pause is twice the one before
_TICK = 0.05  # seconds between two looks at cancel, deadline and patience, while nothing is found
_STALL = 0.25  # seconds between two such looks that count at most


def search(
    work: Work,
    *,
    table: Sequence[Locator],
    kinds: Iterable[str] = (),
    managers: Iterable[str] = (),
    request: Request | None = None,
    roots: tuple[str, ...] = (),
    probe: Probe = "never",
) -> Generator[Environment, None, None]:
    """Yield the environments of the machine, broken ones with their problem.

    Args:
        work: the call's host, deadline, cancel and reporter.
        table: the locators, in the order in which they are asked and their finds given out.
        kinds: only these; empty means all.
        managers: only those of these tools; empty means all.
        request: only those that it does not exclude; where files tell only the minor, a request for a patch excludes nothing.
        roots: absolute directories to look into besides the usual places, and to walk below; see `system/walking.py`.
        probe: "known" runs the plain interpreters, "all" every Python that was found; "never" runs none.

    Returns:
        Each environment once, in table order; nothing is left open when it is abandoned. A locator that fails or hangs costs only
        what it would have found, and the reporter hears of it.

    Raises:
        CancelledError: at once. DeadlineError: after what was found in time was given out.
    """
    wanted, owners = frozenset(kinds), frozenset(managers)
    states = [Looking(table, wanted, roots, None if roots else again.question(work.host, table, kinds=wanted))]
    told: list[str] = []
    with work.task("find", "environments of this machine") as task:
        try:
            found = _patiently(work, states)
            found = (env for env in found if (not wanted or env.kind in wanted) and (not owners or env.manager in owners))
            if request is not None:
                found = (env for env in found if request.allows(env) is not False)
            if probe != "never":
                found = _run(found, work, every=probe == "all", told=told)
            with closing(found):
                for env in found:
                    if request is None or request.allows(env) is not False:
                        yield env
        finally:
            _report(work, task, states[-1], told)


def _patiently(work: Work, states: list[Looking]) -> Generator[Environment, None, None]:
    """Yield what is found on a worker; when one hangs, leave it behind and go on with another, from a state of its own."""
    patience = PATIENCE if work.timeout is None else min(PATIENCE, work.timeout / 4)
    while True:
        state, look, late = states[-1], Look(work.host), None
        watch, finds = _Watch(patience), _Finds()
        work.check()
        try:
            finds.start(state, look)
            while late is None:
                for env in finds.wait():
                    yield env
                    work.check()
                if finds.ended:
                    return
                work.check()
                late = watch.late(state, look)
            yield from finds.taken()
        finally:
            look.given_up = True
        states.append(state.again())
        states[-1].leave(*late)


class _Finds:
    """What a worker has found and nobody has taken yet. Each is there at once; the bell is rung for the first and then seldom.

    Two threads that wake each other for every environment spend as long on that as on looking.
    """

    def __init__(self) -> None:
        """Begin with nothing found."""
        import threading  # noqa: PLC0415 - identifying one path needs no worker
        from collections import deque  # noqa: PLC0415 - as above

        self.ended = False
        self._found: deque[Environment] = deque()
        self._failure: BaseException | None = None
        self._last = False  # nothing more will be found
        self._bell = threading.Lock()  # free when it was rung; `queue` would do, and takes a millisecond to import
        self._bell.acquire()

    def start(self, state: Looking, look: Look) -> None:
        """Let a worker go through the steps that are left of a search."""
        import threading  # noqa: PLC0415 - as above

        threading.Thread(target=self._run, args=(state, look), name="envkit find", daemon=True).start()

    def _run(self, state: Looking, look: Look) -> None:
        rung, pause = 0.0, _RING
        try:
            for env in state.steps(look):
                self._found.append(env)
                if look.given_up:
                    return
                if (now := monotonic()) - rung > pause:
                    self._ring()
                    rung, pause = now, min(2 * pause, _TICK)
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            self._failure = error
        self._last = True
        self._ring()

    def _ring(self) -> None:
        with suppress(RuntimeError):  # it was rung before, and not heard yet
            self._bell.release()

    def wait(self) -> Generator[Environment, None, None]:
        """Yield what is there after the bell has rung, or nobody has rung it for a while; raise what ended the worker."""
        self._bell.acquire(timeout=_TICK)
        last = self._last
        yield from self.taken()
        self.ended = last
        if last and self._failure is not None:
            raise self._failure

    def taken(self) -> Generator[Environment, None, None]:
        """Yield what is there."""
        while self._found:
            yield self._found.popleft()


class _Watch:
    """Tells who takes too long: without any look at a file for a while, or in all.

    Its clock stands while we are not run, for on a machine that stands still nobody can work.
    """

    def __init__(self, patience: float) -> None:
        """Begin to wait."""
        self._patience = patience
        self._looked = -1
        self._began = 0.0  # what the worker is busy with, by when it began with it
        self._seen, self._clock = monotonic(), 0.0
        self._since = self._first = 0.0  # by that clock: the last sign of life, and the first one of what it is busy with

    def late(self, state: Looking, look: Look) -> tuple[Share, str, float] | None:
        """Return who has been working on which path for too long, and for how long; None when nobody has."""
        now, busy = monotonic(), state.busy
        self._clock += min(now - self._seen, _STALL)
        self._seen = now
        if look.looked != self._looked:
            self._looked, self._since = look.looked, self._clock
        if busy is None:
            return None
        share, path, began = busy
        if began != self._began:
            self._began, self._since, self._first = began, self._clock, self._clock
        late = self._clock - self._since > self._patience or self._clock - self._first > LONGEST
        return (share, path, now - began) if late else None


def _report(work: Work, task: Task, looking: Looking, told: Sequence[str]) -> None:
    """Tell of each locator what it found, what was left out and why, and how long it took."""
    for share in looking.shares:
        text = "; ".join((f"{share.found} found", *share.skipped))
        work.past("find", share.locator.NAME, seconds=share.seconds, ok=not share.failed, result=text)
    names = [f"{share.locator.NAME}: {why}" for share in looking.shares for why in share.skipped]
    left = [share.locator.NAME for share in looking.shares[looking.asked :]] if work.expired() else []
    names += [f"not asked in time: {', '.join(left)}"] if left else []
    task.text = "; ".join(dict.fromkeys([*names, *told]))


def _run(found: Iterable[Environment], work: Work, *, every: bool, told: list[str]) -> Generator[Environment, None, None]:
    """Yield the environments in their order; the plain interpreters, or every one, with what its Python says of itself."""
    from .probing import probed  # noqa: PLC0415 - looking alone starts no process

    everything = list(found)
    with closing(probed([env for env in everything if every or env.kind == "interpreter"], work, told=told)) as answers:
        for env in everything:
            yield next(answers) if every or env.kind == "interpreter" else env


def identify(host: Host, path: str, table: Sequence[Locator], *, question: again.Question | None = None) -> Environment | None:
    """Return the environment at a path, an executable or a prefix; None when there is none.

    A broken one has its `problem`. An executable that is a script which picks an interpreter (a shim) is given as a broken
    interpreter, so that the caller can say why it will not do.

    Args:
        question: what may know the answer from before, and keeps this one; without it the files are read.
    """
    look = Look(host)
    if question is not None and (known := question.answer(look)) is not None:
        return next(iter(known[0]), None)
    found = _identified(look, look.tidy(path), table)
    if question is not None:
        question.keep(look, [found] if found else [], [])
    return found


def _identified(look: Look, path: str, table: Sequence[Locator]) -> Environment | None:
    kind = kind_of(look, path)
    for locator in table:
        if kind not in things_of(locator):
            continue
        found = locator.identify(look, path)
        # What lies in a virtual environment is never its base, whatever a locator says: packages would go there.
        if found is not None and not (kind != "interpreter" and found.kind == "interpreter"):
            return found
    return _shim(look, path)


def virtual_at(host: Host, prefix: str) -> Environment | None:
    """Return the virtual environment at a prefix by its own files alone, whatever tool it is of; None when there is none.

    It is enough while envkit itself is making it, and where whose it is is known; else `identify` says that.
    """
    look = Look(host)
    own = look.has(prefix, pyvenv_cfg.NAME) and not look.has(prefix, conda_meta.DIRECTORY)
    return virtual(look, prefix) if own else None


def _shim(look: Look, path: str) -> Environment | None:
    """Return a broken interpreter for an executable script with an interpreter's name."""
    from pathlib import Path  # noqa: PLC0415 - values only

    from ..models.environment import Environment, Problem  # noqa: PLC0415 - as above
    from .binaries import is_script  # noqa: PLC0415 - only when nothing else fits
    from .executables import read_name  # noqa: PLC0415 - as above

    if read_name(name_of(path), windows=look.windows) is None or not is_script(look.data(path, 2) or b""):
        return None
    problem = Problem(
        code="shim",
        message=f"{path} is a script that picks an interpreter, not one itself",
        hint="name the interpreter that it picks, or ask for a version",
    )
    return Environment(prefix=Path(path).parent.parent, kind="interpreter", python=Path(path), problem=problem)
