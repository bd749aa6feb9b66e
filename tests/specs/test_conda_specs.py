"""read_spec: conda's files become specs of conda environments; what cannot be taken is refused, what is left out is said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import envkit
from envkit import Host, Project, Spec, events
from envkit.conda import locks
from envkit.formats import explicit_txt

Write = Callable[[str, str], Path]
SHA256, MD5 = "0" * 63 + "a", "0" * 31 + "b"
BASE = "https://conda.example/forge"


@pytest.fixture
def host(host: Host) -> Host:
    """A machine with linux-64, whatever this one is."""
    return replace(host, environ={**host.environ, "CONDA_SUBDIR": "linux-64"})


@pytest.fixture
def write(host: Host) -> Write:
    """Write a file below the working directory."""

    def written(name: str, text: str) -> Path:
        path = host.cwd / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return written


def notes(path: Path, host: Host) -> list[str]:
    heard: list[envkit.Event] = []
    envkit.read_spec(path, report=heard.append, host=host)
    return [event.line for event in heard if isinstance(event, events.Output)]


@pytest.mark.core
def test_an_environment_yml_becomes_a_conda_spec(write: Write, host: Host) -> None:
    """Channels, match specs, what pip installs, variables and the name; relative channels become absolute, variables in them stay."""
    write("p/more.txt", "idna\n")
    path = write(
        "p/environment.yml",
        """\
