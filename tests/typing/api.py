"""What clients write against envkit, for mypy and pyright alone: it is never run.

Each public name, parameter and result is used once, results under `assert_type`. A line with an ignore is one that must be
refused: both checkers complain when it is not, mypy by `warn_unused_ignores`.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from subprocess import CompletedProcess
from typing import Literal, assert_type

from jupyter_client.manager import KernelManager
from packaging.requirements import Requirement
from packaging.version import Version

import envkit
from envkit import (
    Activation,
    Change,
    Changes,
    Control,
    Env,
    Environment,
    Event,
    Host,
    Interpreter,
    Kernel,
    Kind,
    Lock,
    Outdated,
    Package,
    Plan,
    Problem,
    Project,
    Proof,
    Removal,
    Reporter,
    Req,
    Scope,
    Selection,
    Sources,
    Spec,
    Step,
    StrPath,
    aio,
    events,
    jupyter,
)
from envkit.aio import Scope as ScopeOfAio


def looking(env: Environment, host: Host, report: Reporter, stop: threading.Event) -> None:
    """find, resolve, interpreter, installed, activation."""
    found = envkit.find(kinds=["venv"], managers=("uv",), python=">=3.11", roots=[Path(), "x"], probe="known", host=host)
    assert_type(found, Generator[Environment, None, None])
    assert_type([each.id for each in envkit.find()], list[str])
    found.close()
    watching = envkit.watch(kinds=("venv",), managers=["uv"], roots=[Path()], interval=0.5, cancel=stop, host=host)
    assert_type(watching, Generator[Change, None, None])
    watching.close()
    assert_type(envkit.selected("."), Selection | None)
    if (chosen := envkit.selected(Path("script.py"), host=host)) is not None:
        assert_type((chosen.environment, chosen.reason), tuple[Environment, str])
    envkit.select(Path(), env)
    envkit.select("project", "demo", host=host)
    envkit.select("project", None)
    assert_type(envkit.resolve("3.12"), Environment)
    assert_type(envkit.resolve(Path("x"), probe="auto", timeout=2.5, cancel=stop), Environment)
    assert_type(envkit.resolve(Spec(name="demo"), offline=True), Environment)
    assert_type(envkit.resolve(PurePosixPath("x")), Environment)
    assert_type(envkit.interpreter(env, report=report), Interpreter)
    assert_type(envkit.installed(env, host=host), tuple[Package, ...])
    assert_type(envkit.check(env, deep=True, timeout=5, host=host), tuple[Problem, ...])
    assert_type(envkit.activation("demo", host=None), Activation)
    assert_type(envkit.activation(env).apply({"PATH": ""}), dict[str, str])
    assert_type(envkit.activation_script(env, "fish", timeout=5), str)

    envkit.find(pyton="3.12")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    envkit.find(probe="always")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    envkit.activation_script(env, "basic")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    envkit.resolve(3.12)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    envkit.resolve("x", timeuot=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    envkit.watch(probe="never")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    envkit.select("project")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    envkit.installed(env, timeout=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    envkit.esnure  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]


def making(env: Environment, spec: Spec, control: Control) -> None:
    """create, ensure, plan, apply, remove, clone, repair, prune, hold, temporary, provision."""
    assert_type(envkit.create("demo"), Environment)
    assert_type(
        envkit.create(
            Path(".venv"), python="3.12", pypi=["rich", Requirement("attrs"), Path("x.whl"), Project(path=Path())], backend="venv"
        ),
        Environment,
    )
    assert_type(envkit.create(spec, on_exists="replace", timeout=60), Environment)
    assert_type(envkit.create("demo", python=env), Environment)
    assert_type(envkit.create("demo", conda=["numpy"], channels=["conda-forge"]), Environment)
    assert_type(envkit.install(env, "rich", conda=["numpy"], channels=["conda-forge"]), Changes)
    assert_type(envkit.create("demo", python=Path("/usr/bin/python3")), Environment)
    assert_type(envkit.ensure(spec, **control), Environment)
    planned = envkit.plan(spec, report=None)
    assert_type(planned, Plan)
    assert_type(envkit.apply(planned, timeout=60), Environment)
    assert_type(envkit.remove(env, foreign=True, dry_run=True, timeout=9), Removal)
    assert_type(envkit.provision("demo"), Kernel)
    assert_type(envkit.provision("stats", conda=["r-base", "r-irkernel"], channels=["conda-forge"]), Kernel)
    assert_type(envkit.provision("demo", python="3.12", pypi=["rich"], display_name="Demo", report=print), Kernel)
    assert_type(envkit.provision(spec), Kernel)

    assert_type(envkit.clone(env, "copy", timeout=60), Environment)
    assert_type(envkit.clone("demo", Path("x")), Environment)
    assert_type(envkit.repair("demo", offline=True), Environment)
    assert_type(envkit.prune(), tuple[Removal, ...])
    assert_type(
        envkit.prune(keep=[env, spec, "demo", Path()], max_age=timedelta(days=30), max_bytes=10**9, dry_run=True, timeout=60),
        tuple[Removal, ...],
    )
    assert_type(envkit.hold(env, timeout=5), Scope[Environment])
    assert_type(envkit.temporary(), Scope[Environment])
    assert_type(envkit.temporary(conda=["numpy"], channels=["conda-forge"]), Scope[Environment])
    assert_type(envkit.temporary(spec, offline=True), Scope[Environment])
    with envkit.temporary(python="3.12", pypi=["rich", Requirement("attrs")]) as private:
        assert_type(private, Environment)

    envkit.prune(keep=env)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    envkit.prune(max_age=30)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    envkit.clone(env)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    envkit.create("demo", on_exists="overwrite")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    envkit.ensure("demo")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    envkit.remove()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    envkit.provision("demo", Path())  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def filling(env: Environment, sources: Sources) -> None:
    """install, upgrade, uninstall, outdated."""
    changes = envkit.install(
        env,
        "rich",
        Requirement("attrs>=23"),
        Path("dist/x.whl"),
        Project(path=Path(), editable=True, extras=("a",), groups=("test",)),
        constraints=["attrs<30"],
        dependencies=False,
        sources=sources,
        break_system_packages=True,
        dry_run=True,
        timeout=300,
    )
    assert_type(changes, Changes)
    assert_type(envkit.uninstall(env, "rich", "attrs", dry_run=True), Changes)
    assert_type(envkit.upgrade(env, "rich", constraints=["rich<15"], sources=Sources(prereleases=True), dry_run=True, timeout=3), Changes)
    assert_type(envkit.outdated(env, sources=Sources(), offline=True), tuple[Outdated, ...])
    assert_type((changes.added, changes.removed), tuple[tuple[Package, ...], tuple[Package, ...]])
    assert_type(changes.updated, tuple[tuple[Package, Package], ...])
    assert_type(bool(changes), bool)

    Project(path=Path(), groups=["test"])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    envkit.install(env, 3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    envkit.uninstall(env, Path("x"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def exact(spec: Spec, env: Env, host: Host) -> None:
    """read_spec, lock, export."""
    assert_type(envkit.read_spec("requirements.txt"), Spec)
    assert_type(envkit.read_spec(Path(), name="demo", prefix=None, extras=["all"], groups=("test",), offline=True), Spec)
    assert_type(envkit.lock(spec), Lock)
    assert_type(envkit.lock(spec, platforms=["linux-64", "osx-arm64"], timeout=60), Lock)
    assert_type(envkit.export(env, "pylock.toml", host=host), str)

    envkit.export(env, "poetry.lock")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    envkit.read_spec("x", name=Path())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def running(env: Env) -> None:
    """Run."""
    done = envkit.run(
        env, ["python", Path("x.py")], check=True, capture_output=True, cwd=Path(), environ={"A": "1"}, env_file=".env", timeout=5
    )
    assert_type(done, CompletedProcess[str])
    assert_type(envkit.run("demo", ("python",), input="text"), CompletedProcess[str])
    assert_type(done.returncode, int)

    envkit.run(env, ["x"], shell=True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    envkit.run(env, [1])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]


def kernels(env: Environment, kernel: Kernel, host: Host) -> None:
    """The namespace envkit.jupyter."""
    assert_type(jupyter.kernels(visible_from=env, host=host), tuple[Kernel, ...])
    registered = jupyter.register(
        env,
        name="demo",
        display_name="Demo",
        scope=Path("/x"),
        on_exists="suffix",
        variables={"A": "1"},
        env_file=Path(".env"),
        inherit=["LD_LIBRARY_PATH"],
        install_ipykernel="never",
        timeout=60,
    )
    assert_type(registered, Kernel)
    assert_type(jupyter.register(env, scope="sys-prefix", on_exists="replace"), Kernel)
    assert_type(jupyter.unregister("demo", foreign=True, dry_run=True, host=host), Removal)
    assert_type(jupyter.unregister(kernel), Removal)
    assert_type(jupyter.rename("demo", "other", keep_alias=False, host=host), Kernel)
    assert_type(jupyter.rename(kernel, "other"), Kernel)
    assert_type(jupyter.prune(foreign=True, dry_run=True, host=host), tuple[Removal, ...])
    assert_type(jupyter.doctor(visible_from="demo", host=host), tuple[Problem, ...])
    assert_type(jupyter.doctor()[0].fix, Plan | None)
    assert_type(jupyter.kernel_manager(env, timeout=60), KernelManager)
    assert_type(jupyter.execute_notebook("a.ipynb"), Path)
    executed = jupyter.execute_notebook(Path("a.ipynb"), env, output="b.ipynb", cell_timeout=5, allow_errors=True, timeout=60)
    assert_type(executed, Path)
    assert_type(jupyter.verify(kernel, timeout=60), Kernel)
    assert_type(jupyter.verify("demo"), Kernel)

    opened = jupyter.session(env, cwd="x", environ={"A": "1"}, env_file=".env", timeout=60)
    assert_type(opened, Scope[jupyter.Session])
    with opened as session:
        assert_type(session, jupyter.Session)
        assert_type(session.environment, Environment)
        result = session.run("1 + 1", timeout=5, cancel=threading.Event(), on_output=heard)
        assert_type(result, jupyter.Result)
        assert_type((result.ok, result.seconds, result.text), tuple[bool, float, str])
        assert_type(result.outputs, tuple[jupyter.Output, ...])
        assert_type(session.interrupt(), None)
        assert_type(session.restart(), None)

    switch = jupyter.use(env, timeout=60)
    assert_type(switch, jupyter.Switch)
    assert_type((switch.done, switch.instructions), tuple[bool, str])
    assert_type(jupyter.use(kernel), jupyter.Switch)
    assert_type(jupyter.use("demo"), jupyter.Switch)
    jupyter.set_notebook_kernel("x.ipynb", kernel)
    jupyter.set_notebook_kernel(Path("x.ipynb"), "demo", host=host)
    envkit.load_ipython_extension(object())

    jupyter.register(env, scope="everywhere")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    jupyter.verify(env)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def heard(output: jupyter.Output) -> None:
    """Hear an output as it comes."""
    assert_type(output.kind, Literal["stdout", "stderr", "display", "result", "error"])
    assert_type((output.text, output.data), tuple[str, Mapping[str, str]])


async def from_coroutines(env: Environment) -> None:
    """aio.call keeps a verb's signature, its control keywords too; aio.stream yields what it yields; a Scope is for `async with`."""
    assert_type(await aio.call(envkit.ensure, Spec(name="demo"), timeout=3), Environment)
    assert_type(await aio.call(envkit.installed, env), tuple[Package, ...])
    assert_type(aio.stream(envkit.find, probe="never"), AsyncGenerator[Environment, None])
    async for each in aio.stream(envkit.find):
        assert_type(each, Environment)
    async with jupyter.session(env) as session:
        assert_type(await aio.call(session.run, "1", timeout=2), jupyter.Result)
    await asyncio.gather(aio.call(envkit.resolve, "a"), aio.call(envkit.resolve, "b"))

    await aio.call(envkit.ensure, Spec(), timeuot=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await aio.call(envkit.ensure, "demo")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def environments(env: Environment) -> None:
    """An environment and what is wrong with it."""
    assert_type((env.prefix, env.kind, env.id, str(env)), tuple[Path, str, str, str])
    assert_type((env.manager, env.implementation, env.architecture, env.name), tuple[str | None, str | None, str | None, str | None])
    assert_type((env.python, env.base, env.project), tuple[Path | None, Path | None, Path | None])
    assert_type((env.version, env.version_source), tuple[Version | None, str | None])
    assert_type((env.free_threaded, env.externally_managed), tuple[bool | None, bool | None])
    assert_type(env.aliases, tuple[Path, ...])
    assert_type(env.problem, Problem | None)
    assert_type(replace(env, name="x"), Environment)
    problem = Problem(code="moved", message="m", hint=None, severity="warning", subject="rich", fix=Plan())
    assert_type((problem.code, problem.message, problem.hint, problem.subject), tuple[str, str, str | None, str])
    assert_type((problem.severity, problem.fix), tuple[Literal["error", "warning", "info"], Plan | None])

    env.name = "other"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    Environment(Path(), "venv")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    hash(env)


def specs() -> Spec:
    """What is asked for."""
    sources = Sources(
        indexes=("https://x/simple",),
        find_links=("/wheels",),
        exclude_newer=datetime(2026, 1, 1, tzinfo=UTC),
        prereleases=True,
        configuration="isolated",
        pythons="uv",
    )
    lock = Lock(format="pylock.toml", text="", packages=())
    return Spec(
        name="demo",
        prefix=None,
        backend="auto",
        python="3.12",
        pypi=("rich", Project(path=Path(), editable=True, extras=("x",), groups=("test",))),
        conda=("numpy",),
        channels=("conda-forge",),
        constraints=("attrs<30",),
        lock=lock,
        sources=sources,
        variables={"STAGE": "test"},
        post_install=(("python", "-V"),),
        system_site_packages=False,
        seed="pip",
    )


def other_values(kernel: Kernel, interpreter: Interpreter, package: Package, removal: Removal, plan: Plan) -> None:
    """The other values, field by field."""
    spec = specs()
    assert_type((spec.name, spec.prefix, spec.backend, spec.python), tuple[str | None, Path | None, str, str | None])
    assert_type(spec.pypi, tuple[str | Project, ...])
    assert_type((spec.conda, spec.channels, spec.constraints), tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]])
    assert_type((spec.lock, spec.sources, spec.variables), tuple[Lock | None, Sources, Mapping[str, str]])
    assert_type((spec.post_install, spec.system_site_packages), tuple[tuple[tuple[str, ...], ...], bool])
    assert_type(spec.seed, Literal["none", "pip"])
    assert_type((kernel.name, kernel.display_name, kernel.path, kernel.owned), tuple[str, str, Path, bool])
    assert_type((kernel.environment, kernel.problem, kernel.proof), tuple[Environment | None, Problem | None, Proof | None])
    if kernel.proof is not None:
        assert_type((kernel.proof.seconds, kernel.proof.prefix, kernel.proof.version, kernel.proof.text), tuple[float, Path, Version, str])
    assert_type((interpreter.executable, interpreter.prefix, interpreter.base_prefix), tuple[Path, Path, Path])
    assert_type((interpreter.version, interpreter.implementation), tuple[Version, str])
    assert_type((interpreter.markers, interpreter.paths), tuple[Mapping[str, str], Mapping[str, Path]])
    assert_type((package.name, package.version, package.requested, package.requires), tuple[str, str, bool | None, tuple[str, ...]])
    assert_type(package.ecosystem, Literal["pypi", "conda"])
    assert_type((package.url, package.editable, package.installer), tuple[str | None, Path | None, str | None])
    assert_type((package.build, package.channel), tuple[str | None, str | None])
    assert_type((removal.paths, removal.kernels, removal.size), tuple[tuple[Path, ...], tuple[Kernel, ...], int])
    assert_type((removal.reason, removal.done), tuple[str, bool])
    assert_type((plan.spec, plan.steps, plan.changes, plan.lock), tuple[Spec | None, tuple[Step, ...], Changes, Lock | None])
    assert_type((plan.environment, plan.key, bool(plan)), tuple[Environment | None, str | None, bool])
    assert_type([(step.action, step.text) for step in plan.steps], list[tuple[str, str]])
    activation = Activation(prepend_path=(Path("/x"),), assign={"A": "1"}, unset=frozenset({"B"}))
    assert_type((activation.prepend_path, activation.assign, activation.unset), tuple[tuple[Path, ...], Mapping[str, str], frozenset[str]])
    env = Environment(prefix=Path("/x"), kind="venv")
    assert_type((Selection(environment=env, reason="r").reason, Outdated(package=package, latest="2").latest), tuple[str, str])
    assert_type(Change(kind="added", environment=env).kind, Literal["added", "removed", "changed"])


