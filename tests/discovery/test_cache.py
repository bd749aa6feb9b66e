"""Probing many: side by side, within one time, and never twice for a Python that did not change."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.patience import OwnTime, more_and_more, own_time

import envkit
from envkit.control import Work
from envkit.discovery import probing
from envkit.discovery.cache import ProbeCache, identity
from envkit.models.environment import Environment


def counting(directory: Path, name: str = "python3", answers: str = 'exec "$REAL" "$@"') -> Path:
    """Make a program that notes each of its starts in `starts` and then does what a Python does."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / name
    path.write_text(f'#!/bin/sh\necho x >> "{directory}/starts"\nREAL="{sys.executable}"\n{answers}\n')
    path.chmod(0o755)
    return path


def starts(directory: Path) -> int:
    """Return how often it was started."""
    with suppress(FileNotFoundError):
        return len((directory / "starts").read_text().splitlines())
    return 0


def asked(world: Any, *pythons: Path, **control: Any) -> list[Environment]:
    """Probe some Pythons as a search does."""
    return list(
        probing.probed(
            [Environment(prefix=path.parent, kind="interpreter", python=path) for path in pythons], Work(host=world.host, **control)
        )
    )


@pytest.fixture
def real(tmp_path: Path, interpreters: dict[str, Path]) -> Path:
    """A real Python of its own file: a copied environment of a base that allows copies."""
    prefix = tmp_path / "copied"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", "--copies", str(prefix)], check=True)
    return prefix / "bin" / "python"


def cached(world: Any) -> dict[str, Any]:
    """Return the entries on disk."""
    path = world.host.data / "cache" / "probes.json"
    return json.loads(path.read_text())["answers"] if path.exists() else {}


@pytest.mark.core
def test_a_python_that_did_not_change_is_not_run_again(world: Any, real: Path) -> None:
    """The second time the answer comes from the file, equal to the first; nobody else may read it."""
    first = asked(world, real)
    assert first[0].version is not None
    path = world.host.data / "cache" / "probes.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    began = path.stat().st_mtime_ns
    os.chmod(real, 0o644)  # it cannot be run any more, and its identity is the same
    assert asked(world, real) == first
    assert path.stat().st_mtime_ns == began


@pytest.mark.core
def test_a_python_that_changed_is_run_again(world: Any, real: Path) -> None:
    """Another time, size or file, or another pyvenv.cfg of its environment, and the answer counts no more."""
    asked(world, real)
    known = identity(str(real), "")
    os.utime(real, ns=(1, 1))
    assert identity(str(real), "") != known
    os.chmod(real, 0o644)
    problem = asked(world, real)[0].problem
    assert problem is not None
    assert problem.code == "python-unusable"
    before = identity(str(real), "")
    (real.parent.parent / "pyvenv.cfg").write_text("home = /elsewhere\n")
    assert identity(str(real), "") != before
    before = identity(str(real), "")
    shutil.copy2(real, real.with_name("other"))
    real.with_name("other").replace(real)
    assert identity(str(real), "") != before


def test_that_it_does_not_run_is_remembered_for_a_while(world: Any, tmp_path: Path) -> None:
    """A failure is kept, so that it does not cost its time again, but not for ever."""
    broken = counting(tmp_path / "broken", answers="exit 3")
    first = asked(world, broken)[0].problem
    assert asked(world, broken)[0].problem == first
    assert starts(tmp_path / "broken") == 1
    path = world.host.data / "cache" / "probes.json"
    raw = json.loads(path.read_text())
    for entry in raw["answers"].values():
        entry["until"] = time.time() - 1
    path.write_text(json.dumps(raw))
    asked(world, broken)
    assert starts(tmp_path / "broken") == 2


def test_what_a_shim_says_is_not_kept(world: Any, tmp_path: Path) -> None:
    """A program that hands over to another Python is asked each time: what it says depends on more than its file."""
    shim = counting(tmp_path / "shim")
    for number in (1, 2):
        assert asked(world, shim)[0].version is not None
        assert starts(tmp_path / "shim") == number


