"""What the real tools made is found, is theirs, knows its project, and is as its own Python says."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from envkit.control import Work
from envkit.discovery.probe import probe

if TYPE_CHECKING:
    from conftest import Home, Made

pytestmark = pytest.mark.slow

BY = {
    "virtualenv": "virtualenvs",
    "redirect": "virtualenvs",
    "virtualenv 16": "old_virtualenvs",
    "virtualenv 20": "old_virtualenvs",
    "wrapper": "wrapper",
    "poetry": "poetry",
    "pipenv pipe one": "pipenv",
    "pipenv inside": "pipenv",
    "hatch": "hatch",
    "hatch near": "hatch",
    "pdm": "pdm",
    "pdm inside": "pdm",
    "pipx": "pipx",
    "tox": "tests_of_projects",
    "nox": "tests_of_projects",
    "uv": "uv",
    "uv tool": "uv",
    "uv script": "uv",
}
"""What is to be there, and who makes it."""


def made_by(home: Home, key: str) -> tuple[Home, Made]:
    """Return what was made and the home as it is seen with the variables that it was made with; skip what could not be had."""
    if key not in home.made:
        pytest.skip(f"{BY[key]} could not make it: {home.missing.get(BY[key], 'no reason known')}")
    made = home.made[key]
    return home.having(**made.variables), made


@pytest.mark.parametrize("key", BY)
def test_it_is_its_tools_with_its_name_and_project(home: Home, key: str) -> None:
    """Nothing but the path is given: the project is told by what lies in the environment."""
    seen, made = made_by(home, key)
    env = seen.at(made.prefix)
    assert (env.manager, env.name, env.project, env.kind, env.problem) == (made.manager, made.name, made.project, "venv", None)
    assert env.python is not None
    assert seen.at(env.python) == env


@pytest.mark.parametrize("key", BY)
def test_it_is_found_once_and_the_same_twice(home: Home, key: str) -> None:
    seen, made = made_by(home, key)
    first, again = (seen.find(roots=(str(home.path / "src"),)) for _ in range(2))
    assert first == again
    found = [env for env in first if env.prefix == made.prefix]
    assert [replace(env, aliases=()) for env in found] == [seen.at(made.prefix)]


@pytest.mark.parametrize("key", BY)
def test_its_python_says_the_same(home: Home, key: str) -> None:
    """Version, implementation, processor, prefix and base, held against the interpreter itself."""
    seen, made = made_by(home, key)
    env = seen.at(made.prefix)
    assert env.python is not None
    said = probe(env.python, work=Work(host=seen.host), prefix=env.prefix)
    assert (env.version, env.implementation, env.prefix) == (said.version, said.implementation, said.prefix)
    assert env.architecture == said.markers["platform_machine"]
    assert env.base == said.base_prefix


def test_nothing_in_the_home_is_broken_or_unknown(home: Home) -> None:
    """No false alarm, and no environment that nobody made."""
    found = home.having(UV_CACHE_DIR=str(home.path / "uv-cache")).find(roots=(str(home.path / "src"),))
    assert [env for env in found if env.problem is not None] == []
    assert {env.prefix for env in found} == {made.prefix for made in home.made.values()}