def hosts() -> Host:
    """The outside world."""
    host = Host.current(environ={"A": "1"}, data=Path("/x"))
    assert_type((host.root, host.home, host.cwd, host.data), tuple[Path, Path, Path, Path])
    assert_type((host.environ, host.platform), tuple[Mapping[str, str], str])
    assert_type((host.path("/x"), host.shown(Path("/x"))), tuple[Path, str])
    return Host(root=Path("/"), environ={}, platform="linux", home=Path("/h"), cwd=Path("/"), data=Path("/d"))


def heard_event(event: Event) -> str:
    """Every event; a checker sees when one is forgotten."""
    match event:
        case events.Started(id=number, parent=parent, activity=activity, text=text, total=total, unit=unit):
            assert_type((number, parent, text, total), tuple[int, int | None, str, int | None])
            assert_type((activity, unit), tuple[events.Activity, Literal["", "bytes", "packages", "files"]])
            return text
        case events.Progress(id=number, done=done, total=total):
            assert_type((number, done, total), tuple[int, int, int | None])
            return str(done)
        case events.Output(id=number, line=line, stream=stream):
            assert_type((number, line, stream), tuple[int, str, Literal["stdout", "stderr"]])
            return line
        case events.Finished(id=number, ok=ok, seconds=seconds, text=text):
            assert_type((number, ok, seconds, text), tuple[int, bool, float, str])
            return text


