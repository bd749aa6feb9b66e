"""Each tool's locator on trees that look like what the tool makes: manager, name and project, nothing missed, nothing taken wrongly."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.homes import Tree, Wanted, build, mark

import envkit

if TYPE_CHECKING:
    from conftest import World

    from envkit.models.environment import Environment


@pytest.fixture
def tree(world: World, installed: Callable[..., Path], tmp_path: Path) -> Tree:
    """A home in which every tool has made something."""
    return build(world.host.home, installed(tmp_path / "usr", "3.12.1"), installed)


def told(env: Environment) -> Wanted:
    return Wanted(env.manager or "", env.kind, env.name, env.project)


@pytest.mark.core
def test_everything_in_a_home_is_found_and_is_its_tools(world: World, tree: Tree) -> None:
    """Of each prefix manager, kind, name and project; no prefix is missed, none is given twice, none is broken."""
    found = world.find(roots=(str(tree.home / "src"),))
    mine = {env.prefix: told(env) for env in found if str(env.prefix).startswith(str(tree.home))}
    assert {prefix: wanted for prefix, wanted in tree.wanted.items() if mine.get(prefix) != wanted} == {}
    assert mine.keys() - tree.wanted.keys() == set()
    assert [env for env in found if env.problem is not None and str(env.prefix).startswith(str(tree.home))] == []
    assert len({env.id for env in found}) == len(found)


@pytest.mark.core
def test_the_same_from_executable_prefix_and_alias_and_a_second_time(world: World, tree: Tree) -> None:
    found = world.find(roots=(str(tree.home / "src"),))
    assert found == world.find(roots=(str(tree.home / "src"),))
    for env in found:
        if not str(env.prefix).startswith(str(tree.home)):
            continue
        plain = world.sure(env.prefix)
        assert told(plain) == told(env)
        for path in (env.python or env.prefix, *env.aliases):
            assert replace(world.sure(path), aliases=()) == replace(plain, aliases=()), path


def test_without_named_roots_only_what_lies_in_known_places_is_found(world: World, tree: Tree) -> None:
    """Projects that nobody named are not searched for; what tools keep together is found with its project all the same."""
    found = {env.prefix: told(env) for env in world.find()}
    for prefix, wanted in tree.wanted.items():
        if (tree.home / "src") not in prefix.parents:
            assert found.get(prefix) == wanted
        else:
            assert prefix not in found


def test_a_project_at_hand_is_searched_from_any_directory_in_it(world: World, tree: Tree) -> None:
    project = tree.home / "src" / "verse"
    (project / "a/b").mkdir(parents=True)
    inside = type(world)(replace(world.host, cwd=project / "a/b"))
    assert told(next(env for env in inside.find() if env.prefix == project / ".venv")) == tree.wanted[project / ".venv"]


def test_other_names_are_a_projects_beside_a_file_of_one(world: World, tree: Tree) -> None:
    """`venv` beside a pyproject.toml is the project's; in a directory of anything it is just an environment."""
    with_file, without = tree.project("named", "[project]\n"), tree.project("unnamed")
    assert world.sure(tree.environment(with_file / "venv")).project == with_file
    assert world.sure(tree.environment(without / "venv")).project is None
    here = type(world)(replace(world.host, cwd=with_file))
    assert with_file / "venv" in [env.prefix for env in here.find()]


def test_links_for_minor_versions_are_aliases(world: World, tree: Tree) -> None:
    """They are given once, under the directory of the patch; an environment on the link keeps it as its base."""
    share = tree.home / ".local/share"
    for directory, names in (("uv/python", ["cpython-3.11-linux-x86_64-gnu"]), ("mise/installs/python", ["3.11", "latest"])):
        links = [share / directory / name for name in names]
        env = next(env for env in world.find(kinds=("interpreter",)) if env.prefix in tree.wanted and env.prefix.parent == links[0].parent)
        assert set(links) <= set(env.aliases)
        assert all(world.sure(link).prefix == world.sure(link / "bin/python3.11").prefix == env.prefix for link in links)
    link = share / "uv/python/cpython-3.11-linux-x86_64-gnu"
    prefix = tree.environment(tree.home / "follower", base=link / "bin/python3.11", minor="3.11")
    assert (world.sure(prefix).base, world.sure(prefix).problem) == (link, None)


