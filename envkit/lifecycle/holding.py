"""hold: an environment in use, said aloud by whoever starts processes itself."""

from __future__ import annotations

from collections.abc import Generator
from functools import partial
from typing import TYPE_CHECKING

from .. import places, uses
from ..control import Control, Work, takes_control
from ..environments import resolved
from ..models.environment import Environment
from ..system.scope import OpenedScope, Scope

if TYPE_CHECKING:
    from typing import Unpack

    from ..models.aliases import Env


@takes_control
def hold(env: Env, **control: Unpack[Control]) -> Scope[Environment]:
    """Hold an environment in use for the time of a `with`, so that no `prune` of any process removes it.

    What envkit starts itself (`run`, `jupyter.session`, `temporary`) is held without this. It ends with the process at the latest.

    Returns:
        A scope for `with` and `async with`, to be entered once; it gives the environment.

    Raises:
        NotFoundError: there is no such environment (any more). MachineError: `Host.data` cannot be written.

    Example:
        >>> import envkit
        >>> with envkit.hold(env):  # doctest: +SKIP
        ...     subprocess.Popen([env.python, "server.py"]).wait()
    """
    return OpenedScope(partial(_held, env), control)


def _held(env: Env, control: Control) -> Generator[Environment, None, None]:
    work = Work.of(control)
    with uses.held((resolved(env, work).prefix,), work):
        environment = resolved(env, work)  # once more: it may have been removed while we asked to hold it
        places.note_use(environment.prefix, work.host)
        yield environment
