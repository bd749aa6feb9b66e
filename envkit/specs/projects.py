"""What a project says of itself: pyproject.toml, the head of a script, a notebook's cell, Pipfile, `.python-version`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from packaging.requirements import InvalidRequirement, Requirement

from ..discovery import requests
from ..errors import UsageError
from ..formats import pipfile, poetry, pyproject, script_block
from ..formats.dist_info import normalized
from ..models.specs import Project
from ..pypi import requirements as rules
from .gathering import Gathered, python_request, read_text, unreadable
from .requirements import canonical, gather_file, gather_texts

if TYPE_CHECKING:
    from ..control import Work

_NOTEBOOK_LIMIT: Final = 256 * 1024 * 1024  # bytes; notebooks hold pictures
_VERSION_LIMIT: Final = 64 * 1024  # bytes


def gather_pyproject(path: Path, gathered: Gathered, work: Work, *, extras: Iterable[str], groups: Iterable[str]) -> None:
    """Add what a pyproject.toml asks for: its dependencies, those of the extras and groups named, its range of Pythons.

    The project itself is not among them: `Project(path)` in a spec installs it.

    Raises:
        UsageError: only a build would tell, there is no such extra or group, or the file describes no project.
    """
    text = read_text(path, pyproject.LIMIT, work.host, gathered)
    try:
        said = pyproject.load(text)
    except ValueError as error:
        raise unreadable(path, str(error)) from error
    groups = tuple(groups)
    if said.poetry:
        _gather_poetry(text, said, path, gathered, work, extras=tuple(extras), groups=groups)
        return
    if not said.has_project and not groups:
        raise UsageError(f"{path} has no [project]", code="no-metadata", hint="name a dependency group with groups=, or another file")
    if said.requires_python is not None:
        gathered.python = python_request(said.requires_python, path)
    _gather_field(said, "", path, gathered, work, frozenset())
    for extra in extras:
        _gather_field(said, normalized(extra), path, gathered, work, frozenset())
    if groups:
        gathered.pypi += rules.expand_groups(Project(path=path.parent, groups=groups))


def _gather_poetry(
    text: str, said: pyproject.Pyproject, path: Path, gathered: Gathered, work: Work, *, extras: tuple[str, ...], groups: tuple[str, ...]
) -> None:
    """Add what Poetry's own tables ask for: what is always needed, what the extras named bring, and the groups named."""
    try:
        told = poetry.load(text)
    except ValueError as error:
        raise unreadable(path, str(error)) from error
    range_of_pythons = said.requires_python or told.python
    if range_of_pythons:
        gathered.python = python_request(range_of_pythons, path)
    chosen = set[str]()
    for extra in map(normalized, extras):
        if extra not in told.extras:
            known = ", ".join(sorted(told.extras)) or "none"
            raise UsageError(f"{path} has no extra {extra!r}", code="extra", hint=f"its extras: {known}")
        chosen |= {*told.extras[extra]}
    wanted = [one for one in told.groups[poetry.MAIN] if one.name not in told.optional or one.name in chosen]
    for group in map(normalized, groups):
        if group in said.groups:
            gathered.pypi += rules.expand_groups(Project(path=path.parent, groups=(group,)))
        elif group not in told.groups:
            known = ", ".join(sorted((told.groups.keys() | said.groups) - {poetry.MAIN})) or "none"
            raise UsageError(f"{path} has no group {group!r}", code="group", hint=f"its groups: {known}")
        wanted += told.groups.get(group, ())
    for one in wanted:
        if one.path:
            place = Project(path=path.parent / one.path, editable=one.editable, extras=one.extras)
            gathered.pypi.append(rules.parse(place, work.host))
        else:
            gathered.pypi.append(canonical(one.text, path.parent, work))
    gathered.indexes += [rules.checked_location(index, "index") for index in told.indexes]


def _gather_field(said: pyproject.Pyproject, extra: str, path: Path, gathered: Gathered, work: Work, above: frozenset[str]) -> None:
    """Add the dependencies ("") or those of an extra; one that names the project itself is its extras."""
    field = "optional-dependencies" if extra else "dependencies"
    if field in said.dynamic and extra in said.dynamic_files:
        for name in said.dynamic_files[extra]:
            gather_file(path.parent / name, gathered, work)
        return
    if field in said.dynamic:
        raise UsageError(f"only building {path.parent} tells its {field}", code="no-metadata", hint="put Project(path) into a spec instead")
    if extra and extra not in said.extras:
        known = ", ".join(sorted(said.extras)) or "none"
        raise UsageError(f"{path} has no extra {extra!r}", code="extra", hint=f"its extras: {known}")
    for text in said.extras[extra] if extra else said.dependencies:
        for inner in _own_extras(text, said.name):
            if inner not in above:
                _gather_field(said, inner, path, gathered, work, above | {extra, inner})
        if not _is_own(text, said.name):
            gathered.pypi.append(canonical(text, path.parent, work))


