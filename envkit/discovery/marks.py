"""What envkit's own marks say of a prefix: made by envkit or not, under which name, and whether it is whole."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from ..models.environment import Problem
from ..system.spelling import within

if TYPE_CHECKING:
    from ..formats.ready_record import Record
    from ..system.look import Look

_DIRECTORY = ".envkit"  # ready_record.MARKS; that module brings json, which most prefixes do without
_LOG = "error.log"  # left in another tool's environment it makes that none of ours
_LIMIT = 1024 * 1024  # bytes


class Marks(NamedTuple):
    """The ready record, where there is one that fits, and what is wrong."""

    record: Record | None
    problem: Problem | None


def is_managed(look: Look, prefix: str) -> bool:
    """Say whether a directory is one of envkit's managed environments, by where it lies."""
    parent, _, name = prefix.rpartition(os.sep)
    return parent == managed_directory(look) and not name.startswith(".")


def managed_directory(look: Look) -> str:
    """Return the directory of envkit's managed environments."""
    return look.remember("managed", lambda: within(str(look.host.data), "environments"))


def has_marks(look: Look, prefix: str) -> bool:
    """Say whether envkit's marks lie in a directory; where it keeps its data (`ENVKIT_HOME=~/.envkit`) there are none."""
    directory = within(prefix, _DIRECTORY)
    if not look.has(prefix, _DIRECTORY) or directory == str(look.host.data) or not look.is_directory(directory):
        return False
    names = look.names(directory)
    return names != (_LOG,) and not {"environments", "locks"} & set(names)


def marks(look: Look, prefix: str) -> Marks:
    """Read the marks of a prefix. Without any, a managed environment is half made, and any other is none of ours."""
    if not is_managed(look, prefix) and not has_marks(look, prefix):
        return Marks(None, None)
    from ..formats import ready_record  # noqa: PLC0415 - only prefixes that envkit touched have marks

    directory = within(prefix, _DIRECTORY)
    names = look.names(directory)
    record, text = None, look.text(os.path.join(directory, ready_record.READY), _LIMIT)
    if text is not None:
        try:
            record = ready_record.load_record(text)
        except ValueError:
            record = None
    if ready_record.DIRTY in names:
        return Marks(record, _half_made("making or changing it was interrupted, or is going on"))
    if record is None:
        return Marks(None, _half_made("its record cannot be read" if ready_record.READY in names else "it was never finished"))
    if look.real(str(look.host.path(record.prefix))) != look.real(prefix):
        return Marks(None, _moved(record.prefix))
    return Marks(record, None)


def _half_made(message: str) -> Problem:
    return Problem(code="half-made", message=message, hint="build it anew with ensure() or create(), or remove it")


def _moved(stated: str) -> Problem:
    return Problem(code="moved", message=f"envkit made it at {stated}", hint="move it back, or make it anew where it is to be")
