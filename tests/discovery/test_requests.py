"""Requests: what fits the grammar, what it means, and what it never means."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from packaging.version import Version

from envkit.discovery.requests import Request, parse, spoken
from envkit.models.environment import Environment, Problem


def env(version: str | None, **changed: Any) -> Environment:
    """Return an interpreter of that version."""
    facts: dict[str, Any] = {"prefix": Path("/p"), "kind": "interpreter", "python": Path("/p/bin/python3"), "implementation": "cpython"}
    facts |= {"architecture": "x86_64", "free_threaded": False, "version": Version(version) if version else None}
    return Environment(**{**facts, **changed})


def parsed(text: str) -> Request:
    request = parse(text)
    assert request is not None, text
    assert str(request) == text
    return request


@pytest.mark.parametrize(
    "text, meant",
    [
        ("py312", "3.12"),
        ("py3.12", "3.12"),
        ("py3", "3"),
        ("pp310", "pypy3.10"),
        ("pypy310", "pypy3.10"),
        ("cpython39", "cpython3.9"),
        ("py313t", "3.13t"),
        ("py312-32", "3.12-32"),
        ("312", "3.12"),
        ("27", "2.7"),
        *((text, None) for text in ("py", "python", "pyx", "py412", "3120000", "py3.12.4", "docs-py312", "")),
    ],
)
def test_what_tox_and_virtualenv_call_a_python(text: str, meant: str | None) -> None:
    """Such a text may be a name, so it fits no grammar; whoever knows that nothing is called so may take it for a request."""
    assert spoken(text) == (None if meant is None else parsed(meant))


def test_the_python_of_another_system_runs_on_that_alone() -> None:
    assert [parsed("cpython-3.12-windows-x86_64").runs_on(platform) for platform in ("win32", "linux", "darwin")] == [True, False, False]
    assert [parsed("cpython-3.12-macos").runs_on(platform) for platform in ("win32", "linux", "darwin")] == [False, False, True]
    assert parsed("3.12").runs_on("linux")
    assert parsed("cpython-3.12-any-any").runs_on("freebsd14")


def test_which_c_library_a_python_needs_is_known_only_of_uvs() -> None:
    musl = parsed("cpython-3.12-linux-x86_64-musl")
    assert musl.allows(env("3.12.4", prefix=Path("/uv/cpython-3.12.4-linux-x86_64-musl"))) is True
    assert musl.allows(env("3.12.4")) is None


def test_what_only_leads_to_a_python_is_none_that_was_asked_for() -> None:
    """Its version is unknown, and running it would tell another Python's."""
    shim = env(None, problem=Problem(code="shim", message="it picks an interpreter"))
    assert [parsed(text).allows(shim) for text in ("3", "3.12", ">=3.9", "cpython")] == [False] * 4


@pytest.mark.core
@pytest.mark.parametrize(
    "text, yes, no",
    [
        ("3", ["3.8.0", "3.13.1"], ["2.7.18"]),
        ("3.12", ["3.12.0", "3.12.11", "3.12"], ["3.1.2", "3.11.9", "3.13.0"]),
        ("3.12.4", ["3.12.4"], ["3.12.3", "3.12.40", "3.11"]),
        (">=3.11,<3.14", ["3.11.0", "3.13.9", "3.12"], ["3.10.9", "3.14.0", "3.9"]),
        ("~=3.11", ["3.11.0", "3.13.0", "3.12"], ["3.10.0", "4.0.0"]),
        ("==3.12.*", ["3.12.9", "3.12"], ["3.13.0"]),
        ("cp312", ["3.12.4"], ["3.1.2", "3.11.0"]),
        ("cpython@3.12", ["3.12.4"], ["3.11.0"]),
        ("cpython3.12", ["3.12.4"], ["3.11.0"]),
        ("python3.12", ["3.12.4"], ["3.11.0"]),
        ("cpython-3.12-linux-x86_64", ["3.12.4"], ["3.11.0"]),
        ("cpython-3.12.4-linux-x86_64-gnu", ["3.12.4"], ["3.12.5"]),
        ("3.12-64", ["3.12.4"], ["3.11.0"]),
        ("3.14rc", ["3.14.0rc1", "3.14.0rc3"], ["3.14.0", "3.14.0b1", "3.13.0"]),
        ("3.14rc1", ["3.14.0rc1"], ["3.14.0rc2", "3.14.0"]),
        (">=3.14.0rc1", ["3.14.0rc1", "3.14.0"], ["3.14.0b3"]),
    ],
)
def test_a_request_allows_what_it_says(text: str, yes: list[str], no: list[str]) -> None:
    request = parsed(text)
    assert [version for version in yes if request.allows(env(version)) is not True] == []
    assert [version for version in no if request.allows(env(version)) is not False] == []


