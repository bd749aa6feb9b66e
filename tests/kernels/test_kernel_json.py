import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st
from jupyter_client.kernelspec import KernelSpec

from envkit.formats import kernel_json
from envkit.formats.kernel_json import KernelJson, Owner, escaped, filled_env, is_template

pytestmark = pytest.mark.core

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)
)
kernels = st.builds(
    KernelJson,
    argv=st.lists(texts, min_size=1, max_size=4).map(tuple),
    display_name=texts,
    language=texts,
    env=st.dictionaries(texts, texts, max_size=3),
    interrupt_mode=st.sampled_from(["signal", "message"]),
    protocol=st.none() | texts,
    metadata=st.dictionaries(texts.filter(lambda name: name != "envkit"), values, max_size=3),
    owner=st.none()
    | st.builds(
        Owner,
        environment=texts,
        python=texts,
        kind=texts,
        name=st.none() | texts.filter(bool),
        given=st.lists(texts, max_size=2).map(tuple),
        inherit=st.lists(texts, max_size=2).map(tuple),
    ),
)


@given(kernels)
def test_what_is_written_is_read_back(kernel: KernelJson) -> None:
    """A kernelspec survives being written and read."""
    assert kernel_json.load(kernel_json.dump(kernel).encode()) == kernel


@given(st.binary(max_size=200) | values.map(lambda value: json.dumps(value).encode()))
def test_no_bytes_raise_anything_but_value_error(data: bytes) -> None:
    """Whatever a file holds, reading it gives a value or a ValueError with a reason."""
    try:
        kernel_json.load(data)
    except ValueError as error:
        assert str(error)


@pytest.mark.parametrize(
    "data, word",
    [
        (b'\xef\xbb\xbf{"argv": ["x"]}', "byte order mark"),
        (b"{", "JSON"),
        (b"[]", "object"),
        (b'{"argv": []}', "argv"),
        (b'{"argv": "python"}', "argv"),
        (b'{"argv": ["x"], "env": {"A": 1}}', "env"),
        (b'{"argv": ["x"], "interrupt_mode": "no"}', "interrupt_mode"),
        (b"[" * 100_000, "nested"),
        (b'{"argv": ["x"], "a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested"),
        (b" " * (kernel_json.LIMIT + 1), "larger"),
        (b"\xff", "UTF-8"),
        (b'{"argv": ["a\\u0000b"]}', "NUL"),
    ],
)
def test_what_jupyter_would_drop_says_why(data: bytes, word: str) -> None:
    """What Jupyter passes over without a word is an error that names the reason."""
    with pytest.raises(ValueError, match=word):
        kernel_json.load(data)


@given(texts, st.dictionaries(st.sampled_from(["HOME", "PATH", "x"]), texts))
def test_an_escaped_value_reaches_the_kernel_unchanged(text: str, environ: dict[str, str]) -> None:
    """A value with dollar signs is what it was after Jupyter has filled its templates."""
    assert filled_env({"A": escaped(text)}, environ) == {"A": text}


def test_jupyter_reads_what_is_written(tmp_path: Path) -> None:
    """jupyter_client reads what envkit writes, a path that is no UTF-8 included."""
    kernel = KernelJson(
        argv=("/é/\udcff/python", "-m", "x"), display_name="é", env={"A": "b"}, metadata={"debugger": True}, owner=Owner(environment="/é")
    )
    (tmp_path / "kernel.json").write_text(kernel_json.dump(kernel), "ascii")
    spec: Any = KernelSpec.from_resource_dir(str(tmp_path))
    assert (spec.argv, spec.display_name, spec.env) == (list(kernel.argv), "é", {"A": "b"})
    assert spec.metadata["debugger"] is True


@pytest.mark.parametrize("text, expected", [("/a/{prefix}/b", True), ("~/x", True), ("/a/{x-y}", False), ("/a/$b/{", False)])
def test_an_argument_that_jupyter_would_change_is_known(text: str, expected: bool) -> None:
    """An argument that Jupyter would alter is known beforehand."""
    assert is_template(text) is expected
