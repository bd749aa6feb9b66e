"""Execute a notebook in any environment, through nbclient, which knows widgets, display ids and all that outputs can be.

nbclient runs on an event loop; it gets one of its own in a thread of its own, so that this works inside a notebook, too, and
cancel and deadline are seen while a cell runs.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from .. import records
from ..control import Control, Work, joined, takes_control
from ..environments import resolved
from ..errors import CorruptError, DeadlineError, EnvkitError, KernelError, NotFoundError, UsageError
from ..kernels.listing import named
from ..kernelspec import causes, spec
from ..system.files import machine_error, write_atomic
from .managing import EnvironmentManager, manager_of, manager_of_kernel

if TYPE_CHECKING:
    from typing import Unpack

    from ..control import Cancel, Task
    from ..models.aliases import Env, StrPath

_TICK: Final = 0.05  # seconds between two looks at cancel and deadline
_STARTUP: Final = 60  # seconds that the kernel has to answer
_TAIL: Final = 16 * 1024  # bytes of stderr that an error carries


@takes_control
def execute_notebook(
    path: StrPath,
    env: Env | None = None,
    *,
    output: StrPath | None = None,
    cell_timeout: float | None = None,
    allow_errors: bool = False,
    **control: Unpack[Control],
) -> Path:
    """Run all cells of a notebook and write it with its outputs. Nothing is registered; the kernel is gone when this returns.

    Args:
        env: the environment to run it in, which must have ipykernel; None for the kernel that the notebook names.
        output: the file to write; the notebook itself if None.
        cell_timeout: seconds that each cell has; None for no limit. `timeout` is for the whole call.
        allow_errors: go on after a cell that raises, as a person at the keyboard may.

    Returns:
        The file that was written. The cells run in the notebook's own directory.

    Raises:
        NotFoundError: there is no such notebook, environment, kernel or directory. CorruptError: it is no notebook.
        KernelError: a cell raised ("cell-failed"), or the kernel does not start or ended; what the cells said until then is written.
        DeadlineError: a cell, or the whole call, took too long; `output` is what the cell had said; what was said is written.
        CancelledError: it was cancelled; nothing is written. UsageError: nbclient is not installed.
        MachineError: the output cannot be written.
    """
    work = Work.of(control)
    source = records.absolute(path, work.host)
    target = source if output is None else records.absolute(output, work.host)
    if not target.parent.is_dir():
        raise NotFoundError(f"{target.parent} is not a directory", code="directory-not-found", hint="make it first")
    notebook = _read(source)
    manager = _manager(notebook, source, work) if env is None else manager_of(resolved(env, work), work)
    with work.task("run", f"execute {source}", total=len(notebook.cells)) as task:
        execution = _Execution(notebook, manager, work, task, source, cell_timeout=cell_timeout, allow_errors=allow_errors)
        try:
            execution.run()
        except (KernelError, DeadlineError):
            _write(target, notebook, source)
            raise
        _write(target, notebook, source)
        task.text = str(target)
    return target


def _manager(notebook: Any, source: Path, work: Work) -> EnvironmentManager:
    """Return the manager of the kernel that a notebook names."""
    name = notebook.metadata.get("kernelspec", {}).get("name")
    if not isinstance(name, str) or not name:
        raise NotFoundError(f"{source} names no kernel", code="kernel-not-found", hint="give the environment to run it in")
    kernel = named(name, work)
    try:
        return manager_of_kernel(spec.read(str(kernel.path), work.host), kernel.path, work)
    except ValueError as error:
        raise KernelError(
            f"the kernelspec in {kernel.path} cannot be read: {error}", code="spec-unreadable", hint="register the environment again"
        ) from error


class _Execution:
    """One notebook, one kernel, one thread."""

    def __init__(
        self,
        notebook: Any,
        manager: EnvironmentManager,
        work: Work,
        task: Task,
        source: Path,
        *,
        cell_timeout: float | None,
        allow_errors: bool,
    ) -> None:
        from nbclient import NotebookClient  # noqa: PLC0415 - an extra, and half a second

        manager.client_class = "jupyter_client.asynchronous.AsyncKernelClient"
        self._manager, self._work, self._task, self._cell_timeout = manager, work, task, cell_timeout
        self._cells = notebook.cells
        self._at = 0  # the cell that runs, from 0
        self._client = NotebookClient(
            notebook,
            km=manager,
            timeout=cell_timeout,
            startup_timeout=_STARTUP,
            allow_errors=allow_errors,
            resources={"metadata": {"path": str(source.parent)}},
            on_cell_start=self._began,
            on_cell_complete=self._ended,
        )

    def _began(self, cell_index: int, **_: Any) -> None:
        self._at = cell_index

    def _ended(self, cell_index: int, **_: Any) -> None:
        self._task.progress(cell_index + 1, len(self._cells))

    def run(self) -> None:
        """Run all cells on a thread of its own; what nbclient raises becomes one of our errors."""
        stop = threading.Event()
        with tempfile.TemporaryFile(prefix="envkit-stderr-") as said:
            with ThreadPoolExecutor(1, thread_name_prefix="envkit-notebook") as pool:
                running = pool.submit(asyncio.run, self._watched(joined(stop, self._work), said.fileno()))
                try:
                    error = running.result()
                finally:
                    stop.set()
            if self._work.is_set():
                raise self._work.cancelled()
            if isinstance(error, asyncio.CancelledError):
                late = self._work.late(self._said())
                late.hint = "give a longer timeout=; the outputs so far are written"
                raise late
            if error is not None:
                said.seek(max(0, said.seek(0, os.SEEK_END) - _TAIL))
                raise self._error(error, said.read().decode("utf-8", "replace")) from error

    async def _watched(self, cancel: Cancel, stderr: int) -> BaseException | None:
        """Run the cells, cancelled when the call is; return what was raised. The kernel is gone in any case."""
        running = asyncio.ensure_future(self._client.async_execute(stderr=stderr))
        cut = False
        try:
            while not running.done():
                await asyncio.wait({running}, timeout=_TICK)
                if not running.done() and (cancel.is_set() or self._work.expired()):
                    cut = running.cancel()
                    await asyncio.wait({running})
            failure = None if running.cancelled() else running.exception()
            return asyncio.CancelledError() if cut else failure  # nbclient takes being cancelled for a dead kernel
        finally:
            atexit.unregister(self._client._cleanup_kernel)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - it forgets that where the kernel does not start
            if self._client.kc is not None:
                self._client.kc.stop_channels()
            failed = running.cancelled() or running.exception() is not None
            if self._manager.has_kernel:
                await asyncio.to_thread(self._manager.shutdown_kernel, now=failed)

    def _said(self) -> str:
        """Return what the cell that ran last said in plain text."""
        outputs: list[Any] = self._cells[self._at].get("outputs", []) if self._cells else []
        return "".join(str(output.get("text", output.get("data", {}).get("text/plain", ""))) for output in outputs)

    def _error(self, error: BaseException, stderr: str) -> EnvkitError | BaseException:
        from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError  # noqa: PLC0415 - as above

        number = self._at + 1
        if isinstance(error, CellExecutionError):
            return KernelError(
                f"cell {number} raised {error.ename}: {error.evalue}",
                code="cell-failed",
                stderr=error.traceback,
                hint="the outputs so far are written; allow_errors=True goes on after an error",
            )
        if isinstance(error, CellTimeoutError):
            return DeadlineError(
                f"cell {number} was not done within {self._cell_timeout:g} seconds",
                output=self._said(),
                hint="give a longer cell_timeout=; the outputs so far are written",
            )
        if isinstance(error, DeadKernelError):
            return KernelError(
                f"the kernel ended in cell {number}", code="died", stderr=stderr, hint="look at that cell, and at the memory"
            )
        if isinstance(error, FileNotFoundError):
            missing = NotFoundError(str(error), code="program-not-found", hint="make the environment anew")
            return causes.not_started(self._manager.launch, missing)
        if isinstance(error, RuntimeError) and "died before" in str(error):
            return causes.died(self._manager.launch, None, stderr)
        if isinstance(error, RuntimeError) and "didn't respond" in str(error):
            return causes.late(_STARTUP, stderr)
        return error


def _nbformat() -> Any:
    """Return the module nbformat, which has no types.

    Raises:
        UsageError: the extra is not installed.
    """
    import importlib  # noqa: PLC0415 - only where a notebook is executed

    try:
        importlib.import_module("nbclient")
        return importlib.import_module("nbformat")
    except ModuleNotFoundError as error:
        raise UsageError(
            f"notebooks are executed through nbclient, and {error.name} is not installed",
            code="extra-missing",
            hint='python -m pip install "envkit-python[notebook]"',
        ) from error


def _read(path: Path) -> Any:
    nbformat = _nbformat()
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError as error:
        raise NotFoundError(f"{path} does not exist", code="path-not-found", hint="check the path of the notebook") from error
    except OSError as error:
        raise machine_error(error, path) from error
    except ValueError as error:
        raise CorruptError(f"{path} is not UTF-8", code="notebook", path=path, hint="save it anew in Jupyter") from error
    try:
        notebook = nbformat.reads(text, as_version=4)
        nbformat.validate(notebook)
    except (ValueError, AttributeError, KeyError, TypeError, nbformat.ValidationError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise CorruptError(f"{path} is no notebook: {reason[:200]}", code="notebook", path=path, hint="save it anew in Jupyter") from error
    return notebook


def _write(target: Path, notebook: Any, source: Path) -> None:
    mode = 0o600
    for known in (source, target):
        with suppress(OSError):
            mode = os.stat(known).st_mode & 0o777
    try:
        write_atomic(Path(os.path.realpath(target)), _nbformat().writes(notebook) + "\n", mode=mode)
    except OSError as error:
        raise machine_error(error, target) from error
