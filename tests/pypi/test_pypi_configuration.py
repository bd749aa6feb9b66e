"""Where packages come from: pip's and uv's configuration obeyed, everything else of it kept out, credentials shown nowhere."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.packages import install, names
from support.wheels import make_project, serve_index

from envkit import pypi
from envkit.control import Work
from envkit.errors import CorruptError, EnvkitError, NetworkError, UsageError
from envkit.events import Event
from envkit.host import Host
from envkit.models.environment import Environment
from envkit.models.specs import Project, Sources
from envkit.pypi.configuration import pip_settings
from envkit.pypi.environ import neutral
from envkit.pypi.uv_configuration import uv_environ, uv_settings
from envkit.system.secrets import credentials_in, masked, masker

CANARY = "c4n4ry-S3cret"


def with_variables(host: Host, **variables: str) -> Host:
    return replace(host, environ={**host.environ, **variables})


LEAKS = {
    "PIP_TARGET": "/nowhere/target", "PIP_PREFIX": "/nowhere", "PIP_ROOT": "/nowhere", "PIP_USER": "1", "PIP_DRY_RUN": "1", "PIP_NO_DEPS": "1",
    "PIP_REQUIREMENT": "/nowhere/r.txt", "PIP_CONSTRAINT": "/nowhere/c.txt", "PIP_PYTHON": "/nowhere/python", "PIP_REQUIRE_VIRTUALENV": "1",
    "PIP_QUIET": "3", "PIP_EDITABLE": "/nowhere", "PIP_IGNORE_INSTALLED": "1", "PIP_REPORT": "/nowhere/r.json", "PIP_PRE": "1",
    "UV_PROJECT": "/nowhere", "UV_PYTHON": "/nowhere/python", "UV_SYSTEM_PYTHON": "1", "UV_BREAK_SYSTEM_PACKAGES": "1", "UV_CONSTRAINT": "/nowhere/c.txt",
    "UV_OVERRIDE": "/nowhere/o.txt", "UV_REQUIRE_HASHES": "1", "UV_PRERELEASE": "allow", "UV_RESOLUTION": "lowest", "UV_WORKING_DIR": "/nowhere",
    "UV_TOOL_DIR": "/nowhere", "UV_PROJECT_ENVIRONMENT": "/nowhere", "VIRTUAL_ENV": "/nowhere", "CONDA_PREFIX": "/nowhere", "CONDA_DEFAULT_ENV": "x",
    "PYTHONPATH": "/nowhere", "PYTHONHOME": "/nowhere", "PYTHONSTARTUP": "/nowhere", "PYTHONWARNINGS": "error", "PYTHONOPTIMIZE": "2", "__PYVENV_LAUNCHER__": "/x",
}  # fmt: skip


@pytest.mark.core
def test_no_variable_moves_or_changes_an_installation(by: Host, env: Environment, offline: Sources) -> None:
    """Variables of pip, uv, Python, activated environments and conda that say what or where never reach the tool."""
    changes = install(env, with_variables(by, **LEAKS), "alpha", sources=offline)
    assert [str(package) for package in changes.added] == ["alpha 2.0"]
    assert not {*neutral(LEAKS)} & {*LEAKS}


def test_pip_conf_cannot_move_an_installation(by: Host, env: Environment, offline: Sources) -> None:
    """`target` or `user` in a configuration file of the user or of the environment is not obeyed."""
    for path in (by.home / ".config" / "pip" / "pip.conf", env.prefix / "pip.conf"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("[global]\ntarget = /nowhere/target\nno-deps = true\n[install]\ndry-run = true\nuser = true\n")
    (by.home / ".config" / "uv").mkdir(parents=True)
    (by.home / ".config" / "uv" / "uv.toml").write_text('prerelease = "allow"\n[pip]\ntarget = "/nowhere/target"\nno-deps = true\n')
    changes = install(env, by, "beta", sources=replace(offline, configuration="inherit"))
    assert [str(package) for package in changes.added] == ["alpha 2.0", "beta 1.0"]


def test_a_strangers_project_in_the_working_directory_is_not_read(
    by: Host, env: Environment, offline: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A `pyproject.toml` with [tool.uv], a uv.toml or a directory called like a package lie about in vain."""
    (by.cwd / "pyproject.toml").write_text(
        '[project]\nname = "x"\nversion = "1"\n[tool.uv]\nindex-url = "http://127.0.0.1:9/evil"\nno-build = true\n[tool.uv.pip]\nno-deps = true\n'
    )
    (by.cwd / "uv.toml").write_text("no-index = true\n")
    (by.cwd / "pip").mkdir()
    (by.cwd / "pip" / "__init__.py").write_text("raise SystemExit('the wrong pip')\n")
    (by.cwd / "alpha").mkdir()
    monkeypatch.chdir(by.cwd)
    assert [str(package) for package in install(env, by, "beta", sources=offline).added] == ["alpha 2.0", "beta 1.0"]


