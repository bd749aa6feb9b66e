"""read_spec: what an environment should be, from a file that users have, or from a project's directory.

In a directory the first of these counts, for what is exact says more than what is loose, and what stands for the whole environment
more than a list: pylock.toml, uv.lock, poetry.lock, Pipfile.lock, conda-lock.yml, pixi.lock, environment.yml (or .yaml), pyproject.toml (if it describes a project,
or a group of it is asked for), Pipfile, requirements.txt. `.python-version` says which Python, whichever counts.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .. import records
from ..control import Control, Work, takes_control
from ..errors import CorruptError, NotFoundError, UsageError
from ..formats import pixi_lock, pylock, pyproject
from ..formats.values import from_json
from ..models.specs import Spec
from ..system.look import Look
from . import conda_files, exporters, projects, requirements
from .gathering import Gathered, finished, lock_of, placed, python_request, read_text, unreadable

if TYPE_CHECKING:
    from typing import Unpack

    from ..models.aliases import StrPath

ORDER: Final = (
    *("pylock.toml", "uv.lock", "poetry.lock", "Pipfile.lock", "conda-lock.yml", "pixi.lock", "environment.yml", "environment.yaml"),
    *("pyproject.toml", "Pipfile", "requirements.txt"),
)
"""The files of a project of which the first that is there counts."""

PYTHON_VERSION: Final = ".python-version"
_PYLOCK: Final = re.compile(r"pylock(\.[^.]+)?\.toml")
_CONDA_LOCK: Final = re.compile(r".*conda-lock.*\.ya?ml")
_SPEC_LIMIT: Final = 256 * 1024 * 1024  # bytes; a spec may hold a lock

_Gather = Callable[[Path, Gathered, Work, tuple[str, ...], tuple[str, ...]], None]


@takes_control
def read_spec(
    path: StrPath,
    *,
    name: str | None = None,
    prefix: Path | None = None,
    extras: Iterable[str] = (),
    groups: Iterable[str] = (),
    **control: Unpack[Control],
) -> Spec:
    """Return what an environment should be, as a file of a known format or a project's directory says it.

    Args:
        path: requirements.txt (any *.txt or *.in), pyproject.toml, a script or a notebook with a block of PEP 723, pylock.toml,
            Pipfile, Pipfile.lock, .python-version, uv.lock, poetry.lock, environment.yml, conda-lock.yml, pixi.lock, an explicit
            file of conda (*.txt), spec.json (of `export`); or a directory, in which the first file of `specs.reading.ORDER` counts.
        name: of the managed environment that it is for.
        prefix: the place that it is for.
        extras: of a project: what they ask for, too.
        groups: dependency groups (PEP 735), categories of a Pipfile or a conda-lock.yml, or the environment of a pixi.lock.

    Returns:
        A spec. Requirements with hashes become its lock, for which uv or pip asks the index for the files behind the hashes.

    Raises:
        NotFoundError: there is no such file, none in the directory, or the tool that reads it is missing ("tool-not-found").
        CorruptError: it cannot be read. UsageError: it asks for what no spec can say, or has no such extra or group.
    """
    work = Work.of(control)
    for what, given in (("extras", extras), ("groups", groups)):
        if isinstance(given, str):
            raise TypeError(f"{what} takes several, not the string {given!r}")
    gathered = gathered_from(records.absolute(path, work.host), work, extras=tuple(extras), groups=tuple(groups))
    return spec_of(gathered, work, name=name, prefix=prefix)


def spec_of(gathered: Gathered, work: Work, *, name: str | None = None, prefix: Path | None = None) -> Spec:
    """Return the spec of what was gathered, for a name or a place."""
    with work.task("resolve", f"read {', '.join(file.name for file in gathered.files)}") as task:
        for note in gathered.notes:
            task.output(note)
        return placed(gathered.whole or finished(gathered, work), name, prefix)


def gathered_from(path: Path, work: Work, *, extras: tuple[str, ...] = (), groups: tuple[str, ...] = ()) -> Gathered:
    """Return what a file or a directory asks for, and which files were read; see `read_spec`."""
    gathered = Gathered()
    if not os.path.isdir(path):
        _gather(path, gathered, work, extras, groups)
        return gathered
    chosen = _chosen(path, work, groups)
    if chosen is not None:
        _gather(chosen, gathered, work, extras, groups)
    version = path / PYTHON_VERSION
    if version.is_file():
        projects.gather_python_version(version, gathered, work)
    if not gathered.files:
        raise NotFoundError(
            f"{path} says nothing of what it needs", code="spec-not-found", hint=f"it has none of {', '.join((*ORDER, PYTHON_VERSION))}"
        )
    return gathered


def _chosen(directory: Path, work: Work, groups: tuple[str, ...]) -> Path | None:
    for name in ORDER:
        path = directory / name
        if path.is_file() and (name != pyproject.NAME or _describes(path, work, groups)):
            return path
    return None


def _describes(path: Path, work: Work, groups: tuple[str, ...]) -> bool:
    """Say whether a pyproject.toml describes a project, and not only the settings of tools; one that is broken is not passed over."""
    try:
        said = pyproject.load(Look(work.host).text(str(path), pyproject.LIMIT) or "")
    except ValueError:
        return True
    return said.has_project or said.poetry or bool(groups)


def _gather(path: Path, gathered: Gathered, work: Work, extras: tuple[str, ...], groups: tuple[str, ...]) -> None:
    reader, takes = _reader(path.name)
    for what, given, code in (("extras", extras, "extra"), ("groups", groups, "group")):
        if given and what not in takes:
            raise UsageError(f"{path.name} has no {what}", code=code, hint=f"leave {what}= out, or name another file")
    reader(path, gathered, work, extras, groups)


def _reader(name: str) -> tuple[_Gather, frozenset[str]]:
    """Return what reads a file of this name, and which of extras and groups it knows.

    Raises:
        UsageError: nothing does.
    """
    if _PYLOCK.fullmatch(name):
        return _pylock, frozenset({"extras", "groups"})
    if _CONDA_LOCK.fullmatch(name):
        return _conda_lock, _GROUPS
    if found := _BY_NAME.get(name):
        return found
    suffix = name.rpartition(".")[2].lower() if "." in name else ""
    if found := _BY_SUFFIX.get(suffix):
        return found
    raise UsageError(
        f"{name!r} is none of the files that say what an environment should be",
        code="spec-file",
        hint=f"name a directory, or one of {', '.join((*ORDER, PYTHON_VERSION))}, *.txt, *.in, *.py, *.ipynb, *.yml, spec.json",
    )


def _pylock(path: Path, gathered: Gathered, work: Work, extras: tuple[str, ...], groups: tuple[str, ...]) -> None:
    """Take a lock as it is; which extras and groups of it are wanted is noted in it."""
    text = read_text(path, pylock.LIMIT, work.host, gathered)
    try:
        text = pylock.anchored(text, str(path.parent))
        said = pylock.load(text)
        for what, wanted, known in (("extra", extras, said.extras), ("group", groups, said.groups)):
            if unknown := sorted({*wanted} - {*known}):
                raise UsageError(f"{path} has no {what} {unknown[0]!r}", code=what, hint=f"it has {', '.join(known) or 'none'}")
        if extras or groups:
            from dataclasses import replace  # noqa: PLC0415 - seldom

            text = pylock.with_inputs(text, replace(said.inputs or pylock.Inputs(), extras=extras, groups=groups))
        gathered.lock = lock_of(text)
    except UsageError:
        raise
    except ValueError as error:
        raise unreadable(path, str(error)) from error
    gathered.python = None if said.requires_python is None else python_request(said.requires_python, path)
    if said.inputs is not None:
        gathered.pypi += [requirements.canonical(requirement, path.parent, work) for requirement in said.inputs.requirements]
        gathered.constraints += said.inputs.constraints
        gathered.indexes += said.inputs.indexes


def _spec_json(path: Path, gathered: Gathered, work: Work, extras: tuple[str, ...], groups: tuple[str, ...]) -> None:
    try:
        gathered.whole = from_json(read_text(path, _SPEC_LIMIT, work.host, gathered), Spec)
    except CorruptError as error:
        raise unreadable(path, str(error)) from error


def _pyproject(path: Path, gathered: Gathered, work: Work, extras: tuple[str, ...], groups: tuple[str, ...]) -> None:
    projects.gather_pyproject(path, gathered, work, extras=extras, groups=groups)


def _uv_lock(path: Path, gathered: Gathered, work: Work, extras: tuple[str, ...], groups: tuple[str, ...]) -> None:
    exporters.gather_uv_lock(path, gathered, work, extras=extras, groups=groups)


def _poetry_lock(path: Path, gathered: Gathered, work: Work, extras: tuple[str, ...], groups: tuple[str, ...]) -> None:
    exporters.gather_poetry_lock(path, gathered, work, extras=extras, groups=groups)


def _conda_lock(path: Path, gathered: Gathered, work: Work, extras: tuple[str, ...], groups: tuple[str, ...]) -> None:
    conda_files.gather_conda_lock(path, gathered, work, groups=groups)


def _pixi_lock(path: Path, gathered: Gathered, work: Work, extras: tuple[str, ...], groups: tuple[str, ...]) -> None:
    conda_files.gather_pixi_lock(path, gathered, work, groups=groups)


def _pipfile(path: Path, gathered: Gathered, work: Work, extras: tuple[str, ...], groups: tuple[str, ...]) -> None:
    projects.gather_pipfile(path, gathered, work, groups=groups)


def _plain(read: Callable[[Path, Gathered, Work], None]) -> tuple[_Gather, frozenset[str]]:
    """Return the reader of a format that has neither extras nor groups."""

    def gather(path: Path, gathered: Gathered, work: Work, extras: tuple[str, ...], groups: tuple[str, ...]) -> None:
        read(path, gathered, work)

    return gather, frozenset()


_BOTH: Final = frozenset({"extras", "groups"})
_GROUPS: Final = frozenset({"groups"})
_BY_NAME: Final[dict[str, tuple[_Gather, frozenset[str]]]] = {
    "pyproject.toml": (_pyproject, _BOTH),
    "uv.lock": (_uv_lock, _BOTH),
    "poetry.lock": (_poetry_lock, _BOTH),
    pixi_lock.NAME: (_pixi_lock, _GROUPS),
    "Pipfile": (_pipfile, _GROUPS),
    "Pipfile.lock": (_pipfile, _GROUPS),
    PYTHON_VERSION: _plain(projects.gather_python_version),
}
_BY_SUFFIX: Final[dict[str, tuple[_Gather, frozenset[str]]]] = {
    **dict.fromkeys(("txt", "in", "pip"), _plain(conda_files.gather_text_file)),
    **dict.fromkeys(("yml", "yaml"), _plain(conda_files.gather_environment_yml)),
    "py": _plain(projects.gather_script),
    "ipynb": _plain(projects.gather_notebook),
    "json": (_spec_json, frozenset()),
}
