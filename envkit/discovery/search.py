"""Find and identify: candidates from every locator first, then each thing once, in the order of the table.

Gathering lists directories, nothing more. Candidates that are the same thing are put together by what the files are (the same
file behind several links; one directory under several spellings), never by which came first or by time, so that the same machine
gives the same answer in the same order. No process is started unless `probe` asks for it.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Literal, TypeAlias

from ..system.look import Look
from .installations import installation_at
from .virtual import virtual_prefix

if TYPE_CHECKING:
    from ..control import Work
    from ..host import Host
    from ..models.environment import Environment
    from ..protocols import Locator
    from .requests import Request

Probe: TypeAlias = Literal["never", "known", "all"]
_Key: TypeAlias = tuple[str, int, int, int]


class _Thing:
    """What several candidates turned out to be: the first one, and other paths to it."""

    def __init__(self, candidate: str) -> None:
        self.candidate = candidate
        self.others: list[str] = []


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
        roots: absolute directories to look into besides the usual places.
        probe: "known" runs the plain interpreters, "all" every Python that was found; "never" runs none.

    Returns:
        Each environment once, in table order; nothing is left open when it is abandoned. A locator that fails costs only what it
        would have found, and the reporter hears of it.

    Raises:
        CancelledError, DeadlineError: between two environments.
    """
    look, wanted, owners = Look(work.host), frozenset(kinds), frozenset(managers)
    with work.task("find", "environments of this machine") as task:
        told: list[str] = []
        found = _all(work, look, table, wanted, roots, told)
        found = (env for env in found if (not wanted or env.kind in wanted) and (not owners or env.manager in owners))
        if request is not None:
            found = (env for env in found if request.allows(env) is not False)
        if probe != "never":
            found = _run(found, work, every=probe == "all", told=told)
        with closing(found):
            for env in found:
                if request is None or request.allows(env) is not False:
                    yield env
        task.text = "; ".join(dict.fromkeys(told))


def _all(
    work: Work, look: Look, table: Sequence[Locator], wanted: frozenset[str], roots: tuple[str, ...], told: list[str]
) -> Generator[Environment, None, None]:
    """Yield whatever is there, in table order."""
    for thing in _things(look, _gather(work, look, table, wanted, roots, told)):
        work.check()
        if (env := _identified(look, thing, table, told)) is not None:
            yield env


def _run(found: Iterable[Environment], work: Work, *, every: bool, told: list[str]) -> Generator[Environment, None, None]:
    """Yield the environments in their order; the plain interpreters, or every one, with what its Python says of itself."""
    from .probing import probed  # noqa: PLC0415 - looking alone starts no process

    everything = list(found)
    with closing(probed([env for env in everything if every or env.kind == "interpreter"], work, told=told)) as answers:
        for env in everything:
            yield next(answers) if every or env.kind == "interpreter" else env


def identify(host: Host, path: str, table: Sequence[Locator]) -> Environment | None:
    """Return the environment at a path, an executable or a prefix; None when there is none.

    A broken one has its `problem`. An executable that is a script which picks an interpreter (a shim) is given as a broken
    interpreter, so that the caller can say why it will not do.
    """
    look = Look(host)
    path = look.tidy(path)
    for locator in table:
        if (found := locator.identify(look, path)) is not None:
            return found
    return _shim(look, path)


def _gather(work: Work, look: Look, table: Sequence[Locator], kinds: frozenset[str], roots: tuple[str, ...], told: list[str]) -> list[str]:
    """Return all candidates, by listing directories; the whole of it before anything is identified."""
    found: list[str] = []
    for locator in table:
        if kinds and not kinds & locator.KINDS:
            continue
        work.check()
        try:
            found.extend(locator.candidates(look, roots))
        except Exception as error:  # noqa: BLE001 - whatever goes wrong in one locator, the others are heard
            told.append(_skipped(locator, error))
    return found


def _things(look: Look, candidates: Iterable[str]) -> list[_Thing]:
    """Return what the candidates are, each once, in their order."""
    things: dict[_Key, _Thing] = {}
    for candidate in dict.fromkeys(map(look.tidy, candidates)):
        key, path = _key(look, candidate)
        if key is None:
            continue
        thing = things.setdefault(key, _Thing(path))
        if path != thing.candidate and path not in thing.others:
            thing.others.append(path)
    return list(things.values())


def _key(look: Look, candidate: str) -> tuple[_Key | None, str]:
    """Return what tells a thing from every other, and the path to speak of: a prefix, or an interpreter's executable.

    A virtual environment is its directory, however it is spelled. An interpreter is the file that its executable leads to, in
    its directory: conda's environments share one file by hard links and are different ones.
    """
    prefix = virtual_prefix(look, candidate)
    if prefix is not None:
        status = look.status(prefix)
        return (None, prefix) if status is None else (("prefix", status.st_dev, status.st_ino, 0), prefix)
    status = look.status(candidate)
    if status is None:
        return None, candidate
    if os.path.basename(candidate) and look.is_directory(candidate):
        found = installation_at(look, candidate)
        if found is None or found.python is None:  # an installation without Python, which a locator may know all the same
            return ("prefix", status.st_dev, status.st_ino, 0), candidate
        return _key(look, str(found.python))
    directory, file = look.status(os.path.dirname(look.last(candidate))), look.status(candidate)
    if directory is None or file is None:
        return None, candidate
    return ("interpreter", directory.st_dev, directory.st_ino, file.st_ino), candidate


def _identified(look: Look, thing: _Thing, table: Sequence[Locator], told: list[str]) -> Environment | None:
    """Return the environment of a thing as the first locator that knows it tells it, with the other paths to it."""
    for locator in table:
        try:
            found = locator.identify(look, thing.candidate)
        except Exception as error:  # noqa: BLE001 - as above
            told.append(_skipped(locator, error))
            continue
        if found is not None:
            return _with_aliases(found, thing)
    return None


def _with_aliases(found: Environment, thing: _Thing) -> Environment:
    """Return the environment with the other paths to it: of a virtual environment its prefixes, of an interpreter its executables."""
    from dataclasses import replace  # noqa: PLC0415 - loaded already; named where it is used
    from pathlib import Path  # noqa: PLC0415 - as above

    own = {str(found.prefix), str(found.python)}
    others = [path for path in (thing.candidate, *thing.others) if path not in own]
    return replace(found, aliases=tuple(map(Path, others))) if others else found


def _skipped(locator: Locator, error: Exception) -> str:
    return f"{locator.NAME}: skipped, {type(error).__name__}: {error}"


def _shim(look: Look, path: str) -> Environment | None:
    """Return a broken interpreter for an executable script with an interpreter's name."""
    from pathlib import Path  # noqa: PLC0415 - values only

    from ..models.environment import Environment, Problem  # noqa: PLC0415 - as above
    from .binaries import is_script  # noqa: PLC0415 - only when nothing else fits
    from .executables import read_name  # noqa: PLC0415 - as above

    if read_name(os.path.basename(path), windows=look.windows) is None or not is_script(look.data(path, 2) or b""):
        return None
    problem = Problem(
        code="shim",
        message=f"{path} is a script that picks an interpreter, not one itself",
        hint="name the interpreter that it picks, or ask for a version",
    )
    return Environment(prefix=Path(path).parent.parent, kind="interpreter", python=Path(path), problem=problem)
