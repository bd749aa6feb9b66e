"""What the store, overlays and clones are worth: each beside what uv and a copy take, until a kernel's module has been imported."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from measure import Alone, Row, side_by_side
from venvs import listings, seeded

import envkit
from envkit import Environment, Host, Spec

_CODE = "import ipykernel.kernelapp"
_PACKAGES = ("ipykernel",)


class _Peer:
    """uv, warm: an environment with ipykernel, made and perhaps used."""

    def __init__(self, uv: str, python: str, scratch: Path) -> None:
        self.uv, self.python, self.scratch = uv, python, scratch
        self.environ = {name: value for name, value in os.environ.items() if name not in {"PYTHONDONTWRITEBYTECODE", "UV_COMPILE_BYTECODE"}}
        self.made = 0

    def run(self, *argv: object) -> None:
        subprocess.run([str(part) for part in argv], check=True, capture_output=True, env=self.environ)

    def make(self, *, offline: bool = True) -> Path:
        self.made += 1
        place = self.scratch / f"stores-uv{self.made}"
        self.run(self.uv, "venv", "--python", self.python, "--offline", place)
        self.run(self.uv, "pip", "install", *(["--offline"] if offline else []), "--python", place / "bin" / "python", *_PACKAGES)
        return place

    def use(self, prefix: Path) -> None:
        self.run(prefix / "bin" / "python", "-c", _CODE)


def stores(uv: str, host: Host, scratch: Path) -> Iterator[Row | Alone]:
    """temporary, ensure again, kernel-ready environments with a filled and an empty store, clone; then the rows of `venvs`."""
    base = envkit.resolve(Path(os.path.realpath(envkit.resolve("3", host=host).prefix)), host=host)
    peer = _Peer(uv, str(base.python), scratch)
    peer.use(peer.make(offline=False))  # its cache is warm from here on
    spec = Spec(python=str(base.python), pypi=_PACKAGES)
    ready = envkit.ensure(spec, host=host)
    peer.use(ready.prefix)
    yield from _temporary(peer, spec, host)
    yield side_by_side(
        "ensure again, content-addressed",
        lambda _: envkit.ensure(spec, host=host),
        "uv venv + uv pip install --offline",
        lambda _: peer.make(),
        rounds=7,
        bound=0.02,
    )
    yield from _kernel_ready(peer, base, host, scratch)
    yield side_by_side(
        "clone",
        lambda number: envkit.clone(ready.prefix, scratch / f"clone{number}", host=host),
        "copying the tree",
        lambda number: shutil.copytree(ready.prefix, scratch / f"copy{number}", symlinks=True),
        rounds=7,
        bound=0.15,
        before=os.sync,
    )
    yield from seeded(uv, host, scratch, base)
    yield from listings(host, scratch)


def _temporary(peer: _Peer, spec: Spec, host: Host) -> Iterator[Row]:
    opened: list[envkit.Scope[Environment]] = []

    def enter(_: int) -> Environment:
        opened.append(envkit.temporary(spec, host=host))
        return opened[-1].__enter__()

    def used(make: Callable[[int], Path]) -> Callable[[int], object]:
        return lambda number: peer.use(make(number))

    try:
        yield side_by_side("temporary, made", enter, "uv venv + uv pip install --offline", lambda _: peer.make(), rounds=9, bound=0.03)
        yield side_by_side(
            "temporary, until imported",
            used(lambda number: enter(number).prefix),
            "the same, until imported",
            used(lambda _: peer.make()),
            rounds=7,
            bound=0.35,
        )
    finally:
        for scope in opened:
            scope.__exit__(None, None, None)


def _kernel_ready(peer: _Peer, base: Environment, host: Host, scratch: Path) -> Iterator[Row]:
    def make(number: int, place: str, world: Host) -> None:
        peer.use(envkit.create(scratch / f"{place}{number}", python=base, pypi=_PACKAGES, offline=True, host=world).prefix)

    make(-2, "filled", host)
    make(-1, "filled", host)  # what is asked for a second time fills the store
    yield side_by_side(
        "kernel-ready, store filled, until imported",
        lambda number: make(number, "filled", host),
        "uv venv + uv pip install --offline",
        lambda _: peer.use(peer.make()),
        rounds=7,
        bound=0.8,
    )
    yield side_by_side(
        "kernel-ready, store empty, until imported",
        lambda number: make(number, "empty", replace(host, data=scratch / f"data{number}")),
        "uv venv + uv pip install --offline",
        lambda _: peer.use(peer.make()),
        rounds=7,
        bound=1.1,
    )
