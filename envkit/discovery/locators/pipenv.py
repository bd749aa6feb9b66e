"""Pipenv: the environments that it keeps together, named after the project and a hash of its path, and `.venv` of its projects.

Marks: the hash. Pipenv writes the project's path into `.project`, as virtualenvwrapper does, and the last eight letters of a name
prove nothing (`~/.virtualenvs/my-notebook`), so the hash is computed again from the path of the Pipfile: that fits for Pipenv's
alone. A name that the user chose (`PIPENV_CUSTOM_VENV_NAME`) fits when that is set, or where the prompt is the project's name, as Pipenv
sets it and no other tool that keeps environments in one place. `.venv` is Pipenv's when `.project` in it names the
directory it lies in, beside the Pipfile. Files read: `.project`, `pyvenv.cfg`. Place in the table: before
`virtualenvwrapper`, whose directory it may share, and `virtualenv`, with which it makes them. Limits: after the project was moved the hash fits the place it was at, and
that is the project that is given.

Source: pipenv's venv_locator.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ...formats import pyvenv_cfg
from ...system.spelling import name_of, parent_of, within
from ..places import at_home, marked_children, placed, stated, user_data
from ..projects import VENV, digest, has_any, project_directories, project_of
from ..recognition import Foreign, foreign, owned

if TYPE_CHECKING:
    from ...models.environment import Environment
    from ...system.look import Look

NAME: Final = "pipenv"
KINDS: Final = frozenset({"venv"})

_LIMIT = 16 * 1024  # bytes; a path is shorter
_NAMES = ("Pipfile", "Pipfile.lock")


def candidates(look: Look, roots: tuple[str, ...]) -> Iterator[str]:
    """Yield `.venv` of projects with a Pipfile, then what lies where Pipenv keeps its environments, sorted by name."""
    for directory in project_directories(look, roots):
        if has_any(look, directory, *_NAMES) and look.is_directory(within(directory, VENV)):
            yield within(directory, VENV)
    for home in _homes(look):
        yield from marked_children(look, home)


def identify(look: Look, candidate: str) -> Environment | None:
    """Return the environment if the project it names is one of Pipenv's and fits."""
    found = foreign(look, candidate)
    if found is None:
        return None
    if found.name == VENV:
        inside = project_of(look, found.prefix)
        if inside is None or found.manager == "uv" or not has_any(look, inside, *_NAMES) or _stated(look, found) != inside:
            return None
        return owned(found.env, NAME, project=inside)
    name = found.name
    if found.directory not in _homes(look) and "-" not in name:
        return None
    project = _stated(look, found)
    if project is None or not (_fits(look, name, project) or _is_chosen(look, found, project)):
        return None
    return owned(found.env, NAME, name=name, project=project)


def _stated(look: Look, found: Foreign) -> str | None:
    text = look.text(within(found.prefix, ".project"), _LIMIT) if look.has(found.prefix, ".project") else None
    return placed(look, text) if text else None


def _fits(look: Look, name: str, project: str) -> bool:
    """Say whether Pipenv would give that name to the environment of a project; it may add `-3.12` or the like."""
    pipfiles = [within(project, "Pipfile")]
    if (named := stated(look, "PIPENV_PIPFILE")) is not None and parent_of(named) == project:
        pipfiles.append(named)
    clean = "".join("_" if letter in ' &$`!*@"()[]\\\r\n\t' else letter for letter in name_of(project))[:42]
    wanted = [f"{clean}-{digest(look, pipfile)}" for pipfile in pipfiles]
    return any(name == text or name.startswith(f"{text}-") for text in wanted)


def _is_chosen(look: Look, found: Foreign, project: str) -> bool:
    """Say whether a name may be one that the user chose: the variable says it, or the prompt is what Pipenv sets, the project's name."""
    if found.directory not in _homes(look) or not has_any(look, project, *_NAMES):
        return False
    if look.host.environ.get("PIPENV_CUSTOM_VENV_NAME") == found.name:
        return True
    keys = pyvenv_cfg.load(look.text(within(found.prefix, pyvenv_cfg.NAME), pyvenv_cfg.LIMIT) or "")
    return keys.get("prompt", "").strip("'\"") == name_of(project)


def _homes(look: Look) -> tuple[str, ...]:
    def find() -> tuple[str, ...]:
        usual = (user_data(look, "virtualenvs"), at_home(look, ".local", "share", "virtualenvs"), at_home(look, ".virtualenvs"))
        return tuple(dict.fromkeys(home for home in (stated(look, "WORKON_HOME"), *usual) if home))

    return look.remember("pipenv", find)