@pytest.mark.parametrize("way", ["PIP_INDEX_URL", "pip.conf", "PIP_FIND_LINKS"])
def test_pips_configuration_is_obeyed_by_both(by: Host, env: Environment, wheels: Path, way: str) -> None:
    """An index of pip's configuration, wherever it stands, is the one that pip and uv ask; with "isolated" it is not."""
    by = replace(by, environ={name: value for name, value in by.environ.items() if name not in {"PIP_FIND_LINKS", "PIP_INDEX_URL"}})
    with serve_index(wheels) as index:
        if way == "PIP_INDEX_URL":
            by = with_variables(by, PIP_INDEX_URL=index.url)
        elif way == "PIP_FIND_LINKS":
            (by.cwd / "wheels").symlink_to(wheels)
            by = with_variables(by, PIP_FIND_LINKS="wheels", PIP_NO_INDEX="1")
        else:
            place = by.home / ".config" / "pip" / "pip.conf"
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(f"[global]\nindex-url = {index.url}\n")
        assert [str(p) for p in install(env, by, "beta", sources=Sources(), offline=False).added] == ["alpha 2.0", "beta 1.0"]
        assert bool(index.requests) is (way != "PIP_FIND_LINKS")


def test_uvs_own_configuration_counts_more_for_uv(host: Host) -> None:
    """Where a variable or a file of uv names an index, pip's configuration says nothing to uv."""
    pip = {
        "index-url": "https://pip/simple",
        "extra-index-url": "https://e1 https://e2",
        "find-links": "/w1 /w2",
        "only-binary": ":all:",
        "cert": "/c.pem",
    }
    host = replace(host, environ={})
    told = uv_environ(host, Sources(), {}, pip)
    assert told["UV_DEFAULT_INDEX"] == "https://pip/simple"
    assert told["UV_INDEX"] == "https://e1 https://e2"
    assert told["UV_FIND_LINKS"] == "/w1,/w2"
    assert (told["UV_NO_BUILD"], told["SSL_CERT_FILE"]) == ("1", "/c.pem")
    own = uv_environ(with_variables(host, UV_DEFAULT_INDEX="https://uv/simple"), Sources(), {}, pip)
    assert own["UV_DEFAULT_INDEX"] == "https://uv/simple"
    assert "UV_INDEX" not in own
    assert "UV_DEFAULT_INDEX" not in uv_environ(host, Sources(), {"index": [{"url": "https://uv"}]}, pip)
    given = uv_environ(with_variables(host, UV_INDEX="https://uv/simple"), Sources(indexes=("https://mine/",)), {}, {})
    assert "UV_INDEX" not in given


def test_uv_toml_is_cut_down_and_joined(host: Host) -> None:
    """The user's file counts more than the system's; only where packages come from and how the network is reached is kept."""
    system, user = host.home / "etc", host.home / ".config"
    for directory, text in (
        (system, 'index-url = "https://s"\nfind-links = ["w"]\n'),
        (user, 'find-links = ["/u"]\nprerelease = "allow"\n[pip]\nsystem = true\nno-build = true\n'),
    ):
        (directory / "uv").mkdir(parents=True)
        (directory / "uv" / "uv.toml").write_text(text)
    host = replace(host, environ={"XDG_CONFIG_DIRS": str(system)})
    assert uv_settings(host, Sources()) == {
        "index-url": "https://s",
        "find-links": ["/u", str(system / "uv" / "w")],
        "pip": {"no-build": True},
    }
    assert uv_settings(host, Sources(configuration="isolated")) == {"pip": {}}
    assert "index-url" not in uv_settings(host, Sources(indexes=("https://mine",)))
    (user / "uv" / "uv.toml").write_text("not toml")
    with pytest.raises(CorruptError):
        uv_settings(host, Sources())
    assert uv_settings(with_variables(host, UV_NO_CONFIG="1"), Sources()) == {}


