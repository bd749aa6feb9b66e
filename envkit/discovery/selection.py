"""Which of several Pythons is meant: rules of order, on values alone.

Stable before pre-release, with the GIL before free-threaded, CPython before others, newest first; among equals a plain
interpreter before a conda one and both before a virtual environment, then the order in which they were found. A broken one is
never chosen, a debug build only when it was asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from .requests import Request, is_debug

if TYPE_CHECKING:
    from ..models.environment import Environment

_SHOWN = 8  # Pythons named in an error

_Order = tuple[bool, bool, bool, tuple[int, ...], tuple[str, int], bool, int]


def best(environments: Iterable[Environment], request: Request | None) -> Environment | None:
    """Return the one that a request means; without a request the newest stable one; None when none will do.

    What a request neither allows nor excludes (its patch is asked, and only its minor is known) is not chosen.
    """
    usable = filter(is_usable, environments)
    fitting = [env for env in usable if (_is_plain(env) if request is None else request.allows(env) is True)]
    return min(fitting, key=sort_key, default=None)


def is_usable(env: Environment) -> bool:
    """Say whether it has a Python and nothing is broken; a warning, such as scripts that name another place, breaks nothing."""
    return env.python is not None and env.version is not None and (env.problem is None or env.problem.severity != "error")


def _is_plain(env: Environment) -> bool:
    """Say whether it is what someone means who asks for nothing: no pre-release, no free-threaded, no debug build, and Python 3."""
    if env.version is None or env.version.is_prerelease or env.version.release[0] < 3:
        return False
    return not env.free_threaded and not is_debug(env)


def sort_key(env: Environment) -> _Order:
    """Return what sorts environments with the preferred one first; one of unknown version comes last among its like."""
    version = env.version
    release = version.release if version is not None else (0,)
    numbers = (*release, *(-1,) * (3 - len(release)))  # 3.12 of unknown patch after any 3.12.x
    pre = (version.pre or ("z", 0)) if version is not None else ("", 0)
    return (
        version is None or version.is_prerelease,
        bool(env.free_threaded) or is_debug(env),
        env.implementation not in {"cpython", None},
        tuple(-number for number in numbers),
        ({"z": "", "rc": "1", "b": "2", "a": "3"}.get(pre[0], "4"), -pre[1]),
        env.kind != "interpreter",
        {"interpreter": 0, "conda": 1}.get(env.kind, 2),
    )


def near(environments: Iterable[Environment], request: Request | None) -> str:
    """Return text for an error that says which Pythons were found, those of the minor asked for first, then the preferred ones, each version and place once."""
    found: list[str] = []
    undecided: list[str] = []
    wanted = request.number[:2] if request is not None else ()

    def nearness(env: Environment) -> tuple[bool, _Order]:
        return bool(wanted) and (env.version is None or env.version.release[: len(wanted)] != wanted), sort_key(env)

    for env in sorted((env for env in environments if env.python is not None and env.kind != "venv"), key=nearness):
        broken = f", unusable: {env.problem.message}" if env.problem else ""
        flavour = (" free-threaded" if env.free_threaded else "") + (" debug" if is_debug(env) else "")
        language = "" if env.implementation in {"cpython", None} else f"{env.implementation} "
        text = f"{language}{env.version or 'unknown version'}{flavour} ({env.python}{broken})"
        (undecided if request is not None and request.allows(env) is None else found).append(text)
    if not found and not undecided:
        return "none was found on PATH, in the usual directories, or by pyenv"
    more = len(found) - _SHOWN
    parts = [f"found: {', '.join(found[:_SHOWN])}" + (f" and {more} more" if more > 0 else "")] if found else []
    if undecided:
        parts.append(f"not known exactly without running it: {', '.join(undecided[:_SHOWN])}")
    return "; ".join(parts)
