"""lock, ensure with a lock, export: the same files by hash on every Python and machine, exactly, and a stale lock is named as stale."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.wheels import make_project, make_wheel, serve_index

import envkit
from envkit import Host, Sources, Spec
from envkit.formats import pylock
from envkit.pypi.installers import find_uv


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    """A directory of wheels: `app` needs `library`, which has two versions; one more for Windows alone, and one that none needs."""
    place = tmp_path / "wheels"
    make_wheel(place, "app", "1.0", ["library>=1", "winlib; sys_platform == 'win32'"], extras={"more": ["other"]})
    make_wheel(place, "library", "1.0")
    make_wheel(place, "library", "1.1")
    make_wheel(place, "winlib", "1.0")
    make_wheel(place, "other", "1.0")
    return place


@pytest.fixture
def index(wheels: Path) -> Iterator[str]:
    with serve_index(wheels) as served:
        yield served.url


@pytest.fixture(params=["uv", pytest.param("pip", marks=pytest.mark.slow)])
def world(request: pytest.FixtureRequest, host: Host) -> Host:
    """This machine with one of the two installers, and caches of the test's own."""
    if request.param == "uv" and find_uv(host) is None:
        pytest.skip("no uv")
    caches = {"UV_CACHE_DIR": str(host.home / "uv-cache"), "PIP_CACHE_DIR": str(host.home / "pip-cache")}
    return replace(host, environ={**host.environ, **caches, "ENVKIT_INSTALLER": request.param})


def names(env: envkit.Environment, host: Host) -> list[str]:
    return [str(package) for package in envkit.installed(env, host=host)]


def test_a_lock_makes_exactly_what_it_says(world: Host, index: str) -> None:
    """ensure installs what is locked, takes away what is not, and finds nothing to do the second time."""
    spec = Spec(name="demo", pypi=("app", "library<1.1"), sources=Sources(indexes=(index,)))
    locked = replace(spec, lock=envkit.lock(spec, host=world))
    assert [str(package) for package in locked.lock.packages if package.name != "winlib"] == ["app 1.0", "library 1.0"]  # type: ignore[union-attr]
    shown = envkit.plan(locked, host=world).steps[-1].text
    assert shown == "install what the lock says: app 1.0, library 1.0"  # what is for another system is not
    assert envkit.plan(replace(locked, name=None), host=world).steps[-1].text == shown
    env = envkit.ensure(locked, host=world)
    assert names(env, world) == ["app 1.0", "library 1.0"]
    assert not envkit.plan(locked, host=world)
    envkit.install(env, "other", "library==1.1", sources=spec.sources, host=world)
    plan = envkit.plan(locked, host=world)
    assert [step.action for step in plan.steps] == ["install", "remove"]
    assert names(envkit.apply(plan, host=world), world) == ["app 1.0", "library 1.0"]
    assert envkit.resolve(locked, host=world).prefix == env.prefix


def test_a_lock_holds_on_another_python_and_offline_from_a_wheelhouse(
    host: Host, index: str, wheels: Path, interpreters: dict[str, Path]
) -> None:
    """The bytes that were locked are installed wherever they lie; the index and the caches may be gone."""
    others = [minor for minor in ("3.11", "3.12", "3.13") if minor in interpreters]
    spec = Spec(pypi=("app",), python=f">={others[0]}", sources=Sources(indexes=(index,)))
    lock = envkit.lock(replace(spec, python=others[0]), host=host)
    emptied = replace(host, environ={**host.environ, "UV_CACHE_DIR": str(host.home / "uv"), "PIP_CACHE_DIR": str(host.home / "pip")})
    there = Spec(name="there", python=str(interpreters[others[-1]]), lock=lock, sources=Sources(find_links=(str(wheels),)))
    env = envkit.ensure(there, offline=True, host=emptied)
    assert names(env, host) == ["app 1.0", "library 1.1"]
    assert envkit.export(env, "pylock.toml", host=host) == lock.text


def test_other_bytes_than_were_locked_are_refused(host: Host, index: str, wheels: Path, tmp_path: Path) -> None:
    """A wheel of the same name and version with another content is not installed, and nothing of the environment is left."""
    lock = envkit.lock(Spec(pypi=("library",), sources=Sources(indexes=(index,))), host=host)
    make_wheel(tmp_path / "evil", "library", "1.1", files={"library/__init__.py": "evil = True\n"})
    bad = Spec(name="bad", lock=lock, sources=Sources(find_links=(str(tmp_path / "evil"),)))
    with pytest.raises(envkit.EnvkitError) as caught:
        envkit.ensure(bad, offline=True, host=host)
    assert caught.value.code in {"hash-mismatch", "offline"}  # uv may know of the right file, and not have it
    with pytest.raises(envkit.NotFoundError):
        envkit.resolve("bad", host=host)


