"""Layout and site-packages: what the table says is what real environments have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from envkit.control import Work
from envkit.discovery.probe import probe
from envkit.layout import layout
from envkit.system.look import Look
from envkit.system.sites import site_packages, site_packages_below

if TYPE_CHECKING:
    from conftest import World


@pytest.mark.core
def test_the_table_agrees_with_real_environments(interpreters: dict[str, Path], made: Callable[..., Path], world: World) -> None:
    for minor, python in interpreters.items():
        version = (int(minor.split(".")[0]), int(minor.split(".")[1]))
        if version < (3, 8):
            continue
        prefix = made(python=python)
        said = probe(prefix / "bin/python", work=Work(host=world.host), prefix=prefix)
        places = layout(str(prefix), platform="linux", version=version)
        assert [places.purelib, places.platlib, places.scripts] == [str(said.paths[name]) for name in ("purelib", "platlib", "scripts")]
        assert places.python == str(prefix / "bin/python")
        assert places.script("pip") == str(prefix / "bin/pip")
        assert places.join("a", "b") == str(prefix / "a/b")
        env = world.sure(prefix)
        assert site_packages(env, world.host) == site_packages_below(str(prefix)) == (places.purelib,)


@pytest.mark.parametrize(
    "implementation, version, free_threaded, packages",
    [
        ("cpython", (3, 13), True, "lib/python3.13t/site-packages"),
        ("pypy", (3, 10), False, "lib/pypy3.10/site-packages"),
        ("pypy", (3, 7), False, "site-packages"),
        ("cpython", (3, 12), False, "lib/python3.12/site-packages"),
    ],
)
def test_packages_lie_where_the_implementation_looks(
    implementation: str, version: tuple[int, int], free_threaded: bool, packages: str
) -> None:
    places = layout("/env/", platform="linux", version=version, implementation=implementation, free_threaded=free_threaded)
    assert places.purelib == f"/env/{packages}"


def test_windows_has_other_names_and_separators() -> None:
    places = layout("C:\\env", platform="win32", version=(3, 12))
    assert places.purelib == "C:\\env\\Lib\\site-packages"
    assert places.python == "C:\\env\\Scripts\\python.exe"
    assert places.script("pip") == "C:\\env\\Scripts\\pip.exe"
    assert layout("/tree/C/env", platform="win32", version=(3, 12)).scripts == "/tree/C/env/Scripts"


@pytest.mark.core
def test_every_interpreters_packages_are_found(interpreters: dict[str, Path], world: World) -> None:
    for python in interpreters.values():
        said = probe(python, work=Work(host=world.host))
        if said.paths["purelib"].is_dir():
            assert str(said.paths["purelib"]) in site_packages(world.sure(python), world.host)


def test_debians_own_directories_are_found(empty: World, installed: Callable[..., Path]) -> None:
    """In the order of its sys.path; those of another minor, and a link to the same directory, are left out."""
    usr = empty.host.root / "usr"
    python = installed(usr, "3.11.2")
    wanted = ["local/lib/python3.11/dist-packages", "lib/python3/dist-packages", "lib/python3.11/site-packages"]
    for name in (*wanted, "local/lib/python3.12/dist-packages"):
        (usr / name).mkdir(parents=True)
    (usr / "lib64").symlink_to("lib")
    assert list(site_packages(empty.sure(python), empty.host)) == [str(usr / name) for name in wanted]


def test_builds_of_one_minor_keep_their_packages_apart(empty: World, installed: Callable[..., Path]) -> None:
    usr = empty.host.root / "usr"
    plain, free = installed(usr, "3.13.1"), installed(usr, "3.13.1", name="python3.13t", library="python3.13t", links=())
    for name in ("python3.13", "python3.13t", "pypy3.13"):
        (usr / "lib" / name / "site-packages").mkdir(parents=True)
    for python, name in ((plain, "python3.13"), (free, "python3.13t")):
        assert site_packages(empty.sure(python), empty.host) == (str(usr / "lib" / name / "site-packages"),)


def test_windows_packages_are_found(empty: World) -> None:
    host = replace(empty.host, platform="win32")
    prefix = host.root / "C" / "env"
    (prefix / "Lib/site-packages").mkdir(parents=True)
    (prefix / "pyvenv.cfg").write_text("home = C:\\Python312\n")
    env = type(empty)(host).sure(prefix)
    assert site_packages(env, host) == site_packages_below(str(prefix)) == (str(prefix / "Lib/site-packages"),)


def test_a_look_reads_regular_files_up_to_a_size(world: World, tmp_path: Path) -> None:
    look, place = Look(world.host), tmp_path / "place"
    place.mkdir()
    (place / "file").write_bytes(b"\xef\xbb\xbfabc")
    assert look.text(str(place / "file"), 6) == "abc"
    assert look.text(str(place / "file"), 5) is None
    assert look.data(str(place / "file"), 3) == b"\xef\xbb\xbf"
    assert look.text(str(place), 10) is look.text(str(place / "missing"), 10) is look.text("\0", 10) is look.text("/dev/zero", 10) is None
    (place / "bytes").write_bytes(b"\xff")
    assert look.text(str(place / "bytes"), 10) is None
    assert look.names(str(place / "file")) == ()
    assert look.names(str(place)) == ("bytes", "file")


def test_dots_in_a_path_mean_what_the_system_means(world: World, tmp_path: Path) -> None:
    """`link/..` is the parent of what the link leads to, not of the link."""
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "c").mkdir()
    (tmp_path / "c/link").symlink_to(tmp_path / "a/b")
    look = Look(world.host)
    assert look.tidy(f"{tmp_path}/c/link/../x") == str(tmp_path / "a/x")
    assert look.tidy(f"{tmp_path}/a/b/../x") == str(tmp_path / "a/x")
    assert look.tidy(f"{tmp_path}//a/./b/") == str(tmp_path / "a/b")