def reporters() -> tuple[Reporter, Callable[[Event], None]]:
    """A reporter is any callable that takes an event; control can be kept and passed on."""

    def hear(event: Event) -> None:
        heard_event(event)

    control: Control = {"report": hear, "cancel": threading.Event(), "timeout": 1, "offline": True, "host": None}
    envkit.ensure(Spec(name="demo"), **control)
    wrong: Control = {"report": hear, "timeuot": 1}  # type: ignore[typeddict-unknown-key]  # pyright: ignore[reportAssignmentType]
    stop: envkit.Cancel = threading.Event()
    assert_type(stop.is_set(), bool)
    return hear, hear


def failures() -> None:
    """Errors by what to do next, with their facts."""
    try:
        envkit.ensure(Spec(name="demo"))
    except envkit.BusyError as error:
        assert_type(error.holder, int | None)
    except envkit.DeadlineError as error:
        assert_type(error.output, str)
    except envkit.InstallError as error:
        assert_type(error.package, str | None)
    except envkit.KernelError as error:
        assert_type(error.stderr, str)
    except envkit.ProcessError as error:
        assert_type((error.returncode, error.stdout, error.stderr), tuple[int, str, str])
    except envkit.CorruptError as error:
        assert_type(error.path, Path)
    except (envkit.UsageError, envkit.NotFoundError, envkit.ExistsError, envkit.RefusedError) as error:
        assert_type((error.code, error.hint), tuple[str, str | None])
    except (envkit.NetworkError, envkit.CancelledError, envkit.MachineError) as error:
        assert_type((error.retryable, error.log), tuple[bool, Path | None])
    except TimeoutError as error:
        raise envkit.EnvkitError("late", code="late", hint=None, retryable=True) from error
    late: list[TimeoutError] = [envkit.BusyError("x"), envkit.DeadlineError("x")]
    wrong: list[ValueError] = [envkit.UsageError("x"), envkit.CorruptError("x")]
    missing: list[LookupError] = [envkit.NotFoundError("x")]
    assert_type((late, wrong, missing), tuple[list[TimeoutError], list[ValueError], list[LookupError]])


def across_processes(env: Environment) -> None:
    """to_json and from_json."""
    text = envkit.to_json((env, env))
    assert_type(text, str)
    assert_type(envkit.from_json(text), object)
    assert_type(envkit.from_json(text, Environment), Environment)
    assert_type(envkit.from_json(text, type=envkit.EnvkitError), envkit.EnvkitError)
    assert_type(envkit.from_json(text, tuple[Environment, ...]), tuple[Environment, ...])

    envkit.from_json(b"")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]


def aliases(path: StrPath, env: Env, requirement: Req, kind: Kind, scope: Scope[int], same: ScopeOfAio[int]) -> Iterator[object]:
    """What may be given where."""
    given: list[Env] = [Environment(prefix=Path(), kind=kind), "demo", Path("x"), path]
    asked: list[Req] = ["rich", Requirement("rich"), Path("x.whl"), Project(path=Path()), requirement]
    scope = same
    yield from (given, asked, env, scope)
