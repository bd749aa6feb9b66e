"""Which kernels there are: every kernelspec that Jupyter would find, in its order, tied to its environment. Starts no process.

Nothing that lies in those directories is trusted: what cannot be read is a result with a `problem`, never an exception.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .. import records
from ..control import Work
from ..environments import resolved
from ..errors import EnvkitError, NotFoundError
from ..formats import pyvenv_cfg
from ..formats.kernel_json import KernelJson
from ..formats.names import is_name
from ..kernelspec import paths, spec, wrappers
from ..kernelspec.launch import is_bare_python
from ..kernelspec.paths import Reader
from ..models.environment import Environment, Problem
from ..models.kernels import Kernel
from ..models.several import Several
from ..system.look import Look

if TYPE_CHECKING:
    from ..host import Host
    from ..models.aliases import Env

GONE: Final = frozenset({"environment-missing", "interpreter-missing", "wrapper-target-missing"})
"""Codes of problems of kernels that can never start again as they are."""


def kernels(*, visible_from: Env | None = None, host: Host | None = None) -> tuple[Kernel, ...]:
    """Return the kernels that Jupyter would find. Reads files, starts no process.

    Args:
        visible_from: the environment that Jupyter runs in, which decides what it finds and in which order; None is this Python.
        host: the outside world; None is this machine.

    Returns:
        In Jupyter's search order, then by name; of several kernelspecs of one name the first, which is the one that Jupyter
        starts. Broken ones have a `problem`; `environment` is None where a kernelspec names no Python that can be known.

    Raises:
        NotFoundError: there is no such environment as `visible_from`.

    Example:
        >>> import envkit
        >>> [kernel.name for kernel in envkit.jupyter.kernels() if kernel.owned and kernel.problem]
        []
    """
    work = Work(host=host)
    reader = reader_of(visible_from, work)
    known: dict[str, Environment | None] = {}
    found: dict[str, Kernel] = {}
    for directory in directories(work.host, reader):
        if (name := os.path.basename(directory).lower()) not in found:
            found[name] = at(Path(directory), work, known, reader)
    return Several(found.values(), "no kernel was found")


def directories(host: Host, reader: Reader | None = None) -> Iterator[str]:
    """Yield the kernelspec directories that Jupyter finds, in its order; a name comes again where the first one shadows another."""
    for data in paths.search_path(host, reader):
        yield from spec.directories_in(str(data / "kernels"))


def reader_of(visible_from: Env | None, work: Work) -> Reader | None:
    """Return the Python that Jupyter runs in; None for ours.

    Raises:
        NotFoundError: there is no such environment, or no Python in it.
    """
    if visible_from is None:
        return None
    environment = resolved(visible_from, work)
    if environment.python is None:
        raise NotFoundError(
            f"{environment.prefix} has no Python, so no Jupyter runs in it", code="python-not-found", hint="choose another environment"
        )
    text = Look(work.host).text(str(environment.prefix / pyvenv_cfg.NAME), pyvenv_cfg.LIMIT) or ""
    keys = pyvenv_cfg.load(text) if environment.kind == "venv" else {}
    return Reader(
        prefix=environment.prefix,
        executable=environment.python,
        version=environment.version.release[:2] if environment.version else (),
        virtual=environment.kind == "venv",
        user_site=environment.kind != "venv" or keys.get("include-system-site-packages", "").lower() == "true",
    )


def named(kernel: Kernel | str, work: Work) -> Kernel:
    """Return a kernel as it is on disk now, by its name, compared without case, or by the directory of a `Kernel`.

    Raises:
        NotFoundError: there is none; the text says which are near.
    """
    if isinstance(kernel, Kernel):
        if os.path.lexists(kernel.path / "kernel.json"):
            return at(kernel.path, work)
        raise NotFoundError(
            f"the kernel {kernel.name!r} is no longer in {kernel.path}", code="kernel-not-found", hint="list them with jupyter.kernels()"
        )
    names: list[str] = []
    for directory in directories(work.host):
        names.append(os.path.basename(directory).lower())
        if names[-1] == kernel.lower():
            return at(Path(directory), work)
    import difflib  # noqa: PLC0415 - only for the message

    near = difflib.get_close_matches(kernel.lower(), names, n=1)
    there = f"there are: {', '.join(dict.fromkeys(names))}" if names else "there is none"
    raise NotFoundError(
        f"no kernel is named {kernel!r}; {there}",
        code="kernel-not-found",
        hint=f"did you mean {near[0]!r}?" if near else "register an environment first",
    )


def kernels_of(environment: Environment, host: Host) -> tuple[Kernel, ...]:
    """Return envkit's kernelspecs of an environment, in every scope: where Jupyter looks, in the environment, and where its record says.

    Returns:
        In that order, each directory once; the environment need not be there any more.
    """
    work = Work(host=host)
    record = records.state_of(environment.prefix, host).record
    inside = spec.directories_in(str(paths.prefix_directory(environment.prefix) / "kernels"))
    found: dict[str, Kernel] = {}
    for directory in (*directories(host), *inside, *(record.kernels if record else ())):
        if owner_of(Path(directory), host) == os.path.realpath(environment.prefix):
            found.setdefault(os.path.realpath(directory), at(Path(directory), work))
    return tuple(found.values())


def owner_of(directory: Path, host: Host) -> str | None:
    """Return the real path of the prefix that envkit wrote a kernelspec for; None where it is not envkit's or cannot be read."""
    try:
        owner = spec.read(str(directory), host).owner
    except ValueError:
        return None
    return None if owner is None else os.path.realpath(host.path(owner.environment))


