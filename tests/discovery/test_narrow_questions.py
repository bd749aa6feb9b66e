"""A search asks as little as it can, and gets the answers that asking everything would give."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.homes import build

import envkit
from envkit.discovery.locators import TABLE, WAYS, table, things_of
from envkit.discovery.virtual import kind_of
from envkit.formats.ready_record import Record, dump_record
from envkit.formats.record_text import MARKS, READY
from envkit.system.look import Look

if TYPE_CHECKING:
    from conftest import World


@pytest.fixture
def home(world: World, installed: Callable[..., Path], tmp_path: Path) -> World:
    """A home in which every tool has something, and envkit has one that looks like a project's."""
    place = tmp_path / "home"
    own = elsewhere(world, place)
    build(place, installed(tmp_path / "usr", "3.12.1"), installed)
    prefix = place / "src" / "ours" / ".venv"
    for directory in (prefix / "bin", prefix / MARKS):
        directory.mkdir(parents=True)
    (prefix.parent / "pyproject.toml").write_text("[tool.poetry]\n[tool.pdm]\n[tool.uv]\n")
    (prefix / "bin/python").symlink_to(tmp_path / "usr/bin/python3.12")
    (prefix / "pyvenv.cfg").write_text(f"home = {tmp_path}/usr/bin\nuv = 0.9\n")
    (prefix / MARKS / READY).write_text(dump_record(Record(prefix=str(prefix))))
    return own


def elsewhere(world: World, place: Path) -> World:
    """Return the same machine with another home."""
    return type(world)(replace(world.host, home=place, cwd=place)).having(JUPYTER_DATA_DIR=str(place / "jupyter"))


@pytest.mark.core
def test_who_is_not_asked_would_have_said_nothing(home: World) -> None:
    """Of every path that a search meets, a locator that is passed over has no answer, or one that is never believed."""
    found = home.find(roots=(str(home.host.home / "src"),))
    paths = {str(path) for env in found for path in (env.prefix, env.python, env.base, *env.aliases) if path is not None}
    paths |= {str(home.host.home), str(home.host.home / "src"), "/usr/bin/python3", "/usr", "/nowhere", "/usr/bin"}
    kinds: set[str] = set()
    for path in paths:
        look = Look(home.host)
        kind = kind_of(look, path)
        kinds.add(kind)
        for locator in TABLE:
            if kind not in things_of(locator):
                said = locator.identify(look, path)
                assert said is None or (kind != "interpreter" and said.kind == "interpreter"), (locator.NAME, path)
    assert kinds == {"interpreter", "venv", "envkit"}


def test_what_envkit_made_is_its_own_in_any_project(home: World) -> None:
    """Beside files of three other tools, too: it has the project, and no other owner."""
    env = home.sure(home.host.home / "src/ours/.venv")
    assert (env.manager, env.project, env.problem) == ("envkit", home.host.home / "src/ours", None)


@pytest.mark.core
@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_the_table_of_a_system_is_the_whole_one_without_those_of_others(platform: str) -> None:
    left_out = {name for name, _, system in WAYS if system not in {"", platform}}
    names = [locator.__name__.rpartition(".")[2] for locator in TABLE]  # type: ignore[attr-defined]
    assert [locator.__name__.rpartition(".")[2] for locator in table(platform)] == [name for name in names if name not in left_out]  # type: ignore[attr-defined]
    assert left_out


@pytest.mark.core
@pytest.mark.skipif(sys.platform != "linux", reason="says what is imported on Linux")
def test_locators_of_other_systems_and_the_parser_are_not_imported() -> None:
    """A plain command line, as programs give it, is read without argparse."""
    code = (
        "import sys; sys.argv = ['envkit', 'find', '--json']\n"
        "from envkit.cli.main import main; main()\n"
        "names = ('argparse', 'envkit.events', 'envkit.discovery.locators.xcode', 'envkit.discovery.locators.windows_registry')\n"
        "print([name for name in names if name in sys.modules])"
    )
    environ = {**os.environ, "PYTHONPATH": str(Path(envkit.__file__).parent.parent)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environ, check=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.fixture
def tree(empty: World) -> World:
    """A tree with links of all sorts."""
    root = empty.host.root
    (root / "opt/tool/bin").mkdir(parents=True)
    (root / "opt/tool/bin/python3.12").write_text("x")
    for name, target in {
        "opt/tool/bin/python": "python3.12",
        "opt/tool/bin/dangling": "nothing",
        "opt/current": "/opt/tool",
        "opt/far": "/etc",
        "opt/up": "../../../../../opt/tool",
        "opt/circle": "circle",
    }.items():
        (root / name).symlink_to(target)
    return empty


@pytest.mark.core
def test_what_a_listing_tells_is_what_asking_would_tell(tree: World) -> None:
    """Kinds, links and places are the same whether the directory was listed before or not, and lead nowhere outside of the tree."""
    opt = str(tree.host.root / "opt")
    names = ("tool", "current", "far", "up", "circle", "missing", "tool/bin", "tool/bin/python", "tool/bin/python3.12", "tool/bin/dangling")
    paths = [f"{opt}/{name}" for name in (*names, "current/bin/python", "up/bin/python3.12", "missing/python")]

    def told(look: Look, path: str) -> tuple[object, ...]:
        directory, name = os.path.split(path)
        return (
            look.real(path),
            look.link(path),
            look.last(path),
            look.is_directory(path),
            look.is_file(path),
            look.data(path, 10),
            look.holds(directory, name) or look.link(path) is not None,
            look.names_beginning(path, ("python",)),
        )

    for path in paths:
        fresh, listed = Look(tree.host), Look(tree.host)
        for directory in (opt, f"{opt}/tool", f"{opt}/tool/bin", f"{opt}/current", path):
            listed.names(directory)
        assert told(fresh, path) == told(listed, path), path
        assert str(told(fresh, path)[0]).startswith(str(tree.host.root))
