"""read_spec: what the files of well-known tools ask for becomes a spec, nothing of it is lost without a word, and nothing is run for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

import envkit
from envkit import Host, Project, events
from envkit.formats import environment_yml, pipfile, pylock, pyproject, requirements_txt
from envkit.specs.reading import ORDER

Write = Callable[[str, str], Path]


@pytest.fixture
def write(host: Host) -> Write:
    """Write a file below the working directory."""

    def written(name: str, text: str) -> Path:
        path = host.cwd / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return written


REQUIREMENTS = """\
# a comment
-r more/base.txt
-c limits.txt   # limits only
Flask[async] >= 2.0 ; python_version >= "3.8"  # and a comment
requests \\
  >=2.8.1, == 2.8.*
Django>=4,<6;sys_platform!="win32"
git+https://github.com/pallets/click.git@8.1.7#egg=click
https://files.example/p/six-1.16.0-py2.py3-none-any.whl
./wheels/local-1.0-py3-none-any.whl
-e ./project[extra]
--extra-index-url https://packages.example/simple
--find-links=wheels
--pre
"""


@pytest.mark.core
def test_a_requirements_file_with_what_it_includes(write: Write, host: Host) -> None:
    """Included files, limits, markers, URLs, paths and sources are taken, paths from the file's own directory."""
    write("app/more/base.txt", "idna>=3\n-r deeper.txt\n")
    write("app/more/deeper.txt", "certifi\n")
    write("app/limits.txt", "urllib3<3\ncertifi>2020\n")
    write("app/wheels/local-1.0-py3-none-any.whl", "")
    write("app/project/pyproject.toml", "[project]\nname='p'\nversion='1'\n")
    spec = envkit.read_spec(write("app/requirements.txt", REQUIREMENTS), host=host)
    assert spec.pypi == (
        "idna>=3",
        "certifi",
        'flask[async]>=2.0; python_version >= "3.8"',
        "requests==2.8.*,>=2.8.1",
        'django<6,>=4; sys_platform != "win32"',
        "click @ git+https://github.com/pallets/click.git@8.1.7",
        "six @ https://files.example/p/six-1.16.0-py2.py3-none-any.whl",
        Project(path=host.cwd / "app/wheels/local-1.0-py3-none-any.whl"),
        Project(path=host.cwd / "app/project", editable=True, extras=("extra",)),
    )
    assert spec.constraints == ("urllib3<3", "certifi>2020")
    assert spec.sources.indexes == ("https://pypi.org/simple", "https://packages.example/simple")
    assert (spec.sources.find_links, spec.sources.prereleases) == ((str(host.cwd / "app/wheels"),), True)


@pytest.mark.core
def test_a_path_that_leads_nowhere_from_its_file_is_taken_from_the_working_directory(write: Write, host: Host) -> None:
    """docs/requirements.txt with `-e .` means the project above, as for pip; what lies beside the file comes first."""
    write("pyproject.toml", "[project]\nname='p'\nversion='1'\n")
    write("local-1.0-py3-none-any.whl", "")
    path = write("docs/requirements.txt", "-e .[extra]\n./local-1.0-py3-none-any.whl\n")
    wheel = Project(path=host.cwd / "local-1.0-py3-none-any.whl")
    assert envkit.read_spec(path, host=host).pypi == (Project(path=host.cwd, editable=True, extras=("extra",)), wheel)
    write("docs/pyproject.toml", "[project]\nname='docs'\nversion='1'\n")
    assert envkit.read_spec(path, host=host).pypi == (Project(path=host.cwd / "docs", editable=True, extras=("extra",)), wheel)
    with pytest.raises(envkit.NotFoundError) as caught:
        envkit.read_spec(write("more/requirements.txt", "-e ./docs\n-e ..\n-e ./more\n"), host=host)
    assert "line 3" in str(caught.value)


@pytest.mark.core
def test_variables_of_the_environment_are_put_in_and_secrets_refused(write: Write, host: Host) -> None:
    """`${NAME}` is a variable; one that brings credentials into a value is refused, without showing them."""
    host = replace(host, environ={**host.environ, "NAME": "idna", "TOKEN": "canary-123"})
    assert envkit.read_spec(write("r.txt", "${NAME}>=3\n"), host=host).pypi == ("idna>=3",)
    for line in ("-i https://user:${TOKEN}@packages.example/simple", "x @ https://${TOKEN}@files.example/x-1.0.tar.gz"):
        with pytest.raises(envkit.UsageError) as caught:
            envkit.read_spec(write("r.txt", f"{line}\n"), host=host)
        assert caught.value.code == "credentials"
        assert "canary" not in f"{caught.value}{caught.value.hint}"


