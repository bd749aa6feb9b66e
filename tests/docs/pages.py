"""Read the code blocks of a Markdown page, and the marks that say why a block is not run."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = (ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md")))
RUNNABLE = ("python", "console", "sh")
MARK = re.compile(r"<!-- not run: (?P<reason>.*?) -->")
FENCE = re.compile(r"(?P<indent> *)```(?P<language>\S*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block. `line` is the page's line on which its text begins; `not_run` the reason on the mark above it."""

    page: Path
    line: int
    language: str
    text: str
    not_run: str | None = None

    def __str__(self) -> str:
        return f"{name(self.page)}:{self.line}"


def name(page: Path) -> str:
    """Give a page's path as the repository knows it."""
    return page.relative_to(ROOT).as_posix() if page.is_relative_to(ROOT) else page.name


def blocks(page: Path) -> Iterator[Block]:
    """Give the fenced blocks of a page in order; a mark holds for the block on the line after it."""
    above, begun, indent, text = "", None, 0, list[str]()
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        if begun is not None:
            if line.strip() == "```":
                yield Block(page=page, line=begun.line, language=begun.language, text="\n".join(text) + "\n", not_run=begun.not_run)
                begun, text = None, []
            else:
                text.append(line[indent:])
        elif fence := FENCE.match(line):
            mark = MARK.fullmatch(above.strip())
            indent = len(fence["indent"])
            begun = Block(page=page, line=number + 1, language=fence["language"], text="", not_run=mark["reason"] if mark else None)
        above = line


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command line of a block, and the output shown below it (in `console` blocks, where a command begins with `$ `)."""

    line: int
    text: str
    output: str


def commands(block: Block) -> Iterator[Command]:
    """Give the commands of a `console` or `sh` block; a line that ends with a backslash goes on in the next."""
    text, output, begun, more = "", list[str](), block.line, False
    for number, line in enumerate(block.text.splitlines(), block.line):
        starts = line.startswith("$ ") if block.language == "console" else bool(line.strip()) and not line.startswith("#")
        if more:
            text += line.strip()
        elif starts:
            if text:
                yield Command(line=begun, text=text, output="\n".join(output))
            text, output, begun = line.removeprefix("$ ").strip(), [], number
        elif block.language == "console":
            output.append(line)
        more = (starts or more) and text.endswith("\\")
        text = text.removesuffix("\\") if more else text
    if text:
        yield Command(line=begun, text=text, output="\n".join(output))
