"""Prove a kernel: start what its kernelspec says, as Jupyter would, run a cell in it, stop it.

The kernelspec is read from disk for it, so that what is proven is what Jupyter will start, not what envkit meant to write.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..control import Control, Work, takes_control
from ..errors import KernelError, UsageError
from ..kernelspec import spec
from ..kernelspec.launch import launch_of
from ..models.kernels import Kernel, Proof
from .listing import named

if TYPE_CHECKING:
    from typing import Unpack

    from ..formats.kernel_json import KernelJson
    from ..models.cells import Result

_MARK: Final = "envkit-proof:"
_SECONDS: Final = 60.0  # that the cell has when the call sets no shorter time; reading versions of packages takes none of them
# What the cell runs: valid on every Python 3, importing nothing but the standard library.
_CELL: Final = """
import json as _json, platform as _platform, sys as _sys
def _version(name):
    try:
        from importlib import metadata
        return metadata.version(name)
    except (ImportError, LookupError, OSError, ValueError):
        return None
_said = dict(prefix=_sys.prefix, version=_platform.python_version(), implementation=_platform.python_implementation())
_said["packages"] = {name: _version(name) for name in %s}
print(%r + _json.dumps(_said))
"""


@takes_control
def verify(kernel: Kernel | str, **control: Unpack[Control]) -> Kernel:
    """Prove a kernel by a cell that runs in it, and return it with its `proof`.

    One for another language, which an environment brings, is proven by what it answers when it is asked who it is.

    Args:
        kernel: its name, then the one that Jupyter would start is meant, or a `Kernel`.

    Raises:
        NotFoundError: there is no such kernel. UsageError: it is neither for Python nor of an environment.
        KernelError: it does not start, or the cell ran in another environment; the code is the cause, `stderr` what it said last.
        DeadlineError, CancelledError: as the call says; the kernel is stopped by then.
    """
    work = Work.of(control)
    return proven(named(kernel, work), work)


def proven(kernel: Kernel, work: Work, *, packages: Sequence[str] = ()) -> Kernel:
    """Return the kernel with the proof that it runs in its environment, and has `packages` there; see `verify` for the errors."""
    try:
        written = spec.read(str(kernel.path), work.host)
    except ValueError as error:
        raise KernelError(
            f"the kernelspec in {kernel.path} cannot be read: {error}", code="spec-unreadable", hint="register the environment again"
        ) from error
    if written.language.lower() != "python":
        return _answered(kernel, written, work)
    with (
        work.task("prove", f"run a cell in the kernel {kernel.name}") as task,
        tempfile.TemporaryDirectory(prefix="envkit-proof-") as empty,
    ):
        from ..kernelspec.running import Running  # noqa: PLC0415 - whoever only registers does without it

        began = time.monotonic()
        running = Running(launch_of(written, str(kernel.path), work.host), cwd=Path(empty), work=work)
        try:
            remaining = work.remaining()
            cell = _CELL % (json.dumps(list(packages)), _MARK)
            result = running.run(cell, timeout=_SECONDS if remaining is None else remaining, cancel=work)
            seconds = time.monotonic() - began
        finally:
            running.close()
        proof = _proof(result, seconds, packages)
        _compare(kernel, proof)
        task.text = proof.text
    return replace(kernel, proof=proof, problem=None)


def _answered(kernel: Kernel, written: KernelJson, work: Work) -> Kernel:
    """Return a kernel for another language with the proof that it starts and says who it is (`kernel_info_reply`).

    Raises:
        UsageError: it belongs to no environment. KernelError: it does not start.
    """
    if kernel.environment is None:
        raise UsageError(
            f"{kernel.name!r} is a kernel for {written.language or 'no language'}, and of no environment that is known",
            code="language",
            hint="register the environment that brings it; what others registered is proven for Python alone",
        )
    with (
        work.task("prove", f"ask the kernel {kernel.name} who it is") as task,
        tempfile.TemporaryDirectory(prefix="envkit-proof-") as empty,
    ):
        from ..kernelspec.running import Running  # noqa: PLC0415 - whoever only registers does without it

        began = time.monotonic()
        running = Running(launch_of(written, str(kernel.path), work.host), cwd=Path(empty), work=work)
        seconds, info = time.monotonic() - began, running.info
        running.close()
        proof = _introduced(kernel.environment.prefix, written, info, seconds)
        task.text = proof.text
    return replace(kernel, proof=proof, problem=None)


def _introduced(prefix: Path, written: KernelJson, info: Mapping[str, Any], seconds: float) -> Proof:
    """Return what a kernel said of itself; a version that is none by Python's rules counts as 0, and stands in the text."""
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 - listing kernels does without it

    language: Any = info.get("language_info")
    said = str(_entry(language, "version") or "")
    try:
        version = Version(said)
    except InvalidVersion:
        version = Version("0")
    name = " ".join(part for part in (str(_entry(language, "name") or written.language), said) if part)
    maker = " ".join(str(info[key]) for key in ("implementation", "implementation_version") if info.get(key))
    text = f"{name} in {prefix}" + (f", by {maker}" if maker else "")
    return Proof(seconds=seconds, prefix=prefix, version=version, text=text)


def _entry(given: Any, key: str) -> Any:
    return given.get(key) if hasattr(given, "get") else None


def _proof(result: Result, seconds: float, packages: Sequence[str]) -> Proof:
    """Return what the cell said.

    Raises:
        KernelError: it failed, or a package is not there.
    """
    from packaging.version import Version  # noqa: PLC0415 - listing kernels does without it

    said = _said(result.text)
    if said is None:
        raise KernelError(
            f"the cell that should prove the kernel failed: {result.text.strip()[-300:]}",
            code="cell-failed",
            stderr=result.text,
            hint="IPython's startup files and sitecustomize run before it: look there",
        )
    versions: dict[str, str | None] = said["packages"]
    if missing := [name for name in packages if versions.get(name) is None]:
        raise KernelError(
            f"the kernel runs in {said['prefix']}, but {', '.join(missing)} cannot be found in it",
            code="cell-failed",
            hint="install what is missing",
        )
    language = {"CPython": "Python"}.get(said["implementation"], said["implementation"])
    text = ", ".join([f"{language} {said['version']} in {said['prefix']}", *(f"{name} {versions[name]}" for name in packages)])
    return Proof(seconds=seconds, prefix=Path(said["prefix"]), version=Version(said["version"].rstrip("+")), text=text)


def _said(text: str) -> dict[str, Any] | None:
    """Return what the cell printed after its mark; None where it printed nothing such."""
    line = next((line for line in text.splitlines() if line.startswith(_MARK)), None)
    return None if line is None else json.loads(line[len(_MARK) :])


def _compare(kernel: Kernel, proof: Proof) -> None:
    """Hold what the cell said against the environment that the kernel belongs to.

    Raises:
        KernelError: it ran elsewhere.
    """
    environment = kernel.environment
    if environment is None:
        return
    same = os.path.realpath(proof.prefix) == os.path.realpath(environment.prefix)
    known = environment.version.release[:2] if environment.version is not None else proof.version.release[:2]
    if not same or known != proof.version.release[:2]:
        raise KernelError(
            f"the cell ran in {proof.prefix} with Python {proof.version}, not in {environment.prefix}",
            code="wrong-environment",
            hint="register the environment again: its kernelspec starts another Python",
        )
