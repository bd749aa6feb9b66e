"""Commands that look at the machine: each is called often, so this module imports next to nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import output

if TYPE_CHECKING:
    from argparse import Namespace

    from ..control import Control
    from ..models.environment import Environment


def find(options: Namespace) -> int:
    """List the environments of this machine: a table, a tree, one JSON text, or with `--stream` a line of JSON for each as it comes."""
    from ..environments import find as call  # noqa: PLC0415 - each command imports what it needs

    silent: Control = {"report": None, "timeout": options.timeout}
    coming = call(kinds=options.kind, managers=options.manager, python=options.python, roots=options.roots, probe=options.probe, **silent)
    if options.stream:
        return output.give_each(coming)
    found = tuple(coming)
    return output.give(options, found, lambda: _shown(found, as_tree=options.tree))


def _shown(found: tuple[Environment, ...], *, as_tree: bool) -> str:
    from ..kernels.listing import kernels  # noqa: PLC0415 - only for people
    from . import finding  # noqa: PLC0415 - as above

    named = finding.kernels_by_environment(kernels()) if found else {}
    return finding.tree(found, named) if as_tree else finding.listing(found, named)


def resolve(options: Namespace) -> int:
    """Show one environment."""
    from ..environments import resolve as call  # noqa: PLC0415 - each command imports what it needs

    found = call(options.target, probe=options.probe, report=None, timeout=options.timeout)
    return output.give(options, found, lambda: output.environment(found))
