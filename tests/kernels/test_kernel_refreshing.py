"""Kernels of an environment that changes: what was captured is captured anew, what the caller said stays."""

import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest

import envkit
from envkit import jupyter
from envkit.host import Host


def said(kernel: envkit.Kernel) -> dict[str, str]:
    variables: dict[str, str] = json.loads((kernel.path / "kernel.json").read_text())["env"]
    return variables


@pytest.mark.core
def test_a_kernel_follows_the_variables_of_its_environment(host: Host, tmp_path: Path) -> None:
    """All names of the kernel learn what the spec sets now; variables, secrets, mode, inheritance and display name are the caller's."""
    file = tmp_path / ".env"
    file.write_text("SECRET=old\nSHARED=mine\n")
    spec = envkit.Spec(prefix=tmp_path / "kept", variables={"SHARED": "theirs", "REGION": "south"})
    environment = envkit.ensure(spec, host=host)
    (next(environment.prefix.glob("lib/python*/site-packages")) / "ipykernel_launcher.py").touch()
    first = jupyter.register(
        environment, name="first", display_name="Mine", env_file=file, variables={"STAGE": "$x"}, inherit=["PYTHONPATH"], host=host
    )
    kernel = jupyter.rename(first, "second", host=host)
    file.write_text("SECRET=new\n")
    envkit.ensure(replace(spec, variables={"SHARED": "theirs too", "REGION": "north"}), host=host)
    for one in (kernel, first):
        there = said(one)
        assert {name: there.get(name) for name in ("SECRET", "SHARED", "REGION", "STAGE", "PYTHONPATH", "PYTHONHOME")} == {
            "SECRET": "old",
            "SHARED": "mine",
            "REGION": "north",
            "STAGE": "$$x",
            "PYTHONPATH": None,
            "PYTHONHOME": "",
        }
        assert stat.S_IMODE((one.path / "kernel.json").stat().st_mode) == 0o600
    shown = {one.name: one.display_name for one in jupyter.kernels(host=host)}
    assert (shown["second"], shown["first"]) == ("Mine", "Mine, formerly first")


@pytest.mark.slow
def test_a_kernel_follows_its_environment_to_another_python(host: Host, interpreters: dict[str, Path], tmp_path: Path) -> None:
    """An environment that is built anew on another Python: the display name that nobody chose, the arguments and the metadata are its own."""
    if len(interpreters) < 2:
        pytest.skip("there is one Python on this machine")
    older, newer = sorted(interpreters, key=lambda minor: tuple(map(int, minor.split("."))))[-2:]
    spec = envkit.Spec(name="moving", python=str(interpreters[older]), pypi=("ipykernel",))
    kernel = jupyter.register(envkit.ensure(spec, host=host), host=host)
    assert kernel.display_name == f"Python {older} (moving)"
    envkit.ensure(replace(spec, python=str(interpreters[newer])), host=host)
    (now,) = [one for one in jupyter.kernels(host=host) if one.name == "moving"]
    assert now.display_name == f"Python {newer} (moving)"
    assert not [problem for problem in jupyter.doctor(host=host) if problem.subject == "moving" and problem.code != "pip-missing"]


def test_a_kernel_that_cannot_be_refreshed_harms_no_change(host: Host, tmp_path: Path) -> None:
    """Its kernelspec broke meanwhile, and its interpreter cannot be named: the environment is what was asked for all the same."""
    spec = envkit.Spec(prefix=tmp_path / "kept")
    environment = envkit.ensure(spec, host=host)
    (next(environment.prefix.glob("lib/python*/site-packages")) / "ipykernel_launcher.py").touch()
    kernel = jupyter.register(environment, name="kept", host=host)
    file = kernel.path / "kernel.json"
    file.write_text(file.read_text().replace('"language": "python"', '"language": "cobol"'))
    before = file.read_bytes()
    envkit.ensure(replace(spec, variables={"REGION": "north"}), host=host)
    assert file.read_bytes() == before
    assert envkit.activation(environment, host=host).assign["REGION"] == "north"
