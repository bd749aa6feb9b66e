"""What is wrong with the kernels of this machine and with what they stand on, and what mends it. Reads files, starts no process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .. import records
from ..control import Work
from ..environments import resolved
from ..errors import EnvkitError
from ..kernelspec import paths, spec
from ..models.environment import Environment, Problem
from ..models.several import Several
from .checks import Case, examined
from .listing import GONE, at, directories, reader_of

if TYPE_CHECKING:
    from ..host import Host
    from ..models.aliases import Env
    from ..models.kernels import Kernel

_ORDER: Final = {"error": 0, "warning": 1, "info": 2}


def doctor(*, visible_from: Env | None = None, host: Host | None = None) -> tuple[Problem, ...]:
    """Return what is wrong with the kernels that Jupyter finds, their environments, and envkit's managed environments.

    Looks at files and at the variables of this process, which stand for those that Jupyter is started with; `verify` proves what
    only a start can tell.

    Args:
        visible_from: the environment that Jupyter runs in; None is this Python.

    Returns:
        Errors first, then warnings, then what is good to know; each in Jupyter's search order. `subject` is the kernel's name, or
        the prefix of an environment; `hint` says what to do; `fix`, where an environment lacks packages, is a plan for `apply`.
        Empty when all is well.

    Raises:
        NotFoundError: there is no such environment as `visible_from`.

    Example:
        >>> import envkit
        >>> for problem in envkit.jupyter.doctor():
        ...     if problem.fix:
        ...         environment = envkit.apply(problem.fix)
    """
    work = Work(host=host)
    reader = reader_of(visible_from, work) or paths.this_python()
    found = [*_of_kernels(reader, work), *_of_environments(work)]
    return Several(sorted(found, key=lambda problem: _ORDER[problem.severity]), "no problem was found")


def _of_kernels(reader: paths.Reader, work: Work) -> Iterator[Problem]:
    known: dict[str, Environment | None] = {}
    first: dict[str, Kernel] = {}
    seen: set[str] = set()
    for directory in directories(work.host, reader):
        if (real := os.path.realpath(directory)) in seen:
            continue  # another way to the same kernelspec
        seen.add(real)
        kernel = at(Path(directory), work, known, reader)
        winner = first.setdefault(kernel.name, kernel)
        if winner is not kernel and (kernel.problem is None or kernel.problem.code not in GONE):
            yield _shadowed(kernel, winner)
        elif kernel.problem is not None:
            yield kernel.problem
        if winner is kernel and (kernel.problem is None or kernel.problem.severity != "error"):
            yield from examined(Case.of(kernel, spec.read(directory, work.host), reader, work))


def _shadowed(kernel: Kernel, winner: Kernel) -> Problem:
    """Return the problem of a kernel whose name Jupyter finds elsewhere first; for what envkit did not write that is often meant."""
    call = f"jupyter.rename({kernel.name!r}, ...)" if kernel.owned else f"jupyter.unregister({kernel.name!r}, foreign=True)"
    return Problem(
        code="shadowed",
        message=f"the kernelspec in {kernel.path} is hidden by the one of the same name in {winner.path}",
        hint=f"remove the one that you do not want, or register its environment under another name: {call} acts on the one that is found",
        severity="warning" if kernel.owned else "info",
        subject=kernel.name,
    )


def _of_environments(work: Work) -> Iterator[Problem]:
    """Yield what is wrong with managed environments, whether they have a kernel or not."""
    try:
        names = sorted(os.listdir(records.environments_directory(work.host)))
    except OSError:
        return
    for name in names:
        prefix = records.environments_directory(work.host) / name
        try:
            problem = resolved(prefix, work).problem
        except EnvkitError as error:
            problem = Problem(code="half-made", message=str(error), hint=error.hint)
        if problem is not None and problem.severity != "info":
            yield Problem(
                code=problem.code,
                message=problem.message,
                hint=problem.hint or f"envkit.repair({name!r}) mends it",
                severity=problem.severity,
                subject=str(prefix),
            )
