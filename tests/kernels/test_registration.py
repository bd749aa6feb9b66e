import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import envkit
from envkit.errors import ExistsError, KernelError, NotFoundError, RefusedError, UsageError
from envkit.host import Host
from envkit.kernels import registration
from envkit.models.environment import Environment

pytestmark = pytest.mark.core


def content_of(kernel: envkit.Kernel) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((kernel.path / "kernel.json").read_text())
    return read


def test_a_kernelspec_says_what_jupyter_needs(kernel_environment: Path, host: Host) -> None:
    """The interpreter is absolute and unresolved, the environment's programs come first, other Pythons' variables are blank, ipykernel's metadata stays."""
    kernel = envkit.jupyter.register(kernel_environment, host=host, variables={"COST": "5 $HOME"})
    written = content_of(kernel)
    assert kernel.name == "analysis"
    assert kernel.owned
    assert kernel.path == Path(host.environ["JUPYTER_DATA_DIR"]) / "kernels" / "analysis"
    assert written["argv"][0] == str(kernel_environment / "bin" / "python")
    assert written["argv"][-4:] == ["-m", "ipykernel_launcher", "-f", "{connection_file}"]
    assert written["display_name"] == "Python {}.{} (analysis)".format(*sys.version_info[:2])
    assert written["env"]["PATH"] == f"{kernel_environment / 'bin'}:${{PATH}}"
    assert written["env"]["VIRTUAL_ENV"] == str(kernel_environment)
    assert written["env"]["PYTHONHOME"] == written["env"]["PYTHONPATH"] == ""
    assert written["env"]["COST"] == "5 $$HOME"
    shipped = json.loads((kernel_environment / "share" / "jupyter" / "kernels" / "python3" / "kernel.json").read_text())
    assert shipped["metadata"].items() <= written["metadata"].items()
    assert written["metadata"]["envkit"]["environment"] == str(kernel_environment)
    assert (kernel.path / "logo-svg.svg").is_file()


def test_what_is_inherited_is_not_blanked(kernel_environment: Path, host: Host) -> None:
    """PYTHONPATH of Jupyter's process reaches the kernel where the caller says so."""
    written = content_of(envkit.jupyter.register(kernel_environment, host=host, inherit=["PYTHONPATH"]))
    assert "PYTHONPATH" not in written["env"]
    assert written["env"]["PYTHONHOME"] == ""


def test_the_same_environment_again_is_a_refresh(kernel_environment: Path, host: Host) -> None:
    """A second registration of the same name for the same environment changes what it says, and is never an error."""
    first = envkit.jupyter.register(kernel_environment, name="Demo", host=host)
    second = envkit.jupyter.register(kernel_environment, name="demo", display_name="Other", host=host)
    assert first.path == second.path
    assert content_of(second)["display_name"] == "Other"
    own = [kernel.name for kernel in envkit.jupyter.kernels(host=host) if kernel.owned and kernel.path.is_relative_to(host.home)]
    assert own == ["demo"]


def test_another_environments_name_is_not_taken(kernel_environment: Path, bare_environment: Path, host: Host) -> None:
    """A name that another environment has is an ExistsError, before anything is installed, unless the caller says what to do."""
    envkit.jupyter.register(kernel_environment, name="demo", host=host)
    with pytest.raises(ExistsError) as caught:
        envkit.jupyter.register(bare_environment, name="demo", host=host)
    assert caught.value.code == "kernel-exists"
    assert not list((bare_environment / "lib").rglob("ipykernel_launcher.py"))
    registration.refuse_other_owner("demo", kernel_environment, host)
    with pytest.raises(ExistsError):
        registration.refuse_other_owner("demo", bare_environment, host)


def test_a_taken_name_gets_a_number_or_is_replaced(kernel_environment: Path, host: Host) -> None:
    """With "suffix" the next free name is taken, and found again the next time; with "replace" the other kernel gives way."""
    kernels = Path(host.environ["JUPYTER_DATA_DIR"]) / "kernels"
    for name in ("demo", "demo-2", "x" * 64):
        (kernels / name).mkdir(parents=True)
        (kernels / name / "kernel.json").write_text(
            json.dumps({"argv": ["/other/bin/python"], "display_name": "other", "language": "python"})
        )
    for _ in range(2):
        kernel = envkit.jupyter.register(kernel_environment, name="demo", on_exists="suffix", host=host)
        assert (kernel.name, kernel.display_name[-8:]) == ("demo-3", "(demo-3)")
    assert envkit.jupyter.register(kernel_environment, name="x" * 64, on_exists="suffix", host=host).name == "x" * 62 + "-2"
    assert envkit.jupyter.register(kernel_environment, name="demo", on_exists="replace", host=host).name == "demo"


