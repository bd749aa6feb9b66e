"""conda, mamba and micromamba: installations and environments, those without Python too.

Marks: `conda-meta` with `history` or a package's record. Files read: `history`, the head of Python's record, `~/.conda/environments.txt`,
condarc files. Looks into installations (Anaconda, Miniconda, Miniforge, Mambaforge, micromamba's roots, Homebrew's casks, those
that pyenv, asdf or mise made) and `envs` in them, into `envs_dirs` of all configuration files, `CONDA_ENVS_DIRS` and
`CONDA_ENVS_PATH`, and into what the caller named. Place in the table: after `pixi`, which makes such environments too, before all others:
a directory with `conda-meta` is conda's whatever else it looks like. The name is "base", or the directory's in a place of
environments, or what `history` says when it is the directory's name too; `.conda` belongs to the project it lies in. Limits: configuration in a project is not read; variables in
a condarc are replaced, expressions are not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ...system.spelling import name_of, parent_of, within
from ..conda_places import environment_directories, has_meta, installations, listed_environments
from ..conda_prefix import conda_environment, conda_prefix
from ..places import children, contents, stated
from ..projects import project_directories

if TYPE_CHECKING:
    from ...models.environment import Environment
    from ...system.look import Look

NAME: Final = "conda"
KINDS: Final = frozenset({"conda"})

_INSIDE = ".conda"  # what VS Code calls the environment of a project


def candidates(look: Look, roots: tuple[str, ...]) -> Iterator[str]:
    """Yield installations, the environments in each place sorted by name, those written down, and what lies in projects and roots."""
    active = stated(look, "CONDA_PREFIX")
    for prefix in (*installations(look), *((active,) if active else ())):
        if has_meta(look, prefix):
            yield prefix
    for directory in environment_directories(look):
        yield from (path for path in children(look, directory) if has_meta(look, path))
    yield from listed_environments(look)
    for directory in project_directories(look, roots):
        names = contents(look, directory)
        if "conda-meta" in names:
            yield directory
        if _INSIDE in names and has_meta(look, inside := within(directory, _INSIDE)):
            yield inside
        if "envs" in names:
            yield from (path for path in children(look, within(directory, "envs")) if has_meta(look, path))


def identify(look: Look, candidate: str) -> Environment | None:
    """Return the environment if the path is a conda prefix or an executable of one."""
    prefix = conda_prefix(look, candidate)
    if prefix is None:
        return None
    found = conda_environment(look, prefix)
    project = parent_of(prefix) if name_of(prefix) == _INSIDE else look.home
    return found if project == look.home else replace(found, project=Path(project))
