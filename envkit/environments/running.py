"""Environments with what their Python says when it is run: where files do not say enough, and where somebody asks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..errors import NotFoundError

if TYPE_CHECKING:
    from ..control import Work
    from ..models.activation import Interpreter
    from ..models.environment import Environment


def exact(env: Environment) -> bool:
    """Say whether its files told the whole version, not only the minor."""
    return env.version is not None and len(env.version.release) > 2


def probed(env: Environment, work: Work) -> Environment:
    """Return the environment with the facts that running it gave; one that does not run gets a problem, not an exception."""
    return all_probed([env], work)[0]


def all_probed(environments: Iterable[Environment], work: Work) -> list[Environment]:
    """Return the environments in their order, as `probed` gives each; they are run side by side."""
    from ..discovery import probing  # noqa: PLC0415 - looking starts no process

    return list(probing.probed(environments, work))


def interpreted(env: Environment, work: Work) -> Interpreter:
    """Run an environment's Python, isolated and bounded, and return what it says of itself.

    Raises:
        NotFoundError: it has none. MachineError, CorruptError, DeadlineError: it does not run as a Python does.
    """
    from ..discovery import probe  # noqa: PLC0415 - looking starts no process

    if env.python is None:
        raise NotFoundError(
            f"{env.prefix} has no Python" + (f": {env.problem.message}" if env.problem else ""),
            code="python-not-found",
            hint=(env.problem.hint if env.problem else None) or "install one into it, or choose another environment",
        )
    return probe.probe(env.python, work=work, prefix=env.prefix)
