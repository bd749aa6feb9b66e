"""Find, watch and resolve: discovery with the plug-ins, names, requests, paths and specs."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from . import plugins
from .control import Control, Work, takes_control
from .discovery import requests, search, selection
from .errors import NotFoundError, UsageError
from .models.environment import Environment, Kind

if TYPE_CHECKING:
    from typing import Unpack

    from .models.aliases import Env, StrPath
    from .models.plans import Change, Interpreter, Sources, Spec

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
    work: Work, kinds: tuple[str, ...], managers: tuple[str, ...], roots: tuple[str, ...], request: requests.Request | None, probe: Probe
) -> Generator[Environment, None, None]:
    if roots:
        from . import records  # noqa: PLC0415 - finding does without it, and it brings locks, hashes and plans

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
    from .discovery import watching  # noqa: PLC0415 - finding does without it

    yield from watching.watch(lambda asked: _find(asked, kinds, managers, roots, None, "never"), work, interval=interval)


def _several(name: str, given: Iterable[StrPath]) -> tuple[str, ...]:
    if isinstance(given, str | os.PathLike):
        raise TypeError(f"{name} takes several, not {given!r}")
    return tuple(os.fspath(item) for item in given)


def parsed(text: str) -> requests.Request:
    """Return a request.

    Raises:
        UsageError: the text does not fit the grammar.
    """
    request = requests.parse(text)
    if request is None:
        raise UsageError(
            f"{text!r} is no request for a Python",
            code="request",
            hint='say it as "3.12", ">=3.11,<3.14", "3.13t", "pypy3.10" or "cpython@3.12"',
        )
    return request


@takes_control
def resolve(target: Env | Spec, *, probe: Literal["never", "auto"] = "never", **control: Unpack[Control]) -> Environment:
    """Return the one environment that a path, a name, a request or a spec means.

    Args:
        target: a path to an executable or a prefix; a request, which the best Python of the machine answers (stable before
            pre-release, GIL before free-threaded, newest first); the name of a managed environment; or a spec, whose environment
            must be there and ready.
        probe: "auto" runs a Python where its files do not say enough to decide.

    Raises:
        NotFoundError: there is none; it says where was looked and what was near.

    Example:
        >>> import envkit, sys
        >>> envkit.resolve(sys.executable).version.release[:2] == sys.version_info[:2]
        True
    """
    if probe not in ("never", "auto"):
        raise UsageError(f"probe is {probe!r}", code="probe", hint='give "never" or "auto"')
    work = Work.of(control)
    if isinstance(target, str) and not is_path(target, work):
        request = requests.parse(target)
        if request is not None:
            return python_for(request, work, probe=probe)
    found = resolved(target, work)
    return probed(found, work) if probe == "auto" and found.python and not exact(found) else found


def is_path(text: object, work: Work) -> bool:
    """Say whether what was given is a path: a `Path`, or text that contains a separator or begins with "." or "~"."""
    if not isinstance(text, str):
        return True
    return text.startswith((".", "~")) or "/" in text or (work.host.platform == "win32" and "\\" in text)


def resolved(target: Env | Spec, work: Work) -> Environment:
    """Return the environment that an `Environment`, a path, a managed name or a spec means, as it is now.

    Raises:
        NotFoundError: there is none. UsageError: the name is not allowed, or is a request.
    """
    from . import places, records  # noqa: PLC0415 - finding does without it

    if isinstance(target, Environment):
        return _again(target, work)
    if isinstance(target, str | os.PathLike):
        if is_path(target, work):
            return _at(records.absolute(target, work.host), work)
        return _named(os.fspath(target), work)
    if places.is_addressed(target):
        return _addressed(target, work)
    prefix = records.prefix_of(target, work.host)
    found = search.identify(work.host, str(prefix), plugins.locators(work.host))
    if found is None or not records.state_of(prefix, work.host).ready:
        raise NotFoundError(
            f"the environment of this spec is not ready at {prefix}", code="environment-not-found", hint="make it with ensure(spec)"
        )
    return found


def _again(environment: Environment, work: Work) -> Environment:
    """Return an environment as it is now. What is found must be that one: a change meant for it must never reach its base."""
    shared = environment.kind == "interpreter" and environment.python is not None  # two interpreters may share a prefix
    found = _at(environment.python if shared and environment.python else environment.prefix, work)
    if os.path.realpath(found.prefix) != os.path.realpath(environment.prefix):
        raise NotFoundError(
            f"{environment.prefix} is no longer the environment that it was: {found.prefix} is found there",
            code="environment-not-found",
            hint="look for it again with find() or resolve()",
        )
    return found


def _addressed(spec: Spec, work: Work) -> Environment:
    """Return the content-addressed environment of a spec if it is there, whole and as it was made."""
    from . import addressing  # noqa: PLC0415 - few look for one

    key = addressing.address(spec, work, lambda python: base_for(python, work)).key
    found = whole(key, work)
    if found is None:
        raise NotFoundError(
            f"no environment of this spec (key {key}) is ready", code="environment-not-found", hint="make it with ensure(spec)"
        )
    return found


def whole(key: str, work: Work) -> Environment | None:
    """Return the content-addressed environment of a key that is as it was made and has its Python; None where there is none."""
    from . import addressing  # noqa: PLC0415 - few look for one

    found = (search.identify(work.host, str(prefix), plugins.locators(work.host)) for prefix in addressing.ready(key, work.host))
    return next((env for env in found if env is not None and env.problem is None), None)


def _at(path: Path, work: Work) -> Environment:
    found = search.identify(work.host, str(path), plugins.locators(work.host))
    if found is not None and found.problem is not None and found.problem.code == "shim":
        found = _picked(path, work) or found
    if found is None:
        what = "is no Python and no environment" if os.path.exists(path) else "does not exist"
        raise NotFoundError(f"{path} {what}", code="environment-not-found", hint="name an executable, or the directory of an environment")
    return found


def _picked(shim: Path, work: Work) -> Environment | None:
    """Return the interpreter that a shim of a version manager would run here, by the manager's rules; None when nobody can tell."""
    from .discovery import shim_rules  # noqa: PLC0415 - only where a shim is named
    from .system.look import Look  # noqa: PLC0415 - as above

    picked = shim_rules.picked(Look(work.host), str(shim))
    found = None if picked is None else search.identify(work.host, picked, plugins.locators(work.host))
    return found if found is not None and found.problem is None else None


