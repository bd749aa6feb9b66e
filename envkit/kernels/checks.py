"""What can be wrong with one kernel that can be read: a check each, by looking at files, variables and metadata."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from .. import plugins
from ..discovery import requests
from ..execution import activation_of
from ..formats.names import is_name
from ..kernelspec.launch import environ_of
from ..models.environment import Environment, Problem
from ..remedies import plan_for
from ..system.sites import site_packages
from . import composing

if TYPE_CHECKING:
    from ..control import Work
    from ..formats.kernel_json import KernelJson
    from ..kernelspec.paths import Reader
    from ..models.kernels import Kernel
    from ..models.plans import Plan

_PROVISIONERS: Final = "jupyter_client.kernel_provisioners"  # the group of entry points
_OLDEST: Final = 6  # ipykernel's major version from which on debugger and control channel work
_BARE: Final = re.compile(r"python[0-9.]*")
_DIRECTORY_OF_A_PYTHON: Final = re.compile(r"python(\d+\.\d+)t?")
_SHIPPED: Final = ("ipykernel", "IPython", "zmq", "tornado", "traitlets", "jupyter_client")  # what a kernel loads first


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A kernel with all that the checks look at. `environ` is what the kernel's process would get."""

    kernel: Kernel
    written: KernelJson
    reader: Reader
    work: Work
    environ: Mapping[str, str]

    @classmethod
    def of(cls, kernel: Kernel, written: KernelJson, reader: Reader, work: Work) -> Case:
        """Make the case of a kernel."""
        return cls(kernel=kernel, written=written, reader=reader, work=work, environ=environ_of(written, work.host))

    def problem(
        self, code: str, message: str, hint: str, *, severity: Literal["error", "warning", "info"] = "warning", fix: Plan | None = None
    ) -> Problem:
        """Return a problem of this kernel."""
        return Problem(code=code, message=message, hint=hint, severity=severity, subject=self.kernel.name, fix=fix)

    @property
    def again(self) -> str:
        """The call that writes the kernelspec anew; under the environment's own name where the kernel has one that envkit gives to none."""
        environment = self.kernel.environment
        prefix = "..." if environment is None else repr(environment.id if environment.kind == "interpreter" else str(environment.prefix))
        name = f", name={self.kernel.name!r}" if is_name(self.kernel.name) and requests.parse(self.kernel.name) is None else ""
        return f"jupyter.register({prefix}{name})"


def examined(case: Case) -> Iterator[Problem]:
    """Yield what is wrong with a kernel that can be read and whose program is there."""
    yield from _provisioner(case)
    environment = case.kernel.environment
    if case.written.language.lower() != "python":
        if environment is not None:
            yield from _activation(case, environment)
        return
    yield from _bare_python(case)
    if environment is None:
        return
    if environment.problem is not None and environment.problem.severity != "info":
        yield _of_environment(case, environment.problem)
        if environment.problem.severity == "error":
            return
    yield from _changed_python(case, environment)
    if any("ipykernel" in argument for argument in case.written.argv):
        yield from _ipykernel(case, environment)
    yield from _programs(case, environment)
    yield from _python_path(case, environment)
    yield from _activation(case, environment)


def _provisioner(case: Case) -> Iterator[Problem]:
    """A kernel with a provisioner that the reading Jupyter does not have is no kernel there, without a word."""
    stanza: Any = case.written.metadata.get("kernel_provisioner")
    name = _text(stanza, "provisioner_name")
    if name is None or name == "local-provisioner" or name in dict(plugins.entry_points(_PROVISIONERS, _directories_of(case))):
        return
    yield case.problem(
        "provisioner-missing",
        f"it needs the provisioner {name!r}, which is not installed in {case.reader.prefix}, so Jupyter does not show it there",
        f"install the package that brings {name!r} into {case.reader.prefix}, or register the environment without a provisioner",
        severity="error",
    )


def _text(given: Any, key: str) -> str | None:
    found: Any = given.get(key) if hasattr(given, "get") else None
    return found if isinstance(found, str) else None


def _directories_of(case: Case) -> Iterable[str]:
    """Return the directories in which the Python that Jupyter runs in has its packages."""
    if str(case.reader.prefix) == sys.prefix:
        return [path for path in sys.path if path]
    kind = "venv" if case.reader.virtual else "interpreter"
    return site_packages(Environment(prefix=case.reader.prefix, kind=kind, python=case.reader.executable), case.work.host)


def _bare_python(case: Case) -> Iterator[Problem]:
    program = case.written.argv[0]
    own = Path(os.path.realpath(case.kernel.path)).is_relative_to(os.path.realpath(case.reader.prefix))
    if _BARE.fullmatch(program) and not own:
        yield case.problem(
            "bare-python",
            f"it starts a bare {program!r}: whichever Python Jupyter runs in, or the first on PATH",
            "register the environment that is meant with jupyter.register(...), which writes its whole path",
        )


def _of_environment(case: Case, problem: Problem) -> Problem:
    environment = case.kernel.environment
    assert environment is not None
    return case.problem(
        problem.code,
        f"its environment {environment.prefix}: {problem.message}",
        problem.hint or f"envkit.repair({str(environment.prefix)!r}) mends it where it can be mended",
        severity=problem.severity,
    )