@pytest.mark.parametrize("text", ["", "{", "[]", '{"answers": {}}', "\0" * 50, '{"answers": 3}'])
def test_a_damaged_cache_is_none(world: Any, real: Path, text: str) -> None:
    """What cannot be read costs the time of asking again, and is written anew."""
    path = world.host.data / "cache" / "probes.json"
    path.parent.mkdir(parents=True, mode=0o700)
    path.write_text(text)
    assert asked(world, real)[0].version is not None
    assert len(cached(world)) == 1


def test_a_cache_that_others_may_write_is_not_believed(world: Any, real: Path) -> None:
    """A directory that everybody may write in is neither read nor written, and the report says so; nor is a file of that kind."""
    asked(world, real)
    directory = world.host.data / "cache"
    raw = (directory / "probes.json").read_text()
    forged = raw.replace(f'\\"version\\": \\"{sys.version_info[0]}.', '\\"version\\": \\"9.')
    assert forged != raw
    (directory / "probes.json").write_text(forged)
    version = asked(world, real)[0].version
    assert version is not None
    assert version.major == 9, "believed as long as it is private"
    (directory / "probes.json").chmod(0o666)
    version = asked(world, real)[0].version
    assert version is not None
    assert version.major == sys.version_info[0]
    (directory / "probes.json").write_text(forged)
    directory.chmod(0o777)
    told: list[str] = []
    env = Environment(prefix=real.parent, kind="interpreter", python=real)
    found = list(probing.probed([env], Work(host=world.host), told=told))
    assert found[0].version is not None
    assert found[0].version.major == sys.version_info[0]
    assert len(told) == 1
    assert (directory / "probes.json").read_text() == forged


def test_where_nothing_can_be_written_nothing_is_kept(world: Any, real: Path, tmp_path: Path) -> None:
    """A data directory that cannot be made costs nothing but the cache."""
    (tmp_path / "file").write_text("")
    host = replace(world.host, data=tmp_path / "file" / "data")
    env = Environment(prefix=real.parent, kind="interpreter", python=real)
    assert next(iter(probing.probed([env], Work(host=host)))).version is not None


