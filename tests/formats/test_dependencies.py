"""Who needs whom: the tree and the chains, from values alone."""

from __future__ import annotations

import string

import pytest
from hypothesis import given, strategies

from envkit.formats.dependencies import Branch, Dependencies, tree, why
from envkit.models.packages import Package

MARKERS = {"python_version": "3.12", "python_full_version": "3.12.1", "sys_platform": "linux", "os_name": "posix"}


def graph(requested: tuple[str, ...] = (), **requires: list[str]) -> Dependencies:
    packages = (Package(name=name, version="1.0", ecosystem="pypi", requires=tuple(needs)) for name, needs in requires.items())
    return Dependencies.of(packages, MARKERS, requested)


def shown(branches: tuple[Branch, ...]) -> list[object]:
    return [
        (branch.need.name + "*" * branch.again, shown(branch.below)) if branch.below else branch.need.name + "*" * branch.again
        for branch in branches
    ]


@pytest.mark.core
def test_a_tree_unfolds_each_package_once() -> None:
    """On top what nobody needs; what was unfolded above is only named again, and what is missing is named too."""
    seen = graph(app=["Lib>=1", "other"], other=["lib", "gone<2"], lib=["base"], base=[])
    roots = tree(seen)
    assert shown(roots) == [("app", [("lib", ["base"]), ("other", ["gone", "lib*"])])]
    assert roots[0].below[0].need.limits == ">=1"
    assert roots[0].below[1].below[0].need.package is None


@pytest.mark.core
def test_markers_and_extras_count_as_on_the_target() -> None:
    """A marker that does not hold asks for nothing; an extra asks where somebody asks for it, also through the package itself."""
    lib = ["win; sys_platform == 'win32'", "fast; extra == 'speed'", "lib[speed]; extra == 'all'"]
    assert shown(tree(graph(app=["lib"], lib=lib, fast=[]))) == [("app", ["lib"]), "fast"]
    assert shown(tree(graph(app=["lib[all]"], lib=lib, fast=[]))) == [("app", [("lib", ["fast"])])]
    assert shown(tree(graph(("lib[speed]>=1",), lib=lib, fast=[]))) == [("lib", ["fast"])]


@pytest.mark.core
def test_circles_end() -> None:
    """Packages that need one another are shown once, below the first by name; what they need besides is no root."""
    seen = graph(y=["x"], x=["y", "c"], c=["c"], z=[])
    assert shown(tree(seen)) == [("x", ["c", ("y", ["x*"])]), "z"]
    assert [[need.name for need in chain] for chain in why(seen, "c")] == [["x", "c"]]


@pytest.mark.core
def test_why_names_each_that_needs_it() -> None:
    """For each package that needs it directly there is the shortest chain from the top, with its limits; a root has none."""
    seen = graph(app=["lib>=2", "tool"], tool=["lib<9"], lib=[], lonely=["lib"])
    assert [[need.name for need in chain] for chain in why(seen, "lib")] == [["app", "lib"], ["lonely", "lib"], ["app", "tool", "lib"]]
    assert why(seen, "lib")[0][-1].limits == ">=2"
    assert why(seen, "app") == ()
    assert why(seen, "absent") == ()


@given(
    strategies.dictionaries(
        strategies.sampled_from(string.ascii_lowercase[:7]), strategies.lists(strategies.sampled_from(string.ascii_lowercase[:8]))
    )
)
def test_every_package_stands_in_the_tree(requires: dict[str, list[str]]) -> None:
    """Whatever needs whatever: each installed package is in the tree, and is unfolded once."""
    found: list[str] = []

    def walk(branches: tuple[Branch, ...]) -> None:
        for branch in branches:
            if not branch.again:
                found.append(branch.need.name)
            walk(branch.below)

    walk(tree(graph(**requires)))
    assert set(found) >= set(requires)
    assert all(found.count(name) == 1 for name in requires if any(other != name for other in requires[name]))


def test_a_long_chain() -> None:
    """A chain longer than Python's stack is no problem."""
    seen = Dependencies.of((Package(name=f"p{n}", version="1", ecosystem="pypi", requires=(f"p{n + 1}",)) for n in range(3000)), MARKERS)
    assert len(tree(seen)) == 1
    assert len(why(seen, "p2999")[0]) == 3000
