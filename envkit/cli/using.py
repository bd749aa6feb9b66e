"""Commands that use an environment."""

from __future__ import annotations

from argparse import Namespace

from . import output

SHELLS = ("sh", "bash", "zsh", "fish", "csh", "pwsh", "cmd", "nu", "xonsh")


def run(options: Namespace) -> int:
    """Run a program and end as it ended: its code, or 128 and the signal's number."""
    from ..execution import run as call  # noqa: PLC0415 - each command imports what it needs

    argv = options.argv[1:] if options.argv[:1] == ["--"] else options.argv
    done = call(options.env, argv, capture_output=options.json, env_file=options.env_file, report=None, timeout=options.timeout)
    if options.json:
        output.write(output.process(done))
    return 128 - done.returncode if done.returncode < 0 else done.returncode


def activate(options: Namespace) -> int:
    """Print an activation script; with `--json` what it does, as data."""
    from ..control import Work  # noqa: PLC0415 - each command imports what it needs
    from ..shells import activation_script, current_shell  # noqa: PLC0415 - as above

    if options.json:
        from ..execution import activation  # noqa: PLC0415 - as above

        return output.give(options, activation(options.env, report=None, timeout=options.timeout), str)
    shell = options.shell or current_shell(Work().host)
    output.write(activation_script(options.env, shell, report=None, timeout=options.timeout).rstrip("\n"))
    return 0


def _leave_to_the_shell(number: int, frame: object) -> None:
    """Do nothing with a signal that the shell hears as well."""


def shell(options: Namespace) -> int:
    """Open a shell and end as it ended. Ctrl-C is the shell's own business."""
    import signal  # noqa: PLC0415 - each command imports what it needs

    from ..control import Work  # noqa: PLC0415 - as above
    from ..shells import open_shell  # noqa: PLC0415 - as above

    before = signal.signal(signal.SIGINT, _leave_to_the_shell)
    try:
        code = open_shell(options.env, Work(timeout=options.timeout), program=options.shell)
    finally:
        signal.signal(signal.SIGINT, before)
    return 128 - code if code < 0 else code
