"""What a child process says and reads: its two streams as one sequence of lines, none of which can block the one who waits."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator
from contextlib import suppress
from typing import IO, Literal

from .family import holders, kill_processes

Stream = Literal["stdout", "stderr"]
_LONGEST = 65536  # characters of a line without end that are given as one
_ENDING = 5.0  # seconds that a thread may take to read what is left in a pipe nobody writes to any more: a machine may be busy


class Streams:
    """Reads both streams in threads of their own, and feeds what is to be read, until all are at their end or given up."""

    def __init__(self, stdout: IO[str] | None, stderr: IO[str] | None, stdin: IO[str] | None, text: str | None) -> None:
        """Begin to read and to feed."""
        self._lines: queue.SimpleQueue[tuple[Stream, str] | None] = queue.SimpleQueue()
        self._pipes = [pipe for pipe in (stdout, stderr, stdin) if pipe is not None]
        self._threads: list[threading.Thread] = []
        self._open = 0
        outputs: tuple[tuple[IO[str] | None, Stream], ...] = ((stdout, "stdout"), (stderr, "stderr"))
        for pipe, stream in outputs:
            if pipe is not None:
                self._open += 1
                self._threads.append(threading.Thread(target=self._read, args=(pipe, stream), daemon=True))
        if stdin is not None and text is not None:
            self._threads.append(threading.Thread(target=self._feed, args=(stdin, text), daemon=True))
        for thread in self._threads:
            thread.start()

    @property
    def at_end(self) -> bool:
        """Whether both streams are at their end."""
        return self._open == 0

    def line(self, seconds: float) -> tuple[Stream, str] | None:
        """Return the next line with its end, or None when none came in time or a stream ended."""
        try:
            item = self._lines.get(timeout=seconds)
        except queue.Empty:
            return None
        if item is None:
            self._open -= 1
        return item

    def rest(self) -> Generator[tuple[Stream, str]]:
        """Yield the lines that were read and not asked for yet; after `close`, all that was said and left in the pipes."""
        with suppress(queue.Empty):
            while True:
                if (item := self._lines.get_nowait()) is not None:
                    yield item

    def close(self, *, kill_holders: bool) -> None:
        """Close the pipes. Processes that hold them although the child's tree is dead are killed, or left to themselves.

        A pipe that still cannot be closed without waiting is left to its thread, which ends with whoever holds it.
        """
        if not self._joined(0.05) and kill_holders:
            kill_processes(holders(self._descriptors()))
            self._joined(_ENDING)
        if self._joined(0):
            for pipe in self._pipes:
                with suppress(OSError, ValueError):
                    pipe.close()

    def _descriptors(self) -> Generator[int]:
        for pipe in self._pipes:
            with suppress(ValueError):  # closed by now: the text was read
                yield pipe.fileno()

    def _joined(self, seconds: float) -> bool:
        for thread in self._threads:
            thread.join(seconds)
        return not any(thread.is_alive() for thread in self._threads)

    def _read(self, pipe: IO[str], stream: Stream) -> None:
        with suppress(OSError, ValueError):
            while line := pipe.readline(_LONGEST):
                self._lines.put((stream, line))
        self._lines.put(None)

    @staticmethod
    def _feed(pipe: IO[str], text: str) -> None:
        with suppress(OSError, ValueError):
            pipe.write(text)
            pipe.close()