def test_variables_name_other_places(world: World, installed: Callable[..., Path], tmp_path: Path) -> None:
    """Each tool's own variable is obeyed; a relative one, which means something only where one stands, is not."""
    base = installed(tmp_path / "usr", "3.12.1")
    tree = Tree(tmp_path / "other", base, installed)
    places = {
        "UV_PYTHON_INSTALL_DIR": ("uv", installed(tmp_path / "a/cpython-3.11.4-linux-x86_64-gnu", "3.11.4").parents[1]),
        "ASDF_DATA_DIR": ("asdf", installed(tmp_path / "b/installs/python/3.11.4", "3.11.4").parents[1]),
        "MISE_DATA_DIR": ("mise", installed(tmp_path / "c/installs/python/3.11.4", "3.11.4").parents[1]),
        "UV_TOOL_DIR": ("uv", tree.environment(tmp_path / "d/ruff", writer="uv = 0.9")),
        "UV_CACHE_DIR": ("uv", tree.environment(tmp_path / "e/environments-v2/s-1", writer="uv = 0.9")),
        "PIPX_HOME": ("pipx", tree.environment(tmp_path / "f/venvs/black")),
        "HATCH_DATA_DIR": ("hatch", tree.environment(tmp_path / "g/env/virtual/p/abcdefgh/p")),
        "POETRY_VIRTUALENVS_PATH": ("poetry", tree.environment(tmp_path / "h/p-abcdefgh-py3.12")),
        "POETRY_CACHE_DIR": ("poetry", tree.environment(tmp_path / "i/virtualenvs/p-abcdefgh-py3.12")),
        "WORKON_HOME": ("virtualenvwrapper", tree.environment(tmp_path / "j/work", writer="virtualenv = 20.30")),
        "RYE_HOME": ("rye", installed(tmp_path / "k/py/cpython@3.11.4", "3.11.4").parents[1]),
        "CONDA_ENVS_PATH": ("conda", tree.conda(tmp_path / "l/stats", None)),
        "CONDA_ENVS_DIRS": ("conda", tree.conda(tmp_path / "m/stats", None)),
        "MAMBA_ROOT_PREFIX": ("conda", tree.conda(tmp_path / "n/envs/stats", None)),
        "PIXI_HOME": ("pixi", tree.conda(tmp_path / "o/envs/tool", None)),
        "UV_PROJECT_ENVIRONMENT": ("uv", tree.environment(tmp_path / "p")),
    }
    for variable, (manager, prefix) in places.items():
        root = next(path for path in (prefix, *prefix.parents) if path.parent == tmp_path)
        value = prefix.parent if variable == "POETRY_VIRTUALENVS_PATH" else root
        found = world.having(**{variable: str(value)}).find(managers=(manager,))
        assert prefix in [env.prefix for env in found], variable
        assert prefix not in [env.prefix for env in world.having(**{variable: f"./{root.name}"}).find()], variable


def test_only_the_hash_of_its_project_makes_an_environment_pipenvs(world: World, tree: Tree) -> None:
    """Eight letters at the end prove nothing, and neither does `.project`, nor a Pipfile in the project that it names."""
    project = tree.project("flute", Pipfile="[packages]\n")
    homes = (tree.home / ".virtualenvs", tree.home / ".local/share/virtualenvs")
    for home in homes:
        for name in ("my-notebook2", "flute-abcdefgh"):
            prefix = tree.environment(home / name, writer="virtualenv = 20.30")
            (prefix / ".project").write_text(str(project))
            assert world.sure(prefix).manager != "pipenv"
    right = tree.environment(homes[0] / f"flute-{mark(project / 'Pipfile')}-3.12", writer="virtualenv = 20.30")
    (right / ".project").write_text(str(project))
    assert told(world.sure(right)) == Wanted("pipenv", "venv", right.name, project)


