"""The formats of conda's files: what is written is read back, what cannot be taken is refused with a reason, and nothing is lost silently."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from envkit.formats import conda_lock, condarc, environment_yml, explicit_txt, pixi_lock, selectors
from envkit.formats.conda_locked import CondaLock, LockedDistribution, LockedPackage, in_order
from envkit.formats.conda_url import file_url, lasting, package_file, shown
from envkit.formats.environment_yml import EnvironmentYml
from envkit.formats.explicit_txt import PackageUrl
from envkit.formats.variables import expanded

MD5, SHA256 = "0" * 31 + "a", "0" * 63 + "b"
BASE = "https://conda.example/forge"

names = st.text("abcz_-019", min_size=1, max_size=6).map("n{}x".format)  # regular expressions would be drawn slowly
versions = st.sampled_from(["1", "1.10", "2026.01.04", "9f", "1.0.post1", "0.9.0rc1", "010", "1_2"])
builds = st.sampled_from(["0", "h93a5062_5", "py312h01ab_0", "2_cp314", "pyhd8ed1ab_1"])


@st.composite
def packages(draw: st.DrawFn, subdir: str = "linux-64") -> LockedPackage:
    name, version, build = draw(names), draw(versions), draw(builds)
    where = draw(st.sampled_from([subdir, "noarch"]))
    return LockedPackage(
        url=f"{BASE}/{where}/{name}-{version}-{build}.{draw(st.sampled_from(['conda', 'tar.bz2']))}",
        name=name,
        version=version,
        build=build,
        subdir=where,
        md5=draw(st.none() | st.just(MD5)),
        sha256=draw(st.none() | st.just(SHA256)),
        size=draw(st.none() | st.integers(1, 10**9)),
        depends=tuple(draw(st.lists(names.map(lambda text: f"{text} >=1.10,<2"), max_size=3))),
    )


# ------------------------------------------------------------------------------------------------------------ environment.yml


@pytest.mark.core
def test_an_environment_yml_in_full() -> None:
    """Every key of CEP 24 is read; keys that mean nothing are named, and each kind of dependency is told from the others."""
    said = environment_yml.load(
        """\
name: sat_vision   # facts retyped from files of public projects
prefix: ~/envs/sat_vision
channels: [pytorch, conda-forge, nodefaults]
dependencies:
  - python>=3.9
  - pytorch::torchvision==0.15.2
  - Cython>=3.0.10,!=3.2.0b1
  - certifi=2026.01.04=py314haa95532_0
  - pip:
    - opencv-python-headless==4.9.0.80
    - -e git+https://github.com/openai/CLIP.git@main#egg=clip
variables:
  OMP_NUM_THREADS: 1
  QUOTE: it's $(x)
  EMPTY:
