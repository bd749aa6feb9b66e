"""Find and watch: discovery with the plug-ins."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable
from typing import TYPE_CHECKING, Literal

from .. import plugins
from ..control import Control, Work, takes_control
from ..discovery import search
from ..errors import UsageError
from ..models.environment import Environment, Kind

if TYPE_CHECKING:
    from typing import Unpack

    from ..discovery.requests import Request
    from ..models.aliases import StrPath
    from ..models.looks import Change

Probe = Literal["never", "known", "all"]


@takes_control
def find(
    *,
    kinds: Iterable[Kind] = (),
    managers: Iterable[str] = (),
    python: str | None = None,
    roots: Iterable[StrPath] = (),
    probe: Probe = "never",
    **control: Unpack[Control],
) -> Generator[Environment, None, None]:
    """Yield the environments of this machine, broken ones with their `problem`, without running any of them.

    Args:
        kinds: only these; empty means all.
        managers: only those of these tools; empty means all.
        python: only those that a request such as ">=3.11" or "pypy" allows.
        roots: directories to look into besides the usual places.
        probe: "known" runs installed interpreters, "all" every one found, isolated and bounded, to fill in what files do not say.

    Returns:
        A generator, in the order of the locators' table, each environment once. It can be abandoned at any point.

    Raises:
        UsageError: `python` is no request.

    Example:
        >>> import envkit
        >>> isinstance(next(envkit.find()).prefix.is_absolute(), bool)
        True
    """
    request = None if python is None else parsed(python)
    several = _several("kinds", kinds), _several("managers", managers), _several("roots", roots)
    if probe not in ("never", "known", "all"):
        raise UsageError(f"probe is {probe!r}", code="probe", hint='give "never", "known" or "all"')
    return _find(Work.of(control), *several, request, probe)


def _find(
    work: Work, kinds: tuple[str, ...], managers: tuple[str, ...], roots: tuple[str, ...], request: Request | None, probe: Probe
) -> Generator[Environment, None, None]:
    if roots:
        from .. import records  # noqa: PLC0415 - finding does without it, and it brings locks, hashes and plans

        roots = tuple(str(records.absolute(root, work.host)) for root in roots)
    yield from search.search(
        work, table=plugins.locators(work.host), kinds=kinds, managers=managers, request=request, roots=roots, probe=probe
    )


@takes_control
def watch(
    *,
    kinds: Iterable[Kind] = (),
    managers: Iterable[str] = (),
    roots: Iterable[StrPath] = (),
    interval: float = 2.0,
    **control: Unpack[Control],
) -> Generator[Change, None, None]:
    """Yield every environment as added, then only what changes: environments that come, go or change, and their packages.

    Reads files again and again, starts no process.

    Args:
        kinds: only these; empty means all.
        managers: only those of these tools; empty means all.
        roots: directories to look into besides the usual places.
        interval: seconds between two looks; where a look takes long, the pauses are longer, so that watching stays cheap.

    Returns:
        A generator without end. It ends when `cancel` is set or the time is up, by the error that says so, or when it is closed.

    Raises:
        CancelledError: `cancel` was set. DeadlineError: `timeout` has passed.
        UsageError: the interval is not more than 0.

    Example:
        >>> import envkit
        >>> watching = envkit.watch(kinds=["interpreter"])
        >>> next(watching).kind
        'added'
        >>> watching.close()
    """
    if not interval > 0:
        raise UsageError(f"interval is {interval!r}", code="interval", hint="give seconds, more than 0")
    return _watch(Work.of(control), _several("kinds", kinds), _several("managers", managers), _several("roots", roots), interval)


def _watch(
    work: Work, kinds: tuple[str, ...], managers: tuple[str, ...], roots: tuple[str, ...], interval: float
) -> Generator[Change, None, None]:
    from ..discovery import watching  # noqa: PLC0415 - finding does without it

    yield from watching.watch(lambda asked: _find(asked, kinds, managers, roots, None, "never"), work, interval=interval)


def _several(name: str, given: Iterable[StrPath]) -> tuple[str, ...]:
    if isinstance(given, str | os.PathLike):
        raise TypeError(f"{name} takes several, not {given!r}")
    return tuple(os.fspath(item) for item in given)


def parsed(text: str) -> Request:
    """Return a request.

    Raises:
        UsageError: the text does not fit the grammar.
    """
    from ..discovery import requests  # noqa: PLC0415 - most look for whatever there is

    request = requests.parse(text)
    if request is None:
        raise UsageError(
            f"{text!r} is no request for a Python",
            code="request",
            hint='say it as "3.12", ">=3.11,<3.14", "3.13t", "pypy3.10" or "cpython@3.12"',
        )
    return request
