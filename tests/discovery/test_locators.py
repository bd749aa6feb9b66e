"""The contract of every locator in the table: what it names it or another knows, the same from every path, the same twice."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
from support.homes import build

from envkit.discovery.locators import TABLE
from envkit.discovery.search import identify
from envkit.formats.ready_record import Record, dump_record
from envkit.formats.record_text import MARKS, READY
from envkit.models.vocabulary import KINDS, MANAGERS
from envkit.protocols import Locator
from envkit.system.look import Look
from envkit.system.walking import promising

if TYPE_CHECKING:
    from conftest import World

ELSEWHERE = {"homebrew", "pymanager", "python.org", "scoop", "shims", "windows-registry", "windows-store", "winpython", "xcode"}
"""Locators of other platforms, and one that names only what is no interpreter; each has trees of its own."""


@pytest.fixture
def full(world: World, installed: Callable[..., Path], tmp_path: Path) -> World:
    """A world in which every locator has something to find."""
    base = installed(tmp_path / "usr", "3.12.1")
    pyenv = installed(world.host.home / ".pyenv/versions/3.11.4", "3.11.4")
    places = {
        world.host.cwd / ".venv": base,
        world.host.home / ".virtualenvs" / "analysis": base,
        world.host.data / "environments" / "demo": base,
        tmp_path / "active": base,
        pyenv.parents[1] / "envs" / "own": pyenv,
    }
    for prefix, python in places.items():
        (prefix / "bin").mkdir(parents=True)
        (prefix / "bin/python").symlink_to(python)
        (prefix / "pyvenv.cfg").write_text(f"home = {python.parent}\n")
    marks = world.host.data / "environments/demo" / MARKS
    marks.mkdir()
    (marks / READY).write_text(dump_record(Record(prefix=str(marks.parent), name="demo")))
    (pyenv.parents[2] / "own").symlink_to(pyenv.parents[1] / "envs" / "own")
    return world.having(VIRTUAL_ENV=str(tmp_path / "active"), PATH=f"{base.parent}:{tmp_path}/active/bin")


@pytest.mark.core
@pytest.mark.parametrize("locator", [one for one in TABLE if one.NAME not in ELSEWHERE], ids=lambda locator: cast("Locator", locator).NAME)
def test_what_a_locator_names_is_known_and_the_same_from_every_path(
    installed: Callable[..., Path], tmp_path: Path, locator: Locator, full: World
) -> None:
    if locator.NAME not in {"active", "managed", "pyenv", "project", "path"}:
        everything = tmp_path / "all"
        full = type(full)(replace(full.host, home=everything, cwd=everything)).having(JUPYTER_DATA_DIR=str(everything / "jupyter"))
        build(full.host.home, installed(tmp_path / "usr", "3.12.1"), installed)
    roots = promising(Look(full.host), str(full.host.home / "src"))
    candidates = list(locator.candidates(Look(full.host), roots))
    assert candidates == list(locator.candidates(Look(full.host), roots))
    found = [env for candidate in candidates if (env := identify(full.host, candidate, TABLE))]
    assert found
    for env in found:
        assert env.kind in locator.KINDS & set(KINDS)
        assert env.manager in MANAGERS
        assert env.problem is None
        assert env.python is not None or env.kind == "conda"
        assert os.path.isabs(env.prefix)
        assert identify(full.host, str(env.prefix), TABLE) == identify(full.host, str(env.python or env.prefix), TABLE) == env


@pytest.mark.core
@pytest.mark.parametrize("locator", TABLE, ids=lambda locator: cast("Locator", locator).NAME)
def test_a_locator_survives_what_is_nothing(full: World, locator: Locator, tmp_path: Path) -> None:
    look = Look(full.host)
    for path in ("/", str(tmp_path), str(tmp_path / "missing"), "/dev/null", os.fsdecode(b"/tmp/\xff"), "relative", ""):
        assert locator.identify(look, path) is None
    assert list(locator.candidates(look, ("/dev/null", "/missing", os.fsdecode(b"/tmp/\xff")))) is not None


@pytest.mark.parametrize("locator", TABLE, ids=lambda locator: cast("Locator", locator).NAME)
def test_a_locators_page_tells_what_it_must(locator: Locator) -> None:
    page = " ".join((locator.__doc__ or "").split())
    assert [word for word in ("Marks:", "Files read:", "Place in the table:") if word not in page] == []


@pytest.mark.core
def test_everything_is_found_once_in_the_order_of_the_table(full: World, tmp_path: Path) -> None:
    home, pyenv = full.host.home, full.host.home / ".pyenv/versions"
    found = full.find()
    mine = [env for env in found if str(env.prefix).startswith(str(tmp_path))]
    assert [(env.prefix, env.manager, env.name) for env in mine] == [
        (tmp_path / "active", "venv", None),
        (full.host.data / "environments/demo", "envkit", "demo"),
        (pyenv / "3.11.4", "pyenv", "3.11.4"),
        (pyenv / "own", "pyenv", "own"),
        (home / ".virtualenvs/analysis", "venv", "analysis"),
        (full.host.cwd / ".venv", "venv", None),
        (tmp_path / "usr", "path", None),
    ]
    assert found == full.find()
    assert len({env.id for env in found}) == len(found)
