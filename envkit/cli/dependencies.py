"""`list --size`, `tree` and `why`: pure functions over what `installed` gives, and how they are shown."""

from __future__ import annotations

import json
from argparse import Namespace
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..control import Work
from ..ecosystems import installed_in
from ..environments import resolved
from ..errors import NotFoundError
from ..formats import dependencies as graphs
from ..formats.dist_info import normalized
from ..markup import Table, printable
from ..records import state_of
from . import output

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ..formats.dependencies import Branch, Dependencies, Need


@dataclass(frozen=True, slots=True)
class _Seen:
    """An environment as these commands see it: where it is, who needs whom in it, and what was asked for."""

    prefix: str
    graph: Dependencies
    requested: frozenset[str]


def _seen(env: str) -> _Seen:
    from ..changing import named  # noqa: PLC0415 - each command imports what it needs
    from ..pypi.markers import markers_of  # noqa: PLC0415 - as above

    work = Work()
    environment = resolved(env, work)
    packages = installed_in(environment, work.host)
    record = state_of(environment.prefix, work.host).record
    texts = () if record is None else record.requested
    asked = {*map(named, texts), *(package.name for package in packages if package.requested)}
    graph = graphs.Dependencies.of(packages, markers_of(environment, work.host), texts)
    return _Seen(str(environment.prefix), graph, frozenset(asked))


def sizes(options: Namespace) -> int:
    """List packages by the room that each takes, the largest first; with `--json` bytes by name, null where nothing tells."""
    from ..pypi.sizes import sizes_of  # noqa: PLC0415 - each command imports what it needs

    work = Work()
    environment = resolved(options.env, work)
    found = sizes_of(environment, work.host)
    versions = {package.name: package.version for package in installed_in(environment, work.host)}
    output.write(json.dumps(found, sort_keys=True) if options.json else _sizes(found, versions))
    return 0


def _sizes(found: Mapping[str, int | None], versions: Mapping[str, str]) -> str:
    if not found:
        return "no packages"
    ordered = sorted(found.items(), key=lambda item: (-(item[1] or 0), item[0]))
    rows = tuple((name, versions.get(name, ""), _megabytes(size)) for name, size in ordered)
    total = sum(size or 0 for size in found.values())
    return Table(columns=("name", "version", "size"), rows=rows).text() + f"\n\ntogether {_megabytes(total)}"


def _megabytes(size: int | None) -> str:
    return "?" if size is None else f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size / 1e3:.1f} kB"


def tree(options: Namespace) -> int:
    """Show who needs whom; with `--json` for each package its version and what it needs, by name."""
    graph = _seen(options.env).graph
    if options.json:
        facts = {name: {"version": package.version, "needs": _needs(graph, name)} for name, package in graph.packages.items()}
        output.write(json.dumps(facts, sort_keys=True))
    else:
        output.write("\n".join(_lines(graphs.tree(graph))) or "no packages")
    return 0


def _needs(graph: Dependencies, name: str) -> list[dict[str, Any]]:
    return [
        {
            "name": need.name,
            "limits": need.limits,
            "extras": sorted(need.extras),
            "installed": None if need.package is None else need.package.version,
        }
        for need in graph.needs(name)
    ]


def _lines(roots: Sequence[Branch]) -> Iterator[str]:
    """Yield the lines of a tree; not by recursion, for a chain may be longer than Python's stack."""
    todo: list[tuple[Branch, str, str]] = [(root, "", "") for root in reversed(roots)]
    while todo:
        branch, before, inner = todo.pop()
        yield before + _shown(branch.need) + (" (its needs are shown above)" if branch.again else "")
        count = len(branch.below)
        for index, below in reversed([*enumerate(branch.below)]):
            last = index == count - 1
            todo.append((below, inner + ("└── " if last else "├── "), inner + ("    " if last else "│   ")))


def _shown(need: Need) -> str:
    extras = f"[{','.join(sorted(need.extras))}]" if need.extras else ""
    version = "is not installed" if need.package is None else need.package.version
    return printable(f"{need.name}{extras} {version}" + (f"  (needs {need.limits})" if need.limits else ""))


def why(options: Namespace) -> int:
    """Say why a package is there: whether it was asked for, and who needs it; with `--json` the chains of names.

    Raises:
        NotFoundError: it is not installed, and nothing needs it.
    """
    seen = _seen(options.env)
    name = normalized(options.package)
    chains = graphs.why(seen.graph, name)
    package = seen.graph.packages.get(name)
    if package is None and not chains:
        raise NotFoundError(
            f"{name} is not installed in {seen.prefix}, and nothing there needs it",
            code="package-not-installed",
            hint=f"`envkit list {options.env}` shows what is installed",
        )
    if options.json:
        shown = [[need.name for need in chain] for chain in chains]
        output.write(json.dumps({"name": name, "requested": name in seen.requested, "chains": shown}, sort_keys=True))
        return 0
    reasons = [" <- ".join(map(_shown, reversed(chain))) for chain in chains]
    if name in seen.requested:
        reasons.insert(0, f"{name} was asked for")
    output.write("\n".join(reasons) or f"{printable(str(package))}: nothing that is installed needs it")
    return 0
