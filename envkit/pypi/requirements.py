"""What may be asked of PyPI: every requirement passes here before it comes near an installer's argument list.

An installer takes a text that begins with `-` as an option, expands `${VAR}` in URLs, and hands the revision of a VCS URL to git.
So only what `packaging` parses is let through, in canonical form; paths become `Project` values, absolute.

Source: dependency specifiers (PEP 508), PEP 735 (dependency groups); CVE-2023-5752 for revisions that are options.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidName, canonicalize_name

from ..errors import CorruptError, NotFoundError, UsageError
from ..formats.dist_info import normalized
from ..models.specs import Project
from ..system.secrets import credentials_in, masked

if TYPE_CHECKING:
    from ..host import Host
    from ..models.requirement import Req

_URL = re.compile(r"^[A-Za-z][A-Za-z0-9+.\-]+://")
_EXTRAS = re.compile(r"^(?P<path>.+?)\[(?P<extras>[A-Za-z0-9._\-,\s]*)\]$")
_ARCHIVES = (".whl", ".tar.gz", ".zip", ".tar.bz2", ".tar.xz", ".tgz")
_CREDENTIALS_HINT = "give credentials by keyring, .netrc or the variables of pip and uv, and the URL without them"


def parse(requirement: Req, host: Host | None = None) -> str | Project:
    """Return a requirement in its canonical form: text for what an index or a URL gives, a `Project` for what lies on this machine.

    Args:
        requirement: a requirement ("rich>=13", "httpx[http2]", "x @ https://..."), a path to a wheel, an sdist or a project, or a
            `Project`. A text with a separator or a leading `.` or `~` that is no requirement is a path; "./project[extra]" too.
        host: whose working directory relative paths are taken from; None is this machine.

    Raises:
        UsageError: it is not allowed. NotFoundError: the path is not there.
    """
    if isinstance(requirement, Project):
        return _project(requirement, host)
    if isinstance(requirement, Requirement):
        return _canonical(requirement, str(requirement))
    if isinstance(requirement, os.PathLike):
        return _project(Project(path=Path(os.fspath(requirement))), host)
    if not isinstance(requirement, str):  # pyright: ignore[reportUnnecessaryIsInstance] - callers without a checker
        raise TypeError(f"a requirement is text, a path, a Requirement or a Project, not {type(requirement).__name__}")
    text = requirement.strip()
    _refuse_control(text, requirement)
    if not text or text.startswith("-"):
        raise UsageError(
            f"{requirement!r} is no requirement", code="requirement", hint="write it as 'name' or 'name>=1.2'; options are not taken"
        )
    try:
        parsed = Requirement(text)
    except InvalidRequirement as error:
        return _path(text, error, host)
    if parsed.url is None and parsed.name.lower().endswith(_ARCHIVES):
        raise UsageError(
            f"{text!r} names a file, not a package", code="requirement", hint=f"write './{text}' for a file in the working directory"
        )
    return _canonical(parsed, text)


def parse_constraint(constraint: str) -> str:
    """Return a constraint in its canonical form: a requirement by name, without extras.

    Raises:
        UsageError: it is not allowed.
    """
    parsed = parse(constraint)
    if isinstance(parsed, Project) or Requirement(parsed).extras:
        raise UsageError(f"{constraint!r} is no constraint", code="constraint", hint="write it as 'name<2', without extras")
    return parsed


def parse_name(name: str) -> str:
    """Return the normalized name of a package.

    Raises:
        UsageError: it is none.
    """
    try:
        return canonicalize_name(name, validate=True)
    except InvalidName as error:
        raise UsageError(
            f"{masked(name)!r} is no name of a package", code="name", hint="give the names of packages, without versions"
        ) from error


def checked_location(location: str, what: str) -> str:
    """Return the URL or directory of an index or of wheels if it may be handed on.

    Raises:
        UsageError: it holds credentials or control characters, or looks like an option.
    """
    _refuse_control(location, location)
    if credentials_in(location):
        raise UsageError(f"the {what} {masked(location)} holds credentials", code="credentials", hint=_CREDENTIALS_HINT)
    if not location or location.startswith("-") or "${" in location or any(character.isspace() for character in location):
        raise UsageError(f"{location!r} is no {what}", code="source", hint="give a URL, or a directory whose path has no blanks")
    return location


def expand_groups(project: Project) -> tuple[str, ...]:
    """Return the requirements of a project's dependency groups that were asked for, canonical, in the order of the file.

    Raises:
        UsageError: there is no such group, or one includes itself. CorruptError: pyproject.toml cannot be read.
    """
    if not project.groups:
        return ()
    path = project.path / "pyproject.toml"
    table = _table(read_pyproject(path).get("dependency-groups"))
    groups = {normalized(name): value for name, value in table.items()}
    found: dict[str, None] = {}
    for group in project.groups:
        found.update(dict.fromkeys(_group(groups, normalized(group), path, ())))
    return tuple(found)


def project_name(project: Project) -> str | None:
    """Return the normalized name of a local project, wheel or sdist, as far as its files say it without running anything."""
    name = project.path.name
    if name.endswith(_ARCHIVES):
        stem, dash, _ = name.partition("-") if name.endswith(".whl") else name.rpartition("-")
        return normalized(stem) if dash else None
    try:
        declared = _table(read_pyproject(project.path / "pyproject.toml").get("project")).get("name")
    except CorruptError:
        return None
    return normalized(declared) if isinstance(declared, str) else None


def read_pyproject(path: Path) -> dict[str, Any]:
    """Return a pyproject.toml; an empty mapping where there is none.

    Raises:
        CorruptError: it is there and cannot be read.
    """
    import tomllib  # noqa: PLC0415 - read for local projects only

    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise CorruptError(f"{path} cannot be read: {error}", path=path, hint="mend the file") from error


def _refuse_control(text: str, shown: str) -> None:
    if not all(character.isprintable() or character == "\t" for character in text):
        raise UsageError(
            f"the requirement {masked(shown)!r} holds a line break or another control character",
            code="requirement",
            hint="give one requirement per text",
        )


def _canonical(requirement: Requirement, shown: str) -> str:
    """Return the text of a requirement that is allowed, its name and extras normalized."""
    if url := requirement.url:
        _check_url(url, shown)
    requirement.name = parse_name(requirement.name)  # packaging lets "a_" through, which is no name
    requirement.extras = {parse_name(extra) for extra in requirement.extras}
    return str(requirement)


def _check_url(url: str, shown: str) -> None:
    shown = masked(shown)
    if not url.isprintable() or "${" in url:
        raise UsageError(f"the URL of {shown!r} is not allowed", code="requirement", hint="write the URL out, without variables")
    if not _URL.match(url) and not url.startswith("file:"):
        raise UsageError(f"{shown!r} has no URL after '@'", code="requirement", hint="write 'name @ https://...', or give the path itself")
    if credentials_in(url):
        raise UsageError(f"the URL of {shown!r} holds credentials", code="credentials", hint=_CREDENTIALS_HINT)
    location = url.partition("://")[2].partition("#")[0]
    host, _, path = location.partition("/")
    revision = path.rpartition("@")[2] if "@" in path else ""
    if revision.startswith("-") or host.startswith("-"):
        raise UsageError(
            f"{shown!r} has a revision or a host that begins with '-'", code="requirement", hint="name a branch, a tag or a commit"
        )


def _path(text: str, error: InvalidRequirement, host: Host | None) -> Project:
    """Return the project at a text that is no requirement, if it is a path."""
    if _URL.match(text):
        if credentials_in(text):
            raise UsageError(f"{masked(text)!r} holds credentials", code="credentials", hint=_CREDENTIALS_HINT)
        raise UsageError(f"{text!r} is a URL without a name", code="requirement", hint=f"write 'name @ {text}'") from error
    looks_like_path = text.startswith((".", "~")) or "/" in text or (os.sep != "/" and os.sep in text)
    if not looks_like_path or " @ " in text:
        said = masked(str(error)).split("\n", 1)[0]
        raise UsageError(
            f"{masked(text)!r} is no requirement: {said}", code="requirement", hint="write it as 'name' or 'name>=1.2'"
        ) from error
    match = _EXTRAS.match(text)
    if match is None or os.path.lexists(_absolute(text, host)):
        return _project(Project(path=Path(text)), host)
    extras = tuple(filter(None, (extra.strip() for extra in match["extras"].split(","))))
    return _project(Project(path=Path(match["path"]), extras=extras), host)


def _absolute(text: str, host: Host | None) -> Path:
    if host is not None:
        return Path(os.path.abspath(host.path(text)))
    return Path(os.path.abspath(os.path.expanduser(text)))


def _project(project: Project, host: Host | None) -> Project:
    """Return a project with an absolute path to a wheel, an sdist or a directory that can be installed."""
    text = str(project.path)
    _refuse_control(text, text)
    path = _absolute(text, host)
    if "[" in path.name or "]" in path.name or "${" in str(path):
        raise UsageError(
            f"{path} has a name that installers take for something else", code="path", hint="rename it, without brackets and '${'"
        )
    if not path.exists():
        raise NotFoundError(
            f"{path} is not there", code="path-not-found", hint="check the path; for a package at an index give its name alone"
        )
    if path.is_file() and not path.name.endswith(_ARCHIVES):
        raise UsageError(
            f"{path} is neither a wheel nor an sdist nor a directory", code="path", hint="give a .whl, a .tar.gz or a project's directory"
        )
    if path.is_file() and (project.editable or project.groups):
        raise UsageError(f"{path} is a file: it cannot be editable and has no groups", code="path", hint="give the project's directory")
    if path.is_dir() and not any((path / name).is_file() for name in ("pyproject.toml", "setup.py")):
        raise UsageError(
            f"{path} is no project: it has neither pyproject.toml nor setup.py", code="path", hint="give the directory of a project"
        )
    extras = tuple(dict.fromkeys(parse_name(extra) for extra in project.extras))
    return Project(path=path, editable=project.editable, extras=extras, groups=project.groups)


def _group(groups: dict[str, Any], name: str, path: Path, above: tuple[str, ...]) -> Iterable[str]:
    """Yield the requirements of one group, with those it includes."""
    if name in above:
        raise UsageError(f"the dependency group {name!r} of {path} includes itself", code="group", hint="mend the file")
    if not isinstance(groups.get(name), list):
        known = ", ".join(sorted(groups)) or "none"
        raise UsageError(f"{path} has no dependency group {name!r}", code="group", hint=f"its groups: {known}")
    for item in cast("list[Any]", groups[name]):
        if isinstance(item, str):
            parsed = parse(item)
            if isinstance(parsed, Project):
                raise UsageError(
                    f"the group {name!r} of {path} holds the path {item!r}", code="group", hint="groups hold requirements by name"
                )
            yield parsed
        elif isinstance(included := _table(item).get("include-group"), str):
            yield from _group(groups, normalized(included), path, (*above, name))
        else:
            raise UsageError(
                f"the group {name!r} of {path} holds {item!r}", code="group", hint="groups hold requirements and include-group"
            )


def _table(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
