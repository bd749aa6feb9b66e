"""check: what is wrong with an environment, by its files; with `deep`, by their content and by what its Python says."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from support.wheels import make_wheel

import envkit
from envkit import Host, Problem, Sources
from envkit.models.vocabulary import PROBLEMS


def codes(problems: tuple[Problem, ...]) -> list[tuple[str, str]]:
    """Return code and subject of each problem, all of known codes."""
    assert {problem.code for problem in problems} <= set(PROBLEMS)
    return [(problem.code, problem.subject) for problem in problems]


@pytest.fixture
def packages(host: Host, tmp_path: Path) -> Path:
    """A managed environment with two packages that fit together; its site-packages."""
    directory = tmp_path / "wheels"
    directory.mkdir()
    make_wheel(directory, "alpha", "1.0")
    make_wheel(
        directory, "beta", "1.0", requires=("alpha>=1", 'gamma; extra == "more"', 'never; python_version < "3"'), extras={"more": ()}
    )
    envkit.create("demo", host=host)
    envkit.install("demo", "beta", sources=Sources(find_links=(str(directory),), configuration="isolated"), offline=True, host=host)
    (site,) = (host.data / "environments/demo").glob("lib/python*/site-packages")
    return site


@pytest.mark.core
def test_nothing_is_wrong_with_what_envkit_made(packages: Path, host: Host) -> None:
    """Also in depth: every file is as installed, and the Python says of itself what was found by looking."""
    assert envkit.check("demo", host=host) == ()
    assert envkit.check("demo", deep=True, host=host) == ()


def test_files_that_are_gone_and_files_that_were_edited_are_told_apart(packages: Path, host: Host) -> None:
    """Size tells without reading; the same size with another content only `deep` sees."""
    module = packages / "alpha/__init__.py"
    module.write_text(module.read_text().replace("1.0", "6.6"))
    assert codes(envkit.check("demo", host=host)) == []
    assert codes(envkit.check("demo", deep=True, host=host)) == [("package-altered", "alpha")]
    module.unlink()
    assert codes(envkit.check("demo", host=host)) == [("package-broken", "alpha")]


@pytest.mark.core
def test_what_does_not_fit_together_is_told(packages: Path, host: Host) -> None:
    """A version that is too old, a package that is gone, a Python that is not supported; extras and other platforms ask for nothing."""
    metadata = packages / "alpha-1.0.dist-info/METADATA"
    metadata.write_text(metadata.read_text().replace("Version: 1.0", "Version: 0.5\nRequires-Python: <3"))
    found = envkit.check("demo", host=host)
    told = [code for code in codes(found) if code[0] not in {"edited", "package-broken"}]
    assert told == [("python-unsupported", "alpha"), ("requirement-conflict", "beta")]
    assert "needs alpha>=1, and 0.5 is installed" in [problem.message for problem in found]
    shutil.rmtree(packages / "alpha-1.0.dist-info")
    shutil.rmtree(packages / "alpha")
    found = envkit.check("demo", host=host)
    assert ("requirement-missing", "beta") in codes(found)
    assert all(problem.hint for problem in found if problem.code == "requirement-missing")


def test_what_was_asked_for_and_is_gone_is_told_by_the_record(packages: Path, host: Host) -> None:
    shutil.rmtree(packages / "beta-1.0.dist-info")
    assert ("requirement-missing", "beta") in codes(envkit.check("demo", host=host))


@pytest.mark.core
def test_a_broken_environment_is_told_before_its_packages(packages: Path, host: Host) -> None:
    prefix = host.data / "environments/demo"
    (prefix / "bin/python").unlink()
    (prefix / "bin/python").symlink_to("/nowhere/python")
    config = prefix / "pyvenv.cfg"
    config.write_text("home = /nowhere\n")
    shutil.rmtree(packages / "alpha")
    found = envkit.check("demo", deep=True, host=host)
    assert codes(found)[0] == ("base-missing", "")
    assert ("package-broken", "alpha") in codes(found)


@pytest.mark.core
def test_each_difference_between_record_and_python_is_named(host: Host, interpreters: dict[str, Path], tmp_path: Path) -> None:
    """Deep: what looking found is held against what the Python says when it is run; without `deep` nothing is run."""
    base = envkit.resolve(interpreters[max(interpreters, key=lambda minor: [int(part) for part in minor.split(".")])], host=host)
    assert {code for code, _ in codes(envkit.check(base, deep=True, host=host))}.isdisjoint({"record-differs", "python-unusable"})
    assert base.python is not None
    lying = tmp_path / "lying"
    for part in ("bin", "include", "lib"):
        (lying / part).mkdir(parents=True)
    name = base.python.name
    shutil.copy2(base.python, lying / "bin" / name)
    (lying / "lib" / name).symlink_to(base.prefix / "lib" / name)
    for library in (base.prefix / "lib").glob("libpython*"):
        (lying / "lib" / library.name).symlink_to(library)
    (lying / "include" / name).mkdir()
    number = name.removeprefix("python")
    (lying / "include" / name / "patchlevel.h").write_text(f'#define PY_VERSION "{number}.99"\n')
    found = [problem for problem in envkit.check(lying, deep=True, host=host) if problem.code == "record-differs"]
    assert [problem.subject for problem in found] == ["version"]
    assert f"version is {number}.99 by {lying}" in found[0].message
    assert f"the Python itself says {base.version}" in found[0].message


def test_a_python_that_does_not_run_is_told(host: Host, tmp_path: Path, packages: Path) -> None:
    python = host.data / "environments/demo/bin/python"
    python.unlink()
    python.write_bytes(b"\x7fELF" + b"\0" * 4096)
    python.chmod(0o755)
    assert ("python-unusable", "") in codes(envkit.check("demo", deep=True, host=host))
    assert ("python-unusable", "") not in codes(envkit.check("demo", host=host))


def test_fixes_mend_what_is_missing_and_what_does_not_fit(packages: Path, host: Host, tmp_path: Path) -> None:
    """Each problem of packages that an installer can mend has a plan, and after apply it is gone; the plan is taken once."""
    shutil.rmtree(packages / "alpha-1.0.dist-info")
    shutil.rmtree(packages / "alpha")
    offline = replace(host, environ={**host.environ, "PIP_FIND_LINKS": str(tmp_path / "wheels"), "UV_FIND_LINKS": str(tmp_path / "wheels")})
    missing = next(problem for problem in envkit.check("demo", host=host) if problem.code == "requirement-missing")
    assert missing.fix is not None
    assert [step.text for step in missing.fix.steps] == ["install alpha>=1"]
    envkit.apply(missing.fix, host=offline, offline=True)
    assert [problem.code for problem in envkit.check("demo", host=host)] == []
    with pytest.raises(envkit.RefusedError):
        envkit.apply(missing.fix, host=host)
    metadata = packages / "alpha-1.0.dist-info/METADATA"
    metadata.write_text(metadata.read_text().replace("Version: 1.0", "Version: 0.5"))
    conflict = next(problem for problem in envkit.check("demo", host=host) if problem.code == "requirement-conflict")
    assert conflict.fix is not None
    assert [step.text for step in conflict.fix.steps] == ["install alpha>=1"]


@pytest.mark.parametrize("how", ["gone", "altered", "metadata"])
def test_fixes_put_broken_packages_in_again(packages: Path, host: Host, tmp_path: Path, how: str) -> None:
    """In their versions, from where they came, and nothing else is touched; what changed since makes the plan stale."""
    broken, whole = packages / "alpha/__init__.py", packages / "alpha-1.0.dist-info/METADATA"
    before, described = broken.read_text(), whole.read_text()
    if how == "altered":
        broken.write_text(before.replace("1.0", "6.6"))
    else:
        (broken if how == "gone" else whole).unlink()
    found = envkit.check("demo", deep=True, host=host)
    fix = next(problem.fix for problem in found if problem.subject == "alpha" and problem.fix is not None)
    assert [step.action for step in fix.steps] == ["reinstall"]
    assert envkit.from_json(envkit.to_json(fix), envkit.Plan) == fix
    record = host.data / "environments/demo/.envkit/ready.json"
    text = json.loads(record.read_text())
    text["sources"] = envkit.to_json(Sources(find_links=(str(tmp_path / "wheels"),), configuration="isolated"))
    record.write_text(json.dumps(text))
    made = envkit.apply(fix, host=host, offline=True)
    assert made.problem is None
    assert (broken.read_text(), whole.read_text()) == (before, described)
    assert envkit.check("demo", deep=True, host=host) == ()
    shutil.rmtree(packages / "alpha-1.0.dist-info")
    with pytest.raises(envkit.RefusedError) as caught:
        envkit.apply(fix, host=host)
    assert caught.value.code == "plan-stale"


@pytest.mark.core
def test_what_nobody_may_change_has_no_fix(packages: Path, host: Host) -> None:
    """A content-addressed environment is never changed: its problems say what is wrong, and ensure makes another."""
    made = envkit.ensure(envkit.Spec(), host=host)
    site = next(made.prefix.glob("lib/python*/site-packages"))
    shutil.copytree(packages / "beta-1.0.dist-info", site / "beta-1.0.dist-info")
    found = [problem for problem in envkit.check(made, host=host) if problem.code in {"requirement-missing", "package-broken"}]
    assert found
    assert all(problem.fix is None for problem in found)
