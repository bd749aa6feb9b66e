"""Register environments as kernels: the kernelspec is written by envkit itself, under a lock, file by file."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from .. import places, records
from ..control import Control, Work, takes_control
from ..discovery import requests
from ..environments import resolved
from ..errors import ExistsError, UsageError
from ..formats.names import LONGEST, checked_name
from ..kernelspec import paths, spec
from ..models.environment import Environment
from ..models.kernels import Kernel
from ..models.mapping import EMPTY
from . import composing, scopes, shipped
from .aliases import aliases_of, write_with_aliases
from .composing import name_for as name_for  # noqa: PLC0414 - the names of kernels belong to registration
from .listing import kernels as kernels, kernels_of as kernels_of  # noqa: PLC0414 - same
from .removing import remove_kernels as remove_kernels  # noqa: PLC0414 - same

if TYPE_CHECKING:
    from typing import Unpack

    from ..formats.kernel_json import KernelJson
    from ..host import Host
    from ..models.aliases import Env, StrPath
    from .shipped import Shipped

Scope = Literal["user", "sys-prefix", "system"]
OnExists = Literal["error", "replace", "suffix"]
_SUFFIXES: Final = 1000  # names tried with on_exists="suffix"


@takes_control
def register(
    env: Env,
    *,
    name: str | None = None,
    display_name: str | None = None,
    scope: Scope | Path = "user",
    on_exists: OnExists = "error",
    variables: Mapping[str, str] = EMPTY,
    env_file: StrPath | None = None,
    inherit: Iterable[str] = (),
    install_ipykernel: Literal["if-missing", "never"] = "if-missing",
    **control: Unpack[Control],
) -> Kernel:
    """Make an environment a kernel that every Jupyter tool of the scope finds. The same name for the same environment is a refresh.

    Args:
        name: of the kernel; the environment's, or its directory's, if None. It becomes lower case.
        display_name: what people see; "Python 3.12 (name)" if None.
        scope: "user"; "sys-prefix", the Python that this process runs in; "system", all users; or a data directory such as
            JUPYTER_PATH lists, below which it is written as `kernels/<name>`.
        on_exists: when another environment's kernel has the name: ExistsError, replace it, or take `name-2`, `name-3`, ...
        variables: set in the kernel, as they are, on top of those of `env_file`.
        env_file: a file of variables, `.env`, as VS Code reads it. Its values as they are now are written into kernel.json, which
            only this user may read then; register again when the file has changed.
        inherit: variables of Jupyter's process that the kernel shall see although envkit blanks them: "PYTHONPATH".
        install_ipykernel: put ipykernel into the environment when it is missing, in a version that fits its Python.

    Returns:
        The kernel. Nothing was started: `verify` proves it.

    Raises:
        UsageError: a name or an argument is not allowed. NotFoundError: there is no such environment or file.
        ExistsError: the name is another environment's. KernelError: it has no Python, or no ipykernel and none may be installed.
        MachineError: the scope cannot be written. InstallError, NetworkError, RefusedError: ipykernel cannot be installed.

    Source:
        "Making kernels for Jupyter" (jupyter-client.readthedocs.io).
    """
    work = Work.of(control)
    if isinstance(inherit, str):
        raise TypeError(f"inherit takes several names, not the string {inherit!r}")
    if on_exists not in {"error", "replace", "suffix"}:
        raise UsageError(f"on_exists is {on_exists!r}", code="on-exists", hint='give "error", "replace" or "suffix"')
    if install_ipykernel not in {"if-missing", "never"}:
        raise UsageError(f"install_ipykernel is {install_ipykernel!r}", code="install-ipykernel", hint='give "if-missing" or "never"')
    if name is not None:
        checked_kernel_name(name)
    return registered(
        resolved(env, work),
        work,
        name=name,
        display_name=display_name,
        scope=scope,
        on_exists=on_exists,
        variables=_checked_variables(variables),
        env_file=env_file,
        inherit=frozenset(inherit),
        install=install_ipykernel == "if-missing",
    )


def registered(
    environment: Environment,
    work: Work,
    *,
    name: str | None = None,
    display_name: str | None = None,
    scope: Scope | Path = "user",
    on_exists: OnExists = "error",
    variables: Mapping[str, str] = EMPTY,
    env_file: StrPath | None = None,
    inherit: frozenset[str] = frozenset(),
    install: bool = True,
    own: Shipped | None = None,
) -> Kernel:
    """Register an environment that was resolved; see `register`.

    Args:
        own: the kernelspec that the environment brings which is to be registered; None for a Python one, or where there is no Python
            for the one that `shipped.meant` says.
    """
    if display_name is not None and not display_name.strip():
        raise UsageError("the display name is blank", code="display-name", hint="give a text for people, or None for the usual one")
    directory = _scope_directory(scope, work.host)
    wanted = name if name is not None else name_for(environment)
    own = own if own is not None else shipped.meant(environment, work.host)
    label = partial(composing.label, environment) if own is None else partial(shipped.label, own)
    shown = display_name if display_name is not None else label(wanted)
    compose = partial(
        composing.composed if own is None else partial(shipped.composed, own),
        environment,
        work.host,
        variables=variables,
        inherit=inherit,
        env_file=env_file,
    )
    with work.task("register", f"register the kernel {wanted}") as task:
        if own is None and not composing.has_ipykernel(environment, work):
            compose(display_name=shown)  # what cannot be registered is refused before anything is installed
            if on_exists == "error":
                _refuse_other(directory / wanted.lower(), environment, work.host)
            _install_ipykernel(environment, work, allowed=install)
        kernel, logos = compose(display_name=shown)
        scopes.remember(directory, work)  # before anything lies there: what cannot be found again is not written
        with spec.locked(directory, work):
            place, there = _place(directory, wanted.lower(), environment, on_exists, work.host)
            if display_name is None and place.name != wanted.lower():
                kernel = replace(kernel, display_name=label(place.name))
            earlier = () if there is None else aliases_of(place, work.host, there)
            write_with_aliases(place, kernel, logos, earlier, private=env_file is not None)
        note_kernel(environment, place, work)
        task.text = str(place)
    return Kernel(name=place.name, display_name=kernel.display_name, path=place, environment=environment, owned=True)


def note_kernel(environment: Environment, place: Path, work: Work) -> None:
    """Write the kernelspec down in the environment's record, so that removing the environment finds it in any scope."""
    record = records.state_of(environment.prefix, work.host).record
    if record is not None and str(place) not in record.kernels:
        with records.locked(environment.prefix, work):
            records.note_kernel(environment, place, work)


