"""`%load_ext envkit` and its magics, in a real kernel."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from running_lab import environ_of

import envkit
from envkit import jupyter

ROOT = Path(envkit.__file__).parent.parent


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[jupyter.Session]:
    """A kernel of this Python with a home of its own, in which the extension is loaded."""
    environ = {**environ_of(tmp_path_factory.mktemp("magics")), "PYTHONPATH": str(ROOT)}
    with jupyter.session(sys.executable, environ=environ, report=None) as opened:
        assert opened.run("%load_ext envkit").ok
        yield opened


@pytest.mark.core
def test_a_magic_gives_what_its_verb_gives(kernel: jupyter.Session) -> None:
    """It is the cell's result, shown as the value is, and can be kept in a variable."""
    result = kernel.run("import sys\n%envkit list {sys.prefix}")
    assert result.ok, result.text
    assert "ipykernel" in result.outputs[-1].data["text/html"]
    kept = kernel.run("found = %envkit find --python '>=3.8'\nassert isinstance(found, tuple), found\nprint(type(found[0]).__name__)")
    assert kept.text == "Environment\n"
    assert kernel.run("%envkit kernels").ok


def test_environments_are_made_filled_and_removed(kernel: jupyter.Session) -> None:
    """create, install, list, uninstall and remove, with quoted requirements; a name that is missing is an error with its hint."""
    assert "demo" in kernel.run("env = %envkit create demo\nprint(env.name)").text
    assert "idna" in kernel.run("changes = %envkit install demo 'idna>=3'\nprint(changes.added)").text
    assert "idna" in kernel.run("%envkit list demo").text
    assert "1 removed" in kernel.run("%envkit uninstall demo idna").text
    assert "dry run" in kernel.run("%envkit remove demo --dry-run").text
    assert kernel.run("%envkit remove demo").ok
    missing = kernel.run("%envkit list demo")
    assert not missing.ok
    assert "no environment is named 'demo'" in missing.text
    assert "hint: " in missing.text
    assert "Traceback" not in missing.text


@pytest.mark.core
@pytest.mark.parametrize("line", ["", "nonsense", "create", "install demo", "create 'x"])
def test_a_wrong_line_says_what_is_right(kernel: jupyter.Session, line: str) -> None:
    """In a message, without a traceback, and the cell has failed."""
    result = kernel.run(f"%envkit {line}")
    assert not result.ok
    assert "UsageError" in result.text
    assert "Traceback" not in result.text


@pytest.mark.core
def test_help_is_shown(kernel: jupyter.Session) -> None:
    """Of all commands, and of each."""
    assert "provision" in kernel.run("%envkit --help").text
    assert "--python" in kernel.run("%envkit create --help").text
