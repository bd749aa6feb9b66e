"""install, uninstall, installed and what becomes of an environment whose change was interrupted; offline, from a directory of wheels."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from support.wheels import make_wheel

import envkit
from envkit import Host, Sources, Spec
from envkit.records import state_of

ROOT = Path(envkit.__file__).parent.parent


@pytest.fixture
def wheels(tmp_path: Path) -> Sources:
    """Two packages, one in two versions; the other needs it."""
    directory = tmp_path / "wheels"
    directory.mkdir()
    make_wheel(directory, "alpha", "1.0")
    make_wheel(directory, "alpha", "2.0")
    make_wheel(directory, "beta", "1.0", requires=("alpha>=1",))
    return Sources(find_links=(str(directory),), configuration="isolated")


@pytest.fixture(params=["uv", "pip"])
def by(request: pytest.FixtureRequest, host: Host) -> Host:
    """A world where uv, and one where pip installs."""
    if request.param == "uv":
        pytest.importorskip("uv")
    return replace(host, environ={**host.environ, "ENVKIT_INSTALLER": request.param})


def names(env: str, host: Host) -> dict[str, str]:
    return {package.name: package.version for package in envkit.installed(env, host=host)}


@pytest.mark.core
def test_the_life_of_packages(by: Host, wheels: Sources) -> None:
    """install says what came, upgrades say from what to what, uninstall what went; nothing to do is no change."""
    envkit.create("demo", host=by)
    came = envkit.install("demo", "beta", constraints=["alpha<2"], sources=wheels, offline=True, host=by)
    assert [str(package) for package in came.added] == ["alpha 1.0", "beta 1.0"]
    assert names("demo", by) == {"alpha": "1.0", "beta": "1.0"}
    shown = envkit.install("demo", "alpha==2.0", sources=wheels, offline=True, dry_run=True, host=by)
    assert names("demo", by)["alpha"] == "1.0"
    raised = envkit.install("demo", "alpha==2.0", sources=wheels, offline=True, host=by)
    assert [(str(a), str(b)) for a, b in raised.updated] == [("alpha 1.0", "alpha 2.0")]
    assert [(a.version, b.version) for a, b in shown.updated] == [("1.0", "2.0")]
    assert (
        envkit.uninstall("demo", "Beta", "never-there", dry_run=True, host=by).removed
        == envkit.uninstall("demo", "Beta", "never-there", host=by).removed
    )
    assert not envkit.uninstall("demo", "beta", host=by)
    assert names("demo", by) == {"alpha": "2.0"}
    assert state_of(envkit.resolve("demo", host=by).prefix, by).ready


@pytest.mark.core
def test_ensure_installs_what_is_missing_once(by: Host, wheels: Sources) -> None:
    """ensure adds what is not satisfied, and a second one plans nothing; lists are at least."""
    spec = Spec(name="demo", pypi=("alpha<2",), sources=wheels)
    envkit.ensure(spec, offline=True, host=by)
    assert not envkit.plan(spec, host=by)
    more = replace(spec, pypi=("beta", "alpha"))
    assert [(step.action, step.text) for step in envkit.plan(more, host=by).steps] == [("install", "install beta")]
    envkit.ensure(more, offline=True, host=by)
    assert names("demo", by) == {"alpha": "1.0", "beta": "1.0"}
    assert not envkit.plan(more, host=by)
    assert not envkit.plan(spec, host=by)


@pytest.mark.core
def test_a_failed_install_leaves_all_as_it_was(by: Host, wheels: Sources) -> None:
    """What cannot be installed is an InstallError with a hint and a log; the environment is as it was, and ready."""
    envkit.ensure(Spec(name="demo", pypi=("alpha<2",), sources=wheels), offline=True, host=by)
    with pytest.raises(envkit.InstallError) as caught:
        envkit.install("demo", "alpha==3.0", sources=wheels, offline=True, host=by)
    assert caught.value.hint
    assert caught.value.log is not None
    assert caught.value.log.read_text()
    assert names("demo", by) == {"alpha": "1.0"}
    assert state_of(envkit.resolve("demo", host=by).prefix, by).ready
    with pytest.raises(envkit.InstallError):
        envkit.ensure(Spec(name="other", pypi=("alpha==3.0",), sources=wheels), offline=True, host=by)
    assert not (by.data / "environments" / "other").exists()


@pytest.mark.core
def test_an_interrupted_change_is_mended(by: Host, wheels: Sources) -> None:
    """After a kill during an install the environment is not ready, and the next ensure mends it."""
    spec = Spec(name="demo", pypi=("beta", "alpha<2"), sources=wheels)
    made = envkit.ensure(spec, offline=True, host=by)
    marks = made.prefix / ".envkit"
    (site,) = made.prefix.glob("lib/python*/site-packages")
    shutil.copy(marks / "ready.json", marks / "kept.json")
    for damage in ("alpha/__init__.py", "beta-1.0.dist-info/METADATA", "beta-1.0.dist-info/RECORD"):
        (site / damage).unlink()
        (marks / "dirty.json").write_text('{"schema": 1, "doing": "change", "pid": 1, "since": ""}')
        assert not state_of(made.prefix, by).ready
        assert envkit.plan(spec, host=by).steps[0].action == "mend"
        assert envkit.ensure(spec, offline=True, host=by) == made
        assert names("demo", by) == {"alpha": "1.0", "beta": "1.0"}
        assert (site / damage).is_file()
        assert not envkit.plan(spec, host=by)


@pytest.mark.core
def test_a_hopeless_change_is_built_anew(host: Host, wheels: Sources) -> None:
    """Where mending does not help, the environment is built anew with all that was asked for before."""
    made = envkit.ensure(Spec(name="demo", pypi=("alpha<2",), sources=wheels), offline=True, host=host)
    (made.prefix / ".envkit" / "dirty.json").write_text('{"schema": 1, "doing": "change", "pid": 1, "since": ""}')
    (made.prefix / "bin" / "python").unlink()
    os.symlink("/nowhere/python", made.prefix / "bin" / "python")
    envkit.ensure(Spec(name="demo", pypi=("beta",), sources=wheels), offline=True, host=host)
    assert names("demo", host) == {"alpha": "1.0", "beta": "1.0"}


@pytest.mark.core
def test_a_managed_python_is_refused(host: Host, tmp_path: Path) -> None:
    """A Python that its system manages is refused before any tool sees it, unless the caller says so by name."""
    env = envkit.create("demo", host=host)
    managed = replace(envkit.resolve(Path(sys.base_prefix), host=host), externally_managed=True)
    from envkit import changing

    with pytest.raises(envkit.RefusedError) as caught:
        changing.refuse_managed(managed, allowed=False)
    assert caught.value.code == "externally-managed"
    changing.refuse_managed(managed, allowed=True)
    changing.refuse_managed(env, allowed=False)


@pytest.mark.core
@pytest.mark.skipif(not Path("/usr/lib/python3.11/EXTERNALLY-MANAGED").is_file(), reason="no externally managed Python here")
def test_the_systems_python_is_left_alone(host: Host) -> None:
    """Debian's own Python is refused, and nothing is written."""
    with pytest.raises(envkit.RefusedError) as caught:
        envkit.install("/usr/bin/python3", "rich", host=host)
    assert caught.value.code == "externally-managed"
    assert not Path("/usr/.envkit").exists()
    assert not host.data.joinpath("marks").exists()


