"""One tree of errors, split by what a caller does next.

`code` is stable text for programs, `str(error)` one sentence for people, `hint` what to do. Facts are attributes and survive
pickling. All of them are made as `NotFoundError("No such ...", code="python-not-found", hint="...")`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, ClassVar


def _refuse_foreign_package() -> None:
    """Say so in one line when another distribution's `envkit/__init__.py` was installed over ours."""
    package = sys.modules.get(__package__ or "envkit")
    if getattr(package, "_DISTRIBUTION", None) != "envkit-python":
        raise ImportError(
            "the package 'envkit' here is not envkit-python's: another distribution called 'envkit' was installed over it; mend it by "
            "`python -m pip uninstall -y envkit envkit-python` and `python -m pip install envkit-python`",
            name="envkit",
        )


_refuse_foreign_package()


class EnvkitError(Exception):
    """Whatever envkit raises on purpose. `retryable`: the same call may go well later without anything being changed."""

    code: str
    hint: str | None
    retryable: bool
    log: Path | None
    _defaults: ClassVar[dict[str, Any]] = {"code": "failed", "hint": None, "retryable": False, "log": None}

    def __init__(self, message: str, /, **facts: Any) -> None:
        """Keep the sentence and the facts; a fact that the class does not know is a TypeError."""
        super().__init__(message)
        for base in reversed(type(self).__mro__):
            self.__dict__.update(base.__dict__.get("_defaults", {}))
        if unknown := [name for name in facts if name not in self.__dict__]:
            raise TypeError(f"{type(self).__name__}() got an unexpected fact {unknown[0]!r}")
        self.__dict__.update(facts)

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""

    def __reduce__(self) -> tuple[type[EnvkitError], tuple[Any, ...], dict[str, Any]]:
        return type(self), self.args, dict(self.__dict__)


class UsageError(EnvkitError, ValueError):
    """A name, request, requirement or spec that is not allowed: change the call."""

    _defaults: ClassVar[dict[str, Any]] = {"code": "usage"}


class NotFoundError(EnvkitError, LookupError):
    """No such Python, environment, kernel or package; the text says where was looked and what was near."""

    _defaults: ClassVar[dict[str, Any]] = {"code": "not-found"}


class ExistsError(EnvkitError):
    """Something is there already, and the call was not told to replace it."""

    _defaults: ClassVar[dict[str, Any]] = {"code": "exists"}


class RefusedError(EnvkitError):
    """Not done because it would harm: externally managed, unsafe removal, stale plan. Never without being asked again."""

    _defaults: ClassVar[dict[str, Any]] = {"code": "refused"}


class InstallError(EnvkitError):
    """The packages cannot be installed as asked: conflict, no-matching-version, python-too-old, build-failed, hash-mismatch."""

    package: str | None
    _defaults: ClassVar[dict[str, Any]] = {"code": "install-failed", "package": None}


class NetworkError(EnvkitError):
    """An index or a download was not to be had; the same call may go well later."""

    _defaults: ClassVar[dict[str, Any]] = {"code": "network", "retryable": True}


class BusyError(EnvkitError, TimeoutError):
    """Another process holds the environment's lock longer than the call was told to wait. `holder` is its process id."""

    holder: int | None
    _defaults: ClassVar[dict[str, Any]] = {"code": "busy", "holder": None, "retryable": True}


class DeadlineError(EnvkitError, TimeoutError):
    """Time is up. `output` is what had been said until then."""

    output: str
    _defaults: ClassVar[dict[str, Any]] = {"code": "deadline", "output": "", "retryable": True}


class CancelledError(EnvkitError):
    """The call's `cancel` was set, or its reporter raised; process trees are dead, nothing half-made looks whole."""

    _defaults: ClassVar[dict[str, Any]] = {"code": "cancelled"}


class MachineError(EnvkitError):
    """The machine says no: disk-full, read-only, no-permission, no-locks."""

    _defaults: ClassVar[dict[str, Any]] = {"code": "machine"}


class CorruptError(EnvkitError, ValueError):
    """A file or a text does not say what it should. `path` is the file, or an empty path for a text."""

    path: Path
    _defaults: ClassVar[dict[str, Any]] = {"code": "corrupt", "path": Path()}


class KernelError(EnvkitError):
    """The kernel does not start or does not prove itself. `code` is the cause, `stderr` the end of what it said."""

    stderr: str
    _defaults: ClassVar[dict[str, Any]] = {"code": "died", "stderr": ""}


class ProcessError(EnvkitError):
    """A program that `run(check=True)` started ended with another code than 0."""

    returncode: int
    stdout: str
    stderr: str
    _defaults: ClassVar[dict[str, Any]] = {"code": "exit", "returncode": 1, "stdout": "", "stderr": ""}
