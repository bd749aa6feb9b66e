"""A search that is asked again: nothing is looked for where nothing has changed, and nothing that has changed is missed."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from bench.worlds import machine
from support.homes import build

from envkit.control import Work
from envkit.discovery import again, search
from envkit.discovery.locators import TABLE
from envkit.discovery.looking import Looking
from envkit.events import Event, Finished
from envkit.models.environment import Environment
from envkit.system import states
from envkit.system.look import Look

if TYPE_CHECKING:
    from conftest import World

    from envkit.host import Host

CHANGES = int(os.environ.get("ENVKIT_TEST_CHANGES", "50"))  # of one world that are tried


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Believe changes of this moment: the clock of this file system is fine enough, and nobody else writes there."""
    for name in ("_SETTLED", "_SETTLED_COARSE"):
        monkeypatch.setattr(states, name, -(10**15))
    again.forget()
    yield
    again.forget()


@pytest.fixture(params=["machine", "tree"])
def host(request: pytest.FixtureRequest, host: Host, tmp_path: Path, installed: Callable[..., Path]) -> Host:
    """A home in which every tool has made something; or a tree that stands for a machine, where links are kept inside."""
    if request.param == "tree":
        return machine(tmp_path / "root", 24)
    base = installed(tmp_path / "usr", "3.12.1")
    home = tmp_path / "home"
    (home / "src").mkdir(parents=True)
    build(home, base, installed)
    environ = {"HOME": str(home), "PATH": f"{base.parent}:{home}/.local/bin"}
    return replace(host, home=home, cwd=home / "src", data=home / ".local/share/envkit", environ=environ)


def fresh(host: Host) -> list[Environment]:
    """Return what is there, looked for as if for the first time."""
    return list(Looking(TABLE, frozenset(), ()).steps(Look(host)))


def find(host: Host, **asked: object) -> list[Environment]:
    return list(search.search(Work(host=host), table=TABLE, **asked))  # type: ignore[arg-type]


def is_remembered(host: Host) -> bool:
    """Say whether the answer comes from memory: then it is the same objects."""
    _, first, second = find(host), find(host), find(host)
    return bool(first) and all(one is other for one, other in zip(first, second, strict=True))


def test_what_was_asked_twice_is_remembered(host: Host) -> None:
    first, second, third = find(host), find(host), find(host)
    assert len(first) > 20
    assert first == second == third == fresh(host)
    assert all(one is not other for one, other in zip(first, second, strict=True))
    assert all(one is other for one, other in zip(second, third, strict=True))


def test_what_changes_in_a_directory_on_the_way_is_no_change(host: Host, tmp_path: Path) -> None:
    assert is_remembered(host)
    before, grounds = find(host), again.grounds() or ()
    assert host.root != Path("/") or str(tmp_path.parent) in {path for path, *_ in grounds}
    (tmp_path.parent / f"beside-{tmp_path.name}").write_text("")
    assert [ground for ground in grounds if not states.is_same(ground)] == []
    assert all(one is other for one, other in zip(before, find(host), strict=True))


def test_a_directory_on_the_way_becomes_a_link(host: Host) -> None:
    """It is the same directory by device and inode, and paths through it are spelled otherwise."""
    assert is_remembered(host)
    before = find(host)
    above = host.home.parent if host.root != Path("/") else host.home
    above.rename(above.with_name("aside"))
    above.symlink_to("aside")
    after = find(host)
    assert after == fresh(host)
    assert all(one is not other for one, other in zip(before, after, strict=False))


def test_no_change_is_missed(host: Host) -> None:
    place = host.home if host.root == Path("/") else host.root
    paths = sorted(path for path in place.rglob("*") if not path.name.startswith("tool"))
    chosen = random.Random(832)
    tried = [(path, change) for path in paths for change in _changes(path)]
    tried = chosen.sample(tried, min(CHANGES, len(tried)))
    assert is_remembered(host)
    noticed = 0
    for path, change in tried:
        if not os.path.lexists(path):
            continue
        before = find(host)
        undo = change(path)
        expected = fresh(host)
        assert find(host) == expected, (change.__name__, path)
        noticed += expected != before
        undo()
        assert find(host) == before, ("undone", change.__name__, path)
    assert noticed > 10
    assert is_remembered(host)


def _changes(path: Path) -> list[Callable[[Path], Callable[[], object]]]:
    if path.is_symlink():
        return [_gone, _elsewhere]
    return [_gone, _marked, _filled] if path.is_dir() else [_gone, _other, _rewritten]


