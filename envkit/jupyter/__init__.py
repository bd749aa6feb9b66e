"""Kernels: register, prove, use. Writing a kernelspec needs nothing of Jupyter; starting one needs jupyter_client.

Each name is taken from its room when it is first used (PEP 562), so that importing this imports nothing else.
"""

TYPE_CHECKING = False

if TYPE_CHECKING:
    from ..kernels.health import verify as verify
    from ..kernels.registration import kernels as kernels, register as register, unregister as unregister
    from ..kernels.sessions import Session as Session, session as session
    from ..kernels.notebook_files import set_notebook_kernel as set_notebook_kernel
    from ..kernels.switching import use as use
    from ..models.cells import Output as Output, Result as Result
    from ..models.switch import Switch as Switch

_HOMES = {
    "Output": "models.cells",
    "Result": "models.cells",
    "Session": "kernels.sessions",
    "Switch": "models.switch",
    "kernels": "kernels.registration",
    "register": "kernels.registration",
    "session": "kernels.sessions",
    "set_notebook_kernel": "kernels.notebook_files",
    "unregister": "kernels.registration",
    "use": "kernels.switching",
    "verify": "kernels.health",
}

__all__ = ["Output", "Result", "Session", "Switch", "kernels", "register", "session", "set_notebook_kernel", "unregister", "use", "verify"]

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
