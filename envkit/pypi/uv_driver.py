"""uv: its argument lists, and what its dry run says. The same functions as `pip_driver`.

Source: `uv pip install --help` of uv 0.8 to 0.13. Its lines ` + name==version` are read, not its JSON: they have been the same
in all versions, the JSON's schema calls itself a preview.
"""

from __future__ import annotations

import re
from datetime import UTC
from typing import TYPE_CHECKING

from ..models.mapping import EMPTY
from ..system.files import write_atomic
from .configuration import pip_settings
from .environ import neutral, uv_own
from .request import Command, Planned, Request, Tool, project_text
from .requirements import project_name
from .uv_configuration import uv_environ, uv_settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..host import Host
    from ..system.process import Completed

_CHANGE = re.compile(r"^ (?P<sign>[+\-~]) (?P<name>[A-Za-z0-9][A-Za-z0-9._\-]*)(?:==(?P<version>\S+))?", re.MULTILINE)
_ACTIONS = {"+": "add", "-": "remove", "~": "again"}


def install_commands(tool: Tool, request: Request, host: Host) -> tuple[Command, ...]:
    """Return the one command that does what is asked."""
    sources = request.sources
    options = ["install", *_common(request)]
    configured, environ, text = _configured(request, host)
    options += configured
    options += ["--offline"] * request.offline
    options += ["--dry-run"] * request.dry_run
    options += ["--no-deps"] * (not request.dependencies)
    options += ["--prerelease=allow"] * sources.prereleases
    options += _origin(request)
    if request.constraints:
        limits = request.scratch / "constraints.txt"
        write_atomic(limits, "".join(f"{line}\n" for line in request.constraints))
        options.append(f"--constraint={limits}")
    options += _reinstall(request)
    options += ["--no-cache"] * request.fresh  # uv links files from its cache: who edited one in an environment edited it there, too
    if request.upgrade:  # not --upgrade: that would upgrade what is needed only, too
        options += [f"--upgrade-package={name}" for name in sorted(set(map(_named, request.requirements)))]
    options += [f"--editable={project_text(project)}" for project in request.projects if project.editable]
    texts = [*request.requirements, *(project_text(project) for project in request.projects if not project.editable)]
    return (Command(argv=(*tool.argv, "pip", *options, "--", *texts), environ=environ, texts=(text,)),)


def uninstall_command(tool: Tool, request: Request, names: Iterable[str], host: Host) -> Command:
    """Return the command that uninstalls packages."""
    options = ["uninstall", *_common(request), "--no-config"]
    environ = neutral(host.environ) | uv_own(host.environ, isolated=True, indexes=False)
    return Command(argv=(*tool.argv, "pip", *options, "--", *names), environ=environ)


def outdated_command(tool: Tool, request: Request, host: Host) -> Command:
    """Return the command that lists what has a newer version, as JSON."""
    sources = request.sources
    configured, environ, text = _configured(request, host, {"prerelease": "allow"} if sources.prereleases else {})
    options = ["--outdated", "--format=json", *_common(request), *configured, *["--offline"] * request.offline]
    return Command(argv=(*tool.argv, "pip", "list", *options, *_origin(request)), environ=environ, texts=(text,))


def planned(completed: Completed, request: Request) -> tuple[Planned, ...]:
    """Return the changes that a dry run announced, in its order."""
    found: list[Planned] = []
    for match in _CHANGE.finditer(completed.stderr + completed.stdout):
        action = _ACTIONS[match["sign"]]
        found.append(Planned(action=action, name=match["name"], version=match["version"] or ""))  # type: ignore[arg-type]
    return tuple(found)


def details(request: Request) -> str:
    """Return more that the tool wrote about what it did: nothing, uv says all on its standard error."""
    return ""


def _origin(request: Request) -> list[str]:
    """Return the options that name indexes and the newest moment that counts."""
    sources, options = request.sources, list[str]()
    if sources.indexes:
        options += [f"--default-index={sources.indexes[0]}", *(f"--index={index}" for index in sources.indexes[1:])]
    if sources.exclude_newer is not None:
        options.append(f"--exclude-newer={sources.exclude_newer.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}")
    return options


def _named(text: str) -> str:
    """Return the name that a requirement begins with."""
    return re.split(r"[^A-Za-z0-9._\-]", text, maxsplit=1)[0]


def _common(request: Request) -> list[str]:
    options = ["--python", request.python, "--no-progress", "--color", "never", "--no-python-downloads"]
    return [*options, "--break-system-packages"] if request.break_system_packages else options


def _configured(request: Request, host: Host, more: Mapping[str, str] = EMPTY) -> tuple[list[str], dict[str, str], str]:
    """Return the options and variables that say where packages come from, and the text of uv.toml in the scratch directory.

    Args:
        more: what no option says: goes into that file as well.
    """
    pip = pip_settings(host, request.prefix, request.sources)
    settings = {**uv_settings(host, request.sources), **more}
    environ = neutral(host.environ) | uv_environ(host, request.sources, settings, pip)
    options, text = ["--no-config"], ""
    if settings:
        import tomli_w  # noqa: PLC0415 - only where uv is configured by a file

        path, text = request.scratch / "uv.toml", tomli_w.dumps(settings)
        write_atomic(path, text)
        options = [f"--config-file={path}"]
    if "no-index" in pip:
        options.append("--no-index")
    return options, environ, text


def _reinstall(request: Request) -> list[str]:
    """Return the options that install anew what is asked for: local projects always, all the rest on demand.

    A project whose name its files do not tell makes uv reinstall everything that is asked for and needed: right, if slow.
    """
    names = {project_name(project) for project in request.projects}
    if request.reinstall:
        names |= set(map(_named, request.requirements))
    if None in names:
        return ["--reinstall"]
    return [f"--reinstall-package={name}" for name in sorted(filter(None, names))]
