"""A real conda as the engine: what it does is what the embedded engine does, and what it refuses has the same codes."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from support import conda_real
from support.conda_channel import Channel, spoiled
from support.conda_server import serve_channel

from envkit.conda import configuration, rattler
from envkit.conda.command import Command
from envkit.conda.request import Exact, Linked, Outcome, Wish
from envkit.control import Work
from envkit.errors import EnvkitError
from envkit.host import Host

pytestmark = [pytest.mark.slow, conda_real.needs_conda]
Act = Callable[..., Outcome]


@pytest.fixture
def world(conda_host: Host) -> Host:
    """A world in which requests are not repeated for long."""
    return replace(conda_host, environ={**conda_host.environ, "CONDA_REMOTE_MAX_RETRIES": "0", "CONDA_REMOTE_BACKOFF_FACTOR": "0"})


@pytest.fixture
def act(world: Host, tiny_channel: Channel, tmp_path: Path) -> Act:
    def carry_out(channel: str = tiny_channel.url, *, offline: bool = False, host: Host = world, **wish: object) -> Outcome:
        settings = configuration.read(host, channels=[channel, "nodefaults"], offline=offline)
        engine = Command(NAME="conda", path=str(conda_real.PATH))
        full = Wish(**{"prefix": tmp_path / "an env", **wish})  # type: ignore[arg-type]
        return engine.carry_out(full, settings, work=Work(host=host), log=tmp_path / "log")

    return carry_out


def _names(packages: tuple[Linked, ...]) -> list[str]:
    return [f"{package.name} {package.version}" for package in packages]


def _code(act: Act, *arguments: str, **wish: object) -> str:
    with pytest.raises(EnvkitError) as caught:
        act(*arguments, **wish)
    assert caught.value.hint
    return caught.value.code


def test_conda_does_what_the_embedded_engine_does(act: Act, world: Host, tiny_channel: Channel, tmp_path: Path) -> None:
    """Create, plan, install, update, put in anew, remove and prune come to the same packages, requested by the same specs."""
    ours = tmp_path / "ours"
    settings = configuration.read(world, channels=[tiny_channel.url, "nodefaults"])

    def both(**wish: object) -> tuple[Outcome, Outcome]:
        embedded = rattler.carry_out(Wish(**{"prefix": ours, **wish}), settings, work=Work(host=world))  # type: ignore[arg-type]
        return act(**wish), embedded

    for wish in (
        {"create": True, "install": ("leaf", "tiny=1")},
        {"install": ("native", "rebuilt"), "dry_run": True},
        {"install": ("native", "rebuilt")},
        {"update": ("tiny",)},
        {"relink": ("leaf",)},
        {"remove": ("tiny",)},
        {"install": ("leaf",)},
        {"remove": ("leaf",)},
        {"prune": True},
    ):
        theirs, embedded = both(**wish)
        assert sorted(_names(theirs.after)) == sorted(_names(embedded.after)), wish
        assert sorted(_names(theirs.linked)) == sorted(_names(embedded.linked)), wish
        assert sorted(_names(theirs.unlinked)) == sorted(_names(embedded.unlinked)), wish
        asked = [{package.name for package in outcome.after if package.requested is not None} for outcome in (theirs, embedded)]
        assert asked[0] == asked[1], wish
    assert (tmp_path / "an env/bin/native-hello").read_text() == (ours / "bin/native-hello").read_text().replace(
        str(ours), f"{tmp_path}/an env"
    )


def test_what_conda_refuses_has_the_codes_of_the_embedded_engine(act: Act, tiny_channel: Channel, tmp_path: Path) -> None:
    """Not found, no such version, a conflict, a machine that lacks something, no channel, a wrong hash: each is one code, whichever engine acts."""
    act(create=True, install=("tiny",))
    assert _code(act, install=("no-such-package",)) == "package-not-found"
    assert _code(act, install=("tiny>=77",)) == "no-matching-version"
    assert _code(act, install=("left", "right")) == "conflict"
    assert _code(act, install=("needs-cuda",)) == "virtual-package"
    assert _code(act, (tmp_path / "none").as_uri(), install=("leaf",)) == "channel-not-found"
    wrong = spoiled(tiny_channel, tmp_path / "spoiled", "leaf", "sha256")
    assert _code(act, wrong.url, install=("leaf",)) == "hash-mismatch"
    assert _code(act, exact=(Exact(url=tiny_channel.record("leaf")["url"], md5="0" * 32),)) == "hash-mismatch"
    assert not (tmp_path / "an env/share/leaf").exists()


def test_a_file_of_nobody_is_not_overwritten_but_packages_may_share_one(act: Act, tmp_path: Path) -> None:
    """conda would take the file without a word; two packages that bring the same file are installed, as everywhere."""
    act(create=True, install=("tiny",))
    mine = tmp_path / "an env/share/leaf/leaf.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    assert _code(act, install=("leaf",)) == "foreign-files"
    assert mine.read_text() == "mine"
    assert _names(act(install=("clash-one", "clash-two")).linked) == ["clash-one 1.0", "clash-two 1.0"]


def test_a_channel_that_is_down_closed_or_corrupt_is_told_so(act: Act, world: Host, tiny_channel: Channel, tmp_path: Path) -> None:
    """Not there, closed, and not what it should be are told apart; the place stays empty each time."""
    with serve_channel(tiny_channel.path, failure="unauthorized") as served:
        assert _code(act, served.url, create=True, install=("leaf",)) == "unauthorized"
    assert _code(act, served.url, create=True, install=("leaf",)) == "network"
    with serve_channel(tiny_channel.path, failure="corrupt") as served:
        fresh = {"host": replace(world, environ={**world.environ, "CONDA_PKGS_DIRS": str(tmp_path / "pkgs")})}
        assert _code(act, served.url, create=True, install=("leaf",), **fresh) == "hash-mismatch"
        assert _code(act, served.url, create=True, install=("leaf",), offline=True, **fresh) == "offline"
    assert os.listdir(tmp_path / "an env") == []


@pytest.mark.parametrize("kind", ["password", "token"])
def test_credentials_of_a_channel_are_used_and_nowhere_to_be_found(
    act: Act, world: Host, tiny_channel: Channel, tmp_path: Path, kind: str
) -> None:
    """conda asks with them, and afterwards no file of the environment, of the package cache or of the home holds them."""
    secret = "s3cret-0f-eve"
    opened = {"user": "eve", "password": secret} if kind == "password" else {"token": secret}
    pkgs = tmp_path / "pkgs"
    host = replace(world, environ={**world.environ, "CONDA_PKGS_DIRS": str(pkgs)})
    with serve_channel(tiny_channel.path, **opened) as served:  # type: ignore[arg-type]
        url = served.with_credentials(f"eve:{secret}") if kind == "password" else served.with_token(secret)
        outcome = act(url, create=True, install=("leaf",), host=host)
    assert _names(outcome.linked) == ["tiny 2.0", "leaf 1.0"]
    assert all(secret not in repr(package) for package in outcome.after)
    for top in (tmp_path / "an env", pkgs, host.home):
        for path in top.rglob("*"):
            if path.is_file():
                assert secret.encode() not in path.read_bytes(), path


def test_a_python_made_by_conda_runs_from_its_place(act: Act, channel: Channel, world: Host, tmp_path: Path) -> None:
    """Scripts, bytecode and records name the final place alone; conda's own doctor finds every file as it was recorded."""
    outcome = act(channel.url, create=True, install=(f"python={channel.pythons[0]}", "pip"))
    assert not any(package.name == "python" and "pip" in package.depends for package in outcome.after), (
        "conda's habit, not the package's word"
    )
    prefix = tmp_path / "an env"
    for path in prefix.rglob("*"):
        if path.is_symlink():
            assert ".envkit-new-" not in os.readlink(path), path
        elif path.is_file() and path.stat().st_nlink == 1:
            assert b".envkit-new-" not in path.read_bytes(), path
    done = subprocess.run([prefix / "bin/pip", "--version"], capture_output=True, text=True, env=world.environ)
    assert str(prefix) in done.stdout, done.stderr
    program = "import pip, sys; print(pip.__file__, pip.main.__code__.co_filename, sys.prefix)"
    done = subprocess.run([prefix / "bin/python", "-I", "-c", program], capture_output=True, text=True, env=world.environ)
    assert done.stdout.count(str(prefix)) == 3, done.stdout + done.stderr
    said = conda_real.RealConda(world.environ).doctor(prefix)
    assert all(line.startswith("✅") for line in said), said
