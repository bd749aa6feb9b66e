"""Environment, packages, kernel and proof in one go: the main job."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from . import match_specs, records
from .control import Control, Work, takes_control
from .ecosystems import installed_in
from .errors import EnvkitError, UsageError
from .kernels import health, registration, shipped
from .lifecycle import making, observing, removal
from .match_specs import CONDA
from .models.environment import Environment
from .models.kernels import Kernel
from .models.plans import Plan
from .models.specs import Project, Spec

if TYPE_CHECKING:
    from typing import Unpack

    from .models.aliases import StrPath
    from .models.requirement import Req


@takes_control
def provision(
    name: str | Spec,
    *,
    python: StrPath | Environment | None = None,
    pypi: Iterable[Req] = (),
    conda: Iterable[str] = (),
    channels: Iterable[str] = (),
    display_name: str | None = None,
    **control: Unpack[Control],
) -> Kernel:
    """Return a Jupyter kernel, proven by a cell that ran, in an environment with these packages; make what is missing.

    The environment gets pip, so that `!pip` in a cell finds its own, and ipykernel. A second call changes nothing and proves the
    kernel again. When a first call fails, the environment and the kernelspec that it made are gone again.

    Args:
        name: of the managed environment and of the kernel; or a Spec with a name, or with a prefix (the kernel is then named after it).
        python: a request, a path, a name or an Environment; None for the newest stable Python of the machine.
        pypi: packages of PyPI.
        conda: conda packages; then a conda environment is made, with ipykernel from the same channels. One that brings a kernel of
            its own, such as R's, and no Python was asked for, gets that one.
        channels: where conda packages come from.
        display_name: what people see; "Python 3.12 (name)" if None.

    Returns:
        The kernel, with its environment and its `proof`.

    Raises:
        UsageError: a name, request or requirement is not allowed. NotFoundError: no Python satisfies the request.
        InstallError, NetworkError: the packages cannot be had. KernelError: the kernel does not start; its code says why.
        ExistsError: a kernel of this name belongs to another environment. BusyError: another process changes the environment.

    Example:
        A managed environment "analysis" with polars: `kernel = envkit.provision("analysis", pypi=["polars"])`.
    """
    work = Work.of(control)
    asked = observing.several(pypi=pypi, conda=conda, channels=channels)
    if isinstance(name, str) and _looks_like_path(name):
        raise UsageError(f"{name!r} is a path, and a name is needed here", code="name", hint="give a name, or a Spec with prefix=")
    given = observing.spec_from(name, python, asked, "auto", work)
    return provisioned(given, display_name, work)[0]


def _looks_like_path(text: str) -> bool:
    """Say whether a text would be a path where paths are possible, on any platform."""
    return text.startswith((".", "~")) or "/" in text or "\\" in text


def provisioned(given: Spec, display_name: str | None, work: Work) -> tuple[Kernel, Plan]:
    """Return the proven kernel and the plan that was carried out for its environment."""
    asked = observing.checked_spec(given, work)
    kernel_name = registration.name_for(_stand_in(asked, work))
    registration.refuse_other_owner(kernel_name, records.prefix_of(asked, work.host), work.host)
    existed = records.state_of(records.prefix_of(asked, work.host), work.host).record is not None
    # Whether a conda environment brings a kernel of its own shows only once it is there.
    open_kernel = asked.backend == CONDA and not match_specs.asks_for_python(asked)
    environment, planned = making.ensured(asked if open_kernel else _with_python_kernel(asked), work)
    known = {kernel.path for kernel in registration.kernels_of(environment, work.host)}
    kernel: Kernel | None = None
    try:
        own = shipped.meant(environment, work.host, tuple(map(match_specs.name_of, asked.conda)))
        if open_kernel and own is None:
            environment, more = making.ensured(_with_python_kernel(asked), work)
            planned = replace(more, steps=(*planned.steps, *more.steps))
        kernel = registration.registered(environment, work, name=kernel_name, display_name=display_name, own=own)
        proven = health.proven(kernel, work, packages=_there(environment, asked.pypi, work))
    except EnvkitError:
        _take_back(environment, kernel, existed=existed, known=known, built=bool(planned), work=work)
        raise
    return proven, planned


def _with_python_kernel(spec: Spec) -> Spec:
    """Return a spec with what a Python kernel needs, from where the spec has its packages: pip, and ipykernel unless it is named."""
    spec = replace(spec, seed="pip")
    if "ipykernel" in {*_names(spec.pypi), *map(match_specs.name_of, spec.conda)}:
        return spec
    if spec.backend == CONDA and not match_specs.is_locked(spec):
        return replace(spec, conda=(*spec.conda, "ipykernel"))
    return replace(spec, pypi=(*spec.pypi, "ipykernel"))


def _names(pypi: tuple[str | Project, ...]) -> tuple[str, ...]:
    """Return the normalized names of the requirements that have one, in their order."""
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415 - looking does without it
    from packaging.utils import canonicalize_name  # noqa: PLC0415 - as above

    names: list[str] = []
    for requirement in pypi:
        with suppress(InvalidRequirement):
            if isinstance(requirement, str):
                names.append(canonicalize_name(Requirement(requirement).name))
    return tuple(names)


def _there(environment: Environment, pypi: tuple[str | Project, ...], work: Work) -> tuple[str, ...]:
    """Return the names asked for that are installed: one whose marker does not hold for this Python is not."""
    present = {package.name for package in installed_in(environment, work.host)}
    return tuple(name for name in _names(pypi) if name in present)


def _stand_in(spec: Spec, work: Work) -> Environment:
    """Return what is known of the environment before it is there: enough to name its kernel."""
    return Environment(prefix=records.prefix_of(spec, work.host), kind="venv", name=spec.name)


def _take_back(environment: Environment, kernel: Kernel | None, *, existed: bool, known: set[Path], built: bool, work: Work) -> None:
    """Remove what this call made: the environment with its kernels, or only the kernelspec where the environment was there before."""
    unbound = Work(host=work.host)  # taking back is not cut short by the deadline or cancel that made it necessary
    with suppress(EnvkitError):
        if built and not existed:
            with records.locked(environment.prefix, unbound):
                removal.remove_held(environment.prefix, unbound)
        elif kernel is not None and kernel.path not in known:
            registration.remove_kernels((kernel,), unbound)