def test_a_stale_lock_is_named_with_what_changed(host: Host, index: str) -> None:
    """What is new, what is other and what is gone since the lock was made stands in the error; what the lock gives all the same is fine."""
    spec = Spec(name="demo", pypi=("app", "library<1.1"), constraints=("other<2",), sources=Sources(indexes=(index,)))
    lock = envkit.lock(spec, host=host)
    for pypi, constraints, said in (
        (("app", "library<1.1", "other"), (), "'other' is new"),
        (("app", "library>=1.1"), (), "'library>=1.1' was 'library<1.1'"),
        (("app",), (), "'library<1.1' is asked for no more"),
        (("app[more]", "library<1.1"), (), "'app[more]' was 'app'"),
        (("app", "library<1.1"), ("library>=2",), "the constraint 'library>=2' is not kept"),
    ):
        with pytest.raises(envkit.RefusedError) as caught:
            envkit.ensure(replace(spec, pypi=pypi, constraints=constraints, lock=lock), host=host)
        assert caught.value.code == "lock-stale"
        assert said in str(caught.value)
    for pypi in ((), ("app", "library<1.1"), ("app", "library"), ("app", "library==1.0", "nothing; python_version < '3'")):
        assert envkit.plan(replace(spec, pypi=pypi, lock=lock), host=host)


def test_a_lock_for_another_python_is_refused_with_both_named(host: Host, index: str) -> None:
    """A lock says for which Pythons it is; one that does not fit is an error before anything is made."""
    lock = envkit.lock(Spec(pypi=("library",), python=">=3.11", sources=Sources(indexes=(index,))), host=host)
    other = replace(lock, text=lock.text.replace('requires-python = ">=3.11', 'requires-python = ">=3.99'))
    with pytest.raises(envkit.NotFoundError):
        envkit.ensure(Spec(name="demo", lock=other), host=host)
    with pytest.raises(envkit.RefusedError) as caught:
        envkit.ensure(Spec(name="demo", python=str(Path(sys.base_prefix) / "bin" / "python3"), lock=other), host=host)
    assert (caught.value.code, "3.99" in str(caught.value)) == ("lock-mismatch", True)
    assert not (host.data / "environments" / "demo").exists()


@pytest.mark.core
def test_platforms_are_held_against_the_files(host: Host, wheels: Path, index: str) -> None:
    """A lock for platforms says so, and a package without a file for one of them is an error that names it."""
    spec = Spec(pypi=("app",), sources=Sources(indexes=(index,)))
    if find_uv(host) is None:
        pytest.skip("no uv")
    lock = envkit.lock(spec, platforms=["linux-64", "windows"], host=host)
    assert pylock.load(lock.text).environments == (
        "sys_platform == 'linux' and platform_machine == 'x86_64'",
        "sys_platform == 'win32' and platform_machine == 'AMD64'",
    )
    assert "winlib" in {package.name for package in lock.packages}
    only = make_wheel(wheels, "linuxlib", "1.0")
    only.rename(only.with_name("linuxlib-1.0-py3-none-manylinux_2_17_x86_64.whl"))
    assert envkit.lock(replace(spec, pypi=("linuxlib",)), platforms=["linux-64"], host=host)
    with pytest.raises(envkit.InstallError) as caught:
        envkit.lock(replace(spec, pypi=("linuxlib",)), platforms=["linux-64", "osx-arm64"], host=host)
    assert (caught.value.package, "osx-arm64" in str(caught.value)) == ("linuxlib", True)
    with pytest.raises(envkit.UsageError):
        envkit.lock(spec, platforms=["amiga"], host=host)


@pytest.mark.core
def test_versions_that_do_not_fit_are_a_typed_error(host: Host, index: str) -> None:
    """A conflict, a package that is not there and an unreachable index are told apart."""
    sources = Sources(indexes=(index,))
    for pypi, code in (
        (("library<1", "app"), "conflict"),
        (("library>=9",), "no-matching-version"),
        (("nowhere-to-be-found",), "package-not-found"),
    ):
        with pytest.raises(envkit.InstallError) as caught:
            envkit.lock(Spec(pypi=pypi, sources=sources), host=host)
        assert caught.value.code == code


