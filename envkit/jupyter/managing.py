"""A `KernelManager` of an environment, for nbclient, papermill, qtconsole and whatever else takes one; nothing is registered."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import KernelManager

from .. import uses
from ..control import Control, Work, takes_control
from ..environments import resolved
from ..kernels import composing
from ..kernelspec.launch import Launch, launch_of

if TYPE_CHECKING:
    from typing import Unpack

    from ..formats.kernel_json import KernelJson
    from ..models.aliases import Env
    from ..models.environment import Environment


@takes_control
def kernel_manager(env: Env, **control: Unpack[Control]) -> KernelManager:
    """Return a manager that starts kernels of an environment; it has started none yet, and nothing is registered.

    Give it to what takes one (`NotebookClient(notebook, km=manager)`, `papermill.execute_notebook(..., km=manager)`), or use it as
    `jupyter_client` says: `start_kernel`, `client`, `shutdown_kernel`. Who is given a manager leaves the kernel running: shut it down.

    Args:
        env: it must have ipykernel.

    Raises:
        NotFoundError: there is no such environment. KernelError: it has no Python, or no ipykernel.
        UsageError: Jupyter cannot start a Python at its path.

    Source:
        "Making simple Jupyter clients", KernelManager (jupyter-client.readthedocs.io).
    """
    work = Work.of(control)
    return manager_of(resolved(env, work), work)


class EnvironmentManager(KernelManager):
    """Jupyter's manager, which knows its kernelspec itself, and keeps the environment in use while a kernel runs."""

    def __init__(self, kernel: KernelJson, launch: Launch, work: Work, *, name: str, directory: Path | None, prefix: Path | None) -> None:
        """Belong to a kernelspec; `directory` is where it lies, if anywhere; `launch` is what it comes to."""
        super().__init__(kernel_name=name)
        # Jupyter looks the name up on disk only where nothing was set.
        self._kernel_spec = KernelSpec(
            argv=list(kernel.argv),
            display_name=kernel.display_name,
            language=kernel.language,
            env=dict(kernel.env),
            interrupt_mode=kernel.interrupt_mode,
            metadata=dict(kernel.metadata),
            resource_dir="" if directory is None else str(directory),
        )
        self.launch = launch
        self._work = Work(host=work.host)  # the deadline of the call that made the manager is not that of its kernel
        self._prefix = prefix
        self._held = ExitStack()

    async def _async_pre_start_kernel(self, **keywords: Any) -> tuple[list[str], dict[str, Any]]:
        """Hold the environment and give the kernel the host's variables, over which Jupyter lays those of the kernelspec."""
        environ: Mapping[str, str] = self._work.host.environ
        if self._prefix is not None:
            self._held.close()  # of a kernel that was restarted
            self._held.enter_context(uses.held_if_stored(self._prefix, self._work))
        keywords.setdefault("env", dict(environ))
        return await super()._async_pre_start_kernel(**keywords)

    async def _async_cleanup_resources(self, restart: bool = False) -> None:  # noqa: FBT001, FBT002 - Jupyter's own signature
        await super()._async_cleanup_resources(restart=restart)
        if not restart:
            self._held.close()


def manager_of(environment: Environment, work: Work) -> EnvironmentManager:
    """Return the manager of an environment that was resolved; see `kernel_manager`."""
    if not composing.has_ipykernel(environment, work):
        raise composing.without_ipykernel(environment, work.host)
    name = composing.name_for(environment)
    kernel, _ = composing.composed(
        environment, work.host, display_name=composing.label(environment, name), variables={}, inherit=frozenset()
    )
    launch = composing.launch(environment, work.host, {})
    return EnvironmentManager(kernel, launch, work, name=name, directory=None, prefix=environment.prefix)


def manager_of_kernel(kernel: KernelJson, directory: Path, work: Work) -> EnvironmentManager:
    """Return the manager of a kernelspec that lies in a directory."""
    launch = launch_of(kernel, str(directory), work.host)
    return EnvironmentManager(kernel, launch, work, name=directory.name.lower(), directory=directory, prefix=None)
