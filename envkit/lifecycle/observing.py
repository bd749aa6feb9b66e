"""What a spec asks for, checked, and what is there where it wants its environment: the input of the pure planner."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from .. import changing, ecosystems, environments, match_specs, places, planning, plugins, records
from ..discovery import search
from ..errors import NotFoundError, RefusedError, UsageError
from ..locking import exactness
from ..models.environment import Environment
from ..models.specs import Project, Spec
from ..planning import Observation
from . import afterwards

if TYPE_CHECKING:
    from ..control import Work
    from ..formats.ready_record import Record
    from ..models.requirement import Req

ALONE = frozenset({".lock"})  # what may lie in a directory that counts as empty: uv's and our lock file


def checked_spec(spec: Spec, work: Work) -> Spec:
    """Return the spec with its requirements in canonical form and its prefix absolute.

    Raises:
        UsageError: something in it is not allowed, or not available yet; nothing in a spec is ever ignored.
        RefusedError: no environment can work at its prefix.
    """
    if spec.sources.pythons not in ("machine", "uv"):
        raise UsageError(f"Sources.pythons is {spec.sources.pythons!r}", code="source", hint='give "machine" or "uv"')
    backend = plugins.backend(match_specs.backend_name(spec))
    if spec.seed not in ("none", "pip"):
        raise UsageError(f"seed is {spec.seed!r}", code="seed", hint='give "none" or "pip"')
    for name, value in spec.variables.items():
        if not name or "=" in name or "\0" in name + value:
            raise UsageError(
                f"{name!r} cannot be the name of a variable, or its value holds a NUL", code="variable", hint="choose another name"
            )
    afterwards.check(spec.post_install)
    if spec.name is not None:
        environments.named_prefix(spec.name, work)
    prefix = work.host.data if places.is_addressed(spec) else records.prefix_of(spec, work.host)
    if work.host.platform != "win32" and ":" in str(prefix):
        raise RefusedError(f"{prefix} contains a colon, which separates the entries of PATH", code="path", hint="choose a path without one")
    if any(not character.isprintable() for character in str(prefix)):
        raise RefusedError(f"{str(prefix)!r} contains a control character", code="path", hint="choose a path without one")
    checked = replace(
        spec,
        python=planning.python_of(spec),
        backend=_backend_there(spec, backend.NAME, prefix),
        conda=match_specs.checked(spec.conda),
        channels=_checked_channels(spec.channels),
        pypi=changing.checked(spec.pypi, work.host),
        constraints=tuple(str(requirement) for requirement in changing.checked(spec.constraints, work.host)),
        prefix=None if spec.prefix is None else prefix,
    )
    if checked.backend == match_specs.CONDA:
        match_specs.wanted(checked)
        _refuse_unfit(prefix, work)
        if spec.system_site_packages:
            raise UsageError(
                "a conda environment brings its own Python, so there are no packages of another one to show",
                code="system-site-packages",
                hint="leave system_site_packages out",
            )
    exactness.check_fresh(checked)
    return checked


def _refuse_unfit(prefix: Path, work: Work) -> None:
    from ..conda import prefixes  # noqa: PLC0415 - only where there is conda

    prefixes.refuse_unfit(prefix, work.host)


def _backend_there(spec: Spec, name: str, prefix: Path) -> str:
    """Return the backend, where the spec leaves it open that of the environment which is there: it may ask for PyPI's packages alone."""
    there = spec.backend == "auto" and not places.is_addressed(spec) and os.path.isdir(prefix / "conda-meta")
    return match_specs.CONDA if there else name


