"""A contract for import-linter: what `envkit/__init__.py` may not do.

The other contracts count imports under `if TYPE_CHECKING`, and the front door has many of those. This one reads the file itself: not one import,
not even of `typing`, may run when the package is imported.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


def imports_at_run_time(tree: ast.AST) -> Iterator[int]:
    """Give the line of each import that runs with the module: not in a function's body, not for checkers only."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node.lineno
        elif isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            for other in node.orelse:
                yield from imports_at_run_time(ast.Module([other], []))
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from imports_at_run_time(node)


class FrontDoorContract(Contract):
    """The package's `__init__.py` imports nothing when it runs."""

    package = fields.StringField()

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        path = Path(str(self.package).replace(".", "/"), "__init__.py")
        lines = tuple(imports_at_run_time(ast.parse(path.read_text(encoding="utf-8"))))
        return ContractCheck(kept=not lines, metadata={"path": str(path), "lines": lines})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for line in check.metadata["lines"]:
            output.print_error(f"{check.metadata['path']}:{line} imports something; import it on first use, in __getattr__", bold=True)