def checked_kernel_name(name: str) -> str:
    """Return a kernel's name if it is allowed: by the rule of names, and no request for a Python.

    Raises:
        UsageError: it is not.
    """
    if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance] - a Path is what callers without checkers give
        raise UsageError(f"{name!r} is not a kernel name", code="name", hint="give a name, not a path; scope= says where it is written")
    checked_name(name, what="kernel")
    if requests.parse(name) is not None:
        raise UsageError(
            f"{name!r} is a request for a Python, so it cannot be the name of a kernel", code="name", hint=f"for example 'env-{name}'"
        )
    return name


def refuse_other_owner(name: str, prefix: Path, host: Host) -> None:
    """Refuse a kernel's name in the user's scope that another environment than the one at `prefix` has.

    Raises:
        ExistsError: it is another one's.
    """
    _refuse_other(_scope_directory("user", host) / name.lower(), Environment(prefix=prefix, kind="venv"), host)


def _refuse_other(directory: Path, environment: Environment, host: Host) -> None:
    if spec.is_there(directory) and _own(directory, environment, host) is None:
        raise _taken(directory)


def _taken(directory: Path) -> ExistsError:
    return ExistsError(
        f"there is a kernel named {directory.name!r} of another environment: {directory}",
        code="kernel-exists",
        hint='choose another name, or give on_exists="replace" or "suffix"',
    )


def _own(directory: Path, environment: Environment, host: Host) -> KernelJson | None:
    """Return the kernelspec that is there if it is one of this environment, whoever wrote it; None where it is not, or there is none."""
    try:
        there = spec.read(str(directory), host)
    except ValueError:
        return None
    return there if _is_same(there, environment, host) else None


def _is_same(there: KernelJson, environment: Environment, host: Host) -> bool:
    """Say whether a kernelspec is one of this environment.

    Plain interpreters are told apart by their executables, for two of them may share a prefix such as /usr.
    """
    program = host.path(there.argv[0])
    if environment.kind == "interpreter":
        return environment.python is not None and os.path.realpath(program) == os.path.realpath(environment.python)
    prefix = program.parent.parent if there.owner is None else host.path(there.owner.environment)
    return os.path.realpath(prefix) == os.path.realpath(environment.prefix)


def _place(directory: Path, name: str, environment: Environment, on_exists: OnExists, host: Host) -> tuple[Path, KernelJson | None]:
    """Return the directory to write, and this environment's kernelspec that is there: of this name, or of the first free one after it.

    The scope's lock is held.

    Raises:
        ExistsError: it is another environment's.
    """
    place = directory / name
    if on_exists == "suffix":
        for number in range(2, _SUFFIXES):
            if (own := _own(place, environment, host)) is not None or not spec.is_there(place):
                return place, own
            suffix = f"-{number}"
            place = directory / f"{name[: LONGEST - len(suffix)].rstrip('._-')}{suffix}"
    own = _own(place, environment, host)
    if own is None and on_exists != "replace" and spec.is_there(place):
        raise _taken(place)
    return place, own


def _scope_directory(scope: Scope | Path, host: Host) -> Path:
    """Return the `kernels` directory of a scope.

    Raises:
        UsageError: there is no such scope.
    """
    if isinstance(scope, Path):
        return records.absolute(scope, host) / "kernels"
    if scope == "user":
        return paths.user_directory(host) / "kernels"
    if scope == "system":
        return paths.system_directory(host) / "kernels"
    if scope == "sys-prefix":
        return paths.prefix_directory(Path(sys.prefix)) / "kernels"
    raise UsageError(f"scope is {scope!r}", code="scope", hint='give "user", "sys-prefix", "system", or a Path')


def _install_ipykernel(environment: Environment, work: Work, *, allowed: bool) -> None:
    if not allowed or places.is_stored(environment.prefix, work.host):
        raise composing.without_ipykernel(environment, work.host)
    from ..remedies import ensure_installed  # noqa: PLC0415 - only where something is installed

    ensure_installed(environment, ["ipykernel"], work)


def _checked_variables(variables: Mapping[str, str]) -> dict[str, str]:
    for name, value in variables.items():
        if not all(isinstance(text, str) for text in (name, value)):  # pyright: ignore[reportUnnecessaryIsInstance] - callers without checkers give numbers
            raise TypeError(f"variables takes texts, and {name!r} is {value!r}")
        if not name or "=" in name or "\0" in name + value:
            raise UsageError(
                f"{name!r} cannot be a variable", code="variables", hint="a name without '=' and a value without NUL are needed"
            )
    return dict(variables)
