"""`nox -s bench`: what envkit does, each thing beside its peer in the same run. Medians; the ratio is what counts on a noisy machine."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from conda import conda
from measure import Alone, Row, alone, median, side_by_side
from stores import stores
from worlds import machine

import envkit
from envkit import Environment, Host
from envkit.discovery import again
from envkit.system import remembering


def process(*argv: str, **environ: str) -> Callable[[int], object]:
    """Return a call that runs a program to its end; `{n}` in an argument is the number of the round."""
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | environ

    def call(number: int) -> object:
        return subprocess.run([part.replace("{n}", str(number)) for part in argv], check=True, capture_output=True, env=variables)

    return call


def imports(python: str) -> Iterator[Row]:
    """The import: modules loaded, and time over a bare start."""
    code = "import sys; before = set(sys.modules); import envkit; print(len(set(sys.modules) - before))"
    loaded = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip()
    yield side_by_side(
        f"import envkit ({loaded} module), whole process",
        process(python, "-c", "import envkit"),
        "bare python",
        process(python, "-c", "pass"),
        rounds=15,
        bound=1.2,
    )


def finding(python: str, uv: str, host: Host) -> Iterator[Row]:
    """find and resolve: this machine as it is, with the shims of version managers on PATH and without."""
    path = os.pathsep.join(entry for entry in os.environ["PATH"].split(os.pathsep) if not entry.endswith("shims"))
    worlds = [("no shims", path, 3.5, 15)]
    if path != os.environ["PATH"]:
        worlds.insert(0, ("shims", os.environ["PATH"], 0.1, 9))
    home = host.data / "whole"
    for shims, path, bound, rounds in worlds:
        asking = process(python, "-m", "envkit", "find", "--json", PATH=path, ENVKIT_HOME=str(home))
        listing = process(uv, "python", "list", "--only-installed", "--offline", PATH=path)
        for first in (True, False):
            yield side_by_side(
                f"find, whole process, {shims} on PATH{', nothing kept' if first else ''}",
                asking,
                "uv python list --only-installed (warm)",
                listing,
                rounds=rounds,
                bound=None if first else bound,
                before=(lambda: shutil.rmtree(home, ignore_errors=True)) if first else None,
            )
    from python_discovery import iter_interpreters

    yield side_by_side(
        "find, in process",
        lambda _: _found(host),
        "python-discovery, in process (no disk cache)",
        lambda _: list(iter_interpreters()),
        rounds=7,
        bound=0.05,
    )
    yield side_by_side(
        "find, every interpreter run, nothing kept, in process",
        lambda number: list(envkit.find(kinds=["interpreter"], probe="known", host=Host.current(data=host.data / f"probe{number}"))),
        "uv python list --only-installed --no-cache",
        process(uv, "python", "list", "--only-installed", "--offline", "--no-cache"),
        rounds=5,
        bound=0.15,
    )


def _found(host: Host) -> list[Environment]:
    """Return what is found by a search that remembers nothing of earlier ones."""
    again.forget()
    return list(envkit.find(host=host))


def generated(scratch: Path) -> Iterator[Alone]:
    """find and resolve on machines that were made up, through `Host`: the work itself, without a process around it."""
    ten, sixty = machine(scratch / "ten"), machine(scratch / "sixty", 60)
    yield alone("find, ten interpreters", lambda: _found(ten), bound=6)
    yield alone("find, the same and 60 environments", lambda: _found(sixty), bound=25)

    def first() -> None:
        again.forget()
        found = envkit.find(host=sixty)
        next(found)
        found.close()

    yield alone("find, the first of them", first, bound=5)

    def resolved() -> None:
        again.forget()
        envkit.resolve("3.10", host=ten)

    yield alone('resolve("3.10")', resolved, bound=6)
    time.sleep(0.2)  # what changed just now is not kept
    yield alone('resolve("3.10"), again', lambda: envkit.resolve("3.10", host=ten), bound=6)
    yield alone("find, with 60 environments, again", lambda: list(envkit.find(host=sixty)), bound=25)
    hosts = {count: machine(scratch / f"many{count}", count) for count in (10, 100, 1000)}
    rounds = [{count: median(lambda host=host: _found(host), rounds=1) for count, host in hosts.items()} for _ in range(9)]  # in turns
    times = {count: statistics.median(each[count] for each in rounds) for count in hosts}
    growth = (times[1000] - times[100]) / 900 / ((times[100] - times[10]) / 90)
    text = ", ".join(f"{milliseconds:.0f} ms" for milliseconds in times.values())
    yield Alone(what=f"find, 10, 100, 1000: {text}; growth", ours=growth, bound=1.3, unit="")


def creating(uv: str, host: Host, scratch: Path) -> Iterator[Row]:
    """create without pip, on the Python that runs this."""
    base = envkit.resolve(Path(sys.base_prefix), host=host)
    import virtualenv

    yield side_by_side(
        "create, in process",
        lambda number: envkit.create(scratch / f"create-ours{number}", python=base, host=host),
        "uv venv, as a process",
        process(uv, "venv", "--python", str(base.python), "--offline", str(scratch / "create-uv{n}")),
        rounds=15,
        bound=0.1,
    )
    yield side_by_side(
        "create, in process",
        lambda number: envkit.create(scratch / f"create-again{number}", python=base, host=host),
        "virtualenv.cli_run --no-seed, in process",
        lambda number: virtualenv.cli_run(
            [str(scratch / f"create-virtualenv{number}"), "--no-seed", "--no-periodic-update", "-p", str(base.python)]
        ),
        rounds=15,
        bound=0.3,
    )


def listing(uv: str, host: Host) -> Iterator[Row]:
    """installed, of the environment that runs this."""
    site = next(path for path in sys.path if path.endswith("site-packages"))

    def metadata(_: int) -> object:
        return [
            (d.metadata["Name"], d.version, d.requires, d.read_text("INSTALLER"), d.read_text("direct_url.json"))
            for d in importlib.metadata.distributions(path=[site])
        ]

    def ours(_: int) -> object:
        remembering.forget()
        return envkit.installed(sys.prefix, host=host)

    count = len(envkit.installed(sys.prefix, host=host))
    yield side_by_side(
        f"installed, {count} packages, in process",
        ours,
        "importlib.metadata, the same facts",
        metadata,
        rounds=15,
        bound=0.3,
    )
    yield side_by_side(
        f"installed, {count} packages, in process",
        ours,
        "uv pip list, as a process",
        process(uv, "pip", "list", "--python", sys.executable),
        rounds=15,
    )


def registering(python: str, scratch: Path, host: Host) -> Iterator[Row | Alone]:
    """register, of the environment that runs this, which has ipykernel: by itself, and in turns with ipykernel's own."""
    theirs = process(python, "-m", "ipykernel", "install", "--prefix", str(scratch / "theirs"), "--name", "bench")
    env = envkit.resolve(sys.executable, host=host)
    yield alone(
        "jupyter.register, in process, again and again",
        lambda: envkit.jupyter.register(env, name="bench", scope=scratch / "ours", host=host),
        bound=3,
    )
    yield side_by_side(
        "jupyter.register, in process",
        lambda _: envkit.jupyter.register(env, name="bench", scope=scratch / "ours", host=host),
        "python -m ipykernel install",
        theirs,
        bound=0.01,
    )
    yield side_by_side(
        "kernel register, whole process",
        process(python, "-m", "envkit", "kernel", "register", sys.executable, "--name", "bench", "--scope", str(scratch / "new")),
        "python -m ipykernel install",
        theirs,
        bound=0.34,
    )


