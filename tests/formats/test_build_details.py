"""build-details.json (PEP 739): the version, the implementation and the flags of the ABI."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from envkit.formats import build_details


def details(**changed: Any) -> dict[str, Any]:
    """Return the content of a file as CPython 3.14 writes it, with changes."""
    return {
        "schema_version": "1.0",
        "base_prefix": "/usr",
        "platform": "linux-x86_64",
        "language": {"version": "3.14", "version_info": {"major": 3, "minor": 14, "micro": 0, "releaselevel": "final", "serial": 0}},
        "implementation": {"name": "cpython", "cache_tag": "cpython-314"},
        "abi": {"flags": []},
        **changed,
    }


@pytest.mark.parametrize(
    "level, serial, version", [("final", 0, "3.14.0"), ("candidate", 2, "3.14.0rc2"), ("alpha", 1, "3.14.0a1"), ("beta", 3, "3.14.0b3")]
)
def test_the_version_has_its_release_level(level: str, serial: int, version: str) -> None:
    language = {"version": "3.14", "version_info": {"major": 3, "minor": 14, "micro": 0, "releaselevel": level, "serial": serial}}
    assert build_details.load(json.dumps(details(language=language))).version == version


def test_flags_tell_free_threaded_and_debug_builds() -> None:
    said = build_details.load(json.dumps(details(abi={"flags": ["t", "d"]})))
    assert said.flags == {"t", "d"}
    assert said.implementation == "cpython"


@pytest.mark.parametrize(
    "changed",
    [{"schema_version": "2.0"}, {"schema_version": 1}, {"implementation": {}}, {"language": {}}, {"abi": {"flags": 3}}, {"language": 3}],
)
def test_what_is_no_such_file_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        build_details.load(json.dumps(details(**changed)))


@settings(deadline=None)
@given(
    st.one_of(
        st.text(),
        st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)).map(
            json.dumps
        ),
    )
)
def test_any_other_text_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):
        build_details.load(text)


def test_endless_nesting_is_a_value_error() -> None:
    with pytest.raises(ValueError):
        build_details.load("[" * 100_000)
