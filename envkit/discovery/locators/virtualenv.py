"""virtualenv: what it wrote, new or old.

Marks: the key `virtualenv` in `pyvenv.cfg`; before version 20 there was no such file, and `orig-prefix.txt` beside a copy of the
standard library names the base. Files read: those. Looks for old ones in the directories that the caller named and in the usual
places; new ones are named by `venv`. Place in the table: after all tools that use virtualenv, before `venv`. Limits: the version of an
old one is that of the copy inside, which is searched for it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ...layout import bin_name
from ...system.spelling import within
from ..places import children, stated
from ..recognition import foreign, owned

if TYPE_CHECKING:
    from ...models.environment import Environment
    from ...system.look import Look

NAME: Final = "virtualenv"
KINDS: Final = frozenset({"venv"})

_HOMES = (".virtualenvs", ".venvs", "envs")


def candidates(look: Look, roots: tuple[str, ...]) -> Iterator[str]:
    """Yield the directories that have virtualenv's activation script and no `pyvenv.cfg`, sorted by name in each place."""
    script = os.path.join(bin_name(look.host.platform), "activate_this.py")
    for path in (*roots, *(path for directory in (*roots, *_usual(look)) for path in children(look, directory))):
        if look.is_present(os.path.join(path, script)) and not look.is_present(within(path, "pyvenv.cfg")):
            yield path


def identify(look: Look, candidate: str) -> Environment | None:
    """Return the environment if virtualenv wrote it; one in a usual place is known by its directory's name."""
    found = foreign(look, candidate)
    if found is None or found.manager != NAME:
        return None
    return owned(found.env, NAME, name=found.name if found.directory in _usual(look) else None)


def _usual(look: Look) -> tuple[str, ...]:
    def find() -> tuple[str, ...]:
        named = stated(look, "WORKON_HOME")
        return tuple(dict.fromkeys([*((named,) if named else ()), *(within(look.home, name) for name in _HOMES)]))

    return look.remember("homes of virtualenv", find)
