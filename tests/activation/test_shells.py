"""`envkit activate` and `envkit shell`: for any environment, in whatever shell one sits."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import shutil
import struct
import subprocess
import sys
import termios
import time
from contextlib import suppress
from pathlib import Path

import pytest
from support.patience import LONG

import envkit
from envkit import Host
from envkit.shells import current_shell
from envkit.venv.scripts import SHELLS

ROOT = Path(envkit.__file__).parent.parent


def command(*argv: str) -> list[str]:
    return [sys.executable, "-m", "envkit", *argv]


def variables(host: Host, **more: str) -> dict[str, str]:
    return {**host.environ, "PYTHONPATH": str(ROOT), **more}


@pytest.mark.core
def test_every_shell_has_a_script_and_other_names_are_refused(host: Host) -> None:
    """The shells of the documentation have a script each, also for a plain interpreter."""
    python = Path(sys.base_prefix) / "bin" / "python3"
    for shell in SHELLS:
        text = envkit.activation_script(python, shell, host=host)  # type: ignore[arg-type]
        assert str(python.parent) in text
    with pytest.raises(envkit.UsageError) as caught:
        envkit.activation_script(python, "basic", host=host)  # type: ignore[arg-type]
    assert caught.value.code == "shell"


@pytest.mark.core
def test_an_interpreter_is_activated_without_an_environment_beside_it(host: Host) -> None:
    """Evaluating an interpreter's script puts it first and says that no virtual environment is active."""
    python = Path(sys.base_prefix) / "bin" / "python3"
    text = envkit.activation_script(python, "sh", host=host)
    done = subprocess.run(
        ["sh", "-c", f'{text}\nprintf "%s " "${{PATH%%:*}}" "${{VIRTUAL_ENV-none}}"\ndeactivate\nprintf %s "$PATH"'],
        env={"PATH": os.environ["PATH"], "VIRTUAL_ENV": "/x"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == f"{python.parent} none {os.environ['PATH']}", done.stderr


@pytest.mark.core
def test_a_path_that_no_script_can_hold_is_refused(host: Host, tmp_path: Path) -> None:
    """An environment of another tool at a path with a colon has no script, and the error says why."""
    place = tmp_path / "a:b"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "ok"], check=True, timeout=60)
    (tmp_path / "ok").rename(place)
    with pytest.raises(envkit.RefusedError) as caught:
        envkit.activation_script(place, "bash", host=host)
    assert caught.value.code == "path"


def test_the_command_is_evaluated_in_the_shell_that_runs_it(host: Host) -> None:
    """`eval "$(envkit activate NAME)"` activates in the shell at hand, whatever $SHELL says."""
    made = envkit.create("demo", host=host)
    line = " ".join(command("activate", "demo"))
    for shell in ("bash", "zsh", "dash"):
        if (program := shutil.which(shell)) is None:
            continue
        done = subprocess.run(
            [program, "-c", f'eval "$({line})" && printf %s "$VIRTUAL_ENV" && deactivate && printf %s "$VIRTUAL_ENV"'],
            env=variables(host, SHELL="/usr/bin/fish"),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.stdout == str(made.prefix), (shell, done.stderr)


@pytest.mark.core
def test_the_shell_at_hand_is_told_by_the_users_own_where_the_parent_is_none(host: Host) -> None:
    """What started us is asked first; a program that is no shell leaves it to $SHELL, and then to sh."""
    from dataclasses import replace

    elsewhere = replace(host, root=host.home)  # a tree has no processes
    for path, kind in (("/usr/bin/fish", "fish"), ("/bin/tcsh", "csh"), ("/bin/ksh93", "sh"), ("/bin/what", "sh"), ("", "sh")):
        assert current_shell(replace(elsewhere, environ={"SHELL": path})) == kind


def test_a_shell_without_a_terminal_gets_the_activated_variables(host: Host) -> None:
    """What is piped into `envkit shell` runs inside the environment, and its code is the command's."""
    made = envkit.create("demo", host=host)
    done = subprocess.run(
        command("shell", "demo", "--shell", "sh"),
        input='printf %s "$VIRTUAL_ENV"; exit 7',
        env=variables(host),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.stdout, done.returncode) == (str(made.prefix), 7), done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "dash", "nu"])
def test_a_shell_on_a_terminal_activates_after_the_users_own_files(shell: str, host: Host) -> None:
    """A start-up file that puts another Python first does not push the environment aside."""
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"no {shell} on PATH")
    made = envkit.create("demo", host=host)
    for name in (".bashrc", ".zshrc", ".profile"):
        (host.home / name).write_text('PATH="/decoy:$PATH"\nFROM_RC=yes\n')
    fish = host.home / ".config" / "fish"
    fish.mkdir(parents=True)
    (host.home / ".local" / "share" / "fish" / "generated_completions").mkdir(
        parents=True
    )  # or it makes them, for minutes, behind our back
    (fish / "config.fish").write_text("set -gx PATH /decoy $PATH\nset -g FROM_RC yes\n")
    say = {"nu": 'print $"at ($env.VIRTUAL_ENV) end"', "fish": "echo at $VIRTUAL_ENV rc=$FROM_RC first=$PATH[1] end"}.get(
        shell, 'echo at "$VIRTUAL_ENV" rc="$FROM_RC" first="${PATH%%:*}" end'
    )
    wanted = (
        f"at {made.prefix} end" if shell == "nu" else f"at {made.prefix} rc={'' if shell == 'dash' else 'yes'} first={made.prefix}/bin end"
    )
    said = typed(command("shell", "demo", "--shell", program), say, wanted, variables(host, TERM="dumb", SHELL=program))
    assert wanted in plain(said), said


def plain(said: str) -> str:
    """Return what a terminal showed without its line ends, which come wherever its width says."""
    return said.replace("\r", "").replace("\n", "")


def typed(argv: list[str], line: str, wanted: str, environ: dict[str, str]) -> str:
    """Run a shell on a terminal of its own, type a line until it shows what is wanted, then `exit`, and return what it showed.

    Nobody can see when a shell begins to read: what was typed too early, while it set its terminal up, may be lost.
    """
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(argv[0], argv, environ)
    try:
        said, end = b"", time.monotonic() + LONG
        quiet_since, pause, ended = time.monotonic(), 1.0, None
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 1000, 0, 0))
        while time.monotonic() < end and not ended:
            ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)  # what it said last is read below
            if select.select([terminal], [], [], 0.1)[0]:
                try:
                    data = os.read(terminal, 65536)
                except OSError:
                    break
                if not data:
                    break
                said += data
                if b"\x1b[6n" in data:  # asked where the cursor is
                    os.write(terminal, b"\x1b[1;1R")
                quiet_since = time.monotonic()
            elif said and time.monotonic() - quiet_since > pause:
                shown = wanted in plain(said.decode("utf-8", "replace"))
                with suppress(OSError):  # it has just ended
                    os.write(terminal, (b"exit" if shown else line.encode()) + b"\r")
                quiet_since, pause = time.monotonic(), pause if shown else 2 * pause
        return said.decode("utf-8", "replace")
    finally:
        os.close(terminal)
        with suppress(ProcessLookupError):
            os.kill(pid, 9)
        os.waitpid(pid, 0)
