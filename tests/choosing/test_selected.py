"""selected: the order in which a project's files and tools are believed, and that none of them is run."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

import envkit


def settings(project: Any, text: str, folder: str = ".") -> Path:
    """Write VS Code's settings of a folder."""
    return project.file(f"{folder}/.vscode/settings.json", text)


@pytest.mark.core
def test_the_environment_beside_is_the_projects(project: Any) -> None:
    """`.venv` is what a directory uses, and what lies in the directory; the reason names it."""
    own = project.venv(".venv")
    project.file("package/module.py", "pass\n")
    for place in (".", "package", "package/module.py"):
        assert project.prefix(place) == own
    assert project.selected().reason == f"{own} of the project"


def test_the_innermost_project_counts(project: Any) -> None:
    """Of two `.venv` the nearer one is used; the file `.venv` that names an environment elsewhere counts like one."""
    project.venv(".venv")
    inner, elsewhere = project.venv("part/.venv"), project.venv("elsewhere")
    assert project.prefix("part") == inner
    project.file("other/.venv", f"{elsewhere}\n")
    assert project.prefix("other") == elsewhere


def test_what_everybody_may_write_decides_nothing(project: Any) -> None:
    """Above a directory such as /tmp nothing is believed: anybody could put an environment there."""
    own, evil = project.path / "mine", project.venv(".venv")
    own.mkdir()
    assert project.prefix("mine") == evil
    project.path.chmod(0o1777)
    assert project.prefix("mine") != evil


@pytest.mark.core
def test_vs_codes_interpreter_comes_before_what_lies_there(project: Any) -> None:
    """`python.defaultInterpreterPath` counts, with its variables, comments and trailing commas, as an executable or a directory."""
    project.venv(".venv")
    chosen = project.venv("envs/chosen")
    for value in (
        "${workspaceFolder}/envs/chosen/bin/python",
        "${workspaceFolder:project}/envs/chosen",
        "${env:CHOSEN}/bin/python3",
        "envs/chosen",
        "./envs/chosen/bin/python",
        str(chosen),
        f"~/{os.path.relpath(chosen, project.host.home)}",
    ):
        text = '{\n // "python.defaultInterpreterPath": "no",\n "a": "//", /* , */ "python.defaultInterpreterPath": VALUE,\n}'
        path = settings(project, text.replace("VALUE", json.dumps(value)))
        found = project.having(CHOSEN=str(chosen)).selected()
        assert found.environment.prefix == chosen, value
        assert found.reason == f"python.defaultInterpreterPath in {path}"
    project.file("part/module.py", "")
    assert project.prefix("part/module.py") == chosen


@pytest.mark.parametrize("value", ["${env:NOT_SET}/bin/python", "/nowhere/bin/python", "${workspaceFolder}/gone", "${command:python}"])
def test_a_setting_that_leads_nowhere_is_told(project: Any, value: str) -> None:
    """A setting that cannot be followed is passed over, and named in the reason."""
    own = project.venv(".venv")
    settings(project, json.dumps({"python.defaultInterpreterPath": value}))
    found = project.selected()
    assert found.environment.prefix == own
    assert "python.defaultInterpreterPath" in found.reason


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"python.defaultInterpreterPath": 3}', '{"python.defaultInterpreterPath": "python"}', "{}"]
)
def test_settings_without_a_choice_are_none(project: Any, text: str) -> None:
    """Settings that say nothing, or nothing that can be read, change nothing."""
    own = project.venv(".venv")
    settings(project, text)
    assert project.selected().reason == f"{own} of the project"


def test_vs_codes_projects_name_a_manager(project: Any) -> None:
    """`python-envs.pythonProjects` comes first, for the innermost project that holds the place, by the manager it names."""
    chosen, inner = project.venv("chosen"), project.venv("part/.venv")
    path = settings(
        project,
        json.dumps(
            {
                "python.defaultInterpreterPath": str(chosen),
                "python-envs.pythonProjects": [
                    {"path": "part", "envManager": "ms-python.python:venv", "packageManager": "ms-python.python:pip"},
                    {"path": "plain", "envManager": "ms-python.python:system"},
                ],
            }
        ),
    )
    project.file("part/deep/module.py", "")
    project.file("plain/module.py", "")
    found = project.selected("part/deep/module.py")
    assert (found.environment.prefix, found.reason) == (inner, f"python-envs.pythonProjects in {path}")
    assert project.selected("plain").environment.kind == "interpreter"
    assert project.prefix() == chosen