def test_a_conda_environment_is_called_as_its_tool_calls_it(world: World, tree: Tree) -> None:
    """`-n foobar` is not `foo`; options are read as such; where environments are kept the directory is the name."""
    for history, name in (
        ("conda create --prefix /x/foo python", None),
        ("conda create -p foo -n foobar", None),
        ("conda create -nfoo python", "foo"),
        ("/opt/conda/bin/conda create --name foo", "foo"),
        ("conda install -n foo numpy", None),
        ("", None),
    ):
        prefix = tree.conda(tree.home / f"c{len(history)}{name}/foo", None, history=history)
        assert (world.sure(prefix).name, world.sure(prefix).kind) == (name, "conda"), history


@pytest.mark.core
def test_what_conda_meta_says_of_python(world: World, tree: Tree) -> None:
    """Version and its source from the record's name; without Python it is whole; with a record and no Python it is broken."""
    env = world.sure(tree.home / "miniforge3/envs/stats")
    assert str(env.version) == "3.12.1"
    assert env.version_source == str(env.prefix / "conda-meta/python-3.12.1-h1_0_cpython.json")
    assert (env.architecture, env.implementation, env.free_threaded, env.python) == (
        "x86_64",
        "cpython",
        False,
        env.prefix / "bin/python3.12",
    )
    bare = world.sure(tree.home / "miniforge3/envs/bare")
    assert (bare.python, bare.version, bare.problem, bare.kind) == (None, None, None, "conda")
    broken = tree.conda(tree.home / "miniforge3/envs/broken", None)
    for name in ("python", "python3", "python3.12"):
        (broken / "bin" / name).unlink()
    problem = world.sure(broken).problem
    assert problem is not None
    assert problem.code == "python-missing"
    assert problem.hint
    assert world.sure(broken).architecture == "x86_64"


def test_a_conda_environment_in_a_project_is_the_projects(world: World, tree: Tree) -> None:
    """VS Code calls it `.conda`; in the home directory that is none of a project."""
    project = tree.project("study")
    assert told_of(world, tree, tree.conda(project / ".conda", None)) == ("conda", None, project)
    assert world.sure(tree.conda(tree.home / ".conda", None)).project is None


def test_a_virtual_environment_on_condas_python_is_none_of_condas(world: World, tree: Tree) -> None:
    conda = tree.home / "miniforge3"
    env = world.sure(tree.environment(tree.home / "mine", base=conda / "bin/python3.12"))
    assert (env.kind, env.manager, env.base, env.problem) == ("venv", "venv", conda, None)


def test_what_a_project_points_at(world: World, tree: Tree) -> None:
    """`.python-envs` lists environments, relative to itself; a `.venv` file holds one; what is not there, or too much, is nothing."""
    far = tree.environment(tree.home / "far")
    project = tree.project("list")
    (project / ".python-envs").write_text("../../far\nnear\n\nmissing\n../../../../../../etc\n")
    near = tree.environment(project / "near")
    found = [(env.prefix, env.project) for env in world.find(roots=(str(project),), kinds=("venv",)) if env.prefix in {far, near}]
    assert found == [(near, project), (far, project)]
    here = type(world)(replace(world.host, cwd=project))
    assert here.sure(far).project == here.sure(near).project == project
    (project / ".python-envs").write_bytes(b"\xff\xfe" + b"near\n" * 10)
    assert here.sure(far).project is None


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "a = " + "[" * 50_000, "x = 1\n" * 200_000, "\0", "[tool]\npoetry = 3\nuv = []\npdm = 'x'\nhatch = 1\n"]
)
def test_a_projects_files_are_believed_nothing(world: World, tree: Tree, text: str) -> None:
    """Nested too deeply, too large, no text, of another shape: its environment is found as a plain one."""
    project = tree.project("hostile", text)
    for name in ("hatch.toml", "uv.toml.bak", ".pdm-python", "pixi.toml"):
        (project / name).write_text(text)
    prefix = tree.environment(project / ".venv")
    env = next(env for env in world.find(roots=(str(project),)) if env.prefix == prefix)
    assert env.project == project
    assert env.problem is None


