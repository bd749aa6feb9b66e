"""The digest of a path as uv writes it, and the small formats that a project's choice stands in."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, strategies

from envkit.formats import script_block, settings_json, uv_digest

TEXT = strategies.text(max_size=40)


@pytest.mark.core
def test_what_uv_wrote() -> None:
    """The digest is the one that uv 0.13 gave a script of this path."""
    assert uv_digest.digest("/tmp/dev/sea/d/script.py") == "666e157605f6e095"
    assert uv_digest.digest("/tmp/dev//sea/./d/script.py") == "666e157605f6e095"


@given(TEXT)
def test_any_path_has_one(text: str) -> None:
    """Any path has sixteen digits."""
    assert len(uv_digest.digest(text.encode("utf-8", "replace").decode())) == 16


@given(TEXT, TEXT)
def test_comments_and_commas_in_texts_stay(first: str, second: str) -> None:
    """What looks like a comment or a trailing comma inside a text is part of the text."""
    path = f"/{first}//,}}/*{second}*/"
    text = "{ // one\n" + f'"python.defaultInterpreterPath": {json.dumps(path)}, /* two */ }}'
    assert settings_json.load(text).interpreter == path


@given(TEXT)
def test_any_text_is_settings_or_none(text: str) -> None:
    """No text breaks the readers."""
    settings_json.load(text)
    script_block.load(text)


def test_variables_are_replaced_or_missed() -> None:
    """A variable that is not known makes the whole setting unknown; a value is not replaced again."""
    variables = {"workspaceFolder": "/w", "env:X": "${workspaceFolder}"}
    assert settings_json.substituted("${workspaceFolder}/a/${env:X}", variables) == "/w/a/${workspaceFolder}"
    assert settings_json.substituted("${env:Y}", variables) is None
    assert settings_json.substituted("$HOME", variables) == "$HOME"


@pytest.mark.core
def test_a_block_is_read_as_pep_723_says() -> None:
    """One block of type script is read, two are an error, another type or an open one is none."""
    block = '# /// script\n# requires-python = ">=3.11"\n# dependencies = [\n#   "rich",\n# ]\n# ///\n'
    read = script_block.load(f"#!/usr/bin/env python\n{block}\nprint()\n")
    assert read == {"requires-python": ">=3.11", "dependencies": ["rich"]}
    assert script_block.requires_python(read) == ">=3.11"
    assert script_block.load(block.replace("\n", "\r\n")) == read
    for text in (
        block + "\n" + block,
        block.replace("script", "other"),
        block.removesuffix("# ///\n"),
        block.replace('">=3.11"', "3.11.1"),
    ):
        assert script_block.load(text) is None
