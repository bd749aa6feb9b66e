"""The commands about packages that are there: list --size, tree, why, outdated, upgrade."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from support.wheels import make_wheel

import envkit
from envkit import Host, Sources
from envkit.cli.main import main
from envkit.control import Work
from envkit.environments import resolved
from envkit.pypi.sizes import sizes_of


@pytest.fixture
def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An environment with beta, which needs alpha, on this machine's own world; a newer alpha lies among the configured wheels."""
    directory = tmp_path / "wheels"
    make_wheel(directory, "alpha", "1.0", files={"alpha/__init__.py": "x" * 200_000})
    make_wheel(directory, "alpha", "2.0")
    make_wheel(directory, "beta", "1.0", requires=("alpha>=1", "win ; sys_platform == 'win32'"))
    where = str(tmp_path / "demo")
    envkit.create(where)
    envkit.install(
        where, "beta", constraints=["alpha<2"], sources=Sources(find_links=(str(directory),), configuration="isolated"), offline=True
    )
    monkeypatch.setenv("UV_FIND_LINKS", str(directory))
    monkeypatch.setenv("PIP_FIND_LINKS", str(directory))
    return where


def said(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    capsys.readouterr()
    assert main(argv) == 0
    return capsys.readouterr().out


@pytest.mark.core
def test_list_size(demo: str, capsys: pytest.CaptureFixture[str], host: Host) -> None:
    """Sizes are those that RECORD states, the largest first, with a sum; without a RECORD nothing is guessed."""
    lines = said(capsys, "list", demo, "--size").splitlines()
    assert [line.split()[0] for line in lines if line.startswith(("alpha", "beta"))] == ["alpha", "beta"]
    assert "0.2 MB" in lines[1]
    assert lines[-1].startswith("together 0.2 MB")
    sizes = json.loads(said(capsys, "list", demo, "--size", "--json"))
    assert sizes["alpha"] > 200_000
    assert 0 < sizes["beta"] < 5_000
    (record,) = Path(demo).glob("lib/python*/site-packages/beta-1.0.dist-info/RECORD")
    record.unlink()
    assert sizes_of(resolved(demo, Work(host=host)), host)["beta"] is None
    assert " ?" in said(capsys, "list", demo, "--size")


@pytest.mark.core
def test_tree_and_why(demo: str, capsys: pytest.CaptureFixture[str]) -> None:
    """tree and list --tree say who needs whom, why says which packages need one; both as JSON too."""
    assert said(capsys, "tree", demo).splitlines() == ["beta 1.0", "└── alpha 1.0  (needs >=1)"]
    assert said(capsys, "list", demo, "--tree") == said(capsys, "tree", demo)
    assert json.loads(said(capsys, "tree", demo, "--json"))["beta"] == {
        "version": "1.0", "needs": [{"name": "alpha", "limits": ">=1", "extras": [], "installed": "1.0"}]
    }  # fmt: skip
    assert said(capsys, "why", demo, "Alpha").splitlines() == ["alpha 1.0  (needs >=1) <- beta 1.0"]
    assert said(capsys, "why", demo, "beta").splitlines() == ["beta was asked for"]
    assert json.loads(said(capsys, "why", demo, "alpha", "--json")) == {"name": "alpha", "requested": False, "chains": [["beta", "alpha"]]}
    assert main(["why", demo, "rich"]) == 1
    assert "hint:" in capsys.readouterr().err


@pytest.mark.core
def test_outdated_and_upgrade(demo: str, capsys: pytest.CaptureFixture[str]) -> None:
    """outdated shows what is newer where packages come from, upgrade gets it, with --dry-run it says so only."""
    assert said(capsys, "outdated", demo, "--offline").splitlines()[1].split() == ["alpha", "1.0", "2.0"]
    assert said(capsys, "upgrade", demo, "alpha", "--offline", "--dry-run") == "~ alpha 1.0 -> 2.0\n"
    assert said(capsys, "upgrade", demo, "alpha", "--offline", "--constraint", "alpha<2") == "nothing had to be done\n"
    assert said(capsys, "upgrade", demo, "alpha", "--offline") == "~ alpha 1.0 -> 2.0\n"
    assert said(capsys, "outdated", demo, "--offline") == "everything is the newest version\n"
    assert json.loads(said(capsys, "outdated", demo, "--offline", "--json")) is not None


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can mount a small file system")
@pytest.mark.parametrize("tool", ["uv", "pip"])
def test_a_full_disk(host: Host, tmp_path: Path, tool: str) -> None:
    """When the disk is full it is said so, as something that may go well later; with more room the same call does."""
    import subprocess

    if tool == "uv":
        pytest.importorskip("uv")
    place = tmp_path / "small"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)], capture_output=True).returncode != 0:
        pytest.skip("nothing can be mounted here")
    try:
        host = replace(host, environ={**host.environ, "ENVKIT_INSTALLER": tool})
        make_wheel(tmp_path / "wheels", "big", "1.0", files={f"big/part{number}.txt": os.urandom(500_000).hex() for number in range(12)})
        sources = Sources(find_links=(str(tmp_path / "wheels"),), configuration="isolated")
        env = envkit.create(place / "env", host=host)
        with pytest.raises(envkit.MachineError) as caught:
            envkit.install(env, "big", sources=sources, host=host)
        assert (caught.value.code, caught.value.retryable) == ("disk-full", True)
        assert caught.value.hint
        subprocess.run(["mount", "-o", "remount,size=64m", str(place)], check=True)
        envkit.install(env, "big", sources=sources, host=host)
        assert [problem for problem in envkit.check(env, host=host) if problem.severity == "error"] == []
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False)
