"""Kernels of conda environments: activation captured in kernel.json, staleness, and kernelspecs that an environment brings itself."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from support.conda_channel import Channel

import envkit
from envkit import Environment, Host, Spec, jupyter
from envkit.control import Work
from envkit.kernels import composing, health, registration, shipped


def bash_environment(prefix: Path, **kernel: object) -> Environment:
    """Make an environment without Python that brings a kernelspec, `toy`."""
    (prefix / "conda-meta").mkdir(parents=True, exist_ok=True)
    (prefix / "conda-meta" / "history").touch()
    (prefix / "bin").mkdir(exist_ok=True)
    program = prefix / "bin" / "toy"
    program.write_text("#!/bin/sh\nexit 0\n")
    program.chmod(0o755)
    directory = prefix / "share" / "jupyter" / "kernels" / "toy"
    directory.mkdir(parents=True)
    spec = {"argv": ["toy", "{resource_dir}/run", "{connection_file}"], "display_name": "Toy", "language": "toy", **kernel}
    (directory / "kernel.json").write_text(json.dumps(spec))
    (directory / "logo-32x32.png").write_bytes(b"\x89PNG")
    return Environment(prefix=prefix, kind="conda")


@pytest.mark.core
def test_an_environment_without_python_is_registered_by_what_it_brings(tmp_path: Path, host: Host) -> None:
    """Its program is named by its whole path, its directory stays named, its own variables lie over the activation's."""
    env = bash_environment(tmp_path / "stats", env={"TOY": "${HOME}/toy", "PATH": "/evil"}, interrupt_mode="message")
    (env.prefix / "conda-meta" / "state").write_text(json.dumps({"env_vars": {"PRICE": "1 $", "TOY": "state"}}))
    active = replace(host, environ={**host.environ, "CONDA_SHLVL": "1", "CONDA_PREFIX": "/outer", "PRICE": "2"})
    kernel = jupyter.register(env, host=active)
    assert (kernel.name, kernel.display_name, kernel.owned) == ("stats", "Toy (stats)", True)
    written = json.loads((kernel.path / "kernel.json").read_text())
    own = env.prefix / "share" / "jupyter" / "kernels" / "toy"
    assert written["argv"] == [str(env.prefix / "bin" / "toy"), f"{own}/run", "{connection_file}"]
    assert (written["language"], written["interrupt_mode"]) == ("toy", "message")
    assert written["env"]["PATH"] == f"{env.prefix / 'bin'}:${{PATH}}"
    assert (written["env"]["TOY"], written["env"]["PRICE"]) == ("${HOME}/toy", "1 $$")
    assert (written["env"]["CONDA_SHLVL"], "CONDA_PREFIX_1" in written["env"]) == ("1", False)
    assert not [name for name in written["env"] if name.startswith("__CONDA")]
    assert (kernel.path / "logo-32x32.png").is_file()
    (listed,) = [found for found in jupyter.kernels(host=host) if found.name == "stats"]
    assert listed.environment is not None
    assert (listed.environment.prefix, listed.problem) == (env.prefix, None)


@pytest.mark.core
def test_a_stale_activation_is_told_without_running_scripts(tmp_path: Path, host: Host) -> None:
    """doctor sees that variables or scripts have changed since the kernel was registered, and runs none to see it."""
    env = bash_environment(tmp_path / "env")
    place = env.prefix / "etc" / "conda" / "activate.d"
    place.mkdir(parents=True)
    (place / "a.sh").write_text(f'echo ran >> "{tmp_path / "runs"}"\nexport A=1\n')
    kernel = jupyter.register(env, host=host)
    assert json.loads((kernel.path / "kernel.json").read_text())["env"]["A"] == "1"
    assert not [problem for problem in jupyter.doctor(host=host) if problem.subject == kernel.name]
    (place / "a.sh").write_text(f'echo ran >> "{tmp_path / "runs"}"\nexport A=2\n')
    (problem,) = [problem for problem in jupyter.doctor(host=host) if problem.subject == kernel.name]
    assert problem.code == "activation-stale"
    assert (tmp_path / "runs").read_text() == "ran\n"
    again = jupyter.register(env, host=host)
    assert json.loads((again.path / "kernel.json").read_text())["env"]["A"] == "2"


