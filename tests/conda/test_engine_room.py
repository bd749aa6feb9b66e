"""The face of the conda room, as the desk uses it: make, install, upgrade, look for newer ones, uninstall, tell what is foreign."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.conda_channel import Channel

from envkit import conda
from envkit.control import Work
from envkit.errors import UsageError
from envkit.host import Host
from envkit.models.environment import Environment
from envkit.models.packages import Changes
from envkit.models.specs import Lock, Project, Sources, Spec

pytestmark = pytest.mark.core
SOURCES = Sources()


@pytest.fixture
def work(conda_host: Host) -> Work:
    return Work(host=conda_host)


@pytest.fixture
def env(tmp_path: Path, tiny_channel: Channel, work: Work) -> Environment:
    """An environment with tiny 1.0, asked for as "tiny <2", and leaf, which needs it."""
    prefix = tmp_path / "environment"
    spec = Spec(prefix=prefix, conda=("leaf", "tiny <2"), channels=(tiny_channel.url, "nodefaults"), variables={"ANSWER": "it's 42"})
    conda.build(prefix, spec=spec, base=None, work=work)
    return Environment(prefix=prefix, kind="conda")


def told(changes: Changes) -> tuple[list[str], list[str], list[str]]:
    return [*map(str, changes.added)], [*map(str, changes.removed)], [f"{old} > {new.version}" for old, new in changes.updated]


def test_what_is_built_has_the_variables_of_its_spec(env: Environment) -> None:
    assert json.loads((env.prefix / "conda-meta/state").read_text()) == {"env_vars": {"ANSWER": "it's 42"}}


def test_a_lock_is_built_exactly(tmp_path: Path, tiny_channel: Channel, work: Work) -> None:
    record = tiny_channel.record("tiny", "1.0")
    lock = Lock(format="explicit.txt", text=f"@EXPLICIT\n{record['url']}#{record['md5']}\n", packages=())
    conda.build(tmp_path / "locked", spec=Spec(prefix=tmp_path / "locked", lock=lock), base=None, work=work)
    found = conda.installed(Environment(prefix=tmp_path / "locked", kind="conda"), work.host)
    assert [str(package) for package in found] == ["tiny 1.0"]


def test_packages_come_from_where_the_others_came_from(env: Environment, work: Work, tiny_channel: Channel) -> None:
    changes = conda.install(env, ["native"], sources=SOURCES, work=work)
    assert told(changes) == (["native 1.0"], [], [])
    added = changes.added[0]
    assert (added.ecosystem, added.requested, added.channel, added.build) == ("conda", True, tiny_channel.url, "h0_0")
    assert changes.added[0] in conda.installed(env, work.host)


def test_a_dry_run_announces_what_then_happens(env: Environment, work: Work) -> None:
    announced = conda.install(env, ["tiny>=2"], sources=SOURCES, dry_run=True, work=work)
    assert told(announced) == ([], [], ["tiny 1.0 > 2.0"])
    assert conda.unsatisfied(env, ["tiny>=2"], work.host) == ("tiny>=2",)
    assert conda.install(env, ["tiny>=2"], sources=SOURCES, work=work) == announced
    assert conda.unsatisfied(env, ["tiny>=2", "leaf"], work.host) == ()


def test_constraints_limit_one_call(env: Environment, work: Work, tiny_channel: Channel) -> None:
    conda.uninstall(env, ["tiny"], work=work)
    channels = [tiny_channel.url, "nodefaults"]
    changes = conda.install(env, ["leaf"], sources=SOURCES, channels=channels, constraints=["tiny=1"], work=work)
    assert told(changes)[0] == ["leaf 1.0", "tiny 1.0"]


def test_an_upgrade_stays_within_what_was_asked_for_and_so_does_what_is_outdated(
    env: Environment, work: Work, tiny_channel: Channel
) -> None:
    assert conda.outdated(env, sources=SOURCES, work=work) == ()
    assert not conda.install(env, ["tiny"], sources=SOURCES, upgrade=True, work=work)
    assert not conda.install(env, [], sources=SOURCES, upgrade=True, work=work)
    conda.uninstall(env, ["tiny"], work=work)
    conda.install(env, ["leaf"], sources=SOURCES, channels=[tiny_channel.url, "nodefaults"], constraints=["tiny=1"], work=work)
    (newer,) = conda.outdated(env, sources=SOURCES, work=work)
    assert (newer.package.name, newer.package.version, newer.latest) == ("tiny", "1.0", "2.0")
    assert told(conda.install(env, [], sources=SOURCES, upgrade=True, work=work)) == ([], [], ["tiny 1.0 > 2.0"])


def test_what_is_torn_is_put_in_anew_without_a_channel(env: Environment, work: Work) -> None:
    (env.prefix / "share/tiny/version.txt").unlink()
    assert [problem.subject for problem in conda.broken(env, work.host)] == ["tiny"]
    changes = conda.install(env, ["tiny"], sources=SOURCES, channels=["file:///nowhere", "nodefaults"], reinstall=True, work=work)
    assert told(changes) == ([], [], ["tiny 1.0 > 1.0"])
    assert conda.broken(env, work.host) == ()


def test_uninstalling_says_what_goes_with_it_and_an_unknown_name_is_no_change(env: Environment, work: Work) -> None:
    assert told(conda.uninstall(env, ["Tiny", "nothing"], dry_run=True, work=work)) == ([], ["leaf 1.0", "tiny 1.0"], [])
    assert told(conda.uninstall(env, ["tiny"], work=work)) == ([], ["leaf 1.0", "tiny 1.0"], [])
    assert not conda.uninstall(env, ["tiny"], work=work)


def test_what_conda_cannot_do_is_said(env: Environment, work: Work) -> None:
    with pytest.raises(UsageError) as caught:
        conda.install(env, ["native"], sources=SOURCES, dependencies=False, work=work)
    assert caught.value.code == "dependencies"
    with pytest.raises(UsageError) as caught:
        conda.install(env, [Project(path=env.prefix)], sources=SOURCES, work=work)
    assert caught.value.code == "match-spec"


def test_files_of_nobody_are_told_and_those_of_packages_and_tools_are_not(env: Environment, work: Work) -> None:
    assert conda.strangers(env.prefix, work.host) == ()
    for name in ("notes.ipynb", "envs"):
        (env.prefix / name).mkdir()
    (env.prefix / ".envkit").mkdir()
    assert conda.strangers(env.prefix, work.host) == ("envs", "notes.ipynb")
    record = env.prefix / "conda-meta/leaf-1.0-h0_0.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), "files": ["notes.ipynb/a"]}))
    assert conda.strangers(env.prefix, work.host) == ("envs",)
    assert conda.strangers(env.prefix.parent, work.host) is None
