"""What is in a conda environment, by its records alone: written by conda, by mamba, by the embedded engine, or damaged."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from support.conda_channel import Channel

import envkit
from envkit import Environment, Host, Spec
from envkit.conda import inventory
from envkit.control import Work

CHANNEL = "https://user:secret@host.org/t/tk-0123/get/mine"


def facts(name: str, version: str = "1.0", build: str = "0", **others: Any) -> dict[str, Any]:
    """Return a record as conda writes it."""
    file = f"{name}-{version}-{build}.conda"
    record = {"name": name, "version": version, "build": build, "build_number": 0, "channel": f"{CHANNEL}/noarch", "subdir": "noarch"}
    record |= {"fn": file, "url": f"{CHANNEL}/noarch/{file}", "md5": "0" * 32, "depends": [], "constrains": [], "requested_spec": ""}
    return {**record, "files": [], "paths_data": {"paths": []}, "link": {"type": 1}, **others}


def environment(prefix: Path, records: Iterable[Mapping[str, Any]], *, indent: int | None = 2, history: str = "") -> Environment:
    """Write an environment of records and return it."""
    meta = prefix / "conda-meta"
    meta.mkdir(parents=True)
    (meta / "history").write_text(history)
    for record in records:
        path = meta / f"{record['name']}-{record['version']}-{record['build']}.json"
        path.write_text(json.dumps(record, indent=indent))
        for file in record["files"]:
            (prefix / file).parent.mkdir(parents=True, exist_ok=True)
            (prefix / file).write_text(f"{file}\n")
    return Environment(prefix=prefix, kind="conda")


@pytest.mark.core
@pytest.mark.parametrize("indent", [None, 2, 4])
@pytest.mark.parametrize("ordered", [False, True], ids=["as written", "sorted keys"])
def test_records_of_every_tool_are_read(tmp_path: Path, host: Host, indent: int | None, *, ordered: bool) -> None:
    """Whatever order and indentation a tool writes, the facts are found, also beside long lists; no credentials are among them."""
    many = [f"lib/file-{number}.txt" for number in range(1000)]
    wide = facts("wide", depends=[f"part-{number} >=1" for number in range(400)], files=[])
    asked = facts("asked", "2.0", "py_1", depends=["wide >=1"], requested_spec="asked >=2", files=[], paths_data={"paths": many})
    late = {**facts("late"), "requested_specs": ["late=1.0"]}
    records = [dict(sorted(record.items())) if ordered else record for record in (wide, asked, late)]
    env = environment(tmp_path / "env", records, indent=indent)
    found = inventory.installed(env, host)
    assert [(package.name, package.version, package.build, package.requested) for package in found] == [
        ("asked", "2.0", "py_1", True),
        ("late", "1.0", "0", True),
        ("wide", "1.0", "0", False),
    ]
    assert found[0].requires == ("wide >=1",)
    assert len(found[2].requires) == 400
    assert {package.channel for package in found} == {"https://host.org/get/mine"}
    assert found[0].url == "https://host.org/get/mine/noarch/asked-2.0-py_1.conda"
    assert "secret" not in repr(found) + repr(inventory.records(env.prefix))
    assert "tk-0123" not in repr(found) + repr(inventory.records(env.prefix))


@pytest.mark.core
def test_what_was_asked_for_comes_from_the_records_or_the_history(tmp_path: Path, host: Host) -> None:
    """conda's history tells what was asked for where records do not; where nobody tells, it is unknown."""
    said = "==> 2026-01-01 00:00:00 <==\n# cmd: /x/bin/conda create -n e asked\n# update specs: ['asked[version=>=1]', 'gone']\n"
    told = environment(tmp_path / "told", [facts("asked"), facts("needed")], history=said)
    assert [package.requested for package in inventory.installed(told, host)] == [True, False]
    assert set(inventory.requested(told.prefix)) == {"asked"}
    silent = environment(tmp_path / "silent", [facts("asked")], history="// not relevant for pixi\n")
    assert [package.requested for package in inventory.installed(silent, host)] == [None]


