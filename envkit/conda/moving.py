"""A conda environment that lies elsewhere than it was made, or that is put beside another: its files made true for its place.

What has to be rewritten is known from the records in `conda-meta`: files with a placeholder, and the scripts of entry points. What no
package owns (pip's scripts, what post-link scripts wrote, the user's) is looked through as conda's own clone does it. A rewritten file is
replaced, never written into, for it may be linked from elsewhere; the hashes in its record follow.

Source: conda's misc.py (clone_env) and core/portability.py; CEP 34 for `paths_data`.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..errors import EnvkitError, InstallError
from ..formats import conda_meta
from ..system import files
from ..system.placing import Placer
from . import bookkeeping, configuration, inventory, prefixes, rewriting
from .owned_files import Rewritten, Tree, entries, identity, mend
from .request import Linked
from .staging import staged

if TYPE_CHECKING:
    from ..control import Work
    from ..formats.conda_record import Record

_ELSEWHERE: Final = frozenset({"pkgs", "envs", "conda-bld", ".envkit", ".conda_lock", conda_meta.DIRECTORY})  # at the top: not its content
_NOT_COPIED: Final = frozenset({"frozen", "history", "pixi", "pixi_env_prefix", "created_at"})  # what was said of the other one alone
_NAMING: Final = (".pth", ".egg-link", "direct_url.json")  # files of site-packages that name places
_LARGEST: Final = 1024 * 1024  # bytes of a file that no package owns and that is looked through
_MAGIC: Final = (b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")  # how programs of macOS begin


def clone(source: Path, prefix: Path, work: Work, *, told: Callable[[Path, frozenset[str]], None]) -> None:
    """Make an environment once more at a place that holds nothing but envkit's marks; it appears there whole or not at all.

    It has the packages, pins, variables and requested specs of the source, and a history of its own; the mark that a source is frozen
    is not copied, for what may not be changed is cloned to be changed.

    Args:
        told: is given the directory in which it is being made and the rewritten files there that no package owns, before it appears.

    Raises:
        InstallError: "incomplete", "prefix-too-long". RefusedError: something lies there ("foreign-files"), or the path is unfit ("path").
        MachineError: the place cannot be written.
    """
    prefixes.refuse_unfit(prefix, work.host)
    try:
        with staged(prefix) as stage:
            told(stage.directory, put_beside(source, stage.directory, prefix, work))
            packages = [_linked(record) for record in inventory.records(source)]
            command = ("envkit", "clone", str(source), str(prefix))
            bookkeeping.record_change(stage.directory, command=command, linked=packages, asked=inventory.requested(source).values())
            bookkeeping.mark_created(stage.directory)
            stage.move()
    except EnvkitError:  # a deadline is an OSError, too
        raise
    except OSError as error:
        raise files.machine_error(error, prefix) from error
    bookkeeping.register(prefix, work, wanted=configuration.read(work.host, prefix=prefix, offline=True).register)


def _linked(record: Record) -> Linked:
    return Linked(
        name=record.name, version=record.version, build=record.build, subdir=record.subdir, channel=record.channel, url=record.url
    )


def put_beside(source: Path, target: Path, final: Path, work: Work) -> frozenset[str]:
    """Put all that is in an environment into a directory that holds nothing yet, true for the place where that will lie.

    Files are reflinked, else hard-linked, else copied, but for those that no package owns outside of site-packages: these are copied.

    Args:
        source: the environment, which is not changed. target: the directory. final: where it will lie.

    Returns:
        The rewritten files that no package owns, as absolute paths in `target`: what lists their hashes has to be told.

    Raises:
        InstallError: "incomplete": a file that a package owns is gone, or a record cannot be read; "prefix-too-long".
        OSError: it cannot be written, or the source cannot be read.
    """
    tree, placer = Tree(source), Placer()
    moving = _Moving(tree, str(source), str(final), work)
    for inner, entry in _walk(str(source)):
        goal = str(target / inner)
        if entry.is_symlink():
            os.symlink(_link_text(os.readlink(entry.path), moving), goal)
        elif entry.is_dir(follow_symlinks=False):
            os.mkdir(goal, 0o755)
        elif entry.is_file(follow_symlinks=False):
            data = moving.rewritten(inner, entry)
            if data is not None:
                _write(goal, data, entry.stat().st_mode, work)
            elif inner in tree.modes or "site-packages" in inner:
                placer.put(entry.path, goal)
            else:
                placer.put_private(entry.path, goal)
            moving.note(inner, goal, data)
    if missing := moving.missing(target):
        raise InstallError(f"a file of a package is missing in {source}: {missing}", code="incomplete", hint="repair() it first")
    _put_records(source, target, moving, placer)
    return frozenset(str(target / inner) for inner in moving.changed if inner not in tree.modes)


def move_in_place(prefix: Path, origins: Iterable[str], work: Work) -> frozenset[str]:
    """Make the files of an environment true that was made at one of `origins` and lies at `prefix` now.

    Returns:
        The rewritten files that no package owns, as absolute paths.

    Raises:
        InstallError: "incomplete", "prefix-too-long". OSError: it cannot be written.
    """
    changed = frozenset[str]()
    for origin in origins:
        tree = Tree(prefix)
        moving = _Moving(tree, origin, str(prefix), work)
        for inner, entry in _walk(str(prefix)):
            if entry.is_symlink():
                text = os.readlink(entry.path)
                if (moved := _link_text(text, moving)) != text:
                    os.unlink(entry.path)
                    os.symlink(moved, entry.path)
            elif entry.is_file(follow_symlinks=False) and (data := moving.rewritten(inner, entry)) is not None:
                _write(entry.path, data, entry.stat().st_mode, work)
                moving.note(inner, entry.path, data)
        for file in moving.records_to_mend():
            _write_record(prefix / conda_meta.DIRECTORY / file, tree.records[file])
        changed |= {str(prefix / inner) for inner in moving.changed if inner not in tree.modes}
    return changed


def _walk(prefix: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Yield all that lies in an environment, by its path relative to the prefix, directories before what is in them."""
    todo = [""]
    while todo:
        inner = todo.pop()
        with os.scandir(os.path.join(prefix, inner)) as listing:
            found = sorted(listing, key=lambda entry: entry.name)
        for entry in found:
            if not inner and (entry.name in _ELSEWHERE or entry.name.startswith(".lock")):
                continue
            path = f"{inner}/{entry.name}" if inner else entry.name
            yield path, entry
            if entry.is_dir(follow_symlinks=False):
                todo.append(path)


