"""pip: its argument lists, and what its dry run says. The same functions as `uv_driver`.

pip is run by the target's interpreter from outside the environment (`pip_store`), so one without pip is served, too.

Source: `pip install --help` of pip 23 to 26; pip's installation report (`--report`).
"""

from __future__ import annotations

import json
import os
import re
from datetime import UTC
from typing import TYPE_CHECKING, Any, cast

from packaging.version import Version

from ..errors import UsageError
from ..system.files import write_atomic
from .configuration import pip_settings
from .environ import neutral
from .request import Command, Planned, Request, Tool, project_text
from .requirements import parse_name, project_name
from .resolution import offline_error

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from ..host import Host
    from ..models.specs import Project
    from ..system.process import Completed

_RAW_PROGRESS = Version("24.1")
_UPLOADED_PRIOR_TO = Version("26.0")
_REPORT, _LOG = "report.json", "pip.log"


def install_commands(tool: Tool, request: Request, host: Host) -> tuple[Command, ...]:
    """Return the commands that do what is asked, in order.

    pip's --force-reinstall would install every dependency anew, too; so what is to be installed anew comes first and alone.
    """
    if request.offline:
        _refuse_remote(request)
    projects = [project_text(project) for project in request.projects if not project.editable]
    editables = [f"--editable={_editable_text(project)}" for project in request.projects if project.editable]
    everything = [*editables, "--", *request.requirements, *projects]
    anew = [project_text(project) for project in request.projects if _passed_over(project_name(project), project.path.name, request)]
    if request.reinstall:
        anew = [*request.requirements, *projects]
    first: tuple[Command, ...] = ()
    if anew and not request.dry_run:
        first = (_install(tool, request, host, ["--force-reinstall", "--no-deps", "--", *anew]),)
        if request.reinstall and not request.dependencies and not editables:
            return first
    options = ["--no-deps"] * (not request.dependencies)
    return (*first, _install(tool, request, host, [*options, *everything]))


def uninstall_command(tool: Tool, request: Request, names: Iterable[str], host: Host) -> Command:
    """Return the command that uninstalls packages."""
    options = ["--break-system-packages"] * request.break_system_packages
    argv = (*tool.argv, *_GLOBAL, "uninstall", "--yes", *options, "--", *names)
    return Command(argv=argv, environ=_environ(request, host))


def outdated_command(tool: Tool, request: Request, host: Host) -> Command:
    """Return the command that lists what has a newer version, as JSON."""
    options = ["--outdated", "--format=json", f"--log={request.scratch / _LOG}", *["--pre"] * request.sources.prereleases]
    if request.sources.exclude_newer is not None:
        options.append(_exclude_newer(request.sources.exclude_newer, tool.version or Version("0")))
    return Command(argv=(*tool.argv, *_GLOBAL, "list", *options, *_origin(request)), environ=_environ(request, host))


def planned(completed: Completed, request: Request) -> tuple[Planned, ...]:
    """Return the changes that a dry run announced, in its order."""
    try:
        document: Any = json.loads((request.scratch / _REPORT).read_text("utf-8"))
    except (OSError, ValueError):
        return ()
    found: list[Planned] = []
    for item in cast("list[Any]", document.get("install", [])):
        metadata = cast("dict[str, Any]", item.get("metadata", {}))
        found.append(Planned(action="add", name=str(metadata.get("name")), version=str(metadata.get("version"))))
    return tuple(found)


def details(request: Request) -> str:
    """Return pip's detailed log of this run, without its times.

    It alone tells an index that cannot be reached from a package that is not there, and holds what a build said.
    """
    try:
        with open(request.scratch / _LOG, encoding="utf-8", errors="replace") as stream:
            return "".join(line for line in (_TIME.sub("", line) for line in stream) if not _NOISE.match(line))
    except OSError:
        return ""


_NOISE = re.compile(
    r" *(?:Found link|Skipping link|Looking up |No cache entry|Updating cache|Current age |Ignoring unknown|Freshness |The response is)"
)
_TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d,\d{3} ")
_GLOBAL = ("--no-input", "--disable-pip-version-check", "--no-color")


def _install(tool: Tool, request: Request, host: Host, arguments: Sequence[str]) -> Command:
    sources, version = request.sources, tool.version or Version("0")
    options = ["--no-user", "--no-compile", f"--log={request.scratch / _LOG}"]
    options.append(f"--progress-bar={'raw' if version >= _RAW_PROGRESS else 'off'}")
    options += ["--break-system-packages"] * request.break_system_packages
    options += ["--dry-run", f"--report={request.scratch / _REPORT}"] * request.dry_run
    options += ["--pre"] * sources.prereleases
    options += ["--upgrade"] * request.upgrade
    options += _origin(request)
    if sources.exclude_newer is not None:
        options.append(_exclude_newer(sources.exclude_newer, version))
    if request.constraints:
        limits = request.scratch / "constraints.txt"
        write_atomic(limits, "".join(f"{line}\n" for line in request.constraints))
        options.append(f"--constraint={limits}")
    return Command(argv=(*tool.argv, *_GLOBAL, "install", *options, *arguments), environ=_environ(request, host))


def _origin(request: Request) -> list[str]:
    """Return the options that name indexes and directories of wheels."""
    sources, options = request.sources, ["--no-index"] * request.offline
    if sources.indexes:
        options += [f"--index-url={sources.indexes[0]}", *(f"--extra-index-url={index}" for index in sources.indexes[1:])]
    return [*options, *(f"--find-links={link}" for link in sources.find_links if not (request.offline and _is_remote(link)))]


def _editable_text(project: Project) -> str:
    """Return an editable project as pip takes one: as a URL, for in a bare path ';' and '#' would end it."""
    return f"{project.path.as_uri()}[{','.join(project.extras)}]" if project.extras else project.path.as_uri()


def _exclude_newer(moment: datetime, version: Version) -> str:
    if version < _UPLOADED_PRIOR_TO:
        raise UsageError(
            f"pip {version} cannot exclude newer packages",
            code="exclude-newer",
            hint="install the extra 'uv', or take a Python for which there is pip 26",
        )
    return f"--uploaded-prior-to={moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _environ(request: Request, host: Host) -> dict[str, str]:
    """Return the variables: pip's files are switched off, what may count of them stands here."""
    settings = pip_settings(host, request.prefix, request.sources)
    if request.offline and (links := settings.pop("find-links", None)):
        settings["find-links"] = " ".join(link for link in links.split() if not _is_remote(link))
    environ = neutral(host.environ) | {f"PIP_{name.upper().replace('-', '_')}": value for name, value in settings.items()}
    return environ | {"PIP_CONFIG_FILE": os.devnull}


def _is_remote(place: str) -> bool:
    return "://" in place and not place.startswith("file:")


def _refuse_remote(request: Request) -> None:
    """Refuse what pip would fetch although it is told to use no index: requirements with a URL.

    Raises:
        NetworkError: there is such a requirement.
    """
    for text in request.requirements:
        name, at, url = text.partition("@")
        if at and _is_remote(url.strip()):
            raise offline_error(parse_name(name.partition("[")[0].strip()))


def _passed_over(name: str | None, file: str, request: Request) -> bool:
    """Say whether pip would pass over a local wheel because its name is installed already, perhaps in the same version."""
    return file.endswith(".whl") and name in request.present
