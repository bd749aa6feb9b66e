"""Limits: how deep is looked, what is left out, what a slow or endless locator costs, and that the report tells all of it."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from support.patience import more_and_more, own_time, until

from envkit.control import Work
from envkit.discovery import search as searching
from envkit.discovery.locators import TABLE
from envkit.discovery.search import search
from envkit.errors import CancelledError, DeadlineError
from envkit.events import Finished, Started
from envkit.models.environment import Environment
from envkit.system import walking
from envkit.system.look import Look

if TYPE_CHECKING:
    from conftest import World


def environment(prefix: Path) -> Path:
    """Make what is known as an environment, of which the base is gone."""
    prefix.mkdir(parents=True)
    (prefix / "pyvenv.cfg").write_text("home = /nowhere/bin\n")
    return prefix


def below(world: World, root: Path) -> list[str]:
    """Return the prefixes found below a root, relative to it."""
    return sorted(str(env.prefix.relative_to(root)) for env in world.find(roots=(str(root),)) if env.prefix.is_relative_to(root))


@pytest.mark.core
def test_a_root_is_walked_four_levels_deep(empty: World, tmp_path: Path) -> None:
    """So `.venv` of a package three directories down is found; what lies deeper is found when its directory is named."""
    root = empty.host.root / "srv"
    near = environment(root / "a/b/c/.venv")
    environment(root / "a/b/c/d/e/env")
    environment(root / "first")
    assert below(empty, root) == ["a/b/c/.venv", "first"]
    assert below(empty, near.parent) == [".venv", "d/e/env"]
    assert walking.DEPTH == 4


@pytest.mark.core
def test_directories_in_which_nobody_keeps_environments_are_left_out(empty: World) -> None:
    root = empty.host.root / "srv"
    for name in ("node_modules/x", ".git/env", "__pycache__/env", ".cache/env", "p/node_modules/env", "p/.git/env", "p/site-packages/env"):
        environment(root / name)
    environment(root / "p/.hidden")
    environment(root / "p/.keep/env")
    environment(root / "p/.keep/deep/deeper/env")
    assert below(empty, root) == ["p/.hidden", "p/.keep/env"]


def test_inside_of_an_environment_only_what_is_its_own_is_left_out(empty: World) -> None:
    """An environment in the directory of another one is found; its library is not searched."""
    root = empty.host.root / "srv"
    environment(root / "outer")
    environment(root / "outer/lib/env")
    environment(root / "outer/nested")
    assert below(empty, root) == ["outer", "outer/nested"]


def test_a_root_that_is_no_directory_is_told(world: World, tmp_path: Path) -> None:
    """Nothing lies below it, and the report says so; whatever else is there is found."""
    told = list[object]()
    (tmp_path / "file").touch()
    roots = (str(tmp_path / "file"), str(tmp_path / "nowhere"))
    list(search(Work(host=world.host, report=told.append), table=TABLE, roots=roots))
    assert all(f"skipped {root}, which is no directory" in reported(told, "roots").text for root in roots)


def test_links_are_looked_at_and_not_walked(empty: World) -> None:
    """So a circle ends; what a link leads to is found under it, one level deep."""
    root = empty.host.root / "srv"
    environment(empty.host.root / "other/env")
    environment(empty.host.root / "other/a/b/env")
    root.mkdir()
    (root / "circle").symlink_to(".")
    (root / "far").symlink_to("../other")
    assert below(empty, root) == ["far/env"]
    (root / "linked").symlink_to("../other/env")
    assert [sorted([env.prefix, *env.aliases]) for env in empty.find(roots=(str(root),))] == [[root / "far/env", root / "linked"]]


@pytest.mark.core
def test_other_systems_drives_and_networks_are_entered_only_when_named(empty: World) -> None:
    root = empty.host.root
    environment(root / "mnt/c/project/.venv")
    environment(root / "mnt/data/.venv")
    environment(root / "mnt/share/.venv")
    (root / "proc/self").mkdir(parents=True)
    line = "36 35 98:0 / {} rw,noatime master:1 - {} server:/export rw\n"
    (root / "proc/self/mountinfo").write_text(line.format("/mnt/share", "nfs4") + line.format("/mnt/data", "ext4"))
    told: list[object] = []
    found = list(search(Work(host=empty.host, report=told.append), table=TABLE, roots=(str(root / "mnt"),)))
    assert [env.prefix for env in found] == [root / "mnt/data/.venv"]
    (text,) = {event.text for event in told if isinstance(event, Finished) and event.text.startswith("0 found; ")}
    assert "mnt/c was not entered" in text
    assert "mnt/share was not entered" in text
    assert below(empty, root / "mnt/c") == ["project/.venv"]
    assert below(empty, root / "mnt/share") == [".venv"]


def test_a_walk_ends_after_so_many_names_and_says_so(empty: World) -> None:
    root = empty.host.root / "srv"
    for directory in range(11):
        (root / f"{directory:02}").mkdir(parents=True)
        for name in range(30):
            (root / f"{directory:02}" / f"{name}").touch()
    look = Look(empty.host)
    assert len(walking.walk(look, str(root))) == 12
    assert look.notes == []
    assert walking.ENTRIES >= 100_000


class Slow:
    """A locator that waits in what it is told to, for one path or for all."""

    NAME: Final = "slow"
    KINDS: Final = frozenset({"interpreter"})

    def __init__(self, where: str, *, path: str = "", seconds: float = 30.0) -> None:
        self.where, self.path = where, path
        self.free = threading.Event()
        self.seconds = seconds

    def candidates(self, look: Look, roots: tuple[str, ...]) -> Iterator[str]:
        """Name one, then wait."""
        if self.path:
            yield self.path
        if self.where == "candidates":
            self.free.wait(self.seconds)
        if self.where == "endless":
            yield from (f"/nowhere/{number}" for number in itertools.count())
        if self.where == "busy":
            while not self.free.is_set():
                look.names(f"/nowhere/{time.monotonic()}")

    def identify(self, look: Look, candidate: str) -> Environment | None:
        """Wait, or know nothing."""
        if self.where == "identify" and self.path in {"", candidate}:
            self.free.wait(self.seconds)
        return None


def good(world: World, installed: Callable[..., Path]) -> World:
    """Return the world with two Pythons in it."""
    for version in ("3.11.4", "3.12.1"):
        installed(world.host.home / ".pyenv/versions" / version, version)
    return world


def reported(told: list[object], name: str) -> Finished:
    """Return what the report said of a locator."""
    (number,) = [event.id for event in told if isinstance(event, Started) and event.text == name]
    (said,) = [event for event in told if isinstance(event, Finished) and event.id == number]
    return said


@pytest.mark.parametrize("where", ["candidates", "identify"])
def test_a_locator_that_hangs_costs_only_its_own_results(empty: World, installed: Callable[..., Path], where: str) -> None:
    """Whatever it hangs in, all its neighbours' finds are given out in a bounded time, and the report says who was late and for how long."""
    world, slow, told = good(empty, installed), Slow(where), list[object]()
    with own_time() as took:
        found = list(search(Work(host=world.host, report=told.append), table=(slow, *TABLE)))
    assert took.seconds < 2 * searching.PATIENCE + 1
    slow.free.set()
    assert found == world.find()
    assert len(found) == 2
    said = reported(told, "slow")
    assert not said.ok
    assert "no answer within 2" in said.text
    assert said.seconds >= searching.PATIENCE
    assert reported(told, "pyenv").ok
    assert reported(told, "pyenv").text == "2 found"


