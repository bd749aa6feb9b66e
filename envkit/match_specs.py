"""What a spec asks of conda: which backend it means, its match specs in canonical form, and its Python as one of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from .discovery import requests
from .errors import UsageError
from .models import capabilities

if TYPE_CHECKING:
    from .formats.match_spec import MatchSpec
    from .models.specs import Spec

CONDA: Final = "conda"
LOCKS: Final = frozenset({"explicit.txt", "rattler-lock"})
"""The formats of locks of conda packages."""


def backend_name(spec: Spec) -> str:
    """Return which backend a spec means; "auto" is conda if conda packages, channels or a lock of them are asked for, else venv.

    Raises:
        UsageError: conda packages are asked for in a virtual environment.
    """
    asks = [name for name, given in ((CONDA, spec.conda), ("channels", spec.channels)) if given]
    if is_locked(spec):
        asks.append("lock")
    if spec.backend == "auto":
        return capabilities.chosen(frozenset({CONDA} if asks else {"pypi"}))
    if asks and spec.backend == "venv":
        raise UsageError(
            f"Spec.{asks[0]} is for conda environments, and the backend is 'venv'",
            code="backend",
            hint='leave backend= out, or give backend="conda"',
        )
    return spec.backend


def is_locked(spec: Spec) -> bool:
    """Say whether a spec has a lock of conda packages."""
    return spec.lock is not None and spec.lock.format in LOCKS


def checked(specs: Sequence[str]) -> tuple[str, ...]:
    """Return match specs in their canonical form, each package once, in their order: what several say of it holds together.

    Raises:
        UsageError: one is none, or two of the same package cannot be said as one.
    """
    if not specs:
        return ()
    from .formats import match_spec  # noqa: PLC0415 - only where there is conda

    found: dict[str, MatchSpec] = {}
    for text in specs:
        try:
            parsed = match_spec.parse(text)
        except ValueError as error:
            raise UsageError(
                f"{text!r} is no match spec of conda: {error}", code="match-spec", hint='say it as "numpy", "numpy=2.1" or "numpy>=2,<3"'
            ) from error
        found[parsed.name] = parsed if parsed.name not in found else _joined(found[parsed.name], parsed)
    return tuple(map(str, found.values()))


def _joined(one: MatchSpec, other: MatchSpec) -> MatchSpec:
    """Return what two match specs of the same package say together.

    Raises:
        UsageError: they differ in more than their versions.
    """
    from .formats.conda_range import version_range  # noqa: PLC0415 - only where a package is named twice

    said = {name: (getattr(one, name), getattr(other, name)) for name in one.__slots__ if name != "version"}
    if any(first and second and first != second for first, second in said.values()):
        raise UsageError(f"{one} and {other} cannot both hold", code="match-spec", hint=f"name {one.name} once")
    both = {name: first or second for name, (first, second) in said.items()}
    versions = list(dict.fromkeys(str(spec.version) for spec in (one, other) if spec.version is not None))
    text = ",".join(f"({version})" if "|" in version and len(versions) > 1 else version for version in versions)
    return type(one)(**both, version=version_range(text) if text else None)


def name_of(text: str) -> str:
    """Return the package's name in a match spec that was checked."""
    from .formats import match_spec  # noqa: PLC0415 - only where there is conda

    return str(match_spec.parse(text).name)


def asks_for_python(spec: Spec) -> bool:
    """Say whether a spec for conda asks for a Python by name, by a request, or by packages that lie on top of one."""
    return spec.python is not None or bool(spec.pypi) or spec.seed == "pip" or "python" in map(name_of, checked(spec.conda))


def wanted(spec: Spec) -> tuple[str, ...]:
    """Return the match specs of all that a spec asks of conda: its Python, one for what lies on top, pip, and its conda packages.

    A lock says all of that exactly, so beside one only the packages that are named are asked for.

    Raises:
        UsageError: its Python is none that conda can bring: a path, or a request for another implementation.
    """
    names = set(map(name_of, checked(spec.conda)))
    asked: list[str] = []
    if spec.python is not None:
        asked.append(python_match(spec.python))
    elif (spec.pypi or spec.seed == "pip") and "python" not in names and not is_locked(spec):
        asked.append("python")
    if spec.seed == "pip" and "pip" not in names and not is_locked(spec):
        asked.append("pip")
    return checked((*asked, *spec.conda))


def python_match(python: str) -> str:
    """Return the match spec of a request for a Python.

    Raises:
        UsageError: conda cannot bring such a Python.
    """
    request = requests.parse(python)
    if request is None:
        raise UsageError(
            f"a conda environment brings its own Python, so it cannot be built on {python!r}",
            code="request",
            hint='ask for a version, such as python="3.12"',
        )
    if request.implementation not in {None, "cpython"} or request.debug or request.machine or request.bits:
        raise UsageError(f"{python!r} is no Python that conda brings", code="request", hint='ask for a version, such as python="3.12"')
    flavour = "python-freethreading" if request.free_threaded else "python"
    if request.specifiers is not None:
        return f"{flavour} {','.join(sorted(str(request.specifiers).split(',')))}"  # the operators of PEP 440 are conda's, too
    number = ".".join(map(str, request.number))
    if request.phase is not None:
        return f"{flavour}={number}{request.phase}{'' if request.serial is None else request.serial}"
    return f"{flavour}={number}" if number else flavour
