"""A file that lies where an environment is wanted is somebody's."""

from __future__ import annotations

from pathlib import Path

import pytest

import envkit
from envkit import Host, Spec


@pytest.mark.core
@pytest.mark.parametrize("verb", ["create", "replace", "ensure", "plan", "remove"])
def test_a_file_at_the_place_of_an_environment_stays(verb: str, host: Host, tmp_path: Path) -> None:
    """No verb takes a file for something half made: it is refused, and the file is as it was."""
    file = tmp_path / "environment.yml"
    file.write_text("mine")
    calls = {
        "create": lambda: envkit.create(file, host=host),
        "replace": lambda: envkit.create(file, on_exists="replace", host=host),
        "ensure": lambda: envkit.ensure(Spec(prefix=file), host=host),
        "plan": lambda: envkit.plan(Spec(prefix=file), host=host),
        "remove": lambda: envkit.remove(file, host=host),
    }
    with pytest.raises((envkit.ExistsError, envkit.RefusedError)) as raised:
        calls[verb]()
    assert raised.value.code == "not-an-environment"
    assert file.read_text() == "mine"