def test_pip_settings_follow_pips_own_order(host: Host, tmp_path: Path) -> None:
    """Global, user, site, PIP_CONFIG_FILE, variables; [install] over [global]; what pip itself says is the measure."""
    environ = {"HOME": str(host.home), "PATH": os.environ["PATH"], "XDG_CONFIG_DIRS": str(tmp_path / "xdg")}
    host = replace(host, environ=environ)
    places = {
        "xdg": tmp_path / "xdg" / "pip" / "pip.conf",
        "user": host.home / ".config" / "pip" / "pip.conf",
        "old": host.home / ".pip" / "pip.conf",
    }
    for name, path in places.items():
        path.parent.mkdir(parents=True)
        path.write_text(
            f"[global]\nindex-url = https://{name}/\nextra-index-url =\n  https://{name}/1\n  https://{name}/2\n[install]\ntrusted-host = {name}\n"
        )
    found = pip_settings(host, "/nowhere", Sources())
    assert found["index-url"] == "https://user/"
    assert found["extra-index-url"] == "https://user/1 https://user/2"
    said = subprocess.run(
        [sys.executable, "-I", "-m", "pip", "config", "list"], env=environ, capture_output=True, text=True, timeout=60, cwd=tmp_path
    )
    if said.returncode == 0:
        assert f"global.index-url='{found['index-url']}'" in said.stdout
    assert pip_settings(with_variables(host, PIP_INDEX_URL="https://env/"), "/nowhere", Sources())["index-url"] == "https://env/"
    (tmp_path / "pip.conf").write_text("[global]\nindex-url = https://own/\n")
    assert pip_settings(host, str(tmp_path), Sources())["index-url"] == "https://own/"
    assert (
        pip_settings(with_variables(host, PIP_CONFIG_FILE=str(tmp_path / "pip.conf")), "/nowhere", Sources())["index-url"] == "https://own/"
    )
    assert pip_settings(with_variables(host, PIP_CONFIG_FILE=os.devnull), "/nowhere", Sources()).get("index-url") is None
    isolated = pip_settings(with_variables(host, PIP_CERT="/c.pem"), "/nowhere", Sources(configuration="isolated"))
    assert isolated.get("cert") == "/c.pem"
    assert "index-url" not in isolated
    places["user"].write_text("no section here")
    with pytest.raises(CorruptError):
        pip_settings(host, "/nowhere", Sources())


def _command_lines(stop: threading.Event, found: set[str]) -> None:
    """Collect the argument lists of all processes of the machine until told to stop."""
    while not stop.is_set():
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    found.add(Path(f"/proc/{entry}/cmdline").read_bytes().decode(errors="replace"))
                except OSError:
                    continue
        time.sleep(0.03)


@pytest.fixture
def watched() -> Iterator[set[str]]:
    """All argument lists that are seen while the test runs."""
    if not Path("/proc/self/cmdline").exists():
        pytest.skip("no /proc here")
    found: set[str] = set()
    stop = threading.Event()
    thread = threading.Thread(target=_command_lines, args=(stop, found))
    thread.start()
    yield found
    stop.set()
    thread.join()


@pytest.mark.parametrize("way", ["variable", "file"])
def test_credentials_show_nowhere(by: Host, env: Environment, wheels: Path, tmp_path: Path, watched: set[str], way: str) -> None:
    """An index with a password works, and the password is in no argument list, event, error, log or installed file."""
    events: list[Event] = []
    log = tmp_path / "error.log"
    with serve_index(wheels, user="alice", password=CANARY) as index:
        url = index.url.replace("http://", f"http://alice:{CANARY}@")
        if way == "variable":
            by = with_variables(by, PIP_INDEX_URL=url)
        else:
            (by.home / ".config" / "pip").mkdir(parents=True)
            (by.home / ".config" / "pip" / "pip.conf").write_text(f"[global]\nindex-url = {url}\n")
        work = Work(host=by, report=events.append)
        assert pypi.install(env, ["alpha"], sources=Sources(), work=work, log=log).added
        with pytest.raises(EnvkitError) as raised:
            pypi.install(env, ["alpha>=99"], sources=Sources(), work=work, log=log)
    said = [str(raised.value), raised.value.hint or "", log.read_text(), *map(repr, events)]
    assert not [text for text in said if CANARY in text]
    assert not [line for line in watched if CANARY in line and "pytest" not in line]
    for path in env.prefix.rglob("*.dist-info/*"):
        assert CANARY not in path.read_text(errors="replace")


