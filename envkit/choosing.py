"""Which environment a project, a directory or a script uses, and why; and the choice that somebody made for it.

What was said comes before what merely lies there, as in VS Code's Python extensions:

1. what `select` recorded for it, or for the nearest directory above it;
2. VS Code's own choice, in the nearest `.vscode/settings.json` that makes one: `python-envs.pythonProjects`,
   `python-envs.defaultEnvManager`, `python.defaultInterpreterPath`;
3. for a script with a block of its own (PEP 723), that alone;
4. of the directory, then of each above it: `.venv`, then the environment that Poetry, Pipenv, Hatch, PDM, uv or pixi keeps for it;
5. the nearest `.python-version`;
6. the newest global Python, of those that the project's `requires-python` allows.

A choice that cannot be followed is passed over, and the reason of what was taken instead says so. Nothing is run, and nothing above
a directory that everybody may write in is read: who can write to `/tmp` decides nothing.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from . import plugins, records
from .control import Work
from .discovery import pointers, requests, search, selection
from .environments import resolved
from .errors import EnvkitError, MachineError, NotFoundError
from .formats import script_block, settings_json
from .models.looks import Selection
from .system import files, locks
from .system.look import Look

if TYPE_CHECKING:
    from .host import Host
    from .models.aliases import Env, StrPath
    from .models.environment import Environment

_STATE: Final = "selected.json"
_LIMIT: Final = 16 * 1024 * 1024  # bytes; a larger file is none of ours
_TOOLS: Final = ("poetry", "pipenv", "hatch", "pdm", "uv", "pixi", "rye")


def selected(project: StrPath, *, host: Host | None = None) -> Selection | None:
    """Return the environment that a project uses, and why; None when there is no Python at all. Reads files, starts no process.

    Args:
        project: a directory, or a file in one, such as a script.
        host: the outside world; None is this machine.

    Returns:
        What was chosen with `select`, else what the project's own files and tools say, else the newest Python that will do. It may
        be broken: then its `problem` says how.

    Raises:
        NotFoundError: there is no such file or directory.

    Example:
        >>> import envkit
        >>> chosen = envkit.selected(".")
        >>> chosen is None or bool(chosen.reason)
        True
    """
    work = Work(host=host)
    place = records.absolute(project, work.host)
    if not place.exists():
        raise NotFoundError(f"{place} does not exist", code="project-not-found", hint="name a directory, or a file in one")
    return _Choosing(place, work).selection()


def select(project: StrPath, env: Env | None, *, host: Host | None = None) -> None:
    """Record which environment a project, a directory or a script uses; with None, forget what was recorded.

    The choice is kept in envkit's own data, so the project's files stay as they are, and it holds for whatever lies in the
    directory as well.

    Raises:
        NotFoundError: there is no such project or environment. MachineError: the choice cannot be written.

    Example:
        >>> import envkit, sys, tempfile
        >>> with tempfile.TemporaryDirectory() as project:
        ...     envkit.select(project, sys.executable)
        ...     str(envkit.selected(project).environment.python) == sys.executable
        ...     envkit.select(project, None)
        True
    """
    work = Work(host=host)
    place = records.absolute(project, work.host)
    if env is not None and not place.exists():
        raise NotFoundError(f"{place} does not exist", code="project-not-found", hint="name a directory, or a file in one")
    chosen = None if env is None else resolved(env, work).id
    path = work.host.data / _STATE
    files.private_directory(path.parent)
    lock = locks.acquire(files.private_directory(work.host.data / "locks") / "selected.lock", what=str(path), work=work)
    try:
        choices = {key: value for key, value in _choices(work.host).items() if key != os.path.realpath(place)}
        if chosen is not None:
            choices[os.path.realpath(place)] = chosen
        files.write_atomic(path, json.dumps({"version": 1, "choices": choices}, indent=1, sort_keys=True))
    except OSError as error:
        raise files.machine_error(error, path) from error
    finally:
        lock.release()


def _choices(host: Host) -> dict[str, str]:
    """Return what was recorded: the real path of a project, and the executable or prefix chosen for it.

    Raises:
        MachineError: the record is there but cannot be read; it is not taken for an empty one, which would be written over it.
    """
    path = host.data / _STATE
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise MachineError(f"cannot read {path}: {error.strerror}", code="no-permission", hint="look at its permissions") from error
    with open(descriptor, "rb") as stream:
        data = stream.read(_LIMIT)
    with suppress(ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {str(key): str(value) for key, value in json.loads(data)["choices"].items()}
    return {}  # damaged beyond reading: there is nothing left in it to lose


class _Choosing:
    """One question: the place it is about, what is above it, and what could not be followed."""

    def __init__(self, place: Path, work: Work) -> None:
        self.place = place
        self.work = work
        self.look = Look(work.host)
        self.directory = place if place.is_dir() else place.parent
        self.passed: list[str] = []

    def selection(self) -> Selection | None:
        """Return the first answer, in the order of this module's page."""
        steps: tuple[Callable[[], Selection | None], ...] = (self._chosen, self._of_settings, self._of_script, self._beside, self._pinned)
        for step in steps:
            if (found := step()) is not None:
                return found
        return self._newest("the newest Python of this machine")

    def _because(self, environment: Environment, reason: str) -> Selection:
        """Return the answer; its reason names what could not be followed on the way to it."""
        return Selection(environment=environment, reason="; ".join((reason, *self.passed)))

    def _at(self, path: Path | str) -> Environment | None:
        try:
            return resolved(Path(path), self.work)
        except EnvkitError:
            return None

    @cached_property
    def directories(self) -> tuple[str, ...]:
        """The directory, then those above it: not the home, not the root, and nothing above what everybody may write in."""
        found, ends = [str(self.directory)], {str(self.work.host.home), str(self.work.host.root)}
        for above in map(str, self.directory.parents):
            status = self.look.status(above)
            if above in ends or found[-1] in ends or status is None or (os.name != "nt" and status.st_mode & stat.S_IWOTH):
                break
            found.append(above)
        return tuple(found)

    @cached_property
    def everything(self) -> tuple[Environment, ...]:
        """What is on this machine, and what tools keep elsewhere for this project, as if one stood in it: no walk below it is needed."""
        inside = Work(host=replace(self.work.host, cwd=self.directory))
        return tuple(search.search(inside, table=plugins.locators(inside.host)))

    def _chosen(self) -> Selection | None:
        choices = _choices(self.work.host)
        for path in (str(self.place), *self.directories) if choices else ():
            if (chosen := choices.get(os.path.realpath(path))) is None:
                continue
            if (found := self._at(chosen)) is not None:
                return self._because(found, f"chosen with select() for {path}")
            self.passed.append(f"{chosen}, chosen with select() for {path}, is gone")
        return None

    def _of_settings(self) -> Selection | None:
        for folder in self.directories:
            path = os.path.join(folder, settings_json.NAME)
            if (text := self.look.text(path, settings_json.LIMIT)) is None:
                continue
            settings = settings_json.load(text)
            answers = (self._of_projects(folder, settings), self._of_manager(folder, settings.manager), self._of_path(folder, settings))
            names = ("python-envs.pythonProjects", "python-envs.defaultEnvManager", "python.defaultInterpreterPath")
            said = (bool(settings.projects), settings.manager is not None, settings.interpreter is not None)
            for name, asked, answer in zip(names, said, answers, strict=True):
                if asked and (found := answer()) is not None:
                    return self._because(found, f"{name} in {path}")
                if asked and name != names[0]:
                    self.passed.append(f"{name} in {path} leads to no environment")
        return None

    def _of_projects(self, folder: str, settings: settings_json.PythonSettings) -> Callable[[], Environment | None]:
        """Return what asks the manager of the innermost project that holds the place."""
        own = [(os.path.normpath(os.path.join(folder, path)), manager) for path, manager in settings.projects]
        holding = [entry for entry in own if self.directory.is_relative_to(entry[0])]
        directory, manager = max(holding, key=lambda entry: len(entry[0]), default=(folder, None))
        return self._of_manager(directory, manager)

    def _of_manager(self, directory: str, manager: str | None) -> Callable[[], Environment | None]:
        """Return what asks one of the extension's managers for a directory's environment."""

        def ask() -> Environment | None:
            if manager == "venv":
                return pointers.beside(self.look, directory, self._at)
            if manager in {"system", "pyenv"}:
                own = None if manager == "system" else self._pinned()
                return own.environment if own else self._global(None, () if manager == "system" else ("pyenv",))
            if manager == "conda":
                return self._at(inside) if os.path.isdir(inside := os.path.join(directory, ".conda")) else self._kept(directory, "conda")
            return None if manager is None else self._kept(directory, manager)

        return ask

    def _of_path(self, folder: str, settings: settings_json.PythonSettings) -> Callable[[], Environment | None]:
        """Return what looks at the interpreter or environment that a folder's settings name."""
        host = self.work.host
        variables = {
            **{f"env:{name}": value for name, value in host.environ.items()},
            **dict.fromkeys(("workspaceFolder", f"workspaceFolder:{os.path.basename(folder)}", "workspaceRoot", "pythonProject"), folder),
            "userHome": str(host.home),
            "cwd": folder,
            "pathSeparator": os.sep,
            "/": os.sep,
        }

        def ask() -> Environment | None:
            text = settings_json.substituted(settings.interpreter or "", variables)
            return None if not text else self._at(pointers.named(text, folder, host))

        return ask

    def _of_script(self) -> Selection | None:
        text = None if self.place.is_dir() else self.look.data(str(self.place), script_block.LIMIT)
        block = None if text is None else script_block.load(text.decode("utf-8", "replace"))
        if block is None:
            return None
        own = pointers.of_script(self.look, str(self.place))
        if own is not None and (kept := self._at(own)) is not None:
            return self._because(kept, f"the environment that uv keeps for the script {self.place} (PEP 723)")
        stated = script_block.requires_python(block)
        request = None if stated is None else requests.parse(stated)
        asked = f"Python {stated}" if stated else "no Python by name"
        found = self._global(request)
        return None if found is None else self._because(found, f"the newest that will do; the script asks for {asked} (PEP 723)")

    def _beside(self) -> Selection | None:
        for directory in self.directories:
            if (found := pointers.beside(self.look, directory, self._at)) is not None:
                return self._because(found, f"{os.path.join(directory, pointers.BESIDE)} of the project")
            for tool in _TOOLS:
                if (found := self._kept(directory, tool)) is not None:
                    return self._because(found, f"the environment that {tool} keeps for {directory}")
        return None

    def _kept(self, directory: str, manager: str) -> Environment | None:
        """Return the environment that a tool keeps for a project; of several the one that the tool itself would take."""
        kept = [env for env in self.everything if env.manager == manager and env.project == Path(directory)]
        return pointers.preferred(self.look, kept)

    def _pinned(self) -> Selection | None:
        for directory in dict.fromkeys((*self.directories, *map(str, self.directory.parents))):
            path = os.path.join(directory, pointers.PINNED)
            for name in pointers.pins(self.look, path):
                own = next((env for env in self.everything if env.manager == "pyenv" and env.name == name), None)
                request = requests.parse(name)
                found = own or (self._global(request) if request is not None else None)
                if found is not None:
                    return self._because(found, f"{path} asks for {name}")
                self.passed.append(f"{path} asks for {name}, which is not there")
            if os.path.isfile(path):
                return None
        return None

    def _newest(self, reason: str) -> Selection | None:
        for path in (os.path.join(directory, "pyproject.toml") for directory in self.directories):
            if (stated := pointers.requires_python(self.look, path)) is not None:
                found = self._global(requests.parse(stated))
                return None if found is None else self._because(found, f"{reason} that {path} allows ({stated})")
        found = self._global(None)
        return None if found is None else self._because(found, reason)

    def _global(self, request: requests.Request | None, managers: tuple[str, ...] = ()) -> Environment | None:
        return selection.best(self._installations(managers), request)

    def _installations(self, managers: tuple[str, ...]) -> Iterator[Environment]:
        return (env for env in self.everything if env.kind == "interpreter" and (not managers or env.manager in managers))
