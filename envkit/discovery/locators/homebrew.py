"""Homebrew, on macOS and Linux: the Pythons of its formulae.

Marks: the place: a keg `Cellar/<formula>/<version>` below `$HOMEBREW_PREFIX`, `/opt/homebrew`, `/usr/local`,
`/home/linuxbrew/.linuxbrew` or `~/.linuxbrew`, of a formula called `python@3.12`, `python-freethreading`, `pypy3.10`, `graalpy` or so.
Files read: as for any interpreter. Place in the table: after the virtual environments, whose executables lead here; before
`python.org` and `path`, for its Pythons are frameworks on macOS, and on PATH everywhere. Homebrew's Python calls itself by
the link `opt/<formula>`, which stays when a formula is upgraded, and so do we; the links in `bin` are its aliases. A keg that is
not the linked one any more is given by its own path. Limits: conda of a cask is left to `conda`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ...system.spelling import within
from ..executables import WORDS, interpreters_in
from ..installations import installation
from ..places import at_home, stated
from ..recognition import installed

if TYPE_CHECKING:
    from ...models.environment import Environment
    from ...system.look import Look

NAME: Final = "homebrew"
KINDS: Final = frozenset({"interpreter"})

_PREFIXES = {"darwin": ("/opt/homebrew", "/usr/local"), "linux": ("/home/linuxbrew/.linuxbrew",)}


def candidates(look: Look, roots: tuple[str, ...]) -> Iterator[str]:
    """Yield the executables of each formula by its `opt` link, newest first, then those of kegs that are not linked."""
    for brew in _prefixes(look):
        cellar = within(brew, "Cellar")
        formulae = [name for name in look.names(cellar) if name.startswith(WORDS)]
        for formula in reversed(formulae):
            for keg in (os.path.join(brew, "opt", formula), *_kegs(look, os.path.join(cellar, formula))):
                directory = within(keg, "bin")
                for name in interpreters_in(look, directory):
                    yield within(directory, name)


def _kegs(look: Look, formula: str) -> list[str]:
    return [os.path.join(formula, version) for version in reversed(look.names(formula)) if not version.startswith(".")]


def identify(look: Look, candidate: str) -> Environment | None:
    """Return the interpreter if it lies in a keg, by the `opt` link where that leads to the keg."""
    if look.windows or not _prefixes(look):
        return None
    found = installed(look, candidate)
    if found is None or found.kind != "interpreter":
        return None
    real = look.real(str(found.python))
    for brew in _prefixes(look):
        cellar = look.real(within(brew, "Cellar")) + os.sep
        if not real.startswith(cellar):
            continue
        formula, _, rest = real.removeprefix(cellar).partition(os.sep)
        version, _, inside = rest.partition(os.sep)
        keg, linked = os.path.join(cellar, formula, version), os.path.join(brew, "opt", formula)
        home = linked if look.real(linked) == keg else keg
        return _as_called(look, home, os.path.join(home, inside))
    return None


def _as_called(look: Look, keg: str, executable: str) -> Environment | None:
    """Return the interpreter as it calls itself: by the executable in the keg's `bin`, which on macOS is a link into a framework."""
    found = installation(look, executable)
    if found is None or found.python is None:
        return None
    public = os.path.join(keg, "bin", found.python.name)
    python = public if look.real(public) == look.real(executable) else str(found.python)
    return replace(found, manager=NAME, python=Path(python))


def _prefixes(look: Look) -> tuple[str, ...]:
    """Return where Homebrew is installed."""

    def find() -> tuple[str, ...]:
        if look.windows:
            return ()
        named = stated(look, "HOMEBREW_PREFIX")
        usual = [look.place(prefix) for prefix in _PREFIXES.get(look.host.platform, ())]
        places = [*((named,) if named else ()), *usual, at_home(look, ".linuxbrew")]
        return tuple(path for path in dict.fromkeys(places) if look.is_directory(within(path, "Cellar")))

    return look.remember("homebrew", find)