def _gone(path: Path) -> Callable[[], object]:
    aside = path.parent.with_name(f"{path.parent.name}-aside")
    path.rename(aside)
    return lambda: aside.rename(path)


def _elsewhere(path: Path) -> Callable[[], object]:
    target = os.readlink(path)
    path.unlink()
    path.symlink_to("/nowhere/at/all")

    def undo() -> None:
        path.unlink()
        path.symlink_to(target)

    return undo


def _marked(path: Path) -> Callable[[], object]:
    """Make an environment of a directory."""
    mark = path / "pyvenv.cfg"
    if mark.exists():
        return lambda: None
    mark.write_text("home = /nowhere/bin\nversion = 3.9.1\n")
    return mark.unlink


def _filled(path: Path) -> Callable[[], object]:
    """Put in what such directories have where nothing may be: marks, links to nothing, names that are searched for."""
    made = [path / name for name in ("EXTERNALLY-MANAGED", "build-details.json", "history", ".venv") if not os.path.lexists(path / name)]
    for one in made:
        one.write_text("{}")

    def undo() -> None:
        for one in made:
            one.unlink()

    return undo


def _other(path: Path) -> Callable[[], object]:
    """Replace a file by another one at once, as careful programs do."""
    old, status = path.read_bytes(), path.stat()

    def put(data: bytes) -> None:
        new = path.with_name(".new")
        new.write_bytes(data)
        new.chmod(status.st_mode)
        new.rename(path)

    put(old.replace(b"3.12.1", b"3.12.9").replace(b"3.11", b"3.10").replace(b"home", b"nome"))
    return lambda: put(old)


def _rewritten(path: Path) -> Callable[[], object]:
    """Write into a file as it is, without a change of its size, and put its time back, which ctime does not follow."""
    old, status = path.read_bytes(), path.stat()

    def put(data: bytes) -> None:
        with path.open("r+b") as stream:
            stream.write(data)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

    put(old[:-1] + b"\xff" if old[-1:] == b"\n" else old.replace(b"3.12", b"3.13"))
    return lambda: put(old)


def test_other_worlds_kinds_and_variables_are_other_questions(host: Host) -> None:
    everything = find(host)
    assert is_remembered(host)
    assert find(host, kinds=["interpreter"]) == [env for env in everything if env.kind == "interpreter"]
    nothing = replace(host, environ={**host.environ, "HOME": "/nowhere", "PATH": "/nowhere", "WORKON_HOME": str(host.home / ".venvs")})
    assert find(nothing) == fresh(nothing)
    assert find(host) == everything


def test_what_changed_just_now_is_not_kept(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(states, "_SETTLED", 10**18)  # as if all had changed just now
    find(host)
    assert not is_remembered(host)


def test_plugged_in_locators_and_named_directories_are_asked_each_time(host: Host) -> None:
    class Plugged:
        NAME, KINDS, asked = "plugged", frozenset({"venv"}), 0

        def candidates(self, look: Look, roots: tuple[str, ...]) -> Iterator[str]:
            Plugged.asked += 1
            return iter(())

        def identify(self, look: Look, candidate: str) -> None:
            return None

    for _ in range(3):
        list(search.search(Work(host=host), table=[Plugged(), *TABLE]))
    assert Plugged.asked == 3
    for _ in range(3):
        first, second = find(host, roots=(str(host.home),)), find(host, roots=(str(host.home),))
        assert first == second
        assert first[0] is not second[0]


def test_the_report_is_the_same(host: Host) -> None:
    def told() -> list[tuple[bool, str]]:
        heard: list[Event] = []
        list(search.search(Work(host=host, report=heard.append), table=TABLE))
        return [(event.ok, event.text) for event in heard if isinstance(event, Finished)]

    first = told()
    assert len(first) > len(TABLE)
    assert sum(text not in {"", "0 found"} for _, text in first) > 5
    assert first == told() == told()


def test_who_hangs_where_it_is_looked_at_again_costs_only_that(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_remembered(host)
    before, hanging = find(host), threading.Event()

    def hang(self: again.Question, look: Look) -> None:
        hanging.wait(60)

    monkeypatch.setattr(again.Question, "answer", hang)
    monkeypatch.setattr(search, "PATIENCE", 0.3)
    try:
        assert find(host) == before
    finally:
        hanging.set()


def test_threads_may_ask_at_once(world: World) -> None:
    expected, answers = world.find(), list[list[Environment]]()
    threads = [threading.Thread(target=lambda: answers.extend(world.find() for _ in range(5))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [expected] * 20
