"""Search and identify on what the real tools make: each environment once, right, and without starting a process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from envkit.control import Work
from envkit.discovery.probe import probe

if TYPE_CHECKING:
    from conftest import World

    from envkit.models.environment import Environment


def newest(interpreters: dict[str, Path], *, below: tuple[int, int] = (99, 0)) -> Path:
    """Return the executable of the newest interpreter below a minor."""
    minors = sorted((tuple(map(int, minor.split("."))), path) for minor, path in interpreters.items())
    return [path for minor, path in minors if minor < below][-1]


@pytest.fixture(scope="module")
def tools(made: Callable[..., Path], interpreters: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One environment by each tool that makes them, on the newest Python."""
    root, python = tmp_path_factory.mktemp("tools"), newest(interpreters)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")} | {"UV_PYTHON_DOWNLOADS": "never"}
    found = {"venv": made(root / "venv", python=python), "copies": made(root / "copies", "--copies", python=python)}
    found["nested"] = made(root / "nested", python=found["venv"] / "bin" / "python")
    if shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])):
        uv = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])) or ""
        subprocess.run([uv, "venv", "-q", "-p", python, root / "uv"], check=True, env=environ, timeout=60)
        found["uv"] = root / "uv"
    command = [sys.executable, "-m", "virtualenv", "-q", "--no-seed", "--no-periodic-update", "-p", str(python), str(root / "virtualenv")]
    if subprocess.run(command, check=False, env=environ, timeout=60, capture_output=True).returncode == 0:
        found["virtualenv"] = root / "virtualenv"
    return found


@pytest.mark.core
def test_what_each_tool_made_is_told_as_its_python_tells_it(tools: dict[str, Path], world: World) -> None:
    """Prefix, base, version, implementation and manager agree with what the interpreter says when it is run."""
    for tool, prefix in tools.items():
        env = world.sure(prefix)
        said = probe(prefix / "bin" / "python", work=Work(host=world.host), prefix=prefix)
        assert (env.kind, env.prefix, env.problem) == ("venv", prefix, None), tool
        assert (env.version, env.implementation, env.base) == (said.version, said.implementation, said.base_prefix), tool
        assert env.manager == {"uv": "uv", "virtualenv": "virtualenv"}.get(tool, "venv")
        assert env.architecture == said.markers["platform_machine"]
        assert env.version_source
        assert Path(env.version_source).exists()
        assert env.externally_managed is False
        assert env.free_threaded is False


@pytest.mark.core
def test_prefix_and_executables_lead_to_the_same_environment(tools: dict[str, Path], world: World) -> None:
    for prefix in tools.values():
        env = world.sure(prefix)
        minor = ".".join(map(str, env.version.release[:2])) if env.version else ""
        for name in ("python", "python3", f"python{minor}"):
            if (prefix / "bin" / name).exists():
                assert world.sure(prefix / "bin" / name) == env
        assert world.sure(f"{prefix}/") == world.sure(f"{prefix}/lib/../bin/python") == env


def test_every_environment_below_a_root_is_found_once(tools: dict[str, Path], world: World) -> None:
    root = str(tools["venv"].parent)
    first, again = (world.ours(roots=(root,), kinds=("venv",)) for _ in range(2))
    assert sorted(env.prefix for env in first) == sorted(tools.values())
    assert first == again
    assert world.ours(roots=(root,), managers=("uv",)) == [env for env in first if env.manager == "uv"]


def test_a_link_to_an_environment_is_the_same_environment(tools: dict[str, Path], world: World, tmp_path: Path) -> None:
    """The spelling that was found first is the prefix, not resolved; the other one is an alias."""
    link = tmp_path / "link"
    link.symlink_to(tools["venv"])
    found = world.having(VIRTUAL_ENV=str(link)).ours(roots=(str(tools["venv"]),), kinds=("venv",))
    assert [(env.prefix, env.aliases) for env in found] == [(link, (tools["venv"],))]
    assert found[0].problem is None


