"""`python -m nox` checks everything: lint, types, floors, tests on every Python there is, and the examples of the documentation."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nox

os.environ["UV_PYTHON_DOWNLOADS"] = "never"  # a Python that is not here is reported, not fetched
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = False  # the session `pythons` judges
nox.options.sessions = ["lint", "types", "floors", "tests", "docs", "pythons"]

ROOT = Path(__file__).parent
PYPROJECT = nox.project.load_toml(ROOT / "pyproject.toml")
VERSIONS = nox.project.python_versions(PYPROJECT)
CI_NEEDS = 2

ASK = """
import json, sys, sysconfig
config = sysconfig.get_config_vars()
odd = sys.version_info[3] != "final" or sys.implementation.name != "cpython" or config.get("Py_DEBUG") or config.get("Py_GIL_DISABLED")
print(json.dumps(None if odd else list(sys.version_info[:3])))
"""


def candidates(version: str) -> Iterator[str]:
    """Give the paths where a Python of this minor version may be: the one that runs nox, PATH, then pyenv's versions."""
    if version == f"{sys.version_info[0]}.{sys.version_info[1]}":
        yield sys.executable
    for folder in os.get_exec_path():
        if os.path.isabs(folder) and (found := shutil.which(f"python{version}", path=folder)):
            yield found
    versions = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv", "versions")
    prefixes = [prefix for prefix in versions.glob(f"{version}.*") if prefix.name.removeprefix(f"{version}.").isdecimal()]
    for prefix in sorted(prefixes, key=lambda prefix: int(prefix.name.rpartition(".")[2]), reverse=True):
        yield str(prefix / ("python.exe" if os.name == "nt" else "bin/python"))


def answers(path: str, version: str) -> bool:
    """Run it: a shim that leads nowhere, another version, a pre-release, a debug or a free-threaded build is not what we look for."""
    try:
        said = subprocess.run([path, "-I", "-c", ASK], capture_output=True, stdin=subprocess.DEVNULL, timeout=20, check=True).stdout
        release = json.loads(said)
    except (OSError, ValueError, subprocess.SubprocessError):
        return False
    return isinstance(release, list) and release[:2] == [int(part) for part in version.split(".")]


FOUND = {version: path for version in VERSIONS if (path := next((path for path in candidates(version) if answers(path, version)), None))}
NEWEST = next(reversed(FOUND), None)
EVERY_PYTHON = [nox.param(path, id=version) for version, path in FOUND.items()]
ONE_PYTHON = FOUND.get(NEWEST or "", sys.executable)
passed: list[str] = []


def group(name: str) -> list[str]:
    """Give the requirements of a dependency group of pyproject.toml."""
    return list(nox.project.dependency_groups(PYPROJECT, name))


@nox.session(python=ONE_PYTHON)
def lint(session: nox.Session) -> None:
    """Run ruff: rules, then format."""
    session.install(*group("lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session(python=ONE_PYTHON)
def types(session: nox.Session) -> None:
    """Run mypy and pyright, both strict."""
    session.install(".[all]", *group("types"))
    session.run("mypy")
    session.run("pyright")


@nox.session(python=ONE_PYTHON)
def floors(session: nox.Session) -> None:
    """Run import-linter: imports only go down."""
    session.install(*group("floors"))
    session.run("lint-imports", "--no-cache")


@nox.session
@nox.parametrize("python", EVERY_PYTHON)
def tests(session: nox.Session) -> None:
    """Run the whole suite on the newest Python, the core of it on the others. Arguments after `--` go to pytest."""
    session.install(".[all]", *group("tests"))
    newest = session.python == FOUND[str(NEWEST)]
    chosen = [] if newest else ["-m", "core and not by_pip"]
    session.run(
        "pytest", "--ignore=tests/docs", "-n2", "--dist=loadgroup", *chosen, *session.posargs
    )  # much of it waits for other processes
    passed.append(next(version for version, path in FOUND.items() if path == session.python))
    session.notify("pythons")


@nox.session(python=ONE_PYTHON)
def docs(session: nox.Session) -> None:
    """Run every example of README and docs, the first command from a copy of the tree included."""
    session.install(".[all]", *group("docs"))
    session.run("pytest", "tests/docs", "-n2", *session.posargs)


@nox.session(python=False)
def pythons(session: nox.Session) -> None:
    """Say on which Pythons the tests passed, and which were not there; with CI set, fewer than two are an error."""
    for version in VERSIONS:
        state = "passed" if version in passed else "did not pass" if version in FOUND else "not there"
        session.log(f"Python {version}: {state}" + (f" ({FOUND[version]})" if version in FOUND else ""))
    if os.environ.get("CI") and len(passed) < CI_NEEDS:
        session.error(f"the tests passed on {len(passed)} of the Pythons {', '.join(VERSIONS)}; CI needs {CI_NEEDS}")


@nox.session(python=ONE_PYTHON, default=False)
def bench(session: nox.Session) -> None:
    """Measure, each figure beside its peer in the same run."""
    session.install(".[all]", *group("bench"))
    session.run("python", "-m", "tests.bench", *session.posargs, env={"PYTHONDONTWRITEBYTECODE": None})


@nox.session(python=ONE_PYTHON, default=False)
def stubs(session: nox.Session) -> None:
    """Hold the package against a folder of stubs: `nox -s stubs -- FOLDER`."""
    if len(session.posargs) != 1:
        session.error("say which folder holds the stubs: nox -s stubs -- FOLDER")
    session.install(".[all]", *group("types"))
    allowed = ROOT / "tests" / "typing" / "stubtest-allow.txt"
    session.run(
        "python",
        "-m",
        "mypy.stubtest",
        "envkit",
        "--allowlist",
        str(allowed),
        "--ignore-unused-allowlist",
        env={"MYPYPATH": session.posargs[0]},
    )