def test_writers_at_once_lose_nothing(world: Any, tmp_path: Path) -> None:
    """Ten caches that are saved at once are all in the file, as each of them read it before."""
    files = [tmp_path / f"python{number}" for number in range(10)]
    caches = []
    for file in files:
        file.write_text("x")
        caches.append(ProbeCache(world.host, "script"))
        caches[-1].put(str(file), "", identity(str(file), ""), probing.Kept(None, "no"))
    threads = [threading.Thread(target=cache.save) for cache in caches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(cached(world)) == 10
    late = ProbeCache(world.host, "script")
    assert all(late.get(str(file), "") == probing.Kept(None, "no") for file in files)
    loader = replace(world.host, environ={**world.host.environ, "LD_LIBRARY_PATH": "/elsewhere"})
    for other in (ProbeCache(world.host, "another script"), ProbeCache(loader, "script")):
        assert other.get(str(files[0]), "") is None, "another question"


@pytest.mark.core
def test_they_are_run_side_by_side_and_given_in_order(world: Any, tmp_path: Path) -> None:
    """Eight Pythons that each wait for the other seven all answer, and come in the order in which they were given."""
    up = tmp_path / "up"
    up.mkdir()
    meet = f'echo > "{up}/$$"; until [ $(/bin/ls "{up}" | /usr/bin/wc -l) -ge 8 ]; do /bin/sleep 0.05; done'
    slow = [
        counting(tmp_path / str(number), answers=f'{meet}; /bin/sleep {0 if number else 0.3}; exec "$REAL" "$@"') for number in range(8)
    ]
    found = asked(world, *slow)
    assert [env.python for env in found] == slow
    assert all(env.version is not None for env in found)


@pytest.mark.core
def test_those_that_hang_cost_no_neighbour(world: Any, tmp_path: Path, real: Path) -> None:
    """With a timeout the call ends in it and gives out everything: twelve that hang with a problem, the good one with its facts."""
    mark = f".{os.getpid()}{time.monotonic_ns()}"  # of this run
    hanging = [counting(tmp_path / f"hang{number}", answers=f"/bin/sleep 617{mark} & /bin/sleep 617{mark}") for number in range(12)]
    for seconds in more_and_more(2.5):
        with own_time() as took:
            found = asked(world, *hanging, real, timeout=seconds)
        assert took.seconds < seconds + 1
        if found[-1].version is not None:  # it had time enough to say so
            break
    assert [env.python for env in found] == [*hanging, real]
    assert [env.problem is not None and env.problem.code for env in found[:-1]] == ["python-unusable"] * 12
    assert found[-1].version is not None
    assert not any(str(path) in key for path in hanging for key in cached(world)), "that the call was short is no fault of theirs"
    assert f"sleep 617{mark}" not in subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout


def test_no_time_left_is_said_and_leaves_the_facts_of_the_files(world: Any, tmp_path: Path) -> None:
    """What there is no time to run is given as files tell it, and named in the report."""
    hanging = [counting(tmp_path / f"hang{number}", answers="/bin/sleep 618") for number in range(20)]
    told: list[str] = []
    envs = [Environment(prefix=path.parent, kind="interpreter", python=path) for path in hanging]
    found = list(probing.probed(envs, Work(host=world.host, timeout=1.0), told=told))
    left = [env for env in found if env.problem is None]
    assert left
    assert [f"{env.python}: not run, there was no time left" for env in left] == told


def test_abandoning_kills_what_runs(world: Any, tmp_path: Path) -> None:
    """A search that probes and is closed, or cancelled, leaves no process and does not wait for one."""
    mark = f".{os.getpid()}{time.monotonic_ns()}"  # of this run
    hanging = counting(tmp_path / "hang", answers=f"/bin/sleep 619{mark}")
    quick = counting(tmp_path / "quick")
    took = OwnTime()
    envs = [Environment(prefix=path.parent, kind="interpreter", python=path) for path in (quick, hanging)]
    coming = probing.probed(envs, Work(host=world.host))
    assert next(coming).python == quick
    coming.close()
    stop = threading.Event()
    timer = threading.Timer(0.5, stop.set)
    timer.start()
    with pytest.raises(envkit.CancelledError):
        asked(world, hanging, cancel=stop)
    took.stop()
    assert took.seconds < 8
    assert f"sleep 619{mark}" not in subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout


def test_what_is_known_to_be_broken_is_not_run(world: Any, tmp_path: Path) -> None:
    """A script in the place of an environment's Python is not run, whatever the policy says."""
    root = tmp_path / "many"
    program = counting(root / "env" / "bin", "python")
    (root / "env" / "pyvenv.cfg").write_text("home = /usr/bin\n")
    found = [env for env in world.find(roots=(str(root),), kinds=("venv",), probe="all") if env.prefix == root / "env"]
    assert found[0].problem is not None
    assert starts(program.parent) == 0


def test_a_search_that_probes_keeps_order_and_number(world: Any, interpreters: dict[str, Path]) -> None:
    """Probing changes what is known of each, not which ones there are nor their order; a second search is equal."""
    searching = world.having(PATH=os.pathsep.join(str(path.parent) for path in interpreters.values()))
    plain = searching.find()
    probed = searching.find(probe="known")
    assert [env.id for env in plain] == [env.id for env in probed]
    assert searching.find(probe="known") == probed
    for before, after in zip(plain, probed, strict=True):
        if after.kind == "interpreter":
            assert after.version is not None
            assert len(after.version.release) == 3
            assert before.architecture == after.architecture
            assert before.free_threaded == after.free_threaded
