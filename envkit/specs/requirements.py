"""Requirements files with what they include: each line becomes a requirement in canonical form, a constraint, or a source."""

from __future__ import annotations

import os
import re
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from ..errors import NotFoundError, UsageError
from ..formats import requirements_txt
from ..formats.dist_info import normalized
from ..models.specs import Project
from ..pypi import requirements as rules
from ..system.secrets import masked
from .gathering import Gathered, read_data, unreadable

if TYPE_CHECKING:
    from ..control import Work
    from ..formats.requirements_txt import Line

_URL: Final = re.compile(r"(?:[A-Za-z]+\+)?[A-Za-z][A-Za-z0-9.]*:/?/?[^\s]+")
_EXTRAS: Final = re.compile(r"(?P<path>.+?)\[(?P<extras>[A-Za-z0-9._\-,\s]*)\]")
_ARCHIVES: Final = (".whl", ".tar.gz", ".zip", ".tar.bz2", ".tar.xz", ".tgz")
_DEEPEST: Final = 40  # files that include one another


def gather_file(path: Path, gathered: Gathered, work: Work, *, constraints: bool = False, above: tuple[Path, ...] = ()) -> None:
    """Add what a requirements file asks for, and what it includes.

    Args:
        constraints: its requirements are limits only.
        above: the files that include it.

    Raises:
        NotFoundError, CorruptError: a file cannot be read. UsageError: a line is not allowed; the text names file and line.
    """
    if path in above or len(above) > _DEEPEST:
        raise UsageError(f"{path} includes itself", code="spec-file", hint="take the -r or -c line out")
    data = read_data(path, requirements_txt.LIMIT, work.host, gathered)
    try:
        lines = requirements_txt.load(requirements_txt.decode(data), work.host.environ)
    except ValueError as error:
        raise unreadable(path, str(error)) from error
    gather_lines(lines, path, gathered, work, constraints=constraints, above=(*above, path))


def gather_texts(texts: Iterable[str], path: Path, gathered: Gathered, work: Work) -> None:
    """Add lines of a requirements file that stand in another file, at `path`."""
    try:
        lines = requirements_txt.load("\n".join(texts), work.host.environ)
    except ValueError as error:
        raise unreadable(path, str(error)) from error
    gather_lines(lines, path, gathered, work, above=(path,), numbered=False)


def gather_lines(
    lines: Iterable[Line],
    path: Path,
    gathered: Gathered,
    work: Work,
    *,
    constraints: bool = False,
    above: tuple[Path, ...] = (),
    numbered: bool = True,
) -> None:
    """Add what lines ask for; paths in them are taken from the directory of `path`.

    Args:
        above: the files that ask for this one. numbered: the lines are those of the file, and not only a part of it.
    """
    for line in lines:
        with _named(path, line.number if numbered else None):
            if line.kind == "requirement":
                _requirement(line, path.parent, gathered, work, constraints=constraints)
            elif line.kind == "editable":
                gathered.pypi.append(_editable(line.text, path.parent, gathered, work))
            elif line.kind == "option":
                _option(line, path.parent, gathered, work)
            elif _URL.fullmatch(line.text) and "://" in line.text:
                raise UsageError(f"{masked(line.text)} is not on this machine", code="spec-file", hint="download the file and name it")
        if line.kind in {"file", "constraints"}:
            inner = Path(os.path.normpath(path.parent / line.text))
            gather_file(inner, gathered, work, constraints=constraints or line.kind == "constraints", above=above)


@contextmanager
def _named(path: Path, number: int | None) -> Generator[None]:
    """Say in an error which file it is about, and which line of it where that is known."""
    try:
        yield
    except (UsageError, NotFoundError) as error:
        where = str(path) if number is None else f"{path}, line {number}"
        error.args = (f"{where}: {error}",)
        raise


def _requirement(line: Line, directory: Path, gathered: Gathered, work: Work, *, constraints: bool) -> None:
    requirement = canonical(line.text, directory, work)
    if constraints:
        gathered.constraints.append(rules.parse_constraint(str(requirement)) if isinstance(requirement, str) else _no_constraint(line))
        return
    gathered.pypi.append(requirement)
    if line.hashes and isinstance(requirement, str):
        gathered.hashes.setdefault(normalized(re.split(r"[^A-Za-z0-9._\-]", requirement, maxsplit=1)[0]), set()).update(line.hashes)
    gathered.notes += [f"line {line.number}: {option} is left out" for option in line.others]