@pytest.mark.core
def test_another_tools_environment_can_be_filled(by: Host, wheels: Sources) -> None:
    """Packages go into another tool's venv, which stays that tool's: no record of ours is left in it."""
    where = by.cwd / "theirs"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(where)], check=True, timeout=120)
    spec = Spec(prefix=where, pypi=("alpha",), sources=wheels)
    envkit.ensure(spec, offline=True, host=by)
    assert names(str(where), by) == {"alpha": "2.0"}
    assert not envkit.plan(spec, host=by)
    assert not (where / ".envkit").exists()


@pytest.mark.core
def test_eight_installers_at_once(by: Host, wheels: Sources) -> None:
    """Eight installs into one environment wait for one another, and all go well."""
    envkit.create("demo", host=by)
    failed: list[BaseException] = []

    def work(number: int) -> None:
        try:
            envkit.install("demo", "beta" if number % 2 else "alpha<2", sources=wheels, offline=True, host=by)
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test shall say it
            failed.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert set(names("demo", by)) == {"alpha", "beta"}


@pytest.mark.core
def test_an_uninstallation_that_was_killed_is_finished_by_the_same_call(host: Host, wheels: Sources) -> None:
    """Whether the package was gone by then or torn, the environment is whole afterwards, and does not ask for the package any more."""
    made = envkit.create("demo", host=host)
    envkit.install("demo", "alpha", "beta", sources=wheels, offline=True, host=host)
    (site,) = made.prefix.glob("lib/python*/site-packages")
    for torn in (True, False):
        if torn:
            (site / "beta" / "__init__.py").unlink()  # an installer removes RECORD last
        else:
            for directory in (*site.glob("alpha*"),):
                shutil.rmtree(directory)
        (made.prefix / ".envkit" / "dirty.json").write_text('{"schema": 1, "doing": "change", "pid": 1, "since": ""}')
        envkit.uninstall("demo", "beta" if torn else "alpha", offline=True, host=host)
        assert envkit.resolve("demo", host=host).problem is None
        assert envkit.check("demo", host=host) == ()
    assert names("demo", host) == {}
    record = state_of(made.prefix, host).record
    assert record is not None
    assert record.requested == ()


def test_killed_installers_are_mended(host: Host, tmp_path: Path) -> None:
    """A process that is killed with its installer at some moment of an install leaves what the next ensure makes whole."""
    directory = tmp_path / "many"
    directory.mkdir()
    for number in range(30):
        make_wheel(directory, f"part{number}", "1.0", files={f"part{number}/m{index}.py": "x = 1\n" * 50 for index in range(100)})
    sources = Sources(find_links=(str(directory),), configuration="isolated")
    spec = Spec(name="demo", pypi=tuple(f"part{number}" for number in range(30)), sources=sources)
    code = "import sys, envkit; envkit.ensure(envkit.from_json(sys.stdin.read(), envkit.Spec), offline=True)"
    environ = {**host.environ, "PYTHONPATH": str(ROOT)}
    for delay in (0.25, 0.4, 0.5, 0.6, 0.8):
        child = subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, text=True, env=environ, cwd=host.cwd, start_new_session=True
        )
        assert child.stdin is not None
        child.stdin.write(envkit.to_json(spec))
        child.stdin.close()
        time.sleep(delay)
        os.killpg(child.pid, 9)
        child.wait()
        made = envkit.ensure(spec, offline=True, timeout=120, host=host)
        assert len(names("demo", host)) == 30
        everything = ", ".join(f"part{number}.m{index}" for number in range(30) for index in (0, 50, 99))
        done = envkit.run(made, ["python", "-c", f"import {everything}"], host=host)
        assert done.returncode == 0
        envkit.remove("demo", host=host)
