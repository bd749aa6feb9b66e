"""The embedded engine and channels that are down, broken, slow, or want credentials; what is secret is nowhere afterwards."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from support.conda_channel import Channel, spoiled
from support.conda_server import Failure, serve_channel
from support.patience import own_time

from envkit.conda import configuration, rattler
from envkit.conda.request import Exact, Outcome, Wish
from envkit.control import Work
from envkit.errors import DeadlineError, InstallError, NetworkError, UsageError
from envkit.events import Event, Progress, Started
from envkit.host import Host

Make = Callable[..., Outcome]
PASSWORD, TOKEN = "Secr3tPassw0rd", "tk-0123-secret-4567"


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    return tmp_path / "environment"


@pytest.fixture
def make(host: Host, prefix: Path) -> Make:
    """Make an environment with `tiny` from a channel, into a package cache of the test's own."""

    def carry_out(url: str, *, work: Work | None = None, offline: bool = False, **wish: object) -> Outcome:
        settings = configuration.read(host, channels=[url, "nodefaults"], offline=offline)
        full = Wish(**{"prefix": prefix, "create": True, "install": ("tiny",), **wish})  # type: ignore[arg-type]
        return rattler.carry_out(full, settings, work=work or Work(host=host), log=host.data / "log")

    return carry_out


def assert_nothing_left(prefix: Path) -> None:
    assert list(prefix.iterdir()) == []
    assert [entry.name for entry in prefix.parent.iterdir() if entry.name.startswith(".envkit")] == []


@pytest.mark.core
def test_packages_are_fetched_and_their_bytes_are_told(make: Make, host: Host, tiny_channel: Channel, prefix: Path) -> None:
    said: list[Event] = []
    with serve_channel(tiny_channel.path) as served:
        outcome = make(served.url, work=Work(host=host, report=said.append))
    size = tiny_channel.record("tiny")["size"]
    download = next(event for event in said if isinstance(event, Started) and event.activity == "download")
    assert (download.total, download.unit, outcome.download) == (size, "bytes", size)
    assert [event.done for event in said if isinstance(event, Progress) and event.id == download.id][-1] == size
    assert [event.activity for event in said if isinstance(event, Started)] == ["resolve", "download", "install"]
    assert (prefix / "share/tiny/version.txt").is_file()


@pytest.mark.parametrize(
    "failure,code",
    [("server-error", "network"), ("unauthorized", "unauthorized"), ("missing", "channel-not-found"), ("corrupt", "hash-mismatch")],
)
def test_a_channel_that_does_not_serve_is_named_in_the_error(
    make: Make, tiny_channel: Channel, prefix: Path, failure: Failure, code: str
) -> None:
    with serve_channel(tiny_channel.path, failure=failure) as served, pytest.raises((NetworkError, InstallError)) as caught:
        make(served.url)
    assert caught.value.code == code
    assert served.url in str(caught.value)
    assert caught.value.log is not None
    assert_nothing_left(prefix)


def test_a_download_that_breaks_off_is_no_package(make: Make, tiny_channel: Channel, prefix: Path) -> None:
    with serve_channel(tiny_channel.path, failure="truncated") as served, pytest.raises(NetworkError, match="tiny could not be fetched"):
        make(served.url)
    assert_nothing_left(prefix)


@pytest.mark.core
def test_a_channel_that_is_down_is_named_and_one_that_is_no_channel_too(make: Make, prefix: Path, tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match=r"127\.0\.0\.1:9/gone") as caught:
        make("http://127.0.0.1:9/gone")
    assert (caught.value.code, caught.value.retryable) == ("network", True)
    with pytest.raises(NetworkError) as caught:
        make((tmp_path / "nowhere").as_uri())
    assert (caught.value.code, caught.value.retryable) == ("channel-not-found", False)
    assert_nothing_left(prefix)


