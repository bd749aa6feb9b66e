"""What `value.dataclass` makes is what `dataclasses.dataclass` makes, as far as anyone can see."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from envkit import value

pytestmark = pytest.mark.core


def point(decorator: Any) -> Any:
    """Return the same class, made by one of the two."""

    @decorator(frozen=True, slots=True, kw_only=True)
    class Point:
        """A place."""

        x: int
        y: int = 2
        label: str | None = None

        def __post_init__(self) -> None:
            if self.x < 0:
                raise ValueError("negative")

        @property
        def far(self) -> bool:
            return self.x > 10

    return Point


OURS, THEIRS = point(value.dataclass), point(dataclasses.dataclass)


@value.dataclass(frozen=True, slots=True)
class Pair:
    """Fields that may be given by position, and a hash and a text of its own."""

    first: int
    second: int = 0

    def __str__(self) -> str:
        return "pair"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pair) and self.first == other.first

    def __hash__(self) -> int:
        return self.first


@pytest.mark.parametrize(
    "seen",
    [
        lambda made: repr(made(x=1)).rpartition(".")[2],
        lambda made: str(inspect.signature(made)),
        lambda made: made(x=1) == made(x=1, y=2, label=None) != made(x=2),
        lambda made: made(x=1).__eq__(1) is NotImplemented,
        lambda made: len({made(x=1), made(x=1), made(x=3)}),
        lambda made: made.__match_args__,
        lambda made: made.__slots__,
        lambda made: made.__doc__,
        lambda made: [(field.name, field.type, field.default, field.kw_only) for field in dataclasses.fields(made) if field.default != 0],
        lambda made: [field.name for field in dataclasses.fields(made(x=1))],
        lambda made: dataclasses.asdict(made(x=1)),
        lambda made: dataclasses.astuple(dataclasses.replace(made(x=1), y=7)),
        lambda made: dataclasses.astuple(copy.deepcopy(made(x=1))),
        dataclasses.is_dataclass,
        lambda made: made(x=11).far,
        lambda made: made.__init__.__name__,
        lambda made: hasattr(made(x=1), "__dict__"),
    ],
)
def test_it_is_seen_as_a_dataclass(seen: Callable[[Any], object]) -> None:
    """Every look at the class or a value gives what the standard library's gives."""
    assert seen(OURS) == seen(THEIRS)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda made: made(),
        lambda made: made(1),
        lambda made: made(x=1, z=2),
        lambda made: made(x=-1),
        lambda made: setattr(made(x=1), "x", 2),
        lambda made: delattr(made(x=1), "x"),
        lambda made: dataclasses.replace(made(x=1), z=1),
        lambda made: value.replace(made(x=1), z=1),
    ],
)
def test_what_is_refused_is_refused(wrong: Callable[[Any], object]) -> None:
    """With the same kind of error."""
    with pytest.raises(Exception) as theirs:
        wrong(THEIRS)
    with pytest.raises(type(theirs.value)) as ours:
        wrong(OURS)
    assert type(ours.value) is type(theirs.value)


def test_fields_may_be_given_by_position_and_methods_are_kept() -> None:
    """Where the class is not for keywords only; what a class says itself is never replaced; pickles come back."""
    assert (Pair(1, 2).second, str(Pair(1)), hash(Pair(5)), Pair.__match_args__) == (2, "pair", 5, ("first", "second"))
    assert Pair(1, 2) == Pair(1, 3)
    back = pickle.loads(pickle.dumps(Pair(1, 2)))
    assert (back.first, back.second) == (1, 2)
    assert value.replace(Pair(1, 2), second=9).second == 9
    with pytest.raises(TypeError):
        value.dataclass(frozen=False, slots=True)


def test_values_do_without_the_standard_librarys() -> None:
    """Defining and making values imports neither dataclasses nor inspect."""
    code = "import sys, envkit.value as v\nfrom envkit.models.environment import Problem\nProblem(code='a', message='b')\n"
    done = subprocess.run(
        [sys.executable, "-c", code + "print('dataclasses' in sys.modules, 'inspect' in sys.modules)"], capture_output=True, text=True
    )
    assert done.stdout.split() == ["False", "False"], done.stderr
