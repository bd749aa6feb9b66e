"""The backend for virtual environments: a module that fills `protocols.Backend`.

`create` writes one, `strangers` tells whether a directory is one and nothing else, `activation` says what a shell's activate
changes. A Python to make it from is passed in; nothing is searched for, and no process is started.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..errors import UsageError
from ..layout import bin_name
from ..models.environment import Environment
from .naming import default_prompt

if TYPE_CHECKING:
    from ..control import Work
    from ..host import Host
    from ..models.activation import Activation
    from ..models.specs import Spec
    from .recognition import strangers
    from .writer import create

__all__ = ["KIND", "NAME", "activation", "build", "create", "strangers"]

NAME: Final = "venv"
KIND: Final = "venv"

if not TYPE_CHECKING:
    _HOMES = {"create": "writer", "strangers": "recognition"}

    def __getattr__(name):
        """Import what makes environments when it is first used (PEP 562): most calls only ask what activation changes."""
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        import importlib  # noqa: PLC0415 - as above

        globals()[name] = value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
        return value


def build(prefix: Path, *, spec: Spec, base: Environment | None, work: Work, descriptors: Collection[int] = ()) -> None:
    """Make the virtual environment of a spec at `prefix`; its packages are the package manager's.

    Raises:
        UsageError: there is no base. Others as `create`.
    """
    if base is None:
        raise UsageError("a virtual environment needs a Python to be made from", code="base-unknown", hint="say which with python=")
    from .writer import create  # noqa: PLC0415 - kernels and activation make nothing

    work.check()
    create(
        prefix,
        base=base,
        host=work.host,
        prompt=spec.name,
        system_site_packages=spec.system_site_packages,
        variables=spec.variables,
    )


def activation(env: Environment, host: Host) -> Activation:
    """Return what activating an environment changes, as data.

    For a virtual environment: its programs first on PATH, `VIRTUAL_ENV` and `VIRTUAL_ENV_PROMPT` set, `PYTHONHOME` unset. For a
    plain interpreter: its programs first on PATH, and no other environment active.
    """
    from ..models.activation import Activation  # noqa: PLC0415 - packaging comes with it, which making an environment does without

    if env.kind == KIND:
        return Activation(
            prepend_path=(env.prefix / bin_name(host.platform),),
            assign={"VIRTUAL_ENV": host.shown(env.prefix), "VIRTUAL_ENV_PROMPT": env.name or default_prompt(env.prefix)},
            unset=frozenset({"PYTHONHOME"}),
        )
    programs = env.python.parent if env.python is not None else env.prefix / bin_name(host.platform)
    scripts = env.prefix / "Scripts"
    windows = host.platform == "win32" and os.path.isdir(scripts)
    return Activation(
        prepend_path=(programs, scripts) if windows else (programs,),
        assign={},
        unset=frozenset({"VIRTUAL_ENV", "VIRTUAL_ENV_PROMPT", "PYTHONHOME"}),
    )
