"""mamba and micromamba as engines, by recorded output: no machine of ours has one, so what they say is taken from their own sources and
issue threads, and replayed by a program that is called as they are. conda's output is recorded from conda 26.7.1.
"""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from envkit.conda import configuration, engines
from envkit.conda.command import Command
from envkit.conda.request import Exact, Outcome, Wish
from envkit.control import Work
from envkit.errors import EnvkitError, RefusedError, UsageError
from envkit.events import Event, Progress
from envkit.host import Host

pytestmark = [
    pytest.mark.core,
    pytest.mark.skipif(sys.platform == "win32", reason="the program that replays is a script with a shebang"),
]

CHANNEL = "https://conda.anaconda.org/conda-forge"
# mamba-org/mamba issue 878, comment of 2025-01-30: `mamba env create --json` of mamba 2.0.
PYTHON_ABI = {
    "build": "5_cp313",
    "build_number": 5,
    "build_string": "5_cp313",
    "channel": "conda-forge",
    "constrains": ["python 3.13.* *_cp313"],
    "depends": None,
    "fn": "python_abi-3.13-5_cp313.conda",
    "license": "BSD-3-Clause",
    "md5": "381bbd2a92c863f640a55b6ff3c35161",
    "name": "python_abi",
    "sha256": "438225b241c5f9bddae6f0178a97f5870a89ecf927dfca54753e689907331442",
    "size": 6217,
    "subdir": "linux-64",
    "timestamp": 1723823393,
    "track_features": "",
    "url": f"{CHANNEL}/linux-64/python_abi-3.13-5_cp313.conda",
    "version": "3.13",
}
MAMBA_CREATE = {"actions": {"FETCH": [PYTHON_ABI], "LINK": [PYTHON_ABI], "PREFIX": ""}, "dry_run": False, "prefix": "", "success": True}

_REPLAY = """#!{python}
import json, os, sys
here = os.path.dirname(os.path.abspath(__file__))
says = json.load(open(os.path.join(here, "says.json")))
with open(os.path.join(here, "calls.jsonl"), "a") as calls:
    calls.write(json.dumps({{"argv": sys.argv[1:], "environ": dict(os.environ)}}) + "\\n")
said = says.get("dry" if "--dry-run" in sys.argv else sys.argv[1], {{"stdout": "{{}}", "stderr": "", "code": 0}})
prefix = next(word[9:] for word in sys.argv if word.startswith("--prefix="))
for name, record in said.get("records", {{}}).items():
    os.makedirs(os.path.join(prefix, "conda-meta"), exist_ok=True)
    open(os.path.join(prefix, "conda-meta", "history"), "a").close()
    json.dump(record, open(os.path.join(prefix, "conda-meta", name + ".json"), "w"))
sys.stderr.write(said["stderr"])
sys.stdout.write(said["stdout"])
sys.exit(said["code"])
"""

Says = Callable[..., None]


class Tool:
    """A program that says what was recorded, and what it was called with."""

    def __init__(self, directory: Path, name: str) -> None:
        self.path = directory / name
        self._says: dict[str, Any] = {}
        directory.mkdir()
        self.path.write_text(_REPLAY.format(python=sys.executable))
        self.path.chmod(self.path.stat().st_mode | stat.S_IXUSR)
        (directory / "says.json").write_text("{}")

    def says(self, verb: str, stdout: object, *, stderr: str = "", code: int = 0, records: Iterable[dict[str, Any]] = ()) -> None:
        """Answer one verb ("dry" is each of them with `--dry-run`)."""
        text = stdout if isinstance(stdout, str) else json.dumps(stdout, indent=4)
        named = {f"{record['name']}-{record['version']}-{record['build']}": record for record in records}
        self._says[verb] = {"stdout": text, "stderr": stderr, "code": code, "records": named}
        (self.path.parent / "says.json").write_text(json.dumps(self._says))

    @property
    def calls(self) -> list[dict[str, Any]]:
        """Arguments and variables of each call, in order."""
        path = self.path.parent / "calls.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def micromamba(tmp_path: Path) -> Tool:
    return Tool(tmp_path / "bin", "micromamba")


