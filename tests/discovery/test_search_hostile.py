"""Hostile candidates: none hangs, breaks or runs anything, and the good neighbour beside them is found."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from support.patience import own_time

from envkit.control import Work
from envkit.discovery.locators import TABLE
from envkit.discovery.search import search
from envkit.errors import CancelledError, DeadlineError
from envkit.events import Finished
from envkit.models.environment import Environment
from envkit.system.look import Look

if TYPE_CHECKING:
    from conftest import World


@pytest.mark.core
def test_hostile_files_on_path_cost_only_themselves(world: World, installed: Callable[..., Path], tmp_path: Path) -> None:
    bad, mark = tmp_path / "bad", tmp_path / "mark"
    bad.mkdir()
    os.mkfifo(bad / "python")
    (bad / "python3").mkdir()
    (bad / "python3.7").symlink_to("python3.8")
    (bad / "python3.8").symlink_to("python3.7")
    (bad / "python3.9").write_bytes(os.urandom(4096))
    (bad / "python3.10").write_bytes(b"\x7fELF")
    (bad / "python3.11").write_text(f"#!/bin/sh\ntouch {mark}\n")
    (bad / "python3.12").symlink_to("/nowhere")
    (bad / "python3.13").touch()
    (bad / "pypy3").symlink_to(bad)
    (bad / os.fsdecode(b"python\xff")).touch()
    for path in bad.iterdir():
        if path.is_file():
            path.chmod(0o755)
    good = installed(tmp_path / "good", "3.12.3")
    with own_time() as took:
        found = world.having(PATH=f"{bad}:{good.parent}").find(managers=("path",))
    assert [env.python for env in found if str(env.python).startswith(str(tmp_path))] == [good]
    assert took.seconds < 2
    assert not mark.exists()


def test_hostile_directories_cost_only_themselves(world: World, installed: Callable[..., Path], tmp_path: Path) -> None:
    """A fifo, a directory or 64 MiB as pyvenv.cfg, a name that is no text: each is told as broken, and nothing waits."""
    root = tmp_path / "projects"
    base = installed(tmp_path / "base", "3.12.3")
    for name in ("fifo", "directory", "large", "good", os.fsdecode(b"n\xffme")):
        (root / name / "bin").mkdir(parents=True)
        (root / name / "bin/python").symlink_to(base)
    os.mkfifo(root / "fifo/pyvenv.cfg")
    (root / "directory/pyvenv.cfg").mkdir()
    with open(root / "large/pyvenv.cfg", "wb") as stream:
        stream.truncate(64 * 1024 * 1024)
    for name in ("good", os.fsdecode(b"n\xffme")):
        (root / name / "pyvenv.cfg").write_text(f"home = {base.parent}\n")
    os.mkfifo(root / "good/.envkit")
    found = {env.prefix.name: env.problem.code if env.problem else None for env in world.ours(roots=(str(root),), kinds=("venv",))}
    assert found == {
        "fifo": "config-unreadable",
        "directory": "config-unreadable",
        "large": "config-unreadable",
        "good": None,
        os.fsdecode(b"n\xffme"): None,
    }


@pytest.mark.core
@pytest.mark.parametrize("entry", [".", "", "bin", "~/bin", "./bin", "../work/bin"])
def test_an_entry_of_path_that_is_not_absolute_is_not_followed(world: World, installed: Callable[..., Path], entry: str) -> None:
    installed(world.host.cwd, "3.12.3")
    installed(world.host.home, "3.12.3")
    found = world.having(PATH=f"{entry}:{world.host.cwd}/none:").find(managers=("path",))
    assert [env for env in found if str(env.prefix).startswith(str(world.host.cwd.parent))] == []


def test_links_in_a_circle_end(world: World, tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    (tmp_path / "self").symlink_to(".")
    deep = tmp_path.joinpath(*["self"] * 60, "bin", "python")
    assert world.at(tmp_path / "a" / "bin" / "python") is None
    assert world.at(deep) is None


def test_a_home_that_names_itself_ends(world: World, tmp_path: Path) -> None:
    """Two environments that name each other as base are broken, nothing worse."""
    for name, other in (("a", "b"), ("b", "a")):
        (tmp_path / name / "bin").mkdir(parents=True)
        (tmp_path / name / "pyvenv.cfg").write_text(f"home = {tmp_path / other / 'bin'}\n")
        (tmp_path / name / "bin/python").symlink_to(tmp_path / other / "bin/python")
    assert world.sure(tmp_path / "a").problem is not None
    (tmp_path / "a/pyvenv.cfg").write_text(f"home = {tmp_path / 'a' / 'bin'}\n")
    assert world.sure(tmp_path / "a").problem is not None


class Broken:
    """A locator that fails in what it is told to."""

    NAME: Final = "broken"
    KINDS: Final = frozenset({"venv"})

    def __init__(self, where: str) -> None:
        self.where = where

    def candidates(self, look: Look, roots: tuple[str, ...]) -> Iterator[str]:
        """Yield one, then fail."""
        yield "/nowhere"
        if self.where == "candidates":
            raise RuntimeError("candidates")

    def identify(self, look: Look, candidate: str) -> Environment | None:
        """Fail or know nothing."""
        if self.where == "identify":
            raise OSError("identify")
        return None


@pytest.mark.parametrize("where", ["candidates", "identify"])
def test_a_locator_that_fails_costs_only_what_it_would_have_found(
    world: World, installed: Callable[..., Path], tmp_path: Path, where: str
) -> None:
    good = installed(tmp_path / "good", "3.12.3")
    told: list[object] = []
    host = world.having(PATH=str(good.parent)).host
    found = list(search(Work(host=host, report=told.append), table=(Broken(where), *TABLE)))
    assert good in [env.python for env in found]
    assert any(
        isinstance(event, Finished) and f"broken: skipped, {'RuntimeError' if where == 'candidates' else 'OSError'}" in event.text
        for event in told
    )


def test_a_call_that_is_over_ends(world: World) -> None:
    with pytest.raises(DeadlineError):
        list(search(Work(host=world.host, timeout=0), table=TABLE))
    import threading

    cancel = threading.Event()
    cancel.set()
    with pytest.raises(CancelledError):
        list(search(Work(host=world.host, cancel=cancel), table=TABLE))
