"""Installing and uninstalling: one request is checked, given to uv or pip, watched, and judged by what the disk says afterwards."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ..errors import DeadlineError, EnvkitError, InstallError, NetworkError, NotFoundError
from ..models.packages import Changes, Package
from ..models.specs import Project, Sources
from ..system.files import delete_renamed, machine_error, write_atomic
from ..system.process import Completed, run_process
from ..system.secrets import masker
from . import pip_driver, uv_driver
from .failures import failure, managed_error
from .installers import choose
from .inventory import distributions, package_of, stamp
from .markers import full_version
from .pip_store import pip_for
from .progress import Phases
from .request import Command, Planned, Request, Tool
from .requirements import checked_location, expand_groups, parse, parse_constraint, parse_name, project_name

if TYPE_CHECKING:
    from ..control import Work
    from ..events import Activity
    from ..host import Host
    from ..models.environment import Environment

_Inventory = Mapping[str, tuple[Package, tuple[int, int]]]
_DRIVERS: dict[str, ModuleType] = {"uv": uv_driver, "pip": pip_driver}


def install_into(
    env: Environment,
    wanted: Iterable[str | Project],
    *,
    sources: Sources,
    constraints: Iterable[str],
    dependencies: bool,
    reinstall: bool,
    upgrade: bool = False,
    fresh: bool = False,
    break_system_packages: bool,
    dry_run: bool,
    work: Work,
    log: Path | None,
    descriptors: Collection[int],
) -> Changes:
    """Install what is wanted; see `envkit.pypi.install`."""
    asked = [parse(requirement, work.host) for requirement in wanted]
    if not asked:
        return Changes()
    with scratch_directory() as scratch:
        before = inventory_of(env, work.host)
        request = Request(
            python=python_of(env),
            prefix=str(env.prefix),
            requirements=tuple(dict.fromkeys(_texts(asked))),
            projects=tuple(dict.fromkeys(project for project in asked if isinstance(project, Project))),
            constraints=tuple(parse_constraint(constraint) for constraint in constraints),
            dependencies=dependencies,
            reinstall=reinstall,
            break_system_packages=break_system_packages,
            dry_run=dry_run,
            sources=checked_sources(sources, work.host),
            offline=work.offline,
            scratch=scratch,
            present=frozenset(before),
            upgrade=upgrade,
            fresh=fresh,
        )
        _refuse_managed(env, break_system_packages or dry_run)
        runner = Runner(env, work, log, descriptors)
        try:
            completed = _install(runner, request)
        except NetworkError as error:
            if request.projects or any(text != "pip" for text in request.requirements):
                raise
            completed = _install_stored_pip(runner, request, error)
        if dry_run:
            return _announced(_DRIVERS[runner.tool.kind].planned(completed, request), before)
        return changes_between(before, inventory_of(env, work.host))


def uninstall_from(
    env: Environment, names: Iterable[str], *, break_system_packages: bool, work: Work, log: Path | None, descriptors: Collection[int]
) -> Changes:
    """Uninstall packages; see `envkit.pypi.uninstall`."""
    before = inventory_of(env, work.host)
    there = [name for name in dict.fromkeys(parse_name(name) for name in names) if name in before]
    if not there:
        return Changes()
    _refuse_managed(env, break_system_packages)
    with scratch_directory() as scratch:
        request = Request(
            python=python_of(env), prefix=str(env.prefix), requirements=(), projects=(), constraints=(), dependencies=False, reinstall=False,
            break_system_packages=break_system_packages, dry_run=False, sources=Sources(), offline=True, scratch=scratch, present=frozenset(before),
        )  # fmt: skip
        runner = Runner(env, work, log, descriptors)
        command = _DRIVERS[runner.tool.kind].uninstall_command(runner.tool, request, there, work.host)
        runner.run(command, request, "remove", f"uninstalling {', '.join(there)}")
        after = inventory_of(env, work.host)
        if left := [name for name in there if name in after and after[name] == before[name]]:
            raise InstallError(
                f"{', '.join(left)} could not be uninstalled",
                code="uninstall-failed",
                package=left[0],
                hint="its RECORD may be gone: repair it",
            )
        return changes_between(before, after)


class Runner:
    """Runs the commands of one installer for one environment and turns what it says into events and errors."""

    def __init__(self, env: Environment, work: Work, log: Path | None, descriptors: Collection[int]) -> None:
        """Choose the installer; `log` is where a failed command's output is kept, `descriptors` go to every child."""
        self.env, self.work, self._log, self._descriptors = env, work, log, descriptors
        self.tool: Tool = choose(env, work)

    def commands(self, request: Request) -> tuple[Command, ...]:
        """Return the commands of an installation, in order."""
        driver: Any = _DRIVERS[self.tool.kind]
        commands: tuple[Command, ...] = driver.install_commands(self.tool, request, self.work.host)
        return commands

    def run(self, command: Command, request: Request, activity: Activity, text: str) -> Completed:
        """Run one command to its end.

        Raises:
            EnvkitError: it failed, typed by what it said; the whole output is kept in the log.
        """
        driver: Any = _DRIVERS[self.tool.kind]
        mask = masker({**self.work.host.environ, **command.environ}, command.texts)
        with Phases(self.work, mask, activity, text) as phases:
            try:
                completed = run_process(
                    command.argv,
                    work=self.work,
                    environ=command.environ,
                    cwd=request.scratch,
                    on_line=phases.line,
                    descriptors=self._descriptors,
                )
            except DeadlineError as error:
                error.output = mask(error.output)
                raise
            if completed.returncode != 0:
                raise self._failure(completed, mask, mask(driver.details(request)), request)
        return completed

    def _failure(self, completed: Completed, mask: Callable[[str], str], details: str, request: Request) -> EnvkitError:
        output = mask(f"{completed.stdout}\n{completed.stderr}")
        error = failure(
            self.tool.kind,
            output,
            details,
            python=full_version(self.env, self.work.host),
            offline=request.offline,
            index_given=bool(request.sources.indexes),
        )
        if isinstance(error, InstallError) and error.package is None and len(request.projects) == 1:
            error.package = project_name(request.projects[0])
        if self._log is not None:
            with suppress(OSError):  # the error itself matters more than its log
                self._log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                write_atomic(self._log, f"{output}\n{details}" if details else output)
                error.log = self._log
        return error


