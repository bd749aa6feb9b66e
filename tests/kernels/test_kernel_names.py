"""Renaming kernels: old notebooks still open, nothing of anybody else is touched."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import envkit
from envkit import jupyter
from envkit.errors import ExistsError, NotFoundError, RefusedError, UsageError
from envkit.host import Host


def _directory(host: Host) -> Path:
    return Path(host.environ["JUPYTER_DATA_DIR"]) / "kernels"


def _names(host: Host) -> set[str]:
    return {kernel.name for kernel in jupyter.kernels(host=host) if kernel.owned and kernel.path.is_relative_to(_directory(host))}


@pytest.mark.core
def test_the_old_name_goes_on_starting_the_kernel(kernel_environment: Path, host: Host) -> None:
    """After a rename both names start the same environment, and Jupyter itself finds both."""
    jupyter.register(kernel_environment, name="analysis", variables={"COLOUR": "red"}, host=host)
    renamed = jupyter.rename("Analysis", "Analysis-2024", host=host)
    assert (renamed.name, renamed.display_name.endswith("(analysis-2024)"), renamed.owned) == ("analysis-2024", True, True)
    assert renamed.environment is not None
    assert renamed.environment.prefix == kernel_environment
    old = json.loads((_directory(host) / "analysis" / "kernel.json").read_text())
    new = json.loads((renamed.path / "kernel.json").read_text())
    assert (old["argv"], old["env"], old["env"]["COLOUR"]) == (new["argv"], new["env"], "red")
    assert old["display_name"] == f"{renamed.display_name}, formerly analysis"
    said = subprocess.run(
        [sys.executable, "-m", "jupyter_client.kernelspecapp", "list", "--json"], env=dict(host.environ), capture_output=True, check=True
    ).stdout
    assert {"analysis", "analysis-2024"} <= set(json.loads(said)["kernelspecs"])
    assert not [problem for problem in jupyter.doctor(host=host) if problem.subject in {"analysis", "analysis-2024"}]


def test_a_rename_can_be_repeated_chained_and_taken_back(kernel_environment: Path, host: Host) -> None:
    """A second call changes nothing; each earlier name leads to the latest; the first name can be had again."""
    jupyter.register(kernel_environment, name="a", host=host)
    assert jupyter.rename("a", "b", host=host) == jupyter.rename("a", "b", host=host)
    assert jupyter.rename("b", "c", host=host).name == "c"
    assert _names(host) == {"a", "b", "c"}
    back = jupyter.rename("c", "a", host=host)
    assert (back.name, back.display_name.endswith("(a)")) == ("a", True)
    assert jupyter.rename("a", "d", keep_alias=False, host=host).name == "d"
    assert _names(host) == {"b", "c", "d"}


def test_earlier_names_are_refreshed_and_removed_with_the_kernel(kernel_environment: Path, host: Host) -> None:
    """Registering again writes the earlier names again, too; unregistering takes them along."""
    jupyter.register(kernel_environment, name="old", host=host)
    jupyter.rename("old", "new", host=host)
    jupyter.register(kernel_environment, name="new", variables={"COLOUR": "blue"}, host=host)
    assert json.loads((_directory(host) / "old" / "kernel.json").read_text())["env"]["COLOUR"] == "blue"
    planned = jupyter.unregister("new", dry_run=True, host=host)
    assert [path.name for path in planned.paths] == ["new", "old"]
    assert jupyter.unregister("new", host=host).done
    assert _names(host) == set()


def test_an_earlier_name_can_be_removed_alone(kernel_environment: Path, host: Host) -> None:
    """Unregistering an earlier name leaves the kernel."""
    jupyter.register(kernel_environment, name="old", host=host)
    jupyter.rename("old", "new", host=host)
    jupyter.unregister("old", host=host)
    assert _names(host) == {"new"}
    jupyter.register(kernel_environment, name="new", host=host)
    assert _names(host) == {"new"}


def test_secrets_stay_private_and_a_name_of_ones_own_stays(kernel_environment: Path, host: Host) -> None:
    """A kernelspec that only the user may read is as private under both names; a display name that was given is kept."""
    file = host.cwd / ".env"
    file.write_text("TOKEN=hidden\n")
    jupyter.register(kernel_environment, name="old", display_name="My kernel", env_file=file, host=host)
    renamed = jupyter.rename("old", "new", host=host)
    assert renamed.display_name == "My kernel"
    for name in ("old", "new"):
        assert stat.S_IMODE((_directory(host) / name / "kernel.json").stat().st_mode) == 0o600


def test_a_rename_touches_nothing_of_others(kernel_environment: Path, bare_environment: Path, host: Host) -> None:
    """A name that is taken, not allowed or another tool's is refused, and all stays as it was."""
    jupyter.register(kernel_environment, name="mine", host=host)
    other = _directory(host) / "other"
    other.mkdir()
    (other / "kernel.json").write_text('{"argv": ["/bin/sh"], "display_name": "sh", "language": "sh"}')
    before = {path: path.read_bytes() for path in _directory(host).rglob("*") if path.is_file()}
    for kernel, name, wrong in (
        ("mine", "other", ExistsError),
        ("mine", "..", UsageError),
        ("mine", "3.12", UsageError),
        ("other", "free", RefusedError),
        ("nothing", "free", NotFoundError),
    ):
        with pytest.raises(wrong) as caught:
            jupyter.rename(kernel, name, host=host)
        assert caught.value.hint
    assert {path: path.read_bytes() for path in _directory(host).rglob("*") if path.is_file()} == before


def test_removing_the_environment_takes_every_name_along(host: Host, tmp_path: Path) -> None:
    """`remove` knows kernels by what they start, whatever they are called."""
    environment = envkit.create(tmp_path / "goes", pypi=["ipykernel"], host=host)
    jupyter.register(environment, name="first", host=host)
    jupyter.rename("first", "second", host=host)
    removal = envkit.remove(environment, host=host)
    assert {kernel.name for kernel in removal.kernels} == {"first", "second"}
    assert _names(host) == set()