def named_prefix(name: str, work: Work) -> Path:
    """Return where the managed environment `name` lies or would lie.

    Raises:
        UsageError: the name is not allowed, or fits the grammar of requests, so that nobody could tell which is meant.
    """
    from . import records  # noqa: PLC0415 - finding does without it

    if requests.parse(name) is not None:
        raise UsageError(
            f"{name!r} is a request for a Python, so it cannot be the name of an environment",
            code="name",
            hint=f'choose another name, such as "env-{name.strip("<>=!~ ")}"',
        )
    return records.managed_prefix(name, work.host)


def _named(name: str, work: Work) -> Environment:
    prefix = named_prefix(name, work)
    if not os.path.isdir(prefix):
        raise missing(name, work)
    return _at(prefix, work)


def missing(name: str, work: Work) -> NotFoundError:
    """Return the error for a managed environment that is not there; it says what is, and what is near."""
    import difflib  # noqa: PLC0415 - only for the message

    from . import records  # noqa: PLC0415 - finding does without it

    directory = records.environments_directory(work.host)
    try:
        names = sorted(entry.name for entry in os.scandir(directory) if entry.is_dir() and not entry.name.startswith("."))
    except OSError:
        names = []
    near = difflib.get_close_matches(name.lower(), names, n=1)
    hint = f"did you mean {near[0]!r}?" if near else "make it with create() or ensure(), or give a path"
    there = f"there are: {', '.join(names[:8])}" if names else "there is none yet"
    return NotFoundError(f"no environment is named {name!r} in {directory}; {there}", code="environment-not-found", hint=hint)


def exact(env: Environment) -> bool:
    """Say whether its files told the whole version, not only the minor."""
    return env.version is not None and len(env.version.release) > 2


def python_for(request: requests.Request | None, work: Work, *, probe: Literal["never", "auto"] = "never") -> Environment:
    """Return the best Python of the machine that a request allows; without a request the newest stable one.

    Raises:
        NotFoundError: none is allowed; the text says which were found.
    """
    everything = list(search.search(work, table=plugins.locators(work.host)))
    best = selection.best(everything, request)
    if probe == "auto" and request is not None:
        undecided = [env for env in everything if env.python and env.problem is None and request.allows(env) is None]
        best = selection.best([*everything, *all_probed(undecided, work)], request) if undecided else best
    if best is None:
        raise no_python(request, everything)
    return best


