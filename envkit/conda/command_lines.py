"""The argument lists of conda, mamba and micromamba: each changes one environment in one way.

All three take `--` before match specs and names, and are told the channels one by one, so that nothing a caller writes is an option.

Source: `conda install --help` of conda 24 to 26; micromamba's src/*.cpp of 2.8.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from ..errors import UsageError
from ..formats import match_spec
from ..formats.conda_url import shown

if TYPE_CHECKING:
    from .configuration import Configuration
    from .request import Wish

Tool: TypeAlias = Literal["conda", "mamba", "micromamba"]
Verb: TypeAlias = Literal["create", "install", "update", "remove"]
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_PACKAGE: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One command. `texts` are match specs or names, `file` a list of URLs in their place; `solves`: channels are asked."""

    verb: Verb
    texts: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    file: Path | None = None
    solves: bool = True


def changes(tool: Tool, wish: Wish, removed: Iterable[str], asked: Mapping[str, str]) -> tuple[Step, ...]:
    """Return the commands for a change of what is there, in their order; each is a transaction of its own.

    Args:
        removed: the names that go, with everything that needs them: none of the tools has to find that out.
        asked: the match specs by which what is there was asked for, by name: an update stays within them, which `conda update` would not.
    """
    steps: list[Step] = []
    if gone := tuple(removed):
        steps.append(removal(gone))
    if wish.install:
        steps.append(Step(verb="install", texts=wish.install))
    if wish.update == ():
        steps.append(Step(verb="update", options=("--all",)))
    elif wish.update:
        texts = tuple(asked.get(name.lower(), name) for name in wish.update)
        conda = tool == "conda"
        steps.append(Step(verb="install" if conda else "update", texts=texts, options=("--update-specs",) if conda else ()))
    return tuple(steps)


def removal(names: Iterable[str]) -> Step:
    """Return the command that removes exactly some packages."""
    return Step(verb="remove", texts=tuple(sorted(names)), options=("--force",), solves=False)


def arguments(tool: Tool, step: Step, prefix: Path, configuration: Configuration, *, dry_run: bool, offline: bool) -> list[str]:
    """Return the arguments of one command, without the program."""
    options = [step.verb, f"--prefix={prefix}", "--json", "--yes", *step.options]
    options += ["--dry-run"] * dry_run
    options += ["--offline"] * offline if step.solves or step.file is not None else []
    if tool != "conda" and step.verb in {"remove", "update"}:
        options.append("--no-prune-deps")
    if tool == "conda" and step.verb == "create":
        options.append("--no-default-packages")
    if step.file is not None:
        return [*options, f"--file={step.file}"]
    if step.solves:
        options += ["--override-channels", *(f"--channel={channel.url}" for channel in configuration.channels)]
    return [*options, "--", *step.texts] if step.texts else options


def refuse_date(wish: Wish, tool: Tool) -> None:
    """Refuse to limit a solve by date, which none of the three does in all its versions.

    Raises:
        UsageError: it is to be ("exclude-newer").
    """
    if wish.exclude_newer is not None and (wish.install or wish.update is not None):
        raise UsageError(
            f"{tool} cannot leave out packages that are newer than a date",
            code="exclude-newer",
            hint="leave exclude_newer out, or use the embedded engine: ENVKIT_CONDA_ENGINE=rattler",
        )


def check_texts(wish: Wish) -> None:
    """Refuse texts that cannot be what they are given for, before any tool sees them.

    Raises:
        UsageError: a match spec is empty, begins as an option or holds a control character, or a name is none.
    """
    for text in wish.install:
        try:
            match_spec.parse(text)
        except ValueError as error:
            hint = "write it as `name`, `name=1.2` or `name>=1,<2`"
            raise UsageError(f"{shown(text)!r} is not a match spec: {error}", code="match-spec", hint=hint) from error
        if text.lstrip().startswith("-") or _CONTROL.search(text):
            raise UsageError(f"{text!r} is not a match spec", code="match-spec", hint="a package's name begins with a letter or a digit")
    for name in (*wish.remove, *(wish.update or ()), *wish.relink):
        if not _PACKAGE.fullmatch(name):
            raise UsageError(f"{name!r} is not the name of a conda package", code="name", hint="give the name alone")


def explicit_text(lines: Sequence[tuple[str, str | None, str | None]]) -> str:
    """Return a list of package files as all three read it, from the URL, md5 and sha256 of each.

    Both kinds of hash are read by conda from 24.1 and by mamba; sha256 is preferred where there is one.

    Source: CEP 23.
    """
    return "@EXPLICIT\n" + "".join(f"{url}{f'#{sha256 or md5}' if sha256 or md5 else ''}\n" for url, md5, sha256 in lines)