def test_an_environment_on_path_is_not_taken_for_its_base(tools: dict[str, Path], world: World, interpreters: dict[str, Path]) -> None:
    base = newest(interpreters)
    found = world.having(PATH=f"{tools['venv']}/bin:{base.parent}").find(kinds=("venv", "interpreter"))
    ours = world.having(PATH=f"{tools['venv']}/bin:{base.parent}").ours(kinds=("venv", "interpreter"))
    assert [env.prefix for env in ours] == [tools["venv"]]
    assert [env.prefix for env in found if env.kind == "interpreter" and env.python == base] == [base.parent.parent]


@pytest.mark.core
def test_every_interpreter_is_told_as_it_tells_itself(interpreters: dict[str, Path], world: World) -> None:
    for minor, python in interpreters.items():
        env = world.sure(python)
        said = probe(python, work=Work(host=world.host))
        assert (env.kind, env.prefix, env.version, env.implementation) == ("interpreter", said.prefix, said.version, said.implementation), (
            minor
        )
        assert env.architecture == said.markers["platform_machine"]
        assert env.externally_managed is (said.paths["stdlib"] / "EXTERNALLY-MANAGED").exists()


def test_links_to_an_interpreter_are_aliases_of_one(interpreters: dict[str, Path], world: World, tmp_path: Path) -> None:
    python = newest(interpreters)
    directory = tmp_path / "links"
    directory.mkdir()
    for name in ("python3", python.name):
        (directory / name).symlink_to(python)
    found = [env for env in world.having(PATH=f"{directory}:{python.parent}").find(kinds=("interpreter",)) if env.python == python]
    assert len(found) == 1
    assert {directory / "python3", directory / python.name} <= set(found[0].aliases)
    plain = world.sure(python)
    assert all(world.sure(alias) == plain for alias in found[0].aliases)


def test_pyenvs_versions_are_found_although_none_is_active(interpreters: dict[str, Path], world: World) -> None:
    """Newest first, with pyenv as manager and the directory's name; its shims are never looked at."""
    roots = {str(python.parents[3]) for python in interpreters.values() if python.parents[2].name == "versions"}
    if not roots:
        pytest.skip("no pyenv on this machine")
    root = roots.pop()
    found = world.having(PYENV_ROOT=root, PATH=f"{root}/shims").find(managers=("pyenv",))
    names = [env.name for env in found]
    assert {python.parents[1].name for python in interpreters.values() if str(python).startswith(f"{root}/versions/")} <= set(names)
    versions = [env.version for env in found if env.version]
    assert versions == sorted(versions, reverse=True)
    assert all(world.having(PYENV_ROOT=root).sure(path) == env for env in found for path in (env.prefix, env.python or ""))


def test_an_environment_follows_its_base_when_that_is_upgraded(world: World, installed: Callable[..., Path], tmp_path: Path) -> None:
    """The version is the base's of today, not the one that pyvenv.cfg remembers; a copy that is whole in itself keeps its own."""
    base = installed(tmp_path / "base", "3.12.1")
    for name in ("linked", "copied"):
        prefix = tmp_path / name
        (prefix / "bin").mkdir(parents=True)
        (prefix / "lib" / "python3.12").mkdir(parents=True)
        (prefix / "pyvenv.cfg").write_text(f"home = {base.parent}\nversion = 3.12.1\n")
    (tmp_path / "linked/bin/python").symlink_to(base)
    (tmp_path / "copied/bin/python").write_bytes(base.read_bytes() + b"\0" * 300_000)
    installed(tmp_path / "base", "3.12.9")
    assert str(world.sure(tmp_path / "linked").version) == "3.12.9"
    assert str(world.sure(tmp_path / "copied").version) == "3.12.1"


def test_an_environment_on_a_link_that_follows_minor_versions_keeps_the_link(
    world: World, installed: Callable[..., Path], tmp_path: Path
) -> None:
    """uv writes `version_info = 3.12` and a base through a link; the patch is found by following it, the base stays as spelled."""
    installed(tmp_path / "cpython-3.12.4-linux-x86_64-gnu", "3.12.4", headers=False)
    link = tmp_path / "cpython-3.12-linux-x86_64-gnu"
    link.symlink_to("cpython-3.12.4-linux-x86_64-gnu")
    prefix = tmp_path / "env"
    (prefix / "bin").mkdir(parents=True)
    (prefix / "bin/python").symlink_to(link / "bin/python3.12")
    (prefix / "pyvenv.cfg").write_text(f"home = {link}/bin\nuv = 0.9\nversion_info = 3.12\n")
    env = world.sure(prefix)
    assert env.base == link
    assert env.version is not None
    assert env.version.release[:2] == (3, 12)
    assert env.problem is None


