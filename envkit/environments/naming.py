"""What a path, a managed name, an `Environment` or a spec means, as it is now."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from .. import plugins
from ..discovery import again, requests, search
from ..errors import NotFoundError, UsageError
from ..models.environment import Environment

if TYPE_CHECKING:
    from ..control import Work
    from ..models.aliases import Env
    from ..models.specs import Spec


def is_path(text: object, work: Work) -> bool:
    """Say whether what was given is a path: a `Path`, or text that contains a separator or begins with "." or "~" (not "~=3.11")."""
    if not isinstance(text, str):
        return True
    return (text.startswith((".", "~")) and not text.startswith("~=")) or "/" in text or (work.host.platform == "win32" and "\\" in text)


def requested(text: str, work: Work) -> requests.Request | None:
    """Return the request that a text is, also in the spelling of tox (`py312`) where no managed environment is called so.

    None for a path or a name.
    """
    if is_path(text, work):
        return None
    if (request := requests.parse(text)) is not None or (request := requests.spoken(text)) is None:
        return request
    from .. import records  # noqa: PLC0415 - finding does without it

    return None if os.path.isdir(records.managed_prefix(text, work.host)) else request


def resolved(target: Env | Spec, work: Work) -> Environment:
    """Return the environment that an `Environment`, a path, a managed name or a spec means, as it is now.

    Raises:
        NotFoundError: there is none. UsageError: the name is not allowed, or is a request.
    """
    from .. import places, records  # noqa: PLC0415 - finding does without it

    if isinstance(target, Environment):
        return _again(target, work)
    if isinstance(target, str | os.PathLike):
        if is_path(target, work):
            return at(records.absolute(target, work.host), work)
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
    if (unchanged := _as_found(environment, work)) is not None:
        return unchanged
    shared = environment.kind == "interpreter" and environment.python is not None  # two interpreters may share a prefix
    found = at(environment.python if shared and environment.python else environment.prefix, work)
    if os.path.realpath(found.prefix) != os.path.realpath(environment.prefix):
        raise NotFoundError(
            f"{environment.prefix} is no longer the environment that it was: {found.prefix} is found there",
            code="environment-not-found",
            hint="look for it again with find() or resolve()",
        )
    return found


def _as_found(environment: Environment, work: Work) -> Environment | None:
    """Return a virtual environment with what its own files say now, and whose it is as it was found; None where that is to be asked again.

    Whose it is takes most of the time that looking at one environment takes, and does not change under it.
    """
    if environment.kind != "venv" or environment.manager is None or environment.problem is not None:
        return None
    now = search.virtual_at(work.host, str(environment.prefix))
    if now is None or now.problem is not None or (now.manager == "envkit") is not (environment.manager == "envkit"):
        return None
    return replace(now, manager=environment.manager, name=environment.name, project=environment.project, aliases=environment.aliases)


def _addressed(spec: Spec, work: Work) -> Environment:
    """Return the content-addressed environment of a spec if it is there, whole and as it was made."""
    from .. import addressing  # noqa: PLC0415 - few look for one
    from .founding import base_for  # noqa: PLC0415 - as above, and it needs this module

    key = addressing.address(spec, work, lambda python: base_for(python, work)).key
    found = whole(key, work)
    if found is None:
        raise NotFoundError(
            f"no environment of this spec (key {key}) is ready", code="environment-not-found", hint="make it with ensure(spec)"
        )
    return found


def whole(key: str, work: Work) -> Environment | None:
    """Return the content-addressed environment of a key that is as it was made and has its Python; None where there is none."""
    from .. import addressing  # noqa: PLC0415 - few look for one

    found = (_identified(prefix, work) for prefix in addressing.ready(key, work.host))
    return next((env for env in found if env is not None and env.problem is None), None)


def _identified(path: Path, work: Work) -> Environment | None:
    table = plugins.locators(work.host)
    return search.identify(work.host, str(path), table, question=again.question(work.host, table, path=str(path)))


def at(path: Path, work: Work) -> Environment:
    """Return the environment at a path.

    Raises:
        NotFoundError: there is none.
    """
    found = _identified(path, work)
    if found is not None and found.problem is not None and found.problem.code == "shim":
        found = _picked(path, work) or found
    if found is None:
        what = "is no Python and no environment" if os.path.exists(path) else "does not exist"
        raise NotFoundError(f"{path} {what}", code="environment-not-found", hint="name an executable, or the directory of an environment")
    return found


def _picked(shim: Path, work: Work) -> Environment | None:
    """Return the interpreter that a shim of a version manager would run here, by the manager's rules; None when nobody can tell."""
    from ..discovery import shim_rules  # noqa: PLC0415 - only where a shim is named
    from ..system.look import Look  # noqa: PLC0415 - as above

    picked = shim_rules.picked(Look(work.host), str(shim))
    found = None if picked is None else search.identify(work.host, picked, plugins.locators(work.host))
    return found if found is not None and found.problem is None else None


def named_prefix(name: str, work: Work) -> Path:
    """Return where the managed environment `name` lies or would lie.

    Raises:
        UsageError: the name is not allowed, or fits the grammar of requests, so that nobody could tell which is meant.
    """
    from .. import records  # noqa: PLC0415 - finding does without it

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
    return at(prefix, work)


def missing(name: str, work: Work) -> NotFoundError:
    """Return the error for a managed environment that is not there; it says what is, and what is near."""
    import difflib  # noqa: PLC0415 - only for the message

    from .. import records  # noqa: PLC0415 - finding does without it

    directory = records.environments_directory(work.host)
    try:
        names = sorted(entry.name for entry in os.scandir(directory) if entry.is_dir() and not entry.name.startswith("."))
    except OSError:
        names = []
    near = difflib.get_close_matches(name.lower(), names, n=1)
    hint = f"did you mean {near[0]!r}?" if near else "make it with create() or ensure(), or give a path"
    there = f"there are: {', '.join(names[:8])}" if names else "there is none yet"
    return NotFoundError(f"no environment is named {name!r} in {directory}; {there}", code="environment-not-found", hint=hint)
