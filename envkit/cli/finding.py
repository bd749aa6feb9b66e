"""What `envkit find` shows to people: the environments by the tool that owns them, or by the Python they stand on."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from ..markup import Table, printable

if TYPE_CHECKING:
    from ..models.environment import Environment
    from ..models.kernels import Kernel

_COLUMNS: Final = ("", "version", "name", "kernels", "project", "path")
_ALWAYS: Final = frozenset({"", "version", "path"})  # a column that says nothing of any is left out, but not these
_NONE: Final = "no environment was found"

Kernels = Mapping[str, Sequence[str]]


def kernels_by_environment(kernels: Iterable[Kernel]) -> dict[str, list[str]]:
    """Return the names of the kernels of each environment, for `listing` and `tree`."""
    found: dict[str, list[str]] = {}
    for kernel in kernels:
        if kernel.environment is not None:
            found.setdefault(_key(kernel.environment), []).append(kernel.name + ("!" if kernel.problem else ""))
    return found


def _key(env: Environment) -> str:
    return env.id if env.kind == "interpreter" else str(env.prefix)


def listing(found: Sequence[Environment], kernels: Kernels) -> str:
    """Return a table in groups, one for each tool, in the order in which they were found; broken ones are marked and explained."""
    if not found:
        return _NONE
    groups: dict[str, list[Environment]] = {}
    for env in found:
        groups.setdefault(env.manager or "no tool known", []).append(env)
    every = [env for group in groups.values() for env in group]
    head, *lines = _aligned([_row(env, kernels) for env in every])
    text, at = [head], iter(lines)
    for name, group in groups.items():
        text += ["", printable(name)]
        for env in group:
            text += [next(at), *_explained(env)]
    return "\n".join([*text, "", _summary(found)])


def _row(env: Environment, kernels: Kernels) -> tuple[str, ...]:
    return (
        _mark(env),
        _version(env),
        env.name or "",
        ", ".join(kernels.get(_key(env), ())),
        str(env.project or ""),
        env.id,
    )


def _aligned(rows: list[tuple[str, ...]]) -> list[str]:
    """Return the heading and the rows as lines; columns in which nothing stands are left out."""
    shown = [number for number, name in enumerate(_COLUMNS) if name in _ALWAYS or any(row[number] for row in rows)]
    cells = tuple(tuple(row[number] for number in shown) for row in rows)
    return Table(columns=tuple(_COLUMNS[number] for number in shown), rows=cells).text().split("\n")


def _mark(env: Environment) -> str:
    """Return "!" for one that is broken, "?" for one with a warning."""
    if env.problem is None:
        return ""
    return "!" if env.problem.severity == "error" else "?"


def _version(env: Environment) -> str:
    """Return version and flavour: "3.13.0", "3.13.0t", "pypy 3.10.14", "3.12.*" where only the minor is known, "-" for none."""
    if env.version is None:
        return "?" if env.python is not None else "-"
    language = "" if env.implementation in {None, "cpython"} else f"{env.implementation} "
    exact = "" if len(env.version.release) > 2 else ".*"
    return f"{language}{env.version}{exact}{'t' if env.free_threaded else ''}"


def _explained(env: Environment, before: str = "") -> list[str]:
    """Return what is wrong and what mends it, as lines to stand below the environment."""
    if env.problem is None:
        return []
    lines = [f"{before}     {env.problem.code}: {env.problem.message}"]
    if env.problem.hint:
        lines.append(f"{before}     hint: {env.problem.hint}")
    return [printable(line) for line in lines]


def _summary(found: Sequence[Environment]) -> str:
    broken = sum(_mark(env) == "!" for env in found)
    doubtful = sum(_mark(env) == "?" for env in found)
    text = f"{len(found)} environment{'' if len(found) == 1 else 's'}"
    return text + (f", {broken} broken (!)" if broken else "") + (f", {doubtful} with a warning (?)" if doubtful else "")


def tree(found: Sequence[Environment], kernels: Kernels) -> str:
    """Return each Python with the environments that stand on it, in the order in which they were found."""
    if not found:
        return _NONE
    roots = [env for env in found if env.kind != "venv"]
    below: dict[str, list[Environment]] = {}
    for env in found:
        if env.kind == "venv":
            below.setdefault(_base(env, roots), []).append(env)
    lines: list[str] = []
    for root in roots:
        lines += [_line(root, kernels), *_explained(root), *_branches(below.pop(root.id, []), kernels)]
    for name, group in below.items():
        lines += [printable(name), *_branches(group, kernels)]
    return "\n".join([*lines, "", _summary(found)])


def _base(env: Environment, roots: Sequence[Environment]) -> str:
    """Return the id of the interpreter that an environment stands on; where that is not among those found, text that says so."""
    if env.base is None:
        return "a Python that is gone or not known"
    own = [root for root in roots if root.prefix == env.base or env.base in {path.parent.parent for path in root.aliases}]
    same = [
        root for root in own if root.version is not None and env.version is not None and root.version.release[:2] == env.version.release[:2]
    ]
    chosen = next(iter(same or own), None)
    return f"{env.base} (not listed)" if chosen is None else chosen.id


def _line(env: Environment, kernels: Kernels) -> str:
    facts = [env.manager or env.kind, *(f"kernel {name}" for name in kernels.get(_key(env), ()))]
    if env.project:
        facts.append(f"project {env.project}")
    name = f" {env.name}" if env.name and env.name != _version(env) else ""
    mark = _mark(env)
    return printable(f"{mark + ' ' if mark else ''}{_version(env)}{name}  {env.id}  ({', '.join(facts)})")


def _branches(group: Sequence[Environment], kernels: Kernels) -> list[str]:
    fork, last, through = ("├─ ", "└─ ", "│  ") if _can_draw() else ("+- ", "`- ", "|  ")
    lines: list[str] = []
    for number, env in enumerate(group, 1):
        end = number == len(group)
        lines.append((last if end else fork) + _line(env, kernels))
        lines += _explained(env, "   " if end else through)
    return lines


def _can_draw() -> bool:
    try:
        "├─└│".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
