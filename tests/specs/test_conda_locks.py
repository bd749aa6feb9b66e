"""lock, ensure with a lock, and export of conda environments, on the tests' own channel: exactly that, again and on other platforms."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from pathlib import Path

import pytest
from support import conda_channel
from support.conda_channel import Channel
from support.conda_server import serve_channel
from support.wheels import make_wheel

import envkit
from envkit import Host, Sources, Spec, events
from envkit.control import Work
from envkit.formats import environment_yml, explicit_txt, pixi_lock
from envkit.locking.exporting import exported

pytestmark = pytest.mark.skipif(importlib.util.find_spec("rattler") is None, reason="the embedded engine is not installed")


@pytest.fixture(scope="module")
def channel() -> Channel:
    """The channel of tiny packages."""
    return conda_channel.tiny()


@pytest.fixture
def spec(channel: Channel) -> Spec:
    """What asks for one package, which needs another one."""
    return Spec(name="demo", conda=("right",), channels=(channel.path.as_uri(), "nodefaults"))


def names(env: envkit.Environment, host: Host) -> list[str]:
    return [str(package) for package in envkit.installed(env, host=host)]


def test_a_lock_makes_exactly_that_and_again_nothing(host: Host, spec: Spec) -> None:
    """What is locked is installed, also after the channel has moved on; what is added by hand goes, what is taken away comes back."""
    lock = envkit.lock(spec, host=host)
    said = explicit_txt.load(lock.text)
    assert lock.format == "explicit.txt"
    assert [package.url.rpartition("/")[2] for package in said.packages] == ["tiny-2.0-h0_0.conda", "right-1.0-h0_0.conda"]
    assert all(package.sha256 for package in said.packages)
    assert [str(package) for package in lock.packages] == ["right 1.0", "tiny 2.0"]
    assert not (host.data / "environments").exists()
    locked = replace(spec, lock=lock)
    env = envkit.ensure(locked, host=host)
    assert names(env, host) == ["right 1.0", "tiny 2.0"]
    assert not envkit.plan(locked, host=host)
    assert not envkit.plan(replace(locked, conda=()), host=host)
    envkit.install(env, conda=["rebuilt"], channels=spec.channels, host=host)
    envkit.uninstall(env, "right", host=host)
    assert names(env, host) == ["rebuilt 1.0", "tiny 2.0"]
    steps = envkit.plan(locked, host=host).steps
    assert [(step.action, word in step.text) for step, word in zip(steps, ("right=1.0", "rebuilt"), strict=True)] == [
        ("install", True),
        ("remove", True),
    ]
    assert names(envkit.ensure(locked, host=host), host) == ["right 1.0", "tiny 2.0"]


def test_a_lock_for_several_platforms(host: Host, spec: Spec) -> None:
    """A lock for platforms holds each of them, says nothing of this machine's paths but the channel, and makes the same environment."""
    lock = envkit.lock(spec, platforms=["linux-64", "macos", "win-64"], host=host)
    said = pixi_lock.load(lock.text)
    assert (lock.format, said.platforms) == ("rattler-lock", ("linux-64", "osx-arm64", "win-64"))
    assert [one.name for one in said.packages["osx-arm64"]] == ["tiny", "right"]
    assert said.packages["win-64"][1].depends == ("tiny >=2.0",)
    here = replace(host, environ={**host.environ, "CONDA_SUBDIR": "linux-64"})
    assert names(envkit.ensure(replace(spec, lock=lock), host=here), host) == ["right 1.0", "tiny 2.0"]
    elsewhere = replace(host, environ={**host.environ, "CONDA_SUBDIR": "linux-aarch64"})
    with pytest.raises(envkit.RefusedError) as caught:
        envkit.ensure(replace(spec, name="other", lock=lock), host=elsewhere)
    assert caught.value.code == "lock-mismatch"


