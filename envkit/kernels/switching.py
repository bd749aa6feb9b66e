"""Move the notebook that runs us to another kernel, through the API of its own server; where that cannot be done, say how by hand.

The server moves a notebook by starting the new kernel and ending the old one, which is the process that runs this very code. So
nothing is asked of it before the cell has ended and its outputs are on their way. The front end follows a few seconds later; a cell
that is run meanwhile would still run in the old environment, unnoticed, so it is made an error that says so. The server interrupts a
kernel before it ends it; so that this error is not lost to a KeyboardInterrupt, interrupts count for nothing while the notebook moves.
"""

from __future__ import annotations

import contextvars
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from ..control import Control, Work, takes_control
from ..display import running_shell
from ..environments import resolved
from ..errors import KernelError
from ..kernelspec import paths, spec
from ..models.kernels import Kernel
from ..models.switch import Switch
from . import composing, listing, registration
from .servers import Seat, ServerError, move, offered, seat_of

if TYPE_CHECKING:
    from typing import Unpack

    from ..host import Host
    from ..models.aliases import Env
    from ..models.environment import Environment

_SETTLING: Final = 0.3  # seconds from the end of a cell until its outputs and its reply are out
_PATIENCE: Final = 60.0  # seconds that the server has to start the new kernel


@takes_control
def use(env: Env | Kernel, **control: Unpack[Control]) -> Switch:
    """Move the notebook whose cell calls this to another environment, which is registered as a kernel if it is not one yet.

    The notebook moves when the cell has ended. Variables do not move along.

    Args:
        env: the environment, or one of its kernels.

    Returns:
        `done` where the notebook moves by itself; else `instructions` are the steps to take by hand, and nothing was changed but
        that the kernel is registered. The notebook shows them.

    Raises:
        NotFoundError: there is no such environment or kernel. KernelError: it could not start, and why.
        What `register` raises, where it registers.

    Example:
        >>> import envkit
        >>> envkit.jupyter.use("analysis")  # doctest: +SKIP
    """
    work = Work.of(control)
    if not isinstance(env, Kernel) and _runs_in(resolved(env, work), work.host):
        return Switch(done=True, instructions=f"This notebook runs in {sys.prefix} already.")
    kernel = _whole(listing.named(env, work)) if isinstance(env, Kernel) else _kernel_of(resolved(env, work), work)
    shell = running_shell()
    if shell is None:
        return by_hand(kernel, "this is no cell of a notebook", work.host)
    try:
        seat = _seat(work.host)
        if seat.kernel == kernel.name:
            return Switch(done=True, instructions=f"This notebook uses {kernel.display_name} already.")
        _check(seat, kernel, work.host)
    except ServerError as error:
        return by_hand(kernel, str(error), work.host)
    _Move(shell, seat, kernel, work.host).after_this_cell()
    return Switch(
        done=True,
        instructions=(
            f'This notebook moves to "{kernel.display_name}" when this cell has ended. Jupyter shows that after a few seconds; a kernel that '
            f'was just registered is called "{kernel.name}" there until Jupyter looks for new ones, once a minute.\n'
            "Variables do not move along: run again what the next cells need."
        ),
    )


def _runs_in(environment: Environment, host: Host) -> bool:
    """Say whether this notebook's kernel runs in an environment; plain Pythons that share a prefix are told apart by their program."""
    if running_shell() is None or str(host.root) != host.root.anchor:
        return False
    if environment.kind == "interpreter":
        return environment.python is not None and os.path.realpath(environment.python) == os.path.realpath(sys.executable)
    return os.path.realpath(environment.prefix) == os.path.realpath(sys.prefix)


def _kernel_of(environment: Environment, work: Work) -> Kernel:
    """Return the environment's kernel that is there and whole, the user's own first; else register it."""
    mine = paths.user_directory(work.host)
    seen = paths.search_path(work.host)
    known = [
        kernel for kernel in listing.kernels_of(environment, work.host) if kernel.problem is None and kernel.path.parent.parent in seen
    ]
    known.sort(key=lambda kernel: kernel.path.parent.parent != mine)
    if known and composing.has_ipykernel(environment, work):
        return known[0]
    return registration.registered(environment, work, on_exists="suffix")


def _whole(kernel: Kernel) -> Kernel:
    """Return a kernel that could start, as far as its files say.

    Raises:
        KernelError: it could not.
    """
    if kernel.problem is not None and kernel.problem.severity == "error":
        raise KernelError(
            f"the kernel {kernel.name!r} cannot start: {kernel.problem.message}", code=kernel.problem.code, hint=kernel.problem.hint
        )
    return kernel


def _seat(host: Host) -> Seat:
    """Return the session of the notebook that runs us.

    Raises:
        ServerError: it cannot be found, or another program than a browser shows it, which would not follow.
    """
    if "google.colab" in sys.modules:
        raise ServerError("Colab runs no other Python than its own")
    file = _connection_file()
    name = os.path.basename(file)
    if not (name.startswith("kernel-") and name.endswith(".json")):
        raise ServerError("this kernel was not started by a Jupyter server")
    seat = seat_of(name.removeprefix("kernel-").removesuffix(".json"), host, [os.path.dirname(file)])
    if "-jvsc-" in seat.path:
        raise ServerError("VS Code does not follow when its server moves a notebook")
    return seat


