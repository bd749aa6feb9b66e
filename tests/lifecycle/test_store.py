"""The wheel store: what was installed once is put into other environments without an installer, and only while it is what it was."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from support.wheels import make_wheel

import envkit
from envkit import Host, Project, Sources, Spec, plugins

Events = list[envkit.Event]


def installers(events: Events) -> list[str]:
    """Return what was left to an installer."""
    return [event.text for event in events if isinstance(event, envkit.events.Started) and event.activity == "resolve"]


def made(host: Host, spec: Spec, name: str, events: Events | None = None) -> envkit.Environment:
    heard: Events = [] if events is None else events
    return envkit.create(replace(spec, name=name), host=host, offline=True, report=heard.append)


@pytest.fixture
def spec(wheels: Sources) -> Spec:
    """beta and what it needs, on the Python that runs the tests."""
    return Spec(python=sys.base_prefix, pypi=("beta",), sources=wheels)


def site(env: envkit.Environment) -> Path:
    return next((env.prefix / "lib").glob("python*/site-packages"))


@pytest.mark.core
def test_what_was_resolved_before_needs_no_installer(host: Host, spec: Spec, say: Callable[..., str]) -> None:
    """The second environment with the same inputs, and each later one, is made without an installer, and is as the first one."""
    first: Events = []
    one = made(host, spec, "one", first)
    assert installers(first)
    for name in ("two", "three"):
        events: Events = []
        env = made(host, spec, name, events)
        assert not installers(events)
        assert say(env.prefix / "bin" / "beta") == f"{env.prefix} 2.0"
        assert (env.prefix / "share" / "beta" / "big.txt").read_text() == "shared"
        packages = {package.name: (package.version, package.requested, package.installer) for package in envkit.installed(env, host=host)}
        assert packages == {"alpha": ("2.0", False, "envkit"), "beta": ("1.0", True, "envkit")}
        assert not plugins.package_manager("pypi").broken(env, host)
        assert not envkit.plan(replace(spec, name=name), host=host)
    events = []
    envkit.ensure(spec, host=host, offline=True, report=events.append)
    assert not installers(events)
    assert (one.prefix / "bin" / "beta").exists()


@pytest.mark.core
def test_record_says_what_is_there(host: Host, spec: Spec, say: Callable[..., str]) -> None:
    """RECORD has hash and size of each file, scripts included; pip and uv find nothing wrong, and uninstall all of it."""
    made(host, spec, "one")
    env = made(host, replace(spec, seed="none"), "two")
    checking = (
        "import base64, hashlib, importlib.metadata as m\n"
        "for name in ('alpha', 'beta'):\n"
        "    files = m.files(name)\n"
        "    assert any(str(file).endswith('RECORD') for file in files)\n"
        "    for file in files:\n"
        "        data = file.read_binary()\n"
        "        if not str(file).endswith('RECORD'):\n"
        "            assert base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip('=') == file.hash.value, file\n"
        "            assert len(data) == file.size, file"
    )
    say(env.python, "-c", checking)
    envkit.uninstall("two", "alpha", "beta", host=host)
    assert [path.name for path in site(env).rglob("*") if path.is_file() and path.suffix != ".pth"] == []
    assert not (env.prefix / "bin" / "beta").exists()
    assert not (env.prefix / "share" / "beta" / "big.txt").exists()
    third = made(host, spec, "three")
    assert say(third.prefix / "bin" / "beta") == f"{third.prefix} 2.0"


@pytest.mark.core
def test_bytecode_is_shipped_and_used(host: Host, spec: Spec) -> None:
    """What is linked was compiled, and Python takes that instead of compiling again."""
    made(host, spec, "one")
    env = made(host, spec, "two")
    compiled = site(env) / "alpha" / "__pycache__" / f"__init__.{sys.implementation.cache_tag}.pyc"
    assert compiled.is_file()
    before = compiled.stat().st_ino
    done = subprocess.run([env.python, "-v", "-c", "import alpha"], capture_output=True, text=True, check=True)
    assert f"code object from '{compiled}'" in done.stderr or f"matches {site(env) / 'alpha' / '__init__.py'}" in done.stderr
    assert "wrote" not in [line.split()[1] for line in done.stderr.splitlines() if line.startswith("# wrote") and "alpha" in line]
    assert compiled.stat().st_ino == before


@pytest.mark.core
def test_files_share_their_bytes_and_no_directory_is_a_link(host: Host, spec: Spec, wheels: Sources, say: Callable[..., str]) -> None:
    """Two environments have the same files where the file system can; an installer in one leaves the other alone."""
    made(host, spec, "one")
    two, three = made(host, spec, "two"), made(host, spec, "three")
    linked = os.path.samefile(site(two) / "beta" / "data.txt", site(three) / "beta" / "data.txt")
    assert linked or (site(two) / "beta" / "data.txt").stat().st_nlink == 1  # a file system with reflinks, or without links
    assert not [path for path in two.prefix.rglob("*") if path.is_symlink() and path.is_dir() and path.name != "lib64"]
    envkit.install("two", "alpha==1.0", sources=wheels, offline=True, host=host)
    assert say(two.prefix / "bin" / "beta").endswith(" 1.0")
    assert say(three.prefix / "bin" / "beta").endswith(" 2.0")
    assert say(made(host, spec, "four").prefix / "bin" / "beta").endswith(" 2.0")


@pytest.mark.core
@pytest.mark.parametrize("how", ["edited", "disguised", "deleted", "manifest"])
def test_tampering_is_noticed(host: Host, spec: Spec, say: Callable[..., str], how: str) -> None:
    """An entry that was tampered with, or is gone, is not used: what it holds comes from elsewhere again."""
    made(host, spec, "one")
    made(host, spec, "two")
    entries = [entry for entry in (host.data / "store" / "wheels").iterdir() if not entry.name.startswith(".")]
    assert len(entries) == 2
    entry = next(entry for entry in entries if list(entry.rglob("alpha")))
    module = next(entry.rglob("alpha/__init__.py"))
    text = module.read_text()
    if how == "edited":
        copy = module.with_name("copy")  # another file in its place, as an attacker or a mending tool would put it
        copy.write_text(text.replace("2.0", "6.6"))
        os.replace(copy, module)
    elif how == "disguised":
        before = module.stat()
        copy = module.with_name("copy")  # of the same size, and as old as the one that was there
        copy.write_text(text.replace("2.0", "6.6"))
        os.utime(copy, ns=(before.st_atime_ns, before.st_mtime_ns))
        os.replace(copy, module)
    elif how == "deleted":
        module.unlink()
    else:
        (entry / "manifest.json").write_text("{}")
    env = made(host, spec, "three")
    assert say(env.prefix / "bin" / "beta") == f"{env.prefix} 2.0"


@pytest.mark.core
@pytest.mark.parametrize("locked", [False, True], ids=["asked for", "locked"])
@pytest.mark.parametrize("version", ["6.6", "6.6.6"], ids=["as long", "longer"])
def test_what_was_written_into_is_not_installed_again(host: Host, spec: Spec, version: str, locked: bool) -> None:
    """The store's file may be one with that of uv's cache: who wrote into it wrote into both, and both are passed over from then on."""
    if locked:
        spec = replace(spec, lock=envkit.lock(spec, host=host, offline=True))
    made(host, spec, "one")
    made(host, spec, "two")
    (module,) = (host.data / "store" / "wheels").rglob("alpha/__init__.py")
    text = module.read_text()
    module.write_text(text.replace("2.0", version))
    for name in ("three", "four", "five"):
        env = made(host, spec, name)
        assert (site(env) / "alpha" / "__init__.py").read_text() == text
        assert envkit.check(env, deep=True, host=host) == ()


def test_a_file_that_was_written_into_is_told_by_a_deep_check(host: Host, spec: Spec) -> None:
    """Who writes into a file of the store and puts its time back is seen by its hash: a deep check of what shares it, whose fix mends."""
    env = made(host, spec, "one")
    env = made(host, spec, "two")
    module = next(env.prefix.glob("lib/python*/site-packages/alpha/__init__.py"))
    before, text = module.stat(), module.read_text()
    module.write_text(text.replace("2.0", "6.6"))
    os.utime(module, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert envkit.check(env, host=host) == ()
    (problem,) = envkit.check(env, deep=True, host=host)
    assert (problem.code, problem.subject) == ("package-altered", "alpha")
    assert problem.fix is not None
    envkit.apply(problem.fix, host=host)
    assert module.read_text() == text
    assert envkit.check(env, deep=True, host=host) == ()


@pytest.mark.core
def test_the_first_environment_counts_only_as_it_was(host: Host, spec: Spec, wheels: Sources, say: Callable[..., str]) -> None:
    """Where the environment that has the set was changed, by an installer or by hand, nothing is taken from it."""
    one = made(host, spec, "one")
    module = site(one) / "alpha" / "__init__.py"
    module.unlink()  # it is linked from uv's cache
    module.write_text("__version__ = '6.6'\n")
    env = made(host, spec, "two")
    assert say(env.prefix / "bin" / "beta") == f"{env.prefix} 2.0"
    envkit.install("two", "alpha==1.0", sources=wheels, offline=True, host=host)
    assert say(made(host, spec, "three").prefix / "bin" / "beta").endswith(" 2.0")


@pytest.mark.core
def test_other_inputs_are_resolved_anew(host: Host, spec: Spec, wheels: Sources) -> None:
    """Other requirements, constraints or sources, and a wheel added to a directory of wheels, are for the installer."""
    made(host, spec, "one")
    made(host, spec, "two")
    for number, other in enumerate((replace(spec, pypi=("beta", "alpha")), replace(spec, constraints=("alpha<2",)))):
        events: Events = []
        made(host, other, f"other{number}", events)
        assert installers(events)
    make_wheel(Path(wheels.find_links[0]), "alpha", "3.0")
    events = []
    env = made(host, spec, "three", events)
    assert installers(events)
    assert {package.name: package.version for package in envkit.installed(env, host=host)}["alpha"] == "3.0"


@pytest.mark.core
def test_local_packages_are_never_remembered(host: Host, spec: Spec, tmp_path: Path) -> None:
    """What lies at a path is installed each time."""
    wheel = make_wheel(tmp_path / "mine", "gamma", "1.0")
    for name in ("one", "two"):
        events: Events = []
        made(host, replace(spec, pypi=(Project(path=wheel),)), name, events)
        assert installers(events)
    assert not (host.data / "store" / "sets").exists()


@pytest.mark.core
def test_a_call_with_little_time_does_not_fill_the_store(host: Host, spec: Spec) -> None:
    """Compiling takes longer than installing, once; a call with a short deadline leaves it to a later one."""
    made(host, spec, "one")
    events: Events = []
    envkit.create(replace(spec, name="two"), host=host, offline=True, timeout=60, report=events.append)
    assert installers(events)
    assert not (host.data / "store" / "wheels").exists()


@pytest.mark.core
def test_prune_takes_unpacked_wheels(host: Host, spec: Spec, say: Callable[..., str]) -> None:
    """Unpacked wheels go by the same limits; environments keep what was linked from them, and the next one is made all the same."""
    made(host, spec, "one")
    two = made(host, spec, "two")
    assert envkit.prune(max_age=timedelta(days=1), host=host) == ()
    (removal,) = envkit.prune(host=host)
    assert {path.parent.name for path in removal.paths} == {"wheels"}
    assert len(removal.paths) == 2
    assert not list((host.data / "store" / "wheels").iterdir())
    assert say(two.prefix / "bin" / "beta") == f"{two.prefix} 2.0"
    assert say(made(host, spec, "three").prefix / "bin" / "beta").endswith(" 2.0")


@pytest.mark.core
def test_a_lock_is_kept_by_what_the_store_and_clone_make(host: Host, spec: Spec) -> None:
    """An environment made from a lock exports it, also where no installer ran, and where it is a copy."""
    locked = replace(spec, lock=envkit.lock(spec, host=host, offline=True))
    made(host, locked, "one")
    for env in (made(host, locked, "two"), envkit.clone("one", "three", host=host), envkit.clone("two", "four", host=host)):
        assert locked.lock is not None
        assert envkit.export(env, "pylock.toml", host=host) == locked.lock.text


@pytest.mark.core
def test_a_locked_set_is_put_without_an_installer(host: Host, spec: Spec) -> None:
    """A lock that was installed once is put into the next environment as it is."""
    pytest.importorskip("uv")
    locked = envkit.lock(spec, host=host, offline=True)
    given = Spec(python=sys.base_prefix, lock=locked, sources=spec.sources)
    made(host, given, "one")
    events: Events = []
    env = made(host, given, "two", events)
    assert not installers(events)
    assert {package.name for package in envkit.installed(env, host=host)} == {"alpha", "beta"}
