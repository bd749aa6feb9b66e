"""What a driver is told and what it gives back: the words between `transaction` and the two drivers, uv and pip."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from packaging.version import Version

from ..models.specs import Project, Sources
from .requirements import project_name

Kind = Literal["uv", "pip"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """An installer that was found: how its argv begins. `version` is None where it was not asked (uv)."""

    kind: Kind
    argv: tuple[str, ...]
    version: Version | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One installation. `scratch` is an empty private directory: the working directory of the tool, and its files.

    `present` are the names installed before; `prefix` is the environment's directory, where pip may have a configuration too.
    `upgrade` asks for the newest version that fits, also where one that fits is installed. `fresh` takes nothing unpacked from the
    installer's cache, whose files may be those of the environment.
    """

    python: str
    prefix: str
    requirements: tuple[str, ...]
    projects: tuple[Project, ...]
    constraints: tuple[str, ...]
    dependencies: bool
    reinstall: bool
    break_system_packages: bool
    dry_run: bool
    sources: Sources
    offline: bool
    scratch: Path
    present: frozenset[str]
    upgrade: bool = False
    fresh: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One child process. `texts` are those of configuration files made for it: they may hold secrets, to be masked in what it says."""

    argv: tuple[str, ...]
    environ: Mapping[str, str]
    texts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One change that a dry run announces. `version` is "" where the tool names only the place it comes from."""

    action: Literal["add", "remove", "again"]
    name: str
    version: str


def project_text(project: Project) -> str:
    """Return a project as pip and uv take one: "name[extras] @ file:///..." where its files tell the name, else its path.

    The URL says whatever a path may hold; in a bare path both take ';' and '#' for the end of it.
    """
    name = project_name(project)
    extras = f"[{','.join(project.extras)}]" if project.extras else ""
    return f"{name}{extras} @ {project.path.as_uri()}" if name else f"{project.path}{extras}"
