"""installed, unsatisfied and broken: what files alone tell about an environment."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest
from packaging.version import Version

from envkit import pypi
from envkit.control import Work
from envkit.host import Host
from envkit.models.environment import Environment
from envkit.models.specs import Project
from envkit.pypi.markers import full_version, markers_of
from envkit.pypi.sizes import sizes_of


def tree(tmp_path: Path, minor: str = "3.12", **facts: object) -> tuple[Environment, Path]:
    """An environment without anything but its site-packages."""
    site = tmp_path / "env" / "lib" / f"python{minor}" / "site-packages"
    site.mkdir(parents=True)
    given: dict[str, object] = {"version": Version(f"{minor}.1"), "implementation": "cpython", **facts}
    return Environment(prefix=tmp_path / "env", kind="venv", **given), site  # type: ignore[arg-type]


def put(
    site: Path, name: str, version: str = "1.0", *requires: str, extras: tuple[str, ...] = (), direct_url: object = None, **files: str
) -> Path:
    """Install a distribution by hand."""
    info = site / f"{name}-{version}.dist-info"
    info.mkdir()
    lines = [
        f"Name: {name}",
        f"Version: {version}",
        *(f"Requires-Dist: {text}" for text in requires),
        *(f"Provides-Extra: {e}" for e in extras),
    ]
    (info / "METADATA").write_text("\n".join(lines) + "\n\n")
    (info / "RECORD").write_text(f"{info.name}/METADATA,,\n{info.name}/RECORD,,\n")
    if direct_url is not None:
        (info / "direct_url.json").write_text(json.dumps(direct_url))
    for file, text in files.items():
        (info / file).write_text(text)
    return info


@pytest.mark.core
def test_installed_lists_by_name_and_survives_garbage(tmp_path: Path, host: Host) -> None:
    """Sorted by normalized name; a directory that cannot be read never hides the others."""
    env, site = tree(tmp_path)
    put(site, "Zeta", INSTALLER="pip\n", REQUESTED="")
    put(site, "al_pha", "2.0", "zeta>1", INSTALLER="pip\n")
    put(site, "beta", direct_url={"url": "https://u:canary@h/beta.whl", "archive_info": {}}, INSTALLER="uv\n", REQUESTED="")
    put(site, "edit", direct_url={"url": "file:///src/edit", "dir_info": {"editable": True}})
    put(site, "twisted", direct_url=["nonsense"], INSTALLER="conda")
    (site / "broken-1.0.dist-info").mkdir()
    (site / "garbage-1.0.dist-info").mkdir()
    (site / "garbage-1.0.dist-info" / "METADATA").write_bytes(b"\xff\0" * 100)
    (site / "~eta-1.0.dist-info").mkdir()
    (site / "file-1.0.dist-info").write_text("x")
    (site / "loop-1.0.dist-info").symlink_to(site / "loop-1.0.dist-info")
    found = {package.name: package for package in pypi.installed(env, host)}
    assert list(found) == ["al-pha", "beta", "edit", "twisted", "zeta"]
    assert (found["al-pha"].version, found["al-pha"].requires, found["al-pha"].requested) == ("2.0", ("zeta>1",), False)
    assert (found["zeta"].requested, found["zeta"].installer, found["zeta"].ecosystem) == (True, "pip", "pypi")
    assert (found["beta"].url, found["beta"].requested) == ("https://h/beta.whl", None)
    assert (found["edit"].editable, found["edit"].url) == (Path("/src/edit"), "file:///src/edit")
    assert (found["twisted"].url, found["twisted"].requested) == (None, None)


def test_installed_reads_eggs(tmp_path: Path, host: Host) -> None:
    """A distutils file, a setuptools directory and a develop link."""
    env, site = tree(tmp_path)
    (site / "old-1.0-py3.8.egg-info").write_text("Name: old\nVersion: 1.0\n")
    (site / "egg-2.0-py3.8.egg-info").mkdir()
    (site / "egg-2.0-py3.8.egg-info" / "PKG-INFO").write_text("Name: egg\nVersion: 2.0\n")
    (site / "egg-2.0-py3.8.egg-info" / "requires.txt").write_text("a\n[x]\nb\n")
    source = tmp_path / "src"
    (source / "dev.egg-info").mkdir(parents=True)
    (source / "dev.egg-info" / "PKG-INFO").write_text("Name: dev\nVersion: 0.1\n")
    (site / "dev.egg-link").write_text(f"{source}\n.")
    (site / "gone.egg-link").write_text("/nowhere\n.")
    found = {package.name: package for package in pypi.installed(env, host)}
    assert sorted(found) == ["dev", "egg", "old"]
    assert found["egg"].requires == ("a", 'b ; extra == "x"')
    assert found["dev"].editable == source


def test_an_environment_without_packages_has_none(tmp_path: Path, host: Host) -> None:
    """Nothing there is an empty answer, not an error."""
    env = Environment(prefix=tmp_path / "nowhere", kind="venv")
    assert pypi.installed(env, host) == ()
    assert pypi.broken(env, host) == ()
    assert pypi.unsatisfied(env, ["a", "a"], host) == ("a", "a")


def test_three_hundred_packages_are_listed_quickly(tmp_path: Path, host: Host) -> None:
    """No process and no email parser: some 20 ms; ten times that is allowed on a machine that is busy."""
    env, site = tree(tmp_path)
    for number in range(300):
        info = put(site, f"package{number}", "1.0", *(f"dep{index}>=1" for index in range(10)), INSTALLER="pip", REQUESTED="")
        with open(info / "METADATA", "a") as stream:
            stream.write("Long description.\n" * 500)
    times = []
    for _ in range(5):
        began = time.thread_time()
        assert len(pypi.installed(env, host)) == 300
        times.append(time.thread_time() - began)
    assert min(times) < 0.25


@pytest.mark.core
@pytest.mark.parametrize(
    "requirement, satisfied",
    [
        ("alpha", True), ("Alpha>=1,<2", True), ("alpha>1", False), ("alpha==1.*", True), ("alpha!=1.0", False), ("gone", False),
        ("rc>=2.0rc1", True), ("rc>=1", True), ("odd", True), ("odd>1", False), ("odd===not_a_version", True),
        ("gone; python_version<'3'", True), ("gone; sys_platform=='linux'", False), ("gone; extra=='x'", True),
        ("alpha[some]", True), ("alpha[lacking]", False), ("alpha[both]", False), ("alpha[unknown]", True), ("alpha[loop]", True),
        ("alpha[other_platform]", True), ("alpha[deep]", False), ("alpha[Mixed_Case]", False),
        ("web @ https://h/web-1.0.whl", True), ("web @ https://h/web-2.0.whl", False), ("alpha @ https://h/alpha.whl", False), ("web", True),
        ("web @ https://h/web-1.0.whl#sha256=aa", True), ("web @ https://h/web-1.0.whl#sha256=bb", False),
        ("vcs @ git+https://h/vcs.git@main", True), ("vcs @ git+https://h/vcs.git@other", False), ("vcs @ git+https://h/vcs.git@c0ffee", True),
        ("vcs @ git+https://h/vcs.git@main#subdirectory=x", False), ("edit @ file:///src/edit", False),
    ],
)  # fmt: skip
def test_satisfied_means_name_version_extras_and_url(tmp_path: Path, host: Host, requirement: str, satisfied: bool) -> None:
    """An installed distribution fits specifier, extras with the target's markers, and, for URLs, direct_url.json."""
    env, site = tree(tmp_path)
    needs = (
        'beta ; extra == "some"', 'gone ; extra == "lacking"', 'alpha[some,lacking] ; extra == "both"', 'alpha[loop] ; extra == "loop"',
        'gone ; sys_platform == "win32" and extra == "other-platform"', 'beta[far] ; extra == "deep"', 'gone ; extra == "Mixed_Case"', "broken requirement (",
    )  # fmt: skip
    put(site, "alpha", "1.0", *needs, extras=("some", "lacking", "both", "loop", "Mixed_Case"))
    put(site, "beta", "1.0", 'gone ; extra == "far"')
    put(site, "rc", "2.0rc2")
    put(site, "odd", "not_a_version")
    put(site, "web", direct_url={"url": "https://h/web-1.0.whl", "archive_info": {"hashes": {"sha256": "aa"}}})
    put(
        site,
        "vcs",
        direct_url={"url": "https://h/vcs.git", "vcs_info": {"vcs": "git", "requested_revision": "main", "commit_id": "c0ffee"}},
    )
    put(site, "edit", direct_url={"url": "file:///src/edit", "dir_info": {"editable": True}})
    assert pypi.unsatisfied(env, [requirement], host) == (() if satisfied else (requirement,))


