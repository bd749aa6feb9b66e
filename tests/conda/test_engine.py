"""The embedded engine on the channel of tiny packages: create, install, update, remove, prune, and what is seen of it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from support.conda_channel import Channel

from envkit.conda import configuration, rattler
from envkit.conda.request import Exact, Outcome, Wish
from envkit.control import Work
from envkit.errors import CancelledError, CorruptError, InstallError, RefusedError, UsageError
from envkit.events import Event, Finished, Progress, Started
from envkit.host import Host

pytestmark = pytest.mark.core
Act = Callable[..., Outcome]


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    return tmp_path / "environment"


@pytest.fixture
def act(conda_host: Host, tiny_channel: Channel, prefix: Path) -> Act:
    """Carry out a wish for `prefix` with the tiny channel."""

    def carry_out(*, work: Work | None = None, log: Path | None = None, host: Host = conda_host, **wish: object) -> Outcome:
        settings = configuration.read(host, channels=[tiny_channel.url, "nodefaults"])
        full = Wish(**{"prefix": prefix, **wish})  # type: ignore[arg-type]
        return rattler.carry_out(full, settings, work=work or Work(host=host), log=log)

    return carry_out


def names(packages: tuple[object, ...]) -> list[str]:
    return [f"{package.name} {package.version}" for package in packages]  # type: ignore[attr-defined]


def files(prefix: Path) -> set[str]:
    """Return all files of an environment but those of conda-meta."""
    found = {path.relative_to(prefix).as_posix() for path in prefix.rglob("*") if not path.is_dir()}
    return {path for path in found if not path.startswith("conda-meta/")} - {"CACHEDIR.TAG"}


def test_an_environment_is_made_with_what_was_asked_for_and_what_that_needs(act: Act, prefix: Path) -> None:
    outcome = act(create=True, install=("leaf", "tiny=1"))
    assert names(outcome.linked) == ["tiny 1.0", "leaf 1.0"]
    assert [package.name for package in outcome.after] == ["tiny", "leaf"]
    assert {package.name: package.requested for package in outcome.after} == {"tiny": "tiny=1", "leaf": "leaf"}
    assert (prefix / "share/tiny/version.txt").read_text() == "1.0\n"
    record = json.loads((prefix / "conda-meta/tiny-1.0-h0_0.json").read_text())
    assert record["requested_specs"] == ["tiny 1.*"]
    assert outcome.unlinked == ()


def test_the_final_prefix_is_written_into_files_and_nothing_of_the_place_where_they_were_made(act: Act, prefix: Path) -> None:
    act(create=True, install=("native", "tiny"))
    assert subprocess.run([prefix / "bin/native-hello"], capture_output=True, text=True).stdout == f"hello from {prefix}\n"
    assert f"{prefix}/lib/native".encode() in (prefix / "lib/native.bin").read_bytes()
    for path in prefix.rglob("*"):
        if path.is_file():
            assert b".envkit-new-" not in path.read_bytes(), path
    assert [entry.name for entry in prefix.parent.iterdir() if entry.name.startswith(".envkit")] == []


@pytest.mark.parametrize("name", ["with space", "àccénts-ü", "x" * 200, "semi;colon & $HOME"])
def test_environments_lie_at_any_path_that_fits(act: Act, tmp_path: Path, name: str) -> None:
    place = tmp_path / name
    if len(os.fsencode(place)) > 238:
        place = tmp_path / name[: 238 - len(os.fsencode(tmp_path)) - 1]
    act(prefix=place, create=True, install=("native",))
    assert f"echo hello from {place}\n" in (place / "bin/native-hello").read_text()
    assert f"{place}/lib/native".encode() in (place / "lib/native.bin").read_bytes()


def test_a_path_longer_than_a_package_allows_is_told_so_and_nothing_is_left(act: Act, tmp_path: Path) -> None:
    place = tmp_path / ("long" * 10)
    with pytest.raises(InstallError) as caught:
        act(prefix=place, create=True, install=("short-placeholder",))
    assert (caught.value.code, caught.value.package) == ("prefix-too-long", "short-placeholder")
    assert list(place.iterdir()) == []
    assert [entry.name for entry in tmp_path.iterdir() if entry.name.startswith(".envkit")] == []


def test_a_relative_prefix_is_made_absolute(act: Act, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    act(prefix=Path("relative"), create=True, install=("native",))
    assert f"hello from {tmp_path}/relative" in (tmp_path / "relative/bin/native-hello").read_text()


def test_marks_that_lie_at_the_place_are_kept_and_anything_else_refuses(act: Act, prefix: Path) -> None:
    (prefix / ".envkit").mkdir(parents=True)
    (prefix / ".envkit/dirty").write_text("mark")
    (prefix / "notes.txt").write_text("mine")
    with pytest.raises(RefusedError) as caught:
        act(create=True, install=("tiny",))
    assert caught.value.code == "foreign-files"
    (prefix / "notes.txt").unlink()
    act(create=True, install=("tiny",))
    assert (prefix / ".envkit/dirty").read_text() == "mark"
    assert (prefix / "conda-meta/history").is_file()


def test_what_a_killed_call_left_is_deleted_at_the_next_one_of_that_place_alone(act: Act, prefix: Path) -> None:
    mine, others = prefix.with_name(f".envkit-new-{prefix.name}-0123abcd"), prefix.with_name(".envkit-new-other-0123abcd")
    for directory in (mine, others):
        (directory / "conda-meta").mkdir(parents=True)
    act(create=True, install=("tiny",))
    assert not mine.exists()
    assert others.is_dir()


def test_an_empty_environment_is_one(act: Act, prefix: Path) -> None:
    assert act(create=True).after == ()
    assert (prefix / "conda-meta/history").is_file()


def test_what_is_installed_and_fits_stays_as_it_is(act: Act, prefix: Path) -> None:
    act(create=True, install=("tiny=1",))
    assert names(act(install=("leaf",)).linked) == ["leaf 1.0"]
    again = act(install=("leaf",))
    assert (again.linked, again.unlinked) == ((), ())
    assert (prefix / "share/tiny/version.txt").read_text() == "1.0\n"


def test_another_version_takes_the_place_of_the_old_one_with_all_its_files(act: Act, prefix: Path) -> None:
    act(create=True, install=("tiny=1",))
    outcome = act(install=("tiny>=2",))
    assert (names(outcome.linked), names(outcome.unlinked)) == (["tiny 2.0"], ["tiny 1.0"])
    assert files(prefix) == {"share/tiny/version.txt", "share/tiny/only-2.0.txt", "share/tiny/settings.ini"}
    assert [path.name for path in prefix.glob("conda-meta/*.json")] == ["tiny-2.0-h0_0.json"]
    assert outcome.after[0].requested == "tiny>=2"


def test_an_update_stays_within_what_was_asked_for(act: Act) -> None:
    act(create=True, install=("leaf", "tiny <2"))
    assert act(update=("tiny",)).linked == ()
    assert act(update=()).linked == ()
    act(remove=("tiny",))
    act(install=("oldleaf", "leaf"))
    act(remove=("oldleaf",))
    assert names(act(update=("tiny",)).linked) == ["tiny 2.0"]


def test_removing_takes_what_needs_it_along_and_asks_no_channel(act: Act, prefix: Path, conda_host: Host) -> None:
    act(create=True, install=("leaf", "native"))
    nowhere = configuration.read(conda_host, channels=["file:///nowhere/channel", "nodefaults"])
    wish = Wish(prefix=prefix, remove=("TINY",))
    announced = rattler.carry_out(replace(wish, dry_run=True), nowhere, work=Work(host=conda_host))
    assert names(announced.unlinked) == ["leaf 1.0", "tiny 2.0"]
    assert (prefix / "share/leaf/leaf.txt").is_file()
    outcome = rattler.carry_out(wish, nowhere, work=Work(host=conda_host))
    assert outcome.unlinked == announced.unlinked
    assert [package.name for package in outcome.after] == ["native"]
    assert not (prefix / "share/tiny").exists()


def test_pruning_removes_what_nothing_requested_needs_and_only_that(act: Act) -> None:
    act(create=True, install=("leaf", "native"))
    assert names(act(remove=("leaf",)).unlinked) == ["leaf 1.0"]
    assert names(act(prune=True).unlinked) == ["tiny 2.0"]
    assert act(prune=True).unlinked == ()


def test_where_nobody_wrote_down_what_was_asked_for_what_nothing_needs_was(act: Act, prefix: Path) -> None:
    act(create=True, install=("leaf",))
    (prefix / "conda-meta/history").write_text("")
    for path in prefix.glob("conda-meta/*.json"):
        path.write_text(json.dumps({**json.loads(path.read_text()), "requested_specs": []}))
    outcome = act(prune=True, install=("native",))
    assert outcome.unlinked == ()
    assert {package.name for package in outcome.after} == {"leaf", "tiny", "native"}


def test_relinking_puts_a_lost_file_back(act: Act, prefix: Path) -> None:
    act(create=True, install=("tiny",))
    (prefix / "share/tiny/version.txt").unlink()
    outcome = act(relink=("tiny",))
    assert names(outcome.linked) == names(outcome.unlinked) == ["tiny 2.0"]
    assert (prefix / "share/tiny/version.txt").read_text() == "2.0\n"


def test_a_dry_run_says_what_would_be_done_and_its_size_and_does_nothing(act: Act, prefix: Path, tiny_channel: Channel, host: Host) -> None:
    empty_cache = replace(host, environ={**host.environ, "CONDA_PKGS_DIRS": str(host.data / "empty")})
    outcome = act(create=True, install=("leaf",), dry_run=True, host=empty_cache)
    assert names(outcome.linked) == ["tiny 2.0", "leaf 1.0"]
    assert outcome.download == sum(tiny_channel.record(name)["size"] for name in ("tiny", "leaf"))
    assert not prefix.exists()


def test_exact_packages_are_put_in_without_a_solve_and_prune_takes_the_rest(act: Act, tiny_channel: Channel, prefix: Path) -> None:
    said = [tiny_channel.record("tiny", "1.0"), tiny_channel.record("native")]
    exact = tuple(Exact(url=one["url"], sha256=one["sha256"]) for one in said)
    assert {package.requested for package in act(create=True, exact=exact).after} == {"tiny", "native"}
    one = tiny_channel.record("leaf")
    outcome = act(exact=(exact[0], Exact(url=one["url"], md5=one["md5"])), prune=True)
    assert (names(outcome.linked), names(outcome.unlinked)) == (["leaf 1.0"], ["native 1.0"])
    assert (prefix / "share/tiny/version.txt").read_text() == "1.0\n"


def test_an_exact_package_of_no_channel_is_known_by_its_own_index(act: Act, tiny_channel: Channel, tmp_path: Path) -> None:
    source = tiny_channel.package("leaf")
    lone = tmp_path / "downloads" / "noarch" / source.name
    lone.parent.mkdir(parents=True)
    lone.write_bytes(source.read_bytes())
    outcome = act(create=True, exact=(Exact(url=lone.as_uri(), sha256=tiny_channel.record("leaf")["sha256"]),))
    assert outcome.after[0].depends == ("tiny >=1.0",)


@pytest.mark.parametrize("fault", [{"sha256": "0" * 64}, {"md5": "0" * 32}])
def test_an_exact_package_with_another_hash_is_refused(
    act: Act, tiny_channel: Channel, prefix: Path, fault: dict[str, str], host: Host
) -> None:
    exact = (Exact(url=tiny_channel.record("native")["url"], **fault),)
    with pytest.raises(InstallError) as caught:
        act(create=True, exact=exact, host=replace(host, environ={**host.environ, "CONDA_PKGS_DIRS": str(host.data / "empty")}))
    assert (caught.value.code, caught.value.package) == ("hash-mismatch", "native")
    assert list(prefix.iterdir()) == []


def test_an_exact_url_that_is_no_package_is_refused(act: Act) -> None:
    with pytest.raises(UsageError) as caught:
        act(create=True, exact=(Exact(url="file:///channel/noarch/notes.txt"),))
    assert caught.value.code == "lock"


def test_a_frozen_environment_is_not_changed(act: Act, prefix: Path) -> None:
    act(create=True, install=("tiny=1",))
    (prefix / "conda-meta/frozen").write_text(json.dumps({"message": "made by the image"}))
    for wish in ({"install": ("leaf",)}, {"remove": ("tiny",)}, {"update": ()}):
        with pytest.raises(RefusedError, match="made by the image"):
            act(**wish)
    assert files(prefix) == {"share/tiny/version.txt", "share/tiny/only-1.0.txt", "share/tiny/settings.ini"}


def test_pins_limit_every_solve(act: Act, prefix: Path, conda_host: Host) -> None:
    act(create=True, install=("leaf",))
    (prefix / "conda-meta/pinned").write_text("# kept low\ntiny <2\n")
    with pytest.raises(InstallError) as caught:
        act(install=("tiny>=2",))
    assert caught.value.code == "conflict"
    assert "tiny <2" in str(caught.value)
    (conda_host.home / ".condarc").write_text("pinned_packages: ['tiny 1.*']\n")
    assert [package.version for package in act(prefix=prefix.with_name("other"), create=True, install=("tiny",)).after] == ["1.0"]


def test_what_the_configuration_disallows_is_not_installed(act: Act, conda_host: Host) -> None:
    (conda_host.home / ".condarc").write_text("disallowed_packages: ['tiny>=2']\n")
    with pytest.raises(InstallError) as caught:
        act(create=True, install=("leaf",))
    assert (caught.value.code, caught.value.package) == ("disallowed", "tiny")


def test_every_new_environment_gets_the_default_packages(act: Act, conda_host: Host) -> None:
    (conda_host.home / ".condarc").write_text("create_default_packages: [native, tiny]\n")
    assert sorted(names(act(create=True, install=("tiny=1",)).after)) == ["native 1.0", "tiny 1.0"]


def test_a_file_that_no_package_owns_is_never_overwritten(act: Act, prefix: Path) -> None:
    act(create=True, install=("native",))
    mine = prefix / "share/tiny/version.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine\n")
    with pytest.raises(RefusedError) as caught:
        act(install=("tiny",))
    assert caught.value.code == "foreign-files"
    assert "share/tiny/version.txt" in str(caught.value)
    assert mine.read_text() == "mine\n"
    assert not (prefix / "share/tiny/settings.ini").exists()


def test_what_a_killed_change_linked_is_no_file_of_the_user(act: Act, prefix: Path) -> None:
    act(create=True, install=("native",))
    left = prefix / "share/tiny/version.txt"
    left.parent.mkdir(parents=True)
    left.write_text("half\n")
    (prefix / "conda-meta/envkit-linking").write_text(json.dumps(["share/tiny/version.txt", "bin/native-hello", "../outside"]))
    (prefix.parent / "outside").write_text("mine\n")
    act(install=("tiny",))
    assert left.read_text() == "2.0\n"
    assert (prefix / "bin/native-hello").is_file()
    assert (prefix.parent / "outside").is_file()
    assert not (prefix / "conda-meta/envkit-linking").exists()


def test_a_record_that_names_files_outside_is_not_followed(act: Act, prefix: Path, tmp_path: Path) -> None:
    act(create=True, install=("leaf",))
    outside = tmp_path / "precious.txt"
    outside.write_text("mine\n")
    record = prefix / "conda-meta/leaf-1.0-h0_0.json"
    said = json.loads(record.read_text())
    said["paths_data"]["paths"].append({"_path": "../precious.txt", "path_type": "hardlink"})
    record.write_text(json.dumps(said))
    with pytest.raises(CorruptError) as caught:
        act(remove=("leaf",))
    assert caught.value.code == "conda-meta"
    assert outside.is_file()


def test_a_record_that_cannot_be_read_stops_every_change(act: Act, prefix: Path) -> None:
    act(create=True, install=("tiny",))
    (prefix / "conda-meta/broken-1-0.json").write_text("{")
    with pytest.raises(CorruptError) as caught:
        act(install=("leaf",))
    assert caught.value.path == prefix / "conda-meta/broken-1-0.json"


def test_link_scripts_are_run_where_the_environment_is_and_before_a_package_goes(act: Act, prefix: Path) -> None:
    act(create=True, install=("posting",))
    assert (prefix / "share/posted.txt").read_text() == "posting 1.0\n"
    assert not (prefix / ".messages.txt").exists()
    act(remove=("posting",))
    assert not (prefix / "share").exists()


def test_a_failing_link_script_fails_the_call_and_leaves_what_was_there(act: Act, prefix: Path, conda_host: Host) -> None:
    with pytest.raises(InstallError) as caught:
        act(create=True, install=("post-fails",))
    assert (caught.value.code, caught.value.package) == ("post-link", "post-fails")
    assert list(prefix.iterdir()) == []
    act(create=True, install=("tiny=1",))
    with pytest.raises(InstallError):
        act(install=("post-fails", "tiny>=2"))
    assert files(prefix) == {"share/tiny/version.txt", "share/tiny/only-1.0.txt", "share/tiny/settings.ini"}
    assert "post-fails" not in (prefix / "conda-meta/history").read_text()
    without = replace(conda_host, environ={**conda_host.environ, "ENVKIT_CONDA_LINK_SCRIPTS": "0"})
    assert names(act(install=("post-fails",), host=without).linked) == ["post-fails 1.0"]


def test_the_history_tells_each_change_as_conda_does(act: Act, prefix: Path, tiny_channel: Channel) -> None:
    act(create=True, install=("tiny=1",))
    act(install=("tiny=1",))
    act(update=(), install=("tiny",))
    text = (prefix / "conda-meta/history").read_text()
    assert text.count("==>") == 2
    assert f"+{tiny_channel.url}/noarch::tiny-1.0-h0_0" in text
    assert "# update specs: ['tiny=1']" in text
    assert "# update specs: ['tiny']" in text


def test_a_new_environment_is_listed_for_other_tools(act: Act, prefix: Path, conda_host: Host) -> None:
    listed = conda_host.home / ".conda/environments.txt"
    listed.parent.mkdir()
    listed.write_text("/somewhere/else\n")
    act(create=True)
    assert listed.read_text().splitlines() == ["/somewhere/else", str(prefix)]


def test_a_package_may_be_named_with_its_channel(act: Act, tiny_channel: Channel, conda_host: Host, prefix: Path) -> None:
    (conda_host.home / ".condarc").write_text(f"custom_channels: {{little: '{tiny_channel.path.parent.as_uri()}'}}\n")
    settings = configuration.read(conda_host, channels=[f"{tiny_channel.path.as_uri()}", "nodefaults"])
    wish = Wish(prefix=prefix, create=True, install=(f"{tiny_channel.url}::tiny=1",))
    assert names(rattler.carry_out(wish, settings, work=Work(host=conda_host)).after) == ["tiny 1.0"]
    assert names(act(install=("leaf",)).linked) == ["leaf 1.0"]


def test_another_platform_is_solved_for_with_what_its_machines_have(act: Act) -> None:
    outcome = act(create=True, install=("tiny",), platform="osx-arm64", dry_run=True)
    assert names(outcome.after) == ["tiny 2.0"]
    with pytest.raises(InstallError) as caught:
        act(create=True, install=("native",), platform="osx-arm64", dry_run=True)
    assert caught.value.code == "package-not-found"


def test_virtual_packages_are_overridden_by_variables(act: Act, conda_host: Host) -> None:
    with_card = replace(conda_host, environ={**conda_host.environ, "CONDA_OVERRIDE_CUDA": "12.4"})
    assert names(act(create=True, install=("needs-cuda",), host=with_card).after) == ["needs-cuda 1.0"]


def test_what_is_done_is_told_as_it_happens(act: Act, conda_host: Host) -> None:
    said: list[Event] = []
    act(create=True, install=("leaf",), work=Work(host=conda_host, report=said.append))
    started = [event for event in said if isinstance(event, Started)]
    assert [event.activity for event in started] == ["resolve", "install"]
    assert (started[1].total, started[1].unit) == (2, "packages")
    assert [event.done for event in said if isinstance(event, Progress)] == [1, 2]
    assert all(event.ok for event in said if isinstance(event, Finished))


def test_a_cancelled_call_leaves_nothing(act: Act, conda_host: Host, prefix: Path) -> None:
    class Cancel:
        asked = 0

        def is_set(self) -> bool:
            self.asked += 1
            return self.asked > 2

    with pytest.raises(CancelledError):
        act(create=True, install=("leaf",), work=Work(host=conda_host, cancel=Cancel()))
    assert list(prefix.iterdir()) == []
    assert [entry.name for entry in prefix.parent.iterdir() if entry.name.startswith(".envkit")] == []


@pytest.mark.parametrize("spec", ["tiny =>= 1 2 3", "[", "tiny[version"])
def test_a_text_that_is_no_match_spec_is_refused(act: Act, spec: str) -> None:
    with pytest.raises(UsageError) as caught:
        act(create=True, install=(spec,))
    assert caught.value.code == "match-spec"
