import pytest
from hypothesis import given, strategies as st

from envkit.errors import UsageError
from envkit.formats.names import LONGEST, checked_name, is_name, proposed_name

pytestmark = pytest.mark.core

ALLOWED = ["a", "0", "demo", "My.Env", "a_b-c.d", "x" * 64, "python3", "console", "com", "com10", "nullable", "3.12"]
REFUSED = [
    "", ".", "..", "...", "a/b", "a\\b", "/", "~", "con", "CON", "Con.txt", "com1", "LPT9.log", "aux", "nul", "prn.", "é", "\u017f", "\u212a", "\u0131", "a b", "a\n",
    "\na", "a\0", "-x", "x-", ".x", "x.", "_x", "x_", "My Env", "my+env", "env@1", "a" * 65, "a" * 300, "../../etc", "a:b", "C:", "\uff11\uff12", "a\u200b",
]  # fmt: skip


@pytest.mark.parametrize("text", ALLOWED)
def test_an_allowed_name_is_returned_as_it_is(text: str) -> None:
    """A name that fits the rule comes back in its own case."""
    assert checked_name(text, what="kernel") == text


@pytest.mark.parametrize("text", REFUSED)
def test_a_name_that_is_not_allowed_is_refused_with_a_spelling_that_is(text: str) -> None:
    """Whatever would be a path, a device, or another name on another machine is refused, and the hint proposes a name that is allowed."""
    with pytest.raises(UsageError) as caught:
        checked_name(text, what="kernel")
    assert caught.value.code == "name"
    assert is_name(str(caught.value.hint).split("'")[1])
    assert len(str(caught.value)) < 300


@given(st.text())
def test_what_is_proposed_is_always_allowed(text: str) -> None:
    """Whatever text a proposal is made from, the proposal fits the rule."""
    assert is_name(proposed_name(text))


@given(st.text(max_size=LONGEST + 2))
def test_an_allowed_name_is_one_harmless_path_component(text: str) -> None:
    """What the rule lets through can neither leave its directory nor be read as anything but itself."""
    if is_name(text):
        assert text.isascii()
        assert not set(text) & set("/\\:\0\n ~$%")
        assert text.strip(".") == text
