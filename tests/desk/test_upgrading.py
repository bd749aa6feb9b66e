"""outdated and upgrade: what is newer, and getting it; offline, from a directory of wheels."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.wheels import make_wheel

import envkit
from envkit import Host, Sources, Spec
from envkit.records import state_of


@pytest.fixture
def wheels(tmp_path: Path) -> Sources:
    directory = tmp_path / "wheels"
    make_wheel(directory, "alpha", "1.0")
    make_wheel(directory, "alpha", "2.0")
    make_wheel(directory, "alpha", "3.0rc1")
    make_wheel(directory, "beta", "1.0", requires=("alpha>=1", "gamma"))
    make_wheel(directory, "beta", "1.5", requires=("alpha>=1", "gamma"))
    make_wheel(directory, "gamma", "1.0")
    make_wheel(directory, "gamma", "1.1")
    return Sources(find_links=(str(directory),), configuration="isolated")


@pytest.fixture(scope="session")
def shared_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One data directory for all tests here, so that pip is fetched once."""
    return tmp_path_factory.mktemp("data") / "envkit"


@pytest.fixture(params=["uv", "pip"])
def by(request: pytest.FixtureRequest, host: Host, shared_data: Path) -> Iterator[Host]:
    """A world where uv, and one where pip installs; nobody waits for a dead index."""
    if request.param == "uv":
        pytest.importorskip("uv")
    environ = {**host.environ, "ENVKIT_INSTALLER": request.param, "UV_HTTP_RETRIES": "0", "PIP_RETRIES": "0"}
    yield replace(host, environ=environ, data=shared_data)
    shutil.rmtree(shared_data / "environments", ignore_errors=True)


def names(env: str, host: Host) -> dict[str, str]:
    return {package.name: package.version for package in envkit.installed(env, host=host)}


def old(host: Host, wheels: Sources) -> None:
    """Make the environment `demo` of the oldest versions; asked for were beta, and alpha below 3."""
    envkit.ensure(
        Spec(name="demo", pypi=("beta", "alpha<3"), constraints=("beta==1.0", "alpha==1.0", "gamma==1.0"), sources=wheels),
        offline=True,
        host=host,
    )


@pytest.mark.core
def test_what_is_outdated(by: Host, wheels: Sources) -> None:
    """Each package with a newer version is named, sorted, with that version; pre-releases count only on demand."""
    old(by, wheels)
    found = envkit.outdated("demo", sources=wheels, offline=True, host=by)
    assert [(one.package.name, one.package.version, one.latest) for one in found] == [
        ("alpha", "1.0", "2.0"), ("beta", "1.0", "1.5"), ("gamma", "1.0", "1.1"),
    ]  # fmt: skip
    assert "_repr_mimebundle_" in dir(found)
    pre = envkit.outdated("demo", sources=replace(wheels, prereleases=True), offline=True, host=by)
    assert pre[0].latest == "3.0rc1"
    assert names("demo", by) == {"alpha": "1.0", "beta": "1.0", "gamma": "1.0"}


@pytest.mark.core
def test_an_index_that_cannot_be_asked_is_an_error(by: Host, wheels: Sources) -> None:
    """When the index cannot be reached, or may not be and no wheels are named, nothing is called up to date."""
    old(by, wheels)
    nowhere = Sources(indexes=("http://127.0.0.1:9/simple",), configuration="isolated")
    with pytest.raises(envkit.NetworkError) as caught:
        envkit.outdated("demo", sources=nowhere, host=by)
    assert caught.value.retryable
    with pytest.raises(envkit.NetworkError) as caught:
        envkit.outdated("demo", sources=replace(nowhere, indexes=()), offline=True, host=by)
    assert caught.value.code == "offline"


@pytest.mark.core
def test_upgrade_of_some(by: Host, wheels: Sources) -> None:
    """What is named is upgraded, what it needs stays, limits hold, a dry run changes nothing, a second call has nothing to do."""
    old(by, wheels)
    options = {"constraints": ["beta>=1"], "sources": wheels, "offline": True, "host": by}
    shown = envkit.upgrade("demo", "Beta", dry_run=True, **options)
    assert names("demo", by)["beta"] == "1.0"
    done = envkit.upgrade("demo", "Beta", **options)
    assert [(str(a), str(b)) for a, b in done.updated] == [("beta 1.0", "beta 1.5")]
    assert not done.added
    assert not done.removed
    assert [(a.version, b.version) for a, b in shown.updated] == [("1.0", "1.5")]
    assert names("demo", by) == {"alpha": "1.0", "beta": "1.5", "gamma": "1.0"}
    assert not envkit.upgrade("demo", "beta", **options)
    assert not envkit.upgrade("demo", "alpha", sources=wheels, offline=True, host=by)  # the spec said alpha==1.0
    state = state_of(envkit.resolve("demo", host=by).prefix, by)
    assert state.ready
    assert state.record is not None
    assert set(state.record.requested) == {"beta", "alpha<3"}


@pytest.mark.core
def test_upgrade_of_all_that_was_asked_for(by: Host, wheels: Sources) -> None:
    """Without names all that was asked for is upgraded, within the limits it was asked for with."""
    envkit.create("demo", host=by)
    envkit.install(
        "demo", "beta", "alpha<2.5", constraints=["alpha==1.0", "beta==1.0", "gamma==1.0"], sources=wheels, offline=True, host=by
    )
    done = envkit.upgrade("demo", sources=replace(wheels, prereleases=True), offline=True, host=by)
    assert [str(new) for _, new in done.updated] == ["alpha 2.0", "beta 1.5"]
    assert names("demo", by)["gamma"] == "1.0"


@pytest.mark.core
def test_upgrade_in_another_tools_environment(by: Host, wheels: Sources) -> None:
    """Without names, and without a record of ours, all that is installed is upgraded."""
    where = by.cwd / "theirs"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(where)], check=True, timeout=120)
    limits = ["alpha==1.0", "beta==1.0", "gamma==1.0"]
    envkit.install(where, "beta", constraints=limits, sources=wheels, offline=True, host=by)
    envkit.upgrade(where, sources=wheels, offline=True, host=by)
    assert names(str(where), by) == {"alpha": "2.0", "beta": "1.5", "gamma": "1.1"}


@pytest.mark.core
def test_what_cannot_be_upgraded_is_said(host: Host, wheels: Sources) -> None:
    """A name that is not installed, one that is none, one that came from a file, and an impossible limit each are an error of their own."""
    old(host, wheels)
    with pytest.raises(envkit.NotFoundError) as missing:
        envkit.upgrade("demo", "rich", sources=wheels, host=host)
    assert missing.value.code == "package-not-installed"
    assert missing.value.hint
    with pytest.raises(envkit.UsageError):
        envkit.upgrade("demo", "alpha>=2", sources=wheels, host=host)
    with pytest.raises(envkit.InstallError):
        envkit.upgrade("demo", "alpha", constraints=["alpha==9"], sources=wheels, offline=True, host=host)
    assert names("demo", host)["alpha"] == "1.0"
    assert state_of(envkit.resolve("demo", host=host).prefix, host).ready
    wheel = make_wheel(Path(host.cwd), "local-one", "1.0")
    envkit.create("other", host=host)
    envkit.install("other", wheel, sources=wheels, offline=True, host=host)
    with pytest.raises(envkit.RefusedError) as refused:
        envkit.upgrade("other", "local-one", sources=wheels, offline=True, host=host)
    assert refused.value.code == "not-from-index"
    assert not envkit.upgrade("other", sources=wheels, offline=True, host=host)
