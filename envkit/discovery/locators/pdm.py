"""PDM: `.venv` of its projects, the environments that it keeps together, and the Pythons that it installed.

Marks: `.pdm-python` in a project at hand, which names the interpreter in use, wherever that lies; beside `pdm.lock`, `pdm.toml` or
`[tool.pdm]` what lies in `.venv`, `venv` or `env`; in PDM's data directory (or `venv.location`) a name made of the project's, a hash
of its path and a tag. The project is the directory whose path gives the hash. Files read: PDM's `config.toml`; `.pdm-python` and `pyproject.toml` of a project
that has an environment; `.pth` files. Place in the table: before `uv` and `virtualenv`, either of which makes its environments, and
before `project`. Limits: `__pypackages__` is no environment; the project of a central environment as for Poetry.

Source: pdm's cli/commands/venv/utils.py and project/config.py.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ...system.spelling import parent_of, within
from ..places import expanded, marked_children, placed, stated, user_configuration, user_data
from ..projects import digest, has_any, owner, project_directories, project_of, pyproject, table_in, text_in, toml
from ..recognition import foreign, owned
from ..versions import version_directories, version_in

if TYPE_CHECKING:
    from ...models.environment import Environment
    from ...system.look import Look

NAME: Final = "pdm"
KINDS: Final = frozenset({"interpreter", "venv"})

_CHOSEN = ".pdm-python"
_INSIDE = (".venv", "venv", "env")
_LIMIT = 16 * 1024  # bytes; a path is shorter


def candidates(look: Look, roots: tuple[str, ...]) -> Iterator[str]:
    """Yield what PDM's projects use and hold, then what lies where PDM keeps environments and Pythons."""
    for directory in project_directories(look, roots):
        if (chosen := _chosen(look, directory)) is not None:
            _users(look).setdefault(os.path.dirname(parent_of(chosen)), directory)
            yield chosen
        inside = [prefix for name in _INSIDE if look.is_directory(prefix := within(directory, name))]
        if inside and _is_project(look, directory):
            yield from inside
    yield from marked_children(look, _home(look))
    yield from version_directories(look, _pythons(look))


def identify(look: Look, candidate: str) -> Environment | None:
    """Return the environment if it is a PDM project's own, or lies where PDM keeps its own under such a name."""
    found = foreign(look, candidate)
    if found is None:
        return version_in(look, candidate, _pythons(look), NAME)
    directory = found.directory
    if directory == _home(look):
        mark = _hash_in(found.name)
        project = None if mark is None else owner(look, found.prefix, lambda path: digest(look, path, "md5") == mark)
        return owned(found.env, NAME, name=found.name, project=project)
    user = _users(look).get(found.prefix)
    if user is not None and user != directory and project_of(look, found.prefix) is None and not _is_wrappers(look, directory):
        return owned(found.env, NAME, project=user)
    if found.name not in _INSIDE:
        return None
    chosen = _chosen(look, directory)
    ours = os.path.dirname(parent_of(chosen)) == found.prefix if chosen else found.manager != "uv" and _is_project(look, directory)
    return owned(found.env, NAME, project=directory) if ours else None


def _users(look: Look) -> dict[str, str]:
    """Return the projects that use an environment elsewhere, those above the working directory and those met so far, by its prefix."""

    def find() -> dict[str, str]:
        chosen = {directory: _chosen(look, directory) for directory in reversed(project_directories(look, ()))}
        return {os.path.dirname(parent_of(python)): directory for directory, python in chosen.items() if python is not None}

    return look.remember("pdm users", find)


def _is_wrappers(look: Look, directory: str) -> bool:
    return directory in {stated(look, "WORKON_HOME"), within(look.home, ".virtualenvs"), within(look.home, "Envs")}


def _chosen(look: Look, directory: str) -> str | None:
    """Return the executable that a project uses; None when it does not say."""
    if not has_any(look, directory, _CHOSEN):
        return None
    return placed(look, look.text(within(directory, _CHOSEN), _LIMIT) or "")


def _is_project(look: Look, directory: str) -> bool:
    return has_any(look, directory, _CHOSEN, "pdm.lock", "pdm.toml") or bool(table_in(pyproject(look, directory), "tool", "pdm"))


def _hash_in(name: str) -> str | None:
    """Return the hash in a name such as `demo-Ab3_x-9Q-3.12`: the eight letters before the last dash but those of the tag."""
    for end in range(len(name) - 1, 9, -1):
        mark = name[end - 8 : end]
        if name[end] == "-" and name[end - 9] == "-" and all(letter.isalnum() or letter in "-_" for letter in mark):
            return mark
    return None


def _home(look: Look) -> str:
    def find() -> str:
        named = text_in(_configuration(look), "venv", "location")
        return placed(look, expanded(look, named)) or os.path.join(user_data(look, "pdm"), "venvs")

    return look.remember("pdm", find)


def _pythons(look: Look) -> str:
    def find() -> str:
        named = text_in(_configuration(look), "python", "install_root")
        return placed(look, expanded(look, named)) or os.path.join(user_data(look, "pdm"), "python")

    return look.remember("pdm pythons", find)


def _configuration(look: Look) -> object:
    return toml(look, stated(look, "PDM_CONFIG_FILE") or os.path.join(user_configuration(look, "pdm"), "config.toml"))
