"""One tree of errors: caught by what to do next, told apart by code, with facts that survive travel."""

from __future__ import annotations

import copy
import inspect
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from envkit import errors
from envkit.errors import BusyError, CorruptError, DeadlineError, EnvkitError, InstallError, NotFoundError, ProcessError, UsageError

pytestmark = pytest.mark.core
ALL = [kind for kind in vars(errors).values() if inspect.isclass(kind) and issubclass(kind, EnvkitError)]


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_every_error_travels_with_its_facts(kind: type[EnvkitError]) -> None:
    """pickle and copy keep class, sentence and facts; the sentence is what str gives, also for those that are TimeoutErrors."""
    error = kind("a sentence", code="some-code", hint="do this", retryable=True, log=Path("/x.log"))
    error.__notes__ = ["a note"]
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(other) is kind
        assert str(other) == "a sentence"
        assert (other.code, other.hint, other.retryable, other.log) == ("some-code", "do this", True, Path("/x.log"))
        assert other.__notes__ == ["a note"]


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_every_error_has_defaults_and_refuses_strange_facts(kind: type[EnvkitError]) -> None:
    """Each fact that its class declares is there, without being given; a misspelt one is a TypeError."""
    error = kind("x")
    assert error.code
    assert error.hint is None
    for name in {
        name for base in kind.__mro__ for name in inspect.get_annotations(base) if name != "_defaults" and issubclass(base, EnvkitError)
    }:
        assert hasattr(error, name), name
    wrong: Any = {"hnit": "x"}
    with pytest.raises(TypeError, match="hnit"):
        kind("x", **wrong)


def test_errors_are_caught_by_the_standard_ones() -> None:
    """Who knows nothing of envkit catches a timeout, a wrong value, a failed lookup."""
    for kind, standard in {
        BusyError: TimeoutError,
        DeadlineError: TimeoutError,
        UsageError: ValueError,
        CorruptError: ValueError,
        NotFoundError: LookupError,
    }.items():
        assert issubclass(kind, standard)
        with pytest.raises(standard):
            raise kind("x")
    assert str(NotFoundError("no such Python")) == "no such Python"


def test_own_facts_are_of_their_class() -> None:
    """What only one error has."""
    assert BusyError("x", holder=3).holder == 3
    assert InstallError("x", package="rich").package == "rich"
    assert ProcessError("x", returncode=-9, stderr="e").returncode == -9
    with pytest.raises(TypeError):
        NotFoundError("x", holder=3)


def test_another_package_of_the_same_name_is_told_in_one_line(tmp_path: Path) -> None:
    """Where another distribution's `envkit/__init__.py` lies over ours, the first of our modules says how that is mended."""
    package = tmp_path / "envkit"
    package.mkdir()
    (package / "__init__.py").write_text("# somebody else's\n")
    (package / "errors.py").write_text(Path(errors.__file__).read_text("utf-8"), "utf-8")
    done = subprocess.run([sys.executable, "-c", "import envkit.errors"], cwd=tmp_path, capture_output=True, text=True)
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: ")
    assert "pip uninstall -y envkit envkit-python" in last
    assert "pip install envkit-python" in last
