"""envkit beside a real conda on one channel: environments go back and forth, and each agrees with what the other says of them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from support import conda_real
from support.conda_channel import Channel
from support.conda_real import RealConda

from envkit import conda
from envkit.conda import bookkeeping, configuration, rattler
from envkit.conda.request import Outcome, Wish
from envkit.control import Work
from envkit.discovery import search
from envkit.discovery.locators import TABLE
from envkit.host import Host
from envkit.models.environment import Environment

pytestmark = [pytest.mark.slow, conda_real.needs_conda]

HOSTILE = {"IT": "it's", "RUN": "$(echo x)", "TICK": "`id`", "LINES": "one\ntwo", "QUOTE": 'a "b" \\c', "DOLLAR": "$HOME", "EQUALS": "a=b"}


@pytest.fixture
def real(conda_host: Host) -> RealConda:
    return RealConda(conda_host.environ)


def _ours(host: Host, prefix: Path, channel: Channel, **wish: object) -> Outcome:
    settings = configuration.read(host, channels=[channel.url, "nodefaults"])
    return rattler.carry_out(Wish(prefix=prefix, **wish), settings, work=Work(host=host))  # type: ignore[arg-type]


def _environment(host: Host, prefix: Path) -> Environment:
    found = search.identify(host, str(prefix), TABLE)
    assert found is not None
    assert found.kind == "conda"
    return found


def _listed(real: RealConda, prefix: Path) -> list[tuple[str, str, str]]:
    return sorted((one["name"], one["version"], one["build_string"]) for one in real.json("list", f"--prefix={prefix}"))


def _files(prefix: Path) -> set[str]:
    found = {path.relative_to(prefix).as_posix() for path in prefix.rglob("*") if not path.is_dir()}
    return {path for path in found if not path.startswith("conda-meta/") and not path.endswith(".pyc")}


def test_conda_goes_on_with_an_environment_of_ours(conda_host: Host, real: RealConda, tiny_channel: Channel, tmp_path: Path) -> None:
    """conda finds, lists, checks, exports and changes what envkit made; it keeps to what was asked for, and envkit sees what it did."""
    prefix = tmp_path / "ours"
    outcome = _ours(conda_host, prefix, tiny_channel, create=True, install=("leaf", "tiny=1", "native"))
    assert _listed(real, prefix) == sorted((one.name, one.version, one.build) for one in outcome.after)
    assert all(line.startswith("✅") for line in real.doctor(prefix)), real.doctor(prefix)
    assert str(prefix) in real.listed()
    exported = real.text("env", "export", f"--prefix={prefix}", "--from-history")
    assert {"  - leaf", "  - tiny=1", "  - native"} <= set(exported.splitlines())
    real.change("install", prefix, "rebuilt", channel=tiny_channel.url)
    there = {package.name: package for package in conda.installed(_environment(conda_host, prefix), conda_host)}
    assert sorted(there) == ["leaf", "native", "rebuilt", "tiny"]
    assert there["tiny"].version == "1.0", "conda keeps to what was asked for"
    assert {name for name, package in there.items() if package.requested} == {"leaf", "native", "rebuilt", "tiny"}
    real.json("remove", "--yes", f"--prefix={prefix}", "native")
    assert not (prefix / "bin/native-hello").exists()
    assert conda.broken(_environment(conda_host, prefix), conda_host) == ()
    revisions = real.json("list", f"--prefix={prefix}", "--revisions")
    assert [len(revision["install"]) for revision in revisions] == [3, 1, 0]


def test_envkit_goes_on_with_an_environment_of_conda_s(conda_host: Host, real: RealConda, tiny_channel: Channel, tmp_path: Path) -> None:
    """envkit lists, checks and changes what conda made, keeps to what was asked for there, and conda's checks find nothing afterwards."""
    prefix = tmp_path / "theirs"
    real.change("create", prefix, "leaf", "tiny=1", "native", channel=tiny_channel.url)
    environment = _environment(conda_host, prefix)
    assert sorted((one.name, one.version, one.build) for one in conda.installed(environment, conda_host)) == _listed(real, prefix)
    assert (conda.broken(environment, conda_host), conda.altered(environment, Work(host=conda_host))) == ((), ())
    assert bookkeeping.requested(prefix) == {"leaf": "leaf", "tiny": "tiny=1", "native": "native"}
    outcome = _ours(conda_host, prefix, tiny_channel, install=("rebuilt",))
    assert [one.name for one in outcome.linked] == ["rebuilt"]
    assert {one.name: one.version for one in outcome.after}["tiny"] == "1.0"
    _ours(conda_host, prefix, tiny_channel, remove=("native",))
    assert _listed(real, prefix) == sorted((one.name, one.version, one.build) for one in outcome.after if one.name != "native")
    assert all(line.startswith("✅") for line in real.doctor(prefix)), real.doctor(prefix)
    revisions = real.json("list", f"--prefix={prefix}", "--revisions")
    assert [(len(revision["install"]), len(revision["remove"])) for revision in revisions] == [(3, 0), (1, 0), (0, 1)]