@pytest.mark.core
@pytest.mark.parametrize(
    "text,code,said",
    [
        ("idna\nrich =>1\n", "requirement", "line 2"),
        ("--frobnicate\n", "spec-file", "line 1: the option '--frobnicate'"),
        ("-r\n", "spec-file", "needs a value"),
        ("--no-index\n", "spec-file", "--no-index"),
        ("idna==3 --hash=md5:abc\n", "spec-file", "no hash"),
        ("https://files.example/what\n", "requirement", "which package"),
        ("./nothing.whl\n", "path-not-found", "line 1"),
        ("-r other.txt\n", "path-not-found", "other.txt"),
        ("-r r.txt\n", "spec-file", "includes itself"),
        ("idna==3.7 --hash=sha256:00ff\nrich\n", "hashes", "rich"),
    ],
)
def test_what_cannot_be_taken_is_an_error_that_says_where(text: str, code: str, said: str, write: Write, host: Host) -> None:
    """A line that is wrong or cannot be said by a spec is never passed over."""
    with pytest.raises(envkit.EnvkitError) as caught:
        envkit.read_spec(write("r.txt", text), host=host)
    assert caught.value.code == code
    assert said in str(caught.value)


@pytest.mark.core
def test_options_that_no_spec_has_are_told(write: Write, host: Host) -> None:
    """What is left out is said to who listens."""
    heard: list[envkit.Event] = []
    spec = envkit.read_spec(write("r.txt", "--only-binary :all:\nidna --config-settings=x=y\n"), report=heard.append, host=host)
    assert spec.pypi == ("idna",)
    assert [event.line for event in heard if isinstance(event, events.Output)] == [
        "line 1: --only-binary is left out",
        "line 2: --config-settings is left out",
    ]


@pytest.mark.core
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_encodings_of_pip(encoding: str, host: Host) -> None:
    """A byte order mark or a coding comment says how a file is to be read."""
    head = "# -*- coding: latin-1 -*- é\n" if encoding == "latin-1" else ""
    path = host.cwd / "r.txt"
    path.write_bytes(f"{head}idna\n".encode(encoding))
    assert envkit.read_spec(path, host=host).pypi == ("idna",)


PYPROJECT = """\
[project]
name = "My.Project"
version = "1.0"
requires-python = ">=3.11"
dependencies = ["rich>=13", "tomli; python_version < '3.11'"]
[project.optional-dependencies]
Web_UI = ["flask"]
all = ["my-project[web-ui]", "six"]
[dependency-groups]
test = ["pytest>=8", { include-group = "typing" }]
typing = ["mypy"]
"""


@pytest.mark.core
def test_a_project_with_extras_and_groups(write: Write, host: Host) -> None:
    """Dependencies, extras (also those that name the project itself), groups that include others, and the range of Pythons."""
    path = write("p/pyproject.toml", PYPROJECT)
    spec = envkit.read_spec(path, host=host)
    assert (spec.python, spec.pypi) == (">=3.11", ("rich>=13", 'tomli; python_version < "3.11"'))
    spec = envkit.read_spec(path, extras=["all"], groups=["test"], name="demo", host=host)
    assert (spec.name, spec.pypi[2:]) == ("demo", ("flask", "six", "pytest>=8", "mypy"))
    for keywords, code in (({"extras": ["no"]}, "extra"), ({"groups": ["no"]}, "group")):
        with pytest.raises(envkit.UsageError) as caught:
            envkit.read_spec(path, host=host, **keywords)  # type: ignore[arg-type]
        assert caught.value.code == code


