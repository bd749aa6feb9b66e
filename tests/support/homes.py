"""A home directory in which every tool on Linux has made something: trees that look like theirs, and what is to be said of each."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Wanted:
    """What discovery is to say of a prefix."""

    manager: str
    kind: str = "venv"
    name: str | None = None
    project: Path | None = None


@dataclass
class Tree:
    """The home, the base of its environments, and what is wanted."""

    home: Path
    base: Path  # an executable
    installed: Callable[..., Path]
    wanted: dict[Path, Wanted] = field(default_factory=dict[Path, Wanted])

    def environment(
        self, prefix: Path, wanted: Wanted | None = None, writer: str = "", *, base: Path | None = None, minor: str = "3.12"
    ) -> Path:
        """Make a virtual environment that `writer` ("uv = 0.9") wrote, and return its prefix."""
        python = base or self.base
        (prefix / "bin").mkdir(parents=True, exist_ok=True)
        (prefix / f"lib/python{minor}/site-packages").mkdir(parents=True, exist_ok=True)
        (prefix / "bin/python").symlink_to(python)
        (prefix / "pyvenv.cfg").write_text(f"home = {python.parent}\nversion_info = {minor}.1\n{writer}\n")
        if wanted is not None:
            self.wanted[prefix] = wanted
        return prefix

    def project(self, name: str, pyproject: str = "", **files: str) -> Path:
        """Make a project and return its directory."""
        directory = self.home / "src" / name
        directory.mkdir(parents=True)
        if pyproject:
            (directory / "pyproject.toml").write_text(pyproject)
        for file, text in files.items():
            (directory / file.replace("__", ".")).write_text(text)
        return directory

    def install_project(self, prefix: Path, project: Path) -> None:
        """Put a link to a project into an environment, as an editable install does."""
        (prefix / f"lib/python3.12/site-packages/_{project.name}.pth").write_text(f"{project}/src\n")

    def conda(
        self, prefix: Path, wanted: Wanted | None, *, python: str | None = "3.12.1", history: str = "", build: str = "h1_0_cpython"
    ) -> Path:
        """Make a conda environment, with Python unless None is given, and return its prefix."""
        meta = prefix / "conda-meta"
        meta.mkdir(parents=True)
        (meta / "history").write_text(f"==> 2026-01-01 <==\n# cmd: {history}\n" if history else "")
        if python is not None:
            self.installed(prefix, python, headers=False)
            record = {"build": build, "name": "python", "subdir": "linux-64", "version": python}
            (meta / f"python-{python}-{build}.json").write_text(json.dumps(record))
        if wanted is not None:
            self.wanted[prefix] = wanted
        return prefix


def mark(path: Path | str, algorithm: str = "sha256") -> str:
    """Return the eight letters that tools put into a name for a path."""
    return base64.urlsafe_b64encode(hashlib.new(algorithm, str(path).encode()).digest()).decode()[:8]


def interpreters(tree: Tree) -> None:
    """The tools that install Pythons."""
    home, share = tree.home, tree.home / ".local/share"
    places = {
        "pyenv": home / ".pyenv/versions/3.11.4",
        "asdf": home / ".asdf/installs/python/3.11.4",
        "mise": share / "mise/installs/python/3.11.4",
        "uv": share / "uv/python/cpython-3.11.4-linux-x86_64-gnu",
        "rye": home / ".rye/py/cpython@3.11.4",
        "pdm": share / "pdm/python/cpython@3.11.4",
        "poetry": share / "pypoetry/python/cpython@3.11.4",
    }
    for manager, prefix in places.items():
        tree.installed(prefix, "3.11.4")
        tree.wanted[prefix] = Wanted(manager, "interpreter", prefix.name)
    hatch = share / "hatch/pythons/3.11/python"
    tree.installed(hatch, "3.11.4")
    tree.wanted[hatch] = Wanted("hatch", "interpreter", "3.11")
    (share / "mise/installs/python/3.11").symlink_to("./3.11.4")
    (share / "mise/installs/python/latest").symlink_to("./3.11.4")
    (share / "uv/python/cpython-3.11-linux-x86_64-gnu").symlink_to(share / "uv/python/cpython-3.11.4-linux-x86_64-gnu")
    own = tree.environment(home / ".pyenv/versions/3.11.4/envs/own")
    (home / ".pyenv/versions/own").symlink_to(own)
    tree.wanted[home / ".pyenv/versions/own"] = Wanted("pyenv", name="own")
    pypy = tree.installed(
        home / "pypy3.10-v7.3.17-linux64", "3.10.14", name="pypy3.10", library="pypy3.10", links=("pypy3", "python3", "python")
    )
    tree.wanted[pypy.parents[1]] = Wanted("pypy", "interpreter")
    graal = tree.installed(home / "graalpy-24.1.1-linux-amd64", "3.11.7", name="graalpy", library="python3.11", headers=False)
    (graal.parents[1] / "lib/graalpy24.1").mkdir()
    tree.wanted[graal.parents[1]] = Wanted("graalpy", "interpreter")


def projects(tree: Tree) -> None:
    """`.venv` in projects of each tool, and other environments inside of projects."""
    poetry = tree.project("verse", '[build-system]\nbuild-backend = "poetry.core.masonry.api"\n')
    tree.environment(poetry / ".venv", Wanted("poetry", project=poetry), "virtualenv = 20.30")
    pdm = tree.project("pedem", "[tool.pdm]\n")
    tree.environment(pdm / ".venv", Wanted("pdm", project=pdm), "uv = 0.9")
    (pdm / ".pdm-python").write_text(f"{pdm}/.venv/bin/python\n")
    pipenv = tree.project("pipes", Pipfile="[packages]\n")
    (tree.environment(pipenv / ".venv", Wanted("pipenv", project=pipenv), "virtualenv = 20.30") / ".project").write_text(str(pipenv))
    rye = tree.project("grain", "[tool.rye]\n")
    (tree.environment(rye / ".venv", Wanted("rye", project=rye), "uv = 0.9") / "rye-venv.json").write_text("{}")
    uv = tree.project("quick", "[tool.uv.workspace]\n")
    tree.environment(uv / ".venv", Wanted("uv", project=uv), "uv = 0.9")
    plain = tree.project("plain", "[project]\nname = 'plain'\n")
    tree.environment(plain / ".venv", Wanted("venv", project=plain))
    hatch = tree.project("egg", "[tool.hatch.envs.docs]\n", hatch__toml='[dirs.env]\nvirtual = ".hatch"\n[envs.near]\npath = "env/near"\n')
    tree.environment(hatch / ".hatch/docs", Wanted("hatch", name="docs", project=hatch), "uv = 0.9")
    tree.environment(hatch / "env/near", Wanted("hatch", name="near", project=hatch), "virtualenv = 20.30")
    tests = tree.project("tested")
    tree.environment(tests / ".tox/py312", Wanted("tox", name="py312", project=tests), "virtualenv = 20.30")
    tree.environment(tests / ".nox/lint", Wanted("nox", name="lint", project=tests), "uv = 0.9")
    tree.environment(tests / ".direnv/python-3.12", Wanted("direnv", name="python-3.12", project=tests))
    pointing = tree.project("pointing")
    tree.environment(pointing / "other", Wanted("venv", project=pointing))
    (pointing / ".venv").write_text("other\n")


def central(tree: Tree) -> None:
    """Where tools keep the environments of all projects, or of applications, together."""
    home, share = tree.home, tree.home / ".local/share"
    sonnet, ode, nest, tube = (tree.project(name) for name in ("sonnet", "ode", "nest", "tube"))
    poetry = home / f".cache/pypoetry/virtualenvs/sonnet-{mark(sonnet)}-py3.12"
    tree.install_project(tree.environment(poetry, Wanted("poetry", name=poetry.name, project=sonnet), "virtualenv = 20.30"), sonnet)
    pdm = share / f"pdm/venvs/ode-{mark(ode, 'md5')}-3.12"
    tree.install_project(tree.environment(pdm, Wanted("pdm", name=pdm.name, project=ode), "virtualenv = 20.30"), ode)
    hatch = share / f"hatch/env/virtual/nest/{mark(nest)}/test"
    tree.install_project(tree.environment(hatch, Wanted("hatch", name="test", project=nest), "uv = 0.9"), nest)
    tree.environment(share / "hatch/env/.internal/hatch-build/.virtual/x", Wanted("hatch", name="x"), "uv = 0.9")
    pipenv = share / f"virtualenvs/tube-{mark(tube / 'Pipfile')}"
    (tree.environment(pipenv, Wanted("pipenv", name=pipenv.name, project=tube), "virtualenv = 20.30") / ".project").write_text(f"{tube}\n")
    tree.environment(share / "pipx/venvs/black", Wanted("pipx", name="black"), "virtualenv = 20.30")
    tree.environment(share / "pipx/shared", Wanted("pipx", name="shared"))
    tree.environment(share / "uv/tools/ruff", Wanted("uv", name="ruff"), "uv = 0.9")
    tree.environment(home / ".cache/uv/environments-v2/script-0a1b", Wanted("uv", name="script-0a1b"), "uv = 0.9")
    tree.environment(home / ".rye/tools/black", Wanted("rye", name="black"), "uv = 0.9")
    wrapped = tree.project("wrapped")
    decoy = tree.environment(
        home / ".virtualenvs/my-notebook", Wanted("virtualenvwrapper", name="my-notebook", project=wrapped), "virtualenv = 20.30"
    )
    (decoy / ".project").write_text(f"{wrapped}\n")
    tree.environment(home / ".venvs/analysis", Wanted("venv", name="analysis"))
    tree.environment(home / "envs/new", Wanted("virtualenv", name="new"), "virtualenv = 20.30")
    old = tree.environment(home / "envs/old", Wanted("virtualenv", name="old"))
    (old / "pyvenv.cfg").unlink()
    (old / "bin/activate_this.py").touch()
    (old / "lib/python3.12/orig-prefix.txt").write_text(str(tree.base.parents[1]))
    kernel = home / "jupyter/kernels/lab"
    kernel.mkdir(parents=True)
    lab = tree.environment(home / "deep/down/lab", Wanted("venv"))
    command = [f"{lab}/bin/python", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (kernel / "kernel.json").write_text(json.dumps({"argv": command, "display_name": "Lab", "language": "python"}))


def condas(tree: Tree) -> None:
    """conda, its relatives and pixi."""
    home = tree.home
    forge = tree.conda(home / "miniforge3", Wanted("conda", "conda", "base"))
    (forge / "condabin").mkdir()
    (forge / "bin/conda").touch()
    tree.conda(forge / "envs/stats", Wanted("conda", "conda", "stats"), history=f"{forge}/bin/conda create -n stats python=3.12")
    tree.conda(forge / "envs/fast", Wanted("mamba", "conda", "fast"), history=f"{forge}/bin/mamba create -n fast python")
    tree.conda(forge / "envs/bare", Wanted("conda", "conda", "bare"), python=None)
    tree.conda(home / "else/foo", Wanted("conda", "conda"), history="conda create -n foobar --prefix /x python")
    tree.conda(home / "else/bar", Wanted("conda", "conda", "bar"), history="conda create --name=bar python")
    (home / ".conda").mkdir()
    (home / ".conda/environments.txt").write_text(f"{home}/else/foo\n{home}/else/bar\n{home}/gone\n")
    tree.conda(home / "elsewhere/kept", Wanted("conda", "conda", "kept"))
    (home / ".condarc").write_text("envs_dirs:\n  - $HOME/elsewhere\n  - 3\n")
    tree.conda(
        home / ".local/share/mamba/envs/two", Wanted("micromamba", "conda", "two"), history="/usr/bin/micromamba create -n two python"
    )
    tree.conda(home / "micromamba/envs/one", Wanted("micromamba", "conda", "one"))
    workspace = tree.project("pixels", "", pixi__toml="")
    default = tree.conda(workspace / ".pixi/envs/default", Wanted("pixi", "conda", "default", workspace))
    (default / "conda-meta/pixi").write_text(json.dumps({"manifest_path": f"{workspace}/pixi.toml", "environment_name": "default"}))
    tree.conda(home / ".pixi/envs/tool", Wanted("pixi", "conda", "tool"))
    detached = tree.conda(home / ".cache/rattler/cache/envs/pixels-123/envs/gpu", Wanted("pixi", "conda", "gpu", workspace))
    (detached / "conda-meta/pixi").write_text(json.dumps({"manifest_path": f"{workspace}/pixi.toml", "environment_name": "gpu"}))


def build(home: Path, base: Path, installed: Callable[..., Path]) -> Tree:
    """Fill a home directory and return it with what is wanted of each prefix."""
    tree = Tree(home, base, installed)
    for part in (interpreters, projects, central, condas):
        part(tree)
    return tree