def test_a_script_with_its_own_block_is_on_its_own(project: Any, interpreters: dict[str, Path]) -> None:
    """A PEP 723 script does not use the project's environment, but the newest Python that its block allows."""
    own = project.venv(".venv")
    minor = min(interpreters, key=lambda text: tuple(map(int, text.split("."))))
    text = f'# /// script\n# requires-python = "=={minor}.*"\n# dependencies = ["rich"]\n# ///\nprint()\n'
    world = project.having(PATH=str(interpreters[minor].parent))
    world.file("script.py", text)
    found = world.selected("script.py")
    assert found.environment.version is not None
    assert ".".join(map(str, found.environment.version.release[:2])) == minor
    assert "PEP 723" in found.reason
    world.file("plain.py", "# /// script\nprint()\n")
    assert world.prefix("plain.py") == own


def test_python_version_names_a_python(project: Any, interpreters: dict[str, Path]) -> None:
    """`.python-version` counts where no environment lies there, also from further above; one that is not there is told."""
    minor = min(interpreters, key=lambda text: tuple(map(int, text.split("."))))
    world = project.having(PATH=str(interpreters[minor].parent))
    path = world.file(".python-version", f"# ours\n{minor}\n")
    world.file("part/module.py", "")
    found = world.selected("part/module.py")
    assert found.environment.version is not None
    assert ".".join(map(str, found.environment.version.release[:2])) == minor
    assert found.reason == f"{path} asks for {minor}"
    path.write_text("3.99\n")
    assert "3.99" in world.selected().reason
    assert world.prefix() != project.venv(".venv")
    assert world.prefix() == project.path / ".venv"


def test_python_version_names_a_version_of_pyenv(project: Any, interpreters: dict[str, Path]) -> None:
    """A name in `.python-version` is first that of a version or environment of pyenv."""
    root = project.path / "pyenv"
    (root / "versions").mkdir(parents=True)
    minor, python = min(interpreters.items())
    (root / "versions" / "mine-1").symlink_to(python.parent.parent)
    project.file(".python-version", "mine-1\n")
    found = project.having(PYENV_ROOT=str(root)).selected()
    assert found.environment.name == "mine-1", minor


def test_the_newest_python_is_the_last_resort(project: Any, interpreters: dict[str, Path]) -> None:
    """A directory that says nothing uses the newest Python, of those that its `requires-python` allows; no Python at all is None."""
    world = project.having(PATH=os.pathsep.join(str(path.parent) for path in interpreters.values()))
    newest = world.selected()
    assert newest.environment == envkit.resolve(f">={sys.version_info[0]}", host=world.host)
    assert "newest" in newest.reason
    oldest = min((text for text in interpreters if text.startswith("3")), key=lambda text: tuple(map(int, text.split("."))))
    path = world.file("pyproject.toml", f'[project]\nname = "x"\nrequires-python = "<={oldest}.99"\n')
    found = world.selected()
    assert found.environment.version is not None
    assert ".".join(map(str, found.environment.version.release[:2])) == oldest
    assert str(path) in found.reason
    path.write_text('[project]\nname = "x"\nrequires-python = ">=4"\n')
    assert envkit.selected(world.path, host=world.host) is None


def test_nothing_is_run(project: Any) -> None:
    """A python in `.venv`, in settings and on PATH that would leave a mark leaves none."""
    mark = project.path / "mark"
    script = f"#!/bin/sh\ntouch {mark}\n"
    for name in (".venv/bin/python", "bin/python3"):
        project.file(name, script).chmod(0o755)
    project.file(".venv/pyvenv.cfg", "home = /usr/bin\n")
    settings(project, json.dumps({"python.defaultInterpreterPath": "${workspaceFolder}/bin/python3"}))
    found = project.having(PATH=str(project.path / "bin")).selected()
    assert found.environment.problem is not None
    assert not mark.exists()
