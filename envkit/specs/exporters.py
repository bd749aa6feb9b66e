"""uv.lock and poetry.lock, which only their own tools can read: each tool is run to export what it locked.

Neither export resolves or builds anything: what is there is written down in a format that others read.

Source: uv's documentation, `uv export`; poetry-plugin-export.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..errors import CorruptError, MachineError, NotFoundError, UsageError
from ..formats import pyproject
from ..pypi.environ import neutral
from ..pypi.installers import find_uv
from ..system.look import Look
from ..system.process import run_process
from ..system.secrets import masker
from .gathering import Gathered, lock_of, python_request
from .requirements import gather_texts

if TYPE_CHECKING:
    from ..control import Work

_SECONDS: Final = 120.0  # that an export may take at most; nothing is downloaded for it


def gather_uv_lock(path: Path, gathered: Gathered, work: Work, *, extras: Sequence[str], groups: Sequence[str]) -> None:
    """Take what `uv.lock` locks, without the project itself, as a pylock.toml.

    Raises:
        NotFoundError: there is no uv. UsageError: there is no such extra or group. CorruptError: uv cannot read the lock.
    """
    uv = find_uv(work.host)
    if uv is None:
        raise NotFoundError(
            f"{path} can be read by uv alone, and there is none", code="tool-not-found", hint="install uv, or the extra 'uv'"
        )
    options = [f"--extra={extra}" for extra in extras] + [f"--group={group}" for group in groups]
    argv = [uv, "export", "--frozen", "--format=pylock.toml", "--no-emit-project", "--no-default-groups", "--no-header", "--no-progress"]
    said = _said([*argv, "--color=never", "--quiet", "--no-python-downloads", *options], path, work)
    gathered.files.append(path)
    try:
        gathered.lock = lock_of(said)
    except ValueError as error:
        raise CorruptError(
            f"what uv exported of {path} cannot be read: {error}", code="spec-file", path=path, hint="use another uv"
        ) from error


def gather_poetry_lock(path: Path, gathered: Gathered, work: Work, *, extras: Sequence[str], groups: Sequence[str]) -> None:
    """Take what `poetry.lock` locks, without the project itself, with hashes.

    Raises:
        NotFoundError: there is no Poetry, or its plug-in is missing. CorruptError: Poetry cannot read the lock.
    """
    poetry = _on_path("poetry", work)
    if poetry is None:
        raise NotFoundError(
            f"{path} can be read by Poetry alone, and there is none on PATH",
            code="tool-not-found",
            hint="install poetry and poetry-plugin-export, for example by pipx",
        )
    options = [f"--extras={extra}" for extra in extras] + [f"--with={group}" for group in groups]
    said = _said([poetry, "export", "--format=requirements.txt", "--no-interaction", "--no-ansi", *options], path, work)
    gathered.files.append(path)
    gathered.locked = True
    gather_texts(said.splitlines(), path, gathered, work)
    gathered.python = _requires_python(path.with_name(pyproject.NAME), work)


def _requires_python(path: Path, work: Work) -> str | None:
    """Return the range of Pythons of the project that a lock is of, where its file says one as every tool reads it."""
    try:
        said = pyproject.load(Look(work.host).text(str(path), pyproject.LIMIT) or "").requires_python
    except ValueError:
        return None  # Poetry has read it all the same
    return None if said is None else python_request(said, path)


def _on_path(name: str, work: Work) -> str | None:
    directories = [part for part in work.host.environ.get("PATH", "").split(os.pathsep) if os.path.isabs(part)]
    return shutil.which(name, path=os.pathsep.join(directories))


def _said(argv: Sequence[str], path: Path, work: Work) -> str:
    """Run an exporter in the lock's directory and return what it wrote."""
    tool = os.path.basename(argv[0])
    mask = masker(work.host.environ)
    with work.task("resolve", f"{tool} exports {path.name}"):
        done = run_process(argv, work=work, environ=neutral(work.host.environ), cwd=path.parent, seconds=_SECONDS, kept=None)
    if done.returncode == 0:
        return done.stdout
    said = mask(" ".join((done.stderr or done.stdout).split()))[-600:]
    if re.search(r"(?i)command \"?export\"? (does not exist|is not defined)|requested command export", said):
        raise NotFoundError(
            f"Poetry cannot export {path}: its plug-in is missing", code="tool-not-found", hint="install poetry-plugin-export beside Poetry"
        )
    if re.search(r"(?i)(extra|group)\W.*(not (defined|found|specified)|does not exist)|not defined in", said):
        raise UsageError(f"{tool} cannot export {path}: {said}", code="group", hint="name extras and groups that the project has")
    if done.returncode < 0:
        raise MachineError(f"{tool} was killed while it exported {path}", code="cannot-run", hint="call again")
    raise CorruptError(f"{tool} cannot export {path}: {said}", code="spec-file", path=path, hint=f"try `{tool} lock` in its directory")
