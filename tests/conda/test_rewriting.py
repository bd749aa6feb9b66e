"""Files that name the prefix: made true for another place, and runnable there, whatever the two places are called."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from envkit.conda import rewriting

pytestmark = pytest.mark.core

_NAME = st.text(alphabet=st.sampled_from("abz09 -_.éß'$"), min_size=1, max_size=12).filter(lambda name: name.strip(" .") == name)
_PLACES = st.lists(_NAME, min_size=1, max_size=4).map(lambda names: "/" + "/".join(names))
_TAIL = st.sampled_from(["", "/bin/python", "/lib:", '/x"', "/a b", "\n"])


@given(_PLACES, _PLACES, st.lists(_TAIL, max_size=4))
def test_text_names_the_new_place_and_no_other(old: str, new: str, tails: list[str]) -> None:
    """Each place where the old path stood holds the new one; what only begins alike is left alone."""
    text = "".join(f"[{old}{tail}] " for tail in tails) + f"<{old}2> <{old}-more>"
    moved = rewriting.moved_text(text.encode(), old, new, platform="linux").decode()
    if f"{old}2" not in new and old not in new and new != old:
        assert moved == "".join(f"[{new}{tail}] " for tail in tails) + f"<{old}2> <{old}-more>"


@given(_PLACES, _PLACES, st.integers(min_value=0, max_value=60), st.sampled_from([b"", b"/lib", b"/lib:/share"]))
def test_a_binary_file_keeps_its_length_or_does_not_fit(old: str, new: str, padding: int, tail: bytes) -> None:
    """A shorter place is filled up with zeros, a longer one uses them up, and where they do not suffice nothing is cut off."""
    before, after = os.fsencode(old), os.fsencode(new)
    data = b"\1\0head" + before + tail + b"\0" * (1 + padding) + b"\2tail\0"
    moved = rewriting.moved_binary(data, old, new)
    if len(after) - len(before) > padding:
        assert moved is None
        return
    assert moved is not None
    assert len(moved) == len(data)
    assert moved.startswith(b"\1\0head" + after + tail + b"\0")
    assert moved.endswith(b"\0\2tail\0")
    assert rewriting.moved_binary(moved, new, old) == data or new in old or old in new


def test_a_place_that_occurs_twice_in_one_text_is_moved_twice() -> None:
    """`-L/p/lib -I/p/include` in a binary file is one text with one padding."""
    data = b"-L/opt/p/lib -I/opt/p/include" + b"\0" * 9 + b"x"
    assert rewriting.moved_binary(data, "/opt/p", "/opt/long") == b"-L/opt/long/lib -I/opt/long/include" + b"\0" * 3 + b"x"
    assert rewriting.moved_binary(data, "/opt/p", "/opt/longer-yet") is None


def test_urls_and_json_stay_what_they_are() -> None:
    """Behind `file://` a blank is %20, in JSON a quotation mark is escaped."""
    moved = rewriting.moved_text(b'{"url": "file:///a/b/src", "at": "/a/b"}', "/a/b", '/new "place"', platform="linux", in_json=True)
    assert json.loads(moved) == {"url": "file:///new%20%22place%22/src", "at": '/new "place"'}


@pytest.mark.skipif(sys.platform == "win32", reason="scripts with a first line")
@pytest.mark.parametrize("name", ["plain", "a blank", "it's $(x) `y`", "long" * 40, "ünïcode", 'a "quote"'])
def test_a_script_runs_at_its_new_place(tmp_path: Path, name: str) -> None:
    """A Python script runs with the interpreter of its new place, also where a kernel takes no such first line, and says its arguments."""
    new = tmp_path / name
    (new / "bin").mkdir(parents=True)
    (new / "bin" / "python3").symlink_to(sys.executable)
    script = b"#!/old/env/bin/python3\n# -*- coding: utf-8 -*-\nimport sys\nprint(sys.argv[1:])\n"
    moved = rewriting.moved_text(script, "/old/env", str(new), platform=sys.platform)
    (new / "bin" / "tool").write_bytes(moved)
    (new / "bin" / "tool").chmod(0o755)
    ran = subprocess.run([new / "bin" / "tool", "one", "two words"], capture_output=True, text=True)
    assert (ran.stdout, ran.stderr) == ("['one', 'two words']\n", "")
    assert rewriting.interpreter_of(moved) == str(new / "bin" / "python3") or " " in str(new)


@pytest.mark.skipif(sys.platform == "win32", reason="scripts with a first line")
def test_a_script_can_be_moved_again_and_again(tmp_path: Path) -> None:
    """From a plain place to one with a blank and on to another the script runs everywhere."""
    data, before = b"#!/old/bin/python3\nprint('ran')\n", "/old"
    for name in ("one two", "three four", "five"):
        place = tmp_path / name
        (place / "bin").mkdir(parents=True)
        (place / "bin" / "python3").symlink_to(sys.executable)
        data, before = rewriting.moved_text(data, before, str(place), platform=sys.platform), str(place)
        (place / "bin" / "tool").write_bytes(data)
        (place / "bin" / "tool").chmod(0o755)
        assert subprocess.run([place / "bin" / "tool"], capture_output=True, text=True).stdout == "ran\n"