platforms: [linux-64, osx-arm64]
category: dev
pip-repositories: [https://example.org/simple]
"""
    )
    assert (said.name, said.prefix, said.category) == ("sat_vision", "~/envs/sat_vision", "dev")
    assert said.channels == ("pytorch", "conda-forge", "nodefaults")
    assert said.conda == (
        "python>=3.9",
        "pytorch::torchvision==0.15.2",
        "Cython>=3.0.10,!=3.2.0b1",
        "certifi=2026.01.04=py314haa95532_0",
    )
    assert said.pip == ("opencv-python-headless==4.9.0.80", "-e git+https://github.com/openai/CLIP.git@main#egg=clip")
    assert dict(said.variables) == {"OMP_NUM_THREADS": "1", "QUOTE": "it's $(x)", "EMPTY": ""}
    assert (said.platforms, said.ignored) == (("linux-64", "osx-arm64"), ("pip-repositories",))


@pytest.mark.core
@pytest.mark.parametrize(
    "text,why",
    [
        ("name: x\n", "no dependencies"),
        ("name: a/b\ndependencies: []\n", "'/'"),
        ("name: a b\ndependencies: []\n", "' '"),
        ("name: 'a#b'\ndependencies: []\n", "'#'"),
        ("name: 'a:b'\ndependencies: []\n", "':'"),
        ("name: [x]\ndependencies: []\n", "name is no text"),
        ("dependencies:\n- npm: [left-pad]\n", "section 'npm'"),
        ("dependencies:\n- pip: rich\n", "pip is no list"),
        ("dependencies:\n- pip: [{a: b}]\n", "no text"),
        ("dependencies:\n- 3\n", "hold 3"),
        ("dependencies:\n- sel(amiga): x\n", "no selector"),
        ("dependencies: []\nplatforms: [noarch]\n", "noarch"),
        ("dependencies: []\nvariables: {'A=B': 1}\n", "A=B"),
        ("dependencies: []\nvariables: [A]\n", "variables is no mapping"),
        ("dependencies: []\nchannels: conda-forge\n", "channels is no list"),
        ("- a\n", "no mapping"),
        ("a: [", "no YAML"),
        ("!!python/object/apply:os.system [touch pwn]", "no YAML"),
    ],
)
def test_an_environment_yml_that_cannot_be_taken(text: str, why: str) -> None:
    """What CEP 24 forbids, and what would be lost, is an error that says what it is."""
    with pytest.raises(ValueError) as caught:
        environment_yml.load(text)
    assert why in str(caught.value)


@pytest.mark.core
@pytest.mark.parametrize(
    "platform,expected",
    [
        ("linux-64", ("a", "unix", "linux", "big", "s-unix", "s-linux")),
        ("osx-arm64", ("a", "unix", "mac", "s-unix")),
        ("win-64", ("a", "win", "big", "s-win")),
    ],
)
def test_selectors_of_both_kinds(platform: str, expected: tuple[str, ...]) -> None:
    """Lines hold where their selector does; a remark in brackets is none."""
    said = environment_yml.load(
        """\
dependencies:
  - a  # [needed for the docs]
  - unix  # [unix]
  - linux  # [linux and not (aarch64 or ppc64le)]
  - mac  # [osx and arm64]
  - win  #[win64]
  - big  # [x86_64 or s390x]
  - sel(unix): s-unix
  - sel(linux): s-linux
  - sel( win ): s-win
""",
        platform,
    )
    assert said.conda == expected


@given(st.text(alphabet="linuxoswand()t 64", max_size=30))
def test_any_selector_holds_or_not_or_is_none(text: str) -> None:
    """No text makes the reader of selectors do anything but answer or raise ValueError."""
    with suppress(ValueError):
        assert selectors.holds(text, "linux-64") in {True, False}


@given(
    st.lists(names, max_size=4),
    st.lists(st.tuples(names, versions).map("=".join), max_size=4),
    st.lists(st.tuples(names, versions).map("==".join), max_size=3),
    st.dictionaries(st.from_regex(r"[A-Z_]{1,6}", fullmatch=True), st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)),
)
def test_an_environment_yml_is_written_and_read_back(
    channels: list[str], conda: list[str], pip: list[str], variables: dict[str, str]
) -> None:
    """Nothing of a file changes on the way, whatever stands in the values of variables; pip is added where it is needed."""
    said = EnvironmentYml(name="x", channels=tuple(channels), conda=("pip", *conda), pip=tuple(pip), variables=variables)
    assert environment_yml.load(environment_yml.dump(said)) == said
    added = environment_yml.load(environment_yml.dump(EnvironmentYml(conda=("pipdeptree=2",), pip=("rich",))))
    assert added.conda == ("pipdeptree=2", "pip")


# --------------------------------------------------------------------------------------------------------------- explicit files


@pytest.mark.core
def test_an_explicit_file_in_full() -> None:
    """Both hashes with and without their prefix, paths, home and variables, comments and blanks, in the order of the file."""
    text = f"""\
# This file may be used to create an environment using:
# platform: osx-arm64

  @EXPLICIT
{BASE}/osx-arm64/bzip2-1.0.8-h93a5062_5.conda#{MD5.upper()}
{BASE}/noarch/tzdata-2024a-h0_0.tar.bz2#{SHA256}
{BASE}/noarch/pip-24.0-pyh_0.conda#sha256:{SHA256}
~/pkgs/a-b-1.0-0.conda
./here/c-1_x-h_0.conda
$PLACE/noarch/d-2!1.0+x-h_0.conda
"""
    said = explicit_txt.load(text, {"PLACE": "file:///srv"}, home="/home/u")
    assert said.platform == "osx-arm64"
    assert said.packages == (
        PackageUrl(url=f"{BASE}/osx-arm64/bzip2-1.0.8-h93a5062_5.conda", md5=MD5),
        PackageUrl(url=f"{BASE}/noarch/tzdata-2024a-h0_0.tar.bz2", sha256=SHA256),
        PackageUrl(url=f"{BASE}/noarch/pip-24.0-pyh_0.conda", sha256=SHA256),
        PackageUrl(url="/home/u/pkgs/a-b-1.0-0.conda"),
        PackageUrl(url="./here/c-1_x-h_0.conda"),
        PackageUrl(url="file:///srv/noarch/d-2!1.0+x-h_0.conda"),
    )


@pytest.mark.core
@pytest.mark.parametrize(
    "line,why",
    [
        ("numpy=1.26", "line 2 names no package file"),
        (f"{BASE}/noarch/a-1-0.conda#123", "line 2 has a hash"),
        (f"{BASE}/noarch/a-1.conda", "NAME-VERSION-BUILD"),
        ("https://me:canary-pw@host/t/canary-token/x/a.zip", "line 2"),
    ],
)
def test_an_explicit_line_that_cannot_be_taken(line: str, why: str) -> None:
    """The line is named, and no credentials of it are shown."""
    with pytest.raises(ValueError) as caught:
        explicit_txt.load(f"@EXPLICIT\n{line}\n")
    assert why in str(caught.value)
    assert "canary" not in str(caught.value)


def test_kinds_of_text_files_are_told_apart() -> None:
    """Only a line of its own makes a file explicit; a list of conda's is told by its head; a requirements file is neither."""
    assert explicit_txt.is_explicit("#\n @EXPLICIT \n")
    assert not explicit_txt.is_explicit("@EXPLICITLY\n# @EXPLICIT\n")
    text = "# This file may be used to create an environment using:\n# $ conda create --name <env> --file <this file>\n# platform: x\na=1=0\n\nb\n"
    assert explicit_txt.is_list(text)
    assert explicit_txt.match_specs(text) == ("a=1=0", "b")
    assert not explicit_txt.is_list("rich==13\n# $ pip install\n")


@given(st.lists(packages(), max_size=5))
@settings(max_examples=40)
def test_an_explicit_file_is_written_and_read_back(found: list[LockedPackage]) -> None:
    """URLs and the stronger hash survive, in order."""
    given_ = tuple(PackageUrl(url=one.url, md5=None if one.sha256 else one.md5, sha256=one.sha256) for one in found)
    said = explicit_txt.load(explicit_txt.dump(given_, platform="linux-64"))
    assert (said.packages, said.platform) == (given_, "linux-64")


# ------------------------------------------------------------------------------------------------------------------------- locks

CONDA_LOCK = f"""\
version: 1
metadata:
  content_hash: {{linux-64: aa, osx-64: bb}}
  channels: [{{url: conda-forge, used_env_vars: []}}]
  platforms: [linux-64, osx-64]
  sources: [environment.yml]
package:
- {{name: python, version: 3.12.1, manager: conda, platform: linux-64, dependencies: {{zlib: '>=1.10', __unix: ''}},
   url: '{BASE}/linux-64/python-3.12.1-h1_0.conda', hash: {{md5: {MD5}, sha256: {SHA256}}}, category: main, optional: false}}
- {{name: zlib, version: '1.10', manager: conda, platform: linux-64, dependencies: {{}},
   url: '{BASE}/linux-64/zlib-1.10-h1_0.conda', hash: {{md5: {MD5}}}, category: main, optional: false}}
- {{name: zlib, version: '1.10', manager: conda, platform: osx-64, dependencies: {{}},
   url: '{BASE}/osx-64/zlib-1.10-h1_0.conda', hash: {{md5: {MD5}}}, optional: false}}
- {{name: pytest, version: '8', manager: conda, platform: linux-64, dependencies: {{}},
   url: '{BASE}/noarch/pytest-8-py_0.conda', hash: {{md5: {MD5}}}, category: dev, optional: true}}
- {{name: rich, version: 13.9.4, manager: pip, platform: linux-64, dependencies: {{}},
   url: https://files.example/rich-13.9.4-py3-none-any.whl, hash: {{sha256: {SHA256}}}, category: main, optional: false}}
"""


@pytest.mark.core
def test_a_conda_lock() -> None:
    """Platforms, categories and both managers are told apart; what is needed comes first; a version stays as it is written."""
    said = conda_lock.load(CONDA_LOCK)
    assert said.platforms == ("linux-64", "osx-64")
    assert [f"{one.name} {one.version}" for one in said.packages["linux-64"]] == ["zlib 1.10", "python 3.12.1"]
    assert said.packages["linux-64"][1].depends == ("zlib >=1.10", "__unix")
    assert (said.packages["linux-64"][1].sha256, said.packages["linux-64"][0].md5) == (SHA256, MD5)
    (rich,) = said.distributions["linux-64"]
    assert (rich.name, rich.sha256) == ("rich", SHA256)
    assert "pytest" in [one.name for one in conda_lock.load(CONDA_LOCK, ["dev"]).packages["linux-64"]]
    with pytest.raises(LookupError) as caught:
        conda_lock.load(CONDA_LOCK, ["docs"])
    assert "dev" in str(caught.value)


@pytest.mark.core
@pytest.mark.parametrize(
    "old,new",
    [
        ("version: 1\n", "version: 2\n"),
        ("platforms: [linux-64, osx-64]", "platforms: [noarch]"),
        ("platforms: [linux-64, osx-64]", "platforms: [osx-64]"),
        ("manager: pip", "manager: npm"),
        (f"hash: {{md5: {MD5}}}, optional", "optional"),
        (f"md5: {MD5}, sha256", "md5: 12, sha256"),
        ("package:", "packages:"),
        ("/zlib-1.10-h1_0.conda", "/zlib"),
    ],
)
def test_a_conda_lock_that_cannot_be_taken(old: str, new: str) -> None:
    """Another version, an unknown platform or manager, and a package without hash or file are refused."""
    with pytest.raises(ValueError):
        conda_lock.load(CONDA_LOCK.replace(old, new, 1))


PIXI = f"""\
version: VERSION
platforms:
- name: linux-64
- name: cluster
  subdir: linux-64
- name: win-64
environments:
  default:
    channels: [{{url: '{BASE}/'}}]
    indexes: ['https://pypi.org/simple']
    packages:
      cluster: [{{conda: '{BASE}/linux-64/zlib-1.10-h1_0.conda'}}]
      linux-64:
      - conda: {BASE}/linux-64/python-3.12.1-h1_0.conda
      - conda: {BASE}/linux-64/zlib-1.10-h1_0.conda
      - pypi: ./app
      - pypi: https://files.example/rich-13.9.4-py3-none-any.whl
      win-64: [{{conda: ../source}}]
  test:
    channels: []
    packages: {{linux-64: []}}
packages:
- conda: {BASE}/linux-64/python-3.12.1-h1_0.conda
  sha256: {SHA256}
  depends: [zlib >=1.10]
- conda: {BASE}/linux-64/zlib-1.10-h1_0.conda
  md5: {MD5}
  size: 122909
- conda: ../source
- pypi: ./app
  name: app
  editable: true
- pypi: https://files.example/rich-13.9.4-py3-none-any.whl
  name: rich
  version: 13.9.4
  sha256: {SHA256}
  requires_dist: [pygments>=2]
"""


@pytest.mark.core
@pytest.mark.parametrize("version", ["6", "7"])
def test_a_pixi_lock(version: str) -> None:
    """Both versions are read: environments, platforms with names of their own, hashes, PyPI's distributions; sources are refused by platform."""
    text = PIXI.replace("VERSION", version)
    said = pixi_lock.load(text)
    assert [one.name for one in said.packages["linux-64"]] == ["zlib", "python"]
    assert (said.packages["linux-64"][0].size, said.packages["linux-64"][0].version) == (122909, "1.10")
    assert [(one.name, one.editable) for one in said.distributions["linux-64"]] == [("app", True), ("rich", False)]
    assert "source" in said.refused["win-64"]
    assert (said.channels, said.indexes) == ((f"{BASE}/",), ("https://pypi.org/simple",))
    assert pixi_lock.environments(text) == ("default", "test")
    assert pixi_lock.load(text, "test").packages == {"linux-64": ()}
    with pytest.raises(LookupError):
        pixi_lock.load(text, "docs")
    for broken in (text.replace(f"version: {version}", "version: 5"), "environments: {}", text.replace(f"sha256: {SHA256}", "sha256: 12")):
        with pytest.raises(ValueError):
            pixi_lock.load(broken)


@st.composite
def locks(draw: st.DrawFn) -> CondaLock:
    """Give a lock of two platforms whose packages have different URLs."""
    found = {
        platform: draw(st.lists(packages(platform), max_size=4, unique_by=lambda one: one.name)) for platform in ("linux-64", "osx-64")
    }
    by_url = {one.url: one for several in found.values() for one in several}
    rich = LockedDistribution(name="rich", url="https://files.example/rich-1-py3-none-any.whl", version="1", sha256=SHA256)
    return CondaLock(
        channels=(f"{BASE}/",),
        indexes=("https://pypi.org/simple",),
        packages={platform: in_order(by_url[one.url] for one in several) for platform, several in found.items()},
        distributions={"linux-64": (rich,)},
    )


@given(locks())
@settings(max_examples=30)
def test_a_pixi_lock_is_written_and_read_back(lock: CondaLock) -> None:
    """What is locked survives as version 7, platform by platform, in the order in which it is to be linked."""
    assert pixi_lock.load(pixi_lock.dump(lock)) == lock


@pytest.mark.core
def test_rattler_reads_what_is_written(tmp_path: Path) -> None:
    """rattler's own reader takes a lock that envkit wrote, and finds the same files with the same hashes in it."""
    if importlib.util.find_spec("rattler") is None:
        pytest.skip("no py-rattler")
    (tmp_path / "pixi.lock").write_text(pixi_lock.dump(pixi_lock.load(PIXI.replace("VERSION", "6"))), "utf-8")
    script = """
import os, sys, rattler
environment = rattler.LockFile.from_path(sys.argv[1]).default_environment()
for package in environment.packages(environment.platforms()[0]):
    conda = package.location.endswith(".conda") and package.name == "python"
    print(package.name, package.location, package.hashes.sha256.hex() if conda else "-")
sys.stdout.flush()
os._exit(0)
"""
    said = subprocess.run([sys.executable, "-c", script, str(tmp_path / "pixi.lock")], capture_output=True, text=True, timeout=60)
    assert said.returncode == 0, said.stderr
    lines = sorted(line.split()[0] for line in said.stdout.splitlines())
    assert lines == ["app", "python", "rich", "zlib"]
    assert f"python-3.12.1-h1_0.conda {SHA256}" in said.stdout


@given(st.dictionaries(st.integers(0, 9), st.sets(st.integers(0, 9)), max_size=10))
def test_what_is_needed_comes_first(needs: dict[int, set[int]]) -> None:
    """Every package is there once, and behind those that it needs."""
    found = [
        LockedPackage(
            url="",
            name=f"p{one}",
            version="1",
            build="0",
            subdir="noarch",
            depends=tuple(f"p{other} >=1" for other in below if other < one),
        )
        for one, below in needs.items()
    ]
    ordered = [one.name for one in in_order(found)]
    assert sorted(ordered) == sorted(one.name for one in found)
    for one in found:
        before = ordered[: ordered.index(one.name)]
        assert all(text.split()[0] in before for text in one.depends if text.split()[0] in ordered)


def test_a_chain_and_a_circle_are_ordered() -> None:
    """A chain is ordered from its end; a circle does not hang."""

    def package(name: str, *depends: str) -> LockedPackage:
        return LockedPackage(url="", name=name, version="1", build="0", subdir="noarch", depends=depends)

    chain = [package("a", "b>=1"), package("b", "c[version=1]"), package("c", "a =1"), package("d", "A 1")]
    assert [one.name for one in in_order(chain)] == ["c", "b", "a", "d"]


# ------------------------------------------------------------------------------------------------------------------- condarc, URLs


@pytest.mark.core
def test_a_condarc_with_marks() -> None:
    """`#!final` closes a key, `#!top` and `#!bottom` order lists, as conda puts files together; later files count more."""
    first = condarc.load(
        "channels:\n- base\n- low  #!bottom\n- high  #!top\nssl_verify: true  #!final\nproxy_servers:\n  http: a  #!final\n"
    )
    second = condarc.load("channels: [user, high]\nssl_verify: false\nproxy_servers: {http: b, https: c}\nquiet:\n")
    both = {key: [one[key] for one in (first, second) if key in one] for key in first}
    assert condarc.items(both["channels"]) == ("high", "user", "base", "low")
    assert condarc.one(both["ssl_verify"]) is True
    assert condarc.table(both["proxy_servers"]) == {"http": "a", "https": "c"}
    assert "quiet" not in second
    assert condarc.items([condarc.load("channels: [a] #!final")["channels"], second["channels"]]) == ("a",)
    assert [condarc.truth(value) for value in ("yes", "OFF", 1, True, "perhaps")] == [True, False, True, True, None]
    for broken in ("- a", "a: [", "!!python/name:os.system"):
        with pytest.raises(ValueError):
            condarc.load(broken)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text makes a reader raise anything but ValueError or LookupError."""
    for read in (condarc.load, explicit_txt.load, conda_lock.load, pixi_lock.load, environment_yml.load):
        with suppress(ValueError, LookupError):
            read(text)


@pytest.mark.core
def test_urls_of_packages() -> None:
    """The parts of a package's file name are told, and a URL is shown without user, password and token."""
    said = package_file("https://u:p@h/t/tok/c/osx-arm64/Ca-certs-2024.2.2-hf0_0.conda")
    assert (said.name, said.version, said.build, said.subdir) == ("ca-certs", "2024.2.2", "hf0_0", "osx-arm64")
    assert shown("https://u:p@h:8080/t/tok-1/c/x") == "https://h:8080/c/x"
    assert shown("https://h/label/t") == "https://h/label/t"
    for channel in ("https://me:$PW@h/c", "https://h/t/${TOKEN}/c", "conda-forge", "https://h/c"):
        assert lasting(channel) == channel
    assert lasting("https://me:pw@h/t/$TOKEN/c") == lasting("https://secret@h/c") == "https://h/c"
    assert file_url("/srv/a b/é") == "file:///srv/a%20b/%C3%A9"
    assert file_url("C:\\chan nel") == "file:///C:/chan%20nel"


@pytest.mark.core
def test_variables_and_home_in_text() -> None:
    """Known variables are put in, unknown ones stay, and percent signs count on Windows alone."""
    environ = {"A": "x", "B": "y"}
    assert expanded("$A/${B}/$C/%A%", environ) == "x/y/$C/%A%"
    assert expanded("~\\%A%/$B", environ, home="C:\\u", windows=True) == "C:\\u\\x/y"
    assert expanded("~x/~", environ, home="/h") == "~x/~"
