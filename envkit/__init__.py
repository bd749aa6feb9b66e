"""Find, make, manage and run Python environments, and give each a working Jupyter kernel.

Importing this module imports nothing else: each name is taken from its room when it is first used (PEP 562).
"""

TYPE_CHECKING = False
_DISTRIBUTION = "envkit-python"  # how `errors.py` knows that this file is ours

if TYPE_CHECKING:
    from . import aio as aio, events as events, jupyter as jupyter
    from .aio import Scope as Scope
    from .checking import check as check
    from .choosing import select as select, selected as selected
    from .control import Cancel as Cancel, Control as Control
    from .environments import find as find, resolve as resolve, watch as watch
    from .errors import (
        BusyError as BusyError,
        CancelledError as CancelledError,
        CorruptError as CorruptError,
        DeadlineError as DeadlineError,
        EnvkitError as EnvkitError,
        ExistsError as ExistsError,
        InstallError as InstallError,
        KernelError as KernelError,
        MachineError as MachineError,
        NetworkError as NetworkError,
        NotFoundError as NotFoundError,
        ProcessError as ProcessError,
        RefusedError as RefusedError,
        UsageError as UsageError,
    )
    from .events import Event as Event, Reporter as Reporter
    from .execution import activation as activation, interpreter as interpreter, run as run
    from .formats.values import from_json as from_json, to_json as to_json
    from .host import Host as Host
    from .jupyter.magics import load_ipython_extension as load_ipython_extension
    from .lifecycle.cloning import clone as clone
    from .lifecycle.holding import hold as hold
    from .lifecycle.making import apply as apply, create as create, ensure as ensure, plan as plan
    from .lifecycle.pruning import prune as prune
    from .lifecycle.removal import remove as remove
    from .lifecycle.repairing import repair as repair
    from .lifecycle.temporaries import temporary as temporary
    from .locking.exporting import export as export
    from .locking.resolving import lock as lock
    from .models.activation import Activation as Activation, Interpreter as Interpreter
    from .models.aliases import Env as Env, StrPath as StrPath
    from .models.environment import Environment as Environment, Kind as Kind, Problem as Problem
    from .models.kernels import Kernel as Kernel, Proof as Proof
    from .models.looks import Change as Change, Selection as Selection
    from .models.packages import Changes as Changes, Outdated as Outdated, Package as Package
    from .models.plans import Plan as Plan, Removal as Removal, Step as Step
    from .models.requirement import Req as Req
    from .models.specs import Lock as Lock, Project as Project, Sources as Sources, Spec as Spec
    from .packages import install as install, installed as installed, uninstall as uninstall
    from .provisioning import provision as provision
    from .shells import activation_script as activation_script
    from .specs.reading import read_spec as read_spec
    from .upgrading import outdated as outdated, upgrade as upgrade

_ROOMS = {
    "aio": ("Scope",),
    "choosing": ("select", "selected"),
    "checking": ("check",),
    "control": ("Cancel", "Control"),
    "environments": ("find", "resolve", "watch"),
    "errors": (
        "BusyError", "CancelledError", "CorruptError", "DeadlineError", "EnvkitError", "ExistsError", "InstallError", "KernelError",
        "MachineError", "NetworkError", "NotFoundError", "ProcessError", "RefusedError", "UsageError",
    ),
    "events": ("Event", "Reporter"),
    "execution": ("activation", "interpreter", "run"),
    "formats.values": ("from_json", "to_json"),
    "host": ("Host",),
    "jupyter.magics": ("load_ipython_extension",),
    "lifecycle.cloning": ("clone",),
    "lifecycle.holding": ("hold",),
    "lifecycle.making": ("apply", "create", "ensure", "plan"),
    "lifecycle.pruning": ("prune",),
    "lifecycle.removal": ("remove",),
    "lifecycle.repairing": ("repair",),
    "lifecycle.temporaries": ("temporary",),
    "locking.exporting": ("export",),
    "locking.resolving": ("lock",),
    "models.aliases": ("Env", "StrPath"),
    "models.environment": ("Environment", "Kind", "Problem"),
    "models.plans": (
        "Activation", "Change", "Changes", "Interpreter", "Kernel", "Lock", "Outdated", "Package", "Plan", "Project", "Proof", "Removal",
        "Selection", "Sources", "Spec", "Step",
    ),
    "models.requirement": ("Req",),
    "packages": ("install", "installed", "uninstall"),
    "provisioning": ("provision",),
    "shells": ("activation_script",),
    "specs.reading": ("read_spec",),
    "upgrading": ("outdated", "upgrade"),
}  # fmt: skip
_PLACES = {name: room for room, names in _ROOMS.items() for name in names}
_MODULES = ("aio", "events", "jupyter")

if not TYPE_CHECKING:
    __all__ = [*_MODULES, *sorted(_PLACES)]  # noqa: PLE0604 - all of them are strings, which the rule cannot see

    def __getattr__(name):
        """Import a name from its room when it is first asked for, and keep it."""
        import importlib  # noqa: PLC0415 - this module imports nothing when it is imported

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
