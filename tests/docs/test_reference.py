"""The reference pages say what the code says: every error code, problem code, command and variable."""

import argparse
import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from pages import PAGES, ROOT, name

from envkit import errors
from envkit.cli.parser import parser
from envkit.models import vocabulary

SOURCES = sorted((ROOT / "envkit").rglob("*.py"))
ERRORS = (ROOT / "docs" / "reference" / "errors.md").read_text(encoding="utf-8")
CONFIGURATION = (ROOT / "docs" / "reference" / "configuration.md").read_text(encoding="utf-8")


def codes(path: Path) -> Iterator[str]:
    """Give the codes of the errors that a module raises: texts given as `code=`, and the defaults of the classes."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.keyword) and node.arg == "code":
            texts = [part for part in ast.walk(node.value) if isinstance(part, ast.Constant) and isinstance(part.value, str)]
            yield from (str(text.value) for text in texts)
    if path.name == "errors.py":
        yield from (
            kind.__dict__["_defaults"]["code"]
            for kind in vars(errors).values()
            if kind is not errors.EnvkitError and "_defaults" in getattr(kind, "__dict__", {})
        )


def documented() -> set[str]:
    """Give what stands in code quotes in the first cell of the tables of the errors page."""
    return {code for row in re.findall(r"^\| (`[^|]*) \|", ERRORS, re.MULTILINE) for code in re.findall(r"`([^`]+)`", row)}


def words(path: Path) -> set[str]:
    """Give every text that stands in a module's code."""
    return {
        node.value
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_every_code_is_documented_and_no_other() -> None:
    known = {code for path in SOURCES for code in codes(path)} | set(vocabulary.PROBLEMS) | set(vocabulary.KERNEL_CAUSES)
    assert known - documented() == set()
    said = set().union(*map(words, SOURCES))
    assert {code for code in documented() if not code.endswith("Error")} - said == set()


def test_every_class_of_error_is_documented() -> None:
    classes = {kind for kind, value in vars(errors).items() if isinstance(value, type) and issubclass(value, errors.EnvkitError)}
    assert classes - {"EnvkitError"} <= documented()


def test_every_variable_of_envkit_is_documented() -> None:
    read = {word for path in SOURCES for word in re.findall(r"\bENVKIT_[A-Z_]+\b", path.read_text(encoding="utf-8"))}
    assert {word for word in read if f"`{word}`" not in CONFIGURATION} == set()


def test_the_floors_are_those_of_the_contract() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    built = {layer.strip() for layer in "|".join(layers).split("|") if "(" not in layer}
    page = (ROOT / "docs" / "explanation" / "architecture.md").read_text(encoding="utf-8")
    floors = page[page.index("```text") : page.index("```\n\nEach floor")]
    assert built - set(re.findall(r"\w+", floors)) == set()


def test_every_command_and_option_is_documented() -> None:
    def named(one: argparse.ArgumentParser, before: str) -> Iterator[str]:
        for action in one._actions:
            if isinstance(action, argparse._SubParsersAction):
                for command, inner in action.choices.items():
                    yield f"{before} {command}"
                    yield from named(inner, f"{before} {command}")
            yield from (option for option in action.option_strings if option.startswith("--"))

    page = (ROOT / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")
    assert {word for word in named(parser(), "envkit") if not re.search(rf"`{word}\b", page)} == set()


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)", text):
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), f"{name(page)}: {target}"
        if anchor:
            headings = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {heading.lower().replace(" ", "-") for heading in headings}, f"{name(page)}: {target}#{anchor}"
