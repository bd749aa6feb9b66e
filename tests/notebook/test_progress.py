"""The display that hears slow verbs in a notebook: drawn while they work, final when they end, silent elsewhere, harmless always."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from support.patience import LONG, until

import envkit
from envkit.control import Work, default_reporter
from envkit.display import Display, Scene
from envkit.events import Finished, Output, Progress, Started

ROOT = Path(envkit.__file__).parent.parent
BEGIN = (
    f"import sys; sys.path.insert(0, {str(ROOT)!r})\nfrom envkit.control import Work\nimport time\n"
    "def drawn(work):\n    time.sleep(0.8)\n    while not getattr(work._report, '_shown', True): time.sleep(0.05)\n"
)


class Shown:
    """What a display published: each picture, and whether it took the place of the one before."""

    def __init__(self) -> None:
        self.pictures: list[tuple[str, bool]] = []

    def __call__(self, bundle: Mapping[str, str], again: bool) -> None:
        self.pictures.append((bundle["text/html"], again))


def run_cells(*cells: str) -> list[list[Any]]:
    """Run a notebook in a kernel of this Python, and return the outputs of each cell."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(BEGIN + cell) for cell in cells])
    NotebookClient(notebook, timeout=LONG, kernel_name="python3").execute()
    return [cell.outputs for cell in notebook.cells]


@pytest.mark.core
def test_slow_work_is_drawn_while_it_works() -> None:
    """As new once, then in place; the last picture says how it ended and holds the log, folded."""
    before, shown = threading.active_count(), Shown()
    work = Work(report=Display(shown))
    with work.task("install", "install <b>rich</b>", total=4, unit="packages") as task:
        task.output("Downloading rich & more")
        assert until(lambda: shown.pictures)
        task.progress(2, 4)
        assert until(lambda: "width:50.0%" in shown.pictures[-1][0])
    pictures = [picture for picture, _ in shown.pictures]
    assert [again for _, again in shown.pictures] == [False] + [True] * (len(pictures) - 1)
    assert len(pictures) >= 3
    assert "width:50.0%" in pictures[-2]
    assert "done" in pictures[-1]
    assert re.search(r"<details.*log, \d lines.*Downloading rich &amp; more", pictures[-1], re.DOTALL)
    assert "&lt;b&gt;rich" in pictures[-1]
    assert not any("<b>" in picture or "<script" in picture for picture in pictures)
    assert until(lambda: threading.active_count() <= before)


@pytest.mark.core
def test_quick_work_is_not_drawn() -> None:
    """What is done at once leaves no output in the cell."""
    for _ in range(20):
        shown = Shown()
        began = time.monotonic()
        with Work(report=Display(shown)).task("register", "register it"):
            pass
        if time.monotonic() - began < 0.4:  # else this machine stood still, and it was not done at once
            break
    time.sleep(0.6)
    assert shown.pictures == []


def test_a_failure_is_the_last_picture() -> None:
    """With what went wrong in the log; the error itself is the cell's own."""
    shown = Shown()
    work = Work(report=Display(shown))
    with pytest.raises(envkit.NotFoundError), work.task("resolve", "look for it"):
        assert until(lambda: shown.pictures)
        raise envkit.NotFoundError("there is no such package")
    assert "failed" in shown.pictures[-1][0]
    assert "failed: look for it: there is no such package" in shown.pictures[-1][0]


def test_a_display_that_breaks_harms_nothing() -> None:
    """A front end that goes away does not cancel the work."""

    asked = threading.Event()

    def broken(bundle: Mapping[str, str], again: bool) -> None:
        asked.set()
        raise OSError("the socket is closed")

    with Work(report=Display(broken)).task("install", "install it"):
        assert asked.wait(LONG)


@pytest.mark.core
def test_a_scene_tells_what_is_open_and_what_is_done() -> None:
    """The outermost activity is the title, the innermost one has the bar; a long log keeps its end and says what it left out."""
    scene = Scene()
    scene.hear(Started(id=1, parent=None, activity="create", text="create demo"), 0.0)
    scene.hear(Started(id=2, parent=1, activity="install", text="install", total=10), 0.5)
    scene.hear(Progress(id=2, done=9), 1.0)
    for number in range(600):
        scene.hear(Output(id=2, line=f"line {number}"), 1.5)
    picture = scene.bundle(2.0)
    assert picture["text/plain"] == "create demo: ... 2 s"
    assert "width:90.0%" in picture["text/html"]
    assert "line 599" in picture["text/html"]
    assert "log, 602 lines" in picture["text/html"]
    assert "... 102 lines before" in picture["text/html"]
    scene.hear(Finished(id=2, ok=True, seconds=3.5), 4.0)
    scene.hear(Finished(id=1, ok=True, seconds=4.0), 4.0)
    assert not scene.works
    assert scene.bundle(99.0)["text/plain"] == "create demo: done in 4.0 s"


@pytest.mark.core
def test_nothing_is_shown_outside_of_a_kernel() -> None:
    """A script, a terminal and this test have no default reporter, with and without IPython."""
    assert default_reporter() is None
    code = "import IPython, envkit.control as c; assert c.default_reporter() is None"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, timeout=60)
    ipython = [sys.executable, "-m", "IPython", "--quick", "-c", "import envkit.control as c; assert c.default_reporter() is None"]
    done = subprocess.run(ipython, capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_cell_shows_its_own_work() -> None:
    """By default, one output that is replaced; `report=None` and another thread show nothing, `%%capture` keeps it."""
    slow = "work = Work.of({CONTROL})\nwith work.task('install', 'install it') as task:\n    task.output('a line')\n    drawn(work)\n"
    threaded = f"import threading\ndef work():\n    {slow.replace('CONTROL', '').replace(chr(10), chr(10) + '    ')}\none = threading.Thread(target=work)\none.start(); one.join()"
    shown, silent, thread = run_cells(slow.replace("CONTROL", ""), slow.replace("CONTROL", "'report': None"), threaded)
    assert len(shown) == 1
    assert shown[0]["output_type"] == "display_data"
    assert "done in" in shown[0]["data"]["text/plain"]
    assert "a line" in shown[0]["data"]["text/html"]
    assert silent == []
    assert thread == []


def test_each_call_of_a_cell_has_its_own_display() -> None:
    """In their order, below the cell that made them, also when a later cell runs."""
    slow = "work = Work.of({{}})\nwith work.task('install', '{}'): drawn(work)\n"
    first, second = run_cells(slow.format("one") + slow.format("two"), slow.format("three"))
    assert [output["data"]["text/plain"].split(":")[0] for output in first] == ["one", "two"]
    assert [output["data"]["text/plain"].split(":")[0] for output in second] == ["three"]
