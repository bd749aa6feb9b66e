"""create, ensure, plan, apply and remove: on real environments."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from support.patience import LONG, more_and_more, until

import envkit
from envkit import Host, Spec
from envkit.control import Work
from envkit.records import state_of
from envkit.system import locks

NAMES = ["..", ".", "a/b", "con", "con.txt", "é", "3.12", ">=3.11", "pypy", "x" * 300, "-x", "x-", "", "a\n", "\u017f", "a b", "~x"]


def tree(directory: Path) -> set[str]:
    return {str(path.relative_to(directory)) for path in directory.rglob("*")}


@pytest.mark.core
def test_create_makes_an_environment_that_runs(host: Host) -> None:
    """What create returns runs, with the prefix that it says, and can be found again by name."""
    made = envkit.create("Demo", host=host)
    assert (made.kind, made.manager, made.name) == ("venv", "envkit", "Demo")
    said = envkit.run(made, ["python", "-c", "import sys; print(sys.prefix)"], capture_output=True, check=True, host=host)
    assert said.stdout.strip() == str(made.prefix)
    assert envkit.resolve("demo", host=host) == made
    assert made in list(envkit.find(managers=["envkit"], host=host))


@pytest.mark.core
def test_create_at_a_path(host: Host) -> None:
    """`create(".venv")` makes it in the working directory, with envkit's record inside; again it is an ExistsError."""
    made = envkit.create(".venv", host=host)
    assert made.prefix == host.cwd / ".venv"
    assert (made.prefix / ".envkit" / "ready.json").is_file()
    with pytest.raises(envkit.ExistsError) as caught:
        envkit.create(".venv", host=host)
    assert caught.value.code == "environment-exists"
    again = envkit.create(".venv", on_exists="replace", host=host)
    assert again == made


@pytest.mark.core
@pytest.mark.parametrize("name", NAMES)
def test_names_that_are_not_allowed(host: Host, name: str) -> None:
    """A name that is not allowed is a UsageError with a hint, and nothing is left behind, whatever the verb."""
    (host.cwd / "mine.txt").write_text("mine")
    spec = Spec(name=name)
    for call in (lambda: envkit.provision(name, host=host), lambda: envkit.ensure(spec, host=host), lambda: envkit.plan(spec, host=host)):
        with pytest.raises(envkit.UsageError) as caught:
            call()
        assert caught.value.hint
    assert tree(host.cwd) == {"mine.txt"}
    assert not (host.data / "environments").exists()


@pytest.mark.core
def test_a_directory_with_files_of_the_user_is_left_alone(host: Host) -> None:
    """Where a user's files lie nothing is made, nothing is removed, nothing is changed."""
    target = host.cwd / "project"
    target.mkdir()
    (target / "notes.txt").write_text("mine")
    for call in (
        lambda: envkit.create(target, host=host),
        lambda: envkit.create(target, on_exists="replace", host=host),
        lambda: envkit.ensure(Spec(prefix=target), host=host),
        lambda: envkit.remove(target, host=host),
        lambda: envkit.remove(target, foreign=True, host=host),
    ):
        with pytest.raises((envkit.ExistsError, envkit.RefusedError)) as caught:
            call()
        assert caught.value.code == "not-an-environment"
        assert caught.value.hint
    assert tree(target) == {"notes.txt"}


@pytest.mark.core
def test_no_python_satisfies_the_request(host: Host) -> None:
    """The error says which Pythons were found, and nothing is left behind."""
    with pytest.raises(envkit.NotFoundError) as caught:
        envkit.create("demo", python="==3.99.1", host=host)
    assert caught.value.code == "python-not-found"
    assert f"{sys.version_info.major}.{sys.version_info.minor}" in str(caught.value)
    assert not (host.data / "environments" / "demo").exists()


@pytest.mark.core
@pytest.mark.parametrize(
    "asked",
    [
        Spec(name="x", conda=("zlib",), backend="venv"),
        Spec(name="x", conda=("=1.2",)),
        Spec(name="x", channels=("--override-channels",)),
        Spec(name="x", conda=("zlib",), python="/usr/bin/python3"),
        Spec(name="x", conda=("zlib",), python="pypy3.10"),
        Spec(name="x", conda=("zlib",), system_site_packages=True),
        Spec(name="x", backend="nix"),
        Spec(name="x", prefix=Path("/tmp/x")),
        Spec(name="x", seed="conda"),  # type: ignore[arg-type]
        Spec(name="x", variables={"a=b": "c"}),
        Spec(name="x", pypi=("--index-url=http://evil",)),
    ],
)
def test_what_is_not_available_is_never_ignored(host: Host, asked: Spec) -> None:
    """A spec that asks for what envkit cannot do says so, and does nothing."""
    with pytest.raises(envkit.UsageError):
        envkit.ensure(asked, host=host)
    assert not (host.data / "environments").exists()


