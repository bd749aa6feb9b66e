"""What envkit leaves for conda, mamba and editors, and reads of theirs: history, requested specs, pins, marks, the user's list."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from envkit.conda import bookkeeping
from envkit.conda.request import Linked
from envkit.control import Work
from envkit.errors import RefusedError
from envkit.formats import conda_history, conda_meta
from envkit.host import Host

pytestmark = pytest.mark.core

TINY = Linked(
    name="tiny", version="1.0", build="h0_0", subdir="noarch", channel="https://conda.anaconda.org/conda-forge/", url="", requested="tiny<2"
)
LEAF = Linked(name="leaf", version="1.0", build="h0_0", subdir="noarch", channel="https://user:secret9@host/t/tk-99999/mine", url="")


def _environment(prefix: Path, *packages: str) -> Path:
    (prefix / "conda-meta").mkdir(parents=True)
    for package in packages:
        (prefix / "conda-meta" / f"{package}.json").write_text("{}")
    return prefix


def test_a_change_is_a_block_of_the_history(tmp_path: Path) -> None:
    """What was put in, what went and what was asked for are told as conda tells them, after what others wrote."""
    prefix = _environment(tmp_path / "env", "tiny-1.0-h0_0")
    history = prefix / "conda-meta" / "history"
    history.write_text("==> 2026-01-01 00:00:00 <==\n# cmd: conda create -n env leaf\n# update specs: ['leaf']")  # and no line end
    bookkeeping.record_change(
        prefix, command=("envkit", "install", "tiny<2"), linked=[TINY], unlinked=[LEAF], asked=["tiny<2"], dropped=["leaf"]
    )
    first, second = conda_history.load(history.read_text())
    assert first.asked == ("leaf",)
    assert (second.linked, second.unlinked) == (("conda-forge/noarch::tiny-1.0-h0_0",), ("https://host/mine/noarch::leaf-1.0-h0_0",))
    assert (second.asked, second.dropped) == (("tiny<2",), ("leaf",))
    assert bookkeeping.requested(prefix) == {"tiny": "tiny<2"}
    assert conda_meta.creation(history.read_text())[1:3] == ("create", "-n")


def test_no_change_is_no_block(tmp_path: Path) -> None:
    """Where nothing changed and nothing was asked for, nothing is written."""
    prefix = _environment(tmp_path / "env")
    bookkeeping.record_change(prefix, command=("envkit", "install"))
    assert os.listdir(prefix / "conda-meta") == []


def test_a_package_that_is_gone_is_asked_for_no_more(tmp_path: Path) -> None:
    """A spec in the history counts only while its package is installed."""
    prefix = _environment(tmp_path / "env", "tiny-1.0-h0_0")
    bookkeeping.record_change(prefix, command=("envkit", "create"), asked=["tiny", "leaf"])
    assert bookkeeping.requested(prefix) == {"tiny": "tiny"}
    assert bookkeeping.requested(tmp_path / "nothing") == {}


def test_the_list_is_appended_to_and_never_written_anew(host: Host) -> None:
    """Environments that cannot be seen stay in the list, one that is there is not added again, a torn last line is not continued."""
    path = host.home / ".conda" / "environments.txt"
    path.parent.mkdir()
    path.write_text("/not/mounted/now\n/opt/torn")
    one = host.cwd / "one"
    assert bookkeeping.register(one, Work(host=host))
    assert not bookkeeping.register(one, Work(host=host))
    assert path.read_text() == f"/not/mounted/now\n/opt/torn\n{one}\n"


def test_the_list_is_left_alone_where_that_is_wanted(host: Host) -> None:
    """Who opted out finds no list; an environment of conda-build is in none; a list that cannot be made is no error."""
    path = host.home / ".conda"
    assert not bookkeeping.register(host.cwd / "one", Work(host=host), wanted=False)
    assert not bookkeeping.register(host.cwd / "_h_env_placehold_placehold_pl", Work(host=host))
    assert not path.exists()
    path.write_text("a file where the directory should be")
    assert not bookkeeping.register(host.cwd / "one", Work(host=host))


def test_many_at_once_lose_no_line(host: Host) -> None:
    """Twenty environments that are registered at the same time are all in the list, each once."""
    threads = [threading.Thread(target=bookkeeping.register, args=(host.cwd / f"e{number % 10}", Work(host=host))) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = (host.home / ".conda" / "environments.txt").read_text().splitlines()
    assert sorted(lines) == [str(host.cwd / f"e{number}") for number in range(10)]


def test_a_list_of_another_world_holds_its_paths(tmp_path: Path, host: Host) -> None:
    """Paths are written as that machine writes them, not as the tree that stands for it lies here."""
    other = replace(host, root=tmp_path / "root")
    assert bookkeeping.register(tmp_path / "root" / "srv" / "env", Work(host=other))
    assert (host.home / ".conda" / "environments.txt").read_text() == "/srv/env\n"


@pytest.mark.parametrize(
    "mark,why", [("", ""), ('{"message": "production,\\nhands off"}', "production,\nhands off"), ("{nonsense", ""), ('["a"]', "")]
)
def test_a_frozen_environment_is_refused_with_its_reason(tmp_path: Path, mark: str, why: str) -> None:
    """CEP 22: the mark's message is in the error, also an empty mark refuses, and the hint says how to go on."""
    prefix = _environment(tmp_path / "env")
    bookkeeping.refuse_frozen(prefix)
    (prefix / "conda-meta" / "frozen").write_text(mark)
    with pytest.raises(RefusedError) as caught:
        bookkeeping.refuse_frozen(prefix)
    assert caught.value.code == "frozen"
    assert why in str(caught.value)
    assert "clone" in str(caught.value.hint)


def test_pins_are_read_without_remarks(tmp_path: Path) -> None:
    """`conda-meta/pinned` is one spec a line; remarks and blank lines are none; without the file there is none."""
    prefix = _environment(tmp_path / "env")
    assert bookkeeping.pinned(prefix) == ()
    (prefix / "conda-meta" / "pinned").write_text("# keep\n\ntiny ==1.0\n  leaf <2  \n")
    assert bookkeeping.pinned(prefix) == ("tiny ==1.0", "leaf <2")


def test_the_time_of_making_is_kept(tmp_path: Path) -> None:
    """`conda-meta/created_at` is a number as conda writes it, and is written once."""
    prefix = _environment(tmp_path / "env")
    bookkeeping.mark_created(prefix)
    said = (prefix / "conda-meta" / "created_at").read_text()
    bookkeeping.mark_created(prefix)
    assert (prefix / "conda-meta" / "created_at").read_text() == said
    assert float(said.strip()) > 1.7e9


def test_looking_loads_nothing_heavy() -> None:
    """Reading pins and marks imports neither rattler, yaml nor the engine."""
    code = "import sys; import envkit.conda.bookkeeping; sys.exit(bool({'rattler', 'yaml', 'envkit.conda.rattler'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
