"""The kernel that a notebook on disk names: changed in one step, and nothing else in the file with it."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from hypothesis import given, strategies as st

import envkit
from envkit import Host, Kernel, jupyter
from envkit.formats.notebook import with_kernel

pytestmark = pytest.mark.core

WANTED = {"display_name": "Python 3.12 (demo)", "language": "python", "name": "demo"}


@pytest.fixture
def kernel(host: Host) -> Kernel:
    """A kernel of that name, as it lies on disk."""
    directory = Path(host.environ["JUPYTER_DATA_DIR"], "kernels", "demo")
    directory.mkdir(parents=True)
    spec = {"argv": ["/x/bin/python", "-m", "ipykernel_launcher"], "display_name": WANTED["display_name"], "language": "python"}
    (directory / "kernel.json").write_text(json.dumps(spec), "utf-8")
    return Kernel(name="demo", display_name=WANTED["display_name"], path=directory)


def written(path: Path, **metadata: object) -> Path:
    cells = [nbformat.v4.new_code_cell("print('é \u2028')"), nbformat.v4.new_markdown_cell("# <b>")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), path)
    return path


def test_only_the_kernel_changes(host: Host, kernel: Kernel) -> None:
    """Jupyter opens it with the kernel; every other line is as it was, and the file's mode, too."""
    path = written(host.cwd / "a.ipynb", kernelspec={"name": "old", "display_name": "Old", "language": "python"}, other={"x": 1})
    path.chmod(0o640)
    before = path.read_text("utf-8").splitlines()
    jupyter.set_notebook_kernel(path, kernel, host=host)
    after = path.read_text("utf-8").splitlines()
    assert len(before) == len(after)
    assert len([1 for old, new in zip(before, after, strict=True) if old != new]) == 2
    assert nbformat.read(path, as_version=4).metadata["kernelspec"] == WANTED
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert os.listdir(path.parent) == ["a.ipynb"]


def test_a_kernel_may_be_given_by_its_name_and_the_path_be_relative(host: Host, kernel: Kernel) -> None:
    """Names are compared without case, paths are taken from the working directory; a second call writes nothing."""
    path = written(host.cwd / "a.ipynb")
    jupyter.set_notebook_kernel("a.ipynb", "DEMO", host=host)
    assert nbformat.read(path, as_version=4).metadata["kernelspec"] == WANTED
    number = path.stat().st_ino
    jupyter.set_notebook_kernel(path, "demo", host=host)
    assert path.stat().st_ino == number


def test_a_link_stays_a_link(host: Host, kernel: Kernel) -> None:
    """What it leads to is written."""
    path = written(host.cwd / "a.ipynb")
    link = host.cwd / "link.ipynb"
    link.symlink_to(path)
    jupyter.set_notebook_kernel(link, kernel, host=host)
    assert link.is_symlink()
    assert nbformat.read(path, as_version=4).metadata["kernelspec"] == WANTED


@pytest.mark.parametrize("text", ["", "print(1)", "[]", '{"nbformat": 3, "worksheets": []}', '{"cells": []', "\ud800", "[" * 100_000])
def test_what_is_no_notebook_stays_as_it_is(host: Host, kernel: Kernel, text: str) -> None:
    """A CorruptError that names the file, and not a byte of it changed."""
    path = host.cwd / "a.ipynb"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(envkit.CorruptError) as caught:
        jupyter.set_notebook_kernel(path, kernel, host=host)
    assert caught.value.path == path
    assert caught.value.hint
    assert path.read_bytes() == text.encode("utf-8", "surrogatepass")


def test_what_is_not_there_is_not_found(host: Host, kernel: Kernel) -> None:
    """No such notebook, no such kernel: typed errors, nothing made."""
    with pytest.raises(envkit.NotFoundError, match=r"b\.ipynb"):
        jupyter.set_notebook_kernel("b.ipynb", kernel, host=host)
    path = written(host.cwd / "a.ipynb")
    with pytest.raises(envkit.NotFoundError) as caught:
        jupyter.set_notebook_kernel(path, "dema", host=host)
    assert "demo" in (caught.value.hint or "")
    with pytest.raises(envkit.NotFoundError):
        jupyter.set_notebook_kernel(path, replace(kernel, path=kernel.path / "gone"), host=host)


def test_the_form_of_the_file_is_kept() -> None:
    """Indent, line ends, a mark at its begin, a last line without an end: as the editor that wrote it likes them."""
    notebook = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    for indent, ends, last, mark in ((4, "\n", "", b""), (2, "\r\n", "\r\n", b"\xef\xbb\xbf"), ("\t", "\n", "\n", b"")):
        text = json.dumps(notebook, indent=indent).replace("\n", ends) + last
        changed = with_kernel(mark + text.encode(), **WANTED)
        assert changed is not None
        wanted = json.dumps({**notebook, "metadata": {"kernelspec": WANTED}}, indent=indent).replace("\n", ends) + last
        assert changed == mark + wanted.encode()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=5), JSON, max_size=3), st.lists(JSON, max_size=2), JSON)
def test_whatever_else_is_in_a_notebook_stays(metadata: dict[str, object], cells: list[object], more: object) -> None:
    """Also half letters, big numbers and what no schema knows."""
    before = {"cells": cells, "metadata": metadata, "nbformat": 4, "x": more}
    changed = with_kernel(json.dumps(before).encode(), **WANTED)
    assert changed is not None
    assert json.loads(changed) == {**before, "metadata": {**metadata, "kernelspec": WANTED}}
    assert with_kernel(changed, **WANTED) is None