def test_unsatisfied_keeps_the_order_and_never_counts_a_project(tmp_path: Path, host: Host) -> None:
    """A local path is always installed anew."""
    env, site = tree(tmp_path)
    put(site, "alpha")
    project = Project(path=tmp_path)
    assert pypi.unsatisfied(env, ["z", "alpha", project, "a"], host) == ("z", project, "a")


def test_the_base_counts_where_the_environment_shows_it(tmp_path: Path, host: Host) -> None:
    """With system_site_packages a requirement that the base satisfies is satisfied; else only what is in the environment counts."""
    env, _ = tree(tmp_path)
    base_site = tmp_path / "base" / "lib" / "python3.12" / "site-packages"
    base_site.mkdir(parents=True)
    put(base_site, "alpha")
    env = replace(env, base=tmp_path / "base")
    config = env.prefix / "pyvenv.cfg"
    config.write_text("include-system-site-packages = false\n")
    assert pypi.unsatisfied(env, ["alpha"], host) == ("alpha",)
    config.write_text("include-system-site-packages = true\n")
    assert pypi.unsatisfied(env, ["alpha"], host) == ()


def test_markers_are_those_of_the_target(tmp_path: Path, host: Host) -> None:
    """Version, implementation and platform come from the environment and the host, without a process."""
    env, _ = tree(tmp_path, "3.8", version=Version("3.8.18"), architecture="x86_64")
    markers = markers_of(env, replace(host, platform="linux"))
    assert (markers["python_version"], markers["python_full_version"], markers["platform_python_implementation"]) == (
        "3.8",
        "3.8.18",
        "CPython",
    )
    windows = markers_of(replace(env, implementation="pypy", version=Version("3.10")), replace(host, platform="win32"))
    assert (windows["os_name"], windows["platform_machine"], windows["platform_system"]) == ("nt", "AMD64", "Windows")
    assert (windows["python_full_version"], windows["implementation_name"]) == ("3.10.0", "pypy")
    mac = markers_of(replace(env, architecture="aarch64"), replace(host, platform="darwin"))
    assert (mac["sys_platform"], mac["platform_machine"]) == ("darwin", "arm64")
    assert full_version(replace(env, version=None), host) == "3.8.0"
    assert full_version(replace(env, version=Version("3.14.0rc1")), host) == "3.14.0rc1"


