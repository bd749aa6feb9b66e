"""What was found and is given back is looked at again: whose it is stays known, what its files say is what they say now."""

from __future__ import annotations

import shutil

import pytest

import envkit
from envkit import Host


@pytest.mark.core
def test_an_environment_that_was_found_is_looked_at_again(host: Host) -> None:
    """It is equal while nothing changed, tells what broke since, and is not found once it is gone or another one lies there."""
    project = host.cwd / "project"
    project.mkdir()
    (project / "pyproject.toml").write_text('[project]\nname = "project"\n')
    envkit.create(project / ".venv", host=host)
    shutil.rmtree(project / ".venv" / ".envkit")
    found = envkit.resolve(project / ".venv", host=host)
    assert (found.kind, found.project, found.problem) == ("venv", project, None)
    assert envkit.resolve(found, host=host) == found
    python = found.prefix / "bin" / "python"
    base = python.readlink()
    python.unlink()
    python.symlink_to("/nowhere/python")
    again = envkit.resolve(found, host=host)
    assert again.problem is not None
    assert again.project == project
    python.unlink()
    python.symlink_to(base)
    assert envkit.resolve(again, host=host) == found
    shutil.rmtree(found.prefix)
    with pytest.raises(envkit.NotFoundError):
        envkit.resolve(found, host=host)
    envkit.create(project / ".venv", host=host)
    assert envkit.resolve(found, host=host).manager == "envkit"