def test_offline_asks_nobody(by: Host, env: Environment, wheels: Path) -> None:
    """Without the network neither an index, nor a page of wheels, nor a URL is asked."""
    with serve_index(wheels) as index:
        files = f"{index.url.removesuffix('/simple')}/files/"
        by = with_variables(by, PIP_INDEX_URL=index.url, PIP_FIND_LINKS=files, UV_NO_CACHE="1")
        for wanted in ("alpha", f"alpha @ {files}alpha-1.0-py3-none-any.whl"):
            with pytest.raises(NetworkError) as raised:
                install(env, by, wanted, sources=Sources(find_links=(files,)))
            assert raised.value.code == "offline"
        assert index.requests == []


def test_a_password_in_uv_toml_is_masked(host: Host, env: Environment, tmp_path: Path) -> None:
    """What uv's own file knows is masked in what is said and kept, also where a build repeats it without its URL."""
    pytest.importorskip("uv")
    (host.home / ".config" / "uv").mkdir(parents=True)
    (host.home / ".config" / "uv" / "uv.toml").write_text(f'[[index]]\nurl = "https://u:{CANARY}@127.0.0.1:9/simple"\n')
    project = make_project(tmp_path, "app", "1.0", broken=f"the password is {CANARY}")
    log = tmp_path / "error.log"
    events: list[Event] = []
    with pytest.raises(EnvkitError) as raised:
        pypi.install(env, [Project(path=project)], sources=Sources(), work=Work(host=host, report=events.append), log=log)
    assert raised.value.code == "build-failed"
    assert CANARY not in f"{raised.value}{log.read_text()}{events}"


def test_wrong_credentials_are_said_to_be_wrong(by: Host, env: Environment, wheels: Path) -> None:
    """An index that refuses is a NetworkError with a hint that says how to give credentials."""
    with serve_index(wheels, user="alice", password=CANARY) as index, pytest.raises(NetworkError) as raised:
        install(env, by, "alpha", sources=Sources(indexes=(index.url,), configuration="isolated"), offline=False)
    assert raised.value.code == "unauthorized"
    assert "keyring" in (raised.value.hint or "")


def test_credentials_in_values_are_refused(by: Host, env: Environment) -> None:
    """Sources never hold any: the value would be written into records and plans."""
    for sources in (Sources(indexes=(f"https://u:{CANARY}@h/simple",)), Sources(find_links=(f"https://{CANARY}@h/",))):
        with pytest.raises(UsageError) as raised:
            install(env, by, "alpha", sources=sources)
        assert raised.value.code == "credentials"
        assert CANARY not in f"{raised.value}{raised.value.hint}"


def test_secrets_are_masked_wherever_they_stand() -> None:
    """URLs, query parameters, headers, values of variables with telling names, and passwords as URLs spell them."""
    environ = {
        "MY_TOKEN": "tok-12345",
        "PIP_INDEX_URL": "https://u:p%40ss-word@h/",
        "UV_INDEX_X_PASSWORD": "hunter22",
        "HOME": "/root",
        "API_KEY": "true",
        "KEYRING_TOKEN": "",
    }
    mask = masker(environ)
    for text in ("tok-12345", "p%40ss-word", "p@ss-word", "hunter22"):
        assert text not in mask(f"a line with {text} in it")
    assert mask("at https://alice:pw@h/x and git+ssh://git@h/y") == "at https://****@h/x and git+ssh://git@h/y"
    assert masked("GET https://h/x?token=abc&y=1") == "GET https://h/x?token=****&y=1"
    assert masked("Authorization: Basic QWxh") == "Authorization: Basic ****"
    assert mask("nothing true about /root") == "nothing true about /root"
    assert credentials_in("https://tok@h/")
    assert not credentials_in("https://h/a@b")
    assert not credentials_in("git+ssh://git@h/x")


def test_the_scratch_directory_is_gone_afterwards(
    any_tool: Host, env: Environment, offline: Sources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of ours is left in the temporary directory, whether it went well or not."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    install(env, any_tool, "alpha", sources=offline)
    with pytest.raises(EnvkitError):
        install(env, any_tool, "alpha>=99", sources=offline)
    assert os.listdir(tmp_path / "tmp") == []
    assert names(env, any_tool) == {"alpha": "2.0"}