def test_requirements_with_hashes_become_a_lock(host: Host, index: str) -> None:
    """Only files with a hash that was written down are installed, and dependencies that were not written down are not."""
    lock = envkit.lock(Spec(pypi=("app",), sources=Sources(indexes=(index,))), host=host)
    lines = [f"-i {index}"]
    for package in pylock.load(lock.text).packages:
        marker = f" ; {package.marker}" if package.marker else ""
        lines.append(f"{package.name}=={package.version}{marker} " + " \\\n    ".join(f"--hash={value}" for value in package.hashes))
    path = host.cwd / "requirements.txt"
    path.write_text("\n".join(lines) + "\n")
    spec = envkit.read_spec(path, name="hashed", host=host)
    assert spec.lock is not None
    assert names(envkit.ensure(spec, host=host), host) == ["app 1.0", "library 1.1"]
    path.write_text(f"-i {index}\nlibrary==1.1 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(envkit.EnvkitError) as caught:
        envkit.read_spec(path, host=host)
    assert caught.value.code == "hash-mismatch"


def test_a_pipfile_lock_is_a_lock(host: Host, index: str) -> None:
    """The hashes of a Pipfile.lock hold, and its categories are chosen."""
    lock = envkit.lock(Spec(pypi=("library", "other"), sources=Sources(indexes=(index,))), host=host)
    found = {package.name: package for package in pylock.load(lock.text).packages}
    entry = '"{0.name}": {{"hashes": ["{0.hashes[0]}"], "version": "=={0.version}"}}'
    path = host.cwd / "Pipfile.lock"
    path.write_text(
        f'{{"_meta": {{"sources": [{{"url": "{index}", "name": "own", "verify_ssl": true}}], "requires": {{}}}},'
        f'"default": {{{entry.format(found["library"])}}}, "develop": {{{entry.format(found["other"])}}}}}'
    )
    assert names(envkit.ensure(envkit.read_spec(path, name="one", host=host), host=host), host) == ["library 1.1"]
    both = envkit.read_spec(path, groups=["dev"], name="both", host=host)
    assert names(envkit.ensure(both, host=host), host) == ["library 1.1", "other 1.0"]


def test_a_commit_and_a_path_in_a_poetry_lock_are_as_exact_as_hashes(host: Host, index: str, tmp_path: Path) -> None:
    """What Poetry locked to a commit of a repository or to a directory is a part of the lock, and installed from there."""
    git = shutil.which("git")
    if git is None or find_uv(host) is None:
        pytest.skip("no git, or no uv, which locks what lies in repositories")
    project, beside = make_project(tmp_path, "tracked", "2.0"), make_project(tmp_path, "beside", "3.0")
    for command in (["init", "-q"], ["add", "."], ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "all"]):
        subprocess.run([git, *command], cwd=project, check=True, timeout=60)
    commit = subprocess.run([git, "rev-parse", "HEAD"], cwd=project, check=True, capture_output=True, text=True, timeout=60).stdout.strip()
    (library,) = pylock.load(envkit.lock(Spec(pypi=("library",), sources=Sources(indexes=(index,))), host=host).text).packages
    poetry = host.home / "bin" / "poetry"
    poetry.parent.mkdir()
    poetry.write_text(
        f'#!/bin/sh\necho \'-i {index}\nlibrary==1.1 --hash={library.hashes[0]}\nbeside @ {beside.as_uri()} ; python_version >= "3.8"\n'
        f'tracked @ git+{project.as_uri()}@{commit} ; python_version >= "3.8"\'\n'
    )
    poetry.chmod(0o755)
    world = replace(host, environ={**host.environ, "PATH": f"{poetry.parent}{os.pathsep}{host.environ['PATH']}"})
    (host.cwd / "poetry.lock").touch()
    spec = envkit.read_spec(host.cwd / "poetry.lock", name="mixed", host=world)
    assert spec.lock is not None
    env = envkit.ensure(spec, host=world)
    assert names(env, world) == ["beside 3.0", "library 1.1", "tracked 2.0"]
    assert not any("tracked" in step.text for step in envkit.plan(spec, host=world).steps)  # a directory may have changed, a commit not


