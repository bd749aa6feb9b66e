"""What each value says of itself to people, as a table: one function per class, for one value alone.

Values themselves know nothing of this: a notebook asks for it (`showing.py`), and whoever only computes never imports it.
Nothing here looks at the machine: a view says what the value holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeGuard

from ..markup import Cell, Table, Words
from .activation import Activation, Interpreter
from .cells import Output, Result
from .environment import Environment, Problem
from .kernels import Kernel, Proof
from .looks import Change, Selection
from .packages import Changes, Outdated, Package
from .plans import Plan, Removal, Step
from .several import Several
from .specs import Lock, Project, Sources, Spec
from .switch import Switch
from .tables import CHANGE_LOOKS, kind, many, package_source, problem_lines, severity, size, state


def view(value: object) -> Table:
    """Return what is shown of a value, or of several."""
    if _is_several(value):
        return many(value, value.none)
    return _VIEWS[type(value)](value)


def _is_several(value: object) -> TypeGuard[Several[object]]:
    return isinstance(value, Several)


def _facts(title: str, facts: Mapping[str, Cell | None], *plates: Words, folded: tuple[tuple[str, str], ...] = ()) -> Table:
    """Return a card: a title and what is known; facts that are None or empty are left out."""
    rows = tuple((name, fact) for name, fact in facts.items() if fact is not None and fact not in {"", ()})
    return Table(title=title, columns=("", ""), rows=rows, plates=plates, folded=folded)


def _path(path: object) -> Words | None:
    return None if path is None else Words(str(path), "code")


def _paths(paths: Iterable[object]) -> tuple[Words, ...]:
    return tuple(Words(str(path), "code") for path in paths)


def _environment(env: Environment) -> Table:
    version = None if env.version is None else str(env.version) + (f" (as {env.version_source} says)" if env.version_source else "")
    facts: dict[str, Cell | None] = {
        "prefix": _path(env.prefix),
        "python": _path(env.python),
        "version": version,
        "implementation": env.implementation if env.implementation != "cpython" else None,
        "architecture": env.architecture,
        "base": _path(env.base),
        "project": _path(env.project),
        "also": _paths(env.aliases),
        "packages": "managed by its system (PEP 668)" if env.externally_managed else None,
        "problem": None if env.problem is None else problem_lines(env.problem),
        "use it here": None if env.kind == "interpreter" or env.problem else Words(f"envkit.jupyter.use({_named(env)!r})", "code"),
    }
    return _facts(str(env), facts, Words(kind(env), "tag"), *([state(env.problem)] if env.problem else []))


def _named(env: Environment) -> str:
    """Return what means this environment in a call: its name where that is envkit's, else its path."""
    return env.name if env.name and env.manager == "envkit" else str(env.prefix)


def _problem(problem: Problem) -> Table:
    fix = None if problem.fix is None else tuple(step.text for step in problem.fix.steps) or "apply(problem.fix)"
    facts: dict[str, Cell | None] = {"what": problem.message, "hint": problem.hint, "apply(fix) would": fix}
    return _facts(problem.subject or problem.code, facts, severity(problem), *([Words(problem.code, "tag")] if problem.subject else []))


def _kernel(kernel: Kernel) -> Table:
    env, proof = kernel.environment, kernel.proof
    facts: dict[str, Cell | None] = {
        "name": Words(kernel.name, "code"),
        "environment": None if env is None else (str(env), Words(str(env.prefix), "code")),
        "kernelspec": _path(kernel.path),
        "proof": None if proof is None else f"{proof.text} ({proof.seconds:.1f} s)",
        "problem": None if kernel.problem is None else problem_lines(kernel.problem),
    }
    plates = [Words("proven", "good")] if proof else [state(kernel.problem)] if kernel.problem else []
    return _facts(kernel.display_name, facts, Words("kernel", "tag"), *plates)


def _proof(proof: Proof) -> Table:
    facts: dict[str, Cell | None] = {"the cell said": proof.text, "prefix": _path(proof.prefix), "seconds": f"{proof.seconds:.1f}"}
    return _facts(f"Python {proof.version}", facts, Words("proven", "good"))


