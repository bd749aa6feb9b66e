"""What all values promise: frozen, equal by fields, hashable, picklable, replaceable; lists become tuples, a bare string is refused."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version

from envkit.events import Finished, Output, Progress, Started
from envkit.host import Host
from envkit.models.activation import Activation, Interpreter
from envkit.models.cells import Output as CellOutput, Result
from envkit.models.environment import Environment, Problem
from envkit.models.kernels import Kernel, Proof
from envkit.models.looks import Change, Selection
from envkit.models.mapping import FrozenMapping
from envkit.models.packages import Changes, Outdated, Package
from envkit.models.plans import Plan, Removal, Step
from envkit.models.specs import Lock, Project, Sources, Spec

pytestmark = pytest.mark.core

PACKAGE = Package(name="rich", version="14.0.0", ecosystem="pypi")
SPEC = Spec(
    name="demo",
    pypi=("rich", Project(path=Path("/p"))),
    variables={"A": "1"},
    sources=Sources(exclude_newer=datetime(2026, 1, 1, tzinfo=UTC)),
)
ENV = Environment(
    prefix=Path("/e/.venv"),
    kind="venv",
    problem=Problem(code="moved", message="m", fix=Plan(spec=SPEC, steps=(Step(action="a", text="b"),))),
)
KERNEL = Kernel(name="demo", display_name="Demo", path=Path("/k"), environment=ENV)
VALUES: tuple[Any, ...] = (
    PACKAGE,
    SPEC,
    ENV,
    KERNEL,
    Activation(prepend_path=(Path("/b"),), assign={"A": "1"}, unset=frozenset({"B"})),
    Change(kind="added", environment=ENV),
    Changes(added=(PACKAGE,), updated=((PACKAGE, PACKAGE),)),
    Interpreter(
        executable=Path("/x"),
        prefix=Path("/p"),
        base_prefix=Path("/b"),
        version=Version("3.12"),
        implementation="cpython",
        markers={"a": "b"},
        paths={"purelib": Path("/s")},
    ),
    Lock(format="pylock.toml", text="t", packages=(PACKAGE,)),
    Outdated(package=PACKAGE, latest="15"),
    Proof(seconds=1.5, prefix=Path("/p"), version=Version("3.12.1"), text="42"),
    Removal(paths=(Path("/x"),), kernels=(KERNEL,), size=3, reason="r", done=True),
    Selection(environment=ENV, reason="r"),
    Result(
        outputs=(CellOutput(kind="stdout", text="a", data={}), CellOutput(kind="result", text="b", data={"text/plain": "b"})),
        ok=True,
        seconds=0.1,
    ),
    Started(id=1, parent=None, activity="find", text="t"),
    Progress(id=1, done=2),
    Output(id=1, line="l"),
    Finished(id=1, ok=True, seconds=0.5),
    Host(root=Path("/"), environ={"A": "1"}, platform="linux", home=Path("/h"), cwd=Path("/"), data=Path("/d")),
)


def named(value: object) -> str:
    return type(value).__name__


@pytest.mark.parametrize("value", VALUES, ids=named)
def test_a_value_is_frozen_and_travels(value: Any) -> None:
    """It cannot be changed, has no other attributes, and comes back equal from pickle, copy and replace, with the same hash."""
    field = next(iter(type(value).__dataclass_fields__))
    with pytest.raises(FrozenInstanceError):
        setattr(value, field, None)
    with pytest.raises((FrozenInstanceError, AttributeError, TypeError)):
        value.another = 1
    assert not hasattr(value, "__dict__")
    for other in (pickle.loads(pickle.dumps(value)), copy.copy(value), copy.deepcopy(value), replace(value)):
        assert other == value
        assert hash(other) == hash(value)
        assert repr(other) == repr(value)
    assert {value: 1}[value] == 1


@pytest.mark.parametrize("value", VALUES, ids=named)
def test_a_value_takes_keywords_only(value: Any) -> None:
    """No value is made by position: fields can come later without changing what is written today."""
    with pytest.raises(TypeError):
        type(value)(1)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Spec(pypi="rich"),  # type: ignore[arg-type]
        lambda: Spec(channels="conda-forge"),  # type: ignore[arg-type]
        lambda: Spec(post_install=("python",)),  # type: ignore[arg-type]
        lambda: Project(path=Path(), extras="all"),  # type: ignore[arg-type]
        lambda: Sources(indexes="https://pypi.org/simple"),  # type: ignore[arg-type]
        lambda: Package(name="a", version="1", ecosystem="pypi", requires="b"),  # type: ignore[arg-type]
        lambda: Activation(prepend_path="/bin", assign={}, unset=frozenset()),  # type: ignore[arg-type]
    ],
)
def test_a_bare_string_where_several_are_expected_is_a_type_error(make: Callable[[], object]) -> None:
    """`pypi="rich"` would ask for the packages r, i, c and h."""
    with pytest.raises(TypeError):
        make()


def test_lists_and_mappings_are_kept_immutable() -> None:
    """What was given can change later without the value changing; what is kept is a tuple, a frozenset, an immutable mapping."""
    pypi, variables, command = ["rich"], {"A": "1"}, ["python", "-V"]
    spec = Spec(pypi=pypi, variables=variables, post_install=[command])  # type: ignore[arg-type]
    pypi.append("x")
    variables["B"] = "2"
    command.append("x")
    assert (spec.pypi, dict(spec.variables), spec.post_install) == (("rich",), {"A": "1"}, (("python", "-V"),))
    assert spec == Spec(pypi=("rich",), variables=FrozenMapping({"A": "1"}), post_install=(("python", "-V"),))
    assert Environment(prefix=Path("/x"), kind="venv", aliases=[Path("/y")]).aliases == (Path("/y"),)  # type: ignore[arg-type]


def test_plan_and_changes_are_false_when_there_is_nothing() -> None:
    """`if plan(spec)` reads as it works."""
    assert not Plan(spec=SPEC, key="k")
    assert Plan(steps=(Step(action="a", text="b"),))
    assert not Changes()
    assert Changes(removed=(PACKAGE,))


def test_an_environment_says_its_label() -> None:
    """The name if it has one, the project's for a `.venv`, else the prefix; the version as far as known."""
    assert str(replace(ENV, version=Version("3.12.4"), name="analysis")) == "Python 3.12.4 (analysis)"
    assert str(ENV) == "Python (e)"
    assert str(Environment(prefix=Path("/usr"), kind="interpreter", implementation="pypy", version=Version("3.10"))) == "PyPy 3.10 (/usr)"
    assert "free-threaded" in str(replace(ENV, free_threaded=True))
    assert ENV.id == "/e/.venv"
    assert replace(ENV, python=Path("/e/.venv/bin/python")).id == "/e/.venv/bin/python"