@pytest.mark.core
def test_a_second_ensure_plans_nothing(host: Host) -> None:
    """plan is true before and false after ensure; apply of what was shown gives the same environment."""
    spec = Spec(name="demo", variables={"COLOUR": "blue"})
    planned = envkit.plan(spec, host=host)
    assert [step.action for step in planned.steps] == ["create"]
    made = envkit.apply(planned, host=host)
    assert not envkit.plan(spec, host=host)
    assert envkit.ensure(spec, host=host) == made
    with pytest.raises(envkit.RefusedError) as caught:
        envkit.apply(planned, host=host)
    assert caught.value.code == "plan-stale"


@pytest.mark.core
def test_variables_are_kept_and_set(host: Host) -> None:
    """The variables of a spec are set for what runs in the environment, and can be added to later."""
    envkit.ensure(Spec(name="demo", variables={"COLOUR": "blue"}), host=host)
    envkit.ensure(Spec(name="demo", variables={"SHAPE": "it's $x"}), host=host)
    said = envkit.run(
        "demo", ["python", "-c", "import os; print(os.environ['COLOUR'], os.environ['SHAPE'])"], capture_output=True, host=host
    )
    assert said.stdout == "blue it's $x\n"


@pytest.mark.core
def test_half_made_is_not_ready_and_is_built_anew(host: Host) -> None:
    """Without its ready record an environment is listed with a problem, and the next call builds it anew."""
    made = envkit.create("demo", host=host)
    (made.prefix / ".envkit" / "ready.json").unlink()
    (made.prefix / "leftover").touch()
    (listed,) = [env for env in envkit.find(host=host) if env.prefix == made.prefix]
    assert listed.problem is not None
    assert listed.problem.code == "half-made"
    with pytest.raises(envkit.NotFoundError):
        envkit.resolve(Spec(name="demo"), host=host)
    assert envkit.ensure(Spec(name="demo"), host=host).problem is None
    assert not (made.prefix / "leftover").exists()


@pytest.mark.core
@pytest.mark.parametrize("content", ["", "{", '{"schema": 1}', "[" * 100000, '{"schema": 1, "prefix": "/elsewhere"}'])
def test_an_unreadable_record_counts_as_absent(host: Host, content: str) -> None:
    """Whatever is in the record, the next call ends well."""
    made = envkit.create("demo", host=host)
    (made.prefix / ".envkit" / "ready.json").write_text(content)
    assert envkit.ensure(Spec(name="demo"), host=host) == made
    assert state_of(made.prefix, host).ready


@pytest.mark.core
def test_a_kill_at_any_point_is_survived(host: Host) -> None:
    """Whatever part of a creation is there when the process dies, the environment is not ready, and the same call again ends well."""
    made = envkit.create("demo", host=host)
    whole = host.cwd / "whole"
    shutil.move(made.prefix, whole)
    entries = sorted(tree(whole), key=lambda text: (not text.startswith(".envkit"), text))
    (whole / ".envkit" / "ready.json").rename(whole / ".envkit" / "dirty.json")
    (whole / ".envkit" / "dirty.json").write_text(
        json.dumps({"schema": 1, "doing": "create", "pid": 1, "since": "", "made_directory": True})
    )
    for number in range(0, len(entries), 3):
        made.prefix.mkdir(parents=True)
        for entry in entries[: number + 2]:
            source, target = whole / entry, made.prefix / entry
            if source.is_dir() and not source.is_symlink():
                target.mkdir(parents=True, exist_ok=True)
            elif source.is_symlink() or source.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target, follow_symlinks=False)
        assert not state_of(made.prefix, host).ready
        assert envkit.ensure(Spec(name="demo"), host=host) == made
        envkit.remove("demo", host=host)


