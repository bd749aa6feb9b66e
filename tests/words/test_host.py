"""Host: paths of another machine become paths of this one below its root, and back; nothing leaves the root."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from envkit.host import Host

PARTS = st.lists(st.text(st.characters(codec="utf-8", exclude_characters="/\\\0:"), min_size=1, max_size=4) | st.just(".."), max_size=5)


def tree(platform: str = "linux") -> Host:
    root = Path("/t/machine")
    return Host(root=root, environ={}, platform=platform, home=root / "home" / "u", cwd=root / "w", data=root / "d")


@given(PARTS)
def test_nothing_leaves_the_root(parts: list[str]) -> None:
    """However many `..` an absolute path of that world holds, on POSIX and on Windows."""
    assert tree().path("/" + "/".join(parts)).is_relative_to("/t/machine")
    windows = tree("win32")
    assert windows.path("C:\\" + "\\".join(parts)).is_relative_to("/t/machine")


@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="/\\\0"), min_size=1, max_size=4).filter(
            lambda part: part not in {".", ".."}
        ),
        max_size=5,
    )
)
def test_shown_is_the_reverse_of_path(parts: list[str]) -> None:
    """What the tree's own files say is what they would say there."""
    host = tree()
    text = "/" + "/".join(parts)
    assert host.shown(host.path(text)) == text


@pytest.mark.core
def test_paths_of_each_world() -> None:
    """Drive letters become directories; `~` is that world's home; a relative text counts from its working directory."""
    host, windows = tree(), tree("win32")
    assert host.path("~/x") == Path("/t/machine/home/u/x")
    assert host.path("x/../y") == Path("/t/machine/w/y")
    assert host.path("") == host.cwd
    assert windows.path("c:\\Users\\u") == Path("/t/machine/C/Users/u")
    assert windows.path("~\\x") == Path("/t/machine/home/u/x")
    assert windows.shown(Path("/t/machine/C/Users/u")) == "C:\\Users\\u"
    assert host.shown(Path("/elsewhere")) == "/elsewhere"
    here = replace(host, root=Path("/"))
    assert here.path("/usr/bin/../x") == Path("/usr/bin/../x")  # the machine itself: left to the system, which follows links
    assert here.shown(Path("/usr")) == "/usr"


@pytest.mark.core
def test_the_current_host_obeys_the_variables_given(tmp_path: Path) -> None:
    """ENVKIT_HOME, then the platform's directory; the variables given are those that count, not the process's."""
    assert Host.current(environ={"HOME": "/h", "ENVKIT_HOME": str(tmp_path)}).data == tmp_path
    assert Host.current(environ={"HOME": "/h", "ENVKIT_HOME": str(tmp_path)}, data=Path("/d")).data == Path("/d")
    assert Host.current(environ={"HOME": "/h"}).home == Path("/h")
    assert Host.current(environ={"HOME": "/h"}).data.is_absolute()
    assert pickle.loads(pickle.dumps(Host.current())) == Host.current()
