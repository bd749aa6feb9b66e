"""What several values say to people, as one table: a row for each, by its class, and a title that counts them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from ..markup import Cell, Look, Table, Words
from .environment import Environment, Problem
from .kernels import Kernel
from .looks import Change, Selection
from .packages import Outdated, Package
from .plans import Removal

_LOOKS: Final[Mapping[str, Look]] = {"error": "error", "warning": "warning", "info": "tag"}
CHANGE_LOOKS: Final[Mapping[str, Look]] = {"added": "good", "removed": "error", "changed": "warning"}

Row = dict[str, Cell]


def many(values: Sequence[object], none: str) -> Table:
    """Return a table with a row for each value, in their order; columns that say nothing of any are left out.

    Args:
        none: what is shown when there is no value.
    """
    if not values:
        return Table(title=none, columns=("",), rows=())
    rows = [_row(value) for value in values]
    columns = tuple(name for name in dict.fromkeys(name for row in rows for name in row) if any(row.get(name) for row in rows))
    cells = tuple(tuple(row.get(name, "") for name in columns) for row in rows)
    shown = tuple("" if name == _MARK else name for name in columns)
    return Table(title=_counted(values), columns=shown if any(shown) else ("value",), rows=cells)


_MARK: Final = "!"  # the column of states has no heading


def _row(value: object) -> Row:
    make = _ROWS.get(type(value))
    return {"value": str(value)} if make is None else make(value)


def _counted(values: Sequence[object]) -> str:
    """Return how many there are of what: "3 kernels, 1 with a problem"."""
    kinds = {type(value) for value in values}
    one, more = _NOUNS.get(kinds.pop(), ("value", "values")) if len(kinds) == 1 else ("value", "values")
    broken = sum(getattr(value, "problem", None) is not None for value in values)
    return f"{len(values)} {one if len(values) == 1 else more}" + (f", {broken} with a problem" if broken else "")


def kind(env: Environment) -> str:
    """Return what an environment is and who owns it: "venv, poetry"."""
    return f"{env.kind}, {env.manager}" if env.manager and env.manager != env.kind else env.kind


def state(problem: Problem) -> Words:
    """Return the code of a problem as a plate that says how bad it is."""
    return Words(problem.code, _LOOKS[problem.severity])


def severity(problem: Problem) -> Words:
    """Return how bad a problem is, as a plate."""
    return Words(problem.severity, _LOOKS[problem.severity])


def problem_lines(problem: Problem) -> tuple[str | Words, ...]:
    """Return what is wrong and what mends it."""
    return (str(problem.message), *([Words(f"hint: {problem.hint}", "quiet")] if problem.hint else []))


def package_source(package: Package) -> Cell:
    """Return where a package came from; empty for one of an index."""
    if package.editable is not None:
        return Words(str(package.editable), "code")
    return Words(package.url, "code") if package.url and package.ecosystem != "conda" else package.channel or ""


def size(count: int) -> str:
    """Return a number of bytes for people."""
    amount, units = float(count), ["B", "kB", "MB", "GB"]
    while amount >= 1000 and len(units) > 1:
        amount, units = amount / 1000, units[1:]
    return f"{amount:.0f} {units[0]}" if units[0] == "B" else f"{amount:.1f} {units[0]}"


def _problem_plate(problem: Problem | None) -> Cell:
    return "" if problem is None else state(problem)


def _environment(env: Environment) -> Row:
    where = Words(env.id if env.kind == "interpreter" else str(env.prefix), "code")
    project = [Words(f"project {env.project}", "quiet")] if env.project else []
    return {
        "environment": (Words(str(env), "strong"), Words(kind(env), "quiet")),
        _MARK: _problem_plate(env.problem),
        "where": (where, *project, *_explained(env.problem)),
    }


def _explained(problem: Problem | None) -> tuple[str | Words, ...]:
    return () if problem is None else problem_lines(problem)


def _kernel(kernel: Kernel) -> Row:
    proven = Words("proven", "good") if kernel.proof else ""
    place = () if kernel.environment is None else (Words(str(kernel.environment.prefix), "code"),)
    return {
        "kernel": (Words(kernel.name, "strong"), Words(kernel.display_name, "quiet")),
        _MARK: _problem_plate(kernel.problem) or proven,
        "where": (*place, Words(f"kernelspec {kernel.path}", "quiet"), *_explained(kernel.problem)),
    }


def _package(package: Package) -> Row:
    conda = package.channel or "conda" if package.ecosystem == "conda" else ""
    return {
        "package": Words(package.name, "strong"),
        "version": package.version,
        "from": package_source(package) or conda,
        _MARK: Words("editable", "tag") if package.editable else "",
    }


def _problem(problem: Problem) -> Row:
    steps = () if problem.fix is None else tuple(step.text for step in problem.fix.steps)
    return {
        _MARK: severity(problem),
        "of": Words(problem.subject, "strong") if problem.subject else "",
        "problem": (problem.message, Words(problem.code, "code")),
        "hint": problem.hint or "",
        "apply(fix) would": steps,
    }


def _removal(removal: Removal) -> Row:
    return {
        _MARK: Words("removed", "good") if removal.done else Words("dry run", "tag"),
        "what": tuple(Words(str(path), "code") for path in removal.paths),
        "kernels": ", ".join(kernel.name for kernel in removal.kernels),
        "size": size(removal.size),
        "why": removal.reason,
    }


def _outdated(outdated: Outdated) -> Row:
    return {
        "package": Words(outdated.package.name, "strong"),
        "installed": outdated.package.version,
        "latest": Words(outdated.latest, "strong"),
    }


def _change(change: Change) -> Row:
    return {**_environment(change.environment), _MARK: Words(change.kind, CHANGE_LOOKS[change.kind])}


def _selection(selection: Selection) -> Row:
    return {"why": selection.reason, **_environment(selection.environment)}


_ROWS: Final[Mapping[type, Callable[[Any], Row]]] = {
    Change: _change,
    Environment: _environment,
    Kernel: _kernel,
    Outdated: _outdated,
    Package: _package,
    Problem: _problem,
    Removal: _removal,
    Selection: _selection,
}
_NOUNS: Final[Mapping[type, tuple[str, str]]] = {
    Change: ("change", "changes"),
    Environment: ("environment", "environments"),
    Kernel: ("kernel", "kernels"),
    Outdated: ("outdated package", "outdated packages"),
    Package: ("package", "packages"),
    Problem: ("problem", "problems"),
    Removal: ("removal", "removals"),
}