def test_patience_is_shorter_in_a_call_with_little_time(empty: World, installed: Callable[..., Path]) -> None:
    world, slow = good(empty, installed), Slow("candidates")
    for seconds in more_and_more(1.2):
        with own_time() as took, suppress(DeadlineError):  # where this machine stood still for as long
            assert len(list(search(Work(host=world.host, timeout=seconds), table=(slow, *TABLE)))) == 2
            break
    assert took.seconds < seconds - 0.2
    slow.free.set()


def test_a_path_that_nobody_gets_an_answer_for_is_left_out(empty: World, installed: Callable[..., Path]) -> None:
    """When a second locator hangs on the same path, it is the path that is to blame: both are asked again for what comes after."""
    world = good(empty, installed)
    path = str(world.host.home / ".pyenv/versions/3.12.1/bin/python3.12")
    first, second, told = Slow("identify", path=path), Slow("identify", path=path), list[object]()
    for seconds in more_and_more(4):
        told.clear()
        with suppress(DeadlineError):  # as above
            found = list(search(Work(host=world.host, report=told.append, timeout=seconds), table=(first, second, *TABLE)))
            break
    first.free.set()
    second.free.set()
    assert [env.prefix.name for env in found] == ["3.11.4"]
    assert any(isinstance(event, Finished) and f"skipped {path}" in event.text for event in told)