def test_a_stale_lock_is_named(host: Host, spec: Spec) -> None:
    """What the spec asks for and the lock has not stands in the error, and nothing is made."""
    lock = envkit.lock(spec, host=host)
    for conda, said in ((("right", "leaf"), "'leaf'"), (("tiny <2",), "'tiny <2'")):
        with pytest.raises(envkit.RefusedError) as caught:
            envkit.ensure(replace(spec, conda=conda, lock=lock), host=host)
        assert (caught.value.code, said in str(caught.value)) == ("lock-stale", True)
    assert not (host.data / "environments").exists()


def test_what_cannot_be_locked_is_said(host: Host, spec: Spec) -> None:
    """PyPI's packages on top, nothing at all, an unknown platform, and a package that is nowhere."""
    for asked, platforms, code in (
        (replace(spec, pypi=("rich",)), (), "lock"),
        (replace(spec, conda=()), (), "lock"),
        (spec, ("amiga",), "platforms"),
    ):
        with pytest.raises(envkit.UsageError) as caught:
            envkit.lock(asked, platforms=platforms, host=host)
        assert caught.value.code == code
    with pytest.raises(envkit.InstallError):
        envkit.lock(replace(spec, conda=("no-such-package",)), host=host)


def test_keys_that_are_not_honoured_are_told(host: Host, spec: Spec) -> None:
    """Whoever listens hears which keys of a condarc are set and not honoured, when something is locked, made or changed."""
    (host.home / ".condarc").write_text("always_copy: true\nchangeps1: false\n", encoding="utf-8")
    for call in (
        lambda hear: envkit.lock(spec, report=hear, host=host),
        lambda hear: envkit.ensure(spec, report=hear, host=host),
        lambda hear: envkit.install("demo", conda=["leaf"], report=hear, host=host),
    ):
        heard: list[envkit.Event] = []
        call(heard.append)
        assert "not honoured: always_copy" in [event.line for event in heard if isinstance(event, events.Output)]


def test_wrong_bytes_are_refused(host: Host, spec: Spec, tmp_path: Path) -> None:
    """A package file of another content than was locked is not installed, and nothing of the environment is left."""
    lock = envkit.lock(spec, host=host)
    digest = explicit_txt.load(lock.text).packages[0].sha256 or ""
    other = replace(lock, text=lock.text.replace(digest, "0" * 64))
    host = replace(host, environ={**host.environ, "CONDA_PKGS_DIRS": str(tmp_path / "pkgs")})
    with pytest.raises(envkit.InstallError) as caught:
        envkit.ensure(replace(spec, lock=other), host=host)
    assert caught.value.code == "hash-mismatch"
    assert not (host.data / "environments" / "demo").exists()


@pytest.fixture
def env(host: Host, spec: Spec) -> envkit.Environment:
    """A conda environment with a variable, made of what was asked for."""
    return envkit.ensure(replace(spec, variables={"QUOTE": "it's $(x)"}), host=host)


def test_exports_are_read_back(host: Host, spec: Spec, env: envkit.Environment) -> None:
    """environment.yml whole and from history, an explicit file with hashes in order, spec.json: each makes the same again."""
    whole = environment_yml.load(envkit.export(env, "environment.yml", host=host))
    assert (whole.name, whole.conda, dict(whole.variables)) == ("demo", ("right=1.0=h0_0", "tiny=2.0=h0_0"), {"QUOTE": "it's $(x)"})
    assert whole.channels == (spec.channels[0],)
    asked = environment_yml.load(exported(env, "environment.yml", Work(host=host), from_history=True))
    assert asked.conda == ("right",)
    for format_, name in (("environment.yml", "environment.yml"), ("explicit.txt", "explicit.txt"), ("spec.json", "spec.json")):
        path = host.cwd / name
        path.write_text(envkit.export(env, format_, host=host))  # type: ignore[arg-type] # one of a tuple of literals
        again = envkit.ensure(envkit.read_spec(path, name=f"from-{path.stem}", host=host), host=host)
        assert names(again, host) == names(env, host)
    lines = (host.cwd / "explicit.txt").read_text().splitlines()
    assert [line.rpartition("/")[2].partition("#")[0] for line in lines[-2:]] == ["tiny-2.0-h0_0.conda", "right-1.0-h0_0.conda"]
    assert all(len(line.partition("#")[2]) == 64 for line in lines[-2:])