@pytest.mark.core
def test_markers_agree_with_the_interpreter(env: Environment, host: Host) -> None:
    """What is told without a process is what packaging says inside the running Python."""
    from packaging.markers import default_environment

    ours = markers_of(env, host)
    peer = {name: value for name, value in default_environment().items() if name != "extra"}
    assert ours == peer


def test_broken_finds_what_pip_check_does_not(tmp_path: Path, host: Host) -> None:
    """Files gone or of another size, METADATA or RECORD gone; bytecode may be missing, rows that lead outside are not looked at."""
    env, site = tree(tmp_path)
    (site / "m.py").write_text("12345")
    rows = "m.py,sha256=x,5\n__pycache__/m.cpython-312.pyc,,\n../../../../outside,,\n/etc/never-there,,9\n"
    (put(site, "whole") / "RECORD").write_text(rows)
    (put(site, "lost") / "RECORD").write_text("m.py,,5\nlost.py,,1\nlost2.py,,\n")
    (put(site, "grown") / "RECORD").write_text("m.py,,4\n")
    (put(site, "no_record") / "RECORD").unlink()
    (put(site, "no_metadata") / "METADATA").unlink()
    (put(site, "empty") / "RECORD").write_text("")
    (put(site, "binary") / "RECORD").write_bytes(b"\xff\0\xfe")
    found = {problem.subject: problem for problem in pypi.broken(env, host)}
    assert list(found) == ["binary", "empty", "grown", "lost", "no-metadata", "no-record"]
    assert {problem.code for problem in found.values()} == {"package-broken"}
    assert "lost.py and 1 more" in found["lost"].message
    assert all(problem.hint for problem in found.values())


