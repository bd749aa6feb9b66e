"""A place of its own for every page: its examples may make what they like in the current directory."""

import sys
from pathlib import Path

import pytest
from pages import PAGES, name

sys.path.insert(0, str(Path(__file__).parents[1]))

from support import conda_channel


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Path:
    """Stand in an empty directory, as the reader of a page does; home, Jupyter's directories and envkit's data are private already."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("NO_COLOR", "1")
    page = request.node.callspec.params.get("page") if hasattr(request.node, "callspec") else None
    if page in PAGES and "conda-forge" in page.read_text(encoding="utf-8"):
        _give_channel(tmp_path, monkeypatch, name(page))
    return here


def _give_channel(directory: Path, monkeypatch: pytest.MonkeyPatch, page: str) -> None:
    """Let the name of the well-known channel mean the tests' own, by a condarc, for examples that name it."""
    uv = pytest.importorskip("uv", reason=f"{page} names a conda channel, and the tests' own is made with uv")
    (directory / "channels").mkdir()
    (directory / "channels" / "conda-forge").symlink_to(conda_channel.full(uv.find_uv_bin()).path)
    condarc = directory / "condarc"
    condarc.write_text(f"custom_channels:\n  conda-forge: file://{directory}/channels\n", encoding="utf-8")
    monkeypatch.setenv("CONDARC", str(condarc))
