"""Every example of README, changelog and docs runs and says what the page says it says.

Python blocks of a page run in order and share their names. Lines of `console` and `sh` blocks are commands of envkit; output shown
below one must be its output, where `...` stands for any text. A block that cannot run is marked in the page, with the reason.
"""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from pages import MARK, PAGES, RUNNABLE, Block, Command, blocks, commands, name

KNOWN_LANGUAGES = {*RUNNABLE, "json", "text", "toml", "yaml", "diff"}
WORKPLACE = ("python", "python3", "git", ".", "source", "deactivate", "uv", "pipx")  # what a block that is not run may begin with


def run_python(block: Block, names: dict[str, object]) -> None:
    """Run a block so that a traceback shows the page and its line."""
    code = compile("\n" * (block.line - 1) + block.text, str(block.page), "exec")
    exec(code, names)


def shown(output: str) -> re.Pattern[str]:
    """Return the pattern of an output as a page shows it: `...` is any text, and blanks and line ends count alike."""
    pieces = [r"\s+".join(map(re.escape, piece.split())) for piece in output.split("...")]
    return re.compile(r"\s*" + ".*".join(pieces) + r"\s*", re.DOTALL)


def run_command(command: Command, where: str) -> None:
    """Run a command of envkit with this interpreter, and hold what it says against the page: its result, or its error."""
    words = shlex.split(command.text)
    if words[0] == "envkit":
        words = ["python", "-m", *words]
    assert words[:3] == ["python", "-m", "envkit"], f"{where}: `{command.text}` is neither run nor marked `<!-- not run: why -->`"
    done = subprocess.run([sys.executable, *words[1:]], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=240)
    fails = command.output.startswith("error:")
    assert done.returncode in ({1, 2} if fails else {0}), f"{where}: `{command.text}` exited {done.returncode}:\n{done.stdout}{done.stderr}"
    said = done.stderr if fails else done.stdout
    assert not command.output or shown(command.output).fullmatch(said), f"{where}: `{command.text}` says\n{said}\nand not\n{command.output}"


def run_page(page: Path) -> None:
    """Run what is not marked, in order."""
    names: dict[str, object] = {"__name__": "__main__"}
    for block in blocks(page):
        if block.language == "python" and not block.not_run:
            run_python(block, names)
        elif block.language in RUNNABLE and not block.not_run:
            for command in commands(block):
                run_command(command, f"{name(page)}:{command.line}")


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if any(b.language in RUNNABLE and not b.not_run for b in blocks(page))], ids=name)
def test_examples_run_and_say_what_the_page_says(page: Path, place: Path) -> None:
    run_page(page)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_block_says_its_language(page: Path) -> None:
    assert [str(block) for block in blocks(page) if block.language not in KNOWN_LANGUAGES] == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_a_mark_stands_above_a_block_and_gives_a_reason(page: Path) -> None:
    marked = [block for block in blocks(page) if block.not_run is not None]
    assert len(marked) == len(MARK.findall(page.read_text(encoding="utf-8"))), "a mark stands on the line right above its block"
    for block in marked:
        assert block.language in RUNNABLE, f"{block}: only what would run needs a mark"
        assert len((block.not_run or "").split()) > 3, f"{block}: say why"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_only_commands_that_prepare_a_machine_are_left_out(page: Path) -> None:
    """What uses envkit always runs; README's first two commands have tests of their own."""
    for block in blocks(page):
        if block.not_run:
            assert block.language != "python", f"{block}: Python always runs"
            for command in commands(block):
                words = shlex.split(command.text)
                assert words[0] in WORKPLACE, f"{block}: `{command.text}`"
                assert "envkit" not in words or " ".join(words[:4]) == "python -m pip install", f"{block}: `{command.text}`"


def write(place: Path, text: str) -> Path:
    page = place / "page.md"
    page.write_text(text, encoding="utf-8")
    return page


def test_a_block_shares_names_with_the_one_before(place: Path) -> None:
    run_page(write(place, "```python\nx = 1\n```\ntext\n```python\nassert x == 1\n```\n"))


def test_a_block_that_fails_shows_the_line_of_its_page(place: Path) -> None:
    page = write(place, "# Title\n\n```python\nx = 1\nassert x == 2\n```\n")
    with pytest.raises(AssertionError) as caught:
        run_page(page)
    assert caught.traceback[-1].lineno == 4  # counted from 0
    assert str(caught.traceback[-1].path) == str(page)


def test_a_command_that_is_not_ours_is_refused(place: Path) -> None:
    with pytest.raises(AssertionError, match="neither run nor marked"):
        run_page(write(place, "```console\n$ rm -r /\n```\n"))


def test_a_marked_block_does_not_run(place: Path) -> None:
    run_page(write(place, "<!-- not run: it needs another machine -->\n```sh\nfalse\n```\n"))


def test_output_that_differs_from_the_page_is_seen(place: Path) -> None:
    with pytest.raises(AssertionError, match="says"):
        run_page(write(place, "```console\n$ envkit --help\nsomething else\n```\n"))
    run_page(write(place, "```console\n$ envkit \\\n  --help\nusage: envkit ...\n```\n"))