def at(directory: Path, work: Work, known: dict[str, Environment | None] | None = None, reader: Reader | None = None) -> Kernel:
    """Return the kernel of a kernelspec directory; `known` remembers the environments of one look, `reader` is Jupyter's Python."""
    name, host = directory.name.lower(), work.host
    try:
        kernel = spec.read(str(directory), host)
    except ValueError as error:
        problem = Problem(
            code="spec-unreadable",
            message=f"kernel.json cannot be read: {error}",
            hint=f"mend the file, or remove it with jupyter.unregister({name!r}, foreign=True)",
            subject=name,
        )
        return Kernel(name=name, display_name=name, path=directory, problem=problem)
    places = _places(kernel, host, reader or paths.this_python())
    environment = next(filter(None, (_environment(place, work, {} if known is None else known) for place in places)), None)
    return Kernel(
        name=name,
        display_name=kernel.display_name or name,
        path=directory,
        environment=environment,
        owned=kernel.owner is not None,
        problem=_problem(name, kernel, host, reader),
    )


def _places(kernel: KernelJson, host: Host, reader: Reader) -> Iterator[Path]:
    """Yield what may lead to the environment that a kernelspec starts, the best first: prefixes and interpreters."""
    program = kernel.argv[0]
    if kernel.language.lower() != "python":
        if kernel.owner is not None:  # envkit registered one that the environment brings
            yield host.path(kernel.owner.environment)
        return
    for target in reversed(wrappers.targets(kernel.argv)):
        yield host.path(wrappers.environment_of(target))
    if is_bare_python(program, reader):
        yield reader.executable  # Jupyter puts its own Python in the place of a bare one
    elif is_absolute(program, host) and not wrappers.is_shell(program):
        yield host.path(program)


def is_absolute(program: str, host: Host) -> bool:
    """Say whether a program is named by its whole path, on the host's platform."""
    return program.startswith("/") or (host.platform == "win32" and program[1:3] in {":\\", ":/"})


def _environment(program: Path, work: Work, known: dict[str, Environment | None]) -> Environment | None:
    """Return the environment that an executable belongs to; None where that cannot be known."""
    key = str(program)
    if key not in known:
        try:
            known[key] = resolved(program, work)
        except EnvkitError:
            known[key] = None
    return known[key]


def _problem(name: str, kernel: KernelJson, host: Host, reader: Reader | None) -> Problem | None:
    """Return what is wrong with a kernelspec that can be read, by looking at files."""
    if gone := _gone(name, kernel, host, reader):
        return gone
    if not is_name(name):
        message = f"{name!r} is no kernel name that every tool accepts"
        return Problem(code="name-invalid", message=message, hint="rename its directory", severity="warning", subject=name)
    return None


def _gone(name: str, kernel: KernelJson, host: Host, reader: Reader | None) -> Problem | None:
    """Return the problem, one of `GONE`, of a kernel of which something that it needs is not there any more."""
    if kernel.owner is not None and not os.path.isdir(host.path(kernel.owner.environment)):
        message = f"its environment {kernel.owner.environment} is gone"
        return Problem(code="environment-missing", message=message, hint=f"jupyter.unregister({name!r}) removes the kernel", subject=name)
    for target in wrappers.targets(kernel.argv):
        if not os.path.exists(host.path(target)):
            return Problem(
                code="wrapper-target-missing",
                message=f"it starts {os.path.basename(kernel.argv[0])}, which leads to {target}, and that is not there",
                hint=f"register the environment itself, or remove the kernel with jupyter.unregister({name!r}, foreign=True)",
                subject=name,
            )
    program = kernel.argv[0]
    if is_bare_python(program, reader):
        return None
    if is_absolute(program, host):
        there = os.path.exists(host.path(program))
    else:
        there = shutil.which(program, path=host.environ.get("PATH")) is not None
    if there:
        return None
    return Problem(
        code="interpreter-missing",
        message=f"{program} is not there",
        hint=f"make the environment anew and register it again, or remove the kernel with jupyter.unregister({name!r}, foreign=True)",
        subject=name,
    )
