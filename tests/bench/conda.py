"""conda environments: each thing beside a fresh Python that uses py-rattler alone, and beside a conda of the machine where there is one.

Packages come from the tests' own channel, on this machine, so nothing here says how long a solve of conda-forge takes.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from measure import Alone, Row, alone, median, side_by_side

import envkit
from envkit import Environment, Host
from envkit.discovery import again

sys.path.insert(0, str(Path(__file__).parents[1]))

_PEER = """
import asyncio, os, sys
from pathlib import Path
from rattler import Channel, VirtualPackage, VirtualPackageOverrides, install, solve
async def make(url, prefix, cache, specs):
    there = VirtualPackage.detect(VirtualPackageOverrides.from_env())
    records = await solve([Channel(url)], specs, virtual_packages=there)
    await install(records, target_prefix=prefix, cache_dir=Path(cache), show_progress=False)
asyncio.run(make(*sys.argv[1:4], sys.argv[4:]))
os._exit(0)  # without it py-rattler ends one process of ten with a signal
"""
_SMALL = ("python", "pip")
_KERNEL = ("python", "pip", "ipykernel")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A line that is no measurement."""

    text: str

    def line(self) -> str:
        """Return it."""
        return self.text


def conda(python: str, uv: str, host: Host, scratch: Path) -> Iterator[Row | Alone | Said]:
    """create, a kernel's first reply, installed, find, run; what is needed and not here is said instead."""
    if importlib.util.find_spec("rattler") is None or sys.platform != "linux":
        yield Said(text="conda: not measured, for py-rattler is not installed, or no Python can be repacked here")
        return
    from support import conda_channel

    url = conda_channel.full(uv).url
    tool = _conda()
    host = replace(host, environ={**host.environ, "CONDA_PKGS_DIRS": str(scratch / "pkgs")})
    yield from _creating(python, url, host, scratch)
    env = envkit.create(scratch / "kernel", conda=_KERNEL, channels=[url], host=host)
    yield from _replying(url, host, scratch, tool)
    yield from _reading(env, host, scratch, tool)
    yield from _running(env, host, tool)
    if tool is None:
        yield Said(text="conda: none is on this machine, so its own create, list, env list and run are not beside these figures")


def _conda() -> str | None:
    """Return the conda of this machine; a shim of a version manager that leads to none is none."""
    found = shutil.which("conda")
    works = found is not None and subprocess.run([found, "--version"], capture_output=True).returncode == 0
    return found if works else None


def _quiet(*argv: object) -> Callable[[int], object]:
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

    def call(number: int) -> object:
        return subprocess.run([str(part).replace("{n}", str(number)) for part in argv], check=True, capture_output=True, env=variables)

    return call


def _creating(python: str, url: str, host: Host, scratch: Path) -> Iterator[Row]:
    yield side_by_side(
        "conda: create python pip, warm",
        lambda number: envkit.create(scratch / f"small{number}", conda=_SMALL, channels=[url], host=host),
        "a fresh Python that does it with py-rattler",
        _quiet(python, "-c", _PEER, url, scratch / "peer{n}", scratch / "peerpkgs", *_SMALL),
        rounds=9,
        bound=1.15,
    )


def _replying(url: str, host: Host, scratch: Path, tool: str | None) -> Iterator[Row | Alone]:
    """From nothing to the first reply of a kernel, packages in the cache."""
    numbers = iter(range(1000))

    def ours() -> object:
        env = envkit.create(scratch / f"replying{next(numbers)}", conda=_KERNEL, channels=[url], host=host)
        with envkit.jupyter.session(env, host=host) as session:
            return session.run("1")

    def theirs(number: int) -> object:
        prefix = scratch / f"condas{number}"
        specs = ["--override-channels", "-c", url, *_KERNEL]
        subprocess.run([str(tool), "create", "-q", "-y", "-p", str(prefix), *specs], check=True, capture_output=True)
        with envkit.jupyter.session(prefix, host=host) as session:
            return session.run("1")

    if tool is None:
        yield Alone(what="conda: create ipykernel, first reply, warm", ours=median(ours, rounds=3) / 1000, bound=15, unit="s")
    else:
        yield side_by_side(
            "conda: create ipykernel, first reply, warm", lambda _: ours(), "conda create, first reply", theirs, rounds=3, bound=0.4
        )


