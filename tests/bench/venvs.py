"""Virtual environments with pip, and what is known of many packages and many environments."""

from __future__ import annotations

import importlib.metadata
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from measure import Alone, Row, alone, side_by_side

import envkit
from envkit import Environment, Host, Spec
from envkit.system import remembering

_PACKAGES = 300
_ENVIRONMENTS = 100


def seeded(uv: str, host: Host, scratch: Path, base: Environment) -> Iterator[Row]:
    """create with pip in it, in process, beside virtualenv with copies and warm app-data, and the standard library's venv."""
    import virtualenv

    def ours(number: int) -> None:
        envkit.create(Spec(prefix=scratch / f"seeded{number}", python=str(base.python), seed="pip"), host=host)

    def others(number: int) -> None:
        data = ["--app-data", str(scratch / "app-data")]
        virtualenv.cli_run([str(scratch / f"copied{number}"), "--copies", "--no-periodic-update", *data, "-p", str(base.python)])

    def standard(number: int) -> None:
        subprocess.run([str(base.python), "-m", "venv", str(scratch / f"standard{number}")], check=True, capture_output=True)

    ours(-2)
    ours(-1)  # what is asked for a second time fills the store
    yield side_by_side("create with pip, in process", ours, "virtualenv, copies, warm app-data", others, rounds=7, bound=0.25)
    yield side_by_side("create with pip, in process", lambda number: ours(number + 100), "python -m venv", standard, rounds=3, bound=0.04)


def listings(host: Host, scratch: Path) -> Iterator[Row | Alone]:
    """installed of 300 packages; health and package counts of 100 environments."""
    prefix = envkit.create(scratch / "many", python=sys.executable, host=host).prefix
    site = next(prefix.glob("lib/python*/site-packages"))
    _fill(site)

    def metadata(_: int) -> object:
        return [
            (found.metadata["Name"], found.version, found.requires, found.read_text("INSTALLER"), found.read_text("direct_url.json"))
            for found in importlib.metadata.distributions(path=[str(site)])
        ]

    def installed(_: int) -> object:
        remembering.forget()
        return envkit.installed(prefix, host=host)

    yield side_by_side(
        f"installed, {_PACKAGES} packages, in process",
        installed,
        "importlib.metadata, the same facts",
        metadata,
        rounds=7,
        bound=0.1,
    )
    environments = list(_environments(scratch / "hundred", host))

    def health() -> object:
        return [(found.problem, len(envkit.installed(found, host=host))) for found in environments]

    def anew() -> object:
        remembering.forget()
        return health()

    yield alone("health and package counts, 100 environments, anew", anew, bound=25, rounds=7)
    time.sleep(0.2)  # what changed just now is not kept
    yield alone("health and package counts, 100 environments", health, bound=25, rounds=7)


def _fill(site: Path) -> None:
    """Put descriptions of 300 packages there: those of this Python's packages under other names, again and again."""
    own = min(Path(path) for path in sys.path if path.endswith("site-packages"))
    infos = [info for info in sorted(own.glob("*.dist-info")) if (info / "METADATA").is_file()]
    for number in range(_PACKAGES):
        info = infos[number % len(infos)]
        place = site / f"package{number}-1.0.dist-info"
        place.mkdir()
        for name in ("INSTALLER", "RECORD", "REQUESTED", "WHEEL", "direct_url.json"):
            if (info / name).is_file():
                shutil.copy(info / name, place / name)
        text = (info / "METADATA").read_text("utf-8", "replace")
        (place / "METADATA").write_text(text.replace("\nName: ", f"\nName: package{number}-", 1), "utf-8")


def _environments(directory: Path, host: Host) -> Iterator[Environment]:
    """Make a hundred environments with three small packages each."""
    for number in range(_ENVIRONMENTS):
        made = envkit.create(directory / str(number), python=sys.executable, host=host)
        site = next(made.prefix.glob("lib/python*/site-packages"))
        for name in ("one", "two", "three"):
            (site / f"{name}-1.0.dist-info").mkdir()
            (site / f"{name}-1.0.dist-info" / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n\n")
            (site / f"{name}-1.0.dist-info" / "INSTALLER").write_text("pip\n")
        yield envkit.resolve(made.prefix, host=host)
