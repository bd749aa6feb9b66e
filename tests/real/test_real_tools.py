"""What the real tools made is found, is theirs, knows its project, and is as its own Python says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from envkit.control import Work
from envkit.discovery.probe import probe

if TYPE_CHECKING:
    from conftest import Home

pytestmark = pytest.mark.slow


def test_all(home: Home) -> None:
    print(home.missing)
    found = home.find(roots=(str(home.path / "src"),))
    for env in found:
        print(env.manager, env.name, env.project, env.prefix, env.problem)
    for key, made in home.made.items():
        env = home.at(made.prefix)
        print(key, env.manager == made.manager, env.name == made.name, env.project == made.project, env)
    assert 0