def no_python(request: requests.Request | None, everything: list[Environment]) -> NotFoundError:
    """Return the error for a request that no Python satisfies."""
    wanted = f"no Python on this machine satisfies {str(request)!r}" if request else "there is no Python on this machine"
    return NotFoundError(
        f"{wanted}; {selection.near(everything, request)}",
        code="python-not-found",
        hint="install such a Python (from python.org, your system's packages, pyenv or uv), let uv fetch it when an environment is made "
        'by a Spec with Sources(pythons="uv"), or ask for one that is there',
    )


def base_for(python: str | os.PathLike[str] | Environment | None, work: Work, sources: Sources | None = None) -> Environment:
    """Return the interpreter that a new environment is built on: a plain installation, whole, its version exactly known.

    Args:
        python: a request, a path, a managed name, an `Environment`, or None for the newest stable Python of the machine.
        sources: where `pythons` says "uv", uv fetches a Python when none of the machine satisfies a request; None: it must not.

    Raises:
        NotFoundError: there is none. UsageError: what was given has no usable Python.
        NetworkError, MachineError: one was to be fetched, and cannot be.
    """
    if python is None or (isinstance(python, str) and not is_path(python, work)):
        request = None if python is None else requests.parse(python)
        if python is None or request is not None:
            found = _installed_or_fetched(request, work, sources)
        else:
            found = resolved(python, work)
    else:
        found = resolved(python, work)
    for _ in range(8):  # an environment made inside an environment gets the real base
        if found.kind != "venv" or found.base is None:
            break
        found = _base_of(found, work)
    if found.python is None or (found.problem is not None and found.problem.severity == "error"):
        why = found.problem.message if found.problem else "it has no Python"
        raise UsageError(f"{found} cannot be the base of an environment: {why}", code="base-unusable", hint="choose another Python")
    return found if exact(found) else probed(found, work)


def _installed_or_fetched(request: requests.Request | None, work: Work, sources: Sources | None) -> Environment:
    try:
        return _installed_python(request, work)
    except NotFoundError:
        if sources is None or sources.pythons != "uv":
            raise
    from .pypi.pythons import fetch_python  # noqa: PLC0415 - few machines lack the Python that is asked for

    fetch_python(None if request is None else str(request), work, isolated=sources.configuration == "isolated")
    return _installed_python(request, work)


def _installed_python(request: requests.Request | None, work: Work) -> Environment:
    """Return the best plain interpreter, or the base of the best environment where no plain one is allowed."""
    everything = list(search.search(work, table=plugins.locators(work.host)))
    plain = [env for env in everything if env.kind != "venv"]
    best = selection.best(plain, request)
    if best is None and request is not None:
        undecided = [env for env in plain if env.python and env.problem is None and request.allows(env) is None]
        best = selection.best(all_probed(undecided, work), request) if undecided else None
    if best is None:
        best = selection.best(everything, request)
    if best is None:
        raise no_python(request, everything)
    return best


def _base_of(env: Environment, work: Work) -> Environment:
    """Return the interpreter that a virtual environment was made from: the executable its own python leads to, else its base's."""
    assert env.base is not None
    if env.python is not None:
        real = os.path.realpath(env.python)
        found = search.identify(work.host, real, plugins.locators(work.host))
        if found is not None and found.kind != "venv" and found.prefix == env.base:
            return found
    return _at(env.base, work)


def probed(env: Environment, work: Work) -> Environment:
    """Return the environment with the facts that running it gave; one that does not run gets a problem, not an exception."""
    return all_probed([env], work)[0]


def all_probed(environments: Iterable[Environment], work: Work) -> list[Environment]:
    """Return the environments in their order, as `probed` gives each; they are run side by side."""
    from .discovery import probing  # noqa: PLC0415 - looking starts no process

    return list(probing.probed(environments, work))


def interpreted(env: Environment, work: Work) -> Interpreter:
    """Run an environment's Python, isolated and bounded, and return what it says of itself.

    Raises:
        NotFoundError: it has none. MachineError, CorruptError, DeadlineError: it does not run as a Python does.
    """
    from .discovery import probe  # noqa: PLC0415 - looking starts no process

    if env.python is None:
        raise NotFoundError(
            f"{env.prefix} has no Python" + (f": {env.problem.message}" if env.problem else ""),
            code="python-not-found",
            hint=(env.problem.hint if env.problem else None) or "install one into it, or choose another environment",
        )
    return probe.probe(env.python, work=work, prefix=env.prefix)