def test_a_kernel_that_ipykernel_registered_for_the_environment_is_taken_over(kernel_environment: Path, host: Host) -> None:
    """A kernelspec that another tool wrote for the same environment is no other environment's: it becomes envkit's."""
    command = [str(kernel_environment / "bin" / "python"), "-m", "ipykernel", "install", "--user", "--name", "demo"]
    subprocess.run(command, env=dict(host.environ), check=True, capture_output=True)
    assert not next(kernel for kernel in envkit.jupyter.kernels(host=host) if kernel.name == "demo").owned
    registration.refuse_other_owner("demo", kernel_environment, host)
    assert envkit.jupyter.register(kernel_environment, name="demo", host=host).owned


@pytest.mark.parametrize("name", ["..", ".", "a/b", "con", "é", "3.12", "pypy", ">=3", "x" * 300, "a\n", "\u017f", ""])
def test_a_name_that_is_not_allowed_touches_nothing(name: str, kernel_environment: Path, host: Host) -> None:
    """Jupyter's own install deletes a data directory for such names; here they are refused, and what was there stays."""
    envkit.jupyter.register(kernel_environment, name="kept", host=host)
    with pytest.raises(UsageError) as caught:
        envkit.jupyter.register(kernel_environment, name=name, host=host)
    assert caught.value.code == "name"
    assert caught.value.hint
    assert os.listdir(Path(host.environ["JUPYTER_DATA_DIR"]) / "kernels") == ["kept"]


def test_arguments_are_checked_before_anything_happens(kernel_environment: Path, host: Host) -> None:
    """A word that no keyword knows is refused, and nothing is written."""
    for wrong in (
        {"scope": "users"},
        {"on_exists": "overwrite"},
        {"install_ipykernel": "yes"},
        {"variables": {"A=B": "x"}},
        {"name": Path("demo")},
        {"display_name": " "},
    ):
        with pytest.raises(UsageError) as caught:
            envkit.jupyter.register(kernel_environment, host=host, **wrong)
        assert caught.value.hint
    with pytest.raises(TypeError):
        envkit.jupyter.register(kernel_environment, host=host, inherit="PYTHONPATH")
    with pytest.raises(TypeError, match="'THREADS' is 4"):
        envkit.jupyter.register(kernel_environment, host=host, variables={"THREADS": 4})  # type: ignore[dict-item]
    with pytest.raises(TypeError):
        envkit.jupyter.register(kernel_environment, host=host, scop="user")  # type: ignore[call-arg]
    assert not Path(host.environ["JUPYTER_DATA_DIR"]).exists()


def test_a_scope_is_a_directory(kernel_environment: Path, host: Host, tmp_path: Path) -> None:
    """A Path is a data directory as JUPYTER_PATH lists them; Jupyter finds what was written there."""
    kernel = envkit.jupyter.register(kernel_environment, name="demo", scope=tmp_path / "data", host=host)
    assert kernel.path == tmp_path / "data" / "kernels" / "demo"
    listing = replace(host, environ={**host.environ, "JUPYTER_PATH": str(tmp_path / "data")})
    assert "demo" in {found.name for found in envkit.jupyter.kernels(host=listing)}
    command = [sys.executable, "-m", "jupyter_client.kernelspecapp", "list", "--json"]
    said = subprocess.run(command, env=dict(listing.environ), capture_output=True, text=True, check=True).stdout
    assert json.loads(said)["kernelspecs"]["demo"]["resource_dir"] == str(kernel.path)


def test_without_ipykernel_it_is_said_or_installed(bare_environment: Path, host: Host) -> None:
    """An environment that has no ipykernel is not made a kernel that cannot start."""
    with pytest.raises(KernelError) as caught:
        envkit.jupyter.register(bare_environment, name="bare", install_ipykernel="never", host=host)
    assert caught.value.code == "ipykernel-missing"
    assert "bare" not in {kernel.name for kernel in envkit.jupyter.kernels(host=host)}


def test_an_environment_without_interpreter_cannot_be_registered(host: Host, tmp_path: Path) -> None:
    """A broken environment says what is wrong with it."""
    prefix = tmp_path / "broken"
    (prefix / "bin").mkdir(parents=True)
    (prefix / "pyvenv.cfg").write_text("home = /gone/bin\nversion = 3.12.1\n")
    (prefix / "bin" / "python").symlink_to("/gone/bin/python")
    with pytest.raises(KernelError) as caught:
        envkit.jupyter.register(prefix, host=host)
    assert caught.value.code == "interpreter-missing"


