"""Discovery with the plug-ins, names, requests, paths and specs: what is there, and what is meant.

Each name is imported from its module when it is first used (PEP 562): finding does without names, resolving without watching.
"""

from __future__ import annotations

from .. import errors as _errors  # noqa: F401 # pyright: ignore[reportUnusedImport] # says at once where another distribution's package lies over ours

TYPE_CHECKING = False

if TYPE_CHECKING:
    from .finding import find, parsed, watch
    from .founding import base_for, no_python, python_for
    from .naming import is_path, missing, named_prefix, requested, resolved, whole
    from .resolving import resolve
    from .running import all_probed, exact, interpreted, probed

__all__ = [
    "all_probed",
    "base_for",
    "exact",
    "find",
    "interpreted",
    "is_path",
    "missing",
    "named_prefix",
    "no_python",
    "parsed",
    "probed",
    "python_for",
    "requested",
    "resolve",
    "resolved",
    "watch",
    "whole",
]

if not TYPE_CHECKING:
    _MODULES = {
        "finding": ("find", "parsed", "watch"),
        "founding": ("base_for", "no_python", "python_for"),
        "naming": ("is_path", "missing", "named_prefix", "requested", "resolved", "whole"),
        "resolving": ("resolve",),
        "running": ("all_probed", "exact", "interpreted", "probed"),
    }
    _HOMES = {name: module for module, names in _MODULES.items() for name in names}

    def __getattr__(name):
        """Import a name from its module when it is first asked for, and keep it."""
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        import importlib  # noqa: PLC0415 - as above

        value = globals()[name] = getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
        return value