def _carry_out(tool: Tool, host: Host, wish: Wish, *, report: Callable[[Event], None] | None = None, **configured: Any) -> Outcome:
    found = replace(configuration.read(host, channels=[CHANNEL, "nodefaults"]), **configured)
    engine = Command(NAME=tool.path.name, path=str(tool.path))  # type: ignore[arg-type]
    return engine.carry_out(wish, found, work=Work(host=host, report=report), log=host.data / "log")


def _failure(tool: Tool, host: Host, wish: Wish, **configured: Any) -> EnvkitError:
    with pytest.raises(EnvkitError) as caught:
        _carry_out(tool, host, wish, **configured)
    return caught.value


def _place(tmp_path: Path) -> Path:
    prefix = tmp_path / "an env"
    (prefix / ".envkit").mkdir(parents=True)
    return prefix


def _environment(tmp_path: Path, *records: dict[str, Any]) -> Path:
    prefix = tmp_path / "env"
    (prefix / "conda-meta").mkdir(parents=True)
    (prefix / "conda-meta" / "history").touch()
    for record in records:
        name = f"{record['name']}-{record['version']}-{record['build']}.json"
        (prefix / "conda-meta" / name).write_text(json.dumps(record))
    return prefix


def _record(name: str, *depends: str, requested: str | None = None) -> dict[str, Any]:
    found = {"name": name, "version": "1.0", "build": "0", "depends": list(depends), "subdir": "noarch", "channel": CHANNEL}
    return {**found, "requested_spec": requested} if requested else found


def test_a_new_environment_appears_when_it_is_whole(micromamba: Tool, host: Host, tmp_path: Path) -> None:
    """The tool makes it in another directory; then it lies at its place with its marks, and no file holds the other path."""
    prefix = _place(tmp_path)
    micromamba.says("create", MAMBA_CREATE, records=[PYTHON_ABI])
    outcome = _carry_out(micromamba, host, Wish(prefix=prefix, create=True, install=("python_abi 3.13.*",)))
    (call,) = micromamba.calls
    assert not next(word for word in call["argv"] if word.startswith("--prefix=")).endswith(str(prefix))
    assert [package.name for package in outcome.linked] == ["python_abi"]
    assert (outcome.download, outcome.linked[0].sha256, outcome.linked[0].channel) == (6217, PYTHON_ABI["sha256"], "conda-forge")
    assert sorted(os.listdir(prefix)) == [".envkit", "conda-meta"]
    assert [name for name in os.listdir(tmp_path) if name.startswith(".envkit-new")] == []


def test_texts_come_after_two_dashes_and_channels_are_named(micromamba: Tool, host: Host, tmp_path: Path) -> None:
    """No text of a caller can be an option; the channels that count are said, and no others."""
    prefix = _environment(tmp_path)
    _carry_out(micromamba, host, Wish(prefix=prefix, install=("numpy >=2", "r-base")))
    (call,) = micromamba.calls
    assert call["argv"] == [
        "install",
        f"--prefix={prefix}",
        "--json",
        "--yes",
        "--override-channels",
        f"--channel={CHANNEL}",
        "--",
        "numpy >=2",
        "r-base",
    ]


@pytest.mark.parametrize("text", ["--clone=base", "-c evil", "numpy\n--force", ""])
def test_a_text_that_is_no_match_spec_reaches_no_tool(micromamba: Tool, host: Host, tmp_path: Path, text: str) -> None:
    """What begins as an option, holds a line end or is empty is refused before a program is started."""
    error = _failure(micromamba, host, Wish(prefix=_environment(tmp_path), install=(text,)))
    assert isinstance(error, UsageError)
    assert error.code == "match-spec"
    assert micromamba.calls == []


