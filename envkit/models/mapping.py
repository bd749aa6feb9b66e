"""An immutable, hashable mapping, and what a value does to its fields when it is made.

`types.MappingProxyType` is neither hashable nor picklable, so values keep their mappings as a `FrozenMapping`.
This module stands below the values: `host.py` needs it, and must not define them all by importing it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V", covariant=True)


class FrozenMapping(Mapping[K, V]):
    """A mapping that cannot change: hashable by its items, picklable, equal to any mapping with the same items."""

    __slots__ = ("_hash", "_items")
    _items: dict[K, V]
    _hash: int | None

    def __init__(self, items: Mapping[K, V] | Iterable[tuple[K, V]] = ()) -> None:
        """Copy the items, so that a later change of the argument is not seen here."""
        object.__setattr__(self, "_items", dict(items))
        object.__setattr__(self, "_hash", None)

    def __getitem__(self, key: K) -> V:
        return self._items[key]

    def __iter__(self) -> Iterator[K]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        if self._hash is None:
            object.__setattr__(self, "_hash", hash(frozenset(self._items.items())))
        assert self._hash is not None
        return self._hash

    def __repr__(self) -> str:
        return repr(self._items)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} cannot be changed")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} cannot be changed")

    def __reduce__(self) -> tuple[type[FrozenMapping[K, V]], tuple[dict[K, V]]]:
        return type(self), (self._items,)


EMPTY: FrozenMapping[str, str] = FrozenMapping()


def freeze(value: object, *, mappings: tuple[str, ...] = (), tuples: tuple[str, ...] = (), sets: tuple[str, ...] = ()) -> None:
    """Turn the named fields of a frozen dataclass into immutable ones, in its `__post_init__`.

    A bare `str` where several are expected is a TypeError: `pypi="rich"` would otherwise ask for four packages.
    """
    for name in mappings:
        given = getattr(value, name)
        if not isinstance(given, FrozenMapping):
            object.__setattr__(value, name, FrozenMapping(given))
    for names, kind in ((tuples, tuple), (sets, frozenset)):
        for name in names:
            given = getattr(value, name)
            if isinstance(given, str):
                raise TypeError(f"{type(value).__name__}.{name} takes several, not the string {given!r}")
            if not isinstance(given, kind):
                object.__setattr__(value, name, kind(given))
