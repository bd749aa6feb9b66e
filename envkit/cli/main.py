"""The parser, the exit codes, and the one place where errors become text: 0 done, 1 an error, 2 wrong usage, 130 interrupted."""

from __future__ import annotations

import gc
import os
import sys

from . import kept, output

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Sequence

_PATIENT = 100_000
"""Objects made between two searches for garbage: a command is short, and imports make many objects that all stay."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code.

    Args:
        argv: arguments without the program's name; those of the process if None.
    """
    gc.set_threshold(_PATIENT)
    words = sys.argv[1:] if argv is None else list(argv)
    try:
        known = kept.answer(kept.form_of(words))
        code = _run(words) if known is None else output.repeat(known)
        sys.stdout.flush()
        gc.freeze()  # the interpreter looks for garbage once more when it ends, which takes longer than to look at the machine
    except KeyboardInterrupt:
        print("error: interrupted; what was half made is built anew by the next call", file=sys.stderr)
        return 130
    except OSError as error:
        _leave_unwritten(error)
        return 1
    return code


def _run(words: Sequence[str]) -> int:
    """Run a command; its errors become text here."""
    try:
        from ..errors import EnvkitError, UsageError  # noqa: PLC0415 - the check for a foreign package stands there, and is told below
    except ImportError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    from .quick import options_of  # noqa: PLC0415 - after the check of the package

    options = options_of(words)
    if options is None:
        from .parser import parsed  # noqa: PLC0415 - argparse takes its time

        options = parsed(words)
    try:
        code: int = options.command(options)
    except EnvkitError as error:
        _say(error, error.hint, log=error.log)
        return 2 if isinstance(error, UsageError) else 1
    return code


def _leave_unwritten(error: OSError) -> None:
    """Say that the output cannot be written, unless nobody reads it any more; raise what is no such error."""
    import errno  # noqa: PLC0415 - as for any error

    if not isinstance(error, BrokenPipeError) and (
        error.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EIO} or error.filename is not None
    ):
        raise error
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter complains once more when it ends
    if not isinstance(error, BrokenPipeError):
        print(f"error: what was found cannot be written: {error.strerror}", file=sys.stderr)


def _say(error: Exception, hint: str | None, *, log: object) -> None:
    from ..markup import printable  # noqa: PLC0415 - only for an error

    first, *more = str(error).splitlines() or [""]
    print(f"error: {printable(first)}", *(f"  {printable(line)}" for line in more), sep="\n", file=sys.stderr)
    if log is not None:
        print(f"log: {log}", file=sys.stderr)
    if hint:
        print(f"hint: {printable(hint)}", file=sys.stderr)