@pytest.mark.slow
def test_one_that_works_for_ever_is_ended_too(empty: World, installed: Callable[..., Path]) -> None:
    world, slow = good(empty, installed), Slow("busy")
    with own_time() as took:
        assert len(list(search(Work(host=world.host), table=(slow, *TABLE)))) == 2
    assert took.seconds < searching.LONGEST + 3
    slow.free.set()


def test_one_that_names_candidates_without_end_is_cut(empty: World, installed: Callable[..., Path]) -> None:
    world, told = good(empty, installed), list[object]()
    found = list(search(Work(host=world.host, report=told.append), table=(*TABLE, Slow("endless"))))
    assert len(found) == 2
    assert "skipped what comes after 10000 candidates" in reported(told, "slow").text


def test_when_time_is_up_what_was_found_is_out_and_the_rest_is_named(empty: World, installed: Callable[..., Path]) -> None:
    world, told = good(empty, installed), list[object]()
    slow = [Slow("candidates") for _ in range(6)]
    given: list[Environment] = []
    with pytest.raises(DeadlineError):
        given.extend(search(Work(host=world.host, report=told.append, timeout=0.4), table=(*slow, *TABLE)))
    (last,) = [event.text for event in told[-1:] if isinstance(event, Finished)]
    assert "not asked in time: " in last
    assert "pyenv" in last
    for one in slow:
        one.free.set()


def test_a_search_that_hangs_can_be_cancelled_and_abandoned(empty: World, installed: Callable[..., Path]) -> None:
    world, slow, cancel = good(empty, installed), Slow("candidates"), threading.Event()
    threading.Timer(0.2, cancel.set).start()
    with own_time() as took, pytest.raises(CancelledError):
        list(search(Work(host=world.host, cancel=cancel), table=(slow, *TABLE)))
    assert took.seconds < 1
    slow.free.set()
    generator = search(Work(host=world.host), table=TABLE)
    next(generator)
    generator.close()
    assert until(lambda: not any(thread.name == "envkit find" for thread in threading.enumerate())), "a worker goes on"


@pytest.mark.core
def test_the_report_tells_of_each_locator_in_the_order_of_the_table(empty: World, installed: Callable[..., Path]) -> None:
    """What it found and how long it took, inside the search's own beginning and end."""
    world, told = good(empty, installed), list[object]()
    began = time.monotonic()
    list(search(Work(host=world.host, report=told.append), table=TABLE))
    whole = time.monotonic() - began
    begun = [event for event in told if isinstance(event, Started)]
    assert [event.text for event in begun[1:]] == [locator.NAME for locator in TABLE]
    assert {event.parent for event in begun[1:]} == {begun[0].id}
    assert {event.activity for event in begun} == {"find"}
    assert reported(told, "pyenv").text == "2 found"
    assert reported(told, "venv").text == "0 found"
    assert 0 < reported(told, "pyenv").seconds < whole