@pytest.mark.core
def test_damaged_records_hide_no_other(tmp_path: Path, host: Host) -> None:
    """Broken JSON, other types, a named pipe, a directory, a link to nothing, no text: none raises, and `broken` tells of each."""
    env = environment(tmp_path / "env", [facts("fine")])
    meta = env.prefix / "conda-meta"
    for name, content in {
        "cut": b'{"name": "cut", "ver',
        "list": b"[1]",
        "bytes": b"\xff\xfe\0",
        "empty": b"",
        "deep": b"[" * 100_000,
    }.items():
        (meta / f"{name}-1-0.json").write_bytes(content)
    (meta / "types-1-0.json").write_text('{"name": 1, "version": [], "build": null, "files": 3}')
    (meta / "directory-1-0.json").mkdir()
    os.symlink("nowhere", meta / "dangling-1-0.json")
    os.mkfifo(meta / "pipe-1-0.json")
    (meta / "nonsense.json").write_text("{}")
    assert [package.name for package in inventory.installed(env, host)] == ["fine"]
    broken = {problem.subject for problem in inventory.broken(env, host)}
    assert broken == {"cut", "list", "bytes", "empty", "deep", "types", "directory", "dangling", "pipe"}
    assert inventory.altered(env, Work(host=host)) == ()
    assert inventory.conflicts(env, host) == ()
    assert inventory.owned(env.prefix) == frozenset()


@pytest.mark.core
def test_what_is_satisfied(tmp_path: Path, host: Host) -> None:
    """Match specs are answered in their order; virtual packages are facts of the machine; what is none is a typed error."""
    env = environment(tmp_path / "env", [facts("tiny", "1.5", "py_0"), facts("python", "3.12.4", "h1_0")])
    met = [
        "tiny",
        "tiny>=1,<2",
        "TINY 1.5 py*",
        "python=3.12",
        "__glibc >=99",
        f"tiny[md5={'0' * 32}]",
        "get/mine::tiny",
        "tiny[subdir=noarch]",
    ]
    missing = ["tiny>=2", "other", "python 3.12", "conda-forge::tiny", f"tiny[md5={'1' * 32}]"]
    assert inventory.unsatisfied(env, [*met, *missing], host) == tuple(missing)
    with pytest.raises(envkit.UsageError) as error:
        inventory.unsatisfied(env, ["https://u:secret@h/==="], host)
    assert error.value.code == "match-spec"
    assert "secret" not in str(error.value)


@pytest.mark.core
def test_requirements_that_do_not_hold(tmp_path: Path, host: Host) -> None:
    """A missing requirement, one in another version, and a constraint are told; virtual packages and nonsense are passed over."""
    asking = facts("asking", depends=["tiny >=2", "gone", "__cuda >=12", "???"], constrains=["other <1", "absent >=1"])
    env = environment(tmp_path / "env", [asking, facts("tiny"), facts("other")])
    found = inventory.conflicts(env, host)
    assert [(problem.code, problem.subject) for problem in found] == [
        ("requirement-conflict", "asking"),
        ("requirement-missing", "asking"),
        ("requirement-conflict", "asking"),
    ]
    assert "tiny >=2" in found[0].message
    assert found[1].hint is not None
    assert "gone" in found[1].hint


