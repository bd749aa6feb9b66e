"""install and uninstall by uv and by pip, in real environments, from a directory of wheels or an index on the loopback."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from support.packages import install, names
from support.wheels import make_project, make_sdist, make_wheel, serve_index

from envkit import pypi
from envkit.control import Work
from envkit.errors import CancelledError, DeadlineError, InstallError, NotFoundError, RefusedError, UsageError
from envkit.events import Finished, Output, Started
from envkit.host import Host
from envkit.models.environment import Environment
from envkit.models.specs import Project, Sources
from envkit.pypi.installers import find_uv


def run(env: Environment, code: str) -> str:
    return subprocess.run([str(env.python), "-I", "-c", code], capture_output=True, text=True, check=True, timeout=60).stdout.strip()


@pytest.mark.core
def test_the_life_of_a_package(by: Host, env: Environment, offline: Sources) -> None:
    """Install says what came, an upgrade from what to what, uninstall what went; the second time there is nothing to do."""
    came = install(env, by, "beta[all]", "alpha<2", sources=offline)
    assert [str(package) for package in came.added] == ["alpha 1.0", "beta 1.0", "gamma-ray 1.5"]
    assert run(env, "import alpha; print(alpha.__version__)") == "1.0"
    assert subprocess.run([env.prefix / "bin" / "alpha"], capture_output=True, text=True, check=True).stdout.strip() == "alpha 1.0"
    assert not install(env, by, "beta[all]", sources=offline)
    assert pypi.unsatisfied(env, ["beta[all]", "alpha"], by) == ()
    shown = install(env, by, "alpha==2.0", sources=offline, dry_run=True)
    assert [(old.version, new.version) for old, new in shown.updated] == [("1.0", "2.0")]
    assert names(env, by)["alpha"] == "1.0"
    raised = install(env, by, "alpha==2.0", sources=offline)
    assert [(str(old), str(new)) for old, new in raised.updated] == [("alpha 1.0", "alpha 2.0")]
    assert pypi.broken(env, by) == ()
    went = pypi.uninstall(env, ["Alpha", "gamma_ray", "never-there"], work=Work(host=by))
    assert [package.name for package in went.removed] == ["alpha", "gamma-ray"]
    assert not pypi.uninstall(env, ["alpha"], work=Work(host=by))
    assert not (env.prefix / "bin" / "alpha").exists()


@pytest.mark.parametrize("minor", ["3.8", "3.12"])
def test_every_python_from_3_8_is_served(by: Host, minor: str, make_environment: object, offline: Sources) -> None:
    """An environment without pip, of each Python, gets what it asks for; pip itself can be put into it and works there."""
    env: Environment = make_environment(minor)  # type: ignore[operator]
    assert [str(package) for package in install(env, by, "beta", sources=offline).added] == ["alpha 2.0", "beta 1.0"]
    seeded = pypi.install(env, ["pip"], sources=Sources(), work=Work(host=by))
    assert [package.name for package in seeded.added] == ["pip"]
    said = subprocess.run([str(env.python), "-I", "-m", "pip", "--version"], capture_output=True, text=True, check=True, timeout=60).stdout
    assert str(env.prefix) in said


@pytest.mark.core
def test_constraints_dependencies_and_prereleases(by: Host, env: Environment, offline: Sources) -> None:
    """Constraints limit what dependencies bring; without dependencies only what is asked for comes; pre-releases only on demand."""
    assert [str(p) for p in install(env, by, "beta", sources=offline, constraints=["alpha<2"]).added] == ["alpha 1.0", "beta 1.0"]
    pypi.uninstall(env, ["alpha", "beta"], work=Work(host=by))
    assert [str(p) for p in install(env, by, "beta", sources=offline, dependencies=False).added] == ["beta 1.0"]
    assert [str(p) for p in install(env, by, "alpha", sources=replace(offline, prereleases=True)).added] == ["alpha 3.0rc1"]
    assert pypi.unsatisfied(env, ["alpha>=2"], by) == ()


def test_local_projects_are_installed_anew_each_time(by: Host, env: Environment, offline: Sources, tmp_path: Path) -> None:
    """A wheel, an sdist, a project and an editable project: the second install brings what changed under the same version."""
    wheel = make_wheel(tmp_path, "wheely", "1.0", ["alpha<2"], files={"wheely.py": "x = 1\n"})
    sdist = make_sdist(tmp_path, "sdisty", "1.0")
    project = make_project(tmp_path, "app", "1.0", groups='dev = ["gamma-ray"]')
    came = install(env, by, Project(path=wheel), Project(path=sdist), Project(path=project, groups=("dev",)), sources=offline)
    assert [package.name for package in came.added] == ["alpha", "app", "gamma-ray", "sdisty", "wheely"]
    make_wheel(tmp_path, "wheely", "1.0", ["alpha<2"], files={"wheely.py": "x = 2\n"})
    (project / "app" / "__init__.py").write_text("x = 2\n")
    again = install(env, by, Project(path=wheel), Project(path=project), sources=offline)
    assert [new.name for _, new in again.updated] == ["app", "wheely"]
    assert run(env, "import app, wheely; print(app.x, wheely.x)") == "2 2"
    install(env, by, Project(path=project, editable=True), sources=offline)
    (project / "app" / "__init__.py").write_text("x = 3\n")
    assert run(env, "import app; print(app.x)") == "3"
    found = {package.name: package for package in pypi.installed(env, by)}
    assert found["app"].editable == project
    assert found["wheely"].url == wheel.as_uri()


def test_a_path_with_blanks_and_signs_is_no_trouble(by: Host, env: Environment, offline: Sources, tmp_path: Path) -> None:
    """Paths come to the tool as one argument."""
    directory = tmp_path / "a b;c #d 'e' é -f"
    project = make_project(directory, "app", "1.0")
    assert install(env, by, Project(path=project), sources=offline).added
    assert pypi.installed(env, by)[0].name == "app"


def test_reinstall_brings_back_what_is_gone_and_nothing_else(by: Host, env: Environment, offline: Sources) -> None:
    """With reinstall=True what is asked for is put in again in its version; what it needs stays as it is."""
    install(env, by, "beta", sources=offline)
    site = next((env.prefix / "lib").glob("python3*/site-packages"))
    (site / "beta" / "__init__.py").unlink()
    assert [problem.subject for problem in pypi.broken(env, by)] == ["beta"]
    again = install(env, by, "beta==1.0", sources=offline, reinstall=True)
    assert [new.name for _, new in again.updated] == ["beta"]
    assert pypi.broken(env, by) == ()


def test_an_index_on_the_loopback(by: Host, env: Environment, wheels: Path) -> None:
    """Sources.indexes: the first is the default one; its hashes are checked, nothing else is asked."""
    with serve_index(wheels) as index:
        sources = Sources(indexes=(index.url,), configuration="isolated")
        assert [str(p) for p in install(env, by, "beta", sources=sources, offline=False).added] == ["alpha 2.0", "beta 1.0"]
        assert {path.split("/")[1] for path in index.requests} == {"simple", "files"}


def test_the_phases_are_told_and_nest(heard: SimpleNamespace, env: Environment, offline: Sources) -> None:
    """resolve comes first, each activity that starts ends, and what the tool says is passed on."""
    pypi.install(env, ["beta"], sources=offline, work=heard.work)
    started = [event for event in heard.events if isinstance(event, Started)]
    assert started[0].activity == "resolve"
    assert {event.id for event in started} == {event.id for event in heard.events if isinstance(event, Finished)}
    assert any(isinstance(event, Output) and "beta" in event.line for event in heard.events)
    assert "install" in [event.activity for event in started]


def test_externally_managed_is_refused_before_anything_runs(any_tool: Host, env: Environment, offline: Sources) -> None:
    """PEP 668: refused with a hint, unless the caller says so by name; a dry run is no change."""
    managed = replace(env, externally_managed=True, python=Path("/nowhere/python"))
    with pytest.raises(RefusedError) as raised:
        install(managed, any_tool, "alpha", sources=offline)
    assert raised.value.code == "externally-managed"
    assert "create" in (raised.value.hint or "")
    managed = replace(env, externally_managed=True)
    assert install(managed, any_tool, "alpha", sources=offline, break_system_packages=True).added
    with pytest.raises(RefusedError):
        pypi.uninstall(managed, ["alpha"], work=Work(host=any_tool))


def test_an_environment_without_python_is_an_error(any_tool: Host, env: Environment, offline: Sources) -> None:
    """Nothing can be installed where there is no interpreter."""
    with pytest.raises(NotFoundError) as raised:
        install(replace(env, python=None), any_tool, "alpha", sources=offline)
    assert raised.value.code == "python-missing"


def test_cancel_and_deadline_end_the_tool(by: Host, env: Environment, tmp_path: Path, wheels: Path) -> None:
    """An index that never answers is left as soon as the call is cancelled or late."""
    cancel = SimpleNamespace(is_set=lambda: True)
    with serve_index(wheels, failure="hang") as index:
        sources = Sources(indexes=(index.url,), configuration="isolated")
        with pytest.raises(CancelledError):
            pypi.install(env, ["alpha"], sources=sources, work=Work(host=by, cancel=cancel))
        with pytest.raises(DeadlineError):
            pypi.install(env, ["alpha"], sources=sources, work=Work(host=by, timeout=2))
    assert names(env, by) == {}


def test_exclude_newer_reaches_the_tool(by: Host, env: Environment, wheels: Path) -> None:
    """A limit by date is handed on; an installer that does not know it says so."""
    sources = Sources(find_links=(str(wheels),), exclude_newer=datetime(2030, 1, 1, tzinfo=UTC), configuration="isolated")
    try:
        assert install(env, by, "alpha", sources=sources)
    except UsageError as error:
        assert error.code == "exclude-newer"
        assert by.environ["ENVKIT_INSTALLER"] == "pip"


def test_the_installer_can_be_chosen(host: Host, env: Environment, offline: Sources, tmp_path: Path) -> None:
    """ENVKIT_INSTALLER is "uv" or "pip"; anything else is an error that says so."""
    with pytest.raises(UsageError) as raised:
        install(env, replace(host, environ={**host.environ, "ENVKIT_INSTALLER": "conda"}), "alpha", sources=offline)
    assert raised.value.code == "installer"


def test_only_a_real_uv_on_path_is_taken(host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Never a shim, a script, a relative directory or a broken link; without uv there is none."""
    uv = find_uv(host)
    if uv is None:
        pytest.skip("no uv here")
    monkeypatch.setitem(__import__("sys").modules, "uv", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    script, shim, broken, good = (tmp_path / name for name in ("script", "shim", "broken", "good"))
    for directory in (script, shim, broken, good):
        directory.mkdir()
    (script / "uv").write_text("#!/bin/sh\nexit 0\n")
    (script / "uv").chmod(0o755)
    (shim / "uv").symlink_to(shutil.which("true") or "/bin/true")
    (broken / "uv").symlink_to(broken / "uv")
    (good / "uv").symlink_to(uv)
    fakes = f"{script}:{shim}:{broken}:good:.::"
    monkeypatch.chdir(tmp_path)
    assert find_uv(replace(host, environ={"PATH": fakes})) is None
    assert find_uv(replace(host, environ={"PATH": f"{fakes}:{good}"})) == str(good / "uv")
    assert find_uv(replace(host, environ={})) is None


def test_descriptors_stay_open_in_the_tool(any_tool: Host, env: Environment, offline: Sources, tmp_path: Path) -> None:
    """The lock's descriptor lives in the child as long as it does."""
    with open(tmp_path / "lock", "w") as lock:
        os.set_inheritable(lock.fileno(), False)
        assert install(env, any_tool, "alpha", sources=offline, descriptors=(lock.fileno(),)).added


def test_nothing_wanted_is_nothing_done(any_tool: Host, env: Environment, offline: Sources) -> None:
    """An empty request starts no tool."""
    assert not install(replace(env, python=Path("/nowhere")), any_tool, sources=offline)


def test_a_failed_install_leaves_the_environment_as_it_was(any_tool: Host, env: Environment, offline: Sources) -> None:
    """What cannot be resolved changes nothing."""
    install(env, any_tool, "alpha<2", sources=offline)
    with pytest.raises(InstallError):
        install(env, any_tool, "alpha>=2", "alpha<2", sources=offline)
    assert names(env, any_tool) == {"alpha": "1.0"}
    assert pypi.broken(env, any_tool) == ()
