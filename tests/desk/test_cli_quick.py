"""Plain command lines are read without argparse, and mean what argparse would read in them."""

from __future__ import annotations

import itertools
import re

import pytest

from envkit.cli.parser import parsed, parser
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
    options = ["--name", "n", "--json", "--scope", "/a b", "--display-name", "A (b)", "--offline"]
    for words in ([], ["--json"], ["--name", "n"], options, [*options[3:5], *options[:3]]):
        for line in (["kernel", "register", "env", *words], ["kernel", "register", *words, "env"]):
            quick = options_of(line)
            assert quick is not None
            assert vars(quick) == vars(parsed(line))


@pytest.mark.core
def test_every_command_is_in_a_group_of_the_parser(capsys: pytest.CaptureFixture[str]) -> None:
    """The parser for one command reads it as the parser for all does; help lists them all."""
    commands: list[str] = re.findall(r"^    (\w+) ", parser().format_help(), re.MULTILINE)
    assert len(commands) > 20
    for command in commands:
        told: list[str] = []
        for reader in (parser(), parser(command)):
            with pytest.raises(SystemExit):
                reader.parse_args([command, "--help"])
            told.append(capsys.readouterr().out)
        assert told[0].startswith(f"usage: envkit {command}")
        assert told[0] == told[1]
        assert len(parser(command).format_help()) < len(parser().format_help())


@pytest.mark.core
@pytest.mark.parametrize(
    "line",
    [
        *(
            "",
            "find --js",
            "find --json --json",
            "find .",
            "find --python 3",
            "find -h",
            "resolve",
            "resolve a b",
            "resolve -x a",
            "create x",
        ),
        *("kernel", "kernel list", "kernel register", "kernel register a b", "kernel register a --name", "kernel register a --name -x"),
        *("kernel register a --name b --name c", "kernel register a --on-exists replace", "kernel register -h", "kernel register a --na b"),
    ],
)
def test_any_other_line_is_left_to_the_parser(line: str) -> None:
    """What has a value, is shortened, given twice, wrong, or asks for help."""
    assert options_of(line.split()) is None
