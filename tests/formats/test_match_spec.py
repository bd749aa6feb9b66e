"""Match specs: what they say, which packages they mean, and agreement with the embedded solver on whatever is drawn."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from envkit.formats import match_spec
from envkit.formats.match_spec import parse

MD5 = "0" * 32


@dataclass(frozen=True, kw_only=True)
class Found:
    """A package of a channel, as a record says it."""

    name: str = "foo"
    version: str = "1.2.3"
    build: str = "py312_1"
    build_number: int = 1
    channel: str = "https://conda.anaconda.org/conda-forge"
    subdir: str = "linux-64"
    url: str = "https://conda.anaconda.org/conda-forge/linux-64/foo-1.2.3-py312_1.conda"
    filename: str = "foo-1.2.3-py312_1.conda"
    md5: str | None = MD5
    sha256: str | None = None


FOUND = Found()
OPERATORS = st.sampled_from(["=", " =", "==", " == ", "!=", ">=", " > ", " <", "<=", "~=", " ", " "])
VERSIONS = st.sampled_from(["1", "1.2", "1.2.3", "2.0", "1.2.*", "1.2*", "*", "1.0a1", "3.12", "2!1", "1.*.*", "1.2+3"])
BOUNDS = st.tuples(OPERATORS, VERSIONS).map("".join)
SEVERAL = st.lists(BOUNDS, min_size=1, max_size=3).flatmap(
    lambda parts: st.sampled_from([",", "|", " , ", " | "]).map(lambda s: s.join(parts))
)
BUILDS = st.sampled_from(["", "", "", "=py_0", " py312*", " *_1", " h1_0", " *"])
BRACKETS = st.sampled_from(
    ["", "", "", "[build=py*]", "[version='>=1.2,<3']", "[build_number='>=1']", f"[md5={MD5}]", '[ version = "1.2|3", build="^py.*$" ]']
)
SPECS = st.tuples(st.sampled_from(["", "", "conda-forge::"]), st.just("foo"), st.just("") | SEVERAL, BUILDS, BRACKETS).map("".join)
PACKAGES = st.builds(
    Found,
    version=st.sampled_from(["1", "1.2", "1.2.3", "2.0", "1.0a1", "3.12.1", "2!1", "1.2+3", "0.9"]),
    build=st.sampled_from(["py_0", "py312_1", "h1_0"]),
    build_number=st.sampled_from([0, 1, 2]),
)


@pytest.mark.core
@pytest.mark.parametrize(
    "text, canonical",
    [
        ("numpy", "numpy"),
        ("NumPy", "numpy"),
        ("python=3.12", "python 3.12.*"),
        ("python==3.12", "python ==3.12"),
        ("python 3.12", "python ==3.12"),
        ("python >= 3.8 , < 4", "python >=3.8,<4"),
        ("numpy=1.2=py_0", "numpy ==1.2 py_0"),
        ("numpy[version='>=1',build=py*]", "numpy >=1 py*"),
        ("numpy[build='a|b']", 'numpy[build="a|b"]'),
        ("conda-forge/linux-64::numpy", "conda-forge/linux-64::numpy"),
        ("numpy[channel=conda-forge,subdir=noarch]", "conda-forge/noarch::numpy"),
        ("numpy  # the newest", "numpy"),
        ("https://u:p@h.org/t/tk-1/c/linux-64::foo", "https://h.org/c/linux-64::foo"),
        ("https://h.org/c/linux-64/foo-1-0.conda#" + MD5, "https://h.org/c/linux-64/foo-1-0.conda#" + MD5),
        ("foo[license=MIT]", 'foo[license="MIT"]'),
    ],
)
def test_the_canonical_text(text: str, canonical: str) -> None:
    """A match spec has one canonical text, which says the same again and never holds credentials."""
    assert str(parse(text)) == canonical
    assert str(parse(canonical)) == canonical


@pytest.mark.core
@pytest.mark.parametrize(
    "text, meant",
    [
        ("foo", True),
        ("fo", False),
        ("foo=1.2", True),
        ("foo 1.2", False),
        ("foo 1.2.3 PY312*", True),
        ("foo * h*", False),
        ("foo[build_number='>=2']", False),
        (f"foo[md5={MD5}]", True),
        ("foo[sha256=" + "0" * 64 + "]", False),
        ("conda-forge::foo", True),
        ("https://conda.anaconda.org/conda-forge::foo", True),
        ("https://conda.anaconda.org/conda-forge/noarch::foo", False),
        ("forge::foo", False),
        ("defaults::foo", False),
        ("https://conda.anaconda.org/conda-forge/linux-64/foo-1.2.3-py312_1.conda", True),
        ("https://elsewhere.org/linux-64/foo-1.2.3-py312_1.conda", False),
        ("foo[fn=foo-1.2.3-py312_1.conda]", True),
        ("foo[subdir=osx-arm64]", False),
    ],
)
def test_which_packages_are_meant(text: str, *, meant: bool) -> None:
    """Name, version, build, channel, platform, URL and hashes all count."""
    assert parse(text).matches(FOUND) is meant


@pytest.mark.core
@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "=1", "foo=", "foo==", "foo*", "foo[", "foo]", "foo[bar]", "foo[bar=1]", "foo[name=x]", "foo[md5=x]", "foo [a=b][c=d]"),
        *(
            "foo >=1 ;x",
            "foo\n",
            "foo\0",
            "f oo,",
            "https://h/x",
            "/a/b",
            "foo (1",
            "foo[build_number=x]",
            "foo[build='^($']",
            "x" * 20_000,
        ),
    ],
)
def test_what_is_no_match_spec_is_refused(text: str) -> None:
    """A text that no solver would take is a ValueError that says why."""
    with pytest.raises(ValueError):
        parse(text)


@settings(deadline=None)
@given(st.text(max_size=60) | st.text(alphabet="foo1.*=<>!~[]()'\",:|#/ \\^$", max_size=40))
def test_any_text_is_a_spec_or_a_value_error(text: str) -> None:
    """Whatever is given, reading it ends soon, in a value whose text is a match spec again or in a ValueError."""
    try:
        found = parse(text)
    except ValueError:
        return
    found.matches(FOUND)
    assert str(parse(str(found))) == str(found)


@settings(deadline=None)
@given(SPECS, PACKAGES)
def test_specs_mean_what_the_solver_says(text: str, package: Found) -> None:
    """What the embedded solver reads is read here and means the same packages; so does the canonical text, to both."""
    rattler: Any = pytest.importorskip("rattler", reason="the embedded engine (extra conda) is not installed")
    exceptions: Any = importlib.import_module("rattler.exceptions")
    try:
        theirs = rattler.MatchSpec(text)
    except exceptions.InvalidMatchSpecError:
        return
    ours = parse(text)
    record = rattler.PackageRecord(
        package.name,
        package.version,
        importlib.import_module("rattler.package.build_string").BuildString(package.build),
        package.build_number,
        package.subdir,
        md5=bytes.fromhex(MD5),
    )
    wanted = theirs.matches(record)
    assert ours.matches(package) == wanted
    assert parse(str(ours)).matches(package) == wanted
    assert rattler.MatchSpec(str(ours)).matches(record) == wanted


@pytest.mark.core
def test_names_of_channels_are_the_ends_of_urls() -> None:
    """A channel's name is found at the end of a URL, credentials and platforms aside; part of a word is not it."""
    base = "https://user:secret@host.org/t/token/get/my-channel/linux-64"
    assert match_spec.is_of_channel(base, "", "my-channel")
    assert match_spec.is_of_channel(base, "", "https://host.org/get/my-channel")
    assert not match_spec.is_of_channel(base, "", "channel")
    assert match_spec.is_of_channel("", "https://host.org/get/my-channel/noarch/foo-1-0.conda", "get/my-channel")
    assert match_spec.is_of_channel("https://repo.anaconda.com/pkgs/main/linux-64", "", "defaults")
