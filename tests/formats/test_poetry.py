"""Poetry's tables become what everybody reads: the same versions are allowed, and what cannot be said is an error."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, strategies as st
from packaging.requirements import Requirement

from envkit.formats import poetry

pytestmark = pytest.mark.core

# as poetry-core understands them: each was held against it for versions from 0.0.1 to 2025.1
CONSTRAINTS = {
    "^1.2.3": ">=1.2.3,<2.0.0",
    "^1": ">=1,<2",
    "^0.2.3": ">=0.2.3,<0.3.0",
    "^0.0.3": ">=0.0.3,<0.0.4",
    "^0.0": ">=0.0,<0.1",
    "^0": ">=0,<1",
    "~1.2.3": ">=1.2.3,<1.3.0",
    "~1.2": ">=1.2,<1.3",
    "~1": ">=1,<2",
    "1.2.*": "==1.2.*",
    "!=1.2.*": "!=1.2.*",
    "*": "",
    "1.2.3": "==1.2.3",
    "=1.2": "==1.2",
    ">= 1.2, <1.5": ">=1.2,<1.5",
    ">=1.2 <1.5": ">=1.2,<1.5",
    "~=1.4.2": "~=1.4.2",
    "^1.2.3-beta.1": ">=1.2.3-beta.1,<2.0.0",
}


def wanted(line: str) -> poetry.Wanted:
    """Return the one dependency that a line of the main table asks for."""
    (one,) = poetry.load(f"[tool.poetry.dependencies]\n{line}\n").groups[poetry.MAIN]
    return one


@pytest.mark.parametrize("said, meant", CONSTRAINTS.items())
def test_a_constraint_allows_the_same_versions(said: str, meant: str) -> None:
    """Caret, tilde, wildcard, exact and ranges, as strings and in tables."""
    assert wanted(f'a = "{said}"').text == f"a{meant}"
    assert wanted(f'a = {{version = "{said}"}}').text == f"a{meant}"


@pytest.mark.parametrize(
    "line, meant",
    [
        ('a = {version = "^1", extras = ["x", "y"]}', "a[x,y]>=1,<2"),
        (
            "a = {version = \"^1\", markers = \"os_name == 'nt' or python_version < '3'\"}",
            "a>=1,<2 ; (os_name == 'nt' or python_version < '3')",
        ),
        ('a = {version = "*", python = ">=3.8,<3.12"}', "a ; python_version >= '3.8' and python_version < '3.12'"),
        ('a = {version = "*", python = "^3.8.1"}', "a ; python_full_version >= '3.8.1' and python_full_version < '4.0.0'"),
        ('a = {version = "1.0", platform = "darwin"}', "a==1.0 ; sys_platform == 'darwin'"),
        ('a = {version = ">=1", allow-prereleases = true}', "a>=1,>=0.dev0"),
        ('a = {git = "https://host/a.git"}', "a @ git+https://host/a.git"),
        ('a = {git = "https://host/a.git", rev = "38ff", subdirectory = "b"}', "a @ git+https://host/a.git@38ff#subdirectory=b"),
        ('a = {git = "git@host.org:team/a.git", tag = "v1"}', "a @ git+ssh://git@host.org/team/a.git@v1"),
        ('a = {url = "https://host/a-1.zip"}', "a @ https://host/a-1.zip"),
    ],
)
def test_a_table_is_a_requirement(line: str, meant: str) -> None:
    """Extras, markers, Pythons, platforms, repositories and URLs; each is one that every installer reads."""
    assert wanted(line).text == meant
    Requirement(meant)


def test_places_groups_extras_and_sources() -> None:
    """What else the tables hold: places, several constraints, groups that include others, extras, indexes in their order."""
    said = poetry.load("""
[tool.poetry.dependencies]
python = ">=3.9,<4"
here = {path = "../here", develop = true, extras = ["More"]}
two = [{version = "<2", python = "<3.10"}, {version = "^2", python = ">=3.10"}]
Some_Thing = {version = "^1", optional = true}
[tool.poetry.extras]
full = ["some-thing"]
[tool.poetry.group.test.dependencies]
pytest = "^8"
[tool.poetry.group.dev]
optional = true
include-groups = ["test"]
[tool.poetry.group.dev.dependencies]
ruff = "*"
[tool.poetry.dev-dependencies]
black = "24.*"
[[tool.poetry.source]]
name = "own"
url = "https://own/simple"
[[tool.poetry.source]]
name = "PyPI"
[[tool.poetry.source]]
name = "more"
url = "https://more/simple"
priority = "supplemental"
""")
    assert said.python == ">=3.9,<4"
    assert said.groups[poetry.MAIN][0] == poetry.Wanted(name="here", path="../here", editable=True, extras=("more",))
    assert [one.text for one in said.groups[poetry.MAIN][1:3]] == [
        "two<2 ; python_version < '3.10'",
        "two>=2,<3 ; python_version >= '3.10'",
    ]
    assert (said.optional, said.extras["full"]) == ({"some-thing"}, ("some-thing",))
    assert [one.text for one in said.groups["dev"]] == ["ruff", "black==24.*", "pytest>=8,<9"]
    assert said.indexes == ("https://own/simple", "https://pypi.org/simple", "https://more/simple")


def test_of_several_ranges_the_one_for_python_three_counts() -> None:
    """A project that still names Python 2 is for Python 3 here."""
    assert poetry.python_range("~2.7 || ^3.6") == ">=3.6,<4.0"
    assert poetry.python_range("^3.8") == ">=3.8,<4.0"


@pytest.mark.parametrize(
    "line",
    [
        'a = "^1 || ^3"',
        'a = "one"',
        "a = 1",
        'a = {version = "1", colour = "red"}',
        'a = {path = "a", platform = "win32"}',
        "a = {git = 1}",
        'python = "^3.6 || ^3.8"',
    ],
)
def test_what_cannot_be_said_is_an_error(line: str) -> None:
    """Never a requirement that means something else."""
    with pytest.raises(ValueError, match=r"."):
        poetry.load(f"[tool.poetry.dependencies]\n{line}\n")


@given(st.text(alphabet='^~=<>!*.,| 0123456789abcv[]{}"\n-', max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Whatever a constraint says, it is a requirement or a ValueError."""
    with suppress(ValueError):
        for one in poetry.load(f"[tool.poetry.dependencies]\na = {text}\n").groups[poetry.MAIN]:
            if one.text and "@" not in one.text:
                Requirement(one.text)