def _interpreter(python: Interpreter) -> Table:
    facts: dict[str, Cell | None] = {
        "executable": _path(python.executable),
        "prefix": _path(python.prefix),
        "base": _path(python.base_prefix) if python.base_prefix != python.prefix else None,
    }
    folded = (("markers", _assigned(python.markers)), ("paths", _assigned(python.paths)))
    name = {"cpython": "Python", "pypy": "PyPy", "graalpy": "GraalPy"}.get(python.implementation, python.implementation)
    return _facts(f"{name} {python.version}", facts, Words("interpreter", "tag"), folded=folded)


def _assigned(values: Mapping[str, object]) -> str:
    return "\n".join(f"{name} = {values[name]}" for name in sorted(values))


def _package(package: Package) -> Table:
    facts: dict[str, Cell | None] = {
        "from": package_source(package),
        "requires": package.requires,
        "installed by": package.installer,
        "build": package.build,
        "asked for": None if package.requested is None else "yes" if package.requested else "no, another package needs it",
    }
    return _facts(str(package), facts, Words(package.ecosystem, "tag"), *([Words("editable", "tag")] if package.editable else []))


def _project(project: Project) -> Table:
    facts: dict[str, Cell | None] = {"path": _path(project.path), "extras": ", ".join(project.extras), "groups": ", ".join(project.groups)}
    return _facts("Project", facts, *([Words("editable", "tag")] if project.editable else []))


def _sources(sources: Sources) -> Table:
    facts: dict[str, Cell | None] = {
        "indexes": sources.indexes,
        "find links": sources.find_links,
        "nothing newer than": None if sources.exclude_newer is None else str(sources.exclude_newer),
        "pre-releases": "yes" if sources.prereleases else "no",
        "configuration": sources.configuration,
        "Pythons": sources.pythons,
    }
    return _facts("Sources", facts)


def _lock(lock: Lock) -> Table:
    rows = tuple((package.name, package.version) for package in lock.packages)
    count = f"{len(rows)} package{'' if len(rows) == 1 else 's'}"
    folded = (("text", lock.text),) if lock.text else ()
    return Table(title=f"Lock of {count}", columns=("package", "version"), rows=rows, plates=(Words(lock.format, "tag"),), folded=folded)


def _spec(spec: Spec) -> Table:
    facts: dict[str, Cell | None] = {
        "prefix": _path(spec.prefix),
        "python": spec.python or "the newest stable one",
        "backend": spec.backend if spec.backend != "auto" else None,
        "PyPI": tuple(one if isinstance(one, str) else str(one.path) for one in spec.pypi),
        "conda": spec.conda,
        "channels": tuple(_CREDENTIALS.sub(r"\1", channel) for channel in spec.channels),
        "constraints": spec.constraints,
        "lock": None if spec.lock is None else f"{spec.lock.format}, {len(spec.lock.packages)} packages",
        "variables": ", ".join(sorted(spec.variables)),  # their values may be secrets
        "afterwards": tuple(Words(" ".join(command), "code") for command in spec.post_install),
        "also sees": "the packages of its base" if spec.system_site_packages else None,
        "pip": "put in" if spec.seed == "pip" else None,
    }
    title = spec.name or (str(spec.prefix) if spec.prefix else "kept by its content")
    return _facts(title, facts, Words("spec", "tag"))


_CREDENTIALS: Final = re.compile(r"(://)[^/@\s]+@|(?<=[^/])/t/[^/\s]+(?=/|$)")
_SIGNS: Final = {"added": "+", "removed": "-", "updated": "~"}


def _changes(changes: Changes) -> Table:
    rows = _changed(changes)
    counts = {"added": len(changes.added), "removed": len(changes.removed), "updated": len(changes.updated)}
    title = ", ".join(f"{count} {what}" for what, count in counts.items() if count) or "nothing had to be done"
    return Table(title=title, columns=("", "package", "before", "now") if rows else ("",), rows=rows)