@pytest.mark.core
def test_dynamic_dependencies_are_read_where_files_say_them_and_never_guessed(write: Write, host: Host) -> None:
    """setuptools' files of requirements are read; what only a build would tell is an error."""
    project = '[project]\nname="a"\nversion="1"\ndynamic=["dependencies"]\n'
    write("a/needs.txt", "idna\n")
    path = write("a/pyproject.toml", project + '[tool.setuptools.dynamic]\ndependencies = {file = ["needs.txt"]}\n')
    assert envkit.read_spec(path, host=host).pypi == ("idna",)
    for text in (project, "[tool.ruff]\n"):
        with pytest.raises(envkit.UsageError) as caught:
            envkit.read_spec(write("b/pyproject.toml", text), host=host)
        assert caught.value.code == "no-metadata"


SCRIPT = '# /// script\n# requires-python = ">=3.11"\n# dependencies = [\n#   "rich", # nice\n#   "idna>3",\n# ]\n# ///\n'


@pytest.mark.core
def test_scripts_and_notebooks(write: Write, host: Host) -> None:
    """A block of PEP 723 at the head of a script or in a cell of a notebook says what it needs."""
    spec = envkit.read_spec(write("s.py", f"#!/usr/bin/env python\n{SCRIPT}print()\n"), host=host)
    assert (spec.python, spec.pypi) == (">=3.11", ("rich", "idna>3"))
    cells = [{"cell_type": "markdown", "source": SCRIPT}, {"cell_type": "code", "source": "1 + 1"}]
    cells.append({"cell_type": "code", "source": SCRIPT.splitlines(keepends=True)})  # type: ignore[dict-item]
    assert envkit.read_spec(write("n.ipynb", json.dumps({"cells": cells})), host=host) == spec
    for name, text, code in (
        ("s.py", "print()\n", "no-metadata"),
        ("s.py", SCRIPT + "\n" + SCRIPT, "spec-file"),
        ("s.py", "# /// script\n# dependencies = [\n# ///\n", "spec-file"),
        ("n.ipynb", "[]", "spec-file"),
    ):
        with pytest.raises(envkit.EnvkitError) as caught:
            envkit.read_spec(write(name, text), host=host)
        assert caught.value.code == code


PIPFILE = """\
[[source]]
url = "https://pypi.org/simple"
verify_ssl = true
name = "pypi"
[[source]]
url = "https://packages.example/simple"
verify_ssl = true
name = "own"
[packages]
rich = "*"
requests = {version = ">=2", extras = ["socks"], markers = "python_version > '3'"}
click = {git = "https://github.com/pallets/click.git", ref = "8.1.7"}
pywin32 = {version = "*", sys_platform = "== 'win32'"}
here = {path = "here", editable = true}
[dev-packages]
pytest = "==8.*"
[requires]
python_version = "3.12"
"""


@pytest.mark.core
def test_a_pipfile(write: Write, host: Host) -> None:
    """Packages in each of their forms, categories, sources and the Python."""
    write("here/pyproject.toml", "[project]\nname='here'\nversion='1'\n")
    path = write("Pipfile", PIPFILE)
    spec = envkit.read_spec(path, groups=["dev"], host=host)
    assert spec.python == "3.12"
    assert spec.pypi == (
        "rich",
        'requests[socks]>=2; python_version > "3"',
        "click @ git+https://github.com/pallets/click.git@8.1.7",
        'pywin32; sys_platform == "win32"',
        Project(path=host.cwd / "here", editable=True),
        "pytest==8.*",
    )
    assert spec.sources.indexes == ("https://pypi.org/simple", "https://packages.example/simple")
    with pytest.raises(envkit.UsageError):
        envkit.read_spec(path, groups=["docs"], host=host)


@pytest.mark.core
@pytest.mark.parametrize(
    "text,python",
    [
        ("3.12\n", "3.12"),
        ("# mine\n\n3.11.7\n3.12\n", "3.11.7"),
        ("pypy3.10-7.3.17\n", "pypy3.10"),
        ("3.13t\n", "3.13t"),
        ("3.9.1/envs/x", "3.9.1"),
    ],
)
def test_a_python_version(text: str, python: str, write: Write, host: Host) -> None:
    """The first version counts, as pyenv and uv write them."""
    assert envkit.read_spec(write(".python-version", text), host=host) == envkit.Spec(python=python)


