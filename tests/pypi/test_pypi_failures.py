"""Every way in which an installation fails is a typed error with a stable code, a hint, and the tool's output in a log."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import pytest
from support.packages import install, names
from support.wheels import dead_index, make_project, make_sdist, serve_index

from envkit.errors import EnvkitError, InstallError, MachineError, NetworkError, RefusedError
from envkit.host import Host
from envkit.models.environment import Environment
from envkit.models.specs import Project, Sources
from envkit.pypi.failures import failure


@pytest.mark.core
@pytest.mark.parametrize(
    "wanted, code, package",
    [
        (("no-such-package",), "package-not-found", "no-such-package"),
        (("alpha>=99",), "no-matching-version", "alpha"),
        (("alpha==1.0", "alpha==2.0"), "conflict", "alpha"),
        (("beta", "alpha<1"), None, None),
    ],
)
def test_what_an_index_cannot_give(
    by: Host, env: Environment, wheels: Path, tmp_path: Path, wanted: tuple[str, ...], code: str, package: str
) -> None:
    """No such package, no such version, no versions that fit together: told apart, by uv and by pip, with the whole output kept."""
    log = tmp_path / "log" / "error.log"
    with serve_index(wheels) as index, pytest.raises(InstallError) as raised:
        install(env, by, *wanted, sources=Sources(indexes=(index.url,), configuration="isolated"), offline=False, log=log)
    error = raised.value
    assert error.code == code if code else error.code in {"conflict", "no-matching-version"}
    assert package is None or error.package == package
    assert not error.retryable
    assert error.hint
    assert error.log == log
    assert len(log.read_text()) > 50
    assert log.stat().st_mode & 0o777 == 0o600
    assert pickle.loads(pickle.dumps(error)).code == error.code
    assert not names(env, by)


def test_a_python_that_is_too_old_is_said_to_be(by: Host, env: Environment, wheels: Path) -> None:
    """A package that is there, but for newer Pythons only."""
    with serve_index(wheels) as index, pytest.raises(InstallError) as raised:
        install(env, by, "newer", sources=Sources(indexes=(index.url,), configuration="isolated"), offline=False)
    assert (raised.value.code, raised.value.package) == ("python-too-old", "newer")
    assert ">=4" in str(raised.value)


def test_a_package_that_needs_a_newer_python_by_path(by: Host, env: Environment, offline: Sources, wheels: Path) -> None:
    """The same for a wheel that is given by its path."""
    with pytest.raises(InstallError) as raised:
        install(env, by, Project(path=next(wheels.glob("newer-*.whl"))), sources=offline)
    assert raised.value.code == "python-too-old"


@pytest.mark.parametrize("failing", ["dead", "server-error", "unauthorized", "truncated"])
def test_an_index_that_cannot_be_had_is_a_network_error(by: Host, env: Environment, wheels: Path, failing: str) -> None:
    """Refused connections, errors of the server and downloads that break off are no "no such package"; all but credentials are retryable."""
    if failing == "dead":
        with pytest.raises(NetworkError) as raised:
            install(env, by, "alpha", sources=Sources(indexes=(dead_index(),), configuration="isolated"), offline=False)
    else:
        with serve_index(wheels, failure=failing) as index, pytest.raises(NetworkError) as raised:  # type: ignore[arg-type]
            install(env, by, "alpha", sources=Sources(indexes=(index.url,), configuration="isolated"), offline=False)
    assert raised.value.code == ("unauthorized" if failing == "unauthorized" else "network")
    assert raised.value.retryable is (failing != "unauthorized")
    assert raised.value.hint


def test_offline_says_what_is_not_here(by: Host, env: Environment, offline: Sources) -> None:
    """What would need the network when it may not be used; not retryable, for nothing will change by itself."""
    with pytest.raises(NetworkError) as raised:
        install(env, by, "no-such-package", sources=offline)
    assert (raised.value.code, raised.value.retryable) == ("offline", False)


def test_a_hash_that_is_not_right(by: Host, env: Environment, wheels: Path) -> None:
    """A URL with a hash that the file does not have."""
    with serve_index(wheels) as index, pytest.raises(InstallError) as raised:
        url = f"{index.url.removesuffix('/simple')}/files/alpha-1.0-py3-none-any.whl#sha256={'0' * 64}"
        install(env, by, f"alpha @ {url}", sources=Sources(configuration="isolated"), offline=False, dependencies=False)
    assert (raised.value.code, raised.value.package, raised.value.retryable) == ("hash-mismatch", "alpha", False)


def test_a_url_where_nothing_is(by: Host, env: Environment, wheels: Path) -> None:
    """A direct reference to a file that is not there."""
    with serve_index(wheels) as index, pytest.raises(InstallError) as raised:
        install(
            env,
            by,
            f"gone @ {index.url.removesuffix('/simple')}/files/gone-1.0-py3-none-any.whl",
            sources=Sources(configuration="isolated"),
            offline=False,
        )
    assert raised.value.code == "package-not-found"


@pytest.mark.parametrize("kind", ["project", "sdist"])
def test_a_build_that_fails_says_why(by: Host, env: Environment, offline: Sources, tmp_path: Path, kind: str) -> None:
    """The package and the last line of its traceback stand in the error; the log holds all of it."""
    make = make_project if kind == "project" else make_sdist
    project = make(tmp_path / "src", "failing", "1.0", broken="canary-reason")
    log = tmp_path / "error.log"
    with pytest.raises(InstallError) as raised:
        install(env, by, Project(path=project), sources=offline, log=log)
    assert (raised.value.code, raised.value.package) == ("build-failed", "failing")
    assert "canary-reason" in str(raised.value)
    assert "Traceback" in log.read_text()


def test_an_environment_that_may_not_be_written(by: Host, env: Environment, offline: Sources) -> None:
    """Not writable is the machine's no, whichever tool says it."""
    import os

    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    site = next((env.prefix / "lib").glob("python3*/site-packages"))
    site.chmod(0o500)
    try:
        with pytest.raises(MachineError) as raised:
            install(env, by, "alpha", sources=offline)
        assert raised.value.code == "no-permission"
    finally:
        site.chmod(0o700)


