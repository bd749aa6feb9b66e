"""Sources(pythons="uv"): a Python that this machine lacks is fetched by the real uv, from an archive of our own making."""

from __future__ import annotations

import json
import platform
import sys
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

import envkit
from envkit import Host, Sources, Spec
from envkit.pypi.installers import find_uv

_LEFT_OUT = {"test", "tests", "__pycache__", "site-packages", "idlelib", "tkinter", "turtledemo", "lib2to3", "ensurepip"}
_UV = Sources(pythons="uv")


def _kept(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if _LEFT_OUT & {*entry.name.split("/")} or "/config-" in entry.name or entry.name.endswith(".a") else entry


@pytest.fixture(scope="session")
def catalogue(tmp_path_factory: pytest.TempPathFactory, interpreters: dict[str, Path]) -> tuple[str, Path]:
    """A minor version, and a list of downloads for uv that has it alone: one of this machine's Pythons, packed as uv takes them."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        pytest.skip("the archive is made for Linux on x86_64")
    pytest.importorskip("uv")
    others = [minor for minor in interpreters if minor.startswith("3.") and minor not in {"3.6", "3.7", f"3.{sys.version_info.minor}"}]
    others = [minor for minor in others if not Path(f"/usr/bin/python{minor}").exists()]
    if not others:
        pytest.skip("no second Python here")
    minor = others[0]
    base = interpreters[minor].parent.parent
    patch = next(
        line.split('"')[1]
        for line in (base / f"include/python{minor}/patchlevel.h").read_text().splitlines()
        if "define PY_VERSION " in line
    )
    directory = tmp_path_factory.mktemp("downloads")
    with tarfile.open(directory / "python.tar.gz", "w:gz", compresslevel=1) as archive:
        for part in (f"bin/python{minor}", f"include/python{minor}/patchlevel.h", f"lib/python{minor}"):
            archive.add(base / part, f"python/{part}", filter=_kept)
    download = {
        "name": "cpython", "arch": {"family": "x86_64", "variant": None}, "os": "linux", "libc": "gnu", "major": 3, "minor": int(minor[2:]),
        "patch": int(patch.split(".")[2]), "prerelease": "", "url": (directory / "python.tar.gz").as_uri(), "sha256": None, "variant": None, "build": "1",
    }  # fmt: skip
    (directory / "list.json").write_text(json.dumps({f"cpython-{patch}-linux-x86_64-gnu": download}))
    return minor, directory / "list.json"


@pytest.fixture
def bare(host: Host, catalogue: tuple[str, Path]) -> Host:
    """A world without that Python, whose uv fetches from our list."""
    environ = {name: value for name, value in host.environ.items() if not name.startswith("UV_PYTHON")}
    return replace(
        host, environ={**environ, "PATH": "/usr/bin:/bin", "UV_HTTP_RETRIES": "0", "UV_PYTHON_DOWNLOADS_JSON_URL": str(catalogue[1])}
    )


def test_a_python_that_is_not_there_is_fetched_by_uv(bare: Host, catalogue: tuple[str, Path]) -> None:
    """The plan says that uv will fetch it and fetches nothing; ensure does, into uv's own directory; a second one has nothing to do."""
    minor, _ = catalogue
    spec = Spec(name="demo", python=minor, sources=_UV)
    with pytest.raises(envkit.NotFoundError) as caught:
        envkit.plan(replace(spec, sources=Sources()), host=bare)
    assert caught.value.code == "python-not-found"
    assert 'Sources(pythons="uv")' in str(caught.value.hint)
    planned = envkit.plan(spec, host=bare)
    assert [step.action for step in planned.steps] == ["fetch", "create"]
    managed = bare.home / ".local" / "share" / "uv" / "python"
    assert not managed.exists()
    made = envkit.apply(planned, host=bare)
    assert made.version is not None
    assert f"3.{made.version.release[1]}" == minor
    assert made.base is not None
    assert managed in made.base.parents
    assert not (bare.home / ".local" / "bin").exists()  # a Python on PATH is more than was asked for
    assert envkit.run(made, ["python", "-c", "import sys; print(sys.prefix)"], capture_output=True, host=bare).stdout.strip() == str(
        made.prefix
    )
    assert not envkit.plan(spec, host=bare)
    assert envkit.create("other", python=minor, host=bare).base == made.base


def test_a_content_addressed_environment_on_a_python_that_is_fetched(bare: Host, catalogue: tuple[str, Path]) -> None:
    """The plan has no key before the Python is there; ensure makes the environment, and it is found again without uv."""
    spec = Spec(python=catalogue[0], sources=_UV)
    planned = envkit.plan(spec, host=bare)
    assert planned.key is None
    assert [step.action for step in planned.steps] == ["fetch", "create"]
    made = envkit.apply(planned, host=bare)
    assert envkit.plan(spec, host=bare).key is not None
    assert envkit.ensure(replace(spec, sources=Sources()), host=bare) == made


def test_what_cannot_be_fetched_is_said(bare: Host, catalogue: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No network, the network forbidden, no such download, downloads forbidden, no uv: told apart, and nothing is left behind."""
    minor, downloads = catalogue
    dead = tmp_path / "dead.json"
    facts = json.loads(downloads.read_text())
    dead.write_text(json.dumps({key: {**value, "url": "http://127.0.0.1:9/python.tar.gz"} for key, value in facts.items()}))
    spec = Spec(name="demo", python=minor, sources=_UV)

    def failure(host: Host, python: str = minor, **control: object) -> envkit.EnvkitError:
        with pytest.raises(envkit.EnvkitError) as caught:
            envkit.ensure(replace(spec, python=python), host=host, **control)  # type: ignore[arg-type]
        assert caught.value.hint
        assert not (host.data / "environments" / "demo").exists()
        return caught.value

    unreachable = failure(replace(bare, environ={**bare.environ, "UV_PYTHON_DOWNLOADS_JSON_URL": str(dead)}))
    assert (unreachable.code, unreachable.retryable) == ("network", True)
    forbidden = failure(bare, offline=True)
    assert (forbidden.code, forbidden.retryable) == ("offline", False)
    assert failure(bare, "3.77").code == "python-not-found"
    assert "forbids" in str(failure(replace(bare, environ={**bare.environ, "UV_PYTHON_DOWNLOADS": "never"})))
    monkeypatch.setitem(sys.modules, "uv", None)  # as where the extra is not installed
    assert find_uv(bare) is None
    assert failure(bare).code == "uv-not-found"
