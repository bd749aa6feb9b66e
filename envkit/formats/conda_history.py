"""`conda-meta/history`: what was asked of a conda environment and what changed, a block for each change. Text in, values out, and back.

conda and mamba read the specs of all blocks to know what the user asked for, so a block of ours is written as theirs. Anything may stand
in the file beside: rattler leaves it empty, pixi writes a remark, conda before 4.5 wrote specs joined by commas.

Source: conda's history.py; CEP 32 for what may be relied upon (that the file is there).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from .conda_url import has_scheme, package_file, shown

_HEAD: Final = re.compile(r"==>\s*(.+?)\s*<==")
_SPECS: Final = re.compile(r"#\s*(\w+)\s*specs:\s*(.*)")
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]*")
_URL_IN_BRACKETS: Final = re.compile(r"\[(?:.*[,\s])?url=['\"]?([^'\",\]]+)")
_CONTINUED: Final = re.compile(r"\s*[<>=!~]")  # in specs joined by commas: a bound that belongs to the spec before
_ASKED: Final = frozenset({"update", "install", "create", "neutered"})  # neutered: what a solve had to loosen
_DROPPED: Final = frozenset({"remove", "uninstall"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One change. `linked` and `unlinked` are "channel/subdir::name-version-build", `command` is the words of what was called.

    `asked` are match specs that hold from then on, `dropped` the names that are asked for no more.
    """

    date: str
    command: tuple[str, ...] = ()
    tool: str = ""
    asked: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    linked: tuple[str, ...] = ()
    unlinked: tuple[str, ...] = ()


def dump(block: Block) -> str:
    """Return the lines of a block, as conda writes them; credentials in URLs are left out, for the file is readable by everybody.

    `tool` is written as "# <tool> version: ..." line, so it is "envkit version: 1.2" and never conda's: by that line conda tells whether
    it is too old for an environment.
    """
    lines = [f"==> {block.date} <==", f"# cmd: {' '.join(_line(shown(word)) for word in block.command)}"]
    if block.tool:
        lines.append(f"# {block.tool}")
    lines += [f"-{_line(dist)}" for dist in sorted(block.unlinked)]
    lines += [f"+{_line(dist)}" for dist in sorted(block.linked)]
    for action, specs in (("remove", block.dropped), ("update", block.asked)):
        if specs:
            lines.append(f"# {action} specs: {[_line(shown(spec)) for spec in specs]}")  # conda evaluates it as a list of Python
    return "\n".join(lines) + "\n"


def _line(text: str) -> str:
    """Return a text without what any reader takes for the end of a line."""
    return " ".join(text.splitlines())


def load(text: str) -> tuple[Block, ...]:
    """Return the blocks of a history in their order; what stands before the first is no block, and what no tool writes is left out."""
    return tuple(_blocks(text.splitlines()))


def _blocks(lines: Iterable[str]) -> Iterator[Block]:
    date, inside = "", list[str]()
    for line in map(str.strip, lines):
        if match := _HEAD.match(line):
            if date:
                yield _block(date, inside)
            date, inside = match[1], []
        elif line:
            inside.append(line)
    if date:
        yield _block(date, inside)


def _block(date: str, lines: Sequence[str]) -> Block:
    command: tuple[str, ...] = ()
    asked, dropped = list[str](), list[str]()
    for line in lines:
        start, found, words = line.partition("cmd:")
        if found and start.strip() == "#":
            command = tuple(words.split())
        if (match := _SPECS.match(line)) is not None:
            action = match[1]
            if action in _ASKED:
                asked += _specs(match[2])
            elif action in _DROPPED:
                dropped += _specs(match[2])
    return Block(
        date=date,
        command=command,
        asked=tuple(asked),
        dropped=tuple(dropped),
        linked=tuple(line[1:] for line in lines if line.startswith("+")),
        unlinked=tuple(line[1:] for line in lines if line.startswith("-")),
    )


def _specs(text: str) -> list[str]:
    """Return the specs of a line, which is a list of Python or JSON, or in old files joined by commas."""
    if text.startswith("["):
        try:
            said: object = ast.literal_eval(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            return []
        found = [item for item in said if isinstance(item, str)] if isinstance(said, list) else []  # pyright: ignore[reportUnknownVariableType]
    elif "[" in text:
        return []
    else:
        found = _joined(text)
    return [spec for spec in found if spec and not spec.endswith("@")]  # "numpy@" is a feature that conda tracked


def _joined(text: str) -> list[str]:
    specs: list[str] = []
    for part in text.split(","):
        if specs and _CONTINUED.match(part):
            specs[-1] += f",{part}"
        else:
            specs.append(part)
    return [spec.strip() for spec in specs]


def requested(text: str) -> dict[str, str]:
    """Return the spec that holds for each name that was asked for and not dropped since, by name, the oldest first.

    Whether such a package is still installed is not known here.
    """
    found: dict[str, str] = {}
    for block in load(text):
        for spec in block.dropped:
            found.pop(name_of(spec), None)
        for spec in block.asked:
            if name := name_of(spec):
                found[name] = spec
    return found


def name_of(spec: str) -> str:
    """Return the name of a package that a match spec is for, in lower case; "" where it names none, as "*[build=mkl]"."""
    text = spec.strip()
    if (match := _URL_IN_BRACKETS.search(text)) is not None and text.startswith("*"):
        text = match[1]
    if has_scheme(text) and "::" not in text:
        try:
            return package_file(text.partition("#")[0]).name
        except ValueError:
            return ""
    match = _NAME.match(text.rpartition("::")[2] if "::" in text.partition("[")[0] else text)
    return match[0].lower() if match is not None else ""
