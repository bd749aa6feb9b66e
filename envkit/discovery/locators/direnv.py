"""direnv: the environments that `layout python` keeps in `.direnv` of a project.

Marks: the place. Files read: none. Place in the table: before `virtualenv` and `venv`, with which direnv makes them. Limits: another
`direnv_layout_dir` is a shell function in the user's configuration, which is not run.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ...system.spelling import name_of, parent_of, within
from ..places import at_home, contents, marked_children
from ..projects import project_directories
from ..recognition import foreign, owned

if TYPE_CHECKING:
    from ...models.environment import Environment
    from ...system.look import Look

NAME: Final = "direnv"
KINDS: Final = frozenset({"venv"})

_DIRECTORY = ".direnv"


def candidates(look: Look, roots: tuple[str, ...]) -> Iterator[str]:
    """Yield the environments in `.direnv` of each project and of the home directory."""
    for directory in (*project_directories(look, roots), at_home(look)):
        if _DIRECTORY in contents(look, directory):
            yield from marked_children(look, within(directory, _DIRECTORY))


def identify(look: Look, candidate: str) -> Environment | None:
    """Return the environment if it lies in `.direnv`; the project is the directory of that, unless it is the home directory."""
    found = foreign(look, candidate)
    if found is None or name_of(directory := found.directory) != _DIRECTORY:
        return None
    project = parent_of(directory)
    return owned(found.env, NAME, name=found.name, project=None if project == at_home(look) else project)