@pytest.mark.core
def test_two_callers_get_one_build(host: Host) -> None:
    """Eight callers at once get the same environment, and it was built once."""
    built: list[str] = []
    made: list[envkit.Environment] = []

    def report(event: envkit.Event) -> None:
        if getattr(event, "activity", "") == "create":
            built.append(event.text)  # type: ignore[union-attr]

    threads = [threading.Thread(target=lambda: made.append(envkit.ensure(Spec(name="demo"), host=host, report=report))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 8
    assert len(set(made)) == 1
    assert len(built) == 1


@pytest.mark.core
def test_busy(host: Host) -> None:
    """While another process has the lock, a call ends at its timeout with who holds it."""
    from envkit import records

    code = (
        "import sys, time; from pathlib import Path; from envkit.system import locks; from envkit.control import Work\n"
        "with locks.held(Path(sys.argv[1]), what='x', work=Work()): print('held', flush=True); time.sleep(60)"
    )
    lock = records.lock_file(records.managed_prefix("demo", host), host)
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(lock)], stdout=subprocess.PIPE, text=True, cwd=Path(envkit.__file__).parent.parent
    )
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        for seconds in more_and_more(0.3):
            with pytest.raises((envkit.BusyError, envkit.DeadlineError)) as caught:
                envkit.create("demo", timeout=seconds, host=host)
            if isinstance(caught.value, envkit.BusyError):  # else it was late before it came to the lock
                break
        assert isinstance(caught.value, envkit.BusyError)
        assert caught.value.holder == other.pid
        assert isinstance(caught.value, TimeoutError)
    finally:
        other.kill()
        other.wait()
    assert envkit.create("demo", timeout=LONG, host=host)


@pytest.mark.core
def test_cancelled_leaves_nothing(host: Host) -> None:
    """A call that is cancelled, or whose reporter raises, ends with CancelledError and leaves nothing behind."""
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(envkit.CancelledError):
        envkit.create("demo", cancel=cancel, host=host)

    def report(event: envkit.Event) -> None:
        raise OSError("the window was closed")

    with pytest.raises(envkit.CancelledError) as caught:
        envkit.create("demo", report=report, host=host)
    assert isinstance(caught.value.__cause__, OSError)
    with pytest.raises((envkit.DeadlineError, envkit.BusyError)):
        envkit.create("demo", timeout=0, host=host)
    assert not (host.data / "environments" / "demo").exists()


@pytest.mark.core
@pytest.mark.skipif(os.geteuid() != 0, reason="dropping privileges needs root")
@pytest.mark.parametrize("seen", [True, False])
def test_a_place_that_cannot_be_written(tmp_path: Path, host: Host, seen: bool) -> None:
    """Without permission to write there, or even to look, the error is typed, and nothing is left behind."""
    for parent in tmp_path.parents[:-2] if seen else ():
        parent.chmod(0o755)
    tmp_path.chmod(0o755 if seen else 0o700)
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o555)
    host.data.mkdir(parents=True, exist_ok=True)
    envkit.create("warm", host=host)  # all is imported by now: the child may not be able to read where this Python lies
    pid = os.fork()
    if pid == 0:  # the child gives up root, so that permissions count
        code = 1
        try:
            os.setgid(65534)
            os.setuid(65534)
            mine = Path(f"/tmp/envkit-nobody-{os.getpid()}")
            private = replace(host, home=mine, data=mine / "data", cwd=Path("/"), environ={"PATH": "/usr/bin:/bin"})
            try:
                envkit.create(closed / "env", host=private)
            except envkit.MachineError as error:
                code = 0 if error.code == "no-permission" else 2
            shutil.rmtree(mine, ignore_errors=True)
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert not list(closed.iterdir())


@pytest.mark.core
def test_another_python_is_built_anew(host: Host, interpreters: dict[str, Path]) -> None:
    """Where the Python does not fit the spec, the environment is built anew on one that does."""
    if len(interpreters) < 2:
        pytest.skip("one Python only")
    older, newer = sorted((minor for minor in interpreters if minor.startswith("3.")), key=lambda text: int(text[2:]))[-2:]
    where = Spec(name="demo", python=str(interpreters[older]))
    assert str(envkit.ensure(where, host=host).version).startswith(older)
    changed = replace(where, python=str(interpreters[newer]))
    assert [step.action for step in envkit.plan(changed, host=host).steps] == ["rebuild"]
    assert str(envkit.ensure(changed, host=host).version).startswith(newer)
    assert not list((host.data / "environments").glob(".envkit-*"))


