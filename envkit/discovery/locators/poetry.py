"""Poetry: the environments that it keeps together, named after the project, a hash of its path and the minor, and `.venv`.

Marks: the place (`virtualenvs.path`, also in the `poetry.toml` of a project at hand, by default `virtualenvs` in Poetry's cache)
and the shape of the name; `.venv` beside `poetry.lock`, `poetry.toml`, or a `pyproject.toml` with `[tool.poetry]` or Poetry's build
backend, unless uv made it. The project is the directory whose path gives the hash: the project's own package, installed as a link,
leads to it. Pythons that Poetry installed lie in its data directory. Files read: Poetry's `config.toml`; of a project its
`poetry.toml`, and its `pyproject.toml` where it has `.venv`; `.pth` files. Place in
the table: before `project`, `virtualenv` and `virtualenvwrapper`, whose directory it may share. Limits: the project of an environment
without its own package is known only when one stands in it, or names it.

Source: poetry's env_manager.py, config.py and locations.py.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ...system.spelling import within
from ..places import expanded, marked_children, placed, stated, user_cache, user_configuration, user_data
from ..projects import VENV, digest, has_any, owner, project_directories, project_of, pyproject, table_in, text_in, toml
from ..recognition import foreign, owned
from ..versions import version_directories, version_in

if TYPE_CHECKING:
    from ...models.environment import Environment
    from ...system.look import Look

NAME: Final = "poetry"
KINDS: Final = frozenset({"interpreter", "venv"})

_FILE = "poetry.toml"
_BACKENDS = ("poetry.core", "poetry.masonry")


def candidates(look: Look, roots: tuple[str, ...]) -> Iterator[str]:
    """Yield `.venv` of Poetry's projects, then what lies where Poetry keeps its environments and Pythons."""
    for directory in project_directories(look, roots):
        if look.is_directory(within(directory, VENV)) and _is_project(look, directory):
            yield within(directory, VENV)
        if (home := _own(look, directory)) is not None:
            _owns(look)[home] = None
    for home in dict.fromkeys((*_owns(look), *_homes(look))):
        yield from marked_children(look, home)
    yield from version_directories(look, _pythons(look))


def identify(look: Look, candidate: str) -> Environment | None:
    """Return the environment if it lies where Poetry keeps its own under such a name, or is `.venv` of one of its projects."""
    found = foreign(look, candidate)
    if found is None:
        return version_in(look, candidate, _pythons(look), NAME)
    if found.name == VENV:
        directory = project_of(look, found.prefix)
        ours = directory is not None and found.manager != "uv" and _is_project(look, directory)
        return owned(found.env, NAME, project=directory) if ours else None
    if found.directory not in _homes(look) and found.directory not in _owns(look):
        return None
    mark = _hash_in(found.name)
    if mark is None:
        return None
    return owned(found.env, NAME, name=found.name, project=owner(look, found.prefix, lambda path: digest(look, look.real(path)) == mark))


def _hash_in(name: str) -> str | None:
    """Return the hash in a name such as `demo-Ab3_x-9Q-py3.12`; None when it is not of that shape."""
    rest, dash, minor = name.rpartition("-py")
    numbers = minor.split(".")
    if not dash or len(numbers) != 2 or not all(number.isdigit() for number in numbers) or len(rest) < 10 or rest[-9] != "-":
        return None
    mark = rest[-8:]
    return mark if all(letter.isascii() and (letter.isalnum() or letter in "-_") for letter in mark) else None


def _is_project(look: Look, directory: str) -> bool:
    if has_any(look, directory, "poetry.lock", "poetry.toml"):
        return True
    said = pyproject(look, directory)
    return bool(table_in(said, "tool", "poetry")) or text_in(said, "build-system", "build-backend").startswith(_BACKENDS)


def _homes(look: Look) -> tuple[str, ...]:
    """Return where environments are kept: as a variable or the configuration says, and by default."""

    def find() -> tuple[str, ...]:
        said = _configuration(look)
        cache = stated(look, "POETRY_CACHE_DIR") or placed(look, text_in(said, "cache-dir")) or user_cache(look, "pypoetry")
        path = look.host.environ.get("POETRY_VIRTUALENVS_PATH") or text_in(said, "virtualenvs", "path")
        named = placed(look, expanded(look, path.replace("{cache-dir}", look.host.shown(look.host.path(cache)) if look.whole else cache)))
        return tuple(dict.fromkeys(home for home in (named, within(cache, "virtualenvs")) if home))

    return look.remember("poetry", find)


def _own(look: Look, directory: str) -> str | None:
    """Return where the `poetry.toml` of a project says that its environments are kept."""
    if not has_any(look, directory, _FILE):
        return None
    path = expanded(look, text_in(toml(look, within(directory, _FILE)), "virtualenvs", "path"))
    if not path or "{" in path or "\0" in path:
        return None
    return placed(look, path) or look.tidy(within(directory, path))


def _owns(look: Look) -> dict[str, None]:
    """Return the set of such places that this look has met, those of the projects above the working directory among them."""

    def find() -> dict[str, None]:
        return {home: None for directory in project_directories(look, ()) if (home := _own(look, directory)) is not None}

    return look.remember("poetry owns", find)


def _configuration(look: Look) -> object:
    directory = stated(look, "POETRY_CONFIG_DIR") or user_configuration(look, "pypoetry")
    return toml(look, within(directory, "config.toml"))


def _pythons(look: Look) -> str:
    return look.remember("poetry pythons", lambda: os.path.join(stated(look, "POETRY_HOME") or user_data(look, "pypoetry"), "python"))
