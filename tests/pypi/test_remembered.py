"""What is installed, asked again and again: files are not read where none has changed, and no change is missed."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import envkit
from envkit import Host
from envkit.pypi import inventory
from envkit.system import remembering

pytestmark = [pytest.mark.core, pytest.mark.skipif(os.name != "posix", reason="change times are POSIX's")]


def described(info: Path, name: str, version: str = "1.0") -> Path:
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nRequires-Dist: packaging\n\n")
    (info / "INSTALLER").write_text("pip\n")
    return info


@pytest.fixture
def site(tmp_path: Path) -> Path:
    site = tmp_path / "site-packages"
    site.mkdir()
    described(site / "one-1.0.dist-info", "one")
    described(site / "two-1.0.dist-info", "two")
    (site / "half-1.0.dist-info").mkdir()
    (site / "egg-1.0.egg-info").mkdir()
    (site / "egg-1.0.egg-info" / "PKG-INFO").write_text("Metadata-Version: 1.0\nName: egg\nVersion: 1.0\n")
    (site / "old-1.0.egg-info").write_text("Metadata-Version: 1.0\nName: old\nVersion: 1.0\n")
    return site


def found(site: Path) -> tuple[inventory.Distribution, ...]:
    return inventory.in_directories((str(site),))


def settle() -> None:
    time.sleep(0.15)  # what changed just now is not believed


def is_remembered(site: Path) -> bool:
    """Say whether the answer is the one of before, once what changed is old enough."""
    settle()
    found(site)
    return found(site) is found(site)


def test_what_was_asked_twice_is_remembered(site: Path) -> None:
    settle()
    first, second = found(site), found(site)
    assert [one.name for one in first] == ["egg", "old", "one", "two"]
    assert first == second
    assert first is not second
    assert found(site) is second


def _added(site: Path) -> None:
    described(site / "three-1.0.dist-info", "three")


def _removed(site: Path) -> None:
    shutil.rmtree(site / "one-1.0.dist-info")


def _renamed_away(site: Path) -> None:
    (site / "one-1.0.dist-info").rename(site / "~ne-1.0.dist-info")


def _rewritten_in_place(site: Path) -> None:
    metadata = site / "one-1.0.dist-info" / "METADATA"
    before = metadata.stat()
    metadata.write_text(metadata.read_text().replace("Version: 1.0", "Version: 1.1"))
    os.utime(metadata, ns=(before.st_atime_ns, before.st_mtime_ns))


def _completed(site: Path) -> None:
    described(site / "half-1.0.dist-info", "half")


def _other_installer(site: Path) -> None:
    (site / "one-1.0.dist-info" / "INSTALLER").write_text("uv\n")


def _requested(site: Path) -> None:
    (site / "one-1.0.dist-info" / "REQUESTED").touch()


def _from_elsewhere(site: Path) -> None:
    (site / "one-1.0.dist-info" / "direct_url.json").write_text('{"url": "https://example.org/one.whl", "archive_info": {}}')


def _egg_changed(site: Path) -> None:
    (site / "egg-1.0.egg-info" / "PKG-INFO").write_text("Metadata-Version: 1.0\nName: egg\nVersion: 2.0\n")


def _egg_needs(site: Path) -> None:
    (site / "egg-1.0.egg-info" / "requires.txt").write_text("packaging\n")


def _old_changed(site: Path) -> None:
    (site / "old-1.0.egg-info").write_text("Metadata-Version: 1.0\nName: old\nVersion: 2.0\n")


def _other_directory(site: Path) -> None:
    site.rename(site.with_name("aside"))
    site.mkdir()
    described(site / "other-1.0.dist-info", "other")


_CHANGES = (
    _added,
    _removed,
    _renamed_away,
    _rewritten_in_place,
    _completed,
    _other_installer,
    _requested,
    _from_elsewhere,
    _egg_changed,
    _egg_needs,
    _old_changed,
    _other_directory,
)


@pytest.mark.parametrize("change", _CHANGES)
def test_no_change_is_missed(site: Path, change: Callable[[Path], None]) -> None:
    assert is_remembered(site)
    before = found(site)
    change(site)
    after = found(site)
    remembering.forget()
    assert after == found(site) != before
    assert is_remembered(site)


def test_what_a_link_to_a_source_tree_leads_to_is_read_each_time(site: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "linked.egg-info").mkdir(parents=True)
    (source / "linked.egg-info" / "PKG-INFO").write_text("Metadata-Version: 1.0\nName: linked\nVersion: 1.0\n")
    (site / "linked.egg-link").write_text(f"{source}\n.")
    assert "linked" in {one.name for one in found(site)}
    assert not is_remembered(site)


def test_what_changed_just_now_is_read_again(site: Path) -> None:
    os.utime(site)
    assert found(site) is not found(site)
    assert is_remembered(site)


def test_the_answers_that_were_not_asked_for_are_forgotten(tmp_path: Path) -> None:
    sites = [tmp_path / "kept", tmp_path / "gone", *(tmp_path / str(number) for number in range(remembering._KEPT - 1))]
    for site in sites:
        site.mkdir()
        described(site / "one-1.0.dist-info", "one")
    assert is_remembered(sites[1])
    assert is_remembered(sites[0])
    kept, gone = found(sites[0]), found(sites[1])
    for site in sites[2:]:
        found(site)
        assert found(sites[0]) is kept
    assert found(sites[1]) is not gone
    assert len(remembering._answers) <= remembering._KEPT


def test_a_change_through_the_library_is_seen(host: Host, tmp_path: Path) -> None:
    env = envkit.create(tmp_path / "env", host=host)
    settle()
    for _ in range(3):
        assert envkit.installed(env, host=host) == ()
    site = next(env.prefix.glob("lib/python*/site-packages"))
    described(site / "one-1.0.dist-info", "one")
    assert [package.name for package in envkit.installed(env, host=host)] == ["one"]
