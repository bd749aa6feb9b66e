"""FrozenMapping: immutable, hashable, picklable, equal to any mapping with the same items."""

from __future__ import annotations

import copy
import pickle

import pytest
from hypothesis import given, strategies as st

from envkit.models.mapping import EMPTY, FrozenMapping

MAPPINGS = st.dictionaries(st.text(max_size=4), st.text(max_size=4) | st.integers(), max_size=4)


@given(MAPPINGS, MAPPINGS)
def test_it_behaves_as_a_dict_that_cannot_change(one: dict[str, object], other: dict[str, object]) -> None:
    """Equality and hash depend on the items alone, not on their order; lookup, iteration and length are a dict's."""
    frozen = FrozenMapping(one)
    assert dict(frozen) == one == frozen
    assert list(frozen) == list(one)
    assert len(frozen) == len(one)
    assert (frozen == FrozenMapping(other)) is (one == other)
    reordered = FrozenMapping(reversed(one.items()))
    assert reordered == frozen
    assert hash(reordered) == hash(frozen)
    assert pickle.loads(pickle.dumps(frozen)) == copy.deepcopy(frozen) == frozen


@pytest.mark.core
def test_it_cannot_be_changed() -> None:
    """Neither its items, nor its attributes, nor through what it was made of."""
    given_ = {"a": "1"}
    frozen = FrozenMapping(given_)
    given_["b"] = "2"
    assert frozen == {"a": "1"}
    with pytest.raises(TypeError):
        frozen["a"] = "2"  # type: ignore[index]
    with pytest.raises(AttributeError):
        frozen._items = {}
    with pytest.raises(AttributeError):
        del frozen._items
    with pytest.raises(KeyError):
        frozen["c"]
    assert frozen.get("c") is None
    assert repr(frozen) == "{'a': '1'}"
    assert not EMPTY


@pytest.mark.core
def test_what_cannot_be_hashed_says_so_when_asked() -> None:
    """A mapping to a list is a mapping; only its hash is refused."""
    with pytest.raises(TypeError):
        hash(FrozenMapping({"a": []}))