@pytest.mark.core
def test_an_environment_yml_keeps_its_conda_part(write: Write, host: Host) -> None:
    """conda's packages and channels stay as they are, pip's are PyPI's, variables and the name are taken, and it is written back."""
    text = "name: demo\nchannels: [conda-forge, nodefaults]\ndependencies:\n- python=3.12\n- numpy>=2\n- pip:\n  - rich>=13\n  - -r r.txt\nvariables: {A: 1}\n"
    write("r.txt", "idna\n")
    spec = envkit.read_spec(write("environment.yml", text), host=host)
    assert (spec.name, spec.conda, spec.channels) == ("demo", ("python=3.12", "numpy>=2"), ("conda-forge", "nodefaults"))
    assert (spec.pypi, dict(spec.variables)) == (("rich>=13", "idna"), {"A": "1"})
    assert envkit.read_spec(host.cwd / "environment.yml", prefix=host.cwd / "x", host=host).name is None
    for broken in ("[]", "dependencies: 3", "a: [", "!!python/object/apply:os.system [touch pwn]", "dependencies: [{pip: x}]"):
        with pytest.raises(envkit.CorruptError):
            envkit.read_spec(write("environment.yml", broken), host=host)
    assert not (host.cwd / "pwn").exists()


@pytest.mark.core
def test_the_first_file_of_the_order_counts_in_a_directory(write: Write, host: Host) -> None:
    """With each file taken away the next one counts; `.python-version` says which Python in any case."""
    write("p/.python-version", "3.12\n")
    write("p/environment.yml", "dependencies: [a]\n")
    write("p/pyproject.toml", '[project]\nname="x"\nversion="1"\nrequires-python=">=3.9"\ndependencies=["b"]\n')
    write("p/Pipfile", '[packages]\nc = "*"\n')
    write("p/requirements.txt", "d\n")
    seen: list[tuple[str, ...]] = []
    for name in ("environment.yml", "pyproject.toml", "Pipfile", "requirements.txt", ".python-version"):
        spec = envkit.read_spec(host.cwd / "p", host=host)
        assert spec.python == "3.12"
        seen.append((*spec.conda, *map(str, spec.pypi)))
        (host.cwd / "p" / name).unlink()
    assert seen == [("a",), ("b",), ("c",), ("d",), ()]
    with pytest.raises(envkit.NotFoundError) as caught:
        envkit.read_spec(host.cwd / "p", host=host)
    assert caught.value.code == "spec-not-found"
    assert all(name in str(caught.value.hint) for name in ORDER)


@pytest.mark.core
def test_a_pyproject_with_settings_of_tools_alone_is_passed_over(write: Write, host: Host) -> None:
    """A file that describes no project leaves the directory to the next one, unless a group of it is asked for."""
    write("p/requirements.txt", "d\n")
    path = write("p/pyproject.toml", '[tool.ruff]\n[dependency-groups]\ntest = ["pytest"]\n')
    assert envkit.read_spec(path.parent, host=host).pypi == ("d",)
    assert envkit.read_spec(path.parent, groups=["test"], host=host).pypi == ("pytest",)


@pytest.mark.core
def test_a_file_of_no_known_kind_is_refused_and_extras_only_where_there_are_any(write: Write, host: Host) -> None:
    """The error names what is known; a keyword that a format cannot have is not ignored."""
    for path, keywords, code in (
        (write("what.doc", ""), {}, "spec-file"),
        (write("r.txt", ""), {"extras": ["x"]}, "extra"),
        (write(".python-version", "3.12"), {"groups": ["x"]}, "group"),
    ):
        with pytest.raises(envkit.UsageError) as caught:
            envkit.read_spec(path, host=host, **keywords)  # type: ignore[arg-type]
        assert caught.value.code == code
    with pytest.raises(TypeError):
        envkit.read_spec("x", extras="all", host=host)


PYLOCK = """\
lock-version = "1.0"
created-by = "tests"
requires-python = ">=3.9"
extras = ["web"]
dependency-groups = ["dev"]
[[packages]]
name = "Idna"
version = "3.7"
wheels = [{ url = "https://files.example/idna-3.7-py3-none-any.whl", hashes = { sha256 = "AA" } }]
[[packages]]
name = "flask"
version = "3.0"
marker = "'web' in extras"
wheels = [{ url = "https://files.example/flask-3.0-py3-none-any.whl", hashes = { sha256 = "bb" } }]
"""


