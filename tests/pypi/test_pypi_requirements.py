"""What may be asked: canonical forms, paths, and everything that must never reach an installer."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, strategies as st
from packaging.requirements import Requirement
from support.wheels import make_project, make_sdist, make_wheel

from envkit.errors import EnvkitError, NotFoundError, UsageError
from envkit.host import Host
from envkit.models.specs import Project
from envkit.pypi.requirements import checked_location, expand_groups, parse, parse_constraint, parse_name, project_name


@pytest.mark.core
@pytest.mark.parametrize(
    "given, expected",
    [
        ("rich", "rich"),
        (" Flask_Login >=1 , <2 ", "flask-login<2,>=1"),
        ("httpx[HTTP2,cli]", "httpx[cli,http2]"),
        ("x; python_version<'3.9'", 'x; python_version < "3.9"'),
        ("pip @ https://example.org/pip.whl", "pip@ https://example.org/pip.whl"),
        ("x @ git+ssh://git@example.org/x.git@v1", "x@ git+ssh://git@example.org/x.git@v1"),
        (Requirement("A.b==1"), "a-b==1"),
    ],
)
def test_requirements_become_canonical_text(given: str | Requirement, expected: str) -> None:
    """One spelling for one requirement."""
    assert str(parse(given)).replace(" @", "@") == expected


@pytest.mark.parametrize(
    "hostile",
    [
        "", " ", "-r/etc/passwd", "--index-url=http://evil/simple", "-e .", "--reinstall", "a\nb", "a\r--pre", "a\0b", "a\x1b[31m",
        "x @ git+https://h/x.git@--upload-pack=evil", "x @ git+ssh://-oProxyCommand=evil/x", "x @ https://${TOKEN}@h/x.whl",
        "https://h/x.whl", "git+https://h/x.git", "x.whl", "x-1.0.tar.gz", "x y", "x==", "é", "x @ ./here", "x @ ", "${HOME}", "x;", "a b/c @ d",
    ],
)  # fmt: skip
def test_hostile_and_mistaken_texts_are_refused(hostile: str, host: Host) -> None:
    """Nothing that an installer could take for an option, a variable or a second line is let through; a hint says what to write."""
    with pytest.raises((UsageError, NotFoundError)) as raised:
        parse(hostile, host)
    assert raised.value.hint


@pytest.mark.parametrize(
    "text", ["x @ https://user:canary-secret@h/x.whl", "x @ https://canary-secret@h/x.whl", "https://u:canary-secret@h/x.whl"]
)
def test_credentials_in_a_requirement_are_refused_and_not_shown(text: str) -> None:
    """They come by keyring, netrc or environment only; the error does not repeat them."""
    with pytest.raises(UsageError) as raised:
        parse(text)
    assert raised.value.code == "credentials"
    assert "canary-secret" not in f"{raised.value}{raised.value.hint}"


@given(st.text(max_size=30))
def test_whatever_is_let_through_is_no_option(text: str) -> None:
    """Any text is refused with a typed error, or comes out as a requirement that begins with a name, or as an absolute path."""
    try:
        parsed = parse(text)
    except EnvkitError:
        return
    if isinstance(parsed, Project):
        assert parsed.path.is_absolute()
    else:
        assert parsed[0].isalnum()
        assert parsed.isprintable()
        assert parse(parsed) == parsed


def test_paths_become_absolute_projects(host: Host, tmp_path: Path) -> None:
    """Wheels, sdists and projects by relative text, by Path and by Project; extras behind a path are kept."""
    wheel = make_wheel(host.cwd, "alpha", "1.0")
    sdist = make_sdist(host.cwd, "delta", "1.0")
    project = make_project(host.cwd, "my-app", "1.0")
    assert parse("./" + wheel.name, host) == Project(path=wheel)
    assert parse(sdist, host) == Project(path=sdist)
    assert parse("./my-app[One,two]", host) == Project(path=project, extras=("one", "two"))
    assert parse(Project(path=Path("my-app"), editable=True), host) == Project(path=project, editable=True)
    assert [project_name(Project(path=path)) for path in (wheel, sdist, project)] == ["alpha", "delta", "my-app"]
    inside = replace(host, home=host.cwd)
    assert parse("~/my-app", inside) == Project(path=project)


def test_paths_that_are_nothing_to_install_are_refused(host: Host) -> None:
    """Missing, no project, not an archive, an editable file: each says so."""
    (host.cwd / "empty").mkdir()
    (host.cwd / "notes.txt").write_text("x")
    (host.cwd / "odd[1]").mkdir()
    wheel = make_wheel(host.cwd, "alpha", "1.0")
    with pytest.raises(NotFoundError) as missing:
        parse("./nowhere", host)
    assert missing.value.code == "path-not-found"
    for bad in ("./empty", "./notes.txt", "./odd[1]", Project(path=wheel, editable=True), Project(path=wheel, groups=("dev",))):
        with pytest.raises(UsageError):
            parse(bad, host)


def test_names_and_constraints_are_checked() -> None:
    """A name is a name, a constraint has no extras."""
    assert parse_name("Foo.Bar") == "foo-bar"
    assert parse_constraint("Alpha <2") == "alpha<2"
    for bad in ("-y", "a==1", "../x", ""):
        with pytest.raises(UsageError):
            parse_name(bad)
    for bad in ("a[b]<2", "-c x", "./x"):
        with pytest.raises((UsageError, NotFoundError)):
            parse_constraint(bad)


@pytest.mark.parametrize("bad", ["", "-i", "http://a b", "http://u:canary-secret@h/", "http://h/\n", "${X}"])
def test_places_of_packages_are_checked(bad: str) -> None:
    """An index or a directory of wheels holds no credentials, blanks or variables."""
    with pytest.raises(UsageError) as raised:
        checked_location(bad, "index")
    assert "canary-secret" not in str(raised.value)


def test_groups_are_expanded_in_order(tmp_path: Path) -> None:
    """PEP 735: includes are followed, names compared normalized, cycles and unknown ones refused."""
    groups = 'dev = ["b", {include-group = "Test_Group"}]\ntest-group = ["a>=1", "b"]\nloop = [{include-group = "loop"}]\nodd = [1]\npath = ["./x"]'
    project = make_project(tmp_path, "app", "1.0", groups=groups)
    assert expand_groups(Project(path=project, groups=("dev",))) == ("b", "a>=1")
    assert expand_groups(Project(path=project)) == ()
    for bad in ("loop", "odd", "path", "none"):
        with pytest.raises((UsageError, NotFoundError)):
            expand_groups(Project(path=project, groups=(bad,)))


def test_a_path_object_is_never_read_as_a_name(host: Host) -> None:
    """A PathLike called like a package is a path."""
    project = make_project(host.cwd, "rich", "1.0")
    assert parse(Path("rich"), host) == Project(path=project)
    assert parse("rich", host) == "rich"
    assert os.path.isabs(project)
