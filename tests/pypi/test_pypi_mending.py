"""What a killed installer leaves is seen by `broken` and mended by `repair_distributions`."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from support.packages import install, names
from support.wheels import make_project, make_wheel

import envkit
from envkit import pypi
from envkit.control import Work
from envkit.host import Host
from envkit.models.environment import Environment
from envkit.models.specs import Project, Sources
from envkit.pypi.mending import repair_distributions

ROOT = Path(envkit.__file__).parent.parent


def mend(env: Environment, host: Host, sources: Sources) -> list[str]:
    """Repair what is broken and return the names of it."""
    broken = [problem.subject for problem in pypi.broken(env, host)]
    repair_distributions(env, broken, sources=sources, work=Work(host=host, offline=True))
    return broken


@pytest.mark.core
def test_each_kind_of_damage_is_mended(by: Host, env: Environment, offline: Sources, tmp_path: Path) -> None:
    """Lost files, a lost RECORD, a lost METADATA: each package is there again in its version, the others are left alone."""
    project = make_project(tmp_path, "app", "1.0")
    install(env, by, "beta[all]", "alpha<2", Project(path=project), sources=offline)
    site = next((env.prefix / "lib").glob("python3*/site-packages"))
    (site / "gamma_ray" / "__init__.py").unlink()
    (site / "alpha-1.0.dist-info" / "RECORD").unlink()
    (site / "beta-1.0.dist-info" / "METADATA").unlink()
    (site / "app" / "__init__.py").unlink()
    assert mend(env, by, offline) == ["alpha", "app", "beta", "gamma-ray"]
    assert pypi.broken(env, by) == ()
    assert names(env, by) == {"alpha": "1.0", "app": "1.0", "beta": "1.0", "gamma-ray": "1.5"}
    assert {package.name: package.url for package in pypi.installed(env, by)}["app"] == project.as_uri()


def test_nothing_that_is_whole_and_nothing_linked_is_removed(any_tool: Host, env: Environment, offline: Sources, tmp_path: Path) -> None:
    """Only directories called like a distribution, without METADATA or RECORD, and only of the names given, are removed; links never."""
    install(env, any_tool, "alpha", sources=offline)
    site = next((env.prefix / "lib").glob("python3*/site-packages"))
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("x")
    (site / "linked-1.0.dist-info").symlink_to(outside)
    (site / "other-1.0.dist-info").mkdir()
    before = (site / "alpha-2.0.dist-info").stat().st_ino
    repair_distributions(env, ["linked", "never-there", "../x"], sources=offline, work=Work(host=any_tool, offline=True))
    assert (outside / "precious").exists()
    assert (site / "other-1.0.dist-info").exists()
    assert (site / "alpha-2.0.dist-info").stat().st_ino == before


@pytest.mark.slow
def test_an_installer_killed_at_any_moment_leaves_what_can_be_mended(by: Host, env: Environment, tmp_path: Path) -> None:
    """kill -9 of the whole group during an installation: afterwards what is broken is seen, mended, and all is there."""
    directory = tmp_path / "many"
    for number in range(12):
        make_wheel(directory, f"part{number}", "1.0", files={f"part{number}/m{index}.py": f"x = {index}\n" * 30 for index in range(60)})
    sources = Sources(find_links=(str(directory),), configuration="isolated")
    wanted = [f"part{number}" for number in range(12)]
    code = (
        "import json, sys\nfrom dataclasses import replace\nfrom pathlib import Path\nfrom packaging.version import Version\n"
        "from envkit import pypi\nfrom envkit.control import Work\nfrom envkit.host import Host\nfrom envkit.models.environment import Environment\n"
        "from envkit.models.plans import Sources\nprefix, version, links, data, wanted = json.load(sys.stdin)\n"
        "env = Environment(prefix=Path(prefix), kind='venv', python=Path(prefix, 'bin', 'python'), version=Version(version), implementation='cpython')\n"
        "host = Host.current(data=Path(data))\nprint('ready', flush=True)\n"
        "pypi.install(env, wanted, sources=Sources(find_links=(links,), configuration='isolated'), work=Work(host=host, offline=True))\n"
    )
    environ = {**by.environ, "PYTHONPATH": str(ROOT)}
    slow = by.environ["ENVKIT_INSTALLER"] == "pip"
    for delay in (1.2,) if slow else (0.05, 0.1, 0.15):
        site = next((env.prefix / "lib").glob("python3*/site-packages"))
        shutil.rmtree(site)
        site.mkdir()
        child = subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environ,
            cwd=by.cwd,
            start_new_session=True,
        )
        assert child.stdin is not None
        assert child.stdout is not None
        json.dump([str(env.prefix), str(env.version), str(directory), str(by.data), wanted], child.stdin)
        child.stdin.close()
        child.stdout.readline()
        time.sleep(delay)
        victims = _family(child.pid)
        for pid in victims:
            with suppress(ProcessLookupError):  # it has just ended by itself
                os.kill(pid, signal.SIGKILL)
        child.wait()
        child.stdout.close()
        mend(env, by, sources)
        assert pypi.broken(env, by) == ()
        missing = pypi.unsatisfied(env, wanted, by)
        if missing:
            pypi.install(env, missing, sources=sources, work=Work(host=by, offline=True))
        assert pypi.unsatisfied(env, wanted, by) == ()
        assert pypi.broken(env, by) == ()


def _family(pid: int) -> list[int]:
    """Return a process and its children, which run in sessions of their own."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    if not children.exists():
        pytest.skip("no /proc here")
    return [pid, *map(int, children.read_text().split())]


def test_an_editable_project_is_mended_from_its_directory(any_tool: Host, env: Environment, offline: Sources, tmp_path: Path) -> None:
    """What was editable is editable again."""
    project = make_project(tmp_path, "app", "1.0")
    install(env, any_tool, Project(path=project, editable=True), sources=offline)
    site = next((env.prefix / "lib").glob("python3*/site-packages"))
    next(site.glob("_app.pth")).unlink()
    assert mend(env, any_tool, offline) == ["app"]
    assert pypi.installed(env, any_tool)[0].editable == project
