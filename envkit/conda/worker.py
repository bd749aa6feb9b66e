"""The embedded engine's child process: one request as JSON on stdin, events and one result or error as JSON lines on stdout.

py-rattler lives here and nowhere else. It crashes when an interpreter ends while its threads work, deadlocks in a forked process, and
goes on writing after a cancelled call; so this process ends by `os._exit` after its last line, is started anew for each call, and is
killed as a process group. It imports neither the desk nor the errors: its start is a part of every call.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from typing import Any, NoReturn

START = "import sys; sys.path += sys.argv[1:]; from envkit.conda.worker import main; main()"
"""What the parent runs with `-I -S -c`: the directories of envkit and py-rattler come after the standard library, as arguments."""
_LOOK_EVERY = 0.5  # seconds between two looks at whether the parent is there


class FailureError(Exception):
    """What cannot be done, for the parent to say: the class and the facts of its error."""

    def __init__(self, kind: str, message: str, **facts: Any) -> None:
        """Keep them."""
        super().__init__(message)
        self.kind = kind
        self.facts = facts


class Speaker:
    """Writes lines that the parent reads. Whatever else writes to standard output goes to standard error instead."""

    def __init__(self) -> None:
        """Take standard output away from everybody else."""
        self._descriptor = os.dup(1)
        os.dup2(2, 1)

    def say(self, **message: Any) -> None:
        """Write one line, in one go as long as it is short: callbacks come from several threads."""
        data = (json.dumps(message) + "\n").encode()
        while data:
            data = data[os.write(self._descriptor, data) :]


def _end_with_parent() -> None:
    """End this process soon after the one that started it: nobody would finish what it does, and it holds the environment's lock.

    Windows ends the processes of a job with their parent.
    """
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK_EVERY)
        os._exit(1)

    if os.name != "nt":
        threading.Thread(target=watch, daemon=True).start()


def main() -> NoReturn:
    """Answer the request on standard input and end the process, without what an interpreter does at its end."""
    speaker = Speaker()
    _end_with_parent()
    try:
        from .worker_task import answer  # noqa: PLC0415 - imports py-rattler, which may be missing or broken

        speaker.say(result=answer(json.loads(sys.stdin.buffer.read()), speaker.say))
    except FailureError as failure:
        speaker.say(error={"kind": failure.kind, "message": str(failure), **failure.facts})
    except BrokenPipeError:  # the parent is gone: nobody is left to hear anything
        os._exit(1)
    except BaseException as failure:  # noqa: BLE001 - py-rattler's exceptions share no base; the parent reads what they say
        speaker.say(error={"kind": type(failure).__name__, "message": str(failure)})
    os._exit(0)
