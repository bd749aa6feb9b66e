"""The Python that something is built on: the best of the machine that a request allows, or the base of what was named."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal

from .. import plugins
from ..discovery import requests, search, selection
from ..errors import NotFoundError, UsageError
from .naming import at, is_path, resolved
from .running import all_probed, exact, probed

if TYPE_CHECKING:
    from ..control import Work
    from ..models.environment import Environment
    from ..models.specs import Sources


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
    from ..pypi.pythons import fetch_python  # noqa: PLC0415 - few machines lack the Python that is asked for

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
    return at(env.base, work)