def _is_own(text: str, name: str | None) -> bool:
    try:
        return name is not None and normalized(Requirement(text).name) == name
    except InvalidRequirement:
        return False


def _own_extras(text: str, name: str | None) -> tuple[str, ...]:
    return tuple(sorted(normalized(extra) for extra in Requirement(text).extras)) if _is_own(text, name) else ()


def gather_script(path: Path, gathered: Gathered, work: Work) -> None:
    """Add what the head of a script asks for (PEP 723).

    Raises:
        UsageError: it has no such block. CorruptError: the block cannot be read.
    """
    _gather_block(read_text(path, script_block.LIMIT, work.host, gathered), path, gathered, work)


def gather_notebook(path: Path, gathered: Gathered, work: Work) -> None:
    """Add what a block as PEP 723 has it asks for that stands in one of a notebook's code cells."""
    text = read_text(path, _NOTEBOOK_LIMIT, work.host, gathered)
    try:
        document: Any = json.loads(text)
        cells = [cell for cell in document["cells"] if cell.get("cell_type") == "code"]
        sources = ["".join(cell["source"]) for cell in cells]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise unreadable(path, "it is no notebook") from error
    _gather_block("\n\n".join(source for source in sources if "# /// script" in source), path, gathered, work)


def _gather_block(text: str, path: Path, gathered: Gathered, work: Work) -> None:
    block = script_block.load(text)
    if block is None:
        if any(line.strip() == "# /// script" for line in text.splitlines()):
            raise unreadable(path, "its block '# /// script' is no TOML, has no end, or stands there twice")
        raise UsageError(f"{path} says nothing of what it needs", code="no-metadata", hint="write it into a block '# /// script' (PEP 723)")
    requires = block.get("requires-python")
    if isinstance(requires, str):
        gathered.python = python_request(requires, path)
    dependencies: Any = block.get("dependencies", [])
    if not isinstance(dependencies, list):
        raise unreadable(path, "dependencies is no list")
    gathered.pypi += [canonical(str(text), path.parent, work) for text in cast("list[object]", dependencies)]


def gather_pipfile(path: Path, gathered: Gathered, work: Work, *, groups: Iterable[str]) -> None:
    """Add what a Pipfile or a Pipfile.lock asks for: its packages and those of the categories named ("dev", ...).

    Raises:
        UsageError: there is no such category.
    """
    text = read_text(path, pipfile.LIMIT, work.host, gathered)
    try:
        said = pipfile.load_lock(text) if path.name.endswith(".lock") else pipfile.load(text)
    except (ValueError, KeyError, TypeError) as error:
        raise unreadable(path, str(error)) from error
    for group in ("default", *groups):
        if group not in said.lines and group != "default":
            raise UsageError(f"{path} has no category {group!r}", code="group", hint=f"its categories: {', '.join(sorted(said.lines))}")
        gather_texts(said.lines.get(group, ()), path, gathered, work)
    if said.python is not None:
        gathered.python = python_request(said.python, path)
    gathered.indexes += [rules.checked_location(index, "index") for index in said.indexes]


def gather_python_version(path: Path, gathered: Gathered, work: Work) -> None:
    """Take the first version of a `.python-version` that is a request for a Python, as pyenv and uv do.

    Raises:
        UsageError: none is.
    """
    lines = [line.partition("#")[0].strip() for line in read_text(path, _VERSION_LIMIT, work.host, gathered).splitlines()]
    words = [word for line in lines for word in line.split()]
    for word in words:
        for spelling in (word, word.split("/", 1)[0], word.removeprefix("v"), word.rpartition("-")[0] if word.startswith("pypy") else word):
            if spelling and requests.parse(spelling) is not None:
                gathered.python = spelling
                return
    raise UsageError(f"{path} asks for no Python: {' '.join(words)[:80]!r}", code="request", hint='write a version such as "3.12"')