def test_variables_that_divert_are_left_out(micromamba: Tool, host: Host, tmp_path: Path) -> None:
    """Variables of the active environment, of Python, and those that turn a command into another one do not reach the tool."""
    diverting = {
        "CONDA_PREFIX": "/other",
        "CONDA_SHLVL": "2",
        "MAMBA_DRY_RUN": "1",
        "CONDA_DRY_RUN": "1",
        "PYTHONPATH": "/evil",
        "PYTHONHOME": "/evil",
    }
    kept = {
        "CONDA_PKGS_DIRS": str(tmp_path / "pkgs"),
        "MAMBA_ROOT_PREFIX": "/srv/mamba",
        "CONDA_SSL_VERIFY": "/etc/ca.pem",
        "https_proxy": "http://p:3128",
    }
    loud = replace(host, environ={**host.environ, **diverting, **kept})
    _carry_out(micromamba, loud, Wish(prefix=_environment(tmp_path), install=("six",), platform="osx-arm64"))
    environ = micromamba.calls[0]["environ"]
    assert diverting.keys() & environ.keys() == set()
    assert kept.items() <= environ.items()
    assert (environ["CONDA_SUBDIR"], environ["CONDA_REGISTER_ENVS"]) == ("osx-arm64", "false")
    assert environ["CONDA_ADD_PIP_AS_PYTHON_DEPENDENCY"] == "false", "a Python comes with what its package needs, whichever engine acts"


def test_a_plan_says_what_the_tool_would_do(micromamba: Tool, host: Host, tmp_path: Path) -> None:
    """LINK, UNLINK and FETCH of a dry run become an outcome; nothing is made."""
    old = {**PYTHON_ABI, "version": "3.12", "build": "5_cp312", "url": f"{CHANNEL}/linux-64/python_abi-3.12-5_cp312.conda"}
    prefix = _environment(tmp_path, old)
    micromamba.says("dry", {"actions": {"FETCH": [PYTHON_ABI], "LINK": [PYTHON_ABI], "UNLINK": [old]}, "dry_run": True, "success": True})
    outcome = _carry_out(micromamba, host, Wish(prefix=prefix, install=("python_abi=3.13",), dry_run=True))
    assert [(package.version, package.requested) for package in outcome.linked] == [("3.13", "python_abi=3.13")]
    assert [package.version for package in outcome.unlinked] == ["3.12"]
    assert [package.version for package in outcome.after] == ["3.13"]
    assert outcome.download == 6217


def test_a_removal_takes_what_needs_it_and_prune_what_nothing_needs(micromamba: Tool, host: Host, tmp_path: Path) -> None:
    """All engines remove the same: the names, everything that needs them, and with prune what nobody asked for and nothing needs."""
    records = [
        _record("top", "middle", requested="top"),
        _record("middle", "low"),
        _record("low"),
        _record("other", requested="other"),
        _record("stray"),
    ]
    prefix = _environment(tmp_path, *records)
    plan = _carry_out(micromamba, host, Wish(prefix=prefix, remove=("middle",), dry_run=True))
    assert [package.name for package in plan.unlinked] == ["middle", "top"]
    pruned = _carry_out(micromamba, host, Wish(prefix=prefix, remove=("top",), prune=True, dry_run=True))
    assert {package.name for package in pruned.unlinked} == {"top", "middle", "low", "stray"}
    assert micromamba.calls == []
    _carry_out(micromamba, host, Wish(prefix=prefix, remove=("middle",)))
    assert micromamba.calls[0]["argv"][-3:] == ["--", "middle", "top"]
    assert "--no-prune-deps" in micromamba.calls[0]["argv"]


def test_a_frozen_environment_reaches_no_tool(micromamba: Tool, host: Host, tmp_path: Path) -> None:
    """micromamba knows nothing of CEP 22; envkit does."""
    prefix = _environment(tmp_path)
    (prefix / "conda-meta" / "frozen").write_text('{"message": "ask Eve"}')
    error = _failure(micromamba, host, Wish(prefix=prefix, install=("six",)))
    assert isinstance(error, RefusedError)
    assert error.code == "frozen"
    assert "ask Eve" in str(error)
    assert micromamba.calls == []


