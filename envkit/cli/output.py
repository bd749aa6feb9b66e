"""Results as text for people and as JSON for programs, on stdout."""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # `typing` takes longer to import than a kept answer to be given

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ..models.environment import Environment, Problem
    from ..models.kernels import Kernel
    from ..models.packages import Changes, Outdated, Package
    from ..models.plans import Removal
    from ..system.process import CompletedProcess


def give(options: Namespace, value: object, text: Callable[[], str]) -> int:
    """Write a result: with `--json` exactly what `to_json` gives, else the text for people; return 0."""
    if options.json:
        from ..formats.values import to_json  # noqa: PLC0415 - only with --json

        write(to_json(value))
    else:
        write(text())
    return 0


def give_each(values: Iterable[object]) -> str:
    """Write each result as a line of JSON as soon as it is there; return all that was written."""
    from ..formats.values import to_json  # noqa: PLC0415 - only with --stream

    lines = list[str]()
    for value in values:
        lines.append(to_json(value))
        write(lines[-1])
        sys.stdout.flush()
    return "\n".join(lines)


def repeat(text: str) -> int:
    """Write what was written before; return 0."""
    if text:  # a stream of nothing has no line
        write(text)
    return 0


def write(text: str) -> None:
    """Write a text and an end of line to stdout; what its encoding has no letters for becomes escapes."""
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding))


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, title: str = "") -> str:
    from ..markup import Table  # noqa: PLC0415 - what programs read needs none of it

    return Table(title=title, columns=tuple(columns), rows=tuple(map(tuple, rows))).text()


def _lines(lines: Iterable[str]) -> str:
    from ..markup import printable  # noqa: PLC0415 - as above

    return "\n".join(map(printable, lines))


def environment(env: Environment) -> str:
    """Return the facts of one environment."""
    facts = {
        "prefix": env.prefix,
        "python": env.python,
        "kind": f"{env.kind} ({env.manager})" if env.manager else env.kind,
        "base": env.base,
        "project": env.project,
        "also": ", ".join(map(str, env.aliases)) or None,
        "problem": env.problem,
        "hint": env.problem.hint if env.problem else None,
    }
    return _facts(str(env), facts)


def _facts(title: str, facts: Mapping[str, object]) -> str:
    rows = tuple((f"  {name}", str(value)) for name, value in facts.items() if value is not None)
    return _table(("", ""), rows, title=title)


def packages(found: Sequence[Package]) -> str:
    """Return a table of packages."""
    rows = tuple((package.name, package.version, str(package.editable or package.url or "")) for package in found)
    return _table(("name", "version", "from"), rows) if rows else "no packages"


def outdated(found: Sequence[Outdated]) -> str:
    """Return a table of what has a newer version."""
    rows = tuple((one.package.name, one.package.version, one.latest) for one in found)
    return _table(("name", "installed", "latest"), rows) if rows else "everything is the newest version"


def problems(found: Sequence[Problem]) -> str:
    """Return what is wrong, a line each, with what to do about it."""
    lines: list[str] = []
    for problem in found:
        lines.append(f"{problem.severity}: {problem} [{problem.code}]")
        lines += [f"  hint: {problem.hint}"] if problem.hint else []
        lines += [f"  fix: {command}"] if (command := _fixing(problem)) else []
    return _lines(lines) or "nothing is wrong"


def _fixing(problem: Problem) -> str:
    """Return the command that does what a problem's fix would; empty where there is none."""
    spec = None if problem.fix is None else problem.fix.spec
    if spec is None or spec.prefix is None or not spec.pypi:
        return ""
    import shlex  # noqa: PLC0415 - most kernels are in order

    return shlex.join(["envkit", "install", str(spec.prefix), *map(str, spec.pypi)])


def changes(changed: Changes) -> str:
    """Return what changed, a line each."""
    lines = [f"+ {package}" for package in changed.added]
    lines += [f"- {package}" for package in changed.removed]
    lines += [f"~ {before} -> {after.version}" for before, after in changed.updated]
    return _lines(lines) or "nothing had to be done"


def removal(done: Removal) -> str:
    """Return what went, or would go."""
    verb = "removed" if done.done else "would remove"
    lines = [f"{verb} {path} ({done.size / 1e6:.1f} MB): {done.reason}" for path in done.paths]
    lines += [f"{verb} kernel {kernel.name} ({kernel.path})" for kernel in done.kernels if kernel.path not in done.paths]
    return _lines(lines)


def kernels(found: Sequence[Kernel]) -> str:
    """Return a table of kernels, the broken ones marked and explained."""
    rows = tuple(
        (
            "!" if kernel.problem else "",
            kernel.name,
            kernel.display_name,
            str(kernel.environment.prefix) if kernel.environment else "",
            f"{kernel.path}  ({kernel.problem.message})" if kernel.problem else str(kernel.path),
        )
        for kernel in found
    )
    return _table(("", "name", "shown as", "environment", "kernelspec"), rows) if rows else "no kernel was found"


def proof(kernel: Kernel) -> str:
    """Return what the cell said."""
    said = kernel.proof
    return _facts(
        str(kernel),
        {
            "environment": kernel.environment,
            "the cell said": said.text if said else None,
            "seconds": f"{said.seconds:.1f}" if said else None,
        },
    )


def provisioned(
    kernel: Kernel, installed: Callable[[Environment], Sequence[Package]], asked: Sequence[str], *, worked: bool, seconds: float
) -> str:
    """Return the summary of `provision`: where, which Python, which packages, which kernel, what the cell said, how long."""
    env, said = kernel.environment, kernel.proof
    assert env is not None
    assert said is not None
    from ..changing import named  # noqa: PLC0415 - only for this summary

    versions = {package.name: str(package) for package in installed(env)}
    wanted = [versions.get(named(requirement), requirement) for requirement in asked]
    return _facts(
        f"{kernel.name}: {'ready' if worked else 'nothing had to be done'}, kernel proven",
        {
            "where": env.prefix,
            "python": f"{said.version} ({env.base or env.prefix})",
            "packages": ", ".join(wanted) or None,
            "kernel": f"{kernel.name} ({kernel.display_name})",
            "the cell said": said.text,
            "seconds": f"{seconds:.1f}, of which the kernel {said.seconds:.1f}",
        },
    )


def process(done: CompletedProcess[str]) -> str:
    """Return a finished process as JSON: it is the standard library's value, so it has no schema of ours."""
    import json  # noqa: PLC0415 - only for this

    return json.dumps({"args": done.args, "returncode": done.returncode, "stdout": done.stdout, "stderr": done.stderr}, sort_keys=True)