def test_a_python_package_that_conda_installed_goes_without_a_trace(
    conda_host: Host, real: RealConda, channel: Channel, tmp_path: Path
) -> None:
    """Of a noarch package conda records where its files lie in the archive; envkit removes them where they are, bytecode as well."""
    prefix = tmp_path / "theirs"
    real.change("create", prefix, f"python={channel.pythons[0]}", channel=channel.url)
    before = {path for path in prefix.rglob("*") if "conda-meta" not in path.parts}
    real.change("install", prefix, "requests", channel=channel.url)
    added = {package.name for package in conda.installed(_environment(conda_host, prefix), conda_host)}
    assert {"requests", "idna", "urllib3"} <= added
    _ours(conda_host, prefix, channel, remove=("requests", "idna", "urllib3", "certifi", "charset-normalizer"))
    after = {path for path in prefix.rglob("*") if "conda-meta" not in path.parts}
    assert sorted(map(str, after - before)) == []
    assert sorted(map(str, before - after)) == []
    assert all(line.startswith("✅") for line in real.doctor(prefix)), real.doctor(prefix)


def test_a_python_package_that_envkit_installed_goes_by_conda(conda_host: Host, real: RealConda, channel: Channel, tmp_path: Path) -> None:
    """The same the other way round: conda removes what the embedded engine linked, and its files are all gone."""
    prefix = tmp_path / "ours"
    _ours(conda_host, prefix, channel, create=True, install=(f"python={channel.pythons[0]}",))
    before = _files(prefix)
    _ours(conda_host, prefix, channel, install=("six",))
    assert len(_files(prefix)) > len(before)
    real.json("remove", "--yes", f"--prefix={prefix}", "six")
    assert _files(prefix) == before


def test_conda_s_list_of_environments_keeps_ours_and_ours_keeps_theirs(
    conda_host: Host, real: RealConda, tiny_channel: Channel, tmp_path: Path
) -> None:
    """Each writes its own line into the same list, and finds the other's environment by it."""
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    real.change("create", theirs, "tiny", channel=tiny_channel.url)
    _ours(conda_host, ours, tiny_channel, create=True, install=("tiny",))
    lines = (conda_host.home / ".conda/environments.txt").read_text().splitlines()
    assert lines == [str(theirs), str(ours)]
    assert {str(ours), str(theirs)} <= real.listed()


def test_conda_obeys_a_frozen_mark_and_so_does_envkit(conda_host: Host, real: RealConda, tiny_channel: Channel, tmp_path: Path) -> None:
    """Both refuse an environment that the other would refuse, by the same file."""
    prefix = tmp_path / "frozen"
    _ours(conda_host, prefix, tiny_channel, create=True, install=("tiny",))
    (prefix / "conda-meta/frozen").write_text(json.dumps({"message": "ask Eve"}))
    with pytest.raises(AssertionError, match="EnvironmentIsFrozenError"):
        real.change("install", prefix, "leaf", channel=tiny_channel.url)
    with pytest.raises(Exception, match="ask Eve"):
        _ours(conda_host, prefix, tiny_channel, install=("leaf",))


def _conda_s(real: RealConda, prefix: Path, environ: Mapping[str, str]) -> dict[str, str | None]:
    """Return what conda's machine-readable activation sets (None: removes), with PATH as one text, and its scripts left aside."""
    said = json.loads(RealConda(environ).text("shell.posix+json", "activate", prefix))
    found: dict[str, str | None] = {name: str(value) for name, value in {**said["vars"]["export"], **said["vars"]["set"]}.items()}
    found |= dict.fromkeys(said["vars"]["unset"])
    return found | {"PATH": os.pathsep.join(said["path"]["PATH"])}


@pytest.mark.parametrize("outer", ["nothing", "another"])
def test_activation_is_conda_s_variable_by_variable(
    conda_host: Host, real: RealConda, tiny_channel: Channel, tmp_path: Path, outer: str
) -> None:
    """What conda's own activation would set, hostile values as well, is what envkit's sets, from nothing and inside of another one."""
    prefix = tmp_path / "an env"
    _ours(conda_host, prefix, tiny_channel, create=True, install=("variables",))
    (prefix / "conda-meta/state").write_text(json.dumps({"version": 1, "env_vars": {**HOSTILE, "GONE": "***unset***"}}))
    environ = {**conda_host.environ, "PATH": f"{real.directory}:/usr/bin:/bin", "HOME": str(conda_host.home)}
    if outer == "another":
        other = tmp_path / "other"
        _ours(conda_host, other, tiny_channel, create=True, install=("tiny",))
        environ |= {name: value for name, value in _conda_s(real, other, environ).items() if value is not None}
    host = replace(conda_host, environ=environ)
    activation = conda.activation(_environment(host, prefix), host)
    mine = activation.apply(environ)
    theirs = _conda_s(real, prefix, environ)
    for name, value in theirs.items():
        if name in {"PS1", "CONDA_PROMPT_MODIFIER"}:  # a prompt is the shell's, and hides the blank of a path's last name
            continue
        assert mine.get(name) == value, name
    own = {name for name in mine if mine[name] != environ.get(name)} - set(theirs)
    assert own <= {"CONDA_PROMPT_MODIFIER"}, own
    assert HOSTILE.items() <= mine.items()