def test_a_uv_lock_is_read_by_uv(host: Host, index: str) -> None:
    """What uv locked is what is made, without the project, with the groups that were asked for."""
    uv = find_uv(host)
    if uv is None:
        pytest.skip("no uv")
    (host.cwd / "pyproject.toml").write_text(
        '[project]\nname="demo"\nversion="1"\nrequires-python=">=3.11"\ndependencies=["app"]\n[dependency-groups]\nextra=["other"]\n'
    )
    done = subprocess.run([uv, "lock", "--quiet", f"--default-index={index}"], cwd=host.cwd, env=dict(host.environ), timeout=120)
    assert done.returncode == 0
    spec = envkit.read_spec(host.cwd, name="demo", host=host)
    assert names(envkit.ensure(replace(spec, sources=Sources(indexes=(index,))), host=host), host) == ["app 1.0", "library 1.1"]
    assert spec.lock is not None
    more = envkit.read_spec(host.cwd, groups=["extra"], host=host)
    assert more.lock is not None
    assert {package.name for package in more.lock.packages} - {package.name for package in spec.lock.packages} == {"other"}
    with pytest.raises(envkit.UsageError):
        envkit.read_spec(host.cwd, groups=["missing"], host=host)


def test_credentials_of_an_index_are_in_no_lock(host: Host, wheels: Path) -> None:
    """Credentials come by the environment, and neither the lock nor what is told while it is made shows them."""
    with serve_index(wheels, user="canary", password="canary-secret") as served:
        secret = served.url.replace("://", "://canary:canary-secret@")
        private = replace(host, environ={**host.environ, "PIP_INDEX_URL": secret})
        heard: list[envkit.Event] = []
        lock = envkit.lock(Spec(pypi=("library",)), report=heard.append, host=private)
        env = envkit.ensure(Spec(name="demo", lock=lock), report=heard.append, host=private)
    assert names(env, private) == ["library 1.1"]
    assert "canary" not in f"{lock.text}{''.join(map(envkit.to_json, heard))}{envkit.export(env, 'spec.json', host=private)}"


@pytest.mark.core
def test_what_is_exported_is_read_back(host: Host, wheels: Path) -> None:
    """Each format gives a spec with the same packages; an environment without a lock has no pylock.toml, and the error says how to get one."""
    sources = Sources(find_links=(str(wheels),), configuration="isolated")
    made = envkit.create(Spec(name="demo", variables={"STAGE": "test"}, seed="none"), host=host)
    envkit.install(made, str(wheels / "library-1.0-py3-none-any.whl"), dependencies=False, sources=sources, offline=True, host=host)
    (host.cwd / "x").mkdir()
    for kind, name in (("requirements.txt", "r.txt"), ("environment.yml", "environment.yml"), ("spec.json", "spec.json")):
        path = host.cwd / "x" / name
        path.write_text(envkit.export(made, kind, host=host))  # type: ignore[arg-type]
        spec = envkit.read_spec(path, host=host)
        assert [str(text).partition(" ")[0] for text in spec.pypi] == ["library"], kind
    assert envkit.read_spec(host.cwd / "x" / "spec.json", host=host).variables == {"STAGE": "test"}
    with pytest.raises(envkit.NotFoundError) as caught:
        envkit.export(made, "pylock.toml", host=host)
    assert caught.value.code == "lock-not-found"
    for wrong in ("explicit.txt", "what.txt"):
        with pytest.raises(envkit.UsageError):
            envkit.export(made, wrong, host=host)  # type: ignore[arg-type]


def test_an_environment_that_is_no_longer_its_lock_is_not_exported_as_it(host: Host, index: str) -> None:
    """A lock that does not say what is installed is refused, with the difference."""
    spec = Spec(pypi=("library",), sources=Sources(indexes=(index,)))
    env = envkit.ensure(replace(spec, name="demo", lock=envkit.lock(spec, host=host)), host=host)
    envkit.install(env, "other", sources=spec.sources, host=host)
    with pytest.raises(envkit.RefusedError) as caught:
        envkit.export(env, "pylock.toml", host=host)
    assert (caught.value.code, "other is not in it" in str(caught.value)) == ("lock-stale", True)


def test_a_lock_without_name_and_prefix_is_one_build_for_all(host: Host, index: str) -> None:
    """A content-addressed environment of a lock is found again by the lock, and lies elsewhere for another one."""
    spec = Spec(pypi=("library",), sources=Sources(indexes=(index,)))
    locked = replace(spec, lock=envkit.lock(spec, host=host))
    env = envkit.ensure(locked, host=host)
    assert envkit.resolve(locked, host=host).prefix == env.prefix == envkit.ensure(locked, host=host).prefix
    other = replace(spec, pypi=("library<1.1",))
    assert envkit.ensure(replace(other, lock=envkit.lock(other, host=host)), host=host).prefix != env.prefix
