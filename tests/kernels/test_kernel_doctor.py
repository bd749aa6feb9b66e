"""doctor and prune: each thing that can be wrong is told by its code, and the fix of an environment mends it."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import envkit
from envkit import jupyter
from envkit.formats.values import from_json, to_json
from envkit.host import Host
from envkit.models.environment import Problem
from envkit.models.vocabulary import PROBLEMS

LAUNCH = ("-m", "ipykernel_launcher", "-f", "{connection_file}")


@pytest.fixture
def host(host: Host) -> Host:
    """The outside world of these tests, with nothing on PATH but what the system has."""
    return replace(host, environ={**host.environ, "PATH": "/usr/bin:/bin"})


def written(host: Host, name: str, argv: tuple[str, ...], **fields: Any) -> Path:
    """Write a kernelspec as another tool would; return its directory."""
    directory = Path(host.environ["JUPYTER_DATA_DIR"]) / "kernels" / name
    directory.mkdir(parents=True)
    text = json.dumps({"argv": list(argv), "display_name": name, "language": "python", **fields})
    (directory / "kernel.json").write_text(text)
    return directory


def problems(host: Host, subject: str, **keywords: Any) -> dict[str, Problem]:
    """Return what the doctor says of one subject, by code."""
    found = jupyter.doctor(host=host, **keywords)
    assert all(problem.code in PROBLEMS and problem.hint for problem in found)
    return {problem.code: problem for problem in found if problem.subject == subject}


@pytest.mark.core
def test_a_registered_kernel_has_no_problem(kernel_environment: Path, host: Host) -> None:
    """What register writes is found to be in order."""
    jupyter.register(kernel_environment, name="demo", host=host)
    assert problems(host, "demo") == {}


def test_what_is_gone_is_told_and_pruned(bare_environment: Path, host: Host, tmp_path: Path) -> None:
    """An environment, an interpreter and what a wrapper leads to are missed; prune removes ours, and the others when told so."""
    prefix = tmp_path / "gone"
    shutil.copytree(bare_environment, prefix, symlinks=True)
    (next(prefix.glob("lib/python*/site-packages")) / "ipykernel_launcher.py").touch()
    jupyter.register(prefix, name="ours", host=host)
    shutil.rmtree(prefix)
    written(host, "theirs", ("/gone/bin/python", *LAUNCH))
    written(
        host, "shell", ("bash", "-c", 'source "/gone/with space/bin/activate" && exec python -m ipykernel_launcher -f {connection_file}')
    )
    written(host, "conda", ("/bin/sh", "/bin/env", "true"), language="sh")
    written(host, "runner", ("/usr/bin/python3", "-m", "nb_conda_kernels.runner", "/usr", "/gone/env", "/gone/env/bin/python"))
    written(host, "r", ("R-that-is-not-there", "--slave"), language="R")
    assert set(problems(host, "ours")) == {"environment-missing"}
    assert set(problems(host, "theirs")) == {"interpreter-missing"}
    assert set(problems(host, "shell")) == {"wrapper-target-missing"}
    assert set(problems(host, "runner")) == {"wrapper-target-missing"}
    assert "/gone/with space/bin/activate" in problems(host, "shell")["wrapper-target-missing"].message
    assert problems(host, "conda") == {}
    planned = jupyter.prune(dry_run=True, host=host)
    assert [(removal.kernels[0].name, removal.done) for removal in planned] == [("ours", False)]
    assert [removal.done for removal in jupyter.prune(host=host)] == [True]
    assert jupyter.prune(host=host) == ()
    everything = jupyter.prune(foreign=True, host=host)
    assert {removal.kernels[0].name for removal in everything} == {"theirs", "runner"}
    left = {kernel.name for kernel in jupyter.kernels(host=host)}
    assert left >= {"shell", "r", "conda"}
    assert not left & {"ours", "theirs", "runner"}


def test_a_wrapper_is_tied_to_its_environment(kernel_environment: Path, host: Host) -> None:
    """A shell that activates, and a runner, are linked to the environment that they lead to."""
    written(
        host, "shell", ("bash", "-c", f'. "{kernel_environment}/bin/activate" && exec python -m ipykernel_launcher -f {{connection_file}}')
    )
    written(host, "launcher", (str(kernel_environment / "bin" / "python"), os.path.abspath(__file__), "{connection_file}"))
    found = {kernel.name: kernel.environment for kernel in jupyter.kernels(host=host)}
    for name in ("shell", "launcher"):
        environment = found[name]
        assert environment is not None
        assert environment.prefix == kernel_environment


def test_what_cannot_be_read_is_told(host: Host) -> None:
    """Broken JSON and a byte order mark, which Jupyter passes over in silence."""
    directory = written(host, "broken", ("/bin/sh",))
    (directory / "kernel.json").write_text('{"argv": [')
    bom = written(host, "bom", ("/bin/sh",)) / "kernel.json"
    bom.write_bytes(b"\xef\xbb\xbf" + bom.read_bytes())
    assert "byte order mark" in problems(host, "bom")["spec-unreadable"].message
    assert problems(host, "broken")["spec-unreadable"].severity == "error"
    assert "jupyter.unregister('broken', foreign=True)" in str(problems(host, "broken")["spec-unreadable"].hint)
    assert jupyter.prune(foreign=True, host=host) == ()


def test_missing_packages_have_a_fix_that_apply_takes(host: Host, tmp_path: Path) -> None:
    """A kernel of an environment without ipykernel and pip is mended by the plans, and has no problem then."""
    environment = envkit.create(tmp_path / "bare", host=host)
    written(host, "bare", (str(environment.python), *LAUNCH), env={"PATH": f"{environment.prefix}/bin:${{PATH}}"})
    found = problems(host, "bare")
    assert set(found) == {"ipykernel-missing", "pip-missing"}
    assert found["ipykernel-missing"].severity == "error"
    assert found["ipykernel-missing"].message.startswith("ipykernel is not installed")
    for problem in found.values():
        assert problem.fix
        assert from_json(to_json(problem), type=Problem) == problem
        assert envkit.apply(problem.fix, host=host).prefix == environment.prefix
    assert problems(host, "bare") == {}


def test_an_environment_of_another_tool_has_a_fix_too(bare_environment: Path, host: Host, tmp_path: Path) -> None:
    """What apply would do there is what the plan says."""
    prefix = tmp_path / "theirs"
    shutil.copytree(bare_environment, prefix, symlinks=True)
    written(host, "theirs", (str(prefix / "bin" / "python"), *LAUNCH))
    fix = problems(host, "theirs")["ipykernel-missing"].fix
    assert fix is not None
    assert fix.spec is not None
    assert envkit.plan(fix.spec, host=host).steps == fix.steps


def test_an_old_ipykernel_is_told(bare_environment: Path, host: Host, tmp_path: Path) -> None:
    """Its version is read from the names of files."""
    prefix = tmp_path / "old"
    shutil.copytree(bare_environment, prefix, symlinks=True)
    (packages,) = prefix.glob("lib/python*/site-packages")
    (packages / "ipykernel_launcher.py").touch()
    (packages / "ipykernel-5.5.6.dist-info").mkdir()
    (packages / "ipykernel-5.5.6.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: ipykernel\nVersion: 5.5.6\n")
    written(host, "old", (str(prefix / "bin" / "python"), *LAUNCH))
    problem = problems(host, "old")["ipykernel-too-old"]
    assert "5.5.6" in problem.message
    assert problem.fix


def test_cells_that_would_land_elsewhere_are_told(kernel_environment: Path, bare_environment: Path, host: Host) -> None:
    """A kernelspec as ipykernel writes it, read by a Jupyter that runs in another activated environment."""
    written(host, "plain", (str(kernel_environment / "bin" / "python"), *LAUNCH))
    inside = replace(host, environ={**host.environ, "PATH": f"{bare_environment}/bin:/usr/bin:/bin"})
    problem = problems(inside, "plain")["path-mismatch"]
    assert str(bare_environment / "bin") in problem.message
    assert f"jupyter.register({str(kernel_environment)!r}, name='plain')" in str(problem.hint)
    jupyter.register(kernel_environment, name="plain", host=inside)
    assert problems(inside, "plain") == {}


def test_a_bare_python_is_told(host: Host) -> None:
    """A kernelspec that was copied from an environment starts whichever Python Jupyter runs in."""
    written(host, "copied", ("python", *LAUNCH))
    assert "bare-python" in problems(host, "copied")


def test_what_hides_another_is_told(kernel_environment: Path, host: Host, tmp_path: Path) -> None:
    """Of two kernelspecs of one name the first wins; the other one is told of, as a warning where it is ours."""
    jupyter.register(kernel_environment, name="twice", host=host)
    first = jupyter.register(kernel_environment, name="twice", scope=tmp_path / "data", host=host)
    both = replace(host, environ={**host.environ, "JUPYTER_PATH": str(tmp_path / "data")})
    problem = problems(both, "twice")["shadowed"]
    assert problem.severity == "warning"
    assert str(first.path) in problem.message


@pytest.mark.parametrize("variable", ["PYTHONPATH", "PYTHONHOME"])
def test_variables_that_break_it_are_told(kernel_environment: Path, host: Host, variable: str) -> None:
    """Another Python's packages or standard library; a kernelspec that envkit wrote blanks both."""
    written(host, "plain", (str(kernel_environment / "bin" / "python"), *LAUNCH))
    inside = replace(host, environ={**host.environ, variable: "/opt/lib/python3.6/site-packages"})
    assert problems(inside, "plain")["pythonpath-clash"].severity == "error"
    jupyter.register(kernel_environment, name="ours", host=inside)
    assert problems(inside, "ours") == {}