def test_what_tools_do_after_installing_breaks_nothing(tmp_path: Path, host: Host) -> None:
    """virtualenv names directories of bytecode that are not there yet; pipx writes an option into the first line of a launcher."""
    env, site = tree(tmp_path)
    launcher = env.prefix / "bin" / "tool"
    launcher.parent.mkdir(exist_ok=True)
    installed = f"#!{env.prefix}/bin/python\nimport tool\n".encode()
    digest = base64.urlsafe_b64encode(hashlib.sha256(installed).digest()).rstrip(b"=").decode()
    (put(site, "pip") / "RECORD").write_text("pip/_vendor/__pycache__,,\n")
    (put(site, "tool") / "RECORD").write_text(f"../../../bin/tool,sha256={digest},{len(installed)}\n")
    launcher.write_bytes(installed.replace(b"\n", b" -E\n", 1))
    assert (pypi.broken(env, host), pypi.altered(env, Work(host=host))) == ((), ())
    launcher.write_bytes(installed.replace(b"\n", b" -E\n", 1).replace(b"tool", b"evil"))
    assert [problem.code for problem in pypi.altered(env, Work(host=host))] == ["package-altered"]
    launcher.write_bytes(installed + b"evil")
    assert [problem.code for problem in pypi.broken(env, host)] == ["package-broken"]


@pytest.mark.skipif(os.name == "nt", reason="a backslash parts directories there")
def test_a_backslash_in_a_path_is_a_letter(tmp_path: Path, host: Host) -> None:
    """Where it parts no directories, the files below a directory with a backslash in its name are found, told and measured."""
    (tmp_path / "back\\slash").mkdir()
    env, site = tree(tmp_path / "back\\slash")
    (site / "m.py").write_text("12345")
    (put(site, "whole") / "RECORD").write_text("m.py,sha256=x,5\n../../../bin/program,,\n")
    (env.prefix / "bin").mkdir()
    (env.prefix / "bin" / "program").write_text("1234567")
    assert pypi.broken(env, host) == ()
    assert [problem.subject for problem in pypi.altered(env, Work(host=host))] == ["whole"]
    assert sizes_of(env, host) == {"whole": 12}


def test_a_distributions_packages_may_lack_a_record(tmp_path: Path, host: Host) -> None:
    """Debian leaves RECORD out on purpose: outside of virtual environments that is broken only where pip or uv installed."""
    env, site = tree(tmp_path)
    env = replace(env, kind="interpreter")
    (put(site, "debian") / "RECORD").unlink()
    (put(site, "ours", INSTALLER="pip\n") / "RECORD").unlink()
    assert [problem.subject for problem in pypi.broken(env, host)] == ["ours"]


def test_verification_is_quick(tmp_path: Path, host: Host) -> None:
    """Two thousand files: some 20 ms; ten times that is allowed on a machine that is busy."""
    env, site = tree(tmp_path)
    for number in range(8):
        info = put(site, f"p{number}")
        directory = site / f"p{number}"
        directory.mkdir()
        for index in range(250):
            (directory / f"m{index}.py").touch()
        (info / "RECORD").write_text("".join(f"p{number}/m{index}.py,sha256=x,0\n" for index in range(250)))
    times = []
    for _ in range(4):
        began = time.thread_time()
        assert pypi.broken(env, host) == ()
        times.append(time.thread_time() - began)
    assert min(times) < 0.2


def test_reading_starts_no_process_and_writes_nothing(tmp_path: Path, host: Host) -> None:
    """A read-only look: the directory is as it was."""
    env, site = tree(tmp_path)
    put(site, "alpha")
    before = {path: os.stat(path).st_mtime_ns for path in sorted(tmp_path.rglob("*"))}
    pypi.installed(env, host)
    pypi.unsatisfied(env, ["alpha", "b"], host)
    pypi.broken(env, host)
    assert {path: os.stat(path).st_mtime_ns for path in sorted(tmp_path.rglob("*"))} == before