def test_a_package_that_is_not_allowed_is_refused(micromamba: Tool, host: Host, tmp_path: Path) -> None:
    """mamba does not know condarc's `disallowed_packages`; so it is asked first what it would do."""
    micromamba.says("dry", MAMBA_CREATE)
    error = _failure(micromamba, host, Wish(prefix=_environment(tmp_path), install=("python",)), disallowed=("python_abi>=3.13",))
    assert error.code == "disallowed"
    assert [call["argv"][0] for call in micromamba.calls] == ["install"]
    assert "--dry-run" in micromamba.calls[0]["argv"]


def test_exact_packages_are_a_list_with_hashes(micromamba: Tool, host: Host, tmp_path: Path) -> None:
    """A list of package files is given to the tool as CEP 23 has it, without a solve; a local one is held against its hash first."""
    prefix = _place(tmp_path)
    url = PYTHON_ABI["url"]
    micromamba.says("create", {"success": True}, records=[PYTHON_ABI])
    _carry_out(micromamba, host, Wish(prefix=prefix, create=True, exact=(Exact(url=url, sha256=PYTHON_ABI["sha256"]),), prune=True))
    argv = micromamba.calls[0]["argv"]
    assert "--override-channels" not in argv
    assert any(word.startswith("--file=") for word in argv)
    (tmp_path / "six-1.0-0.conda").write_bytes(b"something else")
    local = Exact(url=(tmp_path / "six-1.0-0.conda").as_uri(), md5="0" * 32)
    error = _failure(micromamba, host, Wish(prefix=prefix, exact=(local,)))
    assert (error.code, getattr(error, "package", None)) == ("hash-mismatch", "six")
    assert len(micromamba.calls) == 1


# Each: what was recorded, the code that it means, and a word that the message must have.
RECORDED: list[tuple[str, str, str, str, str]] = [
    # mamba issue 2513: `micromamba create --json`, 1.4
    (
        "conflict",
        json.dumps(
            {
                "solver_problems": [
                    "package libarrow-12.0.0-h07599e3_0_cuda requires libevent >=2.1.12,<2.1.13.0a0, but none of the providers can be installed"
                ],
                "success": False,
            }
        ),
        "",
        "conflict",
        "libevent",
    ),
    # mamba issue 1802 and 1335: an unknown package
    ("unknown", json.dumps({"solver_problems": ["nothing provides requested xyz"], "success": False}), "", "package-not-found", "xyz"),
    # libmamba's problems_graph.cpp (2.8): the tree that is explained, on standard error
    (
        "unknown in a tree",
        json.dumps({"success": False}),
        (
            "error    libmamba Could not solve for environment specs\n    The following package could not be installed\n"
            "    └─ nothere does not exist (perhaps a typo or a missing channel).\n"
            "critical libmamba Could not solve for environment specs\n"
        ),
        "package-not-found",
        "nothere",
    ),
    (
        "virtual package",
        json.dumps({"success": False, "solver_problems": ["nothing provides __cuda needed by cuda-thing-1.0-0"]}),
        "critical libmamba Could not solve for environment specs\n",
        "virtual-package",
        "__cuda",
    ),
    # mamba issue 3536: no network, 2.0
    (
        "no network",
        "",
        (
            "critical libmamba Multiple errors occurred:\n    Download error (6) Couldn't resolve host name "
            "[https://conda.anaconda.org/conda-forge/linux-64/repodata.json.zst]\n    Could not resolve host: conda.anaconda.org\n"
            "    Subdir conda-forge/noarch not loaded!\n"
        ),
        "network",
        "conda.anaconda.org",
    ),
    # mamba issue 2203: no such channel
    (
        "no channel",
        "{}",
        (
            "critical libmamba Multiple errors occured:\n    Multi-download failed. Reason: Transfer finalized, status: 404 "
            "[https://anaconda.org/none/noarch/repodata.json] 3283 bytes\n    Subdir https://anaconda.org/none/noarch not loaded!\n"
        ),
        "channel-not-found",
        "anaconda.org/none",
    ),
    # mamba issue 3864: a private channel, 2.0.7
    (
        "credentials",
        "{}",
        "error    libmamba Failed to download package from https://***:***@private.example/pkgs/noarch/x-1.0-0.tar.bz2 (status 401)\n",
        "unauthorized",
        "refused access",
    ),
    # libmamba's package_fetcher.cpp (2.8), as a part of the document since 2.8.1
    (
        "hash",
        json.dumps(
            {
                "success": False,
                "log_history": [
                    {
                        "level": "error",
                        "source": "libmamba",
                        "message": "File not valid: SHA256 sum doesn't match expectation /root/micromamba/pkgs/six-1.16.0-pyh6c4a22f_0.tar.bz2\n"
                        "Expected: 0000\nActual: 1111\n",
                    }
                ],
            }
        ),
        "",
        "hash-mismatch",
        "six",
    ),
    ("disk", "{}", "critical libmamba [json.exception] No space left on device\n", "disk-full", "No space left"),
    (
        "place",
        "{}",
        "critical libmamba filesystem error: cannot create directories: Permission denied [/opt/x]\n",
        "no-permission",
        "Permission",
    ),
    ("lock", "{}", "critical libmamba LockFile acquisition failed, aborting: Could not lock /x/pkgs.lock\n", "busy", "Could not lock"),
    ("option", "{}", "The following argument was not expected: --no-prune-deps\n", "installer-too-old", "--no-prune-deps"),
    ("unknown failure", "{}", "critical libmamba something new\n", "install-failed", "something new"),
]


