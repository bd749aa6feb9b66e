"""conda, mamba or micromamba as the engine: for whose site demands it, or where py-rattler is not installed.

Driven with `--json`, without a shell. What they do is read from `conda-meta` afterwards, what they would do from what they say. Each
change is a transaction of the tool; a wish that removes, installs and updates is as many transactions, in this order. Removals with
all that needs what goes, and what nothing needs any more, are found out here, so that all engines remove the same.

Left to the tool: what condarc says of mirrors, proxies, certificates, pinned packages and package caches, which it reads itself.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..errors import EnvkitError
from ..formats.conda_url import package_file
from ..system.files import write_atomic
from ..system.process import run_process
from ..system.secrets import masker
from . import (
    bookkeeping,
    command_create,
    command_environ,
    command_failures,
    command_lines,
    command_output,
    command_plans,
    command_records,
    staging,
)
from .command_lines import Step, Tool
from .request import Linked, Outcome

if TYPE_CHECKING:
    from ..control import Task, Work
    from .command_output import Said
    from .configuration import Configuration
    from .request import Exact, Wish

_CLOBBER: Final = "CONDA_PATH_CONFLICT"
_MADE: Final = "made"  # conda makes no environment whose last name has a blank, ":" or "#" in it


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One of the three tools on this machine, as an engine (`request.Engine`)."""

    NAME: Tool
    path: str

    def carry_out(
        self,
        wish: Wish,
        configuration: Configuration,
        *,
        work: Work,
        log: Path | None = None,
        descriptors: Collection[int] = (),
    ) -> Outcome:
        """Make a wish true and return what changed; see `request.Engine`."""
        command_lines.check_texts(wish)
        command_lines.refuse_date(wish, self.NAME)
        wish = replace(wish, prefix=Path(os.path.abspath(wish.prefix)))
        with tempfile.TemporaryDirectory(prefix="envkit-") as scratch:
            run = _Run(self, wish, configuration, work, log, tuple(descriptors), Path(scratch))
            if wish.create:
                return run.creation()
            bookkeeping.refuse_frozen(wish.prefix)
            return run.exact() if wish.exact is not None else run.change()


