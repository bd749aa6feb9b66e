"""What values say of themselves in a notebook: text, and HTML that holds every text escaped, without script and without a colour of its own."""

from __future__ import annotations

import pickle
import re
from dataclasses import fields, is_dataclass, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from notebook_gallery import ANALYSIS, BROKEN, KERNEL, MISSING, RICH, STALE, VALUES

import envkit
from envkit.markup import Table, Words
from envkit.models import plans
from envkit.models.environment import Environment
from envkit.models.packages import Package
from envkit.models.plans import Plan, Step
from envkit.models.several import Several

pytestmark = pytest.mark.core

HOSTILE = "\"><img src=x onerror=alert(1)></td></details></pre><script>alert('x')</script>\x1b[31m\x00&amp;"
VOID = {"wbr"}


class Reader(HTMLParser):
    """Reads HTML as a browser would, and notes what is in it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.said = ""
        self.feed(html)
        assert self.open == [], "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.said += data


def bundle(value: Any) -> dict[str, str]:
    shown: dict[str, str] = value._repr_mimebundle_(include=None, exclude=None)
    return shown


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_every_value_has_text_and_html(value: Any) -> None:
    """Both say the same; the HTML is a handful of plain elements, which take colour and ground from what is around them."""
    shown = bundle(value)
    assert set(shown) == {"text/plain", "text/html"}
    assert shown["text/plain"].strip()
    read = Reader(shown["text/html"])
    assert read.tags <= {"div", "span", "table", "tr", "td", "th", "details", "summary", "pre", "wbr"}
    assert read.attributes <= {"style"}
    assert not re.search(r"(?<![-\w])color:\s*(?!inherit)|url\(|javascript|expression", shown["text/html"])


def test_no_value_is_forgotten() -> None:
    """Each class of values that a verb returns has a view, and one of each is in the gallery."""
    kinds = {kind for kind in vars(plans).values() if is_dataclass(kind)}
    assert {kind.__name__ for kind in kinds if isinstance(kind, type)} <= {type(value).__name__ for value in VALUES}
    for name in envkit.__all__:
        thing = getattr(envkit, name)
        if isinstance(thing, type) and is_dataclass(thing) and name != "Host":  # a Host holds all variables: nothing for an output
            assert hasattr(thing, "_repr_mimebundle_"), name


@pytest.mark.parametrize("value", [value for value in VALUES if is_dataclass(value)], ids=lambda value: type(value).__name__)
def test_hostile_text_stays_text(value: Any) -> None:
    """Whatever a name, a path or a message contains is shown, and is no element and no control character."""
    told = {field.name: _hostile(getattr(value, field.name)) for field in fields(value)}
    shown = bundle(replace(value, **{name: text for name, text in told.items() if text is not None}))
    read = Reader(shown["text/html"])
    assert not read.tags & {"img", "script"}
    assert not re.search(r"[\x00-\x08\x1b]", shown["text/html"] + shown["text/plain"])


def _hostile(before: Any) -> Any:
    if isinstance(before, Path):
        return Path(HOSTILE)
    known = {
        "error",
        "warning",
        "info",
        "added",
        "removed",
        "changed",
        "stdout",
        "pylock.toml",
        "inherit",
        "machine",
        "none",
        "pypi",
        "conda",
    }
    return HOSTILE if isinstance(before, str) and before not in known else None


def test_an_environment_says_what_is_wrong_and_how_to_come_in() -> None:
    """The problem with its hint; for a sound one the call that moves a notebook there."""
    assert "hint: poetry env remove" in bundle(BROKEN)["text/plain"]
    assert "base-missing" in bundle(BROKEN)["text/html"]
    assert "envkit.jupyter.use('analysis')" in bundle(ANALYSIS)["text/plain"]
    elsewhere = Environment(prefix=Path("/x/.venv"), kind="venv", name="x", manager="poetry")
    assert "envkit.jupyter.use('/x/.venv')" in bundle(elsewhere)["text/plain"]


def test_several_are_a_tuple() -> None:
    """Equal, hashed, pickled, indexed, added and written as JSON like the tuple of the same values; shown as a table that counts them."""
    several, same = Several((KERNEL, STALE), "no kernel"), (KERNEL, STALE)
    assert several == same
    assert same == several
    assert hash(several) == hash(same)
    assert isinstance(several, tuple)
    assert repr(several) == repr(same)
    assert several[0] is KERNEL
    assert several + () == same  # noqa: RUF005 - the sum is what is tried
    first, second = several
    assert (first, second) == same
    for other in (pickle.loads(pickle.dumps(several)), several[:5]):
        assert type(other) is Several
        assert other == same
        assert other.none == "no kernel"
    assert envkit.to_json(several) == envkit.to_json(same)
    text = bundle(several)["text/plain"]
    assert text.splitlines()[0] == "2 kernels, 1 with a problem"
    assert "interpreter-missing" in text
    assert bundle(several[:0])["text/plain"] == "no kernel"


def test_several_of_a_kind_that_has_no_row_are_shown_too() -> None:
    """A line each, by what they say of themselves."""
    assert bundle(Several(("one", 2)))["text/plain"].splitlines() == ["2 values", "value", "one", "2"]


def test_a_problem_shows_what_apply_would_do() -> None:
    """Its fix is a plan, and the plan's steps are shown."""
    assert "install ipykernel" in bundle(MISSING)["text/plain"]
    assert "install ipykernel" in bundle(Several((MISSING,)))["text/html"]


def test_a_plan_shows_steps_and_packages() -> None:
    """In their order, and what is added."""
    plan = Plan(steps=(Step(action="install", text="do it"),), changes=plans.Changes(added=(RICH,)))
    assert bundle(plan)["text/plain"].splitlines() == ["Plan: 1 step", "install  do it", "+        rich 14.0.0"]


def test_secrets_of_a_spec_are_not_shown() -> None:
    """Variables are named; their values may be passwords, and outputs of notebooks travel."""
    shown = bundle(envkit.Spec(name="x", variables={"TOKEN": "hunter2"}))
    assert "TOKEN" in shown["text/plain"]
    assert "hunter2" not in "".join(shown.values())


def test_a_thousand_packages_are_one_table() -> None:
    """Shown whole, in well under a second."""
    packages = Several(Package(name=f"p{number}", version="1", ecosystem="pypi") for number in range(1000))
    assert bundle(packages)["text/html"].count("<tr") == 1001


def test_a_table_can_be_made_by_anybody() -> None:
    """It is what values are shown with, and is shown itself."""
    table = Table(columns=("a",), rows=((Words("x/y", "code"),),), title="T", note="below", said="one\ntwo")
    assert table.text() == "T\na\nx/y\none\ntwo\nbelow"
    assert "x/<wbr>y" in bundle(table)["text/html"]
