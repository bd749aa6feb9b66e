"""`to_json` and `from_json`: every value, event and error comes back equal, and what does not fit is a CorruptError."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import nbformat
import pytest
from hypothesis import given, settings, strategies as st
from packaging.version import Version

from envkit import errors, events, host as host_module
from envkit.errors import BusyError, CorruptError, EnvkitError, KernelError, NotFoundError, UsageError
from envkit.events import Event, Finished, Started
from envkit.formats.nbformat_output import ERROR
from envkit.formats.values import PLACES, from_json, to_json
from envkit.host import Host
from envkit.models import cells, environment, mapping, plans, switch
from envkit.models.activation import Interpreter
from envkit.models.environment import Environment, Problem
from envkit.models.mapping import FrozenMapping
from envkit.models.packages import Changes, Package
from envkit.models.plans import Plan, Removal, Step
from envkit.models.specs import Lock, Project, Sources, Spec

# -- a strategy for each value, made from the types of its fields, so that a new field is tried without being named here

TEXT = st.text(st.characters(codec="utf-8"), max_size=8) | st.sampled_from(["\udce9", "é", "", "\n", "\u2028"])
PATHS = st.builds(Path, st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)) | st.just(Path("/caf\udce9"))
VERSIONS = st.builds(
    lambda release, suffix: Version(".".join(map(str, release)) + suffix),
    st.lists(st.integers(0, 40), min_size=1, max_size=4),
    st.sampled_from(["", "a1", "rc2", ".post1", ".dev0", "+local.1"]),
)
ZONES = st.integers(-12 * 60, 12 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
TIMES = st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1), timezones=ZONES)  # noqa: DTZ001 - hypothesis adds the zone
NAMES = {**vars(host_module), **vars(cells), **vars(mapping), **vars(environment), **vars(plans)}


@st.composite
def outputs(draw: st.DrawFn) -> cells.Output:
    """Give an output as a kernel's client makes it: a bundle of MIME types for display and result, an error's parts, else none."""
    kind = draw(st.sampled_from(["stdout", "stderr", "display", "result", "error"]))
    if kind == "error":
        lines = draw(st.lists(TEXT, min_size=1, max_size=3))
        parts = {"ename": draw(TEXT), "evalue": draw(TEXT), "traceback": lines}
        return cells.Output(kind=kind, text="\n".join(lines), data={ERROR: json.dumps(parts)})
    if kind in {"stdout", "stderr"}:
        return cells.Output(kind=kind, text=draw(TEXT), data={})
    scalars = st.none() | st.booleans() | st.integers() | TEXT
    as_json = st.dictionaries(TEXT, scalars, max_size=2).map(lambda value: json.dumps(value, sort_keys=True))
    data = draw(st.dictionaries(st.sampled_from(["text/plain", "text/html", "image/png"]), TEXT, max_size=2))
    data |= draw(st.dictionaries(st.sampled_from(["application/json", "application/geo+json"]), as_json, max_size=1))
    return cells.Output(kind=kind, text=draw(st.just(data.get("text/plain", "")) | TEXT), data=data)


def _values_of(kind: Any) -> st.SearchStrategy[Any]:
    """Give values of a class, each field by its type."""
    if kind is cells.Output:
        return outputs()
    hints = get_type_hints(kind, localns=None if kind.__module__ == events.__name__ else NAMES)
    return st.builds(kind, **{field.name: _of_hint(hints[field.name]) for field in fields(kind)})


def _of_hint(hint: Any) -> st.SearchStrategy[Any]:
    """Give what a type hint allows; a problem and a plan within a value are small ones, or they would nest for ever."""
    arms = get_args(hint)
    if get_origin(hint) is Mapping:
        return st.dictionaries(TEXT, _of_hint(arms[1]), max_size=2)
    if get_origin(hint) is frozenset:
        return st.frozensets(_of_hint(arms[0]), max_size=2)
    if get_origin(hint) is tuple:
        return st.lists(_of_hint(arms[0]), max_size=2).map(tuple) if arms[-1] is ... else st.tuples(*map(_of_hint, arms))
    if get_origin(hint) is Literal:
        return st.sampled_from(arms)
    if arms:
        return st.one_of(*map(_of_hint, arms))
    return SIMPLE[hint] if hint in SIMPLE else _values_of(hint)


SIMPLE: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXT,
    int: st.integers(),
    bool: st.booleans(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    type(None): st.none(),
    Path: PATHS,
    Version: VERSIONS,
    datetime: TIMES,
    Problem: st.builds(Problem, code=TEXT, message=TEXT, hint=st.none() | TEXT),
    Plan: st.builds(Plan, steps=st.lists(st.builds(Step, action=TEXT, text=TEXT), max_size=2)),
}
VALUES = [cells.Output if name is None else getattr(module, name) for module, name in (
    *((module, name) for module in (environment, plans, events, host_module) for name, kind in vars(module).items()
      if is_dataclass(kind) and kind.__module__ == module.__name__),
    (cells, "Result"), (cells, "Output"), (switch, "Switch"),
)]  # fmt: skip
ERRORS = [kind for kind in vars(errors).values() if inspect.isclass(kind) and issubclass(kind, EnvkitError)]


@pytest.mark.parametrize("kind", VALUES, ids=lambda kind: f"{kind.__module__.rpartition('.')[2]}.{kind.__name__}")
def test_every_value_comes_back_equal(kind: type[Any]) -> None:
    """Whatever a value holds: with its type named and without, alone and among others."""

    @given(_values_of(kind))
    @settings(max_examples=40, deadline=None)
    def comes_back(value: Any) -> None:
        text = to_json(value)
        assert text.isascii()
        assert "\n" not in text
        read = from_json(text)
        assert type(read) is kind
        assert read == value == from_json(text, kind)
        assert hash(read) == hash(value)
        assert to_json(read) == text
        assert from_json(to_json((value, value))) == (value, value)

    comes_back()


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_every_error_comes_back_with_its_facts(kind: type[EnvkitError]) -> None:
    """Its class, its sentence and each fact; asked for as EnvkitError it is still of its own class."""
    facts: dict[str, Any] = {"code": "x-y", "hint": "do é", "retryable": True, "log": Path("/tmp/é.log")}
    own = {"package": "rich", "holder": 17, "output": "é\n", "path": Path("/x"), "stderr": "s", "returncode": -9, "stdout": "o"}
    facts |= {name: value for name, value in own.items() if name in vars(kind("x"))}
    for error in (kind("a sentence", **facts), kind("é")):
        for read in (from_json(to_json(error)), from_json(to_json(error), EnvkitError), from_json(to_json(error), kind)):
            assert type(read) is kind
            assert (str(read), vars(read)) == (str(error), vars(error))


@pytest.mark.core
def test_the_registry_holds_every_value() -> None:
    """No public value is missing from it, and each name leads to its class."""
    named = {kind.__name__ for kind in VALUES if kind is not cells.Output}
    assert set(PLACES) == named
    for module in (environment, plans, events):
        assert {name for name, place in PLACES.items() if f"envkit.{place}" == module.__name__} == {
            kind.__name__ for kind in VALUES if kind.__module__ == module.__name__
        }


@pytest.mark.core
def test_an_environment_looks_like_this() -> None:
    """The text is stable: programs in other languages read it."""
    env = Environment(prefix=Path("/é"), kind="venv", manager="envkit", version=Version("3.13.0"), name="demo")
    assert to_json(env) == (
        '{"aliases": [], "architecture": null, "base": null, "externally_managed": null, "free_threaded": null, "implementation": null, '
        '"kind": "venv", "manager": "envkit", "name": "demo", "prefix": "/\\u00e9", "problem": null, "project": null, "python": null, '
        '"schema": "envkit/Environment/1", "version": "3.13.0", "version_source": null}'
    )
    assert from_json("[" + to_json(env) + "]", tuple[Environment, ...]) == (env,)


@pytest.mark.core
def test_times_are_in_utc_and_need_a_zone() -> None:
    """The same moment in two zones gives one text; a time without zone means nothing to another machine."""
    here = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=5)))
    assert '"exclude_newer": "2026-01-01T22:04:05Z"' in to_json(Sources(exclude_newer=here))
    assert to_json(Sources(exclude_newer=here)) == to_json(Sources(exclude_newer=here.astimezone(UTC)))
    with pytest.raises(UsageError) as caught:
        to_json(Sources(exclude_newer=datetime(2026, 1, 2)))  # noqa: DTZ001 - the point of it
    assert "exclude_newer" in str(caught.value)


@pytest.mark.core
def test_what_is_no_value_is_refused() -> None:
    """Text, numbers, other people's classes, a value that holds one, and not-a-number are a UsageError."""
    strange: Any = object()
    for value in ("text", 3, None, {"a": 1}, ("text",), Path("/x"), Package(name=strange, version="1", ecosystem="pypi"), strange):
        with pytest.raises(UsageError):
            to_json(value)
    with pytest.raises(UsageError):
        to_json(Finished(id=1, ok=True, seconds=float("nan")))