@pytest.mark.parametrize(
    "text, version", [("3.12.4", "3.12"), (">=3.12.4", "3.12"), ("!=3.12.4", "3.12"), ("3.12", None), ("3.14rc", "3.14"), (">3.12", "3.12")]
)
def test_what_is_not_known_decides_nothing(text: str, version: str | None) -> None:
    assert parsed(text).allows(env(version)) is None


@pytest.mark.parametrize("text", ["3", "3.14", ">=3.8", "cpython", "python", "cp314"])
def test_no_unusual_build_without_being_asked_for(text: str) -> None:
    request = parsed(text)
    assert request.allows(env("3.14.0rc1")) is False
    assert request.allows(env("3.14.0", free_threaded=True)) is False
    assert request.allows(env("3.14.0", python=Path("/p/bin/python3.14d"))) is False
    assert request.allows(env("3.14.0")) is True


def test_unusual_builds_are_given_to_who_asks() -> None:
    free, debug = env("3.13.1", free_threaded=True), env("3.13.1", python=Path("/p/bin/python3.13d"))
    assert parsed("3.13t").allows(free) is True
    assert parsed("3.13+freethreaded").allows(free) is True
    assert parsed("3.13t").allows(env("3.13.1")) is False
    assert parsed("3.13d").allows(debug) is True
    assert parsed("3.13+debug").allows(env("3.13.1")) is False


def test_implementation_and_machine_are_told_apart() -> None:
    pypy = env("3.10.14", implementation="pypy")
    assert parsed("pypy").allows(pypy) is parsed("pypy3.10").allows(pypy) is parsed("3.10").allows(pypy) is True
    assert parsed("cpython").allows(pypy) is parsed("pypy3.9").allows(pypy) is parsed("pypy").allows(env("3.10.1")) is False
    assert parsed("3.12-32").allows(env("3.12.1")) is False
    assert parsed("3.12-64").allows(env("3.12.1", architecture=None)) is None
    assert parsed("cpython-3.12-linux-aarch64").allows(env("3.12.1")) is False
    assert parsed("cpython-3.12-windows-amd64").machine == "x86_64"


def test_an_environment_without_python_is_never_what_was_asked_for() -> None:
    assert parsed("3").allows(env("3.12.1", python=None)) is False


@pytest.mark.parametrize(
    "text",
    [
        "",
        "demo",
        "py312",
        "312",
        "..",
        "3.",
        "3.12.",
        "-64",
        "cp",
        "pypy@",
        "3.12.1.2",
        "==",
        ">3.x",
        "é",
        "3.12 3.13",
        "python-dev",
        "3" * 300,
    ],
)
def test_what_does_not_fit_the_grammar_is_a_name(text: str) -> None:
    assert parse(text) is None


@settings(deadline=None)
@given(st.text())
def test_any_text_is_a_request_or_none(text: str) -> None:
    request = parse(text)
    assert request is None or str(request) == text.strip()


@settings(deadline=None)
@given(st.integers(2, 9), st.integers(0, 99), st.integers(0, 99), st.sampled_from(["", "cpython@", "cpython", "python"]))
def test_a_version_allows_itself_and_not_its_neighbour(major: int, minor: int, patch: int, word: str) -> None:
    request = parsed(f"{word}{major}.{minor}.{patch}")
    assert request.allows(env(f"{major}.{minor}.{patch}")) is True
    assert request.allows(env(f"{major}.{minor}.{patch + 1}")) is False
    assert request.allows(env(f"{major}.{minor}")) is None


def test_requests_of_the_same_text_are_equal() -> None:
    assert parsed("3.12") == parsed("3.12") != parsed("3.13")
    assert len({parsed("3.12"), parsed("3.12")}) == 1
    assert repr(parsed("3.12")) == "Request('3.12')"
