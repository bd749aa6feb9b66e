"""What each kind of environment can do, as data: the documentation prints it, and `backend="auto"` decides by it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a backend can do.

    manages_python: it brings the Python that is asked for; else one that is on the machine is used. binary_packages: packages with
    compiled parts need no compiler here. other_languages: it has programs and libraries that are not Python's. needs_tool: something
    besides envkit's extra must be installed first. lightweight: made in milliseconds, a few files. sources: the ecosystems that
    its packages come from.
    """

    backend: str
    manages_python: bool
    binary_packages: bool
    other_languages: bool
    needs_tool: bool
    lightweight: bool
    sources: tuple[str, ...]


BACKENDS: Final = (
    Capabilities(
        backend="venv",
        manages_python=False,
        binary_packages=True,
        other_languages=False,
        needs_tool=False,
        lightweight=True,
        sources=("pypi",),
    ),
    Capabilities(
        backend="conda",
        manages_python=True,
        binary_packages=True,
        other_languages=True,
        needs_tool=False,
        lightweight=False,
        sources=("conda", "pypi"),
    ),
)
"""The backends that are built in, the lightest first."""


def chosen(ecosystems: frozenset[str]) -> str:
    """Return the lightest backend that has packages of all these ecosystems, such as {"pypi"}."""
    return next(backend.backend for backend in BACKENDS if ecosystems <= set(backend.sources))
