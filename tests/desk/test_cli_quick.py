"""Plain command lines are read without argparse, and mean what argparse would read in them."""

from __future__ import annotations

import itertools

import pytest

from envkit.cli.parser import parsed
from envkit.cli.quick import options_of

_FLAGS = ("--json", "--stream", "--tree", "--offline")


@pytest.mark.core
def test_a_plain_line_means_what_the_parser_reads_in_it() -> None:
    """Every set of options without values, in every order; those that exclude each other are left to the parser."""
    for count in range(len(_FLAGS) + 1):
        for flags in itertools.permutations(_FLAGS, count):
            quick = options_of(["find", *flags])
            if {"--stream", "--tree"} <= set(flags):
                assert quick is None
            else:
                assert quick is not None
                assert vars(quick) == vars(parsed(["find", *flags]))
    for words in (["resolve", "3.12"], ["resolve", "--json", "./x"], ["resolve", "name", "--offline", "--json"]):
        quick = options_of(words)
        assert quick is not None
        assert vars(quick) == vars(parsed(words))


@pytest.mark.core
@pytest.mark.parametrize(
    "line",
    ["", "find --js", "find --json --json", "find .", "find --python 3", "find -h", "resolve", "resolve a b", "resolve -x a", "create x"],
)
def test_any_other_line_is_left_to_the_parser(line: str) -> None:
    """What has a value, is shortened, given twice, wrong, or asks for help."""
    assert options_of(line.split()) is None
