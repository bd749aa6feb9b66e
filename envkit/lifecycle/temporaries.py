"""temporary: a private, writable environment for the time of a `with`, made in milliseconds over a content-addressed one."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from .. import match_specs, places, records, uses, venv
from ..control import Control, Work, takes_control
from ..errors import EnvkitError, InstallError, NetworkError, NotFoundError, UsageError
from ..formats.record_text import MARKS
from ..kernels import registration
from ..layout import layout
from ..match_specs import CONDA
from ..models.environment import Environment
from ..models.specs import Spec
from ..planning import Observation
from ..system import files, sites
from ..system.scope import OpenedScope, Scope
from ..venv import overlay
from . import addressed, observing

if TYPE_CHECKING:
    from typing import Unpack

    from ..models.aliases import StrPath
    from ..models.requirement import Req

_NOTHING = Spec()
_PROMPT = "temporary"
_WITH_PIP = "with-pip"  # among the marks of an environment without pip: the prefix of one that has it, on the same Python


@takes_control
def temporary(
    spec: Spec = _NOTHING,
    *,
    python: StrPath | Environment | None = None,
    pypi: Iterable[Req] = (),
    conda: Iterable[str] = (),
    channels: Iterable[str] = (),
    **control: Unpack[Control],
) -> Scope[Environment]:
    """Make a private environment for the time of a `with`; whatever is done in it touches nothing else, and at the end it is gone.

    It is an empty virtual environment that shows a content-addressed one, which is built where it is not there yet. Packages can
    be installed in it, over those below; pip is there for that in any case. It is not a place for `lock` or `clone`: what is
    below is no part of it. When the process is killed, `prune` removes what is left.

    Args:
        spec: what it is to have, without name and prefix.
        python: without a spec, a request, a path, a name or an Environment; None for the newest stable Python of the machine.
        pypi: without a spec, packages of PyPI.
        conda: without a spec, conda packages; the environment is then a private copy of a content-addressed one, its files linked
            where that can be.
        channels: without a spec, where those come from.

    Returns:
        A scope for `with` and `async with`, to be entered once.

    Raises:
        UsageError: a spec that has a name or a prefix, or keywords beside a spec. Else, when it is entered, as `ensure`.

    Example:
        >>> import envkit
        >>> with envkit.temporary(pypi=["rich"]) as env:  # doctest: +SKIP
        ...     envkit.run(env, ["python", "-m", "rich"])
    """
    asked = observing.several(pypi=pypi, conda=conda, channels=channels)
    if spec == _NOTHING:
        work = Work.of(control)
        spec = replace(observing.spec_from("temporary", python, asked, "auto", work), name=None)
    elif python is not None or asked:
        observing.spec_from(spec, python, asked, "auto", Work.of(control))  # refuses them
    if not places.is_addressed(spec):
        raise UsageError(
            "a temporary environment has no name and no prefix", code="spec", hint="use dataclasses.replace(spec, name=None, prefix=None)"
        )
    return OpenedScope(partial(_opened, spec), control)


def _opened(spec: Spec, control: Control) -> Generator[Environment, None, None]:
    work = Work.of(control)
    spec = observing.checked_spec(spec, work)
    prefix = files.private_directory(places.store_directory(work.host, "temporary")) / os.urandom(12).hex()
    with ExitStack() as held:
        if spec.backend == CONDA:
            environment = _copied(spec, prefix, work, held)
            held.callback(_remove, prefix, work)
            yield environment
            return
        layers = _held_layers(spec, prefix, work, held)
        held.callback(_remove, prefix, work)
        with work.task("create", f"create a temporary environment over {layers[0]}"):
            environment = _made(prefix, spec, layers, work)
        yield environment


def _copied(spec: Spec, prefix: Path, work: Work, held: ExitStack) -> Environment:
    """Return a private copy of the conda environment of a spec: one prefix cannot show another's packages, as virtual environments can."""
    from . import conda_mending  # noqa: PLC0415 - the conda room is loaded where there is conda

    held.enter_context(uses.held((prefix,), work))
    while True:
        source = _with_pip_where_possible(spec, work)
        with uses.held((source.prefix,), work):  # for as long as it is copied
            if records.looks_ready(source.prefix):
                return conda_mending.clone(source, spec, Observation(prefix=prefix, state="absent"), work)
        work.check()  # it was removed between the two: build it again


