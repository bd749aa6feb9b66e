"""select and selected: what was recorded is found again, for what lies below it too, and survives nothing that it should not."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import envkit
from envkit import NotFoundError


@pytest.mark.core
def test_a_choice_is_found_again_and_forgotten(project: Any) -> None:
    """What select records is what selected says, with the reason; None forgets it."""
    own, other = project.venv(".venv"), project.venv("other")
    assert project.prefix() == own
    envkit.select(project.path, other, host=project.host)
    found = project.selected()
    assert found.environment == envkit.resolve(other, host=project.host)
    assert found.reason == f"chosen with select() for {project.path}"
    assert project.selected("other/pyvenv.cfg").environment.prefix == other
    envkit.select(project.path, None, host=project.host)
    assert project.prefix() == own
    envkit.select(project.path, None, host=project.host)


def test_the_nearest_choice_counts(project: Any) -> None:
    """A choice holds for what lies below; one for a directory or file further inside comes before it."""
    outer, inner, script = project.venv("a"), project.venv("b"), project.venv("c")
    path = project.file("part/deep/script.py", "pass\n")
    project.file("part/deep/other.py", "pass\n")
    envkit.select(project.path, outer, host=project.host)
    envkit.select(project.path / "part", inner, host=project.host)
    envkit.select(path, script, host=project.host)
    assert project.prefix() == outer
    assert project.prefix("part/deep") == project.prefix("part/deep/other.py") == inner
    assert project.prefix("part/deep/script.py") == script


def test_a_link_is_the_project_it_leads_to(project: Any) -> None:
    """A choice is of the directory, however its path is spelled."""
    chosen = project.venv("chosen")
    link = project.path.parent / "link"
    link.symlink_to(project.path)
    envkit.select(link, chosen, host=project.host)
    assert project.prefix() == chosen


def test_a_choice_that_is_gone_is_passed_over_and_told(project: Any) -> None:
    """What was chosen and does not exist any more is named in the reason of what is taken instead."""
    own, chosen = project.venv(".venv"), project.venv("chosen")
    envkit.select(project.path, chosen, host=project.host)
    chosen.rename(chosen.with_name("elsewhere"))
    found = project.selected()
    assert found.environment.prefix == own
    assert str(chosen) in found.reason
    assert "gone" in found.reason


def test_a_broken_choice_is_still_the_choice(project: Any) -> None:
    """What was chosen and is broken is given with its problem, not replaced behind the user's back."""
    project.venv(".venv")
    chosen = project.venv("chosen")
    envkit.select(project.path, chosen, host=project.host)
    for path in (chosen / "bin").glob("python*"):
        path.unlink()
    found = project.selected().environment
    assert found.prefix == chosen
    assert found.problem is not None


def test_an_environment_can_be_said_in_every_way(project: Any) -> None:
    """A path, a value and a managed name are accepted; what does not exist is an error, and changes nothing."""
    made = envkit.create("kept", host=project.host)
    envkit.select(project.path, "kept", host=project.host)
    assert project.prefix() == made.prefix
    envkit.select(project.path, envkit.resolve(sys.executable, host=project.host), host=project.host)
    assert project.selected().environment.python == Path(sys.executable)
    for wrong in ("nonsense", project.path / "nothing"):
        with pytest.raises(NotFoundError):
            envkit.select(project.path, wrong, host=project.host)
    assert project.selected().environment.python == Path(sys.executable)
    for call in (lambda: envkit.select(project.path / "nothing", made, host=project.host), lambda: project.selected("nothing")):
        with pytest.raises(NotFoundError) as caught:
            call()
        assert caught.value.code == "project-not-found"


@pytest.mark.core
def test_choices_made_at_once_are_all_kept(project: Any) -> None:
    """Twenty threads that choose for twenty projects lose none of the choices, and the record is this user's alone."""
    chosen = project.venv("chosen")
    places = [project.path / f"part{number}" for number in range(20)]
    for place in places:
        place.mkdir()
    threads = [threading.Thread(target=envkit.select, args=(place, chosen), kwargs={"host": project.host}) for place in places]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    state = project.host.data / "selected.json"
    assert len(json.loads(state.read_text())["choices"]) == 20
    assert state.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("text", ["", "{", "[]", '{"choices": 3}', "\0" * 100])
def test_a_damaged_record_is_no_choice(project: Any, text: str) -> None:
    """A record that cannot be understood is like none; the next choice writes a good one."""
    own = project.venv(".venv")
    project.host.data.mkdir(parents=True)
    (project.host.data / "selected.json").write_text(text)
    assert project.prefix() == own
    envkit.select(project.path, own, host=project.host)
    assert "select()" in project.selected().reason
