"""What a candidate is, asked once for all locators: thirty of them ask the same of the same path.

What envkit made stays envkit's wherever it lies, so the locators of other tools are not shown it.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..system.spelling import name_of, parent_of
from .installations import installation, installation_at
from .virtual import virtual, virtual_prefix

if TYPE_CHECKING:
    from ..models.environment import Environment
    from ..system.look import Look


class Foreign:
    """A virtual environment that envkit did not make, and the texts of it that every locator looks at.

    `directory` is what its prefix lies in, `name` that of the prefix there.
    """

    __slots__ = ("directory", "env", "manager", "name", "prefix")

    def __init__(self, env: Environment, prefix: str) -> None:
        """Take them from the environment and its prefix as text."""
        self.env = env
        self.prefix = prefix
        self.directory = parent_of(prefix)
        self.name = name_of(prefix)
        self.manager = env.manager


def foreign(look: Look, candidate: str) -> Foreign | None:
    """Return the virtual environment that a path belongs to, unless envkit made it; None when it belongs to none."""
    key = ("foreign", candidate)
    try:
        known: Foreign | None = look.memory[key]
    except KeyError:
        found = virtual(look, candidate)
        prefix = virtual_prefix(look, candidate)
        known = None
        if found is not None and prefix is not None and found.manager != "envkit":
            known = Foreign(found, prefix)
        look.memory[key] = known
    return known


def installed(look: Look, candidate: str) -> Environment | None:
    """Return the plain interpreter that a path is or leads to, or the best one of a prefix; None when there is none.

    The executable of a virtual environment leads to its base and is not it, whoever made the environment.
    """

    def find() -> Environment | None:
        if virtual_prefix(look, candidate) is not None:
            return None
        path = look.tidy(candidate)
        return installation_at(look, path) if look.is_directory(path) else installation(look, path)

    return look.remember(("installed", candidate), find)


def owned(found: Environment, manager: str, *, name: str | None = None, project: str | None = None) -> Environment:
    """Return an environment with its manager, and with name and project where they are known."""
    return replace(
        found,
        manager=manager,
        name=name if name is not None else found.name,
        project=Path(project) if project is not None else found.project,
    )


def directory_of(found: Environment) -> str:
    """Return the directory that an environment's prefix lies in."""
    return parent_of(str(found.prefix))