def _connection_file() -> str:
    """Return the file by which clients reach this kernel; empty where nobody knows."""
    connect: Any = sys.modules.get("ipykernel.connect") or sys.modules.get("ipykernel")
    with suppress(Exception):  # each kernel has its own reasons not to know it
        return os.path.abspath(str(connect.get_connection_file()))
    return ""


def _check(seat: Seat, kernel: Kernel, host: Host) -> None:
    """Hold what the server would start under the kernel's name against the kernel.

    Raises:
        ServerError: it would start nothing, or something else.
    """
    argv = offered(seat, kernel.name)
    if not argv:
        raise ServerError(f"its Jupyter server does not find the kernel {kernel.name!r}, which lies in {kernel.path}")
    try:
        ours = spec.read(str(kernel.path), host).argv
    except ValueError:
        ours = ()
    if argv[0] != (ours[0] if ours else ""):
        raise ServerError(f"its Jupyter server starts {argv[0]} under the name {kernel.name!r}")


def by_hand(kernel: Kernel, reason: str, host: Host) -> Switch:
    """Return the steps that move a notebook to a kernel in the front end that shows it; `reason` says why they are needed."""
    steps = [f"This notebook cannot be moved from here: {reason}."]
    if "google.colab" in sys.modules:
        steps.append("Run code there without moving: envkit.jupyter.session(env) runs cells in any environment.")
    elif _is_visual_studio_code(host):
        steps += [
            '1. Click the name of the kernel at the top right, then "Select Another Kernel...", then "Jupyter Kernel...".',
            f'2. Choose "{kernel.display_name}". If it is not listed, run "Developer: Reload Window" from the command palette.',
            "3. Run again the cells that the next ones need: variables do not move along.",
        ]
    else:
        steps += [
            '1. In the menu choose Kernel > "Change Kernel...", or click the name of the kernel at the top right.',
            f'2. Choose "{kernel.display_name}". If it is not listed, reload the page: Jupyter looks for new kernels once a minute.',
            "3. Run again the cells that the next ones need: variables do not move along.",
        ]
    return Switch(done=False, instructions="\n".join(steps))


def _is_visual_studio_code(host: Host) -> bool:
    shell = running_shell()
    return "VSCODE_PID" in host.environ or "__vsc_ipynb_file__" in getattr(shell, "user_ns", {})


class _Move:
    """A move that waits for the end of the cell. Of several in one cell the last one counts."""

    waiting: _Move | None = None

    def __init__(self, shell: Any, seat: Seat, kernel: Kernel, host: Host) -> None:
        self.shell = shell
        self._seat = seat
        self._kernel = kernel
        self._host = host
        self._context = contextvars.copy_context()

    def after_this_cell(self) -> None:
        """Wait for the end of the cell that runs."""
        known, _Move.waiting = _Move.waiting, self
        if known is None:
            self.shell.events.register("post_run_cell", _cell_ended)

    def begin(self) -> None:
        """Refuse further cells, and let the server move the notebook, in a thread of its own."""
        self.shell.input_transformers_post.append(self._refused)
        self._ignore_interrupts(ignore=True)
        threading.Thread(target=self._run, name="envkit-use", daemon=True).start()

    def _run(self) -> None:
        time.sleep(_SETTLING)
        try:
            move(self._seat, self._kernel.name, timeout=_PATIENCE)
        except ServerError as error:
            with suppress(ValueError):
                self.shell.input_transformers_post.remove(self._refused)
            self._ignore_interrupts(ignore=False)
            self._tell(by_hand(self._kernel, str(error), self._host))

    def _ignore_interrupts(self, *, ignore: bool) -> None:
        """Let interrupts pass: ipykernel ignores them but while it handles a message, before which it calls a hook to change that."""
        kernel: Any = getattr(self.shell, "kernel", None)
        if ignore:
            if hasattr(kernel, "pre_handler_hook"):
                kernel.pre_handler_hook = _nothing
        elif "pre_handler_hook" in getattr(kernel, "__dict__", {}):
            del kernel.pre_handler_hook

    def _tell(self, switch: Switch) -> None:
        """Show what is to be done by hand in the output of the cell that asked."""
        publish: Callable[..., None] = self.shell.display_pub.publish
        with suppress(Exception):  # the kernel may end at this moment
            self._context.run(publish, switch._repr_mimebundle_(), {})  # pyright: ignore[reportPrivateUsage] - its form for notebooks

    def _refused(self, lines: list[str]) -> list[str]:
        """Return what is run in place of a cell while the notebook moves."""
        message = (
            f'this notebook is moving to "{self._kernel.display_name}", and this cell still came to the old kernel: '
            "run it again when the new name stands at the top right"
        )
        return [f"raise RuntimeError({message!r})\n"]


def _nothing() -> None:
    """Do nothing where ipykernel would let an interrupt end a cell."""


def _cell_ended(result: object) -> None:
    """Begin the move that waits; called by IPython at the end of a cell."""
    waiting, _Move.waiting = _Move.waiting, None
    if waiting is not None:
        waiting.shell.events.unregister("post_run_cell", _cell_ended)
        waiting.begin()
