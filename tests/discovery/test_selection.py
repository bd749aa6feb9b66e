"""Selection: which Python is meant among several, and what the error names."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version

from envkit.discovery.requests import parse
from envkit.discovery.selection import best, near, sort_key
from envkit.models.environment import Environment, Problem

BROKEN = Problem(code="base-missing", message="its base is gone")


def env(version: str, **changed: Any) -> Environment:
    """Return an interpreter of that version."""
    facts: dict[str, Any] = {"prefix": Path("/p") / version, "kind": "interpreter", "python": Path("/p") / version / "bin/python3"}
    return Environment(**{**facts, "implementation": "cpython", "free_threaded": False, "version": Version(version), **changed})


PREFERRED = [
    env("3.13.1"),
    env("3.13.1", kind="conda"),
    env("3.13.1", kind="venv"),
    env("3.13"),
    env("3.9.18"),
    env("3.11.9", implementation="pypy"),
    env("3.14.0", free_threaded=True),
    env("3.15.0rc1"),
    env("3.15.0a2"),
]


@pytest.mark.core
def test_the_order_is_the_same_whatever_came_first() -> None:
    """Stable, with the GIL, CPython, newest, plain interpreter: in this order."""
    assert sorted(PREFERRED, key=sort_key) == PREFERRED
    for some in permutations(PREFERRED[:5]):
        assert best(some, None) == PREFERRED[0]


def test_without_a_request_nothing_unusual_is_given() -> None:
    debug = env("3.14.1", python=Path("/p/bin/python3.14d"))
    unusual = [
        env("3.15.0a1"),
        env("3.14.0", free_threaded=True),
        debug,
        env("2.7.18"),
        env("3.14.2", problem=BROKEN),
        env("3.14.3", python=None),
    ]
    assert best(unusual, None) is None
    assert best([*unusual, env("3.8.0")], None) == env("3.8.0")


def test_a_request_gives_the_newest_that_it_allows() -> None:
    found = [env("3.12.1"), env("3.12.9"), env("3.13.0"), env("3.12")]
    assert best(found, parse("3.12")) == env("3.12.9")
    assert best(found, parse("3.12.3")) is None
    assert best([env("3.12")], parse("3.12.3")) is None


def test_a_warning_is_no_reason_against_it() -> None:
    moved = env("3.12.1", problem=Problem(code="moved", message="elsewhere", severity="warning"))
    assert best([moved], None) == moved


def test_the_error_names_what_is_there() -> None:
    text = near(
        [env("3.11.7"), env("3.12"), env("3.13.0", problem=BROKEN), env("3.10.0", kind="venv"), env("3.13.1", free_threaded=True)],
        parse("3.12.4"),
    )
    assert "found: 3.13.0 (/p/3.13.0/bin/python3, unusable: its base is gone), 3.11.7 (" in text
    assert "3.13.1 free-threaded" in text
    assert "not known exactly without running it: 3.12 (" in text
    assert "3.10.0" not in text
    assert near([env("3.13.0"), env("3.9.18")], parse("3.9.99")).startswith("found: 3.9.18 ")
    assert near([], None).startswith("none was found")
