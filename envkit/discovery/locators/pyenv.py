"""pyenv and pyenv-virtualenv: what lies in `versions` below pyenv's root.

Marks: the place: `$PYENV_ROOT`, `$PYENV`, or `~/.pyenv` (`~/.pyenv/pyenv-win` on Windows). A version is a plain interpreter in a
directory of its own name; pyenv-virtualenv keeps environments in `versions/<version>/envs/<name>` and links each in `versions`.
Files read: as for any interpreter; `pyvenv.cfg` of its environments. Place in the table: before `venv` and `path`, for its Pythons
are also on PATH, and only the place tells whose they are. Its shims are scripts that start many processes; they are never looked
at, so a version that is installed but not chosen is found like any other. An environment is called by its link, which is the name
that pyenv knows it by; the directory behind it is an alias. Limits: a conda installation below `versions` is of kind "conda", and
so of another locator's manager.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ...system.spelling import name_of, parent_of, within
from ..places import children, pyenv_versions
from ..recognition import foreign
from ..versions import version_directories, version_in
from ..virtual import virtual

if TYPE_CHECKING:
    from ...models.environment import Environment
    from ...system.look import Look

NAME: Final = "pyenv"
KINDS: Final = frozenset({"interpreter", "venv", "conda"})


def candidates(look: Look, roots: tuple[str, ...]) -> Iterator[str]:
    """Yield the directories of `versions`, newest first, then the environments of each, by their link where they have one."""
    versions = pyenv_versions(look)
    found = tuple(version_directories(look, versions))
    yield from found
    for version in found:
        for prefix in children(look, within(version, "envs")) if look.has(version, "envs") else ():
            yield _linked(look, versions, prefix) or prefix


def identify(look: Look, candidate: str) -> Environment | None:
    """Return the interpreter of a version, or an environment of pyenv-virtualenv, if the path lies in `versions`."""
    versions = pyenv_versions(look)
    found = foreign(look, candidate)
    if found is None:
        return version_in(look, candidate, versions, NAME)
    prefix, parent = found.prefix, found.directory
    own = name_of(parent) == "envs" and os.path.dirname(parent_of(parent)) == versions
    if parent != versions and not own:
        return None
    link = prefix if parent == versions else _linked(look, versions, prefix)
    known = virtual(look, link) if link is not None and link != prefix else found.env
    if known is None:
        return None
    target = look.link(link) if link is not None else None
    aliases = (Path(look.tidy(target)),) if target is not None else ()
    return replace(known, manager=NAME, name=known.prefix.name, aliases=aliases)


def _linked(look: Look, versions: str, prefix: str) -> str | None:
    """Return the link in `versions` that leads to an environment in `envs`; None when there is none."""
    link = os.path.join(versions, name_of(prefix))
    target = look.link(link)
    return link if target is not None and look.tidy(target) == prefix else None