@pytest.mark.parametrize("stdout,stderr,code,word", [case[1:] for case in RECORDED], ids=[case[0] for case in RECORDED])
def test_what_mamba_says_is_a_typed_error(
    micromamba: Tool, host: Host, tmp_path: Path, stdout: str, stderr: str, code: str, word: str
) -> None:
    """Problems of the solver, the network, hashes, the disk and locks have the codes that the embedded engine gives them; the log keeps all."""
    micromamba.says("install", stdout, stderr=stderr, code=1)
    error = _failure(micromamba, host, Wish(prefix=_environment(tmp_path), install=("six",)))
    assert error.code == code, str(error)
    assert word in str(error)
    assert error.hint
    assert error.log is not None
    assert stderr[:30] in error.log.read_text()


def test_a_failed_creation_leaves_the_place_as_it_was(micromamba: Tool, host: Host, tmp_path: Path) -> None:
    """The directory with envkit's marks is all that is there when the tool fails, whatever it had made."""
    prefix = _place(tmp_path)
    micromamba.says("create", {"success": False, "solver_problems": ["nothing provides requested x"]}, code=1, records=[PYTHON_ABI])
    assert _failure(micromamba, host, Wish(prefix=prefix, create=True, install=("x",))).code == "package-not-found"
    assert os.listdir(prefix) == [".envkit"]
    assert [name for name in os.listdir(tmp_path) if name.startswith(".envkit-new")] == []


def test_offline_what_is_not_here_is_said_to_be_offline(micromamba: Tool, host: Host, tmp_path: Path) -> None:
    """A package that is not found while the network must not be used is no wrong name."""
    micromamba.says("install", {"solver_problems": ["nothing provides requested six"], "success": False}, code=1)
    error = _failure(micromamba, host, Wish(prefix=_environment(tmp_path), install=("six",)), offline=True)
    assert error.code == "offline"
    assert "--offline" in micromamba.calls[0]["argv"]


def test_downloads_are_told_while_they_run(host: Host, tmp_path: Path) -> None:
    """conda's lines of progress become events; the document after them is read, and text that a plug-in writes between is passed over."""
    conda = Tool(tmp_path / "bin", "conda")
    lines = "".join(
        f'{{"fetch":"{name}-1.0","finished":{finished},"maxval":1,"progress":{part}}}\n\0'
        for name, finished, part in (("six", "false", "0.500000"), ("six", "true", "1"), ("zlib", "true", "1"))
    )
    document = json.dumps({"success": True, "actions": {"FETCH": [{**PYTHON_ABI, "size": 7}], "LINK": []}})
    conda.says("install", f"a plug-in says hello\n{lines}{document}")
    events: list[Event] = []
    outcome = _carry_out(conda, host, Wish(prefix=_environment(tmp_path), install=("six",)), report=events.append)
    assert [event.done for event in events if isinstance(event, Progress)] == [1, 2]
    assert outcome.download == 7


