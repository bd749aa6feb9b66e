"""Commands that look at the machine: each is called often, so this module imports next to nothing."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from . import kept, output

if TYPE_CHECKING:
    from argparse import Namespace

    from ..control import Control
    from ..models.environment import Environment


def find(options: Namespace) -> int:
    """List the environments of this machine: a table, a tree, one JSON text, or with `--stream` a line of JSON for each as it comes."""
    from contextlib import nullcontext  # noqa: PLC0415 - each command imports what it needs

    from ..discovery import again  # noqa: PLC0415 - as above
    from ..environments import find as call  # noqa: PLC0415 - as above

    silent: Control = {"report": None, "timeout": options.timeout}
    form = _form_kept(options)
    with again.kept_at_once() if form else nullcontext():
        coming = call(
            kinds=options.kind, managers=options.manager, python=options.python, roots=options.roots, probe=options.probe, **silent
        )
        if options.stream:
            text = output.give_each(coming)
        else:
            found = tuple(coming)
            text = _written(found) if options.json else _shown(found, as_tree=options.tree)
            output.write(text)
    if form:
        sys.stdout.flush()  # who waits for the answer waits no longer
        kept.keep(form, text)
    return 0


def _form_kept(options: Namespace) -> str:
    """Return the form of a text that is kept for the next process: that of every environment there is, as JSON."""
    narrowed = (options.kind, options.manager, options.python, options.roots, options.timeout, options.probe != "never", options.tree)
    return "" if any(narrowed) else "stream" if options.stream else "json" if options.json else ""


def _written(found: tuple[Environment, ...]) -> str:
    from ..formats.values import to_json  # noqa: PLC0415 - only for programs

    return to_json(found)


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
