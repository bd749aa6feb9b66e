"""PyPy installations that were unpacked from an archive.

Marks: an interpreter of that implementation. Files read: as for any interpreter; `patchlevel.h` says which Python it speaks. Place in
the table: after the tools that install PyPy themselves (pyenv, asdf, mise, uv, conda, Debian), before `path`. Looks for directories
whose name begins with `pypy` in `/opt`, `/usr/local`, `/usr/lib`, the home directory, and `opt` and `.local` there. Limits: its own version
is not told, only that of the language.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ...system.spelling import within
from ..places import at_home
from ..recognition import installed, owned

if TYPE_CHECKING:
    from ...models.environment import Environment
    from ...system.look import Look

NAME: Final = "pypy"
KINDS: Final = frozenset({"interpreter"})


def candidates(look: Look, roots: tuple[str, ...]) -> Iterator[str]:
    """Yield the directories that are called so, sorted by name in each place."""
    places = () if look.windows else tuple(map(look.place, ("/opt", "/usr/local", "/usr/lib")))
    for directory in (*places, at_home(look), at_home(look, "opt"), at_home(look, ".local")):
        for name in look.names(directory):
            if name.lower().startswith(NAME):
                yield within(directory, name)


def identify(look: Look, candidate: str) -> Environment | None:
    """Return the interpreter if it is PyPy."""
    found = installed(look, candidate)
    return owned(found, NAME) if found is not None and found.kind == "interpreter" and found.implementation == NAME else None
