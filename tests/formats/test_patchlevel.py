"""patchlevel.h: the version that the headers of an installation state."""

from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st

from envkit.formats import patchlevel


@pytest.mark.parametrize(
    "text, version",
    [
        ('#define PY_VERSION      \t"3.12.1"\n', "3.12.1"),
        ('#define PY_VERSION "3.14.0a1+"', "3.14.0a1"),
        ('#define PYPY_VERSION "7.3.17"\n#define PY_VERSION "3.10.14"\n', "3.10.14"),
        ('#define PY_VERSION_HEX "x"', None),
        ("#define PY_VERSION 3", None),
        ('#define PY_VERSION "+"', None),
        ("", None),
    ],
)
def test_only_the_macro_of_the_language_counts(text: str, version: str | None) -> None:
    assert patchlevel.load(text) == version


@settings(deadline=None)
@given(st.text())
def test_no_text_makes_the_reader_fail(text: str) -> None:
    patchlevel.load(text)
    patchlevel.load(f"#define PY_VERSION {text}")