MISFITS = {
    "no JSON": "{",
    "nothing": "",
    "a number": "3",
    "no schema": '{"a": 1}',
    "unknown schema": '{"schema": "envkit/Nothing/1"}',
    "a class that is no value": '{"schema": "envkit/Path/1"}',
    "the version of a later envkit": '{"schema": "envkit/Step/2", "action": "a", "text": "b"}',
    "another package": '{"schema": "other/Step/1", "action": "a", "text": "b"}',
    "schema is no text": '{"schema": ["envkit/Step/1"]}',
    "a field is missing": '{"schema": "envkit/Step/1", "action": "a"}',
    "a field is unknown": '{"schema": "envkit/Step/1", "action": "a", "text": "b", "more": 1}',
    "a field is of another type": '{"schema": "envkit/Step/1", "action": "a", "text": 1}',
    "a bool for an int": '{"schema": "envkit/Progress/1", "id": true, "done": 1}',
    "an int for a bool": '{"schema": "envkit/Finished/1", "id": 1, "ok": 1, "seconds": 1}',
    "no version": '{"schema": "envkit/Environment/1", "prefix": "/x", "kind": "venv", "version": "three"}',
    "no literal": '{"schema": "envkit/Output/1", "id": 1, "line": "", "stream": "stdlog"}',
    "no time": '{"schema": "envkit/Sources/1", "exclude_newer": "yesterday"}',
    "a string for a list": '{"schema": "envkit/Spec/1", "pypi": "rich"}',
    "a list for a mapping": '{"schema": "envkit/Spec/1", "variables": ["A"]}',
    "another value": '{"schema": "envkit/Plan/1", "environment": {"schema": "envkit/Step/1", "action": "a", "text": "b"}}',
    "an error without message": '{"schema": "envkit/BusyError/1"}',
    "an error with a strange fact": '{"schema": "envkit/BusyError/1", "message": "x", "stderr": "y"}',
    "an error with a fact of another type": '{"schema": "envkit/BusyError/1", "message": "x", "holder": "y"}',
    "a pair of three": '{"schema": "envkit/Changes/1", "updated": [[1, 2, 3]]}',
    "not a number": '{"schema": "envkit/Finished/1", "id": 1, "ok": true, "seconds": NaN}',
    "an output of no kind": '{"output_type": "strange"}',
    "an output without text": '{"output_type": "stream", "name": "stdout"}',
    "an output with numbers for lines": '{"output_type": "error", "ename": "", "evalue": "", "traceback": [1]}',
    "too deep": "[" * 100_000,
    "huge number": '{"schema": "envkit/Progress/1", "id": ' + "9" * 5000 + ', "done": 1}',
}