def starting(python: str, scratch: Path, host: Host) -> Iterator[Row]:
    """A session, from nothing to its first reply, of the environment that runs this."""
    prefix = scratch / "plain"
    subprocess.run([python, "-m", "ipykernel", "install", "--prefix", str(prefix), "--name", "plain"], check=True, capture_output=True)
    os.environ["JUPYTER_PATH"] = str(prefix / "share" / "jupyter")
    from jupyter_client.manager import KernelManager

    def ours(_: int) -> object:
        with envkit.jupyter.session(sys.executable, host=host) as session:
            return session.run("1")

    def theirs(_: int) -> object:
        manager = KernelManager(kernel_name="plain")
        manager.start_kernel(stderr=subprocess.DEVNULL)  # where ipykernel warns of TCP each time
        client = manager.client()
        client.start_channels()
        client.wait_for_ready(timeout=60)
        reply = client.execute("1", reply=True, timeout=60)
        client.stop_channels()
        manager.shutdown_kernel()
        return reply

    yield side_by_side(
        "jupyter.session: start, first reply, end", ours, "KernelManager on a plain kernelspec", theirs, rounds=15, bound=1.2
    )


def main() -> None:
    """Run all of them in a private world and print a line each."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    scratch = Path(tempfile.mkdtemp(prefix="envkit-bench-"))
    os.environ["ENVKIT_HOME"] = str(scratch / "data")
    host = Host.current()
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or "uv"
    python = sys.executable
    try:
        for rows in (
            imports(python),
            finding(python, uv, host),
            generated(scratch),
            creating(uv, host, scratch),
            listing(uv, host),
            registering(python, scratch, host),
            starting(python, scratch, host),
            stores(uv, host, scratch),
            conda(python, uv, host, scratch),
        ):
            for row in rows:
                print(row.line(), flush=True)
    finally:
        shutil.rmtree(scratch)


if __name__ == "__main__":
    main()
