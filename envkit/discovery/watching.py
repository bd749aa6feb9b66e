"""Watch: look at the machine again and again, and tell only the differences, of environments and of what is installed in them.

Asking again is a search, which takes milliseconds, so nothing is needed of the operating system: no watcher that misses a network
disk, runs out of handles, or has to be told which directories matter. What is installed costs one `stat` per directory of packages;
its names are read only when its time changed, or changed so lately that a second change could have the same time. Where a search
takes long, the pauses are longer too, so that watching never takes more than a tenth of a processor.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Iterable
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from ..models.environment import Environment
from ..system.sites import site_packages

if TYPE_CHECKING:
    from ..control import Work
    from ..host import Host
    from ..models.looks import Change

_TICK: Final = 0.05  # seconds between two looks at cancel and deadline
_IDLE: Final = 9  # times what a search took is the shortest pause after it
_FRESH: Final = 2_000_000_000  # nanoseconds in which two changes may have one time (FAT counts in twos)
_ENDINGS: Final = (".dist-info", ".egg-info", ".egg-link", ".json")  # of what says that a package is there

_Names: TypeAlias = frozenset[tuple[str, int, int]]
_Key: TypeAlias = tuple[str, str]


class _Listing(NamedTuple):
    """A directory of packages as it was listed: its time, whether that was settled, and what is in it."""

    changed: int
    settled: bool
    names: _Names


class _Seen(NamedTuple):
    """One environment as it was told."""

    environment: Environment
    packages: tuple[tuple[str, _Names], ...]


def watch(look: Callable[[Work], Iterable[Environment]], work: Work, *, interval: float) -> Generator[Change, None, None]:
    """Yield everything as added, then what changes.

    Args:
        look: gives the environments as they are now.
        work: its cancel and deadline end the watch; the first look is reported, later ones are silent.
        interval: seconds between two looks.

    Returns:
        Of each look, first what is gone (as it was last seen), then what came or changed, in the order of the look.

    Raises:
        CancelledError, DeadlineError: the watch has ended.
    """
    from ..models.looks import Change  # noqa: PLC0415 - a search does without it

    listings: dict[str, _Listing] = {}
    seen: dict[_Key, _Seen] = {}
    for env in look(work):
        if seen.setdefault(_key(env), state := _Seen(env, _packages(env, work.host, listings))) is state:
            yield Change(kind="added", environment=env)
    _pause(work, interval)
    while True:
        began = time.monotonic()
        now: dict[_Key, _Seen] = {}
        for env in look(work.quiet()):
            now.setdefault(_key(env), _Seen(env, _packages(env, work.host, listings)))
        took = time.monotonic() - began
        yield from _differences(seen, now)
        seen = now
        _pause(work, max(interval, took * _IDLE))


def _differences(before: dict[_Key, _Seen], now: dict[_Key, _Seen]) -> Generator[Change, None, None]:
    from ..models.looks import Change  # noqa: PLC0415 - as above

    for key, state in before.items():
        if key not in now:
            yield Change(kind="removed", environment=state.environment)
    for key, state in now.items():
        if key not in before:
            yield Change(kind="added", environment=state.environment)
        elif before[key] != state:
            yield Change(kind="changed", environment=state.environment)


def _key(env: Environment) -> _Key:
    """Return what an environment stays the same by: an interpreter its executable, any other its directory, also when it breaks."""
    return env.kind, env.id if env.kind == "interpreter" else str(env.prefix)


def _packages(env: Environment, host: Host, listings: dict[str, _Listing]) -> tuple[tuple[str, _Names], ...]:
    """Return what is installed, by the names of the directories and files that say so."""
    directories = [*site_packages(env, host)]
    if env.kind == "conda":
        directories.append(os.path.join(env.prefix, "conda-meta"))
    return tuple((directory, _names(directory, listings)) for directory in directories)


def _names(directory: str, listings: dict[str, _Listing]) -> _Names:
    try:
        changed = os.stat(directory).st_mtime_ns
    except OSError:
        return frozenset()
    known = listings.get(directory)
    if known is None or not known.settled or known.changed != changed:
        settled = changed < time.time_ns() - _FRESH
        known = listings[directory] = _Listing(changed, settled, _listed(directory))
    return known.names


def _listed(directory: str) -> _Names:
    """Return the names that say which packages are there, with what tells one from another of the same name that replaced it."""
    found: set[tuple[str, int, int]] = set()
    try:
        with os.scandir(directory) as entries:
            for entry in entries:
                if entry.name.endswith(_ENDINGS) and not entry.name.startswith("~"):
                    status = entry.stat(follow_symlinks=False)
                    found.add((entry.name, status.st_ino, 0 if entry.is_dir(follow_symlinks=False) else status.st_mtime_ns))
    except OSError:
        return frozenset(found)
    return frozenset(found)


def _pause(work: Work, seconds: float) -> None:
    """Wait, but no longer than the call goes on."""
    until = time.monotonic() + seconds
    while True:
        work.check()
        left = until - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(_TICK, left))