class _Moving:
    """One tree on its way from one place to another, and what became of its files."""

    def __init__(self, tree: Tree, old: str, new: str, work: Work) -> None:
        self.tree, self.old, self.new = tree, old, new
        self.changed: dict[str, Rewritten] = {}
        self._seen: set[str] = set()
        self._work = work

    def rewritten(self, inner: str, entry: os.DirEntry[str]) -> bytes | None:
        """Return the new content of a file that names the old place; None for any other.

        Raises:
            InstallError: the new place is too long for a binary file.
        """
        self._work.check()
        mode = self.tree.modes.get(inner)
        if mode == "plain" or (mode is None and not _is_looked_through(inner, entry)):
            return None
        with open(entry.path, "rb") as stream:
            before = stream.read()
        if not rewriting.names(before, self.old) or (mode is None and b"\0" in before):
            return None
        if mode == "binary":
            after = rewriting.moved_binary(before, self.old, self.new)
            if after is None:
                raise InstallError(f"{self.new} is too long for {inner}", code="prefix-too-long", hint="choose a shorter place")
        else:
            platform = self._work.host.platform
            after = rewriting.moved_text(before, self.old, self.new, platform=platform, in_json=inner.endswith(".json"))
        if after == before:
            return None
        self.changed[inner] = Rewritten(before=identity(before), after=identity(after))
        return after

    def note(self, inner: str, goal: str, data: bytes | None) -> None:
        """Remember that a file is there; one that was signed anew has other bytes than were written."""
        self._seen.add(inner)
        if data is not None and data[:4] in _MAGIC:
            with open(goal, "rb") as stream:
                self.changed[inner] = Rewritten(before=self.changed[inner].before, after=identity(stream.read()))

    def missing(self, target: Path) -> str | None:
        """Return a file that a package owns and that was not found; bytecode may be missing."""
        for inner in sorted(self.tree.modes.keys() - self._seen):
            if not inner.endswith((".pyc", ".pyo")) and not os.path.lexists(target / inner):
                return inner
        return None

    def records_to_mend(self) -> Iterator[str]:
        """Yield the names of the records in which the hash of a rewritten file was replaced; what was another file before stays one."""
        for file, record in self.tree.records.items():
            mended = [mend(entry, self.changed[place]) for place, entry in entries(record) if place in self.changed]
            if any(mended):
                yield file


