"""virtualenvwrapper: the environments in `$WORKON_HOME`, by default `~/.virtualenvs`, by its page `~/Envs`.

Marks: the place, and a trace of the tool: the variable, its hooks in the place (`postmkvirtualenv`) or in the environment
(`bin/postactivate`), or `.project`, which holds the project's path. Without any, `~/.virtualenvs` is a directory that someone keeps
environments in, and they are of those who wrote them. Files read: `.project`. Place in the table: after Pipenv, Poetry and Hatch,
which may use the same directory under names of their own; before `virtualenv`, with which it makes them. Limits: none known.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ...layout import bin_name
from ...system.spelling import within
from ..places import at_home, children, contents, placed, stated
from ..recognition import foreign, owned
from ..virtual import virtual_prefix

if TYPE_CHECKING:
    from ...models.environment import Environment
    from ...system.look import Look

NAME: Final = "virtualenvwrapper"
KINDS: Final = frozenset({"venv"})

_HOOKS = ("postmkvirtualenv", "premkvirtualenv", "get_env_details")
_LIMIT = 16 * 1024  # bytes; a path is shorter


def candidates(look: Look, roots: tuple[str, ...]) -> Iterator[str]:
    """Yield the environments in each place, sorted by name."""
    for home in _homes(look):
        for path in children(look, home):
            if virtual_prefix(look, path) is not None:
                yield path


def identify(look: Look, candidate: str) -> Environment | None:
    """Return the environment if it lies in such a place and the tool left a trace; with its project, where it has one."""
    found = foreign(look, candidate)
    if found is None or (home := found.directory) not in _homes(look) or found.manager == "uv":
        return None
    prefix = found.prefix
    text = look.text(within(prefix, ".project"), _LIMIT) if look.has(prefix, ".project") else None
    inside = contents(look, os.path.join(prefix, bin_name(look.host.platform)))
    known = home == stated(look, "WORKON_HOME") or not contents(look, home).isdisjoint(_HOOKS)
    if not known and text is None and "postactivate" not in inside:
        return None
    return owned(found.env, NAME, name=found.name, project=placed(look, text) if text else None)


def _homes(look: Look) -> tuple[str, ...]:
    def find() -> tuple[str, ...]:
        named = stated(look, "WORKON_HOME")
        usual = (".virtualenvs", "Envs", "virtualenvs") if look.windows else (".virtualenvs", "Envs")
        return tuple(dict.fromkeys([*((named,) if named else ()), *(at_home(look, name) for name in usual)]))

    return look.remember("virtualenvwrapper", find)
