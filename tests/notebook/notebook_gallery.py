"""One of each value that people see, as a machine might give it, for the tests of what a notebook shows; run in a cell, it shows all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from packaging.version import Version

from envkit.models.activation import Activation, Interpreter
from envkit.models.cells import Output, Result
from envkit.models.environment import Environment, Problem
from envkit.models.kernels import Kernel, Proof
from envkit.models.looks import Change, Selection
from envkit.models.packages import Changes, Outdated, Package
from envkit.models.plans import Plan, Removal, Step
from envkit.models.several import Several
from envkit.models.specs import Lock, Project, Sources, Spec
from envkit.models.switch import Switch

HOME = Path("/home/ada")
SPEC = Spec(name="analysis", python="3.12", pypi=("polars>=1", "rich"), variables={"STAGE": "test"}, post_install=(("python", "-V"),))
PLAN = Plan(
    spec=SPEC,
    steps=(Step(action="create", text=f"create {HOME}/.local/share/envkit/environments/analysis with Python 3.12.4"),
           Step(action="install", text="install polars>=1, rich")),
    changes=Changes(added=(Package(name="polars", version="1.30.0", ecosystem="pypi"), Package(name="rich", version="14.0.0", ecosystem="pypi"))),
)  # fmt: skip
ANALYSIS = Environment(
    prefix=HOME / ".local/share/envkit/environments/analysis",
    kind="venv",
    manager="envkit",
    python=HOME / ".local/share/envkit/environments/analysis/bin/python",
    version=Version("3.12.4"),
    version_source="pyvenv.cfg",
    implementation="cpython",
    architecture="x86_64",
    name="analysis",
    base=HOME / ".pyenv/versions/3.12.4",
)
BASE = Environment(
    prefix=HOME / ".pyenv/versions/3.12.4",
    kind="interpreter",
    manager="pyenv",
    python=HOME / ".pyenv/versions/3.12.4/bin/python3.12",
    version=Version("3.12.4"),
    implementation="cpython",
    architecture="x86_64",
    name="3.12.4",
    aliases=(HOME / ".pyenv/versions/3.12",),
    externally_managed=False,
)
BROKEN = Environment(
    prefix=HOME / "site/.venv",
    kind="venv",
    manager="poetry",
    project=HOME / "site",
    problem=Problem(code="base-missing", message="the Python that it was made from, /opt/python3.9, is gone", hint="poetry env remove --all, then poetry install"),
)  # fmt: skip
PROOF = Proof(seconds=1.23, prefix=ANALYSIS.prefix, version=Version("3.12.4"), text="Python 3.12.4, polars 1.30.0")
KERNELS = HOME / ".local/share/jupyter/kernels"
KERNEL = Kernel(
    name="analysis", display_name="Python 3.12 (analysis)", path=KERNELS / "analysis", environment=ANALYSIS, owned=True, proof=PROOF
)
STALE = Kernel(
    name="old",
    display_name="Old project",
    path=KERNELS / "old",
    problem=Problem(code="interpreter-missing", message=f"{HOME}/old/bin/python is not there", hint='jupyter.unregister("old", foreign=True)', subject="old"),
)  # fmt: skip
DEMO = Package(
    name="demo", version="0.3.dev1", ecosystem="pypi", editable=HOME / "demo", requires=("rich>=13",), requested=True, installer="uv"
)
RICH = Package(name="rich", version="14.0.0", ecosystem="pypi", requires=("pygments>=2.13", "markdown-it-py>=2.2"), requested=False)
NUMPY = Package(name="numpy", version="2.3.0", ecosystem="conda", channel="conda-forge", build="py312h33ff503_0")
MISSING = Problem(
    code="ipykernel-missing",
    message="ipykernel is not installed",
    hint="apply(problem.fix)",
    subject="analysis",
    severity="warning",
    fix=Plan(steps=(Step(action="install", text="install ipykernel"),)),
)
REMOVAL = Removal(paths=(ANALYSIS.prefix,), kernels=(KERNEL,), size=123_456_789, reason="envkit made it", done=False)

VALUES: tuple[Any, ...] = (
    ANALYSIS,
    BASE,
    BROKEN,
    KERNEL,
    STALE,
    PROOF,
    MISSING,
    SPEC,
    PLAN,
    Plan(spec=SPEC),
    Step(action="create", text="create it"),
    Changes(added=(RICH,), removed=(DEMO,), updated=((NUMPY, Package(name="numpy", version="2.3.1", ecosystem="conda")),)),
    Changes(),
    DEMO,
    NUMPY,
    Project(path=HOME / "demo", editable=True, extras=("all",), groups=("test",)),
    Sources(indexes=("https://pypi.org/simple",)),
    Lock(format="pylock.toml", text='lock-version = "1.0"\n', packages=(RICH, NUMPY)),
    REMOVAL,
    Selection(environment=BROKEN, reason="poetry made it for this project"),
    Change(kind="added", environment=ANALYSIS),
    Outdated(package=RICH, latest="15.0.1"),
    Activation(prepend_path=(ANALYSIS.prefix / "bin",), assign={"VIRTUAL_ENV": str(ANALYSIS.prefix)}, unset=frozenset({"PYTHONHOME"})),
    Interpreter(
        executable=HOME / ".pyenv/versions/3.12.4/bin/python3.12",
        prefix=HOME / ".pyenv/versions/3.12.4",
        base_prefix=HOME / ".pyenv/versions/3.12.4",
        version=Version("3.12.4"),
        implementation="cpython",
        markers={"python_version": "3.12", "sys_platform": "linux"},
        paths={"purelib": HOME / "lib"},
    ),
    Output(kind="stdout", text="one\ntwo\n", data={}),
    Result(outputs=(Output(kind="stdout", text="<b>one</b>\n", data={}), Output(kind="error", text="ZeroDivisionError: division by zero", data={})), ok=False, seconds=0.2),
    Switch(done=True, instructions='This notebook moves to "Python 3.12 (analysis)" when this cell has ended.\nVariables do not move along.'),
    Switch(done=False, instructions='This notebook cannot be moved from here: no Jupyter server was found.\n1. Choose Kernel > "Change Kernel...".\n2. Choose it.'),
    Several((BASE, ANALYSIS, BROKEN)),
    Several((KERNEL, STALE)),
    Several((DEMO, RICH, NUMPY)),
    Several((MISSING, Problem(code="moved", message="it lies elsewhere than its files say", subject="/home/ada/x", hint="repair(env)"))),
    Several((REMOVAL,)),
    Several((Outdated(package=RICH, latest="15.0.1"), Outdated(package=NUMPY, latest="2.3.1"))),
    Several((), "no problem was found"),
)  # fmt: skip
