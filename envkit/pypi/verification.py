"""Are the files of the installed packages there? Their RECORDs held against the disk.

`pip check` and `uv pip check` say OK when files or whole RECORDs are gone; an installer killed half-way leaves exactly that.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from ..formats.dist_info import named_directory
from ..formats.record import contained, read_record, slashed
from ..models.environment import Problem
from ..system.sites import site_packages
from .inventory import read_header

if TYPE_CHECKING:
    from ..control import Work
    from ..host import Host
    from ..models.environment import Environment

_HINT = "install the package anew"
_INSTALLERS = frozenset({"pip", "uv"})  # both always write RECORD
_BYTECODE = (".pyc", "/__pycache__")  # virtualenv names the directories, too
_FIRST_LINE = 4096  # bytes; the systems allow less


def problems(env: Environment, host: Host) -> tuple[Problem, ...]:
    """Return a problem for each broken distribution, sorted by name; see `envkit.pypi.broken`."""
    found: list[Problem] = []
    windows = host.platform == "win32"
    prefix = slashed(str(env.prefix), windows=windows)
    for site in site_packages(env, host):
        for directory, name in dist_infos(site):
            root = slashed(site, windows=windows)
            if (what := _what_is_wrong(f"{site}/{directory}", root, prefix, strict=env.kind == "venv")) is not None:
                found.append(Problem(code="package-broken", message=what, hint=_HINT, subject=name))
    return tuple(sorted(found, key=lambda problem: problem.subject))


def alterations(env: Environment, work: Work, names: Collection[str] | None = None) -> tuple[Problem, ...]:
    """Return a problem for each distribution of which a file was altered, sorted by name; of all, or of `names`; see `envkit.pypi.altered`."""
    found: list[Problem] = []
    windows = work.host.platform == "win32"
    prefix = slashed(str(env.prefix), windows=windows)
    for site in site_packages(env, work.host):
        for directory, name in dist_infos(site):
            if names is not None and name not in names:
                continue
            work.check()
            try:
                with open(f"{site}/{directory}/RECORD", "rb") as stream:
                    rows = list(read_record(stream.read().decode("utf-8")))
            except (OSError, ValueError):
                continue  # `problems` tells of it
            root = slashed(site, windows=windows)
            others = [path for path, stated, _ in rows if stated and _is_altered(root, path, stated, prefix, work)]
            if others:
                first = others[0] if len(others) == 1 else f"{others[0]} and {len(others) - 1} more"
                message = f"files have another content than was installed: {first}"
                found.append(Problem(code="package-altered", message=message, hint=_HINT, subject=name, severity="warning"))
    return tuple(sorted(found, key=lambda problem: problem.subject))


def _is_altered(site: str, path: str, stated: str, prefix: str, work: Work) -> bool:
    """Say whether a file's hash differs from what its row says; a file that is gone, or outside, or an unknown hash, tells nothing."""
    import base64  # noqa: PLC0415 - only for deep checks
    import hashlib  # noqa: PLC0415 - as above

    algorithm, _, digest = stated.partition("=")
    whole = contained(site, path, prefix)
    if whole is None or path.endswith(_BYTECODE) or algorithm not in hashlib.algorithms_guaranteed or algorithm.startswith("shake"):
        return False
    work.check()
    try:
        with open(whole, "rb") as stream:
            hashes = [hashlib.file_digest(stream, algorithm).digest()]
        if options := _options(whole):
            with open(whole, "rb") as stream:
                hashes.append(hashlib.new(algorithm, stream.read().replace(options, b"", 1), usedforsecurity=False).digest())
    except (OSError, ValueError):
        return False
    return digest.rstrip("=") not in {base64.urlsafe_b64encode(actual).rstrip(b"=").decode("ascii") for actual in hashes}


def _options(path: str) -> bytes:
    """Return the options that the first line of a launcher gives to its Python: pipx writes ` -E` there once it is installed."""
    try:
        with open(path, "rb") as stream:
            line = stream.read(_FIRST_LINE).partition(b"\n")[0]
    except OSError:
        return b""
    python, dash, rest = line.partition(b" -")
    return dash + rest if python.startswith(b"#!") and dash and b" " not in rest else b""


def dist_infos(site: str) -> Iterator[tuple[str, str]]:
    """Yield the name of each `.dist-info` directory (never a link) and the package's normalized name, sorted."""
    try:
        entries = sorted(os.scandir(site), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if entry.name.endswith(".dist-info") and entry.is_dir(follow_symlinks=False) and (named := named_directory(entry.name)) is not None:
            yield entry.name, named[0]


def _what_is_wrong(directory: str, site: str, prefix: str, *, strict: bool) -> str | None:
    """Return what is wrong with one distribution, None if nothing is.

    Args:
        strict: no RECORD is wrong even if no installer is named: only distributions of Linux leave it out on purpose.
    """
    try:
        read_header(f"{directory}/METADATA")
    except (OSError, ValueError):
        return "its METADATA is missing or cannot be read"
    try:
        with open(f"{directory}/RECORD", "rb") as stream:
            text = stream.read().decode("utf-8")
        rows = list(read_record(text))
    except FileNotFoundError:
        return "its RECORD is missing" if strict or _installer(directory) in _INSTALLERS else None
    except (OSError, ValueError):
        return "its RECORD cannot be read"
    if not rows:
        return "its RECORD is empty"
    return _missing(rows, site, prefix)


def _missing(rows: list[tuple[str, str, int]], site: str, prefix: str) -> str | None:
    """Return what is wrong with the files of a RECORD; bytecode may be missing, for Python writes it anew.

    Rows that lead out of the environment are not looked at.
    """
    gone: list[str] = []
    for path, _, size in rows:
        if path.endswith(_BYTECODE):
            continue
        whole = contained(site, path, prefix)
        if whole is None:
            continue
        try:
            status = os.stat(whole)
        except (OSError, ValueError):
            gone.append(path)
            continue
        if size >= 0 and status.st_size != size and status.st_size - size != len(_options(whole)):
            gone.append(path)
    if not gone:
        return None
    first = f"{gone[0]}" if len(gone) == 1 else f"{gone[0]} and {len(gone) - 1} more"
    return f"files are missing or have another size: {first}"


def _installer(directory: str) -> str | None:
    try:
        with open(f"{directory}/INSTALLER", encoding="utf-8", errors="replace") as stream:
            return stream.read(100).strip()
    except OSError:
        return None