def _is_looked_through(inner: str, entry: os.DirEntry[str]) -> bool:
    """Say whether a file that no package owns may name the prefix: of site-packages only those that are there for that."""
    if inner.endswith((".pyc", ".pyo")) or entry.stat(follow_symlinks=False).st_size > _LARGEST:
        return False
    return "site-packages/" not in inner or entry.name.endswith(_NAMING) or entry.name.startswith("__editable__")


def _link_text(text: str, moving: _Moving) -> str:
    return moving.new + text[len(moving.old) :] if text == moving.old or text.startswith(moving.old + os.sep) else text


def _write(path: str, data: bytes, mode: int, work: Work) -> None:
    files.write_atomic(Path(path), data, mode=mode & 0o7777)
    if work.host.platform == "darwin" and data[:4] in _MAGIC:  # a program that was changed has to be signed anew
        from ..system.process import run_process  # noqa: PLC0415 - only on macOS

        run_process(["/usr/bin/codesign", "--force", "--sign", "-", path], work=work, environ=work.host.environ)


def _put_records(source: Path, target: Path, moving: _Moving, placer: Placer) -> None:
    """Put `conda-meta`: records with the new hashes, pins and variables; not what was said of the other environment alone."""
    place = target / conda_meta.DIRECTORY
    place.mkdir(exist_ok=True)
    mended = frozenset(moving.records_to_mend())
    for entry in os.scandir(source / conda_meta.DIRECTORY):
        if entry.name in _NOT_COPIED or not entry.is_file(follow_symlinks=False):
            continue
        if entry.name in mended:
            _write_record(place / entry.name, moving.tree.records[entry.name])
        else:
            placer.put_private(entry.path, str(place / entry.name))


def _write_record(path: Path, record: Mapping[str, Any]) -> None:
    files.write_atomic(path, json.dumps(record, indent=2), mode=0o644)


def origin_of(prefix: Path) -> str | None:
    """Return where an environment was made, as most scripts of its packages say; None where that is here, or none says it."""
    found: Counter[str] = Counter()
    try:
        tree = Tree(prefix)
    except InstallError:
        return None
    for inner, mode in tree.modes.items():
        directory = inner.rpartition("/")[0]
        if mode == "text" and directory in {"bin", "Scripts"}:
            try:
                with open(prefix / inner, "rb") as stream:
                    program = rewriting.interpreter_of(stream.read(4096))
            except OSError:
                continue
            if program is not None and os.path.basename(os.path.dirname(program)) == "bin":
                found[os.path.dirname(os.path.dirname(program))] += 1
    for place, _ in found.most_common():
        if place not in {"/", "/usr", "/usr/local"}:
            return None if os.path.realpath(place) == os.path.realpath(prefix) else place
    return None
