"""pixi: the environments of its workspaces, detached ones, and those of globally installed tools.

Marks: `conda-meta/pixi`, a file that names manifest and environment; the places `.pixi/envs` of a workspace and `envs` in `$PIXI_HOME` or
`~/.pixi`. Detached environments lie in pixi's cache, or where `detached-environments` says. Files read: `conda-meta/pixi`, pixi's
`config.toml`, `workspaces.toml`, and what is read of any conda environment. Place in the table: before `conda`, for each is one. Limits:
a workspace that is at hand, listed by pixi or linked is found; one that is neither only when it is named.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ...formats.conda_meta import DIRECTORY, PIXI
from ...system.spelling import name_of, parent_of, within
from ..conda_places import has_meta
from ..conda_prefix import conda_environment, conda_prefix
from ..places import at_home, children, contents, expanded, placed, stated, user_cache, user_configuration
from ..projects import project_directories, table_in, toml, value_in
from ..recognition import owned

if TYPE_CHECKING:
    from ...models.environment import Environment
    from ...system.look import Look

NAME: Final = "pixi"
KINDS: Final = frozenset({"conda"})

_LIMIT = 64 * 1024  # bytes of `conda-meta/pixi`


def candidates(look: Look, roots: tuple[str, ...]) -> Iterator[str]:
    """Yield the environments of workspaces, then detached ones, then global ones, sorted by name in each place."""
    for directory in dict.fromkeys((*project_directories(look, roots), *_listed(look))):
        if ".pixi" in contents(look, directory):
            yield from _environments(look, os.path.join(directory, ".pixi", "envs"))
    for directory in _detached(look):
        for workspace in children(look, directory):
            yield from _environments(look, within(workspace, "envs"))
    yield from _environments(look, _global(look))


def _environments(look: Look, directory: str) -> Iterator[str]:
    yield from (path for path in children(look, directory) if has_meta(look, path))


def identify(look: Look, candidate: str) -> Environment | None:
    """Return the environment if pixi wrote its mark into it, or it lies where pixi keeps its own."""
    prefix = conda_prefix(look, candidate)
    if prefix is None:
        return None
    directory = parent_of(prefix)
    inside = directory.endswith(f"{os.sep}.pixi{os.sep}envs")
    if directory == _global(look):
        return owned(conda_environment(look, prefix), NAME, name=name_of(prefix))
    marked = PIXI in contents(look, within(prefix, DIRECTORY))
    if not inside and not marked:
        return None
    name, project = _said(look, prefix) if marked else (None, None)
    if project is None and inside:
        project = os.path.dirname(parent_of(directory))
    return owned(conda_environment(look, prefix), NAME, name=name or name_of(prefix), project=project)


def _said(look: Look, prefix: str) -> tuple[str | None, str | None]:
    """Return the name of the environment and the directory of its workspace, as pixi wrote them down."""
    import json  # noqa: PLC0415 - only for pixi's environments

    text = look.text(os.path.join(prefix, DIRECTORY, PIXI), _LIMIT)
    try:
        said: object = json.loads(text or "null")
    except (ValueError, RecursionError):
        return None, None
    name, manifest = value_in(said, "environment_name"), value_in(said, "manifest_path")
    project = placed(look, manifest) if isinstance(manifest, str) else None
    return name if isinstance(name, str) else None, parent_of(project) if project else None


def _home(look: Look) -> str:
    return stated(look, "PIXI_HOME") or at_home(look, ".pixi")


def _global(look: Look) -> str:
    return look.remember("pixi global", lambda: within(_home(look), "envs"))


def _listed(look: Look) -> tuple[str, ...]:
    """Return the workspaces that pixi knows by name."""
    said = table_in(toml(look, within(_home(look), "workspaces.toml")))
    named = (*said.values(), *table_in(said, "workspaces").values(), *table_in(said, "named_workspaces").values())
    paths = [path for value in named if isinstance(value, str) and (path := placed(look, value)) is not None]
    return tuple(parent_of(path) if path.endswith(".toml") else path for path in paths)


def _detached(look: Look) -> tuple[str, ...]:
    """Return the directories that hold detached environments: in pixi's cache, and where a configuration says."""
    xdg = user_configuration(look, "pixi")
    files = [look.place("/etc/pixi/config.toml")] if not look.windows else []
    files += [within(directory, "config.toml") for directory in (at_home(look, ".config", "pixi"), xdg, _home(look))]
    found = [stated(look, "PIXI_CACHE_DIR"), stated(look, "RATTLER_CACHE_DIR"), user_cache(look, "pixi"), _rattler(look)]
    places = [within(directory, "envs") for directory in found if directory]
    for file in files:
        named = value_in(toml(look, file), "detached-environments")
        if isinstance(named, str) and (directory := placed(look, expanded(look, named))) is not None:
            places.append(directory)
    return tuple(dict.fromkeys(places))


def _rattler(look: Look) -> str:
    return os.path.join(user_cache(look, "rattler"), "cache")
