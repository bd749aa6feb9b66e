"""Find, make, manage and run Python environments, and give each a working Jupyter kernel.

Importing this module imports nothing else: each name is taken from its room when it is first used (PEP 562).
"""

TYPE_CHECKING = False
_DISTRIBUTION = "envkit-python"  # how `errors.py` knows that this file is ours

if TYPE_CHECKING:
    from . import aio as aio
    from . import events as events
    from . import jupyter as jupyter
    from .aio import Scope as Scope
    from .control import Cancel as Cancel
    from .control import Control as Control
    from .environments import find as find
    from .environments import resolve as resolve
    from .errors import BusyError as BusyError
    from .errors import CancelledError as CancelledError
    from .errors import CorruptError as CorruptError
    from .errors import DeadlineError as DeadlineError
    from .errors import EnvkitError as EnvkitError
    from .errors import ExistsError as ExistsError
    from .errors import InstallError as InstallError
    from .errors import KernelError as KernelError
    from .errors import MachineError as MachineError
    from .errors import NetworkError as NetworkError
    from .errors import NotFoundError as NotFoundError
    from .errors import ProcessError as ProcessError
    from .errors import RefusedError as RefusedError
    from .errors import UsageError as UsageError
    from .events import Event as Event
    from .events import Reporter as Reporter
    from .execution import activation as activation
    from .execution import interpreter as interpreter
    from .execution import run as run
    from .formats.values import from_json as from_json
    from .formats.values import to_json as to_json
    from .host import Host as Host
    from .lifecycle.making import apply as apply
    from .lifecycle.making import create as create
    from .lifecycle.making import ensure as ensure
    from .lifecycle.making import plan as plan
    from .lifecycle.removal import remove as remove
    from .models.aliases import Env as Env
    from .models.aliases import StrPath as StrPath
    from .models.environment import Environment as Environment
    from .models.environment import Kind as Kind
    from .models.environment import Problem as Problem
    from .models.plans import Activation as Activation
    from .models.plans import Change as Change
    from .models.plans import Changes as Changes
    from .models.plans import Interpreter as Interpreter
    from .models.plans import Kernel as Kernel
    from .models.plans import Lock as Lock
    from .models.plans import Outdated as Outdated
    from .models.plans import Package as Package
    from .models.plans import Plan as Plan
    from .models.plans import Project as Project
    from .models.plans import Proof as Proof
    from .models.plans import Removal as Removal
    from .models.plans import Selection as Selection
    from .models.plans import Sources as Sources
    from .models.plans import Spec as Spec
    from .models.plans import Step as Step
    from .models.requirement import Req as Req
    from .packages import install as install
    from .packages import installed as installed
    from .packages import uninstall as uninstall
    from .provisioning import provision as provision

_ROOMS = {
    "aio": ("Scope",),
    "control": ("Cancel", "Control"),
    "environments": ("find", "resolve"),
    "errors": (
        "BusyError", "CancelledError", "CorruptError", "DeadlineError", "EnvkitError", "ExistsError", "InstallError", "KernelError",
        "MachineError", "NetworkError", "NotFoundError", "ProcessError", "RefusedError", "UsageError",
    ),
    "events": ("Event", "Reporter"),
    "execution": ("activation", "interpreter", "run"),
    "formats.values": ("from_json", "to_json"),
    "host": ("Host",),
    "lifecycle.making": ("apply", "create", "ensure", "plan"),
    "lifecycle.removal": ("remove",),
    "models.aliases": ("Env", "StrPath"),
    "models.environment": ("Environment", "Kind", "Problem"),
    "models.plans": (
        "Activation", "Change", "Changes", "Interpreter", "Kernel", "Lock", "Outdated", "Package", "Plan", "Project", "Proof", "Removal",
        "Selection", "Sources", "Spec", "Step",
    ),
    "models.requirement": ("Req",),
    "packages": ("install", "installed", "uninstall"),
    "provisioning": ("provision",),
}  # fmt: skip
_PLACES = {name: room for room, names in _ROOMS.items() for name in names}
_MODULES = ("aio", "events", "jupyter")

if not TYPE_CHECKING:
    __all__ = sorted((*_PLACES, *_MODULES))

    def __getattr__(name):
        """Import a name from its room when it is first asked for, and keep it."""
        import importlib

        if name in _MODULES:
            return importlib.import_module("." + name, __name__)
        try:
            room = _PLACES[name]
        except KeyError:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
        value = globals()[name] = getattr(importlib.import_module("." + room, __name__), name)
        return value

    def __dir__():
        """Return the public names, whether imported yet or not."""
        return [*__all__, *(name for name in globals() if name.startswith("__"))]