def test_configuration_that_cannot_be_read_costs_nothing_else(world: World, tree: Tree) -> None:
    config = tree.home / ".config"
    for tool in ("pypoetry", "pdm", "hatch", "pixi"):
        (config / tool).mkdir(parents=True)
        os.mkfifo(config / tool / "config.toml")
    (tree.home / ".condarc").write_text("envs_dirs: [[[[&a [*a")
    (tree.home / "jupyter/kernels/lab/kernel.json").write_bytes(b'{"argv": [' + b"[" * 100_000)
    found = {env.prefix for env in world.find(roots=(str(tree.home / "src"),))}
    assert tree.wanted.keys() - found == {tree.home / "deep/down/lab", tree.home / "elsewhere/kept"}


def test_configuration_names_places(world: World, tree: Tree, tmp_path: Path) -> None:
    """Poetry's, PDM's and Hatch's own files say where their environments lie."""
    config = tree.home / ".config"
    texts = {
        "pypoetry": f'[virtualenvs]\npath = "{tmp_path}/po"\n',
        "pdm": f'[venv]\nlocation = "{tmp_path}/pd"\n',
        "hatch": f'[dirs.env]\nvirtual = "{tmp_path}/ha"\n',
    }
    for tool, text in texts.items():
        (config / tool).mkdir(parents=True)
        (config / tool / "config.toml").write_text(text)
    made = {
        "poetry": tree.environment(tmp_path / "po/x-abcdefgh-py3.12"),
        "pdm": tree.environment(tmp_path / "pd/x-abcdefgh-3.12"),
        "hatch": tree.environment(tmp_path / "ha/x/abcdefgh/x"),
    }
    for manager, prefix in made.items():
        assert prefix in [env.prefix for env in world.find(managers=(manager,))]


def told_of(world: World, tree: Tree, prefix: Path) -> tuple[str | None, str | None, Path | None]:
    """Return manager, name and project of a prefix as a search below the projects tells them; twice the same."""
    first, again = (world.find(roots=(str(tree.home / "src"),)) for _ in range(2))
    assert first == again
    (env,) = (env for env in first if env.prefix == prefix)
    return env.manager, env.name, env.project


@pytest.mark.parametrize("path", ["{home}/verses", "~/verses", "../verses"])
def test_a_project_says_where_poetry_keeps_its_environment(world: World, tree: Tree, path: str) -> None:
    """`virtualenvs.path` in the project's `poetry.toml` comes before the user's configuration."""
    project = tree.project("ballad", '[project]\nname = "ballad"\n')
    (project / "poetry.toml").write_text(f'[virtualenvs]\npath = "{path.format(home=tree.home)}"\n')
    place = tree.home / ("src/verses" if path.startswith("..") else "verses")
    prefix = tree.environment(place / f"ballad-{mark(project)}-py3.12", writer="virtualenv = 20.30")
    assert told_of(world, tree, prefix) == ("poetry", prefix.name, project)
    other = tree.environment(place / "of-nobody", writer="virtualenv = 20.30")
    assert envkit.resolve(other, host=replace(world.host, cwd=project)).manager == "virtualenv"
    assert envkit.resolve(prefix, host=replace(world.host, cwd=project)).project == project


@pytest.mark.parametrize("place", [".local/share/virtualenvs", ".virtualenvs"])
def test_a_name_that_was_chosen_is_pipenvs_by_its_prompt(world: World, tree: Tree, place: str) -> None:
    """`PIPENV_CUSTOM_VENV_NAME` is not set any more; Pipenv lets virtualenv write the project's name as the prompt."""
    pipes, plain = tree.project("chosen-pipes", Pipfile="[packages]\n"), tree.project("no-pipes")
    for name, project in (("my-choice", pipes), ("other", plain)):
        prefix = tree.environment(tree.home / place / name, writer=f"virtualenv = 20.30\nprompt = '{project.name}'")
        (prefix / ".project").write_text(str(project))
    assert told_of(world, tree, tree.home / place / "my-choice") == ("pipenv", "my-choice", pipes)
    assert told_of(world, tree, tree.home / place / "other")[0] != "pipenv"


