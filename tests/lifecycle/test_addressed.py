"""Content-addressed environments: one build for a spec, never changed, found again in milliseconds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from support.patience import own_time
from support.wheels import make_wheel

import envkit
from envkit import Host, Sources, Spec


@pytest.fixture
def spec(wheels: Sources) -> Spec:
    """beta and what it needs, on the Python that runs the tests."""
    return Spec(python=sys.base_prefix, pypi=("beta",), sources=wheels)


@pytest.mark.core
def test_the_same_spec_is_the_same_environment(host: Host, spec: Spec, say: Callable[..., str]) -> None:
    """ensure builds it once; again, and by resolve, it is found, by an equal spec otherwise written, too."""
    with pytest.raises(envkit.NotFoundError) as caught:
        envkit.resolve(spec, host=host)
    assert caught.value.code == "environment-not-found"
    assert not (host.data / "store" / "environments").exists()
    planned = envkit.plan(spec, host=host, offline=True)
    assert [step.action for step in planned.steps] == ["create", "install"]
    made = envkit.ensure(spec, host=host, offline=True)
    assert planned.key is not None
    assert made.prefix == host.data / "store" / "environments" / planned.key
    assert (made.manager, made.name) == ("envkit", None)
    assert say(made.prefix / "bin" / "beta") == f"{made.prefix} 2.0"
    again = envkit.plan(spec, host=host)
    assert (bool(again), again.key, again.environment) == (False, planned.key, made)
    assert envkit.ensure(spec, host=host, offline=True) == made
    assert envkit.resolve(replace(spec, pypi=("Beta",)), host=host) == made
    assert envkit.apply(planned, host=host) == made


@pytest.mark.core
def test_what_goes_in_makes_the_key(host: Host, spec: Spec, wheels: Sources) -> None:
    """Each of what is built in changes the key; where it comes from, a name, and the order of packages do not."""
    key = envkit.plan(spec, host=host).key
    other = (
        replace(spec, pypi=("beta", "alpha")),
        replace(spec, constraints=("alpha<2",)),
        replace(spec, seed="pip"),
        replace(spec, variables={"A": "1"}),
        replace(spec, system_site_packages=True),
        replace(spec, sources=replace(wheels, prereleases=True)),
        replace(spec, sources=replace(wheels, indexes=("https://example.org/simple",))),
    )
    keys = [envkit.plan(each, host=host).key for each in other]
    assert len({key, *keys}) == len(other) + 1
    same = replace(spec, sources=replace(wheels, find_links=("/elsewhere",)))
    assert envkit.plan(same, host=host).key == key
    assert envkit.plan(replace(spec, pypi=("alpha", "beta")), host=host).key == keys[0]
    assert envkit.plan(replace(spec, name="demo"), host=host).key is None


@pytest.mark.core
def test_a_local_package_is_known_by_what_is_in_it(host: Host, tmp_path: Path, say: Callable[..., str]) -> None:
    """A wheel at a path that becomes another file gives another environment; the same file is not installed twice."""
    wheel = make_wheel(tmp_path / "mine", "gamma", "1.0")
    spec = Spec(python=sys.base_prefix, pypi=(envkit.Project(path=wheel),))
    first = envkit.ensure(spec, host=host, offline=True)
    assert envkit.ensure(spec, host=host, offline=True) == first
    make_wheel(tmp_path / "mine", "gamma", "1.0", files={"gamma/__init__.py": "__version__ = 'another'\n"})
    second = envkit.ensure(spec, host=host, offline=True)
    assert second.prefix != first.prefix
    assert say(second.python, "-c", "import gamma; print(gamma.__version__)") == "another"


@pytest.mark.core
def test_envkit_never_changes_one(host: Host, spec: Spec, wheels: Sources) -> None:
    """install and uninstall are refused there, with a hint, and nothing is touched."""
    made = envkit.ensure(spec, host=host, offline=True)
    before = envkit.installed(made.prefix, host=host)
    for call in (
        lambda: envkit.install(made.prefix, "alpha==1.0", sources=wheels, offline=True, host=host),
        lambda: envkit.uninstall(made.prefix, "alpha", host=host),
    ):
        with pytest.raises(envkit.RefusedError) as caught:
            call()
        assert caught.value.code == "content-addressed"
        assert caught.value.hint
    assert envkit.installed(made.prefix, host=host) == before
    assert envkit.resolve(spec, host=host) == made


@pytest.mark.core
@pytest.mark.parametrize("how", ["edited", "killed", "python gone"])
def test_one_that_is_not_as_it_was_made_gets_a_successor(host: Host, spec: Spec, wheels: Sources, how: str) -> None:
    """What somebody edited with pip, or broke, is left as it is, and another one is built beside it."""
    made = envkit.ensure(spec, host=host, offline=True)
    if how == "edited":
        installer = ["install", "--python", str(made.python), "--offline", "--no-config", f"--find-links={wheels.find_links[0]}"]
        pytest.importorskip("uv")
        subprocess.run([sys.executable, "-m", "uv", "pip", *installer, "alpha==1.0"], check=True, timeout=60, capture_output=True)
    elif how == "killed":
        (made.prefix / ".envkit" / "dirty.json").write_text(json.dumps({"schema": 1, "doing": "change"}))
    else:
        for link in (made.prefix / "bin").glob("python*"):
            link.unlink()
    with pytest.raises(envkit.NotFoundError):
        envkit.resolve(spec, host=host)
    successor = envkit.ensure(spec, host=host, offline=True)
    assert successor.prefix == made.prefix.with_name(made.prefix.name + "-2")
    assert made.prefix.is_dir()
    assert envkit.resolve(spec, host=host) == envkit.ensure(spec, host=host, offline=True) == successor


@pytest.mark.core
def test_eight_callers_get_one_build(host: Host, spec: Spec) -> None:
    """Callers at once get the same environment, built once."""
    events: list[envkit.Event] = []
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: envkit.ensure(spec, host=host, offline=True, report=events.append), range(8)))
    assert len(set(made)) == 1
    created = [event for event in events if isinstance(event, envkit.events.Started) and event.activity == "create"]
    assert len(created) == 1


@pytest.mark.core
def test_a_failed_build_leaves_nothing(host: Host, spec: Spec) -> None:
    """When its packages cannot be had nothing is left, and a killed build is built anew at the same place."""
    with pytest.raises(envkit.EnvkitError):
        envkit.ensure(replace(spec, pypi=("never-there",)), host=host, offline=True)
    store = host.data / "store" / "environments"
    assert not list(store.iterdir())
    place = store / str(envkit.plan(spec, host=host).key)
    (place / ".envkit").mkdir(parents=True)
    (place / ".envkit" / "dirty.json").write_text(json.dumps({"schema": 1, "doing": "create", "made_directory": True}))
    assert envkit.ensure(spec, host=host, offline=True).prefix == place


@pytest.mark.core
def test_the_choice_of_python_is_remembered_while_it_holds(host: Host, spec: Spec, tmp_path: Path) -> None:
    """A second look is fast; where PATH lists other Pythons than before, the machine is searched again."""
    free = replace(spec, python=None)
    key = envkit.plan(free, host=host).key
    assert list((host.data / "store" / "choices").iterdir())
    envkit.ensure(free, host=host, offline=True)
    envkit.resolve(free, host=host)
    with own_time() as took:
        for _ in range(10):
            envkit.resolve(free, host=host)
    assert took.seconds / 10 < 0.2
    remembered = len(list((host.data / "store" / "choices").iterdir()))
    envkit.plan(free, host=replace(host, environ={**host.environ, "PATH": str(tmp_path)}))
    assert len(list((host.data / "store" / "choices").iterdir())) == remembered + 1
    assert envkit.plan(free, host=host).key == key


@pytest.mark.core
def test_the_data_directory_is_private(host: Host, spec: Spec) -> None:
    """Nobody else can read what lies in the store."""
    envkit.ensure(spec, host=host, offline=True)
    assert os.stat(host.data).st_mode & 0o077 == 0


@pytest.mark.core
def test_a_place_is_needed_where_something_new_is_made(host: Host) -> None:
    """create, clone and provision need a name or a path, and say so."""
    with pytest.raises(envkit.UsageError) as caught:
        envkit.create(Spec(), host=host)
    assert caught.value.code == "name-or-prefix"
