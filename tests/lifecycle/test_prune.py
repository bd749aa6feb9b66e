"""hold and prune: what is in use stays, what nobody uses and what kills left goes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from support.patience import LONG, alive, own_time, until

import envkit
from envkit import Host, Removal, Sources, Spec

ROOT = Path(envkit.__file__).parent.parent


@pytest.fixture
def spec(wheels: Sources) -> Spec:
    """beta and what it needs, on the Python that runs the tests."""
    return Spec(python=sys.base_prefix, pypi=("beta",), sources=wheels)


def paths(removals: tuple[Removal, ...]) -> list[Path]:
    return [path for removal in removals for path in removal.paths]


@pytest.mark.core
def test_what_nobody_uses_goes(host: Host, spec: Spec) -> None:
    """Without limits all that is not in use goes; a dry run only says so; named environments stay."""
    one = envkit.ensure(spec, host=host, offline=True)
    two = envkit.ensure(replace(spec, pypi=("alpha",)), host=host, offline=True)
    named = envkit.ensure(replace(spec, name="demo", constraints=("alpha<9",)), host=host, offline=True)
    shown = envkit.prune(dry_run=True, host=host)
    assert sorted(paths(shown)) == sorted([one.prefix, two.prefix])
    assert not any(removal.done for removal in shown)
    assert one.prefix.is_dir()
    assert envkit.prune(host=host, keep=[spec]) == (replace(next(each for each in shown if each.paths == (two.prefix,)), done=True),)
    assert envkit.prune(host=host, keep=[one]) == envkit.prune(host=host, keep=["never-there", one.prefix]) == ()
    assert paths(envkit.prune(host=host)) == [one.prefix]
    assert envkit.prune(host=host) == ()
    assert envkit.resolve("demo", host=host) == named
    assert envkit.ensure(spec, host=host, offline=True).prefix == one.prefix


@pytest.mark.core
def test_what_is_held_stays(host: Host, spec: Spec) -> None:
    """`hold`, here and in another process, keeps an environment; when the holder ends, or is killed, it is free."""
    made = envkit.ensure(spec, host=host, offline=True)
    with envkit.hold(made.prefix, host=host) as held:
        assert held == made
        assert envkit.prune(host=host) == ()
    code = (
        "import sys, time, envkit; from pathlib import Path\n"
        "host = envkit.from_json(sys.argv[1], envkit.Host)\n"
        "with envkit.hold(Path(sys.argv[2]), host=host): print('held', flush=True); time.sleep(60)"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, envkit.to_json(host), str(made.prefix)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert other.stdout is not None
    try:
        assert other.stdout.readline() == "held\n"
        assert envkit.prune(host=host) == ()
    finally:
        other.kill()
        other.wait()
        other.stdout.close()
    assert paths(envkit.prune(host=host)) == [made.prefix]
    with pytest.raises(envkit.NotFoundError), envkit.hold(made.prefix, host=host):
        pass


@pytest.mark.core
def test_what_runs_there_stays(host: Host, spec: Spec) -> None:
    """A program that `run` started keeps it, also when whoever started it was killed; so does, on Linux, any process in it."""
    made = envkit.ensure(spec, host=host, offline=True)
    code = (
        "import sys, envkit; from pathlib import Path\n"
        "argv = ['/bin/sh', '-c', 'echo $$ > up; until [ -e go ]; do /bin/sleep 0.05; done']\n"
        "host = envkit.from_json(sys.argv[1], envkit.Host)\n"
        "envkit.run(Path(sys.argv[2]), argv, host=host, cwd=host.cwd, environ={'VIRTUAL_ENV': ''})"
    )
    other = subprocess.Popen([sys.executable, "-c", code, envkit.to_json(host), str(made.prefix)], cwd=ROOT)
    up = host.cwd / "up"
    assert until(lambda: up.exists() and up.read_text().endswith("\n"))
    other.kill()
    other.wait()
    assert envkit.prune(host=host) == ()  # the shell lives, and holds the lock that it was handed
    shell = int(up.read_text())
    if sys.platform == "linux":
        with subprocess.Popen(
            [str(made.python), "-c", "import time; print(1, flush=True); time.sleep(60)"], stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            (host.cwd / "go").touch()
            assert until(lambda: not alive(shell))
            assert envkit.prune(host=host) == ()
            process.kill()
    else:
        (host.cwd / "go").touch()
        time.sleep(4)
    assert paths(envkit.prune(host=host)) == [made.prefix]


@pytest.mark.core
def test_what_a_kernel_points_at_stays(host: Host, spec: Spec) -> None:
    """A kernelspec keeps the environment that it starts, whoever wrote it, also one in a place that only the record names."""
    made = envkit.ensure(spec, host=host, offline=True)
    place = host.home / "jupyter" / "kernels" / "theirs"
    place.mkdir(parents=True)
    words = {"argv": [str(made.python), "-m", "ipykernel_launcher", "-f", "{connection_file}"], "display_name": "x", "language": "python"}
    (place / "kernel.json").write_text(json.dumps(words))
    assert envkit.prune(host=host) == ()
    (place / "kernel.json").unlink()
    assert paths(envkit.prune(host=host)) == [made.prefix]


@pytest.mark.core
def test_limits_by_age_and_size(host: Host, spec: Spec) -> None:
    """`max_age` leaves what was used since; `max_bytes` takes what was used longest ago until the rest fits."""
    specs = [replace(spec, pypi=("alpha",), constraints=(f"alpha<{number + 7}",)) for number in range(3)]
    made = [envkit.ensure(each, host=host, offline=True) for each in specs]
    for number, env in enumerate(made):
        used = time.time() - 3600 * (3 - number)
        os.utime(env.prefix / ".envkit" / "ready.json", (used, used))
    assert paths(envkit.prune(max_age=timedelta(hours=2.5), host=host)) == [made[0].prefix]
    size = envkit.prune(dry_run=True, host=host)[0].size
    assert envkit.prune(max_bytes=2 * size + 100, host=host) == ()
    envkit.ensure(specs[1], host=host)  # used again: the other one is older now
    assert paths(envkit.prune(max_bytes=size + 100, host=host)) == [made[2].prefix]
    assert envkit.prune(max_age=timedelta(hours=1), host=host) == ()
    with pytest.raises(envkit.UsageError):
        envkit.prune(max_bytes=-1, host=host)
    with pytest.raises(TypeError):
        envkit.prune(keep="demo", host=host)


@pytest.mark.core
def test_what_kills_left_is_swept(host: Host, spec: Spec) -> None:
    """Half-removed trees, half-made environments, and what was put aside for one go, or come back; limits do not keep them."""
    envkit.ensure(replace(spec, name="demo"), host=host, offline=True)
    environments, store = host.data / "environments", host.data / "store" / "environments"
    os.rename(environments / "demo", environments / ".envkit-old-demo-0123abcd")
    for prefix in (environments / "demo", environments / "never", store / ("0" * 24)):
        (prefix / ".envkit").mkdir(parents=True)
        (prefix / ".envkit" / "dirty.json").write_text(json.dumps({"schema": 1, "doing": "create", "made_directory": True}))
    (environments / ".envkit-trash-0123456789ab" / "lib").mkdir(parents=True)
    (host.data / "store" / "wheels" / ".new-0123456789ab").mkdir(parents=True)
    gone = envkit.prune(max_age=timedelta(days=1), host=host)
    assert sorted(path.name for path in paths(gone)) == sorted(
        [".envkit-trash-0123456789ab", ".new-0123456789ab", "demo", "never", "0" * 24]
    )
    assert os.listdir(environments) == ["demo"]
    assert envkit.resolve("demo", host=host).problem is None
    assert envkit.prune(host=host) == ()


@pytest.mark.core
def test_what_is_being_built_stays(host: Host, spec: Spec) -> None:
    """While another process builds it, nothing is swept, and prune does not wait."""
    from envkit import records
    from envkit.control import Work

    prefix = host.data / "store" / "environments" / ("0" * 24)
    (prefix / ".envkit").mkdir(parents=True)
    (prefix / ".envkit" / "dirty.json").write_text(json.dumps({"schema": 1, "doing": "create", "made_directory": True}))
    with records.locked(prefix, Work(host=host)):
        with own_time() as took:
            assert envkit.prune(host=host, timeout=LONG) == ()
        assert took.seconds < 10
    assert paths(envkit.prune(host=host)) == [prefix]
