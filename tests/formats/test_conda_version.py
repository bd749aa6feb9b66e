"""conda's order of versions and its ranges: the documented order, and agreement with the embedded solver's on whatever is drawn."""

from __future__ import annotations

import importlib
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from envkit.formats.conda_range import version_range
from envkit.formats.conda_version import CondaVersion

# of CEP 33; those on one line are equal
ORDER = """\
0.4 0.4.0
0.4.1.rc 0.4.1.RC
0.4.1
0.5a1
0.5b3
0.5C1
0.5
0.9.6
0.960923
1.0
1.1dev1
1.1_
1.1a1
1.1.0dev1 1.1.dev1
1.1.a1
1.1.0rc1
1.1.0 1.1
1.1.0post1 1.1.post1
1.1post1
1996.07.12
1!0.4.1
1!3.1.1.6
2!0.4.1
"""
PIECES = st.sampled_from(["0", "1", "2", "10", "a", "b", "rc", "dev", "post", "A1", "0a", "01", ".", ".", ".", "_", "!", "+"])
TEXTS = st.lists(PIECES, min_size=1, max_size=7).map("".join)
LIMITS = st.sampled_from(["1", "1.2", "1.2.3", "2.0", "1.0a1", "3.12", "2!1", "1.2+3", "1.0post1", "0.9dev"])
SIMPLE = st.tuples(st.sampled_from(["", "=", "==", "!=", ">", ">=", "<", "<=", "~="]), LIMITS, st.sampled_from(["", "", ".*", "*", ".*.*"]))
RANGES = st.recursive(
    SIMPLE.map("".join) | st.just("*"),
    lambda inner: st.tuples(inner, st.sampled_from([",", "|"]), inner).map("".join) | inner.map(lambda text: f"({text})"),
    max_leaves=5,
)


@pytest.mark.core
def test_the_documented_order_holds() -> None:
    """Versions are ordered as CEP 33 lists them, and equal ones hash alike."""
    groups = [[CondaVersion(text) for text in line.split()] for line in ORDER.splitlines()]
    for group in groups:
        assert len(set(group)) == 1
    for before, after in pairwise(groups):
        assert before[0] < after[0]
        assert after[-1] > before[-1]


@pytest.mark.core
@pytest.mark.parametrize("text", ["", " ", "1.2.", ".1", "1..2", "a b", "1!2!3", "x!1", "+1", "1+", "1-2_3", "1/2", "9" * 5000, "é"])
def test_what_is_no_version_is_refused(text: str) -> None:
    """A text that no conda would take for a version is a ValueError, whatever its length."""
    with pytest.raises(ValueError):
        CondaVersion(text)


@pytest.mark.core
@pytest.mark.parametrize(
    "text, inside, outside",
    [
        ("1.2", "1.2 1.2.0", "1.2.1 1.20 1.2a1"),
        ("1.2.*", "1.2 1.2.3 1.2.0a1", "1.20 1.3"),
        ("=1.2", "1.2 1.2.3", "1.20"),
        (">=1.2,<2", "1.2 1.9", "1.1 2 2.0"),
        (">=1.2,<2|==3", "1.5 3", "2.5"),
        ("(1.2|1.3),!=1.3", "1.2", "1.3"),
        ("~=1.2.3", "1.2.3 1.2.9", "1.3 1.2.2"),
        ("!=1.2.*", "1.3 1.20", "1.2 1.2.1"),
        (">1.2.*", "1.2 1.3", "1.1"),
        ("<2.0a0", "1.9", "2.0a0 2.0"),
        ("*", "1 not-a_version!", ""),
        ("1.*.2", "1.5.2 1.2.3.2", "1.5.3"),
        ("^1\\.[0-4]$", "1.3", "1.5"),
    ],
)
def test_what_a_range_holds(text: str, inside: str, outside: str) -> None:
    """A range holds what conda says that it holds, its canonical text as well."""
    found = version_range(text)
    for same in (found, version_range(str(found))):
        assert all(same.holds(version) for version in inside.split())
        assert not any(same.holds(version) for version in outside.split())


@pytest.mark.core
@pytest.mark.parametrize("text", ["", ",", ">=", ">", "<*", "!=*", "=>1", "1.2,", "(1", "1)", "||", "^1", "(" * 99 + "1" + ")" * 99])
def test_what_is_no_range_is_refused(text: str) -> None:
    """A text that is no range is a ValueError."""
    with pytest.raises(ValueError):
        version_range(text)


@settings(deadline=None)
@given(TEXTS, TEXTS)
def test_versions_are_ordered_as_the_solver_orders_them(one: str, other: str) -> None:
    """What the embedded solver reads as a version is one here, with the same order, beginning and compatibility."""
    rattler: Any = pytest.importorskip("rattler", reason="the embedded engine (extra conda) is not installed")
    exceptions: Any = importlib.import_module("rattler.exceptions")
    try:
        theirs = rattler.Version(one), rattler.Version(other)
    except exceptions.InvalidVersionError:
        return
    ours = CondaVersion(one), CondaVersion(other)
    assert (ours[0] < ours[1], ours[0] == ours[1]) == (theirs[0] < theirs[1], theirs[0] == theirs[1])
    assert ours[0].starts_with(ours[1]) == theirs[0].starts_with(theirs[1])
    assert ours[0].compatible_with(ours[1]) == theirs[0].compatible_with(theirs[1])


@settings(deadline=None)
@given(RANGES, LIMITS)
def test_ranges_hold_what_the_solver_says(text: str, version: str) -> None:
    """A range that the embedded solver reads holds the same versions here, and its canonical text says the same to both."""
    rattler: Any = pytest.importorskip("rattler", reason="the embedded engine (extra conda) is not installed")
    exceptions: Any = importlib.import_module("rattler.exceptions")
    try:
        theirs = rattler.VersionSpec(text)
    except exceptions.InvalidVersionSpecError:
        return
    ours = version_range(text)
    wanted = theirs.matches(rattler.Version(version))
    assert ours.holds(version) == wanted
    assert rattler.VersionSpec(str(ours)).matches(rattler.Version(version)) == wanted