@pytest.mark.core
def test_files_that_are_gone_or_altered(tmp_path: Path, host: Host) -> None:
    """Files that are gone and files with another content are told apart; a noarch package's are looked for where conda put them."""

    def known(path: str, content: str, **others: Any) -> dict[str, Any]:
        data = f"{content}\n".encode()
        entry = {"_path": path, "path_type": "hardlink", "sha256": hashlib.sha256(data).hexdigest(), "size_in_bytes": len(data)}
        return {**entry, **others}

    inside = "lib/python3.12/site-packages/pure/__init__.py"
    relocated = known("bin/tool", "before", prefix_placeholder="/opt", file_mode="text")
    relocated["sha256_in_prefix"] = hashlib.sha256(b"bin/tool\n").hexdigest()
    native = facts("native", files=["bin/tool", "lib/data", "lib/gone", "lib/x.pyc"])
    native["paths_data"] = {
        "paths": [relocated, known("lib/data", "lib/data"), known("lib/gone", "lib/gone"), known("../../etc/passwd", "")]
    }
    pure = facts("pure", noarch="python", files=[inside])
    pure["paths_data"] = {"paths": [known("site-packages/pure/__init__.py", inside)]}
    env = environment(tmp_path / "env", [native, pure])
    work = Work(host=host)
    assert inventory.broken(env, host) == ()
    assert inventory.altered(env, work) == ()
    (env.prefix / "lib/gone").unlink()
    (env.prefix / "lib/x.pyc").unlink()
    (env.prefix / "bin/tool").write_text("other!!!\n")
    (env.prefix / inside).write_text("# edited\n")
    assert [(problem.code, problem.subject, "lib/gone" in problem.message) for problem in inventory.broken(env, host)] == [
        ("package-broken", "native", True)
    ]
    altered = inventory.altered(env, work)
    assert [(problem.code, problem.subject, problem.severity) for problem in altered] == [
        ("package-altered", "native", "warning"),
        ("package-altered", "pure", "warning"),
    ]
    assert inside in altered[1].message


@pytest.mark.core
def test_distributions_that_conda_packages_brought(tmp_path: Path, host: Host) -> None:
    """What has its metadata directly in site-packages is owned, by the name of PyPI; what a package keeps inside is not."""
    site = "lib/python3.12/site-packages"
    files = [f"{site}/Ruamel.Yaml-1.0.dist-info/METADATA", f"{site}/old_one-1.0-py3.12.egg-info/PKG-INFO"]
    vendored = [f"{site}/pip/_vendor/rich-1.0.dist-info/METADATA", f"{site}/setuptools/_vendor/six-1.0.dist-info/METADATA"]
    env = environment(tmp_path / "env", [facts("ruamel.yaml", files=files), facts("pip", files=vendored), facts("none")])
    assert inventory.owned(env.prefix) == {"ruamel-yaml", "old-one"}
    assert inventory.owners(env.prefix) == {"ruamel-yaml": "ruamel.yaml", "old-one": "ruamel.yaml"}
    assert inventory.packages_with(env.prefix, vendored[0]) == ("pip",)


@pytest.mark.core
def test_an_interrupted_update_is_told(tmp_path: Path, host: Host) -> None:
    """Two records of one package are one package for listing, and a problem."""
    env = environment(tmp_path / "env", [facts("tiny", "1.0"), facts("tiny", "2.0")])
    assert [package.name for package in inventory.installed(env, host)] == ["tiny"]
    (problem,) = inventory.broken(env, host)
    assert "1.0 and 2.0" in problem.message


@pytest.mark.core
def test_an_environment_of_the_engine_is_read(tiny_channel: Channel, conda_host: Host, tmp_path: Path) -> None:
    """What the engine installed is listed with channel and URL, asked for or not, whole, and not altered until somebody edits it."""
    pytest.importorskip("rattler", reason="the embedded engine (extra conda) is not installed")
    spec = Spec(prefix=tmp_path / "env", conda=("leaf", "native"), channels=(tiny_channel.url,))
    env = envkit.ensure(spec, host=conda_host)
    found = {package.name: package for package in envkit.installed(env, host=conda_host)}
    assert {name: package.requested for name, package in found.items()} == {"leaf": True, "native": True, "tiny": False}
    assert {package.channel for package in found.values()} == {tiny_channel.url}
    assert found["tiny"].url == tiny_channel.record("tiny")["url"]
    assert inventory.unsatisfied(env, ["leaf", "tiny>=2", f"{tiny_channel.url}::native", "oldleaf"], conda_host) == ("oldleaf",)
    assert (inventory.broken(env, conda_host), inventory.conflicts(env, conda_host)) == ((), ())
    assert inventory.altered(env, Work(host=conda_host)) == ()
    script = env.prefix / "bin" / "native-hello"
    content = script.read_bytes()
    script.unlink()  # the cache is shared: never written through a link
    assert [problem.subject for problem in inventory.broken(env, conda_host)] == ["native"]
    script.write_bytes(content + b"echo more\n")
    assert [problem.subject for problem in inventory.altered(env, Work(host=conda_host))] == ["native"]
