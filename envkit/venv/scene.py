"""What activation scripts are made of, and how a template is filled."""

from __future__ import annotations

import re
from collections.abc import Mapping

from dataclasses import dataclass

_SLOT = re.compile(r"@(\w+)@")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One environment as its scripts see it: its paths as its world writes them.

    `prefix` is what `VIRTUAL_ENV` says; None where the environment is no virtual one, and none may be active beside it.
    `programs` are the directories that come first on PATH. `entering` and `leaving` are files that the shell sources at the end of
    activation and at the beginning of deactivation, in their order; nu and xonsh source none.
    """

    prefix: str | None
    programs: tuple[str, ...]
    prompt: str
    variables: Mapping[str, str]
    windows: bool = False
    entering: tuple[str, ...] = ()
    leaving: tuple[str, ...] = ()


def filled(template: str, **parts: str) -> str:
    """Return `template` with each `@name@` replaced, in one pass: what a part contains is not looked at again."""
    return _SLOT.sub(lambda slot: parts[slot[1]], template)
