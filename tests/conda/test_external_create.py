"""What an external engine made beside its place is told where it will be: scripts, binary files, bytecode, links and records."""

from __future__ import annotations

import hashlib
import json
import marshal
import os
import py_compile
import subprocess
import sys
from pathlib import Path
from types import CodeType

import pytest

from envkit.conda import command_create
from envkit.conda.command import Command
from envkit.conda.configuration import Configuration
from envkit.conda.request import Wish
from envkit.control import Work
from envkit.errors import UsageError
from envkit.host import Host

pytestmark = pytest.mark.core

MODULE = 'def outer():\n    def inner():\n        return __file__\n    return inner\n\n\nTEXT = "a constant that is no path"\n'


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """An environment as conda writes it: with its own path wherever a path stands."""
    made = tmp_path / ".envkit-new-env-0123abcd" / "made"
    site = made / "lib/python3.12/site-packages/thing"
    for directory in (made / "bin", made / "conda-meta", site / "__pycache__"):
        directory.mkdir(parents=True)
    (made / "bin/thing").write_text(f"#!{made}/bin/python\nprint('{made}')\n")
    (made / "bin/thing").chmod(0o755)
    (made / "lib/native.bin").write_bytes(b"\x00head" + f"{made}/lib".encode() + b"\x00" * 40 + b"tail\x00")
    (made / "lib/link").symlink_to(made / "lib/native.bin")
    (made / "lib/inner").symlink_to("native.bin")
    (site / "__init__.py").write_text(MODULE)
    py_compile.compile(str(site / "__init__.py"), cfile=str(site / "__pycache__/__init__.cpython-312.pyc"))
    (made / "conda-meta/history").write_text(f"==> 2026-01-01 00:00:00 <==\n# cmd: conda create --prefix={made} thing\n")
    entries = [
        {"_path": name, "path_type": "hardlink", "sha256": "0" * 64, "sha256_in_prefix": _digest(made / name)}
        for name in ("bin/thing", "lib/native.bin")
    ]
    record = {"name": "thing", "version": "1.0", "build": "0", "files": ["bin/thing", "lib/native.bin"], "paths_data": {"paths": entries}}
    (made / "conda-meta/thing-1.0-0.json").write_text(json.dumps({**record, "link": {"source": f"{made}/é"}}))
    return made


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _names(code: CodeType) -> set[str]:
    return {code.co_filename} | {name for const in code.co_consts if isinstance(const, CodeType) for name in _names(const)}


@pytest.mark.skipif(sys.platform == "win32", reason="made with links")
@pytest.mark.parametrize("name", ["env", "a much longer name than the directory that it was made in has, é"])
def test_no_file_names_the_place_where_it_was_made(made: Path, host: Host, tmp_path: Path, name: str) -> None:
    """After it is settled, every path in it is one of the final place, bytecode can be read, and records have the hashes of their files."""
    prefix = tmp_path / name
    command_create.settle(made, prefix, Work(host=host))
    for path in made.rglob("*"):
        if path.is_symlink():
            assert ".envkit-new-" not in os.readlink(path)
        elif path.is_file():
            assert b".envkit-new-" not in path.read_bytes(), path
    assert f"print('{prefix}')" in (made / "bin/thing").read_text()
    assert os.access(made / "bin/thing", os.X_OK)
    assert os.readlink(made / "lib/link") == f"{prefix}/lib/native.bin"
    assert os.readlink(made / "lib/inner") == "native.bin"
    compiled = (made / "lib/python3.12/site-packages/thing/__pycache__/__init__.cpython-312.pyc").read_bytes()
    assert _names(marshal.loads(compiled[16:])) == {f"{prefix}/lib/python3.12/site-packages/thing/__init__.py"}
    record = json.loads((made / "conda-meta/thing-1.0-0.json").read_text())
    assert record["link"]["source"] == f"{prefix}/é"
    for entry in record["paths_data"]["paths"]:
        assert entry["sha256_in_prefix"] == _digest(made / entry["_path"])


@pytest.mark.skipif(sys.platform == "win32", reason="made with links")
def test_files_that_are_shared_with_a_cache_are_not_touched(made: Path, host: Host, tmp_path: Path) -> None:
    """A file with more than one link is as it was packed; it is not even read, let alone written."""
    cached = tmp_path / "cached"
    cached.write_text(f"{made}\n")
    os.link(cached, made / "lib/shared")
    command_create.settle(made, tmp_path / "env", Work(host=host))
    assert (made / "lib/shared").read_text() == f"{made}\n"
    assert (made / "lib/shared").samefile(cached)


def test_a_path_that_conda_would_read_as_another_is_refused(host: Host, tmp_path: Path) -> None:
    """conda puts the values of variables in the place of their names, so an environment would be made elsewhere; no program is started."""
    engine = Command(NAME="conda", path=str(tmp_path / "no-such-conda"))
    with pytest.raises(UsageError) as caught:
        engine.carry_out(Wish(prefix=tmp_path / "$HOME", create=True), Configuration(), work=Work(host=host))
    assert caught.value.code == "path"
    assert "ENVKIT_CONDA_ENGINE" in str(caught.value.hint)


@pytest.mark.skipif(sys.platform == "win32", reason="runs a script")
def test_a_settled_script_runs_from_its_place(made: Path, host: Host, tmp_path: Path) -> None:
    """The first line of a script names the program at the final place."""
    prefix = tmp_path / "env"
    (made / "bin/python").symlink_to(sys.executable)
    command_create.settle(made, prefix, Work(host=host))
    command_create.move_up(made)
    made.parent.rename(prefix)
    done = subprocess.run([prefix / "bin/thing"], capture_output=True, text=True)
    assert done.stdout == f"{prefix}\n", done.stderr
