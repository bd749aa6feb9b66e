"""Temporary environments: private, writable, gone at the end; what lies below them never changes."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from support.wheels import make_wheel

import envkit
from envkit import Host, Sources, Spec

Snapshot = Callable[[Path], object]
ROOT = Path(envkit.__file__).parent.parent


@pytest.fixture
def spec(wheels: Sources) -> Spec:
    """beta and what it needs, on the Python that runs the tests."""
    return Spec(python=sys.base_prefix, pypi=("beta",), sources=wheels)


@pytest.mark.core
def test_made_and_gone(host: Host, spec: Spec, say: Callable[..., str]) -> None:
    """Inside, packages import, console scripts run with its own interpreter, and data files are there; afterwards all is gone."""
    with envkit.temporary(spec, host=host, offline=True) as env:
        assert env.prefix.parent == host.data / "store" / "temporary"
        assert env == envkit.resolve(env.prefix, host=host)
        assert say(env.python, "-c", "import sys; print(sys.prefix)") == str(env.prefix)
        assert say(env.prefix / "bin" / "beta") == f"{env.prefix} 2.0"
        assert (env.prefix / "share" / "beta" / "big.txt").read_text() == "shared"
        assert (env.prefix / "etc" / "beta.conf").read_text() == "configured"
        assert {"alpha", "beta", "pip"} <= {package.name for package in envkit.installed(env, host=host)}
        done = envkit.run(env, ["beta"], capture_output=True, host=host)
        assert done.stdout.strip() == f"{env.prefix} 2.0"
    assert not env.prefix.exists()
    assert not list(env.prefix.parent.iterdir())
    assert not [name for name in os.listdir(host.data / "uses") if name != "gate"]


@pytest.mark.core
def test_nothing_done_inside_reaches_below(host: Host, spec: Spec, wheels: Sources, say: Callable[..., str], snapshot: Snapshot) -> None:
    """pip and uv install, upgrade and uninstall inside, files are written to: below all is byte for byte as it was."""
    below = envkit.ensure(spec, host=host, offline=True).prefix
    links = f"--find-links={wheels.find_links[0]}"
    make_wheel(
        Path(wheels.find_links[0]),
        "beta",
        "3.0",
        files={"beta/__init__.py": "def main():\n    print('new')\n"},
        scripts={"beta": "beta:main"},
    )
    before = snapshot(below)
    with envkit.temporary(spec, host=host, offline=True) as env:
        say(env.prefix / "bin" / "pip", "install", "--no-index", links, "--upgrade", "beta", "alpha==1.0")
        assert say(env.prefix / "bin" / "beta") == "new"
        assert say(env.python, "-c", "import alpha; print(alpha.__version__)") == "1.0"
        say(env.python, "-m", "pip", "uninstall", "--yes", "alpha", "beta")
        assert say(env.python, "-c", "import alpha; print(alpha.__version__)") == "2.0"
        with open(env.prefix / "etc" / "beta.conf", "a") as stream:
            stream.write("changed")
    assert snapshot(below) == before
    with envkit.temporary(spec, host=host, offline=True) as env:
        uv = pytest.importorskip("uv").find_uv_bin()
        say(uv, "pip", "install", "--python", env.python, "--offline", "--no-config", links, "beta==3.0", "alpha==1.0")
        assert say(env.prefix / "bin" / "beta") == "new"
        assert {str(change) for change in envkit.install(env, "alpha==2.0", sources=wheels, offline=True, host=host).updated[0]} == {
            "alpha 1.0",
            "alpha 2.0",
        }
    assert snapshot(below) == before
    assert envkit.resolve(spec, host=host).prefix == below


@pytest.mark.core
def test_a_program_that_is_no_script_is_replaced_and_never_written_through(
    host: Host, wheels: Sources, tmp_path: Path, say: Callable[..., str], snapshot: Snapshot
) -> None:
    """A compiled program is linked from below; an installer that brings a newer one leaves the one below as it was."""
    directory = Path(wheels.find_links[0])
    for version in ("1.0", "2.0"):
        text = f"#!/bin/sh\necho {version}\n"
        make_wheel(directory, "tool", version, files={f"tool-{version}.data/scripts/tool": text, "tool.py": ""})
    spec = Spec(python=sys.base_prefix, pypi=("tool==1.0",), sources=wheels)
    below = envkit.ensure(spec, host=host, offline=True).prefix
    before = snapshot(below)
    uv = pytest.importorskip("uv").find_uv_bin()
    for installer in (("-m", "pip", "install", "--no-index", f"--find-links={directory}"), ()):
        with envkit.temporary(spec, host=host, offline=True) as env:
            assert say(env.prefix / "bin" / "tool") == "1.0"
            command = (
                (env.python, *installer)
                if installer
                else (uv, "pip", "install", "--python", env.python, "--offline", f"--find-links={directory}")
            )
            say(*command, "tool==2.0")
            assert (env.prefix / "bin" / "tool").read_text() == "#!/bin/sh\necho 2.0\n"
        assert snapshot(below) == before


@pytest.mark.core
def test_each_is_its_own(host: Host, spec: Spec, say: Callable[..., str], wheels: Sources) -> None:
    """Two at once over the same environment do not see what is installed in the other."""
    with envkit.temporary(spec, host=host, offline=True) as one, envkit.temporary(spec, host=host, offline=True) as two:
        envkit.install(one, "alpha==1.0", sources=wheels, offline=True, host=host)
        assert say(one.prefix / "bin" / "beta") == f"{one.prefix} 1.0"
        assert say(two.prefix / "bin" / "beta") == f"{two.prefix} 2.0"


@pytest.mark.core
def test_it_goes_whatever_ends_the_body(host: Host, spec: Spec) -> None:
    """An exception, and the end of an `async with`, remove it, too; what the body raised is raised."""
    kept: list[envkit.Environment] = []
    with pytest.raises(KeyError), envkit.temporary(spec, host=host, offline=True) as env:
        kept.append(env)
        raise KeyError("mine")

    async def use() -> None:
        async with envkit.temporary(spec, host=host, offline=True) as env:
            kept.append(env)
            assert env.prefix.is_dir()

    asyncio.run(use())
    assert [env.prefix.exists() for env in kept] == [False, False]


@pytest.mark.core
def test_wrong_arguments_are_refused_at_once(host: Host, spec: Spec) -> None:
    """A spec with a place, and keywords beside a spec, are refused before anything is made."""
    with pytest.raises(envkit.UsageError):
        envkit.temporary(Spec(name="demo"), host=host)
    with pytest.raises(envkit.UsageError) as caught:
        envkit.temporary(spec, pypi=["alpha"], host=host)
    assert caught.value.code == "spec-and-keywords"
    with pytest.raises(TypeError):
        envkit.temporary(pypi="alpha", host=host)
    assert not host.data.exists()


@pytest.mark.core
def test_clone_and_lasting_changes_are_refused(host: Host, spec: Spec) -> None:
    """A temporary environment cannot be cloned: what it shows is no part of it."""
    with envkit.temporary(spec, host=host, offline=True) as env, pytest.raises(envkit.RefusedError) as caught:
        envkit.clone(env, "copy", host=host)
    assert caught.value.code == "temporary"


@pytest.mark.core
def test_prune_removes_what_a_kill_left(host: Host, spec: Spec) -> None:
    """While its process lives it stays; once that is killed `prune` takes it, and what it showed is free."""
    code = (
        "import sys, time, envkit\n"
        "from pathlib import Path\n"
        "host = envkit.from_json(sys.argv[1], envkit.Host); spec = envkit.from_json(sys.argv[2], envkit.Spec)\n"
        "with envkit.temporary(spec, host=host, offline=True) as env: print(env.prefix, flush=True); time.sleep(60)"
    )
    argv = [sys.executable, "-c", code, envkit.to_json(host), envkit.to_json(spec)]
    other = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        assert other.stdout is not None
        prefix = Path(other.stdout.readline().strip())
        below = envkit.resolve(spec, host=host).prefix
        assert envkit.prune(host=host) == ()
        assert prefix.is_dir()
    finally:
        os.kill(other.pid, signal.SIGKILL)
        other.wait()
        other.stdout.close() if other.stdout else None
    shown = envkit.prune(dry_run=True, host=host)
    assert prefix in {path for removal in shown for path in removal.paths}
    assert prefix.is_dir()
    gone = envkit.prune(host=host)
    assert {path for removal in gone for path in removal.paths} >= {prefix, below}
    assert all(removal.done and removal.reason and removal.size for removal in gone)
    assert not prefix.exists()
    assert not below.exists()


@pytest.mark.slow
def test_a_kernel_works_inside(host: Host, wheels: Sources) -> None:
    """A kernel of a temporary environment runs with its prefix, `!pip` included; a kernelspec registered for it goes with it."""
    spec = Spec(python=sys.base_prefix, pypi=("ipykernel",))
    with envkit.temporary(spec, host=host) as env:
        envkit.jupyter.register(env, name="private", host=host)
        with envkit.jupyter.session(env, host=host) as session:
            assert session.run("import sys; print(sys.prefix)").text.strip() == str(env.prefix)
            said = session.run(f"!pip install --no-index --find-links={wheels.find_links[0]} alpha==1.0").text
            assert "Successfully installed alpha-1.0" in said
            assert session.run("import alpha; print(alpha.__file__)").text.startswith(str(env.prefix))
            assert session.run("!which python jupyter").text.split() == [str(env.prefix / "bin" / name) for name in ("python", "jupyter")]
    assert "private" not in {kernel.name for kernel in envkit.jupyter.kernels(host=host)}
    assert "alpha" not in {package.name for package in envkit.installed(envkit.resolve(spec, host=host).prefix, host=host)}


@pytest.mark.core
def test_variables_and_the_layer_order(host: Host, spec: Spec) -> None:
    """Variables of the spec are set inside; a spec that has pip already brings its own."""
    with envkit.temporary(replace(spec, variables={"COLOUR": "blue"}, seed="pip"), host=host, offline=True) as env:
        done = envkit.run(env, ["python", "-c", "import os; print(os.environ['COLOUR'])"], capture_output=True, host=host)
        assert done.stdout.strip() == "blue"
        assert len(list((host.data / "store" / "environments").iterdir())) == 1