def _checked_channels(channels: tuple[str, ...]) -> tuple[str, ...]:
    """Return channels as they were given.

    Raises:
        UsageError: one is empty, begins with a dash, or holds what no name or URL of a channel does.
    """
    for channel in channels:
        if not channel.strip() or channel.startswith("-") or any(not character.isprintable() for character in channel):
            raise UsageError(f"{channel!r} is no channel", code="channel", hint='give its name, such as "conda-forge", its URL or its path')
    return channels


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the keywords of a verb ask for."""

    pypi: tuple[Req, ...] = ()
    conda: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.pypi or self.conda or self.channels)


def several(*, pypi: Iterable[Req] = (), conda: Iterable[str] = (), channels: Iterable[str] = ()) -> Asked:
    """Return what the keywords of a verb ask for.

    Raises:
        TypeError: one is a text, which would be taken for its letters.
    """
    for name, given in (("pypi", pypi), ("conda", conda), ("channels", channels)):
        if isinstance(given, str):
            raise TypeError(f"{name} takes several, not the string {given!r}")
    return Asked(pypi=tuple(pypi), conda=tuple(conda), channels=tuple(channels))


def spec_from(
    where: str | os.PathLike[str] | Spec,
    python: str | os.PathLike[str] | Environment | None,
    asked: Asked,
    backend: str,
    work: Work,
) -> Spec:
    """Return the spec that the keywords of `create` and `provision` stand for.

    Raises:
        UsageError: a spec was given, and keywords that a spec has beside it; or a path where only a name is possible.
    """
    if isinstance(where, Spec):
        if python is not None or asked.pypi or asked.conda or asked.channels or backend != "auto":
            raise UsageError(
                "beside a Spec, python=, pypi=, conda=, channels= and backend= are not possible",
                code="spec-and-keywords",
                hint="use dataclasses.replace(spec, ...)",
            )
        return where
    as_path = environments.is_path(where, work)
    return Spec(
        name=None if as_path else os.fspath(where),
        prefix=Path(where) if as_path else None,
        python=_as_text(python, work),
        pypi=changing.checked(asked.pypi, work.host),
        conda=asked.conda,
        channels=asked.channels,
        backend=backend,
    )


def _as_text(python: str | os.PathLike[str] | Environment | None, work: Work) -> str | None:
    if python is None or isinstance(python, str):
        return python
    if isinstance(python, Environment):
        if python.python is None:
            raise UsageError(f"{python.prefix} has no Python", code="python-missing", hint="choose an environment that has one")
        return str(python.python)
    return str(records.absolute(python, work.host))


def observe(spec: Spec, work: Work) -> Observation:
    """Look at what is there where a checked spec wants its environment; only its base may be run, where files do not say enough.

    Raises:
        NotFoundError: an environment has to be built, no Python satisfies the spec, and none may be fetched.
        RefusedError: the spec's lock is for another Python or platform.
    """
    seen = observe_place(spec, work)
    to_build = seen.state in {"absent", "half-made"} or (seen.mismatch is not None and seen.state != "foreign")
    if not to_build or spec.backend == match_specs.CONDA:  # conda brings its own Python
        return seen
    try:
        base = environments.base_for(spec.python, work)
    except NotFoundError as error:
        if spec.sources.pythons != "uv" or error.code != "python-not-found":
            raise
        return replace(seen, fetch=True)
    return replace(seen, base=base, locked=exactness.locked_for(spec, base, work.host))


def fetched(spec: Spec, seen: Observation, work: Work) -> Observation:
    """Return what was observed with its base, after uv has fetched that where it must.

    Raises:
        NotFoundError: there is no uv, or it has no such Python. NetworkError, MachineError: it cannot be fetched.
    """
    return replace(seen, base=environments.base_for(spec.python, work, spec.sources), fetch=False) if seen.fetch else seen


def observe_place(spec: Spec, work: Work) -> Observation:
    """Look at what is there, without looking for a Python that something new could be built on."""
    prefix = records.prefix_of(spec, work.host)
    if not os.path.lexists(prefix):
        return Observation(prefix=prefix, state="absent")
    if not os.path.isdir(prefix):
        return Observation(prefix=prefix, state="occupied")  # a file, in which no mark can be read: it is somebody's
    marks = records.state_of(prefix, work.host)
    remembered = () if marks.record is None else marks.record.requested
    before = () if marks.record is None else marks.record.conda
    if marks.dirty is not None and marks.dirty.doing == "create":
        return Observation(prefix=prefix, state="half-made", marked=True, remembered=remembered, remembered_conda=before)
    if is_empty(prefix):
        return Observation(prefix=prefix, state="absent")
    found = search.identify(work.host, str(prefix), plugins.locators(work.host)) if os.path.isdir(prefix) else None
    managed = spec.name is not None
    if marks.record is None and managed:
        return Observation(prefix=prefix, state="half-made")
    if found is None or found.kind == "interpreter":
        if marks.record is None:
            return Observation(prefix=prefix, state="occupied", environment=found)
        return Observation(prefix=prefix, state="half-made", remembered=remembered, remembered_conda=before)
    if marks.record is None and marks.dirty is None:
        return _observe_packages(spec, Observation(prefix=prefix, state="foreign", environment=found), None, work)
    state = Observation(prefix=prefix, state="ready" if marks.ready else "damaged", environment=found, remembered=remembered)
    state = replace(state, remembered_conda=before)
    return _observe_packages(spec, state, marks.record, work)


def is_empty(prefix: Path) -> bool:
    """Say whether nothing lies at `prefix`: it is not there, or an empty directory."""
    try:
        return not {entry.name for entry in os.scandir(prefix)} - ALONE
    except OSError:  # not there, or where we may not look: making it will say so
        return not os.path.lexists(prefix)


def _observe_packages(spec: Spec, seen: Observation, record: Record | None, work: Work) -> Observation:
    """Add to what was observed why it cannot be kept, what is missing, broken and to be written down."""
    env = seen.environment
    assert env is not None
    if reason := _mismatch(spec, env, record, work):
        return replace(seen, mismatch=reason)
    seen = replace(seen, commands=afterwards.outstanding(spec, record))
    broken = tuple(problem.subject for _, problem in ecosystems.broken_in(env, work.host)) if seen.state == "damaged" else ()
    differing = ("variables",) if record is not None and not spec.variables.items() <= record.variables.items() else ()
    if spec.lock is not None:
        try:
            missing, surplus = exactness.differences(spec, env, work.host)
        except RefusedError as error:  # the lock is for another Python
            return replace(seen, mismatch=str(error))
        return replace(seen, unsatisfied=missing, surplus=surplus, broken=broken, differing=differing)
    return replace(unsatisfied(spec, seen, env, work), broken=broken, differing=differing)


def unsatisfied(spec: Spec, seen: Observation, env: Environment, work: Work) -> Observation:
    """Add to what was observed which requirements are not met."""
    pypi = plugins.package_manager("pypi")
    if spec.backend != match_specs.CONDA:
        wanted: tuple[str | Project, ...] = (*(["pip"] if spec.seed == "pip" else []), *spec.pypi)
        return replace(seen, unsatisfied=pypi.unsatisfied(env, wanted, work.host))
    missing = plugins.package_manager(match_specs.CONDA).unsatisfied(env, match_specs.wanted(spec), work.host)
    on_top = spec.pypi if env.python is None else pypi.unsatisfied(env, spec.pypi, work.host)
    return replace(seen, conda=tuple(map(str, missing)), unsatisfied=on_top)


def _mismatch(spec: Spec, env: Environment, record: Record | None, work: Work) -> str | None:
    """Say why the environment that is there can never be what the spec says; None if it can."""
    if env.problem is not None and env.problem.severity == "error" and env.problem.code != "half-made":
        return env.problem.message
    if spec.backend in {match_specs.CONDA, "venv"} and (env.kind == match_specs.CONDA) is not (spec.backend == match_specs.CONDA):
        return f"it is a {env.kind} environment, and a {spec.backend} environment is asked for"
    if env.python is None:
        return None if env.kind == match_specs.CONDA else "it has no Python"
    if record is not None and record.system_site_packages != spec.system_site_packages:
        return f"system_site_packages is {record.system_site_packages} there"
    if spec.python is None:
        return None
    request = environments.requested(spec.python, work)
    if request is None:
        base = environments.base_for(spec.python, work)
        return (
            None if env.base is not None and os.path.realpath(env.base) == os.path.realpath(base.prefix) else f"it was not made from {base}"
        )
    allowed = request.allows(env)
    if allowed is None:
        allowed = request.allows(environments.probed(env, work))
    return None if allowed else f"it has {env.implementation or 'Python'} {env.version}, which {spec.python!r} does not allow"
