"""Any virtual environment: a directory with `pyvenv.cfg`, by venv, virtualenv 20 or uv.

Marks: the file; its keys `uv` and `virtualenv` tell who wrote it. Files read: `pyvenv.cfg`, `bin/activate` (where it says it lies),
the base's version. Looks into each directory that the caller named, that directory itself and its direct children, and into the
children of `$WORKON_HOME`, `~/.virtualenvs`, `~/.venvs` and `~/envs`. Place in the table: after what knows more about some of them,
before `path`. Limits: no directory is walked deeper; virtualenv before 20 wrote no `pyvenv.cfg`.
"""

from __future__ import annotations

import ntpath
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ...system.spelling import within
from ..virtual import virtual

if TYPE_CHECKING:
    from ...models.environment import Environment
    from ...system.look import Look

NAME: Final = "venv"
KINDS: Final = frozenset({"venv"})

_HOMES = (".virtualenvs", ".venvs", "envs")
_SKIPPED = frozenset({"node_modules", "__pycache__", "site-packages", ".git", ".hg", ".svn", ".tox", ".nox", ".cache", ".mypy_cache"})


def candidates(look: Look, roots: tuple[str, ...]) -> Iterator[str]:
    """Yield the roots, their children and those of the usual places that have a `pyvenv.cfg`, sorted by name in each."""
    for root in roots:
        if look.is_present(within(root, "pyvenv.cfg")):
            yield root
    for directory in (*roots, *_usual(look)):
        for name in look.names(directory):
            if name not in _SKIPPED and look.has(within(directory, name), "pyvenv.cfg"):
                yield within(directory, name)


def identify(look: Look, candidate: str) -> Environment | None:
    """Return the virtual environment that a path belongs to; one that lies in a usual place is known by its directory's name."""
    found = virtual(look, candidate)
    if found is None or found.name is not None or str(found.prefix.parent) not in _usual(look):
        return found
    return replace(found, name=found.prefix.name)


def _usual(look: Look) -> tuple[str, ...]:
    def find() -> tuple[str, ...]:
        stated = look.host.environ.get("WORKON_HOME", "")
        named = [look.tidy(look.place(stated))] if (ntpath.isabs(stated) if look.windows else stated.startswith("/")) else []
        return tuple(dict.fromkeys([*named, *(within(look.home, name) for name in _HOMES)]))

    return look.remember("usual homes of virtual environments", find)