def test_what_pdm_uses_elsewhere_has_its_project(world: World, tree: Tree) -> None:
    """`.pdm-python` may name an environment anywhere; one that another tool or another project keeps stays theirs."""
    project, other = tree.project("borrower"), tree.project("lender")
    far, lent = tree.environment(tree.home / "far/env"), tree.environment(other / ".venv")
    wrapped = tree.environment(tree.home / ".virtualenvs/lent")
    (wrapped / ".project").write_text(str(other))
    for prefix, expected in (
        (far, ("pdm", None, project)),
        (lent, ("venv", None, other)),
        (wrapped, ("virtualenvwrapper", "lent", other)),
    ):
        (project / ".pdm-python").write_text(f"{prefix}/bin/python\n")
        assert told_of(world, tree, prefix) == expected
    (project / ".pdm-python").write_text(f"{far}/bin/python\n")
    assert envkit.resolve(far, host=replace(world.host, cwd=project)).project == project


def test_work_of_tox_and_uv_in_other_directories_has_its_project(world: World, tree: Tree) -> None:
    project = tree.project("busy", tox__ini="[tox]\n", uv__lock="version = 1\n")
    tests = tree.environment(project / "build/work/py312", writer="virtualenv = 20.30")
    (tests / ".tox-info.json").write_text("{}")
    assert told_of(world, tree, tests) == ("tox", "py312", project)
    assert told_of(world, tree, tree.environment(project / "custom", writer="uv = 0.9")) == ("uv", None, project)
    assert told_of(world, tree, tree.environment(project / "by-hand")) == ("venv", None, None)


def test_graalpy_is_one_whatever_its_executable_is_called(world: World, tree: Tree) -> None:
    prefix = tree.home / "graalpy-24.1.1-linux-amd64"
    for name in ("graalpy", "python3"):
        env = world.sure(prefix / "bin" / name)
        assert (env.implementation, env.manager, str(env.version)) == ("graalpy", "graalpy", "3.11")


def test_old_pypy_keeps_its_library_elsewhere(world: World, tmp_path: Path) -> None:
    """PyPy for Python 2.7 has `lib-python`, not `lib`."""
    prefix = tmp_path / "pypy2.7-v7.3.17-linux64"
    for directory in ("bin", "lib-python/2.7", "include"):
        (prefix / directory).mkdir(parents=True)
    (prefix / "lib-python/2.7/os.py").touch()
    (prefix / "include/patchlevel.h").write_text('#define PY_VERSION "2.7.18"\n')
    (prefix / "bin/pypy").write_bytes(b"\x7fELF\x02\x01\x01" + b"\0" * 60)
    env = world.sure(prefix / "bin/pypy")
    assert (env.implementation, str(env.version), env.manager) == ("pypy", "2.7.18", "pypy")


def test_debians_own_python_and_its_alternatives(empty: World, installed: Callable[..., Path]) -> None:
    """What dpkg put into /usr is Debian's, and a link that the administrator set is an alias of it."""
    root = empty.host.root
    python = installed(root / "usr", "3.11.2", links=("python3",))
    (root / "var/lib/dpkg").mkdir(parents=True)
    (root / "etc/alternatives").mkdir(parents=True)
    (root / "etc/alternatives/python").symlink_to("/usr/bin/python3.11")
    (root / "usr/bin/python").symlink_to("/etc/alternatives/python")
    found = empty.find()
    assert [(env.python, env.manager) for env in found] == [(python, "debian")]
    assert root / "etc/alternatives/python" in found[0].aliases
    assert empty.sure(root / "usr/bin/python").python == python