def test_packages_that_bring_the_same_file_are_no_stranger_s_files(host: Host, tmp_path: Path) -> None:
    """conda is told to refuse every clash; where only packages clash it is asked again, where a file of nobody is there it is not."""
    conda = Tool(tmp_path / "bin", "conda")
    known = {"exception_name": "SharedLinkPathClobberError", "message": "This transaction has incompatible packages due to a shared path."}
    conda.says("install", {"errors": [known], "exception_name": "CondaMultiError", "error": "Multiple"}, code=1)
    wish = Wish(prefix=_environment(tmp_path), install=("six",))
    assert _failure(conda, host, wish).code == "link-failed"
    assert [call["environ"]["CONDA_PATH_CONFLICT"] for call in conda.calls] == ["prevent", "clobber"]
    unknown = {"exception_name": "UnknownPackageClobberError", "message": "The package 'six' cannot be installed due to a path collision"}
    conda.says("install", {"errors": [known, unknown], "exception_name": "CondaMultiError", "error": "Multiple"}, code=1)
    assert _failure(conda, host, wish).code == "foreign-files"


def test_credentials_are_no_arguments_and_in_no_error(host: Host, tmp_path: Path) -> None:
    """conda gets the credentials of a channel in a file that nobody else can read; what it says of them is masked."""
    conda = Tool(tmp_path / "bin", "conda")
    found = configuration.read(host, channels=["https://eve:s3cret99@example.org/private", "nodefaults"])
    conda.says("install", {"exception_name": "CondaHTTPError", "message": "HTTP 000 for https://eve:s3cret99@example.org/private"}, code=1)
    with pytest.raises(EnvkitError) as caught:
        Command(NAME="conda", path=str(conda.path)).carry_out(
            Wish(prefix=_environment(tmp_path), install=("six",)), found, work=Work(host=host), log=tmp_path / "log"
        )
    assert "s3cret99" not in json.dumps(conda.calls)
    assert conda.calls[0]["environ"]["CONDARC"].endswith("/condarc")
    assert "s3cret99" not in f"{caught.value} {caught.value.hint} {(tmp_path / 'log').read_text()}"


def test_the_engine_is_the_one_that_is_asked_for(host: Host, tmp_path: Path) -> None:
    """By name it is found where shells and installers put it, never among shims; by path it is taken as it is called; else an error says so."""
    tool = Tool(tmp_path / "tools", "mamba")
    shim = Tool(tmp_path / "shims", "mamba")

    def asked(text: str, **variables: str) -> object:
        other = replace(host, environ={"HOME": str(host.home), "ENVKIT_CONDA_ENGINE": text, **variables})
        return engines.engine(configuration.read(other), other)

    path = f"{shim.path.parent}{os.pathsep}{tool.path.parent}"
    assert asked("mamba", PATH=path) == Command(NAME="mamba", path=str(tool.path))
    assert asked("mamba", MAMBA_EXE=str(tool.path), PATH="") == Command(NAME="mamba", path=str(tool.path))
    assert asked(str(tool.path), PATH="") == Command(NAME="mamba", path=str(tool.path))
    assert getattr(asked("rattler", PATH=path), "NAME", None) == "rattler"
    for text, code in (
        ("micromamba", "conda-engine-not-found"),
        ("poetry", "conda-engine"),
        (str(tmp_path / "mamba"), "conda-engine-not-found"),
    ):
        with pytest.raises(EnvkitError) as caught:
            asked(text, PATH=path)
        assert caught.value.code == code
        assert caught.value.hint
