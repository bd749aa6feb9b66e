"""`envkit find --json` in process after process: the same text again, by next to nothing, and never one that is out of date."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from envkit import Host

pytestmark = [
    pytest.mark.core,
    pytest.mark.skipif(os.name != "posix", reason="change times are POSIX's"),
]

# What the search needs, which a repeated answer must do without.
_LOADED = (
    "import sys; from envkit.cli.main import main; code = main(); print('envkit.discovery' in sys.modules, file=sys.stderr); sys.exit(code)"
)


class Machine:
    """A home of its own with one environment, and the command line in it."""

    def __init__(self, root: Path, host: Host) -> None:
        self.home = host.home
        self.project = self.home / "src" / "project"
        self.project.mkdir(parents=True)
        self.packages = root / "packages"
        self.packages.mkdir()
        self.make(self.home / ".virtualenvs" / "first")
        self.environ = {**host.environ, "PATH": "/usr/bin:/bin", "PYTHONPATH": str(self.packages)}
        self.environ.pop("TMPDIR", None)
        self.cache = host.data / "cache"
        self.cache.mkdir(mode=0o700, parents=True)  # to make it is a change of the home, which is looked at
        self.settle()

    def make(self, prefix: Path) -> None:
        (prefix / "bin").mkdir(parents=True)
        (prefix / "bin" / "python").symlink_to(os.path.realpath(sys.executable))
        (prefix / "pyvenv.cfg").write_text(f"home = {os.path.dirname(os.path.realpath(sys.executable))}\nversion = 3.9.1\n")

    def settle(self) -> None:
        time.sleep(0.15)  # what changed just now is not believed

    def find(self, *words: str, **environ: str) -> tuple[str, bool]:
        """Return what was written, and whether it was only repeated."""
        argv = [sys.executable, "-c", _LOADED, "find", *(words or ("--json",))]
        done = subprocess.run(argv, cwd=self.project, env={**self.environ, **environ}, capture_output=True, text=True, check=True)
        return done.stdout, done.stderr.split()[-1] == "False"

    def again(self, *words: str) -> str:
        """Return what is repeated, as soon as it is: a neighbour may change a directory that was looked at, such as the one for temporary files."""
        for _ in range(20):
            self.settle()
            text, repeated = self.find(*words)
            if repeated:
                return text
        raise AssertionError("nothing is repeated")

    def prefixes(self, **environ: str) -> set[Path]:
        return {Path(env["prefix"]) for env in json.loads(self.find(**environ)[0])}

    def kept(self) -> list[Path]:
        return sorted(self.cache.glob("found-*"))


@pytest.fixture
def desk(tmp_path: Path, host: Host) -> Machine:
    return Machine(tmp_path, host)


def test_the_very_first_process_makes_the_cache(desk: Machine) -> None:
    shutil.rmtree(desk.cache.parent)
    desk.settle()
    first, _ = desk.find()
    assert desk.cache.stat().st_mode & 0o777 == 0o700
    assert desk.again() == first


@pytest.mark.parametrize("words", [("--json",), ("--stream",), ("--json", "--stream")])
def test_the_second_process_repeats_the_answer(desk: Machine, words: tuple[str, ...]) -> None:
    first, repeated = desk.find(*words)
    assert not repeated
    assert "first" in first
    assert desk.again(*words) == first
    assert [path.stat().st_mode & 0o777 for path in desk.kept()] == [0o600]


def test_the_table_and_narrower_questions_are_looked_for(desk: Machine) -> None:
    desk.find()
    desk.settle()
    for words in ((), ("--tree",), ("--json", "--kind", "venv"), ("--json", "--timeout", "60")):
        done = subprocess.run(
            [sys.executable, "-c", _LOADED, "find", *words], cwd=desk.project, env=desk.environ, capture_output=True, text=True, check=True
        )
        assert done.stderr.split()[-1] == "True", words


def _another(desk: Machine) -> None:
    desk.make(desk.home / ".virtualenvs" / "second")


def _one_less(desk: Machine) -> None:
    shutil.rmtree(desk.home / ".virtualenvs" / "first")


def _another_version(desk: Machine) -> None:
    mark = desk.home / ".virtualenvs" / "first" / "pyvenv.cfg"
    before = mark.stat()
    mark.write_text(mark.read_text().replace("version = 3.9.1", "prompt = zzz99"))
    os.utime(mark, ns=(before.st_atime_ns, before.st_mtime_ns))


def _a_place_that_was_not_there(desk: Machine) -> None:
    desk.make(desk.home / ".venvs" / "third")


def _plugged_in(desk: Machine) -> None:
    (desk.packages / "plugged.py").write_text(
        "NAME = 'plugged'\nKINDS = frozenset({'venv'})\n"
        "def candidates(look, roots):\n    yield '/opt/never/there'\n"
        "def identify(look, candidate):\n    return None\n"
    )
    info = desk.packages / "plugged-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plugged\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[envkit.locators]\nplugged = plugged\n")


@pytest.mark.parametrize("change", [_another, _one_less, _another_version, _a_place_that_was_not_there, _plugged_in])
def test_a_change_is_seen_at_once(desk: Machine, change: Callable[[Machine], None]) -> None:
    before, _ = desk.find()
    assert desk.again() == before
    change(desk)
    after, repeated = desk.find()
    assert not repeated
    desk.kept()[0].unlink()
    assert desk.find()[0] == after
    assert (after == before) == (change in {_another_version, _plugged_in})


def test_an_answer_belongs_to_variables_and_directory(desk: Machine) -> None:
    desk.find()
    elsewhere = desk.home / "elsewhere"
    desk.make(elsewhere / "other")
    desk.settle()
    assert elsewhere / "other" not in desk.prefixes()
    assert elsewhere / "other" in desk.prefixes(WORKON_HOME=str(elsewhere))
    assert elsewhere / "other" not in desk.prefixes()
    desk.project = desk.home / "src"
    assert not desk.find()[1]


@pytest.mark.parametrize("name", ["a space", "a\nline", "$(touch mark)", "l 1 2 3 x", "\udcff"])
def test_any_name_is_told_as_it_is(desk: Machine, name: str) -> None:
    prefix = desk.home / ".virtualenvs" / name
    desk.make(prefix)
    assert json.dumps(str(prefix)) in desk.again()
    shutil.rmtree(prefix)
    assert json.dumps(str(prefix)) not in desk.find()[0]


def test_eight_at_once(desk: Machine) -> None:
    argv = [sys.executable, "-m", "envkit", "find", "--json"]
    running = [subprocess.Popen(argv, cwd=desk.project, env=desk.environ, stdout=subprocess.PIPE, text=True) for _ in range(8)]
    said = {process.communicate()[0] for process in running}
    assert [process.returncode for process in running] == [0] * 8
    assert said == {desk.again()}
    assert sorted(desk.cache.iterdir()) == desk.kept()  # nothing half written is left


def test_no_value_of_a_variable_is_kept(desk: Machine) -> None:
    desk.environ["A_TOKEN"] = "open-sesame-832"
    desk.again()
    kept = desk.kept()
    assert len(kept) == 1
    assert "open-sesame-832" not in kept[0].read_text()


def test_an_answer_that_others_may_write_is_not_believed(desk: Machine) -> None:
    first = desk.again()
    (kept,) = desk.kept()
    kept.write_text(kept.read_text().replace('"name": "first"', '"name": "wrong"'))
    assert "wrong" in desk.find()[0]  # who can write this file decides what is said
    kept.chmod(0o622)
    assert desk.find() == (first, False)
    kept.write_text(kept.read_text().replace('"name": "first"', '"name": "wrong"'))
    desk.cache.chmod(0o777)
    assert desk.find() == (first, False)


@pytest.mark.parametrize("seconds", [-3700, 3700])
def test_an_old_answer_is_looked_for_anew(desk: Machine, seconds: int) -> None:
    """Also one from the future, by a clock that was wrong."""
    first = desk.again()
    (kept,) = desk.kept()
    os.utime(kept, (time.time() + seconds, time.time() + seconds))
    assert desk.find() == (first, False)
    assert abs(kept.stat().st_mtime - time.time()) < 60


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can give a directory away")
def test_nothing_is_left_in_the_home_of_somebody_else(desk: Machine) -> None:
    """As `sudo` without `-H` borrows it: what it makes there would be in its owner's way."""
    shutil.rmtree(desk.cache.parent)
    os.chown(desk.home, 1234, 1234)
    desk.settle()
    desk.find()
    assert not desk.cache.parent.exists()


@pytest.mark.parametrize("content", [b"", b"\0", b"\xff" * 100, b"envkit-kept/1\0a\0b", b"envkit-kept/1"])
def test_a_damaged_answer_is_replaced(desk: Machine, content: bytes) -> None:
    first = desk.again()
    (kept,) = desk.kept()
    kept.write_bytes(content)
    desk.settle()
    assert desk.find() == (first, False)
    assert desk.again() == first


def test_a_damaged_line_is_no_reason_to_fail(desk: Machine) -> None:
    first = desk.again()
    (kept,) = desk.kept()
    head, key, *states, text = kept.read_text().split("\0")
    kept.write_text("\0".join((head, key, "f 1", *states, text)))
    assert desk.find() == (first, False)


def test_where_nothing_can_be_written_the_answer_is_the_same(desk: Machine) -> None:
    first, _ = desk.find()
    shutil.rmtree(desk.cache)
    desk.cache.write_text("a file where a directory is wanted")
    assert desk.find() == (first, False)


def test_nobody_reads_a_repeated_answer(desk: Machine) -> None:
    desk.again()
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "envkit", "find", "--json"],
            cwd=desk.project,
            env=desk.environ,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, b"error: what was found cannot be written: No space left on device\n")
