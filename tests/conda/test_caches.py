"""The package cache: its sizes, who shares its files, and what may go; nothing that an environment links to is ever removed."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from support.conda_packages import Recipe, text

from envkit.conda import caches
from envkit.control import Work
from envkit.host import Host

pytestmark = pytest.mark.core


def put(cache: Path, recipe: Recipe, *, archive: bool = False) -> Path:
    """Put a package into a cache as an engine does: unpacked, with its notes."""
    place = cache / recipe.stem
    for name, entry in {**recipe.files, "info/index.json": text("{}")}.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(entry.data)
    (cache / f"{recipe.stem}.lock").write_bytes(b"\0" * 40)
    if archive:
        (cache / f"{recipe.stem}.conda").write_bytes(b"archive")
    return place


TINY = Recipe(name="tiny", files={"share/tiny.txt": text("tiny\n"), "share/empty": text("")})
LEAF = Recipe(name="leaf", files={"share/leaf.txt": text("leaf\n")})


def test_what_is_in_a_cache_is_listed_with_its_size(tmp_path: Path) -> None:
    """A package is its directory, its archive and its notes; other things that tools keep there are no packages."""
    put(tmp_path, TINY, archive=True)
    put(tmp_path, LEAF)
    (tmp_path / "cache").mkdir()
    (tmp_path / "urls.txt").write_text("")
    (tmp_path / ".cache.lock").write_text("")
    leaf, tiny = caches.packages(tmp_path)
    assert [path.name for path in tiny.paths] == ["tiny-1.0-h0_0", "tiny-1.0-h0_0.conda", "tiny-1.0-h0_0.lock"]
    assert tiny.size == len("tiny\n") + len("{}") + len("archive") + 40
    assert (leaf.name, leaf.shared, leaf.free) == ("leaf-1.0-h0_0", 0, True)
    assert caches.packages(tmp_path / "nothing") == ()


@pytest.mark.parametrize("file", ["share/tiny.txt", "share/empty"])
def test_what_an_environment_links_to_is_in_use(tmp_path: Path, file: str) -> None:
    """One hard link outside of the package keeps it, even of an empty file; two names inside of the package do not."""
    cache, env = tmp_path / "pkgs", tmp_path / "env"
    place = put(cache, TINY)
    os.link(place / file, place / "share" / "second")
    assert caches.packages(cache)[0].free
    env.mkdir()
    os.link(place / file, env / "linked")
    (package,) = caches.packages(cache)
    assert not package.free
    assert package.shared >= 1
    (env / "linked").unlink()
    assert caches.packages(cache)[0].free


def test_only_what_is_free_when_it_is_removed_goes(tmp_path: Path) -> None:
    """A package that got linked after it was looked at stays whole; what goes, goes with archive and notes."""
    cache = tmp_path / "pkgs"
    place = put(cache, TINY, archive=True)
    put(cache, LEAF, archive=True)
    chosen = caches.packages(cache)
    os.link(place / "share/tiny.txt", tmp_path / "linked")
    assert [package.name for package in caches.remove(cache, chosen)] == ["leaf-1.0-h0_0"]
    assert sorted(os.listdir(cache)) == ["tiny-1.0-h0_0", "tiny-1.0-h0_0.conda", "tiny-1.0-h0_0.lock"]
    assert (place / "info/index.json").is_file()
    assert caches.leftovers(cache) == ()


def test_a_cache_that_an_engine_links_from_is_left_alone(tmp_path: Path, host: Host) -> None:
    """While somebody holds the cache's lock nobody else gets it, and nobody waits."""
    work, said = Work(host=host), list[bool]()
    tmp_path.joinpath("pkgs").mkdir()

    def ask() -> None:
        with caches.locked(tmp_path / "pkgs", work) as held:
            said.append(held)

    with caches.locked(tmp_path / "pkgs", work) as held:
        assert held
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
    ask()
    assert said == [False, True]


def test_linking_makes_it_used(tmp_path: Path) -> None:
    """When a package was used last is when an environment got a file of it."""
    place = put(tmp_path, TINY)
    before = caches.packages(tmp_path)[0].used
    os.link(place / "share/tiny.txt", tmp_path / "elsewhere")
    assert caches.packages(tmp_path)[0].used >= before
    assert before > 1.7e9
