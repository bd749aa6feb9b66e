"""What changes between two states of an environment, for engines that do not say it in full themselves. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..formats.conda_url import package_file
from . import command_output
from .command_records import ordered
from .request import Linked, Outcome

if TYPE_CHECKING:
    from .command_output import Said
    from .request import Exact


class Plan:
    """What commands would do one after the other, as each says of itself."""

    def __init__(self, before: Mapping[str, Linked]) -> None:
        """Begin with what is there."""
        self.after = dict(before)
        self._linked = dict[str, Linked]()
        self._unlinked = dict[str, Linked]()
        self._download = 0

    def remove(self, names: Iterable[str]) -> None:
        """Take packages away."""
        self._unlinked |= {name: self.after.pop(name) for name in sorted(names) if name in self.after}

    def add(self, said: Said, *, asked: Mapping[str, str], complete: Callable[[Linked], Linked]) -> None:
        """Take what a dry run said.

        Args:
            asked: the match specs by which packages are asked for, by name. complete: adds to a package what is known of it elsewhere.
        """
        fetched = {_identity(record): record for record in said.records("FETCH")}
        self._download += sum(command_output.linked(record).size for record in fetched.values())
        for record in said.records("UNLINK"):
            package = command_output.linked(record)
            self._unlinked[package.name] = self.after.pop(package.name, package)
        for record in said.records("LINK"):
            package = complete(command_output.linked({**record, **fetched.get(_identity(record), {})}))
            self.after[package.name] = self._linked[package.name] = replace(package, requested=asked.get(package.name))

    def outcome(self) -> Outcome:
        """Return all of it."""
        everything = ordered(self.after)
        linked = tuple(package for package in everything if package.name in self._linked)
        return Outcome(linked=linked, unlinked=tuple(self._unlinked.values()), after=everything, download=self._download)


def _identity(record: Mapping[str, Any]) -> tuple[object, object]:
    return record.get("name"), record.get("version")


def difference(before: Mapping[str, Linked], after: Mapping[str, Linked], *, again: Collection[str] = (), download: int = 0) -> Outcome:
    """Return what changed.

    Args:
        again: names that were put in anew, also where the package is the same. download: bytes that were fetched.
    """
    changed = {name for name, package in after.items() if name not in before or name in again or not same(before[name], package)}
    everything = ordered(after)
    return Outcome(
        linked=tuple(package for package in everything if package.name in changed),
        unlinked=tuple(package for name, package in before.items() if name not in after or name in changed),
        after=everything,
        download=download,
    )


def exact(wanted: Iterable[Exact], before: Mapping[str, Linked], *, prune: bool, complete: Callable[[Linked], Linked]) -> Outcome:
    """Return what a list of package files would change.

    Args:
        prune: everything else goes. complete: adds to a package what is known of it besides its URL.
    """
    listed: dict[str, Linked] = {}
    for one in wanted:
        file = package_file(one.url)
        listed[file.name] = complete(
            Linked(
                name=file.name,
                version=file.version,
                build=file.build,
                subdir=file.subdir or "noarch",
                channel=file.base,
                url=one.url,
                md5=one.md5,
                sha256=one.sha256,
            )
        )
    kept = {name: package for name, package in before.items() if name in listed or not prune}
    kept |= {name: package for name, package in listed.items() if name not in before or not same(before[name], package)}
    return difference(before, kept)


def same(one: Linked, other: Linked) -> bool:
    """Say whether two records are of one package file, as far as both tell."""
    if (one.version, one.build, one.subdir) != (other.version, other.build, other.subdir):
        return False
    for ours, theirs in ((one.sha256, other.sha256), (one.md5, other.md5)):
        if ours and theirs:
            return ours == theirs
    return True