@pytest.mark.core
def test_a_pylock_is_taken_as_it_is(write: Write, host: Host) -> None:
    """The text stays, the packages are listed, its range of Pythons counts, and extras are noted in it."""
    path = write("pylock.dev.toml", PYLOCK)
    spec = envkit.read_spec(path, host=host)
    assert spec.lock is not None
    assert (spec.lock.text, spec.python) == (PYLOCK, ">=3.9")
    assert [str(package) for package in spec.lock.packages] == ["flask 3.0", "idna 3.7"]
    chosen = envkit.read_spec(path, extras=["web"], host=host).lock
    assert chosen is not None
    said = pylock.load(chosen.text)
    assert said.inputs is not None
    assert said.inputs.extras == ("web",)
    for text in ("", "lock-version='2.0'\npackages=[]\n", "x=", PYLOCK.replace(', hashes = { sha256 = "AA" }', "")):
        with pytest.raises(envkit.CorruptError):
            envkit.read_spec(write("pylock.toml", text), host=host)


@pytest.mark.core
def test_a_tool_that_is_missing_is_named(write: Write, host: Host) -> None:
    """poetry.lock is read by Poetry; without it the error says what to install."""
    nowhere = replace(host, environ={**host.environ, "PATH": str(host.home)})
    with pytest.raises(envkit.NotFoundError) as caught:
        envkit.read_spec(write("poetry.lock", ""), host=nowhere)
    assert (caught.value.code, "poetry" in str(caught.value.hint)) == ("tool-not-found", True)


@given(st.text())
def test_any_text_is_read_or_refused_with_a_reason(text: str) -> None:
    """No text makes a reader raise anything but ValueError."""
    for read in (
        lambda: requirements_txt.load(text, {}),
        lambda: pyproject.load(text),
        lambda: pipfile.load(text),
        lambda: pipfile.load_lock(text),
        lambda: environment_yml.load(text),
        lambda: pylock.load(text),
    ):
        with suppress(ValueError):
            read()


@given(
    st.lists(st.from_regex(r"[a-z]{1,8}==[0-9]\.[0-9]", fullmatch=True), min_size=1),
    st.dictionaries(st.from_regex(r"[A-Z]{1,5}", fullmatch=True), st.text(alphabet="abc $é'\"", max_size=9)),
)
def test_an_environment_yml_is_read_back(pip: list[str], variables: dict[str, str]) -> None:
    """What is written is read back."""
    said = environment_yml.EnvironmentYml(
        name="demo", channels=("conda-forge",), conda=("python=3.12", "pip"), pip=tuple(pip), variables=variables
    )
    assert environment_yml.load(environment_yml.dump(said)) == said


POETRY = """\
[tool.poetry]
name = "demo"
[tool.poetry.dependencies]
python = "^3.9"
requests = "^2.28"
local = {path = "./local", develop = true}
rich = {version = "~13.1", optional = true}
[tool.poetry.extras]
pretty = ["rich"]
[tool.poetry.group.dev.dependencies]
pytest = ">=8"
[dependency-groups]
docs = ["mkdocs"]
"""


@pytest.mark.core
def test_poetrys_own_tables_are_read(write: Write, host: Host) -> None:
    """By themselves and as the project of a directory: what is always needed, extras and groups on demand, the range of Pythons."""
    write("local/pyproject.toml", "[project]\nname='local'\nversion='1'\n")
    path = write("pyproject.toml", POETRY)
    local = Project(path=host.cwd / "local", editable=True)
    spec = envkit.read_spec(path, host=host)
    assert (spec.python, spec.pypi) == (">=3.9,<4.0", ("requests<3.0,>=2.28", local))
    assert envkit.read_spec(path.parent, host=host) == spec
    more = envkit.read_spec(path, extras=["pretty"], groups=["dev", "docs"], host=host)
    assert set(more.pypi) == {"requests<3.0,>=2.28", local, "rich<13.2,>=13.1", "pytest>=8", "mkdocs"}
    for wrong in ({"extras": ["none"]}, {"groups": ["none"]}):
        with pytest.raises(envkit.UsageError):
            envkit.read_spec(path, host=host, **wrong)  # type: ignore[arg-type]
    with pytest.raises(envkit.CorruptError, match="alternatives"):
        envkit.read_spec(write("b/pyproject.toml", '[tool.poetry.dependencies]\nrich = "^1 || ^3"\n'), host=host)
