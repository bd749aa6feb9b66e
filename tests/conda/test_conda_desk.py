"""conda environments by the public verbs: one API for both kinds."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from support.conda_channel import Channel

import envkit
from envkit import Host, Spec
from envkit.formats.values import from_json, to_json


def names(env: envkit.Environment, host: Host) -> dict[str, str]:
    return {package.name: package.version for package in envkit.installed(env, host=host)}


@pytest.mark.core
def test_the_life_of_a_conda_environment(tiny_channel: Channel, conda_host: Host) -> None:
    """create, look, change, run, remove, by name and without a Python: whole at each step, and a second ensure plans nothing."""
    spec = Spec(name="small", conda=("tiny=1",), channels=(tiny_channel.url,))
    made = envkit.ensure(spec, host=conda_host)
    assert (made.kind, made.manager, made.name, made.python, made.problem) == ("conda", "envkit", "small", None, None)
    assert names(made, conda_host) == {"tiny": "1.0"}
    assert not envkit.plan(spec, host=conda_host)
    assert envkit.check(made, host=conda_host) == ()
    assert made in list(envkit.find(kinds=["conda"], host=conda_host))
    (newer,) = envkit.install("small", conda=["tiny>=2"], host=conda_host).updated
    assert [package.version for package in newer] == ["1.0", "2.0"]
    inside = envkit.run("small", ["sh", "-c", 'printf %s "$CONDA_PREFIX"'], capture_output=True, host=conda_host)
    assert inside.stdout == str(made.prefix)
    assert [package.name for package in envkit.uninstall("small", "tiny", host=conda_host).removed] == ["tiny"]
    removed = envkit.remove("small", host=conda_host)
    assert removed.done
    assert not made.prefix.exists()


@pytest.mark.core
def test_a_plan_says_what_would_come_and_apply_makes_that(tiny_channel: Channel, conda_host: Host, tmp_path: Path) -> None:
    """The plan has packages, size and a lock; it can be sent; what is applied is what was shown, and a second time it is stale."""
    spec = Spec(prefix=tmp_path / "env", conda=("tiny",), channels=(tiny_channel.url,))
    planned = envkit.plan(spec, host=conda_host)
    assert [step.action for step in planned.steps] == ["create", "install", "download"]
    assert [(package.name, package.ecosystem) for package in planned.changes.added] == [("tiny", "conda")]
    assert planned.lock is not None
    assert not (tmp_path / "env").exists()
    made = envkit.apply(from_json(to_json(planned), envkit.Plan), host=conda_host)
    assert names(made, conda_host) == {"tiny": "2.0"}
    with pytest.raises(envkit.RefusedError) as refused:
        envkit.apply(planned, host=conda_host)
    assert refused.value.code == "plan-stale"
    assert [package.name for package in envkit.install(made, conda=["tiny=1"], dry_run=True, host=conda_host).updated[0]] == ["tiny"] * 2
    assert names(made, conda_host) == {"tiny": "2.0"}


@pytest.mark.core
def test_what_cannot_be_leaves_nothing(tiny_channel: Channel, conda_host: Host, tmp_path: Path) -> None:
    """A package that no channel has, and PyPI's packages where no Python is: a typed error, and nothing half made."""
    with pytest.raises(envkit.InstallError) as failed:
        envkit.create(tmp_path / "deep" / "env", conda=["nosuch"], channels=[tiny_channel.url], host=conda_host)
    assert failed.value.code == "package-not-found"
    assert list(tmp_path.joinpath("deep").glob("*")) == []
    made = envkit.create(tmp_path / "env", conda=["tiny"], channels=[tiny_channel.url], host=conda_host)
    with pytest.raises(envkit.UsageError) as refused:
        envkit.install(made, "rich", host=conda_host)
    assert refused.value.code == "python-missing"
    assert "conda=" in str(refused.value.hint)
    with pytest.raises(envkit.ExistsError):
        envkit.create(tmp_path / "env", conda=["tiny"], channels=[tiny_channel.url], host=conda_host)


@pytest.mark.core
def test_a_virtual_environment_takes_no_conda_packages(tiny_channel: Channel, conda_host: Host) -> None:
    """install says so; a spec for conda at its place would build anew, and one for PyPI alone keeps to the kind that is there."""
    envkit.create("plain", host=conda_host)
    with pytest.raises(envkit.UsageError) as refused:
        envkit.install("plain", conda=["tiny"], channels=[tiny_channel.url], host=conda_host)
    assert refused.value.code == "not-conda"
    envkit.create("small", conda=["tiny"], channels=[tiny_channel.url], host=conda_host)
    assert not envkit.plan(Spec(name="small"), host=conda_host)
    planned = envkit.plan(Spec(name="plain", conda=("tiny",), channels=(tiny_channel.url,)), host=conda_host)
    assert planned.steps[0].action == "rebuild"