class _Run:
    """One wish that is carried out."""

    def __init__(
        self,
        engine: Command,
        wish: Wish,
        configuration: Configuration,
        work: Work,
        log: Path | None,
        descriptors: tuple[int, ...],
        scratch: Path,
    ) -> None:
        """Make the variables that all commands see."""
        self._engine, self._wish, self._configuration = engine, wish, configuration
        self._work, self._log, self._descriptors, self._scratch = work, log, descriptors, scratch
        environ = command_environ.environ_of(wish, configuration, work.host)
        self._environ = command_environ.with_credentials(environ, configuration, scratch) if engine.NAME == "conda" else environ
        self._mask = masker(self._environ, values=configuration.secrets)
        command_environ.refuse_expanded(wish.prefix, self._environ)
        self._fetched = 0

    def creation(self) -> Outcome:
        """Make an environment; it appears at its place when it is whole."""
        wish = self._wish
        step = Step(verb="create", texts=wish.install)
        if wish.exact is not None:
            step = Step(verb="create", file=self._listed(wish.exact), solves=False)
        if wish.dry_run:
            before = dict[str, Linked]()
            return (
                command_plans.exact(wish.exact, before, prune=wish.prune, complete=self._completed)
                if wish.exact is not None
                else self._planned([step], before)
            )
        with staging.staged(wish.prefix) as stage:
            made = stage.directory / _MADE
            if step.solves:
                self._check_solution(step, made)
            self._run(step, made)
            command_create.settle(made, wish.prefix, self._work)
            command_create.move_up(made)
            if wish.exact is not None:
                self._remember_exact({}, stage.directory)
            bookkeeping.mark_created(stage.directory)
            outcome = self._outcome({}, stage.directory)
            stage.move()
        bookkeeping.register(wish.prefix, self._work, wanted=self._configuration.register)
        return outcome

    def change(self) -> Outcome:
        """Change what is there by what is to be removed, installed, updated, put in anew and pruned, in this order."""
        wish, before = self._wish, command_records.installed(self._wish.prefix)
        gone = command_records.with_dependents(before, wish.remove)
        steps = command_lines.changes(self._engine.NAME, wish, gone, self._asked_after(before))
        if wish.relink:
            names = [before[name] for name in wish.relink if name in before]
            texts = tuple(f"{package.name}={package.version}={package.build}" for package in names)
            steps += (Step(verb="install", texts=texts, options=("--force-reinstall", "--no-deps")),) if texts else ()
        if wish.dry_run:
            return self._planned(steps, before)
        for step in steps:
            if step.solves and "--force-reinstall" not in step.options:
                self._check_solution(step, wish.prefix)
            self._run(step, wish.prefix)
        if wish.relink or wish.update is not None:
            self._remember(self._asked_after(before), wish.prefix)
        if wish.prune:
            self._prune()
        again = {name.lower() for name in wish.relink}
        return self._outcome(before, wish.prefix, again)

    def exact(self) -> Outcome:
        """Put in exactly some package files; with `prune` everything else goes."""
        wish, before = self._wish, command_records.installed(self._wish.prefix)
        assert wish.exact is not None
        if wish.dry_run:
            return command_plans.exact(wish.exact, before, prune=wish.prune, complete=self._completed)
        surplus = set(before) - {package_file(one.url).name for one in wish.exact} if wish.prune else set[str]()
        listed = self._listed(wish.exact)
        if surplus:
            self._run(command_lines.removal(surplus), wish.prefix)
        if wish.exact:
            self._run(Step(verb="install", file=listed, solves=False), wish.prefix)
            self._remember_exact(before, wish.prefix)
        return self._outcome(before, wish.prefix)

    def _remember_exact(self, before: Mapping[str, Linked], prefix: Path) -> None:
        """Take for asked for what the call says, else that which nothing else needs; not each single package of a list."""
        wish = self._wish
        names = {package_file(one.url).name for one in wish.exact or ()}
        found = {name: package for name, package in command_records.installed(prefix).items() if name in names}
        asked = {command_records.name_of(text): text for text in wish.install} or {name: name for name in command_records.roots(found)}
        kept = {name: package.requested for name, package in before.items() if package.requested is not None}
        self._remember({**kept, **asked}, prefix)

    def _asked_after(self, before: Mapping[str, Linked]) -> dict[str, str]:
        """Return what is asked for after the change."""
        asked = {name: package.requested for name, package in before.items() if package.requested is not None}
        asked |= {command_records.name_of(text): text for text in self._wish.install}
        gone = command_records.with_dependents(before, self._wish.remove)
        return {name: text for name, text in asked.items() if name not in gone}

    def _remember(self, wanted: Mapping[str, str], prefix: Path) -> None:
        command_records.remember(prefix, wanted, ["envkit", "install", "--prefix", str(self._wish.prefix)])

    def _prune(self) -> None:
        names = command_records.unneeded(command_records.installed(self._wish.prefix))
        if names:
            self._run(command_lines.removal(names), self._wish.prefix)

    def _listed(self, exact: Iterable[Exact]) -> Path:
        """Write a list of package files where only this user can read it, after local ones were held against their hashes."""
        listed = [(one.url, one.md5, one.sha256) for one in exact]
        command_records.check_local(listed)
        credentials = self._engine.NAME == "conda"
        lines = [
            (command_environ.spelled(command_environ.explicit_url(url, self._configuration) if credentials else url), md5, sha256)
            for url, md5, sha256 in listed
        ]
        path = self._scratch / "explicit.txt"
        write_atomic(path, command_lines.explicit_text(lines))
        return path

    def _check_solution(self, step: Step, prefix: Path) -> None:
        """Ask first what would be done, where the tool does not hold it against something that counts.

        conda holds no file of a local channel against its hashes (seen with 26.7.1); mamba knows no packages that are not allowed.
        """
        disallowed = self._configuration.disallowed if self._engine.NAME != "conda" else ()
        if disallowed or any(channel.url.startswith("file:") for channel in self._configuration.channels):
            said = self._run(step, prefix, dry_run=True)
            records = [command_output.linked(record) for record in (*said.records("FETCH"), *said.records("LINK"))]
            command_records.refuse_disallowed(records, disallowed)
            command_records.check_local((record.url, record.md5, record.sha256) for record in records)

    def _planned(self, steps: Iterable[Step], before: Mapping[str, Linked]) -> Outcome:
        """Return what commands would do, each asked for itself; what a removal does is known."""
        plan = command_plans.Plan(before)
        for step in steps:
            if step.verb == "remove":
                plan.remove(step.texts)
            else:
                plan.add(self._run(step, self._plan_prefix(), dry_run=True), asked=self._asked_after(before), complete=self._completed)
        if self._wish.prune:
            plan.remove(command_records.unneeded(plan.after))
        return plan.outcome()

    def _plan_prefix(self) -> Path:
        """Return the prefix that a command is asked about: of a new environment one that is not there, for its place is."""
        return self._wish.prefix / ".envkit" / _MADE if self._wish.create else self._wish.prefix

    def _completed(self, package: Linked) -> Linked:
        """Return a package of a plan with all that is known of it; what is in the cache already is not told of in full by conda."""
        if package.sha256 or package.md5:
            return package
        return command_records.completed(package, self._caches())

    def _caches(self) -> tuple[str, ...]:
        """Return the directories in which the tool may keep packages: those configured, its own, and that of the user."""
        root = os.path.dirname(os.path.dirname(os.path.realpath(self._engine.path)))
        own = (os.path.join(root, "pkgs"), os.path.join(str(self._work.host.home), ".conda", "pkgs"))
        return tuple(dict.fromkeys((*map(str, self._configuration.caches), *own)))

    def _outcome(self, before: Mapping[str, Linked], prefix: Path, again: Collection[str] = ()) -> Outcome:
        """Return what changed, by what is there now, after credentials were taken out of it."""
        after = command_records.installed(prefix)
        if self._configuration.secrets:
            command_records.scrub(prefix, after.values(), self._caches(), self._configuration.secrets)
        return command_plans.difference(before, after, again=again, download=self._fetched)

    def _run(self, step: Step, prefix: Path, *, dry_run: bool = False) -> Said:
        """Run one command and return what it said.

        Raises:
            EnvkitError: it failed, typed by what it said; the whole output is kept in the log.
        """
        offline = self._configuration.offline or self._work.offline
        arguments = command_lines.arguments(self._engine.NAME, step, prefix, self._configuration, dry_run=dry_run, offline=offline)
        text = f"{self._engine.NAME}: {'plan' if dry_run else step.verb} {self._wish.prefix}"
        with self._work.task("resolve" if dry_run else "install", text, unit="packages") as task:
            said, words, code = self._said(arguments, task, {_CLOBBER: "prevent"})
            if code and command_failures.only_known_clobbers(said):  # packages that bring the same file: as everywhere, that may be
                said, words, code = self._said(arguments, task, {_CLOBBER: "clobber"})
            if code or said.failed:
                raise self._failure(said, words, offline=offline)
        if not dry_run:
            self._fetched += sum(command_output.linked(record).size for record in said.records("FETCH"))
        return said

    def _said(self, arguments: list[str], task: Task, more: Mapping[str, str]) -> tuple[Said, str, int]:
        finished = set[str]()

        def hear(line: str, stream: str) -> None:
            fetched = command_output.progress(line) if stream == "stdout" else None
            if fetched is not None and fetched.part >= 1 and fetched.package not in finished:
                finished.add(fetched.package)
                task.progress(len(finished))

        done = run_process(
            [self._engine.path, *arguments],
            work=self._work,
            environ={**self._environ, **more},
            cwd=self._scratch,
            on_line=hear,
            descriptors=self._descriptors,
        )
        return command_output.said(done.stdout), self._mask(f"{done.stdout}\n{done.stderr}"), done.returncode

    def _failure(self, said: Said, words: str, *, offline: bool) -> EnvkitError:
        masked = command_output.said(words)  # so that no secret of a document gets into a message
        error = command_failures.failure(self._engine.NAME, masked if masked.documents else said, words, offline=offline)
        if self._log is not None:
            with suppress(OSError):  # the error itself matters more than its log
                self._log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                write_atomic(self._log, words)
                error.log = self._log
        return error