def test_homes_that_old_tools_wrote_are_understood(world: World, installed: Callable[..., Path], tmp_path: Path) -> None:
    """virtualenv 20.0 wrote the prefix in place of its bin; another environment as home leads to the real base."""
    base = installed(tmp_path / "base", "3.9.7")
    first = tmp_path / "first"
    (first / "bin").mkdir(parents=True)
    (first / "bin/python").symlink_to(base)
    (first / "pyvenv.cfg").write_text(f"home = {tmp_path / 'base'}\nvirtualenv = 20.0.0\nversion_info = 3.9.7.final.0\n")
    second = tmp_path / "second"
    (second / "bin").mkdir(parents=True)
    (second / "bin/python").symlink_to(first / "bin/python")
    (second / "pyvenv.cfg").write_text(f"home = {first}/bin\n")
    assert world.sure(first).base == world.sure(second).base == tmp_path / "base"
    assert world.sure(first).problem is world.sure(second).problem is None


@pytest.mark.core
def test_the_projects_environment_knows_its_project(made: Callable[..., Path], world: World) -> None:
    project = world.host.cwd
    prefix = made(project / ".venv")
    found = world.ours(kinds=("venv",))
    assert [(env.prefix, env.project, env.manager) for env in found] == [(prefix, project, "venv")]
    assert world.sure(prefix / "bin" / "python") == found[0]


def test_named_places_give_names(made: Callable[..., Path], world: World) -> None:
    prefix = made(world.host.home / ".virtualenvs" / "analysis")
    assert [(env.prefix, env.name) for env in world.ours(kinds=("venv",))] == [(prefix, "analysis")]


def test_no_process_is_started(tools: dict[str, Path], tmp_path: Path) -> None:
    """strace sees one execve: that of the Python that looks."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    script = tmp_path / "look.py"
    script.write_text(
        "import sys\n"
        "from envkit.control import Work\n"
        "from envkit.discovery.locators import TABLE\n"
        "from envkit.discovery.search import search\n"
        "from envkit.host import Host\n"
        "print(len(list(search(Work(host=Host.current()), table=TABLE, roots=(sys.argv[1],)))))\n"
    )
    trace = tmp_path / "trace"
    command = [
        strace,
        "-f",
        "-o",
        str(trace),
        "-e",
        "trace=execve",
        os.path.realpath(sys.executable),
        str(script),
        str(tools["venv"].parent),
    ]
    path = os.pathsep.join([str(Path(__file__).parents[2]), *sys.path[1:]])
    environ = {**os.environ, "PYTHONPATH": path, "PYENV_ROOT": str(Path.home() / ".pyenv")}
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environ, timeout=120)
    if "ptrace" in done.stderr and done.returncode != 0:
        pytest.skip("strace may not trace here")
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= len(tools)
    assert trace.read_text().count("execve(") == 1


def test_a_search_can_be_abandoned(world: World, tools: dict[str, Path]) -> None:
    from envkit.discovery.locators import TABLE
    from envkit.discovery.search import search

    told: list[object] = []
    generator = search(Work(host=world.host, report=told.append), table=TABLE, roots=(str(tools["venv"].parent),))
    first: Environment = next(generator)
    generator.close()
    assert first.prefix
    kinds = [type(event).__name__ for event in told]
    assert kinds[0] == "Started"
    assert kinds[-1] == "Finished"
    assert kinds.count("Started") == kinds.count("Finished")


def test_probing_fills_in_what_files_do_not_say(world: World, tools: dict[str, Path]) -> None:
    found = world.ours(roots=(str(tools["venv"]),), kinds=("venv",), probe="all")
    assert [(env.prefix, env.version_source) for env in found] == [(tools["venv"], str(tools["venv"] / "bin" / "python"))]