def _changed_python(case: Case, environment: Environment) -> Iterator[Problem]:
    owner, version = case.written.owner, environment.version
    if owner is None or version is None or not owner.python:
        return
    now, before = version.release[:2], tuple(owner.python.split(".")[:2])
    if tuple(map(str, now)) != before:
        yield case.problem(
            "python-changed",
            f"it was registered for Python {'.'.join(before)}; the environment has {'.'.join(map(str, now))} now",
            f"{case.again} writes it anew; give the display_name and variables that you gave before",
        )


def _ipykernel(case: Case, environment: Environment) -> Iterator[Problem]:
    if not composing.has_ipykernel(environment, case.work):
        if case.environ.get("PYTHONPATH"):
            return  # it may come from there, which verify tells
        fix = plan_for(environment, "ipykernel", case.work)
        yield case.problem(
            "ipykernel-missing",
            f"ipykernel is not installed in {environment.prefix}, so it cannot start",
            "apply the fix" if fix else composing.without_ipykernel(environment, case.work.host).hint or "",
            severity="error",
            fix=fix,
        )
        return
    version = _version_of("ipykernel", environment, case.work)
    python = environment.version
    if version is not None and version[0] < _OLDEST and python is not None and python.release >= (3, 7):
        fix = plan_for(environment, f"ipykernel>={_OLDEST}", case.work)
        yield case.problem(
            "ipykernel-too-old",
            f"ipykernel {'.'.join(map(str, version))} in {environment.prefix} is too old for the debugger and for interrupts by message",
            "apply the fix" if fix else f"install ipykernel>={_OLDEST} there",
            fix=fix,
        )


def _version_of(name: str, environment: Environment, work: Work) -> tuple[int, ...] | None:
    """Return the release of an installed distribution, by the name of its dist-info; None where that is not there."""
    pattern = re.compile(rf"{name}-(\d+(?:\.\d+)*)[^-]*\.dist-info")
    for directory in site_packages(environment, work.host):
        try:
            names = os.listdir(directory)
        except OSError:
            continue
        for found in filter(None, map(pattern.fullmatch, names)):
            return tuple(map(int, found[1].split(".")))
    return None


def _programs(case: Case, environment: Environment) -> Iterator[Problem]:
    """`!pip` and `!python` in a cell should be those of the environment."""
    host = case.work.host
    own = {os.path.realpath(directory) for directory in activation_of(environment, host, scripts=False).prepend_path}
    path = case.environ.get("PATH", "").split(";" if host.platform == "win32" else ":")
    suffix = ".exe" if host.platform == "win32" else ""
    found = {name: _first(f"{name}{suffix}", path, case.work) for name in ("python", "pip")}
    if found["python"] is not None and os.path.realpath(found["python"]) not in own:
        yield case.problem(
            "path-mismatch",
            f"`!pip` and `!python` in its cells land in {found['python']}, not in {environment.prefix}",
            f"{case.again} puts the environment's own programs first on PATH",
        )
    elif found["pip"] is None or os.path.realpath(found["pip"]) not in own:
        elsewhere = f"is that of {found['pip']}" if found["pip"] else "is not there"
        fix = plan_for(environment, "pip", case.work)
        yield case.problem(
            "pip-missing",
            f"pip is not installed in {environment.prefix}, so `!pip` in a cell {elsewhere}",
            "apply the fix, or use %pip" if fix else "install pip there, or use envkit.install",
            severity="warning" if found["pip"] else "info",
            fix=fix,
        )


def _first(name: str, path: Iterable[str], work: Work) -> str | None:
    """Return the first directory of a PATH that has a program."""
    for part in path:
        if part and os.access(file := work.host.path(part) / name, os.X_OK) and file.is_file():
            return str(file.parent)
    return None


def _python_path(case: Case, environment: Environment) -> Iterator[Problem]:
    """PYTHONHOME and PYTHONPATH of Jupyter's process make a kernel load another Python's files."""
    if home := case.environ.get("PYTHONHOME"):
        yield case.problem(
            "pythonpath-clash",
            f"PYTHONHOME is {home}, so it looks for its standard library there",
            f"unset PYTHONHOME where Jupyter is started; {case.again} blanks it",
            severity="error",
        )
    separator = ";" if case.work.host.platform == "win32" else ":"
    for part in filter(None, case.environ.get("PYTHONPATH", "").split(separator)):
        if reason := _clash(part, environment, case.work):
            yield case.problem(
                "pythonpath-clash",
                f"PYTHONPATH contains {part}, {reason}",
                f"unset PYTHONPATH where Jupyter is started; {case.again} without inherit blanks it",
                severity="error",
            )
            return


def _clash(part: str, environment: Environment, work: Work) -> str | None:
    """Say why a directory on PYTHONPATH harms the kernel; None where it does not."""
    place = work.host.path(part)
    own = {os.path.realpath(directory) for directory in site_packages(environment, work.host)}
    if os.path.realpath(place) in own:
        return None
    version = environment.version
    made_for = _DIRECTORY_OF_A_PYTHON.search(part)
    if made_for and version is not None and made_for[1] != ".".join(map(str, version.release[:2])):
        return f"which is of Python {made_for[1]}"
    hidden = [name for name in _SHIPPED if (place / name).is_dir()]
    return f"whose {', '.join(hidden)} comes before its own" if hidden else None


def _activation(case: Case, environment: Environment) -> Iterator[Problem]:
    owner = case.written.owner
    if owner is None or owner.activation is None:
        return
    if owner.activation != composing.fingerprint(environment, case.work.host):
        yield case.problem(
            "activation-stale",
            f"activating {environment.prefix} does something else than when it was registered",
            f"{case.again} writes it anew; give the display_name and variables that you gave before",
        )