def test_what_no_one_asked_for_cannot_be_exported_from_history(host: Host, env: envkit.Environment) -> None:
    """Where nobody wrote down what was asked for it is an error; so is a format that has no history."""
    with pytest.raises(envkit.UsageError) as caught:
        exported(env, "explicit.txt", Work(host=host), from_history=True)
    assert caught.value.code == "format"
    (env.prefix / "conda-meta" / "history").write_text("")
    for path in (env.prefix / "conda-meta").glob("*.json"):
        said = json.loads(path.read_text("utf-8"))
        path.write_text(json.dumps({key: value for key, value in said.items() if not key.startswith("requested_spec")}))
    with pytest.raises(envkit.NotFoundError) as missing:
        exported(env, "environment.yml", Work(host=host), from_history=True)
    assert missing.value.code == "history-not-found"


@pytest.mark.parametrize("kind", ["basic", "token"])
def test_credentials_are_in_no_lock_export_or_file(host: Host, channel: Channel, kind: str) -> None:
    """A channel whose URL holds credentials is reached, and they are in nothing that is written or shown afterwards."""
    secret = {"basic": {"user": "me", "password": "canary-pw"}, "token": {"token": "canary-token"}}[kind]
    with serve_channel(channel.path, **secret) as served:  # type: ignore[arg-type] # a mapping of texts
        url = served.with_credentials("me:canary-pw") if kind == "basic" else served.with_token("canary-token")
        spec = Spec(name="demo", conda=("right",), channels=(url, "nodefaults"))
        lock, several = envkit.lock(spec, host=host), envkit.lock(spec, platforms=["linux-64"], host=host)
        env = envkit.ensure(replace(spec, lock=lock), host=host)
        assert names(env, host) == ["right 1.0", "tiny 2.0"]
    exported = [envkit.export(env, format_, host=host) for format_ in ("environment.yml", "explicit.txt", "spec.json")]
    assert "canary" not in f"{lock.text}{several.text}{lock.packages}{exported}"
    for path in (path for top in (host.home, env.prefix) for path in top.rglob("*") if path.is_file()):
        assert b"canary" not in path.read_bytes(), path


def test_packages_of_pypi_beside_a_lock(host: Host, tmp_path: Path) -> None:
    """They come on top and are held against the spec; where none is asked for any more they go; conda's stay what the lock says."""
    uv = pytest.importorskip("uv")
    channel = conda_channel.full(uv.find_uv_bin())
    for name in ("app", "other"):
        make_wheel(tmp_path / "wheels", name, "1.0")
    found = Sources(find_links=(str(tmp_path / "wheels"),))
    spec = Spec(name="demo", python="3.12", conda=("pip",), channels=(channel.path.as_uri(), "nodefaults"), sources=found)
    locked = replace(spec, lock=envkit.lock(spec, host=host))
    conda = [str(package) for package in locked.lock.packages] if locked.lock else []
    with_app = replace(locked, pypi=("app",))
    env = envkit.ensure(with_app, offline=True, host=host)
    assert names(env, host) == sorted([*conda, "app 1.0"])
    assert not envkit.plan(with_app, host=host)
    envkit.uninstall(env, "app", host=host)
    envkit.install(env, "other", sources=found, offline=True, host=host)
    assert [step.text for step in envkit.plan(with_app, host=host).steps] == ["install app"]
    assert names(envkit.ensure(with_app, offline=True, host=host), host) == sorted([*conda, "app 1.0", "other 1.0"])
    assert names(envkit.ensure(locked, offline=True, host=host), host) == conda
    whole = environment_yml.load(envkit.export(envkit.ensure(with_app, offline=True, host=host), "environment.yml", host=host))
    assert whole.pip == ("app==1.0",)
    assert "not in this file" in envkit.export(env, "explicit.txt", host=host)
