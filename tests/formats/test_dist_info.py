"""METADATA, RECORD and direct_url.json: what is read of them, and that nothing hostile gets further."""

from __future__ import annotations

import contextlib
import email.parser
import importlib.metadata

import pytest
from hypothesis import example, given, strategies as st

from envkit.formats.direct_url import file_path, read_direct_url, without_credentials
from envkit.formats.dist_info import named_directory, normalized, read_metadata, read_requires_txt
from envkit.formats.record import contained, read_record

HEADER = b"""Metadata-Version: 2.1
Name: Some_Thing
VERSION: 1.2
Summary: x
License: one
        two
Requires-Dist: a>=1
Requires-Dist: b[c]
        ; extra == "d"
Provides-Extra: d
Requires-Python: >=3.8

Name: other
Requires-Dist: never
"""


@pytest.mark.core
@pytest.mark.parametrize("data", [HEADER, HEADER.replace(b"\n", b"\r\n")], ids=["lf", "crlf"])
def test_the_header_says_what_is_installed_and_what_it_needs(data: bytes) -> None:
    """Names of fields in any case, folded lines, and nothing of the body."""
    metadata = read_metadata(data)
    assert (metadata.name, metadata.version) == ("Some_Thing", "1.2")
    assert metadata.requires == ("a>=1", 'b[c] ; extra == "d"')
    assert metadata.extras == ("d",)
    assert metadata.requires_python == ">=3.8"


def test_the_header_reader_agrees_with_the_email_parser() -> None:
    """Every distribution of the running environment reads as importlib.metadata's parser reads it."""
    for distribution in importlib.metadata.distributions():
        text = distribution.read_text("METADATA")
        if not text:
            continue
        peer = email.parser.HeaderParser().parsestr(text)
        ours = read_metadata(text.encode())
        assert (ours.name, ours.version) == (peer["Name"], peer["Version"])
        assert [" ".join(line.split()) for line in ours.requires] == [" ".join(line.split()) for line in peer.get_all("Requires-Dist", [])]


@pytest.mark.parametrize("data", [b"", b"\0\xff\xfe", b"Name: x\n", b"Version: 1\n\nName: x\n", b"Name:\nVersion: 1\n"])
def test_a_header_without_name_or_version_is_a_value_error(data: bytes) -> None:
    """Garbage costs one error of a known kind."""
    with pytest.raises(ValueError, match="name"):
        read_metadata(data)


@given(st.binary(max_size=300))
@example(b"Name: a\nVersion: \xff\n")
def test_no_bytes_break_the_header_reader(data: bytes) -> None:
    """Whatever the bytes, the answer is a value or a ValueError."""
    with contextlib.suppress(ValueError):
        assert read_metadata(data).name


def test_requires_txt_reads_as_metadata_would_say_it() -> None:
    """Sections of an egg-info become markers."""
    text = "a>=1\n\n[:python_version<'3']\nb\n\n[x]\nc\n[y:os_name=='nt']\nd\n"
    assert read_requires_txt(text) == ("a>=1", "b ; (python_version<'3')", 'c ; extra == "x"', "d ; (os_name=='nt') and extra == \"y\"")


@pytest.mark.parametrize(
    "directory, expected",
    [
        ("Foo_Bar-1.0.dist-info", ("foo-bar", "1.0")),
        ("~oo-1.0.dist-info", None),
        ("foo.dist-info", None),
        ("a-1-2.dist-info", None),
        ("x", None),
    ],
)
def test_a_directory_names_its_distribution(directory: str, expected: tuple[str, str] | None) -> None:
    """The name of a dist-info tells what it is of even if all of it is gone."""
    assert named_directory(directory) == expected


@given(st.text(alphabet="aA._-0", min_size=1, max_size=12))
def test_names_are_normalized_once(name: str) -> None:
    """Normalizing is idempotent and leaves one separator, a dash."""
    assert normalized(normalized(name)) == normalized(name)
    assert not set("._A") & set(normalized(name))


def test_record_rows_are_path_hash_and_size() -> None:
    """Quoted paths, absent hashes and sizes that are no numbers are all read."""
    text = 'a.py,sha256=xx,12\n"b,c.py",,\nshort\nd.py,,many\n\n'
    assert list(read_record(text)) == [("a.py", "sha256=xx", 12), ("b,c.py", "", -1), ("short", "", -1), ("d.py", "", -1)]


@given(st.text(max_size=200))
def test_no_text_breaks_the_record_reader(text: str) -> None:
    """Whatever the text, the answer is rows or a ValueError."""
    with contextlib.suppress(ValueError):
        list(read_record(text))


@pytest.mark.parametrize(
    "path, expected",
    [
        ("a/b.py", "/env/lib/a/b.py"),
        ("../bin/x", "/env/bin/x"),
        ("/env/share/x", "/env/share/x"),
        ("../../etc/passwd", None),
        ("/etc/passwd", None),
        ("../../env2/x", None),
        ("..\\..\\..\\x", None),
        ("C:/x", None),
    ],
)
def test_paths_of_a_record_stay_inside_the_environment(path: str, expected: str | None) -> None:
    """A row that leads elsewhere names nothing."""
    assert contained("/env/lib", path, "/env") == expected


@given(st.text(min_size=1, max_size=40))
@example("../../x")
@example("..//..//..//x")
def test_no_row_leads_out_of_the_environment(path: str) -> None:
    """Whatever a row says, what it names lies below the prefix."""
    import posixpath

    found = contained("/env/lib", path, "/env")
    assert found is None or posixpath.normpath(found).startswith("/env/")


def test_direct_url_loses_its_credentials() -> None:
    """User and password never reach a value; git's own user stays."""
    origin = read_direct_url('{"url": "https://u:p@h/x.git", "vcs_info": {"vcs": "git", "commit_id": "abc", "requested_revision": "main"}}')
    assert (origin.url, origin.vcs, origin.revision, origin.commit) == ("https://h/x.git", "git", "main", "abc")
    assert without_credentials("ssh://git@h/x") == "ssh://git@h/x"
    assert "secret" not in without_credentials("https://[bad:secret@h/x")


def test_direct_url_of_an_editable_names_its_directory() -> None:
    """PEP 660: dir_info.editable, and the path behind the file URL."""
    origin = read_direct_url('{"url": "file:///a%20b/c", "dir_info": {"editable": true}}')
    assert origin.editable
    assert file_path(origin.url) == "/a b/c"
    assert file_path("file:///C:/x") == "C:/x"
    assert file_path("https://h/x") is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"url": 1}', "nonsense", "[" * 5000])
def test_a_direct_url_that_is_none_is_a_value_error(text: str) -> None:
    """Garbage costs one error of a known kind."""
    with pytest.raises(ValueError, match=r".*"):
        read_direct_url(text)