def test_only_what_envkit_wrote_is_unregistered(kernel_environment: Path, host: Host) -> None:
    """Another tool's kernel stays unless the caller says so; a dry run removes nothing; a second time there is none."""
    envkit.jupyter.register(kernel_environment, name="demo", host=host)
    other = Path(host.environ["JUPYTER_DATA_DIR"]) / "kernels" / "other"
    other.mkdir()
    (other / "kernel.json").write_text('{"argv": ["/bin/sh"], "display_name": "sh", "language": "sh"}')
    (other / "kernel.js").write_text("")
    with pytest.raises(RefusedError) as caught:
        envkit.jupyter.unregister("other", host=host)
    assert caught.value.code == "foreign-kernel"
    planned = envkit.jupyter.unregister("Demo", dry_run=True, host=host)
    assert (planned.done, planned.paths[0].is_dir()) == (False, True)
    done = envkit.jupyter.unregister(planned.kernels[0], host=host)
    assert (done.done, done.paths[0].exists(), done.size > 0) == (True, False, True)
    assert envkit.jupyter.unregister("other", foreign=True, host=host).done
    assert not other.exists()
    with pytest.raises(NotFoundError) as missing:
        envkit.jupyter.unregister("demo", host=host)
    assert missing.value.code == "kernel-not-found"


def test_the_kernels_of_an_environment_are_found_in_every_scope(kernel_environment: Path, host: Host, tmp_path: Path) -> None:
    """What belongs to an environment is found where Jupyter looks and inside it, also when the environment is gone; other kernels are not."""
    moved = tmp_path / "link"
    moved.symlink_to(kernel_environment)
    one = envkit.jupyter.register(kernel_environment, name="one", host=host)
    two = envkit.jupyter.register(moved, name="two", host=host)
    three = envkit.jupyter.register(kernel_environment, name="three", scope=kernel_environment / "share" / "jupyter", host=host)
    found = registration.kernels_of(Environment(prefix=kernel_environment, kind="venv"), host)
    assert [kernel.path for kernel in found] == [one.path, two.path, three.path]
    registration.remove_kernels(found, envkit.control.Work(host=host))
    assert registration.kernels_of(Environment(prefix=kernel_environment, kind="venv"), host) == ()


def test_removing_another_tools_environment_takes_kernels_along(bare_environment: Path, host: Host, tmp_path: Path) -> None:
    """It has no record of envkit's: its kernels are found all the same, also where only another Python's Jupyter looks."""
    prefix = tmp_path / "theirs"
    shutil.copytree(bare_environment, prefix, symlinks=True)
    (next(prefix.glob("lib/python*/site-packages")) / "ipykernel_launcher.py").touch()
    mine = envkit.jupyter.register(prefix, name="mine", host=host)
    apart = envkit.jupyter.register(prefix, name="apart", scope=tmp_path / "elsewhere", host=host)
    renamed = envkit.jupyter.rename(apart, "renamed", host=host)
    removal = envkit.remove(prefix, foreign=True, host=host)
    assert {kernel.name for kernel in removal.kernels} == {"mine", "apart", "renamed"}
    assert not [kernel.path for kernel in (mine, apart, renamed) if kernel.path.exists()]


def test_a_kernel_without_a_name_is_called_after_its_environment(host: Host, tmp_path: Path) -> None:
    """The name comes from the environment's name, its project, or its directory, and is always allowed."""
    names = {
        Environment(prefix=Path("/x"), kind="venv", name="Analysis"): "analysis",
        Environment(prefix=Path("/home/me/My Project/.venv"), kind="venv"): "my-project",
        Environment(prefix=Path("/home/me/é/.venv"), kind="venv"): "e",
        Environment(prefix=Path("/opt/3.12.1"), kind="interpreter"): "env-3.12.1",
        Environment(prefix=Path("/"), kind="interpreter"): "environment",
        Environment(prefix=Path("/a/con"), kind="venv"): "my-con",
    }
    assert {registration.name_for(env): name for env, name in names.items()} == dict(zip(names.values(), names.values(), strict=True))
    assert [registration.name_for(env) for env in names] == list(names.values())


def test_a_place_that_cannot_be_remembered_is_not_written(kernel_environment: Path, host: Host, tmp_path: Path) -> None:
    """A kernelspec in a directory of the caller's own would be found by nobody who removes the environment: nothing is left behind."""
    (host.data / "kernel-scopes.json" / "in the way").mkdir(parents=True)
    with pytest.raises(envkit.MachineError) as caught:
        envkit.jupyter.register(kernel_environment, scope=tmp_path / "own", host=host)
    assert caught.value.hint
    assert not list((tmp_path / "own").rglob("kernel.json"))
    (host.data / "kernel-scopes.json" / "in the way").rmdir()
    (host.data / "kernel-scopes.json").rmdir()
    assert envkit.jupyter.register(kernel_environment, scope=tmp_path / "own", host=host).path.is_dir()
    assert json.loads((host.data / "kernel-scopes.json").read_text()) == [str(tmp_path / "own" / "kernels")]
