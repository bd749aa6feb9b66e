"""A notebook in a real JupyterLab: progress moves while a cell provisions, `use` moves the notebook, and what is shown is looked at."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from running_lab import TOKEN, Lab

pytestmark = pytest.mark.slow

SECONDS = 60.0
IDLE = """() => {
    const kernel = window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel;
    return kernel && kernel.connectionStatus === 'connected' && kernel.status === 'idle';
}"""


def until(true: Callable[[], Any], what: str, seconds: float = SECONDS) -> Any:
    """Wait until something is true, and return it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := true():
            return found
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} s: {what}")


class Notebook:
    """A notebook that is open in the browser."""

    def __init__(self, browser: Any, lab: Lab, path: Path) -> None:
        self.page = browser.new_page(viewport={"width": 1180, "height": 900})
        self.page.goto(f"{lab.url}lab/tree/{path.name}?token={TOKEN}&reset")
        self.page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=SECONDS * 1000)
        self.idle()

    def idle(self) -> None:
        """Wait until the kernel waits for a cell: a cell that is run while the page still connects is lost without a word."""
        until(lambda: self.page.evaluate(IDLE), "the kernel is ready")

    def start(self, number: int) -> None:
        """Run a cell and do not wait for its end."""
        self.page.locator(".jp-Notebook .jp-Cell .cm-content").nth(number).click()
        self.page.keyboard.press("Shift+Enter")

    def output(self, number: int) -> Any:
        """Return the output area of a cell."""
        return self.page.locator(".jp-Notebook .jp-Cell").nth(number).locator(".jp-Cell-outputArea")

    def has_run(self, number: int) -> bool:
        """Say whether a cell has its number: it has ended."""
        prompt = self.page.locator(".jp-Notebook .jp-Cell").nth(number).locator(".jp-InputPrompt").inner_text()
        return prompt.strip("[]: ").isdigit()

    def kernel(self) -> str:
        """Return the name of the kernel that stands at the top right."""
        return str(self.page.locator(".jp-KernelName").first.inner_text())

    def theme(self, name: str) -> None:
        """Choose a theme of JupyterLab."""
        self.page.evaluate("name => window.jupyterapp.commands.execute('apputils:change-theme', {theme: name})", name)
        light = "false" if "Dark" in name else "true"
        self.page.wait_for_selector(f'body[data-jp-theme-light="{light}"]', state="attached", timeout=SECONDS * 1000)
        self.page.wait_for_timeout(300)  # its style sheet is drawn


def test_a_cell_provisions_and_moves_its_notebook(lab: Lab, browser: Any, pictures: Path) -> None:
    """The picture of progress changes while the cell works; the cell that calls `use` moves the notebook, and the next one runs there."""
    path = lab.write(
        "moving.ipynb",
        "import envkit, sys\nbefore = sys.prefix\nkernel = envkit.provision('analysis', pypi=['rich'])\nkernel",
        "envkit.jupyter.use('analysis')",
        "import sys, rich; print(sys.prefix)",
    )
    notebook = Notebook(browser, lab, path)
    notebook.start(0)
    seen: list[str] = []

    def ended() -> bool:
        shown = notebook.output(0).inner_html() if notebook.output(0).count() else ""
        if shown and shown not in seen[-1:]:
            seen.append(shown)
            if len(seen) == 3:
                notebook.page.screenshot(path=pictures / "progress.png")
        return notebook.has_run(0)

    until(ended, "provision", 120)
    assert len(seen) >= 4, "it was drawn again and again"
    assert sum("<details" in one for one in seen) >= 4, "each with its log, folded"
    assert "proven" in notebook.output(0).inner_text()
    assert lab.sessions()[0]["kernel"]["name"] == "python3"
    notebook.start(1)
    until(lambda: notebook.has_run(1), "use")
    assert "moves to" in notebook.output(1).inner_text()
    until(lambda: "analysis" in notebook.kernel(), "the notebook follows")
    notebook.idle()
    notebook.start(2)
    until(lambda: notebook.has_run(2), "the next cell")
    assert notebook.output(2).inner_text().strip() == str(lab.home / "envkit" / "environments" / "analysis")
    notebook.page.screenshot(path=pictures / "moved.png")
    notebook.page.close()


def test_pictures_of_every_value(lab: Lab, browser: Any, pictures: Path) -> None:
    """What each value shows is kept as a picture, in a light and in a dark theme; no script and no broken element is in it."""
    path = lab.write(
        "gallery.ipynb", "from IPython.display import display\nfrom notebook_gallery import VALUES\nfor value in VALUES: display(value)"
    )
    notebook = Notebook(browser, lab, path)
    notebook.start(0)
    until(lambda: notebook.has_run(0), "the gallery")
    notebook.page.set_viewport_size({"width": 1180, "height": 7000})  # all of it at once: what is scrolled away is not in a picture
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        notebook.theme(theme)
        notebook.output(0).screenshot(path=pictures / f"values-{theme.rpartition(' ')[2].lower()}.png")
    notebook.page.close()
