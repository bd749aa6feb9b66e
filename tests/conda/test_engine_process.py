"""The embedded engine's child process: what it is started with, what it never executes, and that it never takes its caller along."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import packaging
import pytest
from support.conda_channel import Channel
from support.conda_server import serve_channel
from support.patience import LONG, until

import envkit
from envkit.conda import child, configuration, rattler
from envkit.conda.request import Wish
from envkit.control import Work
from envkit.errors import MachineError
from envkit.host import Host

SOURCE = Path(envkit.__file__).parents[1]
CREATE = """
    import sys
    from pathlib import Path
    from envkit.conda import configuration, rattler
    from envkit.conda.request import Wish
    from envkit.control import Work
    from envkit.errors import EnvkitError
    from envkit.host import Host

    def create(name):
        host = Host.current()
        settings = configuration.read(host, channels=[sys.argv[1], "nodefaults"])
        wish = Wish(prefix=Path(sys.argv[2]) / name, create=True, install=("tiny",))
        return rattler.carry_out(wish, settings, work=Work(host=host))
"""


def run(
    script: str, channel: Channel, directory: Path, host: Host, *, path: str = str(SOURCE), flags: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """Run a script that may call `create`, with `path` in front of `sys.path`."""
    code = f"import sys; sys.path[:0] = {path.split(os.pathsep)!r}\n{textwrap.dedent(CREATE)}\n{textwrap.dedent(script)}"
    argv = [sys.executable, *flags, "-c", code, channel.url, str(directory)]
    return subprocess.run(argv, capture_output=True, text=True, env=dict(host.environ), cwd=host.cwd, timeout=60)


@pytest.mark.core
def test_nothing_of_the_working_directory_or_of_variables_is_executed(
    conda_host: Host, tiny_channel: Channel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trap = tmp_path / "trap"
    trap.mkdir()
    for name in ("json.py", "rattler.py", "asyncio.py", "sitecustomize.py", "usercustomize.py"):
        (trap / name).write_text(f"open({str(tmp_path / 'sprung')!r}, 'w')\n")
    monkeypatch.chdir(trap)
    environ = {**conda_host.environ, "PYTHONPATH": str(trap), "PYTHONSTARTUP": str(trap / "json.py")}
    host = Host(root=conda_host.root, environ=environ, platform=conda_host.platform, home=conda_host.home, cwd=trap, data=conda_host.data)
    settings = configuration.read(host, channels=[tiny_channel.url, "nodefaults"])
    rattler.carry_out(Wish(prefix=tmp_path / "environment", create=True, install=("tiny",)), settings, work=Work(host=host))
    assert not (tmp_path / "sprung").exists()


@pytest.mark.core
def test_no_secret_stands_in_the_command(conda_host: Host) -> None:
    assert child.command()[1:4] == ["-I", "-S", "-c"]
    assert len(child.command()) <= 7


def test_a_caller_that_runs_from_an_archive_starts_the_same_envkit(conda_host: Host, tiny_channel: Channel, tmp_path: Path) -> None:
    archive = tmp_path / "application.pyz"
    with zipfile.ZipFile(archive, "w") as written:
        for path in (SOURCE / "envkit").rglob("*.py"):
            written.write(path, path.relative_to(SOURCE))
    script = "import envkit; assert envkit.__file__.startswith(sys.path[0]), envkit.__file__; print(create('environment').after[0].name)"
    done = run(script, tiny_channel, tmp_path, conda_host, path=str(archive))
    assert (done.stdout, done.stderr) == ("tiny\n", "")


def test_without_py_rattler_it_is_said_what_to_install(conda_host: Host, tiny_channel: Channel, tmp_path: Path) -> None:
    needed = tmp_path / "needed"
    needed.mkdir()
    for package in (envkit, packaging):  # and nothing else of the directory that they are installed in
        (needed / package.__name__).symlink_to(Path(str(package.__file__)).parent)
    script = """
        try:
            create("environment")
        except EnvkitError as error:
            print(error.code, error.hint)
    """
    done = run(script, tiny_channel, tmp_path, conda_host, path=str(needed), flags=("-S",))
    assert done.stdout.startswith("extra-missing pip install 'envkit-python[conda]'"), done
    assert list((tmp_path / "environment").iterdir()) == []


def test_a_forked_child_can_use_it_after_its_parent_has(conda_host: Host, tiny_channel: Channel, tmp_path: Path) -> None:
    script = """
        import os
        create("parent")
        child = os.fork()
        if not child:
            create("child")
            os._exit(7)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """
    assert run(script, tiny_channel, tmp_path, conda_host).stdout == "7\n"
    assert (tmp_path / "child/share/tiny/version.txt").is_file()


@pytest.mark.core
def test_it_works_inside_a_running_event_loop(conda_host: Host, tiny_channel: Channel, tmp_path: Path) -> None:
    settings = configuration.read(conda_host, channels=[tiny_channel.url, "nodefaults"])

    async def cell() -> str:
        wish = Wish(prefix=tmp_path / "environment", create=True, install=("tiny",))
        return rattler.carry_out(wish, settings, work=Work(host=conda_host)).after[0].name

    assert asyncio.run(cell()) == "tiny"


@pytest.mark.slow
def test_short_scripts_that_solve_and_link_all_end_well(conda_host: Host, tiny_channel: Channel, tmp_path: Path) -> None:
    settings = configuration.read(conda_host, channels=[tiny_channel.url, "nodefaults"])
    environ = child.environ_of(settings, conda_host)
    codes: list[int] = []
    for number in range(12):
        target = tmp_path / f"environment-{number}"
        wish = Wish(prefix=target, create=True, install=("leaf", "native"))
        target.mkdir()
        asked = child.request_of(wish, settings, conda_host, target=target, said={}, pinned=())
        done = subprocess.run(child.command(), input=json.dumps(asked), text=True, capture_output=True, env=environ)
        assert '{"result"' in done.stdout, done.stderr
        codes.append(done.returncode)
    assert set(codes) == {0}


def test_several_environments_are_made_at_once_with_one_cold_cache(host: Host, tiny_channel: Channel, tmp_path: Path) -> None:
    settings = configuration.read(host, channels=[tiny_channel.url, "nodefaults"])

    def make(number: int) -> list[str]:
        wish = Wish(prefix=tmp_path / f"environment-{number}", create=True, install=("leaf", "native"))
        return sorted(package.name for package in rattler.carry_out(wish, settings, work=Work(host=host)).after)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(make, range(4))) == [["leaf", "native", "tiny"]] * 4
    listed = (host.home / ".conda/environments.txt").read_text().splitlines()
    assert sorted(listed) == [str(tmp_path / f"environment-{number}") for number in range(4)]


@pytest.mark.skipif(sys.platform != "linux", reason="children are looked up in /proc")
def test_when_the_child_is_killed_that_is_an_error_and_nothing_is_left(conda_host: Host, tiny_channel: Channel, tmp_path: Path) -> None:
    def kill() -> None:
        def engines() -> list[int]:
            return [int(entry) for entry in os.listdir("/proc") if entry.isdigit() and _is_engine_of_ours(entry)]

        until(engines)
        for pid in engines():
            os.kill(pid, signal.SIGKILL)

    with serve_channel(tiny_channel.path, failure="hang") as served:
        settings = configuration.read(conda_host, channels=[served.url, "nodefaults"])
        killer = threading.Thread(target=kill)
        killer.start()
        with pytest.raises(MachineError) as caught:
            wish = Wish(prefix=tmp_path / "environment", create=True, install=("tiny",))
            rattler.carry_out(wish, settings, work=Work(host=conda_host, timeout=2 * LONG))
        killer.join()
    assert (caught.value.code, caught.value.retryable) == ("engine-died", True)
    assert list((tmp_path / "environment").iterdir()) == []


def _is_engine_of_ours(pid: str) -> bool:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return f"PPid:\t{os.getpid()}\n" in status and b"envkit.conda.worker" in command
