"""py-rattler's exceptions that the worker tells apart; they come from its compiled part, which says nothing of their types."""

from __future__ import annotations

from typing import Final

from rattler import exceptions

SolverError: Final[type[Exception]] = vars(exceptions)["SolverError"]
GatewayError: Final[type[Exception]] = vars(exceptions)["GatewayError"]
FetchRepoDataError: Final[type[Exception]] = vars(exceptions)["FetchRepoDataError"]
