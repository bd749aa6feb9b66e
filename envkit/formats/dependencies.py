"""Who needs whom among installed packages, as a tree and as chains: values in, values out.

What a package needs only for an extra counts where somebody asks for it with that extra. Packages may need one another in a circle.

Source: dependency specifiers (PEP 508).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from packaging.requirements import InvalidRequirement, Requirement

from ..models.packages import Package
from .dist_info import normalized

_Key = tuple[str, frozenset[str]]  # a package's name, and the extras that it is asked for with


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One package as another needs it. `limits` is what that one says of its version; `package` is None where it is not installed."""

    name: str
    limits: str = ""
    extras: frozenset[str] = frozenset()
    package: Package | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A package in the tree with those below it. `again`: they stand where it was met first, or above it, in a circle."""

    need: Need
    below: tuple[Branch, ...] = ()
    again: bool = False


@dataclass(frozen=True, slots=True)
class Dependencies:
    """The packages of one environment and the markers of its Python, ready to be asked."""

    packages: Mapping[str, Package]
    markers: Mapping[str, str]
    extras: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    _known: dict[_Key, tuple[Need, ...]] = field(default_factory=dict[_Key, tuple[Need, ...]], compare=False, repr=False)

    @classmethod
    def of(cls, packages: Iterable[Package], markers: Mapping[str, str], requested: Iterable[str] = ()) -> Dependencies:
        """Return the dependencies among some packages.

        Args:
            packages: as `installed()` gives them.
            markers: the marker variables of the target, without `extra`.
            requested: requirements that were asked for: they tell with which extras a package is there.
        """
        rows = [row for text in requested if (row := _parsed(text)) is not None]
        extras = {normalized(row.name): frozenset(map(normalized, row.extras)) for row in rows if row.extras}
        return cls({package.name: package for package in packages}, dict(markers), extras)

    def needs(self, name: str, extras: frozenset[str] = frozenset()) -> tuple[Need, ...]:
        """Return what a package needs on this target, with what it needs for some of its extras; each name once, sorted."""
        key = (name, extras)
        if key not in self._known:
            self._known[key] = self._read(name, extras)
        return self._known[key]

    def _read(self, name: str, extras: frozenset[str]) -> tuple[Need, ...]:
        package = self.packages.get(name)
        asked, found = {*extras, *self.extras.get(name, ())}, dict[str, Need]()
        rows = [] if package is None else [row for text in package.requires if (row := _parsed(text)) is not None]
        while True:
            more = [row for row in rows if self._holds(row, asked)]
            own = {normalized(extra) for row in more if normalized(row.name) == name for extra in row.extras}
            if own <= asked:  # a package may ask for itself with other extras
                break
            asked |= own
        for row in more:
            other = normalized(row.name)
            if other != name:
                found[other] = self._joined(found.get(other), row, other)
        return tuple(found[other] for other in sorted(found))

    def _holds(self, requirement: Requirement, extras: Iterable[str]) -> bool:
        marker = requirement.marker
        return marker is None or any(marker.evaluate({**self.markers, "extra": extra}) for extra in ("", *extras))

    def _joined(self, before: Need | None, requirement: Requirement, name: str) -> Need:
        limits = [before.limits] if before and before.limits else []
        stated = str(requirement.specifier)
        if stated and stated not in limits:
            limits.append(stated)
        extras = frozenset(map(normalized, requirement.extras)) | (before.extras if before else frozenset[str]())
        return Need(name=name, limits=",".join(limits), extras=extras, package=self.packages.get(name))

    def roots(self) -> tuple[str, ...]:
        """Return those that no other package needs, sorted; of packages that need one another in a circle the first by name."""
        roots = sorted(self.packages.keys() - self._below(self.packages))
        left = self.packages.keys() - self._below(roots) - {*roots}
        below = {name: self._below([name]) for name in left}
        taken = set[str]()
        for name in sorted(left):
            above = {other for other in left if name in below[other]}
            if above <= below[name] and name not in taken:
                roots.append(name)
                taken |= below[name]
        return tuple(sorted(roots))

    def _below(self, names: Iterable[str]) -> set[str]:
        """Return all that some packages need, directly or through others; a package is below itself only in a circle."""
        todo: deque[_Key] = deque((name, frozenset[str]()) for name in names)
        seen, found = set(todo), set[str]()
        while todo:
            for need in self.needs(*todo.popleft()):
                found.add(need.name)
                key = (need.name, need.extras)
                if key not in seen:
                    seen.add(key)
                    todo.append(key)
        return found


def tree(dependencies: Dependencies) -> tuple[Branch, ...]:
    """Return what is installed as a tree: on top what nobody needs, below each what it needs, sorted by name.

    A package whose branches stand somewhere above in the tree is not unfolded again (`again`), so the tree is no larger than the
    graph, and a circle ends.
    """
    unfolded: set[_Key] = set()
    return tuple(_branch(dependencies, Need(name=name, package=dependencies.packages[name]), unfolded) for name in dependencies.roots())


def _branch(dependencies: Dependencies, need: Need, unfolded: set[_Key]) -> Branch:
    """Return a package with its branches, without recursion: chains may be longer than Python's stack."""
    key: _Key = (need.name, need.extras)
    if key in unfolded:
        return Branch(need=need, again=bool(dependencies.needs(*key)))
    unfolded.add(key)
    open_: list[tuple[Need, list[Need], list[Branch]]] = [(need, [*dependencies.needs(*key)], [])]
    while True:
        current, todo, done = open_[-1]
        if todo:
            following = todo.pop(0)
            inner: _Key = (following.name, following.extras)
            if inner in unfolded:
                done.append(Branch(need=following, again=bool(dependencies.needs(*inner))))
            else:
                unfolded.add(inner)
                open_.append((following, [*dependencies.needs(*inner)], []))
            continue
        made = Branch(need=current, below=tuple(done))
        open_.pop()
        if not open_:
            return made
        open_[-1][2].append(made)


def why(dependencies: Dependencies, name: str) -> tuple[tuple[Need, ...], ...]:
    """Return chains from a package that nobody needs down to the one asked about: the shortest through each that needs it directly.

    Returns:
        Sorted by length and names; empty where nobody needs it. Each chain begins with a root and ends with the package itself.
    """
    above: dict[_Key, tuple[_Key | None, Need]] = {}
    todo: deque[_Key] = deque()
    for root in dependencies.roots():
        if root == name:
            continue
        key: _Key = (root, frozenset())
        above[key] = (None, Need(name=root, package=dependencies.packages[root]))
        todo.append(key)
    chains: dict[str, tuple[Need, ...]] = {}
    while todo:
        key = todo.popleft()
        for need in dependencies.needs(*key):
            if need.name == name:
                chains.setdefault(key[0], (*_upwards(above, key), need))
            elif (below := (need.name, need.extras)) not in above:
                above[below] = (key, need)
                todo.append(below)
    return tuple(sorted(chains.values(), key=lambda chain: (len(chain), [need.name for need in chain])))


def _upwards(above: Mapping[_Key, tuple[_Key | None, Need]], key: _Key) -> tuple[Need, ...]:
    chain: list[Need] = []
    place: _Key | None = key
    while place is not None:
        place, need = above[place]
        chain.append(need)
    return tuple(reversed(chain))


def _parsed(text: str) -> Requirement | None:
    try:
        return Requirement(text)
    except InvalidRequirement:
        return None  # no installer can act on it