@pytest.mark.core
@pytest.mark.parametrize("name", MISFITS)
def test_what_does_not_fit_is_corrupt(name: str) -> None:
    """Never another exception, and never half a value."""
    with pytest.raises(CorruptError) as caught:
        from_json(MISFITS[name])
    assert caught.value.hint
    assert len(str(caught.value)) < 300


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | TEXT, lambda inner: st.lists(inner) | st.dictionaries(
    TEXT | st.sampled_from(["schema", "output_type", "data", "message"]), inner | st.sampled_from(["envkit/Spec/1", "envkit/Output/1", "stream"])
), max_leaves=8))  # fmt: skip
@settings(max_examples=150, deadline=None)
def test_any_json_gives_a_value_or_is_corrupt(raw: object) -> None:
    """Whatever another program wrote."""
    try:
        read = from_json(json.dumps(raw))
    except CorruptError:
        return
    assert to_json(read)


@pytest.mark.core
def test_another_type_than_asked_for_is_corrupt() -> None:
    """The type is a promise: a step is no spec, an event no error, one value no tuple of them."""
    step = to_json(Step(action="a", text="b"))
    for wanted in (Spec, EnvkitError, tuple[Step, ...], BusyError):
        with pytest.raises(CorruptError):
            from_json(step, wanted)
    with pytest.raises(CorruptError):
        from_json(to_json(NotFoundError("x")), KernelError)
    assert from_json(step, Step).action == "a"


