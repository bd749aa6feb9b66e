"""Kernels: register, prove, use. Writing a kernelspec needs nothing of Jupyter; starting one needs jupyter_client.

Each name is taken from its room when it is first used (PEP 562), so that importing this imports nothing else.
"""

TYPE_CHECKING = False

if TYPE_CHECKING:
    from ..kernels.checkup import doctor as doctor
    from ..kernels.health import verify as verify
    from ..kernels.listing import kernels as kernels
    from ..kernels.notebook_files import set_notebook_kernel as set_notebook_kernel
    from ..kernels.registration import register as register
    from ..kernels.removing import prune as prune, unregister as unregister
    from ..kernels.renaming import rename as rename
    from ..kernels.sessions import Session as Session, session as session
    from ..kernels.switching import use as use
    from ..models.cells import Output as Output, Result as Result
    from ..models.switch import Switch as Switch
    from .managing import kernel_manager as kernel_manager
    from .notebooks import execute_notebook as execute_notebook

_HOMES = {
    "Output": "models.cells",
    "Result": "models.cells",
    "Session": "kernels.sessions",
    "Switch": "models.switch",
    "doctor": "kernels.checkup",
    "execute_notebook": "jupyter.notebooks",
    "kernel_manager": "jupyter.managing",
    "kernels": "kernels.listing",
    "prune": "kernels.removing",
    "register": "kernels.registration",
    "rename": "kernels.renaming",
    "session": "kernels.sessions",
    "set_notebook_kernel": "kernels.notebook_files",
    "unregister": "kernels.removing",
    "use": "kernels.switching",
    "verify": "kernels.health",
}

__all__ = [
    "Output",
    "Result",
    "Session",
    "Switch",
    "doctor",
    "execute_notebook",
    "kernel_manager",
    "kernels",
    "prune",
    "register",
    "rename",
    "session",
    "set_notebook_kernel",
    "unregister",
    "use",
    "verify",
]

if not TYPE_CHECKING:

    def __getattr__(name):
        """Import a public name from its room and keep it."""
        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        import importlib  # noqa: PLC0415 - nothing is imported before a name is used

        value = getattr(importlib.import_module(f"envkit.{home}"), name)
        globals()[name] = value
        return value

    def __dir__():
        """Return the public names."""
        return sorted(__all__)
