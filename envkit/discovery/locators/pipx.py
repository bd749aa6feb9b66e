"""pipx: one environment per application, and the one that holds the pip they share.

Marks: the place: `venvs` and `shared` below `$PIPX_HOME`, `$PIPX_GLOBAL_HOME`, `~/.local/share/pipx` or where older versions kept
them, `$PIPX_SHARED_LIBS`; and `pipx_metadata.json`, wherever such an environment lies. Files read: none besides. Place in the
table: before `virtualenv`, `uv` and `venv`, with which it makes its environments. Limits: those that `pipx run` throws away again
after two weeks are given only when they are named.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ...system.spelling import within
from ..places import at_home, marked_children, stated, user_data
from ..recognition import foreign, owned

if TYPE_CHECKING:
    from ...models.environment import Environment
    from ...system.look import Look

NAME: Final = "pipx"
KINDS: Final = frozenset({"venv"})

_MARK = "pipx_metadata.json"


def candidates(look: Look, roots: tuple[str, ...]) -> Iterator[str]:
    """Yield the environment of each application, sorted by name, then the shared one, home by home."""
    for home in _homes(look):
        yield from marked_children(look, within(home, "venvs"))
    for shared in _shared(look):
        if look.is_present(within(shared, "pyvenv.cfg")):
            yield shared


def identify(look: Look, candidate: str) -> Environment | None:
    """Return the environment if it lies in a home of pipx, or pipx wrote its mark into it."""
    found = foreign(look, candidate)
    if found is None:
        return None
    prefix = found.prefix
    if prefix in _shared(look):
        return owned(found.env, NAME, name="shared")
    if found.directory in _applications(look) or look.has(prefix, _MARK):
        return owned(found.env, NAME, name=found.name)
    return None


def _homes(look: Look) -> tuple[str, ...]:
    def find() -> tuple[str, ...]:
        usual = [user_data(look, "pipx"), at_home(look, ".local", "pipx"), at_home(look, ".local", "share", "pipx"), at_home(look, "pipx")]
        everyone = stated(look, "PIPX_GLOBAL_HOME") or (None if look.windows else look.place("/opt/pipx"))
        return tuple(dict.fromkeys(home for home in (stated(look, "PIPX_HOME"), *usual, everyone) if home))

    return look.remember("pipx", find)


def _applications(look: Look) -> frozenset[str]:
    return look.remember("pipx applications", lambda: frozenset(within(home, "venvs") for home in _homes(look)))


def _shared(look: Look) -> tuple[str, ...]:
    def find() -> tuple[str, ...]:
        named = stated(look, "PIPX_SHARED_LIBS")
        return (*((named,) if named else ()), *(within(home, "shared") for home in _homes(look)))

    return look.remember("pipx shared", find)