UV_OLD = "  × No solution found when resolving dependencies:\n  ╰─▶ Because nosuch was not found in the\n      package registry and you require nosuch, we can conclude that your\n      requirements are unsatisfiable.\n"
UV_PYTHON = (
    "  × No solution found when resolving dependencies:\n  ╰─▶ Because the current Python version (3.8.18) does not satisfy Python>=3.10\n"
    "      and numpy==2.1.0 depends on Python>=3.10, we can conclude that numpy==2.1.0\n      cannot be used.\n"
)
UV_WHEELS = (
    "  × No solution found when resolving dependencies:\n  ╰─▶ Because tensorflow==1.0.0 has no wheels with a matching Python ABI tag (e.g.,\n      `cp312`) and you require tensorflow==1.0.0, ...\n"
    "\n      hint: You require CPython 3.12\n"
)
PIP_CONFLICT = (
    "ERROR: Cannot install a==1 and b==1 because these package versions have conflicting dependencies.\n\nThe conflict is caused by:\n"
    "    a 1 depends on c<2\n    b 1 depends on c>=2\n\nERROR: ResolutionImpossible: for help visit https://pip.pypa.io\n"
)


@pytest.mark.parametrize(
    "kind, output, error, code",
    [
        ("uv", UV_OLD, InstallError, "package-not-found"),
        ("uv", UV_PYTHON, InstallError, "python-too-old"),
        ("uv", UV_WHEELS, InstallError, "no-matching-version"),
        ("pip", PIP_CONFLICT, InstallError, "conflict"),
        ("uv", "error: Failed to install: x\n  Caused by: failed to write: No space left on device (os error 28)\n", MachineError, "disk-full"),
        ("pip", "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device\n", MachineError, "disk-full"),
        ("pip", "ERROR: Could not install packages due to an OSError: [Errno 13] Permission denied: '/x'\n", MachineError, "no-permission"),
        ("uv", "error: failed to create directory `/x`: Read-only file system (os error 30)\n", MachineError, "read-only"),
        ("uv", "error: The interpreter at `/usr` is externally managed, and indicates\n", RefusedError, "externally-managed"),
        ("uv", "error: unexpected argument '--no-python-downloads' found\n", InstallError, "installer-too-old"),
        ("pip", "Traceback\nsome words nobody knows", InstallError, "install-failed"),
        ("pip", "", InstallError, "install-failed"),
        ("pip", "ERROR: Package 'x' requires a different Python: 3.8.18 not in '>=3.9'\n", InstallError, "python-too-old"),
        ("pip", "ERROR: HTTP error 403 while getting https://h/x.whl\n", NetworkError, "unauthorized"),
        ("pip", "ERROR: HTTP error 503 while getting https://h/x.whl\n", NetworkError, "network"),
        ("uv", "error: Request failed after 3 retries\n  Caused by: client error (Connect)\n  Caused by: dns error\n", NetworkError, "network"),
        ("pip", "WARNING: connection broken by 'ReadTimeoutError(...)'\nERROR: Max retries exceeded with url: /simple/x/\n", NetworkError, "network"),
        ("uv", "error: Failed to download `x==1`\n  Caused by: Hash mismatch for `x==1`\n", InstallError, "hash-mismatch"),
        ("uv", "  × Failed to build `x==1`\n  ├─▶ The build backend returned an error\n", InstallError, "build-failed"),
    ],
)  # fmt: skip
def test_recorded_words_of_the_tools(kind: str, output: str, error: type[EnvkitError], code: str) -> None:
    """What other versions and other machines said."""
    found = failure(kind, output, "", python="3.8.18", offline=False, index_given=False)  # type: ignore[arg-type]
    assert (type(found), found.code) == (error, code)
    assert found.retryable is (code in {"network", "disk-full"}), "only what may be otherwise the next time, without a change of the call"
    assert found.hint
    assert len(str(found)) < 1500


def test_a_log_that_cannot_be_written_hides_no_error(any_tool: Host, env: Environment, offline: Sources, tmp_path: Path) -> None:
    """The error itself matters more than its log."""
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvkitError) as raised:
        install(env, any_tool, "alpha>=99", sources=offline, log=tmp_path / "file" / "error.log")
    assert raised.value.log is None


def test_an_interpreter_that_is_gone(by: Host, env: Environment, offline: Sources) -> None:
    """A python that is not there is one typed error, not a traceback."""
    with pytest.raises(EnvkitError) as raised:
        install(replace(env, python=env.prefix / "bin" / "gone"), by, "alpha", sources=offline)
    assert raised.value.hint