def _with_pip_where_possible(spec: Spec, work: Work) -> Environment:
    """Return the content-addressed environment of a spec; one with Python gets pip, where its channels have it."""
    if match_specs.asks_for_python(spec) and not match_specs.is_locked(spec):
        try:
            return addressed.ensured(replace(spec, seed="pip"), work)[0]
        except InstallError:
            work.check()
    return addressed.ensured(spec, work)[0]


def _held_layers(spec: Spec, prefix: Path, work: Work, held: ExitStack) -> tuple[Environment, ...]:
    """Return the environments to show, and hold them and the new one's place, so that none can be pruned any more."""
    while True:
        layers = _layers(spec, work)
        holding = ExitStack()
        holding.enter_context(uses.held((prefix, *(layer.prefix for layer in layers)), work))
        if all(records.looks_ready(layer.prefix) for layer in layers):
            held.push(holding)
            return layers
        holding.close()  # one was removed between the two: build it again
        work.check()


def _layers(spec: Spec, work: Work) -> tuple[Environment, ...]:
    """Return the environment of the spec and, where it has no pip, one that has."""
    layer = addressed.ensured(spec, work)[0]
    if any(os.path.isdir(os.path.join(directory, "pip")) for directory in sites.site_packages(layer, work.host)):
        return (layer,)
    if (noted := _noted(layer, work)) is not None:
        return (layer, noted)
    with_pip = Spec(python=os.path.realpath(str(layer.python)), backend=spec.backend, seed="pip")
    try:
        second = addressed.ensured(with_pip, work)[0]
    except (NetworkError, NotFoundError, InstallError):
        return (layer,)  # no pip is to be had: all the rest works
    with suppress(OSError):  # the next one looks for it again
        files.write_atomic(layer.prefix / MARKS / _WITH_PIP, str(second.prefix))
    return (layer, second)


def _noted(layer: Environment, work: Work) -> Environment | None:
    """Return the environment with pip that was shown with this one before, if it is still as it was made."""
    try:
        prefix = Path((layer.prefix / MARKS / _WITH_PIP).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    state = records.state_of(prefix, work.host) if places.is_stored(prefix, work.host) else None
    if state is None or not state.ready or state.record is None or state.record.digest != records.digest_of(prefix):
        return None
    places.note_use(prefix, work.host)
    return replace(layer, prefix=prefix, python=None)


def _made(prefix: Path, spec: Spec, layers: tuple[Environment, ...], work: Work) -> Environment:
    base = layers[0]
    assert base.version is not None
    venv.create(
        prefix,
        base=base,
        host=work.host,
        prompt=_PROMPT,
        system_site_packages=spec.system_site_packages,
        variables=spec.variables,
    )
    places = layout(
        str(prefix),
        platform=work.host.platform,
        version=(base.version.release[0], base.version.release[1]),
        implementation=base.implementation or "cpython",
        free_threaded=bool(base.free_threaded),
    )
    try:
        overlay.lay_over(prefix, places.purelib, layers, work.host)
        files.private_directory(prefix / MARKS)
    except OSError as error:
        raise files.machine_error(error, prefix) from error
    record = records.new_record(prefix, spec, (), work.host)
    records.finish(prefix, replace(record, layers=tuple(str(layer.prefix) for layer in layers)), work.host, durable=False)
    return replace(base, prefix=prefix, python=Path(places.python), aliases=())


def _remove(prefix: Path, work: Work) -> None:
    """Remove it and its kernels; what cannot be removed now is left to `prune`."""
    unbound = Work(host=work.host)  # not cut short by the deadline or cancel that may have ended the body
    with suppress(EnvkitError):
        registration.remove_kernels(registration.kernels_of(Environment(prefix=prefix, kind="venv"), work.host), unbound)
        files.remove_tree(prefix)