@pytest.mark.core
def test_eight_callers_get_one_content_addressed_build(tiny_channel: Channel, conda_host: Host) -> None:
    """Without name and prefix a conda environment is found again by what went into it, and never changed."""
    spec = Spec(conda=("tiny",), channels=(tiny_channel.url,))
    found: list[envkit.Environment] = []
    callers = [threading.Thread(target=lambda: found.append(envkit.ensure(spec, host=conda_host))) for _ in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len(found) == 8
    assert len({env.prefix for env in found}) == 1
    assert envkit.resolve(spec, host=conda_host).prefix == found[0].prefix
    with pytest.raises(envkit.RefusedError) as refused:
        envkit.install(found[0], conda=["zlib"], channels=[tiny_channel.url], host=conda_host)
    assert refused.value.code == "content-addressed"
    with envkit.temporary(spec, host=conda_host) as private:
        assert names(private, conda_host) == {"tiny": "2.0"}
        envkit.uninstall(private, "tiny", host=conda_host)
        assert names(found[0], conda_host) == {"tiny": "2.0"}
    assert not private.prefix.exists()


@pytest.mark.core
def test_variables_are_conda_s_too(tiny_channel: Channel, conda_host: Host) -> None:
    """What a spec sets is seen by run, stands where conda reads it, and follows a later ensure."""
    spec = Spec(name="small", conda=("tiny",), channels=(tiny_channel.url,), variables={"GREETING": "it's $(x)\nand more"})
    envkit.ensure(spec, host=conda_host)
    said = envkit.run("small", ["sh", "-c", 'printf %s "$GREETING"'], capture_output=True, host=conda_host).stdout
    assert said == "it's $(x)\nand more"
    made = envkit.ensure(Spec(name="small", conda=("tiny",), variables={"GREETING": "hello"}), host=conda_host)
    assert '"GREETING": "hello"' in (made.prefix / "conda-meta" / "state").read_text()


@pytest.mark.slow
def test_packages_of_pypi_lie_on_top(channel: Channel, conda_host: Host) -> None:
    """They are listed beside conda's; what conda owns is never overwritten; upgrade and uninstall reach each by its own manager."""
    minor = channel.pythons[-1].rpartition(".")[0]
    made = envkit.create("mixed", python=minor, conda=["pip"], pypi=["six<1.17"], channels=[channel.url], host=conda_host)
    assert made.version is not None
    assert made.version.release[:2] == tuple(map(int, minor.split(".")))
    listed = {package.name: package.ecosystem for package in envkit.installed(made, host=conda_host)}
    assert listed["six"] == "pypi"
    assert listed["pip"] == listed["python"] == "conda"
    with pytest.raises(envkit.RefusedError) as refused:
        envkit.install(made, "pip<25", host=conda_host)
    assert refused.value.code == "conda-owned"
    assert "conda=" in str(refused.value.hint)
    (before, after), *_ = envkit.upgrade(made, "six", host=conda_host, constraints=["six<2"]).updated or [(None, None)]
    assert before is None or (before.name, before.ecosystem) == ("six", "pypi")
    assert after is None or after.name == "six"
    assert [package.name for package in envkit.uninstall(made, "six", host=conda_host).removed] == ["six"]
    assert envkit.check(made, host=conda_host) == ()


@pytest.mark.slow
def test_a_conda_environment_is_a_kernel(channel: Channel, conda_host: Host) -> None:
    """provision makes it with ipykernel from the same channel and proves it; again nothing is to be done; remove takes the kernel along."""
    kernel = envkit.provision("analysis", conda=["python"], channels=[channel.url], host=conda_host)
    assert kernel.proof is not None
    assert kernel.environment is not None
    assert kernel.proof.prefix == kernel.environment.prefix
    listed = {package.name: package.ecosystem for package in envkit.installed(kernel.environment, host=conda_host)}
    assert (listed["ipykernel"], listed["pip"]) == ("conda", "conda")
    assert json.loads((kernel.path / "kernel.json").read_text())["argv"][0] == str(kernel.environment.python)
    again = envkit.provision("analysis", conda=["python"], channels=[channel.url], host=conda_host)
    assert again.proof is not None
    assert [gone.name for gone in envkit.remove("analysis", host=conda_host).kernels] == ["analysis"]


@pytest.mark.slow
def test_a_kernel_of_another_language_is_used(channel: Channel, conda_host: Host) -> None:
    """A package that brings a kernelspec gets that one registered, with the environment around it, and proven without a Python cell."""
    kernel = envkit.provision("stats", conda=["r-base", "r-irkernel"], channels=[channel.url], host=conda_host)
    assert kernel.display_name == "R (stats)"
    assert kernel.proof is not None
    assert json.loads((kernel.path / "kernel.json").read_text())["language"] == "R"
    assert kernel.environment is not None
    assert kernel.proof.prefix == kernel.environment.prefix