def _no_constraint(line: Line) -> str:
    raise UsageError(f"{line.text!r} is no constraint", code="constraint", hint="write it as 'name<2'")


def canonical(text: str, directory: Path, work: Work) -> str | Project:
    """Return a requirement as a requirements file writes it, in canonical form: also a URL that tells its name, and a path.

    Raises:
        UsageError: it is not allowed, or a URL does not tell a name. NotFoundError: the path is not there.
    """
    if _URL.fullmatch(text.partition(" ;")[0].strip()) and "://" in text:
        return rules.parse(_with_name(text))
    if text.lower().endswith(_ARCHIVES) and "@" not in text and os.path.isfile(directory / text):
        text = f"./{text}" if not text.startswith((".", "/", "~")) else text
    elif re.fullmatch(r"\.{1,2}(\[.*\])?", text):  # "." and "..", which have no separator
        text = f"./{text}"
    return rules.parse(text, replace(work.host, cwd=directory))


def _with_name(text: str) -> str:
    """Return "name @ url" for a URL that says what it is a URL of: by `#egg=`, or as a wheel or an sdist does by its name."""
    url, semicolon, marker = text.partition(" ;")
    parts = urlsplit(url.strip())
    egg = dict(parse_qsl(parts.fragment)).get("egg", "")
    file = unquote(parts.path.rpartition("/")[2])
    name = egg
    if not name and file.endswith(".whl"):
        try:
            name = parse_wheel_filename(file)[0]
        except InvalidWheelFilename as error:
            raise UsageError(f"{masked(url)} is no name of a wheel", code="requirement", hint="write 'name @ URL'") from error
    elif not name and file.endswith(_ARCHIVES) and "-" in file:
        name = file.rpartition("-")[0]
    if not name:
        raise UsageError(f"{masked(url)} does not say which package it is", code="requirement", hint=f"write 'name @ {masked(url)}'")
    rest = [part for part in parts.fragment.split("&") if part and not part.startswith("egg=")]
    clean = parts._replace(fragment="&".join(rest)).geturl()
    return f"{name} @ {clean}" + (f" ;{marker}" if semicolon else "")


def _editable(text: str, directory: Path, gathered: Gathered, work: Work) -> str | Project:
    """Return what `-e` asks for. A checkout of a repository is installed as it is, not as an editable one in somebody's directory."""
    if "://" in text and not text.startswith("file:"):
        gathered.notes.append(f"{masked(text)} is installed, not kept as an editable checkout")
        return rules.parse(_with_name(text))
    path = text.removeprefix("file://") if text.startswith("file://") else text
    match = _EXTRAS.fullmatch(path)
    extras = tuple(filter(None, (extra.strip() for extra in match["extras"].split(",")))) if match else ()
    place = Path(os.path.normpath(directory / os.path.expanduser(match["path"] if match else path)))
    return rules.parse(Project(path=place, editable=True, extras=extras), work.host)


def _option(line: Line, directory: Path, gathered: Gathered, work: Work) -> None:
    """Take an option of the whole file.

    Raises:
        UsageError: it says where packages come from in a way that no spec can.
    """
    if line.name in {"index-url", "extra-index-url"}:
        index = rules.checked_location(line.text, "index")
        if line.name == "index-url":
            gathered.indexes.insert(0, index)
        else:
            gathered.indexes[:] = gathered.indexes or ["https://pypi.org/simple"]
            gathered.indexes.append(index)
    elif line.name == "find-links":
        is_url = "://" in line.text
        gathered.find_links.append(
            rules.checked_location(line.text if is_url else str(work.host.path(str(directory / line.text))), "place of wheels")
        )
    elif line.name == "pre":
        gathered.prereleases = True
    elif line.name == "require-hashes":
        gathered.needs_hashes = True
    elif line.name == "no-index":
        raise UsageError(
            "--no-index cannot be said by a spec",
            code="spec-file",
            hint="take it out, and call with offline=True and Sources(find_links=...)",
        )
    else:
        gathered.notes.append(f"line {line.number}: --{line.name} is left out")