def test_html_shows_hostile_names_as_text() -> None:
    """A notebook shows values; a directory's name is not markup there."""
    hostile = Path("/<script>alert(1)</script>")
    env = Environment(prefix=hostile, kind="venv", name='"><img src=x onerror=alert(1)>')
    kernel = replace(
        KERNEL, environment=env, display_name="<b>", proof=Proof(seconds=1, prefix=hostile, version=Version("3.12"), text="<i>")
    )
    for bundle in (env._repr_mimebundle_(), kernel._repr_mimebundle_()):
        assert set(bundle) == {"text/plain", "text/html"}
        assert not any(tag in bundle["text/html"] for tag in ("<script", "<img", "<b>", "<i>"))


@pytest.mark.parametrize(
    "path, before, after",
    [
        ("/e/bin", "/usr/bin:/bin", "/e/bin:/usr/bin:/bin"),
        ("/e/bin", "", "/e/bin"),
        ("/e/bin", "/x:/e/bin:/x::", "/e/bin:/x:/x"),
        ("/e\\f/bin", "/x", "/e\\f/bin:/x"),
        ("C:\\e\\Scripts", "C:\\x;C:\\y", "C:\\e\\Scripts;C:\\x;C:\\y"),
        ("\\\\share\\e\\Scripts", "C:\\x", "\\\\share\\e\\Scripts;C:\\x"),
    ],
)
def test_activation_puts_its_directories_first(path: str, before: str, after: str) -> None:
    """Once, in front, separated as that platform does; empty entries, which mean the working directory, go."""
    activation = Activation(prepend_path=(Path(path),), assign={"A": "new"}, unset=frozenset({"B"}))
    given = {"PATH": before, "A": "old", "B": "x", "C": "y"}
    assert activation.apply(given) == {"PATH": after, "A": "new", "C": "y"}
    assert given["A"] == "old"


def test_a_result_reads_as_people_would_read_it() -> None:
    """All outputs one after the other."""
    assert VALUES[13].text == "ab"