def _reading(env: Environment, host: Host, scratch: Path, tool: str | None) -> Iterator[Row | Alone]:
    """installed, and 100 environments: beside conda, else beside a bare reading of the same files as JSON."""
    count = len(envkit.installed(env, host=host))
    what = f"conda: installed, {count} packages, in process"
    records = list((env.prefix / "conda-meta").glob("*.json"))
    yield side_by_side(
        what,
        lambda _: envkit.installed(env, host=host),
        "their records read as JSON, nothing else",
        lambda _: [json.loads(path.read_bytes()) for path in records],
        rounds=15,
    )
    many = _many(env, scratch / "many", host)

    def found() -> None:
        again.forget()
        list(envkit.find(host=many))

    first = median(found)
    yield Alone(what="conda: find, 100 environments, anew", ours=first, bound=None)
    time.sleep(0.2)  # what changed just now is not kept
    if tool is None:  # conda 26.7 took 859 and 601 ms for the two, where it was there: 0.03 and 0.02 of that
        yield alone(what, lambda: envkit.installed(env, host=host), bound=26)
        yield alone("conda: find, 100 environments, again", lambda: list(envkit.find(host=many)), bound=12)
        return
    listing = _quiet(tool, "list", "--json", "-p", env.prefix)
    yield side_by_side(what, lambda _: envkit.installed(env, host=host), "conda list --json", listing, bound=0.03)
    theirs = {**os.environ, "HOME": str(many.home), "CONDA_ENVS_DIRS": str(many.environ["CONDA_ENVS_DIRS"])}

    def listed(_: int) -> object:
        return subprocess.run([tool, "env", "list", "--json"], check=True, capture_output=True, env=theirs)

    yield side_by_side(
        "conda: find, 100 environments, again", lambda _: list(envkit.find(host=many)), "conda env list --json", listed, bound=0.02
    )


def _many(env: Environment, place: Path, host: Host) -> Host:
    """Return a world with 100 environments as another one, but for the files of their packages."""
    for number in range(100):
        prefix = place / "envs" / f"env{number:03}"
        (prefix / "bin").mkdir(parents=True)
        shutil.copytree(env.prefix / "conda-meta", prefix / "conda-meta", copy_function=os.link)
        for name in ("python", "python3"):
            os.symlink(os.readlink(env.prefix / "bin" / name), prefix / "bin" / name)
        os.link((env.prefix / "bin" / "python").resolve(), prefix / "bin" / (env.prefix / "bin" / "python").resolve().name)
    environ = {"HOME": str(place), "PATH": "/nowhere", "CONDA_ENVS_DIRS": str(place / "envs")}
    return replace(host, root=Path("/"), environ=environ, home=place, cwd=place, data=place / "data")


def _running(env: Environment, host: Host, tool: str | None) -> Iterator[Row | Alone]:
    """run: what it takes over the program itself."""
    program = _quiet(env.python, "-c", "pass")
    both = side_by_side(
        "conda: run, in process", lambda _: envkit.run(env, ["python", "-c", "pass"], host=host), "the program itself", program, rounds=21
    )
    yield both
    yield Alone(what="conda: run, over the program itself", ours=both.ours - both.theirs, bound=10)
    if tool is not None:
        yield side_by_side(
            "conda: run, in process",
            lambda _: envkit.run(env, ["python", "-c", "pass"], host=host),
            "conda run",
            _quiet(tool, "run", "-p", env.prefix, "python", "-c", "pass"),
            rounds=5,
        )
