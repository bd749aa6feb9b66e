"""The tuple that verbs return when they give several values: a plain tuple in all, but a notebook shows it as a table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, SupportsIndex, TypeVar, overload

from .showing import shown

T = TypeVar("T")


class Several(tuple[T, ...]):  # noqa: SLOT001 - a tuple with slots can hold nothing, and `none` is to be held
    """Values in order. Equal to the tuple of the same values and hashed like it; a slice of it is shown as a table, too.

    `none` is what is shown where there is nothing, such as "no problem was found".
    """

    none: str

    def __new__(cls, values: Iterable[T] = (), none: str = "nothing was found") -> Several[T]:
        """Keep the values as a tuple does."""
        made = super().__new__(cls, values)
        made.none = none
        return made

    @overload
    def __getitem__(self, key: SupportsIndex, /) -> T: ...
    @overload
    def __getitem__(self, key: slice[Any, Any, Any], /) -> Several[T]: ...
    def __getitem__(self, key: SupportsIndex | slice[Any, Any, Any], /) -> T | Several[T]:
        """Return one value, or several of them as what they are."""
        if isinstance(key, slice):
            return Several(super().__getitem__(key), self.none)
        return super().__getitem__(key)

    _repr_mimebundle_ = shown

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: FBT001 - IPython's own signature
        """Say the same where IPython wants text: its own way with tuples would come before the bundle. Inside another value: as a tuple."""
        outermost = not cycle and len(printer.stack) == 1
        printer.text(shown(self)["text/plain"] if outermost else repr(self))