@pytest.mark.core
def test_remove(host: Host) -> None:
    """Removing says what goes and why before it does; twice is a NotFoundError that names what is near."""
    made = envkit.create("demo", host=host)
    shown = envkit.remove("demo", dry_run=True, host=host)
    assert (shown.done, shown.paths) == (False, (made.prefix,))
    assert made.prefix.is_dir()
    done = envkit.remove("demo", host=host)
    assert done == replace(shown, done=True)
    assert not made.prefix.exists()
    with pytest.raises(envkit.NotFoundError):
        envkit.remove("demo", host=host)


@pytest.mark.core
def test_another_tools_environment_is_removed_only_when_asked(host: Host, interpreters: dict[str, Path]) -> None:
    """Another tool's venv goes with foreign=True alone, and only while it holds nothing else."""
    where = host.cwd / "theirs"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(where)], check=True, timeout=120)
    with pytest.raises(envkit.RefusedError) as caught:
        envkit.remove(where, host=host)
    assert caught.value.code == "foreign-environment"
    with pytest.raises(envkit.RefusedError) as caught:
        envkit.create(where, on_exists="replace", host=host)
    assert (caught.value.code, "remove(..., foreign=True)" in str(caught.value.hint)) == ("foreign-environment", True)
    (where / "thesis.txt").write_text("years of work")
    with pytest.raises(envkit.RefusedError) as caught:
        envkit.remove(where, foreign=True, host=host)
    assert caught.value.code == "foreign-files"
    assert (where / "thesis.txt").read_text() == "years of work"
    (where / "thesis.txt").unlink()
    assert envkit.remove(where, foreign=True, host=host).done
    assert not where.exists()


@pytest.mark.core
def test_a_link_is_never_followed(host: Host) -> None:
    """A link to an environment is refused, and what it leads to stays."""
    made = envkit.create("demo", host=host)
    link = host.cwd / "link"
    link.symlink_to(made.prefix)
    with pytest.raises(envkit.RefusedError):
        envkit.remove(link, host=host)
    assert envkit.resolve("demo", host=host) == made


@pytest.mark.core
def test_the_running_environment_is_not_removed(host: Host) -> None:
    """We never remove what we run in."""
    with pytest.raises(envkit.RefusedError):
        envkit.remove(sys.prefix, foreign=True, host=host)
    assert Path(sys.prefix).is_dir()


@pytest.mark.core
def test_colon_and_control_characters_in_a_path(host: Host) -> None:
    """A path that cannot work on PATH is refused before anything is written."""
    for bad in (host.cwd / "a:b", host.cwd / "a\nb"):
        with pytest.raises(envkit.RefusedError):
            envkit.create(bad, host=host)
    assert not list(host.cwd.iterdir())


@pytest.mark.core
def test_a_lock_outlives_a_dead_parent(tmp_path: Path) -> None:
    """When a process is killed while its installer writes, the lock stays taken until the installer ends."""
    lock = tmp_path / "locks" / "x.lock"
    code = (
        "import sys; from pathlib import Path; from envkit.system import locks, process; from envkit.control import Work\n"
        "work = Work()\n"
        "with locks.held(Path(sys.argv[1]), what='x', work=work) as held:\n"
        "    argv = ['/bin/sh', '-c', 'echo up > $1/up; until [ -e $1/go ]; do /bin/sleep 0.05; done', 'sh', sys.argv[2]]\n"
        "    process.run_process(argv, work=work, environ={}, descriptors=held.descriptors)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code, str(lock), str(tmp_path)], cwd=Path(envkit.__file__).parent.parent)
    assert until((tmp_path / "up").exists)
    parent.kill()
    parent.wait()
    with pytest.raises(envkit.BusyError), locks.held(lock, what="x", work=Work(timeout=0.2)):
        pass
    (tmp_path / "go").touch()
    with locks.held(lock, what="x", work=Work(timeout=LONG)):
        pass


@pytest.mark.core
def test_what_is_meant_for_an_environment_never_reaches_its_base(host: Host) -> None:
    """An environment, its executable and its prefix mean the environment; when it is gone, nothing else is taken for it."""
    made = envkit.create(".venv", host=host)
    assert made.python is not None
    for target in (made, made.python, made.prefix, str(made.prefix)):
        assert envkit.resolve(target, host=host).prefix == made.prefix
        assert envkit.interpreter(target, host=host).prefix == made.prefix
    (made.prefix / "pyvenv.cfg").unlink()
    with pytest.raises(envkit.EnvkitError):
        envkit.install(made, "six", host=host)
    with pytest.raises(envkit.EnvkitError):
        envkit.uninstall(made, "pip", host=host)
