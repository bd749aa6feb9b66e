"""pyvenv.cfg: what the three writers write is read, and what is written is read back."""

from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st
from packaging.version import Version

from envkit.formats import pyvenv_cfg

_KEYS = st.text(st.characters(exclude_characters="=\r\n", exclude_categories=["Cs"]), min_size=1).filter(
    lambda key: key == key.strip().lower()
)
_VALUES = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"])).map(str.strip)


@pytest.mark.core
@settings(deadline=None)
@given(st.dictionaries(_KEYS, _VALUES))
def test_what_is_written_is_read_back(keys: dict[str, str]) -> None:
    assert pyvenv_cfg.load(pyvenv_cfg.dump(keys)) == keys


@settings(deadline=None)
@given(st.text())
def test_no_text_makes_the_reader_fail(text: str) -> None:
    keys = pyvenv_cfg.load(text)
    version = pyvenv_cfg.python_version(keys)
    assert version is None or Version(version)


@pytest.mark.parametrize("keys", [{"home": "/usr\nversion = 9"}, {"Home": "/usr"}, {"": "x"}, {"a=b": "c"}, {"home": " /usr"}])
def test_what_would_be_read_back_differently_is_not_written(keys: dict[str, str]) -> None:
    with pytest.raises(ValueError):
        pyvenv_cfg.dump(keys)


def test_keys_are_read_as_site_reads_them() -> None:
    """Keys in lower case, the rest after the first `=`, a later line in place of an earlier one, Windows' line ends too."""
    assert pyvenv_cfg.load("Home = /usr/bin\r\nprompt=a = b\nno key\nhome =  /opt/bin  \n") == {"home": "/opt/bin", "prompt": "a = b"}


@pytest.mark.parametrize(
    "line, version",
    [
        ("version = 3.12.1", "3.12.1"),
        ("version_info = 3.12.1.final.0", "3.12.1"),
        ("version_info = 3.14.0.candidate.2", "3.14.0rc2"),
        ("version_info = 3.14.0rc2", "3.14.0rc2"),
        ("version_info = 3.12", "3.12"),
        ("version = 3.13.0+", "3.13.0"),
        ("version = three", None),
        ("version = 3", None),
        ("version = 3.12.1.final.x", None),
        ("home = /usr", None),
    ],
)
def test_each_writers_version_is_understood(line: str, version: str | None) -> None:
    assert pyvenv_cfg.python_version(pyvenv_cfg.load(line)) == version