def _changed(changes: Changes) -> tuple[tuple[Cell, ...], ...]:
    return (
        *((Words(_SIGNS["added"], "good"), package.name, "", package.version) for package in changes.added),
        *((Words(_SIGNS["removed"], "error"), package.name, package.version, "") for package in changes.removed),
        *((Words(_SIGNS["updated"], "tag"), after.name, before.version, after.version) for before, after in changes.updated),
    )


def _step(step: Step) -> Table:
    return Table(columns=("", ""), rows=((Words(step.action, "tag"), step.text),))


def _plan(plan: Plan) -> Table:
    spec = plan.spec
    subject = "" if spec is None else f" for {spec.name or spec.prefix or plan.key or 'a spec'}"
    count = f"{len(plan.steps)} step{'' if len(plan.steps) == 1 else 's'}"
    rows: tuple[tuple[Cell, ...], ...] = tuple((Words(step.action, "tag"), step.text) for step in plan.steps)
    packages = tuple((row[0], " ".join(str(cell) for cell in row[1:] if cell)) for row in _changed(plan.changes))
    title = f"Plan{subject}: {count if plan else 'nothing is to be done'}"
    folded = (("lock", plan.lock.text),) if plan.lock is not None and plan.lock.text else ()
    return Table(title=title, columns=("", ""), rows=(*rows, *packages), folded=folded)


def _removal(removal: Removal) -> Table:
    facts: dict[str, Cell | None] = {
        "paths": _paths(removal.paths),
        "kernels": tuple(str(kernel) for kernel in removal.kernels),
        "size": size(removal.size),
        "why": removal.reason,
    }
    return _facts(
        "Removed" if removal.done else "Would be removed", facts, Words("done", "good") if removal.done else Words("dry run", "tag")
    )


def _selection(selection: Selection) -> Table:
    env = selection.environment
    facts: dict[str, Cell | None] = {"why": selection.reason, "prefix": _path(env.prefix), "python": _path(env.python)}
    return _facts(str(env), facts, Words(kind(env), "tag"))


def _change(change: Change) -> Table:
    env = change.environment
    return _facts(str(env), {"prefix": _path(env.prefix), "python": _path(env.python)}, Words(change.kind, CHANGE_LOOKS[change.kind]))


def _outdated(outdated: Outdated) -> Table:
    return _facts(outdated.package.name, {"installed": outdated.package.version, "latest": outdated.latest})


def _activation(activation: Activation) -> Table:
    facts: dict[str, Cell | None] = {
        "first on PATH": _paths(activation.prepend_path),
        "set": tuple(Words(f"{name}={value}", "code") for name, value in sorted(activation.assign.items())),
        "unset": ", ".join(sorted(activation.unset)),
    }
    return _facts("Activation", facts)


def _switch(switch: Switch) -> Table:
    steps = tuple(line for line in switch.instructions.splitlines() if line)
    plate = Words("taken care of", "good") if switch.done else Words("to be done by hand", "warning")
    return Table(title="The kernel of this notebook", plates=(plate,), columns=("",), rows=tuple((line,) for line in steps))


def _result(result: Result) -> Table:
    plate = Words("ok", "good") if result.ok else Words("failed", "error")
    return Table(title=f"Cell, {result.seconds:.2f} s", plates=(plate,), columns=("",), rows=(), said=result.text)


def _output(output: Output) -> Table:
    return Table(title=output.kind, columns=("",), rows=(), said=output.text)


_VIEWS: Final[Mapping[type, Callable[[Any], Table]]] = {
    Activation: _activation,
    Change: _change,
    Changes: _changes,
    Environment: _environment,
    Interpreter: _interpreter,
    Kernel: _kernel,
    Lock: _lock,
    Outdated: _outdated,
    Output: _output,
    Package: _package,
    Plan: _plan,
    Problem: _problem,
    Project: _project,
    Proof: _proof,
    Removal: _removal,
    Result: _result,
    Selection: _selection,
    Sources: _sources,
    Spec: _spec,
    Step: _step,
    Switch: _switch,
}
