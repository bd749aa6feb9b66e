"""The place that an environment is made in, where our lock excludes nobody: each has a data directory of its own."""

from __future__ import annotations

import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

import envkit
from envkit import Environment, Host
from envkit.errors import BusyError, ExistsError
from envkit.lifecycle import place
from envkit.planning import Observation

ROUNDS = 20


def test_of_several_with_data_of_their_own_one_makes_it_and_none_takes_it_away(host: Host, tmp_path: Path) -> None:
    base = envkit.resolve(Path(sys.base_prefix), host=host)
    for number in range(ROUNDS):
        prefix, made = tmp_path / f"shared{number}", list[Environment]()
        if number % 2:
            prefix.mkdir()  # an empty directory, which none of them makes
        failures: list[BaseException] = []
        together = threading.Barrier(4)

        def make(
            who: int,
            prefix: Path = prefix,
            made: list[Environment] = made,
            failures: list[BaseException] = failures,
            together: threading.Barrier = together,
        ) -> None:
            together.wait()
            try:
                made.append(envkit.create(prefix, python=base, host=replace(host, data=tmp_path / f"data{who}")))
            except (BusyError, ExistsError) as error:
                failures.append(error)

        threads = [threading.Thread(target=make, args=(who,)) for who in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(made) == 1, failures
        assert len(failures) == 3
        assert envkit.run(prefix, ["python", "-c", "print('whole')"], capture_output=True, host=host).stdout == "whole\n"
        assert envkit.resolve(prefix, host=host).problem is None


@pytest.mark.skipif(sys.platform == "win32", reason="the mark is not held there")
def test_what_somebody_is_making_there_is_not_taken_for_half_made(tmp_path: Path) -> None:
    prefix = tmp_path / "theirs"
    half_made = Observation(prefix=prefix, state="half-made", marked=True)
    with place.fresh(prefix):
        with pytest.raises(BusyError), place.replacing(half_made):
            raise AssertionError("it is not ours")
        (prefix / ".envkit/dirty.json").rename(tmp_path / "mark")  # it is finished
    with pytest.raises(BusyError), place.replacing(half_made):
        raise AssertionError("it is ready")
    (tmp_path / "mark").rename(prefix / ".envkit/dirty.json")
    with place.replacing(half_made):  # who made it has ended without finishing
        assert not prefix.exists()


def test_what_somebody_is_making_there_is_not_touched(tmp_path: Path) -> None:
    prefix = tmp_path / "theirs"
    (prefix / ".envkit").mkdir(parents=True)
    (prefix / ".envkit/dirty.json").write_text("{}")
    with pytest.raises(BusyError), place.fresh(prefix):
        raise AssertionError("it is not ours")
    assert (prefix / ".envkit/dirty.json").read_text() == "{}"


def test_what_somebody_has_made_meanwhile_is_not_touched(tmp_path: Path) -> None:
    prefix = tmp_path / "theirs"
    prefix.mkdir()
    (prefix / "pyvenv.cfg").touch()
    with pytest.raises(BusyError), place.fresh(prefix):
        raise AssertionError("it is not ours")
    assert [path.name for path in prefix.iterdir()] == ["pyvenv.cfg"]


def test_what_could_not_be_deleted_is_swept_by_the_next(tmp_path: Path) -> None:
    prefix = tmp_path / "demo"
    for tail in ("00000000", "0123abcd", "no-tail-of-ours"):
        (tmp_path / f"{place.ASIDE}demo-{tail}" / "bin").mkdir(parents=True)
    with place.replacing(Observation(prefix=prefix, state="absent")):
        pass
    assert [path.name for path in tmp_path.iterdir()] == [f"{place.ASIDE}demo-no-tail-of-ours"]


def test_while_the_first_name_is_taken_another_one_is_put_aside_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prefix = tmp_path / "demo"
    prefix.mkdir()
    (tmp_path / f"{place.ASIDE}demo-00000000").mkdir()
    monkeypatch.setattr("envkit.system.files.delete_renamed", lambda path: None)  # somebody uses what is in it
    with place.replacing(Observation(prefix=prefix, state="ready")):
        assert not prefix.exists()
        assert len(list(tmp_path.glob(f"{place.ASIDE}demo-????????"))) == 2
