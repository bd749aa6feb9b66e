"""The embedded engine: py-rattler in a child process of ours, with what it lacks.

A wish becomes one request to the child; what it said becomes an outcome or a typed error. Around that: an environment is made beside
its place (`staging`), frozen ones and pins are obeyed, scripts of packages are run, and what other tools of conda read is written.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..errors import DeadlineError, EnvkitError, MachineError
from ..system.files import machine_error, private_directory, write_atomic
from ..system.process import Completed, run_process
from ..system.secrets import masker
from . import bookkeeping, bytecode, child, inventory, link_scripts
from .failures import typed
from .progress import Phases
from .request import Exact, Linked, Outcome, Wish
from .staging import staged

if TYPE_CHECKING:
    from ..control import Work
    from .configuration import Configuration

NAME: Final = "rattler"


def carry_out(
    wish: Wish, configuration: Configuration, *, work: Work, log: Path | None = None, descriptors: Collection[int] = ()
) -> Outcome:
    """Make a wish true and return what changed; see `request.Engine`."""
    wish = replace(wish, prefix=Path(os.path.abspath(wish.prefix)))
    run = _Run(wish, configuration, work, log, descriptors)
    if wish.dry_run:
        return run.engine(wish.prefix)
    if wish.create:
        return run.create()
    bookkeeping.refuse_frozen(wish.prefix)
    return run.change()


class _Run:
    """One wish that is being carried out."""

    def __init__(self, wish: Wish, configuration: Configuration, work: Work, log: Path | None, descriptors: Collection[int]) -> None:
        self.wish, self.configuration, self.work = wish, configuration, work
        self._log, self._descriptors = log, descriptors

    def create(self) -> Outcome:
        """Make the environment beside its place; nothing is left of it when any of this fails."""
        prefix = self.wish.prefix
        with staged(prefix) as stage:
            outcome = self.engine(stage.directory)
            self._record(stage.directory, outcome)
            bookkeeping.mark_created(stage.directory)
            stage.move()
            self._finish(outcome)
        bookkeeping.register(prefix, self.work, wanted=self.configuration.register)
        return outcome

    def change(self) -> Outcome:
        """Change the environment in place. Scripts that packages want run before they go are run first."""
        prefix = self.wish.prefix
        if link_scripts.wanted(self.work.host) and link_scripts.any_before(prefix):
            announced = self.engine(prefix, dry_run=True)
            link_scripts.run_before(announced.unlinked, prefix, work=self.work, descriptors=self._descriptors)
        before = tuple(Exact(url=record.url, md5=record.md5, sha256=record.sha256) for record in inventory.records(prefix))
        done = False
        try:
            outcome = self.engine(prefix)
            done = True
            self._finish(outcome)
        except EnvkitError:
            if done or bookkeeping.is_half_changed(prefix):
                self._take_back(before)
            raise
        self._record(prefix, outcome)
        return outcome

    def _take_back(self, before: tuple[Exact, ...]) -> None:
        """Put the packages of before in again, most of which are in the cache: some are linked while others are still fetched.

        Where that fails, too, or the call is over, the first error is told, and the environment is known as half changed.
        """
        back = Wish(prefix=self.wish.prefix, exact=before, prune=True)
        with suppress(EnvkitError):
            _Run(back, self.configuration, self.work, None, self._descriptors).engine(back.prefix, restore=True)

    def _finish(self, outcome: Outcome) -> None:
        if link_scripts.wanted(self.work.host):
            link_scripts.run_after(outcome.linked, self.wish.prefix, work=self.work, descriptors=self._descriptors)
        bytecode.compile_all(self.wish.prefix, outcome, work=self.work, descriptors=self._descriptors)

    def _record(self, directory: Path, outcome: Outcome) -> None:
        gone = {package.name for package in outcome.unlinked} - {package.name for package in outcome.after}
        before = {} if self.wish.create else bookkeeping.requested(directory)
        asked = [spec for package in outcome.after if (spec := package.requested) is not None and before.get(package.name) != spec]
        bookkeeping.record_change(
            directory,
            command=_command(self.wish),
            linked=outcome.linked,
            unlinked=outcome.unlinked,
            asked=asked,
            dropped=sorted(gone),
        )

    def engine(self, target: Path, *, dry_run: bool = False, restore: bool = False) -> Outcome:
        """Let the child process do it, and return what it says.

        Args:
            target: the directory to link into. dry_run: only ask. restore: what is exact is what was there before.

        Raises:
            EnvkitError: it failed, typed by what it said; all that it said is in the log, secrets masked.
        """
        wish = replace(self.wish, dry_run=True) if dry_run else self.wish
        host = self.work.host
        environ = child.environ_of(self.configuration, host)
        mask = masker(environ, values=self.configuration.secrets)
        pinned = (*self.configuration.pinned, *bookkeeping.pinned(wish.prefix))
        said = {} if wish.create else bookkeeping.requested(wish.prefix)
        asked = child.request_of(wish, self.configuration, host, target=target, said=said, pinned=pinned, restore=restore)
        _make_caches(asked)
        with Phases(self.work) as phases:
            try:
                completed = run_process(
                    child.command(),
                    work=self.work,
                    environ=environ,
                    text=json.dumps(asked),
                    on_line=phases.line,
                    descriptors=self._descriptors,
                    kept=None,
                )
            except DeadlineError as error:
                error.output = mask(error.output)
                raise
            answer = _answer(completed)
            if "result" in answer:
                return _outcome(answer["result"])
            failure = typed(answer["error"], channels=self.configuration.channels, mask=mask)
            self._keep(failure, mask(f"{answer['error']['message']}\n{completed.stderr}"))
            raise failure

    def _keep(self, failure: EnvkitError, output: str) -> None:
        if self._log is not None:
            with suppress(OSError):  # the error itself matters more than its log
                self._log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                write_atomic(self._log, output)
                failure.log = self._log


def _make_caches(asked: dict[str, Any]) -> None:
    private_directory(Path(asked["repodata"]))
    try:
        Path(asked["cache"]).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise machine_error(error, Path(asked["cache"])) from error


def _answer(completed: Completed) -> dict[str, Any]:
    """Return the child's last word."""
    for line in reversed(completed.stdout.splitlines()):
        if line.startswith(('{"result"', '{"error"')):
            with suppress(ValueError):
                found: dict[str, Any] = json.loads(line)
                return found
    said = completed.stderr.strip().splitlines()
    why = f"signal {-completed.returncode}" if completed.returncode < 0 else said[-1] if said else f"code {completed.returncode}"
    raise MachineError(f"the conda engine's process ended without an answer: {why}", code="engine-died", retryable=True, hint="call again")


def _outcome(result: dict[str, Any]) -> Outcome:
    return Outcome(
        linked=_packages(result["linked"]),
        unlinked=_packages(result["unlinked"]),
        after=_packages(result["after"]),
        download=result["download"],
    )


def _packages(told: list[dict[str, Any]]) -> tuple[Linked, ...]:
    return tuple(Linked(depends=tuple(one.pop("depends")), **one) for one in told)


def _command(wish: Wish) -> list[str]:
    """Return words that stand for a wish in the history."""
    words = ["envkit", "create" if wish.create else "uninstall" if wish.remove else "upgrade" if wish.update is not None else "install"]
    return [*words, "--prefix", str(wish.prefix), *wish.install, *wish.remove, *(wish.update or ()), *(one.url for one in wish.exact or ())]