def test_a_channel_that_never_answers_ends_with_the_call(make: Make, host: Host, tiny_channel: Channel, prefix: Path) -> None:
    with own_time() as took, serve_channel(tiny_channel.path, failure="hang") as served, pytest.raises(DeadlineError):
        make(served.url, work=Work(host=host, timeout=1.5))
    assert took.seconds < 10
    assert_nothing_left(prefix)


@pytest.mark.parametrize("fault", ["sha256", "md5", "truncated"])
@pytest.mark.parametrize("scheme", ["file", "http"])
def test_a_package_that_is_not_what_its_hash_says_is_never_linked(
    make: Make, tiny_channel: Channel, prefix: Path, tmp_path: Path, fault: str, scheme: str
) -> None:
    broken = spoiled(tiny_channel, tmp_path / "broken", "tiny", fault)  # type: ignore[arg-type]
    with serve_channel(broken.path) as served, pytest.raises(InstallError) as caught:
        make(broken.url if scheme == "file" else served.url)
    assert (caught.value.code, caught.value.package) == ("hash-mismatch", "tiny")
    assert_nothing_left(prefix)


def without_secrets(*directories: Path) -> None:
    for directory in directories:
        for path in directory.rglob("*"):
            assert PASSWORD not in str(path)
            assert TOKEN not in str(path)
            if path.is_file():
                data = path.read_bytes()
                assert PASSWORD.encode() not in data, path
                assert TOKEN.encode() not in data, path


@pytest.mark.core
def test_a_password_in_a_channels_url_opens_it_and_is_written_nowhere(
    make: Make, host: Host, tiny_channel: Channel, prefix: Path, tmp_path: Path
) -> None:
    said: list[Event] = []
    with serve_channel(tiny_channel.path, user="alice", password=PASSWORD) as served:
        outcome = make(served.with_credentials(f"alice:{PASSWORD}"), work=Work(host=host, report=said.append))
        with pytest.raises(NetworkError) as caught:
            make(served.with_credentials(f"alice:{PASSWORD}x"), prefix=tmp_path / "other")
    assert caught.value.code == "unauthorized"
    assert (outcome.after[0].url, outcome.after[0].channel) == (f"{served.url}/noarch/tiny-2.0-h0_0.conda", served.url)
    shown = f"{outcome} {said} {caught.value} {caught.value.hint}"
    assert PASSWORD not in shown
    without_secrets(tmp_path)


def test_a_token_in_a_channels_url_opens_it_and_is_written_nowhere(make: Make, tiny_channel: Channel, tmp_path: Path) -> None:
    with serve_channel(tiny_channel.path, token=TOKEN) as served:
        outcome = make(served.with_token(TOKEN))
        with pytest.raises(NetworkError) as caught:
            make(served.with_token(f"{TOKEN}-wrong"), prefix=tmp_path / "other")
    assert outcome.after[0].url == f"{served.url}/noarch/tiny-2.0-h0_0.conda"
    assert TOKEN not in f"{outcome} {caught.value}"
    without_secrets(tmp_path)


def test_a_password_of_netrc_opens_a_channel(make: Make, host: Host, tiny_channel: Channel) -> None:
    (host.home / ".netrc").write_text(f"machine 127.0.0.1 login alice password {PASSWORD}\n")
    with serve_channel(tiny_channel.path, user="alice", password=PASSWORD) as served:
        assert make(served.url).after[0].name == "tiny"


def test_credentials_go_to_their_own_channel_only(host: Host, tiny_channel: Channel, prefix: Path, tmp_path: Path) -> None:
    secret = f"alice:{PASSWORD}"
    shutil.copytree(tiny_channel.path, tmp_path / "open")
    with serve_channel(tiny_channel.path, user="alice", password=PASSWORD) as closed, serve_channel(tmp_path) as other:
        wish = Wish(prefix=prefix, create=True, install=("tiny",))
        settings = configuration.read(host, channels=[closed.with_credentials(secret), other.url.replace("channel", "open"), "nodefaults"])
        with pytest.raises(NetworkError, match="open"):
            rattler.carry_out(wish, settings, work=Work(host=host))
        settings = configuration.read(host, channels=[closed.with_credentials(secret), f"{other.url}/open", "nodefaults"])
        with pytest.raises(UsageError) as caught:
            rattler.carry_out(wish, settings, work=Work(host=host))
    assert caught.value.code == "credentials"
    assert set(other.authorizations) == {None}


