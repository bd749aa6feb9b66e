"""What envkit's own marks say of a prefix: made by envkit or not, under which name, and whether it is whole."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ..models.environment import Problem
from ..system.spelling import within

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..system.look import Look

_DIRECTORY = ".envkit"  # record_text.MARKS; that module brings json, which most prefixes do without
_LOG = "error.log"  # left in another tool's environment it makes that none of ours
_LIMIT = 1024 * 1024  # bytes


class Marks:
    """What the ready record says, where there is one that fits, and what is wrong."""

    __slots__ = ("known", "made", "name", "problem")

    def __init__(self, record: Mapping[str, Any] | None, problem: Problem | None) -> None:
        """Keep of the record whether envkit made the environment, and its name; without one it did not, and has none."""
        self.known = record is not None
        self.made: bool = record is not None and record.get("made", True)
        self.name: str | None = None if record is None else record.get("name")
        self.problem = problem


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
    from ..formats import record_text  # noqa: PLC0415 - only prefixes that envkit touched have marks

    directory = within(prefix, _DIRECTORY)
    names = look.names(directory)
    record, text = None, look.text(os.path.join(directory, record_text.READY), _LIMIT)
    if text is not None:
        try:
            record = record_text.fields_of_record(text)
        except ValueError:
            record = None
    if record_text.DIRTY in names:
        return Marks(record, _half_made("making or changing it was interrupted, or is going on"))
    if record is None:
        return Marks(None, _half_made("its record cannot be read" if record_text.READY in names else "it was never finished"))
    if look.real(str(look.host.path(record["prefix"]))) != look.real(prefix):
        return Marks(None, _moved(record["prefix"]))
    return Marks(record, None)


def _half_made(message: str) -> Problem:
    return Problem(code="half-made", message=message, hint="build it anew with ensure() or create(), or remove it")


def _moved(stated: str) -> Problem:
    return Problem(code="moved", message=f"envkit made it at {stated}", hint="move it back, or make it anew where it is to be")
