"""What a locator, a backend and a package manager are: modules whose functions and constants fill one of these.

A plug-in is an entry point that names such a module (`envkit.locators`, `envkit.backends`, `envkit.package_managers`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from .control import Work
    from .host import Host
    from .models.activation import Activation
    from .models.environment import Environment, Problem
    from .models.packages import Changes, Outdated, Package
    from .models.specs import Project, Sources, Spec
    from .system.look import Look


class Locator(Protocol):
    """Knows one way environments come to be. Reads directories and files, starts no process, raises nothing for a bad candidate."""

    @property
    def NAME(self) -> str:
        """Its name in reports and in the table: "venv", "pyenv", ..."""
        ...

    @property
    def KINDS(self) -> frozenset[str]:
        """The kinds that its candidates can be."""
        ...

    def candidates(self, look: Look, roots: tuple[str, ...]) -> Iterator[str]:
        """Yield paths of prefixes or executables that may be environments, by listing directories only.

        `roots` are directories that the caller named, and those below them in which something may be: they are to be looked into, too.
        """
        ...

    def identify(self, look: Look, candidate: str) -> Environment | None:
        """Return the environment that a path (executable or prefix) belongs to, if it is of this locator's way; else None.

        Asked for every candidate, whoever named it: the first locator of the table that answers is believed.
        """
        ...


class Backend(Protocol):
    """Makes, recognizes and activates one kind of environment. It never searches for a Python: its base is passed in."""

    @property
    def NAME(self) -> str:
        """Its name in `Spec.backend`."""
        ...

    @property
    def KIND(self) -> str:
        """The kind of what it makes."""
        ...

    def build(self, prefix: Path, *, spec: Spec, base: Environment | None, work: Work, descriptors: Collection[int] = ()) -> None:
        """Make the environment at `prefix`, an existing directory that holds nothing but envkit's own marks."""
        ...

    def strangers(self, prefix: Path, host: Host) -> tuple[str, ...] | None:
        """Return the names at the top of `prefix` that no environment of this kind has; None if it is no such environment at all."""
        ...

    def activation(self, env: Environment, host: Host) -> Activation:
        """Return what activating it changes."""
        ...


class PackageManager(Protocol):
    """Lists and changes the packages of one ecosystem in an environment."""

    @property
    def NAME(self) -> str:
        """Its name."""
        ...

    @property
    def ECOSYSTEM(self) -> str:
        """ "pypi" or "conda"."""
        ...

    def installed(self, env: Environment, host: Host) -> tuple[Package, ...]:
        """Return what is installed, sorted by name, by reading files."""
        ...

    def unsatisfied(self, env: Environment, wanted: Iterable[str | Project], host: Host) -> tuple[str | Project, ...]:
        """Return those of the wanted requirements that what is installed does not satisfy, in their order, by reading files."""
        ...

    def broken(self, env: Environment, host: Host) -> tuple[Problem, ...]:
        """Return a problem for each package of which files are missing; `subject` is the package's name."""
        ...

    def altered(self, env: Environment, work: Work) -> tuple[Problem, ...]:
        """Return a problem for each package of which a file has another content than was recorded; reads every file."""
        ...

    def conflicts(self, env: Environment, host: Host) -> tuple[Problem, ...]:
        """Return a problem for each requirement of a package that is missing or does not fit; `subject` is who asks."""
        ...

    def locks_itself(self, host: Host) -> bool:
        """Say whether the tool that changes packages takes the lock file inside the environment, so that it must be free then."""
        ...

    def install(
        self,
        env: Environment,
        wanted: Iterable[str | Project],
        *,
        sources: Sources,
        channels: Iterable[str] = (),
        constraints: Iterable[str] = (),
        dependencies: bool = True,
        reinstall: bool = False,
        upgrade: bool = False,
        break_system_packages: bool = False,
        dry_run: bool = False,
        work: Work,
        log: Path | None = None,
        descriptors: Collection[int] = (),
    ) -> Changes:
        """Install what is wanted and return what changed; with `dry_run` what would change, with `upgrade` the newest that fits.

        `channels` is where conda packages come from; an ecosystem without channels passes over it. `log` is where the tool's whole
        output is kept when it fails; `descriptors` are handed to each child process.
        """
        ...

    def outdated(self, env: Environment, *, sources: Sources, channels: Iterable[str] = (), work: Work) -> tuple[Outdated, ...]:
        """Return the installed packages for which there is a newer version, sorted by name."""
        ...

    def uninstall(
        self,
        env: Environment,
        names: Iterable[str],
        *,
        break_system_packages: bool = False,
        dry_run: bool = False,
        work: Work,
        log: Path | None = None,
        descriptors: Collection[int] = (),
    ) -> Changes:
        """Uninstall packages and return what changed, with `dry_run` what would; a name that is not installed is no change."""
        ...