@pytest.mark.core
def test_offline_what_was_fetched_once_can_be_made_again_and_nothing_else(
    make: Make, host: Host, tiny_channel: Channel, prefix: Path, tmp_path: Path
) -> None:
    with serve_channel(tiny_channel.path) as served:
        with pytest.raises(NetworkError) as caught:
            make(served.url, offline=True)
        assert caught.value.code == "offline"
        make(served.url)
        before = len(served.requests)
        outcome = make(served.url, offline=True, prefix=tmp_path / "again")
        assert outcome.after[0].version == "2.0"
        with pytest.raises(NetworkError, match="native") as caught:
            make(served.url, offline=True, prefix=tmp_path / "other", install=("native",))
        assert caught.value.code == "offline"
        assert len(served.requests) == before


def test_an_exact_package_is_fetched_by_its_url_without_a_channel(make: Make, tiny_channel: Channel, tmp_path: Path) -> None:
    source = tiny_channel.package("leaf")
    lone = tmp_path / "files" / "noarch" / source.name
    lone.parent.mkdir(parents=True)
    lone.write_bytes(source.read_bytes())
    with serve_channel(tmp_path / "files") as served:
        exact = Exact(url=f"{served.url}/noarch/{source.name}", md5=tiny_channel.record("leaf")["md5"])
        outcome = make(served.url, install=(), exact=(exact,))
    assert (outcome.after[0].name, outcome.after[0].url) == ("leaf", exact.url)


def test_mirrors_are_asked_in_place_of_a_channel_which_stays_in_the_records(make: Make, host: Host, tiny_channel: Channel) -> None:
    with serve_channel(tiny_channel.path) as served:
        (host.home / ".condarc").write_text(f"mirrored_channels: {{'http://example.invalid/channel': ['{served.url}']}}\n")
        outcome = make("http://example.invalid/channel")
    assert outcome.after[0].url == "http://example.invalid/channel/noarch/tiny-2.0-h0_0.conda"
    assert any(path.endswith(".conda") for path in served.requests)


def test_the_channel_that_comes_first_counts_unless_the_priority_is_less_strict(
    host: Host, tiny_channel: Channel, prefix: Path, tmp_path: Path
) -> None:
    old = spoiled(tiny_channel, tmp_path / "old", "leaf", "sha256")
    (old.path / "noarch/repodata.json").write_text(
        (old.path / "noarch/repodata.json").read_text().replace("tiny-2.0", "tidy-2.0").replace('"2.0"', '"0.1"')
    )
    for priority, version in (("strict", "1.0"), ("flexible", "1.0"), ("disabled", "2.0")):
        (host.home / ".condarc").write_text(f"channel_priority: {priority}\n")
        settings = configuration.read(host, channels=[old.url, tiny_channel.url, "nodefaults"])
        wish = Wish(prefix=prefix, create=True, install=("tiny",), dry_run=True)
        assert rattler.carry_out(wish, settings, work=Work(host=host)).after[0].version == version, priority
        wish = Wish(prefix=prefix, create=True, install=("tiny>=2",), dry_run=True)
        if priority == "strict":
            with pytest.raises(InstallError, match=r"tiny >=2 was asked for; channel_priority is strict"):
                rattler.carry_out(wish, settings, work=Work(host=host))
        else:
            assert rattler.carry_out(wish, settings, work=Work(host=host)).after[0].version == "2.0"
