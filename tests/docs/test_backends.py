"""The table of backends in the documentation is the data that `backend="auto"` decides by."""

from __future__ import annotations

from pathlib import Path

import pytest

from envkit.models.capabilities import BACKENDS, chosen

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "backends.md"
ROWS = {
    "manages Python versions": "manages_python",
    "binary packages": "binary_packages",
    "packages that are not Python's": "other_languages",
    "needs a tool installed first": "needs_tool",
    "lightweight": "lightweight",
    "packages from": "sources",
}


def _said(value: object) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else ", ".join(value)  # type: ignore[arg-type] # else the ecosystems


@pytest.mark.core
def test_the_page_says_what_the_data_say() -> None:
    """Each row of the table is a field of the data, none is left out, and each cell says the same."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")]
    assert rows[0][1:] == [backend.backend for backend in BACKENDS]
    assert {row[0]: row[1:] for row in rows[1:]} == {
        name: [_said(getattr(backend, field)) for backend in BACKENDS] for name, field in ROWS.items()
    }
    assert {*ROWS.values(), "backend"} == set(BACKENDS[0].__dataclass_fields__)


@pytest.mark.core
def test_the_lightest_that_has_the_packages_is_chosen() -> None:
    """PyPI's packages alone need a virtual environment; conda's, with or without PyPI's, a conda environment."""
    assert [chosen(frozenset(asked)) for asked in ({"pypi"}, {"conda"}, {"pypi", "conda"})] == ["venv", "conda", "conda"]