@pytest.mark.core
def test_what_cannot_be_registered_is_refused(tmp_path: Path, host: Host) -> None:
    """A program that is not there is an error of its own; an environment that brings nothing and has no Python says so."""
    env = bash_environment(tmp_path / "env")
    (env.prefix / "bin" / "toy").unlink()
    with pytest.raises(envkit.KernelError) as missing:
        jupyter.register(env, host=host)
    assert missing.value.code == "interpreter-missing"
    (env.prefix / "share" / "jupyter" / "kernels" / "toy" / "kernel.json").write_text("broken")
    assert shipped.shipped(env, host) == ()
    with pytest.raises(envkit.KernelError):
        jupyter.register(env, host=host)


@pytest.mark.core
def test_a_kernel_that_does_not_answer_is_no_proof(tmp_path: Path, host: Host) -> None:
    """A program that ends at once is told as such, with the code of the cause."""
    kernel = jupyter.register(bash_environment(tmp_path / "env"), host=host)
    with pytest.raises(envkit.KernelError) as died:
        jupyter.verify(kernel, host=host)
    assert died.value.code == "died"


@pytest.mark.slow
def test_real_kernels_of_a_real_environment(channel: Channel, conda_host: Host, tmp_path: Path) -> None:
    """Python's kernel has what activate.d does; the one that a package brings is meant for it, and proven by what it answers."""
    pytest.importorskip("rattler", reason="the embedded engine (extra conda) is not installed")
    wanted = ("python", "pip", "ipykernel", "r-irkernel", "activating", "variables")
    env = envkit.ensure(Spec(prefix=tmp_path / "env", conda=wanted, channels=(channel.url,)), host=conda_host)
    with jupyter.session(env, host=conda_host) as session:
        said = session.run(
            "import os; print(repr([os.environ['ACTIVATING_SAYS'], os.environ['VARIABLES_QUOTED'], os.environ['CONDA_PREFIX']]))"
        )
    assert said.text.strip() == repr(["it's on", 'it\'s $(date) `id` "x" %PATH%\nsecond line', str(env.prefix)])
    own = shipped.meant(env, conda_host, ("r-base", "r-irkernel"))
    assert own is not None
    assert (own.name, shipped.meant(env, conda_host, ("ipykernel",))) == ("ir", None)
    work = Work(host=conda_host)
    stats = health.proven(registration.registered(env, work, name="stats", own=own), work)
    assert stats.proof is not None
    assert (str(stats.proof.version), stats.display_name) == ("4.4.1", "R (stats)")
    assert stats.proof.text == f"R 4.4.1 in {env.prefix}, by IRkernel 1.3"
    assert composing.fingerprint(env, conda_host) == composing.fingerprint(env, replace(conda_host, environ={"PATH": "/bin"}))


@pytest.mark.core
def test_a_kernel_follows_what_packages_do_to_the_activation(tiny_channel: Channel, conda_host: Host, tmp_path: Path) -> None:
    """What installing, uninstalling and upgrading change of the activation stands in the kernelspec afterwards; what the caller gave stays."""
    pytest.importorskip("rattler", reason="the embedded engine (extra conda) is not installed")
    env = envkit.create(tmp_path / "env", conda=["variables"], channels=[tiny_channel.url], host=conda_host)
    bash_environment(env.prefix)
    kernel = jupyter.register(env, name="toy", variables={"STAGE": "$x"}, host=conda_host)

    def told() -> dict[str, str]:
        assert [problem.code for problem in jupyter.doctor(host=conda_host) if problem.subject == "toy"] == []
        said: dict[str, str] = json.loads((kernel.path / "kernel.json").read_text())["env"]
        assert said["STAGE"] == "$$x"
        return said

    assert ("VARIABLES_PLAIN" in told(), "ACTIVATING_SAYS" in told()) == (True, False)
    envkit.install(env, conda=["activating"], host=conda_host)
    assert told()["ACTIVATING_SAYS"] == "it's on"
    envkit.uninstall(env, "variables", host=conda_host)
    assert ("VARIABLES_PLAIN" in told(), "ACTIVATING_SAYS" in told()) == (False, True)
    envkit.ensure(Spec(prefix=env.prefix, conda=("variables",), channels=(tiny_channel.url,)), host=conda_host)
    assert told()["VARIABLES_PLAIN"] == "plain"