name: demo
channels: [./built, https://me:$TOKEN@private.example/c, conda-forge, nodefaults]
dependencies:
- python=3.12
- pytorch::torchvision==0.15.2
- pywin32  # [win]
- sel(linux): libaio
- pip:
  - rich>=13
  - -r more.txt
variables: {A: "it's", B: 2}
""",
    )
    assert envkit.read_spec(path, host=host) == Spec(
        name="demo",
        backend="conda",
        conda=("python=3.12", "pytorch::torchvision==0.15.2", "libaio"),
        channels=(str(host.cwd / "built"), "https://me:$TOKEN@private.example/c", "conda-forge", "nodefaults"),
        pypi=("rich>=13", "idna"),
        variables={"A": "it's", "B": "2"},
    )


@pytest.mark.core
def test_the_place_that_a_file_prefers(write: Write, host: Host) -> None:
    """A prefix counts where there is no name, `~` and variables in it are replaced, and what the caller says counts more than both."""
    host = replace(host, environ={**host.environ, "SCRATCH": str(host.home / "scratch")})
    read = envkit.read_spec
    assert read(write("a.yml", "prefix: ~/envs/x\ndependencies: []\n"), host=host).prefix == host.home / "envs" / "x"
    assert read(write("b.yml", "prefix: $SCRATCH/y\ndependencies: []\n"), host=host).prefix == host.home / "scratch" / "y"
    assert read(write("sub/c.yml", "prefix: ./.conda\ndependencies: []\n"), host=host).prefix == host.cwd / "sub" / ".conda"
    both = write("d.yml", "name: n\nprefix: /home/someone/miniconda3/envs/n\ndependencies: []\n")
    assert (read(both, host=host).name, read(both, host=host).prefix) == ("n", None)
    assert read(both, prefix=host.cwd / "z", host=host).prefix == host.cwd / "z"
    for text in ("/", "/usr", "/usr/local", "/etc/"):
        with pytest.raises(envkit.UsageError) as caught:
            read(write("e.yml", f"prefix: {text}\ndependencies: []\n"), host=host)
        assert caught.value.code == "prefix"
    with pytest.raises(envkit.CorruptError):
        read(write("f.yml", "prefix: '/srv/a b'\ndependencies: []\n"), host=host)


@pytest.mark.core
def test_what_is_left_out_is_said(write: Write, host: Host) -> None:
    """A key that means nothing, conda's own names, and a file for other platforms are told to who listens."""
    path = write("environment.yml", "name: base\ndependencies: [a]\nplatforms: [osx-64]\nextra: 1\n")
    said = "\n".join(notes(path, host))
    assert envkit.read_spec(path, host=host).name is None
    for word in ("extra", "base", "osx-64"):
        assert word in said


@pytest.mark.core
def test_an_explicit_file_becomes_a_lock(write: Write, host: Host) -> None:
    """Its URLs and hashes are the lock; relative paths are taken from the working directory, and no credentials are kept."""
    host = replace(host, environ={**host.environ, "SECRET": "canary-env"})
    path = write(
        "deep/packages.txt",
        f"# platform: linux-64\n@EXPLICIT\n{BASE}/linux-64/a-1-h_0.conda#{MD5}\n./local/b-2-h_0.conda\n"
        f"https://me:canary-pw@h.example/t/$SECRET/noarch/c-3-h_0.tar.bz2#sha256:{SHA256}\n",
    )
    spec = envkit.read_spec(path, name="x", host=host)
    assert spec.lock is not None
    assert (spec.name, spec.backend, spec.lock.format, spec.conda) == ("x", "conda", "explicit.txt", ())
    assert [str(package) for package in spec.lock.packages] == ["a 1", "b 2", "c 3"]
    first, second, third = locks.exact(spec.lock, host)
    assert (first.url, first.md5) == (f"{BASE}/linux-64/a-1-h_0.conda", MD5)
    assert second.url == (host.cwd / "local" / "b-2-h_0.conda").as_uri()
    assert (third.url, third.sha256) == ("https://h.example/noarch/c-3-h_0.tar.bz2", SHA256)
    assert "canary" not in envkit.to_json(spec)
    assert any("credentials" in line for line in notes(path, host))


@pytest.mark.core
def test_text_files_of_conda_and_of_pip_are_told_apart(write: Write, host: Host) -> None:
    """A list that conda wrote holds match specs; a requirements file stays one; a line that names no package file is named."""
    head = "# This file may be used to create an environment using:\n# $ conda create --name <env> --file <this file>\n"
    spec = envkit.read_spec(write("l.txt", f"{head}a=1=h_0\nb=2=h_0\n"), host=host)
    assert (spec.conda, spec.backend) == (("a=1=h_0", "b=2=h_0"), "conda")
    assert envkit.read_spec(write("r.txt", "rich\n"), host=host) == Spec(pypi=("rich",))
    with pytest.raises(envkit.CorruptError) as caught:
        envkit.read_spec(write("e.txt", "@EXPLICIT\nnumpy\n"), host=host)
    assert "line 2" in str(caught.value)


CONDA_LOCK = f"""\
version: 1
metadata: {{content_hash: {{}}, channels: [{{url: conda-forge, used_env_vars: []}}], platforms: [linux-64, osx-64], sources: []}}
package:
- {{name: zlib, version: '1.10', manager: conda, platform: linux-64, dependencies: {{}}, url: '{BASE}/linux-64/zlib-1.10-h1_0.conda',
    hash: {{md5: {MD5}}}, category: main, optional: false}}
- {{name: zlib, version: '1.10', manager: conda, platform: osx-64, dependencies: {{}}, url: '{BASE}/osx-64/zlib-1.10-h1_0.conda',
    hash: {{md5: {MD5}}}, category: main, optional: false}}
- {{name: pytest, version: '8', manager: conda, platform: linux-64, dependencies: {{}}, url: '{BASE}/noarch/pytest-8-py_0.conda',
    hash: {{md5: {MD5}}}, category: dev, optional: true}}
- {{name: rich, version: 13.9.4, manager: pip, platform: linux-64, dependencies: {{}}, url: 'https://f.example/rich-13.9.4-py3-none-any.whl',
    hash: {{sha256: {SHA256}}}, category: main, optional: false}}
"""


@pytest.mark.core
def test_a_conda_lock_becomes_a_lock_for_its_platforms(write: Write, host: Host) -> None:
    """Both platforms are kept, this one's PyPI distributions are asked for with their hash, and categories are groups."""
    path = write("conda-lock.yml", CONDA_LOCK)
    spec = envkit.read_spec(path, host=host)
    assert spec.lock is not None
    assert (spec.backend, spec.lock.format) == ("conda", "rattler-lock")
    assert spec.pypi == (f"rich @ https://f.example/rich-13.9.4-py3-none-any.whl#sha256={SHA256}",)
    assert [one.url for one in locks.exact(spec.lock, host)] == [f"{BASE}/linux-64/zlib-1.10-h1_0.conda"]
    mac = replace(host, environ={**host.environ, "CONDA_SUBDIR": "osx-64"})
    assert [one.url for one in locks.exact(spec.lock, mac)] == [f"{BASE}/osx-64/zlib-1.10-h1_0.conda"]
    assert envkit.from_json(envkit.to_json(spec)) == spec
    more = envkit.read_spec(path, groups=["dev"], host=host).lock
    assert more is not None
    assert [package.name for package in more.packages if package.ecosystem == "conda"] == ["pytest", "zlib"]
    with pytest.raises(envkit.UsageError) as caught:
        envkit.read_spec(path, groups=["docs"], host=host)
    assert (caught.value.code, "dev" in str(caught.value)) == ("group", True)
    windows = replace(host, environ={**host.environ, "CONDA_SUBDIR": "win-64"})
    for refused in (lambda: envkit.read_spec(path, host=windows), lambda: locks.exact(more, windows)):
        with pytest.raises(envkit.RefusedError) as refusal:
            refused()
        assert (refusal.value.code, "win-64" in str(refusal.value)) == ("lock-mismatch", True)


PIXI = f"""\
version: 6
environments:
  default:
    channels: [{{url: '{BASE}/'}}]
    indexes: ['https://pypi.org/simple', 'https://packages.example/simple']
    packages:
      linux-64: [{{conda: '{BASE}/linux-64/zlib-1.10-h1_0.conda'}}, {{pypi: ./app}}]
      osx-64: [{{conda: ../source}}]
  test:
    channels: []
    packages: {{linux-64: []}}
packages:
- {{conda: '{BASE}/linux-64/zlib-1.10-h1_0.conda', sha256: {SHA256}}}
- {{conda: ../source}}
- {{pypi: ./app, name: app, editable: true}}
"""


@pytest.mark.core
def test_a_pixi_lock_becomes_a_lock(write: Write, host: Host) -> None:
    """One environment of it, projects from the lock's own directory; a package that must be built from source is named."""
    path = write("p/pixi.lock", PIXI)
    spec = envkit.read_spec(path, host=host)
    assert spec.lock is not None
    assert spec.pypi == (Project(path=host.cwd / "p" / "app", editable=True),)
    assert spec.sources.indexes == ("https://packages.example/simple",)
    assert [one.sha256 for one in locks.exact(spec.lock, host)] == [SHA256]
    other = envkit.read_spec(path, groups=["test"], host=host).lock
    assert other is not None
    assert other.packages == ()
    for groups, code in ((["a", "b"], "group"), (["docs"], "group")):
        with pytest.raises(envkit.UsageError) as caught:
            envkit.read_spec(path, groups=groups, host=host)
        assert caught.value.code == code
    with pytest.raises(envkit.RefusedError) as refused:
        envkit.read_spec(path, host=replace(host, environ={**host.environ, "CONDA_SUBDIR": "osx-64"}))
    assert "../source" in str(refused.value)


@pytest.mark.core
def test_in_a_directory_a_lock_counts_more_than_an_environment_yml(write: Write, host: Host) -> None:
    """What is exact counts more than what is loose."""
    write("p/environment.yml", "dependencies: [a]\n")
    write("p/pixi.lock", PIXI)
    write("p/conda-lock.yml", CONDA_LOCK)
    for name, format_ in (("conda-lock.yml", "rattler-lock"), ("pixi.lock", "rattler-lock"), ("environment.yml", None)):
        spec = envkit.read_spec(host.cwd / "p", host=host)
        assert (spec.lock and spec.lock.format) == format_
        (host.cwd / "p" / name).unlink()


@pytest.mark.core
def test_a_lock_that_cannot_be_read_is_corrupt(host: Host) -> None:
    """Whatever stands in the text of a lock, the error is typed and says how to get another one."""
    for format_, text in (
        ("explicit.txt", "numpy"),
        ("explicit.txt", "@EXPLICIT\nx"),
        ("rattler-lock", "version: 1"),
        ("rattler-lock", "["),
    ):
        with pytest.raises(envkit.CorruptError) as caught:
            locks.exact(envkit.Lock(format=format_, text=text, packages=()), host)  # type: ignore[arg-type]
        assert caught.value.code == "lock"
    assert not explicit_txt.is_explicit("")
