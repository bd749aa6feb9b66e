"""What a text means where a Python is asked for: a request, a path, or a name."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import envkit
from envkit import Host, NotFoundError, UsageError

MINOR = f"{sys.version_info[0]}.{sys.version_info[1]}"


@pytest.mark.core
def test_a_compatible_release_is_a_request_and_no_path(host: Host) -> None:
    found = envkit.resolve(f"~={MINOR}.0", host=host)
    assert found.version is not None
    assert found.version.release[:2] == sys.version_info[:2]
    assert found in list(envkit.find(python=f"~={MINOR}.0", host=host))


def test_toxs_spelling_is_a_request_until_something_is_called_so(host: Host) -> None:
    name = f"py{MINOR.replace('.', '')}"
    assert envkit.resolve(name, host=host) == envkit.resolve(MINOR, host=host)
    assert list(envkit.find(python=name, host=host)) == list(envkit.find(python=MINOR, host=host))
    made = envkit.create(name, python=name, host=host)
    assert made.base == envkit.resolve(MINOR, host=host).prefix
    assert envkit.resolve(name, host=host) == made
    assert list(envkit.find(python=name, host=host)) == [made]


@pytest.mark.core
def test_find_understands_a_path_and_a_name(host: Host, tmp_path: Path) -> None:
    made = envkit.create("demo", host=host)
    assert made.python is not None
    for text in ("demo", str(made.prefix), str(made.python)):
        assert list(envkit.find(python=text, host=host)) == [made]
        assert list(envkit.find(python=text, kinds=("conda",), host=host)) == []
        assert list(envkit.find(python=text, managers=("poetry",), host=host)) == []
    assert [env.version for env in envkit.find(python="demo", probe="all", host=host)] == [made.version]
    assert list(envkit.find(python=str(tmp_path / "nothing"), host=host)) == []
    for text in ("nobody", "^3.11", "3..12"):
        with pytest.raises(UsageError) as told:
            envkit.find(python=text, host=host)
        assert told.value.code == "request"


def test_the_python_of_another_system_is_not_here(host: Host) -> None:
    other = "windows" if sys.platform != "win32" else "linux"
    assert list(envkit.find(python=f"cpython-{MINOR}-{other}-x86_64", host=host)) == []
    with pytest.raises(NotFoundError, match="another system"):
        envkit.resolve(f"cpython-{MINOR}-{other}-x86_64", host=host)