def _install(runner: Runner, request: Request) -> Completed:
    """Run the commands of an installation in order and return the last one's output."""
    commands = runner.commands(request)
    asked = [*request.requirements, *(project.path.name for project in request.projects)]
    return [runner.run(command, request, "resolve", f"resolving {', '.join(asked)}") for command in commands][-1]


def _install_stored_pip(runner: Runner, request: Request, error: NetworkError) -> Completed:
    """Install pip itself from the store, when that is all that is missing and the index cannot be reached.

    Raises:
        NetworkError: the store has none either.
    """
    work = runner.work
    try:
        stored = pip_for(runner.env, work if work.offline else _offline(work))
    except NotFoundError:
        raise error from None
    sources = Sources(find_links=(str(stored.wheel.parent),), configuration="isolated")
    return _install(runner, replace(request, sources=sources, offline=True, requirements=(f"pip=={stored.version}",)))


def _offline(work: Work) -> Work:
    quiet = work.quiet()
    quiet.offline = True
    return quiet


def _texts(asked: Iterable[str | Project]) -> Iterator[str]:
    """Yield the requirements by text: those asked for, and those of the groups of projects."""
    for requirement in asked:
        if isinstance(requirement, str):
            yield requirement
        else:
            yield from expand_groups(requirement)


def checked_sources(sources: Sources, host: Host) -> Sources:
    """Return sources whose places may be handed on, directories of wheels absolute."""
    for index in sources.indexes:
        checked_location(index, "index")
    links = tuple(
        link if "://" in link else str(host.path(link))
        for link in (checked_location(link, "place of wheels") for link in sources.find_links)
    )
    return replace(sources, find_links=links)


def python_of(env: Environment) -> str:
    if env.python is None:
        raise NotFoundError(
            f"{env.prefix} has no Python", code="python-missing", hint="choose an environment that has one, or make it anew"
        )
    return os.path.abspath(env.python)


def _refuse_managed(env: Environment, allowed: bool) -> None:  # noqa: FBT001 - one word says it
    if env.externally_managed and not allowed:
        raise managed_error(str(env))


def inventory_of(env: Environment, host: Host) -> _Inventory:
    return {found.name: (package_of(found, host), stamp(found)) for found in distributions(env, host)}


def changes_between(before: _Inventory, after: _Inventory) -> Changes:
    """Return what differs, each part sorted by name; what was installed anew in the same version counts as updated."""
    return Changes(
        added=tuple(after[name][0] for name in sorted(after.keys() - before.keys())),
        removed=tuple(before[name][0] for name in sorted(before.keys() - after.keys())),
        updated=tuple((before[name][0], after[name][0]) for name in sorted(before.keys() & after.keys()) if before[name] != after[name]),
    )


def _announced(planned: Iterable[Planned], before: _Inventory) -> Changes:
    """Return the changes that a dry run announced."""
    old: dict[str, Package] = {}
    new: dict[str, Package] = {}
    for change in planned:
        name = parse_name(change.name)
        if name in before:
            old[name] = before[name][0]
        if change.action != "remove":
            new[name] = Package(name=name, version=change.version, ecosystem="pypi")
    return Changes(
        added=tuple(new[name] for name in sorted(new.keys() - old.keys())),
        removed=tuple(old[name] for name in sorted(old.keys() - new.keys())),
        updated=tuple((old[name], new[name]) for name in sorted(old.keys() & new.keys())),
    )


@contextmanager
def scratch_directory() -> Generator[Path, None, None]:
    """Make an empty private directory: the working directory of the tool, where nothing of a stranger's can be found."""
    try:
        path = Path(tempfile.mkdtemp(prefix="envkit-"))
    except OSError as error:
        raise machine_error(error, Path(tempfile.gettempdir())) from error
    try:
        yield path
    finally:
        with suppress(OSError):
            delete_renamed(path)
