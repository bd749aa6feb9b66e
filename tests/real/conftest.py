"""A home with environments that the real tools made: the tools in an environment of their own, what they make in a home of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pytest

from envkit.control import Work
from envkit.discovery.locators import TABLE
from envkit.discovery.search import identify, search
from envkit.host import Host
from envkit.models.environment import Environment

TOOLS = ("virtualenv", "virtualenvwrapper", "setuptools", "poetry", "pipenv", "hatch", "pdm", "pipx", "tox", "nox", "uv")
BACKEND = """
import os, zipfile

def build_editable(directory, config_settings=None, metadata_directory=None):
    name = "{name}-1.0-py3-none-any.whl"
    files = {{
        "{name}.pth": os.getcwd() + "\\n",
        "{name}-1.0.dist-info/METADATA": "Metadata-Version: 2.1\\nName: {name}\\nVersion: 1.0\\n",
        "{name}-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\\nGenerator: t\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
        "{name}-1.0.dist-info/entry_points.txt": "[console_scripts]\\n{name} = {name}:main\\n",
    }}
    with zipfile.ZipFile(os.path.join(directory, name), "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
        archive.writestr("{name}-1.0.dist-info/RECORD", "".join(path + ",,\\n" for path in [*files, "{name}-1.0.dist-info/RECORD"]))
    return name

build_wheel = build_editable
"""


@dataclass
class Made:
    """What is known of an environment that a tool made."""

    prefix: Path
    manager: str
    project: Path | None = None
    name: str | None = None
    variables: dict[str, str] = field(default_factory=dict[str, str])


@dataclass
class Home:
    """A home directory, what the tools made in it, and what could not be had."""

    host: Host
    python: Path
    tools: Path
    made: dict[str, Made] = field(default_factory=dict[str, Made])
    missing: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def path(self) -> Path:
        """The directory."""
        return self.host.home

    def run(self, *command: str | Path, cwd: Path | None = None, **variables: str) -> str:
        """Run a tool in this home and return what it printed."""
        words = [str(word) for word in command]
        if (own := self.tools / "bin" / words[0]).exists():
            words[0] = str(own)
        environ = {**self.host.environ, **variables}
        done = subprocess.run(words, check=False, capture_output=True, text=True, env=environ, cwd=cwd or self.path, timeout=200)
        assert done.returncode == 0, f"{words}: {done.stdout[-800:]} {done.stderr[-800:]}"
        return done.stdout

    def project(self, name: str, text: str = "") -> Path:
        """Make a project that needs nothing to be built, and return its directory."""
        directory = self.path / "src" / name
        directory.mkdir(parents=True)
        (directory / f"{name}.py").touch()
        (directory / "backend.py").write_text(BACKEND.format(name=name))
        (directory / "pyproject.toml").write_text(
            f'[project]\nname = "{name}"\nversion = "1.0"\nrequires-python = ">=3.9"\n'
            f'[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n{text}'
        )
        return directory

    def having(self, *, cwd: Path | None = None, **variables: str) -> Home:
        """Return the same home, seen with other variables or from another directory."""
        host = replace(self.host, environ={**self.host.environ, **variables}, cwd=cwd or self.host.cwd)
        return Home(host, self.python, self.tools, self.made, self.missing)

    def find(self, **asked: object) -> list[Environment]:
        """Return what a search gives of this home."""
        found = search(Work(host=self.host), table=TABLE, **asked)  # type: ignore[arg-type]
        return [env for env in found if str(env.prefix).startswith(str(self.path))]

    def at(self, path: Path | str) -> Environment:
        """Return what is at a path, which must be something."""
        found = identify(self.host, str(path), TABLE)
        assert found is not None, path
        return found


def _installed(root: Path, python: Path) -> tuple[Path, str | None]:
    """Install the tools below a directory; return where, and why not if it failed."""
    uv = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    if uv is None:
        return root, "uv is not installed"
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    for command in ([uv, "venv", "-q", "-p", python, root], [uv, "pip", "install", "-q", "-p", root, *TOOLS]):
        done = subprocess.run(command, check=False, capture_output=True, text=True, env=environ, timeout=250)
        if done.returncode != 0:
            return root, f"the tools cannot be installed: {done.stderr[-400:]}"
    return root, None


def virtualenvs(home: Home) -> None:
    """virtualenv as it is now, and a project's environment that its redirect file points at."""
    prefix = home.path / "envs" / "new"
    home.run("virtualenv", "-q", "-p", home.python, prefix)
    home.made["virtualenv"] = Made(prefix, "virtualenv", name="new")
    project = home.project("pointed")
    home.run("virtualenv", "-q", "-p", home.python, project / "somewhere")
    home.made["redirect"] = Made(project / "somewhere", "virtualenv", project)


def wrapper(home: Home) -> None:
    """An environment of virtualenvwrapper whose name ends like one of Pipenv's."""
    project = home.path / "src" / "wrapped"
    project.mkdir(parents=True)
    script = f"source {home.tools}/bin/virtualenvwrapper.sh; mkvirtualenv -p {home.python} -a {project} my-notebook"
    python, tool = home.tools / "bin/python", home.tools / "bin/virtualenv"
    home.run("bash", "-c", script, VIRTUALENVWRAPPER_PYTHON=str(python), VIRTUALENVWRAPPER_VIRTUALENV=str(tool))
    home.made["wrapper"] = Made(home.path / ".virtualenvs/my-notebook", "virtualenvwrapper", project, "my-notebook")


def poetry(home: Home) -> None:
    """A central environment of Poetry, with the project installed."""
    project = home.project("poem")
    home.run("poetry", "install", "-n", cwd=project)
    prefix = next((home.path / ".cache/pypoetry/virtualenvs").iterdir())
    home.made["poetry"] = Made(prefix, "poetry", project, prefix.name)


def pipenv(home: Home) -> None:
    """A central environment of Pipenv and one in its project."""
    for name in ("pipe one", "inside"):
        project = home.path / "src" / name
        project.mkdir(parents=True)
        (project / "Pipfile").write_text("[packages]\n")
        home.run("pipenv", "--python", home.python, cwd=project, PIPENV_VENV_IN_PROJECT="1" if name == "inside" else "0")
        central = home.path / ".local/share/virtualenvs"
        prefix = project / ".venv" if name == "inside" else next(central.iterdir())
        home.made[f"pipenv {name}"] = Made(prefix, "pipenv", project, None if name == "inside" else prefix.name)


def hatch(home: Home) -> None:
    """A central environment of Hatch, with the project installed, and one where the project wants it."""
    project = home.project("hatched", '[tool.hatch.envs.near]\npath = "environments/near"\nskip-install = true\n')
    home.run("hatch", "env", "create", cwd=project)
    home.run("hatch", "env", "create", "near", cwd=project)
    prefix = next((home.path / ".local/share/hatch/env/virtual/hatched").iterdir()) / "hatched"
    home.made["hatch"] = Made(prefix, "hatch", project, "hatched")
    home.made["hatch near"] = Made(project / "environments/near", "hatch", project, "near")


def pdm(home: Home) -> None:
    """A central environment of PDM, with the project installed, and one in its project."""
    project = home.project("pedem")
    home.run("pdm", "use", "-f", home.python, cwd=project, PDM_VENV_IN_PROJECT="0")
    prefix = next((home.path / ".local/share/pdm/venvs").iterdir())
    home.run("uv", "pip", "install", "-q", "-p", prefix, "-e", project)
    home.made["pdm"] = Made(prefix, "pdm", project, prefix.name)
    inside = home.project("pedem_inside")
    home.run("pdm", "use", "-f", home.python, cwd=inside, PDM_VENV_IN_PROJECT="1")
    home.made["pdm inside"] = Made(inside / ".venv", "pdm", inside)


def pipx(home: Home) -> None:
    """An application of pipx."""
    home.run("pipx", "install", "-q", "--python", home.python, home.project("applied"))
    home.made["pipx"] = Made(home.path / ".local/share/pipx/venvs/applied", "pipx", name="applied")


def tests_of_projects(home: Home) -> None:
    """The environments of tox and nox in one project."""
    project = home.project("tested")
    (project / "tox.ini").write_text("[tox]\nno_package = true\nenvlist = py\n[testenv]\ncommands = python -V\n")
    (project / "noxfile.py").write_text("import nox\n@nox.session\ndef b(session):\n    session.run('python', '-V')\n")
    home.run("tox", "-q", cwd=project)
    home.run("nox", "-s", "b", cwd=project)
    home.made["tox"] = Made(project / ".tox/py", "tox", project, "py")
    home.made["nox"] = Made(project / ".nox/b", "nox", project, "b")


def uv(home: Home) -> None:
    """uv's environment of a project, of a tool and of a script."""
    project = home.project("workspace", "[tool.uv.workspace]\nmembers = []\n")
    home.run("uv", "sync", "-q", "-p", home.python, cwd=project)
    home.made["uv"] = Made(project / ".venv", "uv", project)
    home.run("uv", "tool", "install", "-q", "-p", home.python, home.project("tooled"))
    home.made["uv tool"] = Made(home.path / ".local/share/uv/tools/tooled", "uv", name="tooled")
    script = home.path / "src" / "script.py"
    script.write_text("# /// script\n# dependencies = []\n# ///\nimport sys\nprint(sys.prefix)\n")
    prefix = Path(home.run("uv", "run", "-q", "-p", home.python, "--script", script, UV_CACHE_DIR=str(home.path / "uv-cache")).strip())
    home.made["uv script"] = Made(prefix, "uv", name=prefix.name, variables={"UV_CACHE_DIR": str(home.path / "uv-cache")})


def old_virtualenvs(home: Home, python: Path) -> None:
    """What virtualenv 16 and 20.0 make, on a Python that they know."""
    for version in ("16.7.12", "20.0.35"):
        tool = home.path.parent / f"virtualenv-{version}"
        home.run("uv", "venv", "-q", "-p", python, tool)
        home.run("uv", "pip", "install", "-q", "-p", tool, f"virtualenv=={version}", "setuptools<70")
        prefix = home.path / ".virtualenvs" / f"old{version.partition('.')[0]}"
        home.run(tool / "bin/python", "-m", "virtualenv", "-q", "--no-download", prefix)
        home.made[f"virtualenv {version.partition('.')[0]}"] = Made(prefix, "virtualenvwrapper", name=prefix.name)


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory, interpreters: dict[str, Path]) -> Home:
    """The home; made once, by as many tools at a time as there are processors."""
    root = tmp_path_factory.mktemp("real")
    known = [minor for minor in interpreters if minor.startswith("3.") and int(minor[2:]) < 14]  # the tools' wheels know these
    python = interpreters[max(known, key=lambda minor: int(minor[2:]), default=max(interpreters))]
    tools, why = _installed(root / "tools", python)
    if why is not None:
        pytest.skip(why)
    home = root / "home"
    home.mkdir()
    kept = ("PIP_", "UV_INDEX", "UV_DEFAULT_INDEX", "HTTP", "http", "SSL", "REQUESTS_CA", "LANG")
    environ = {name: value for name, value in os.environ.items() if name.startswith(kept)}
    caches = {
        name: os.environ.get(name, str(Path.home() / ".cache" / tool)) for name, tool in (("PIP_CACHE_DIR", "pip"), ("UV_CACHE_DIR", "uv"))
    }
    path = f"{tools}/bin:{python.parent}:/usr/bin:/bin"
    environ |= {
        "HOME": str(home),
        "PATH": path,
        "UV_PYTHON_DOWNLOADS": "never",
        "PDM_CHECK_UPDATE": "0",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    } | caches
    world = Home(Host(root=Path("/"), environ=environ, platform=sys.platform, home=home, cwd=home, data=home / "envkit"), python, tools)
    jobs: list[Callable[[Home], None]] = [poetry, hatch, pdm, pipenv, pipx, tests_of_projects, wrapper, virtualenvs, uv]
    if "3.8" in interpreters:
        jobs.append(partial(old_virtualenvs, python=interpreters["3.8"]))
    else:
        world.missing["old_virtualenvs"] = "there is no Python 3.8"
    with ThreadPoolExecutor(2) as pool:
        for job, done in [(job, pool.submit(job, world)) for job in jobs]:
            if (error := done.exception()) is not None:
                world.missing[getattr(job, "__name__", "old_virtualenvs")] = str(error)[:2000]
    return world