@pytest.mark.core
def test_an_output_is_one_of_nbformat() -> None:
    """A result of a cell can be put into a notebook as it is; nbformat itself finds nothing wrong with it."""
    parts = {
        "ename": "NameError",
        "evalue": "name 'x' is not defined",
        "traceback": ["Traceback", "\x1b[31mNameError\x1b[0m: name 'x' is not defined"],
    }
    result = cells.Result(
        outputs=(
            cells.Output(kind="stdout", text="line\n", data={}),
            cells.Output(kind="stderr", text="warning\n", data={}),
            cells.Output(kind="display", text="<Figure>", data={"image/png": "aGk=", "text/plain": "<Figure>"}),
            cells.Output(kind="result", text="shown otherwise", data={"application/json": '{"a": [1]}', "text/plain": "{}"}),
            cells.Output(kind="error", text="Traceback\nNameError: name 'x' is not defined", data={ERROR: json.dumps(parts)}),
        ),
        ok=False,
        seconds=0.5,
    )
    raw = json.loads(to_json(result))["outputs"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x", outputs=[nbformat.from_dict(output) for output in raw])])
    nbformat.validate(notebook)
    assert raw[4] == {"output_type": "error", **parts}
    bare = json.loads(to_json(cells.Output(kind="error", text="NameError: no x", data={})))
    assert bare == {"output_type": "error", "ename": "NameError", "evalue": "no x", "traceback": ["NameError: no x"]}
    assert raw[3]["data"]["application/json"] == {"a": [1]}
    assert from_json(to_json(result)) == result
    lines = '{"output_type": "stream", "name": "stdout", "text": ["a\\n", "b"]}'  # as notebooks on disk have it
    assert from_json(lines, cells.Output).text == "a\nb"


def test_a_deep_plan_comes_back() -> None:
    """Values within values, each of its own type again, `str` and `Project` told apart."""
    package = Package(name="rich", version="14.0", ecosystem="pypi", requires=("x>=1; extra == 'y'",), editable=Path("/src"))
    spec = Spec(
        name="demo", pypi=("rich", Project(path=Path("."), extras=("a",))), variables={"A": "1"}, post_install=(("python", "-V"),),
        lock=Lock(format="pylock.toml", text="x\n", packages=(package,)),
    )  # fmt: skip
    env = Environment(prefix=Path("/x"), kind="venv", problem=Problem(code="moved", message="m", fix=Plan(spec=spec)))
    plan = Plan(spec=spec, environment=env, changes=Changes(updated=((package, package),)), steps=(Step(action="a", text="b"),), key="k")
    assert from_json(to_json(plan), Plan) == plan
    interpreter = Interpreter(executable=Path("/x"), prefix=Path("/y"), base_prefix=Path("/z"), version=Version("3.12"), implementation="cpython",
                              markers={"os_name": "posix"}, paths={"purelib": Path("/p")})  # fmt: skip
    read = from_json(to_json(interpreter), Interpreter)
    assert read == interpreter
    assert isinstance(read.paths, FrozenMapping)
    assert isinstance(read.paths["purelib"], Path)
    removal = Removal(paths=(Path("/x"),), kernels=(), size=3, reason="r", done=True)
    started: Event = Started(id=1, parent=None, activity="install", text="é")
    assert from_json(to_json((removal, started, BusyError("b", holder=3))))[:2] == (removal, started)  # type: ignore[index]


@pytest.mark.core
def test_writing_an_environment_imports_nothing_but_what_it_is_made_of() -> None:
    """`find --json` must stay light: no planner's values, no requirements, no asyncio."""
    code = (
        "import sys; from pathlib import Path; from packaging.version import Version; from envkit.models.environment import Environment;"
        "from envkit.formats.values import to_json; to_json((Environment(prefix=Path('/x'), kind='venv', version=Version('3.12')),));"
        "print([m for m in ('envkit.models.plans', 'packaging.requirements', 'asyncio', 'typing_extensions', 'envkit.formats.reading') "
        "if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[2], check=True)
    assert done.stdout.strip() == "[]"


def test_a_host_comes_back() -> None:
    """The outside world too, so that a child process can work in the same one."""
    host = Host.current(environ={"HOME": "/home/é", "X": "\udce9"})
    assert from_json(to_json(host), Host) == host
    assert isinstance(errors, ModuleType)
