"""Tables for people: aligned text and escaped HTML, whatever a name contains."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, strategies as st

from envkit.markup import Table, printable

CELLS = st.text(max_size=6)
ROWS = st.lists(st.tuples(CELLS, CELLS), max_size=4).map(tuple)


@given(CELLS, ROWS)
def test_html_holds_every_cell_as_text_and_no_tag_of_theirs(title: str, rows: tuple[tuple[str, str], ...]) -> None:
    """A parser sees our own tags and, between them, the cells; no text of a cell becomes a tag or an attribute."""
    seen: list[str] = []
    tags: set[str] = set()

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            tags.add(tag)
            assert {name for name, _ in attrs} <= {"style"}

        def handle_data(self, data: str) -> None:
            seen.append(data)

    Reader().feed(Table(title=title, columns=("a", ""), rows=rows).html())
    assert tags <= {"div", "table", "tr", "th", "td"}
    said = "".join(seen)
    assert all(printable(cell) in said for row in rows for cell in row)


@given(ROWS)
def test_text_cannot_steer_a_terminal(rows: tuple[tuple[str, str], ...]) -> None:
    """One line for each row, without control characters, without trailing blanks."""
    text = Table(columns=("name", "value"), rows=rows).text()
    lines = text.split("\n")
    assert len(lines) == len(rows) + 1
    assert all(line == line.rstrip() for line in lines)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", text)
    text.encode()


@pytest.mark.core
def test_columns_are_aligned() -> None:
    """As wide as the widest cell; no heading where all names are empty."""
    assert Table(columns=("name", "x"), rows=(("a", "1"), ("longer", "2")), title="T").text() == "T\nname    x\na       1\nlonger  2"
    assert Table(columns=("", ""), rows=(("a", "1"),)).text() == "a  1"
    assert printable("a\x1b[31mb\udce9é") == "a\\x1b[31mb\\udce9é"