def test_a_provisioner_that_is_not_installed_is_told(kernel_environment: Path, host: Host) -> None:
    """Jupyter drops such a kernel without a word; the one that every Jupyter has is no problem."""
    stanza = {"provisioner_name": "cloud-provisioner"}
    argv = (str(kernel_environment / "bin" / "python"), *LAUNCH)
    written(host, "cloud", argv, metadata={"kernel_provisioner": stanza})
    written(host, "local", argv, metadata={"kernel_provisioner": {"provisioner_name": "local-provisioner"}})
    assert "cloud-provisioner" in problems(host, "cloud")["provisioner-missing"].message
    assert "provisioner-missing" not in problems(host, "local")
    assert "provisioner-missing" in problems(host, "cloud", visible_from=kernel_environment)


def test_a_stale_activation_and_another_python_are_told(host: Host, tmp_path: Path) -> None:
    """Variables that the environment was given behind the kernel's back, and a Python that it was not registered with."""
    spec = envkit.Spec(prefix=tmp_path / "kept", pypi=("ipykernel",), seed="pip")
    environment = envkit.ensure(spec, host=host)
    kernel = jupyter.register(environment, name="kept", host=host)
    file = kernel.path / "kernel.json"
    before = file.read_bytes()
    envkit.ensure(replace(spec, variables={"REGION": "north"}), host=host)
    assert problems(host, "kept") == {}
    file.write_bytes(before)
    assert set(problems(host, "kept")) == {"activation-stale"}
    jupyter.register(environment, name="kept", host=host)
    assert problems(host, "kept") == {}
    file.write_text(file.read_text().replace(f'"python": "{environment.version}"', '"python": "3.7.1"'))
    assert set(problems(host, "kept")) == {"python-changed"}


def test_what_is_seen_depends_on_where_jupyter_runs(kernel_environment: Path, bare_environment: Path, host: Host) -> None:
    """A kernel inside an environment is found by a Jupyter of that environment, before the user's own."""
    inside = {kernel.name: kernel.path for kernel in jupyter.kernels(visible_from=kernel_environment, host=host)}
    assert inside["python3"] == kernel_environment / "share" / "jupyter" / "kernels" / "python3"
    elsewhere = {kernel.path for kernel in jupyter.kernels(visible_from=bare_environment, host=host)}
    assert inside["python3"] not in elsewhere
    with pytest.raises(envkit.NotFoundError):
        jupyter.kernels(visible_from="nothing-here", host=host)


def test_a_managed_environment_that_is_half_made_is_told(host: Host) -> None:
    """Also one that no kernel starts."""
    prefix = host.data / "environments" / "half"
    prefix.mkdir(parents=True)
    assert set(problems(host, str(prefix))) == {"half-made"}
