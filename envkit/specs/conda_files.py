"""What conda's files ask for: environment.yml, explicit files, lists of `conda list --export`, conda-lock.yml and pixi.lock."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..conda import locks
from ..conda.channels import is_path
from ..conda.platforms import subdir_of
from ..discovery import requests
from ..errors import RefusedError, UsageError
from ..formats import conda_lock, environment_yml, explicit_txt, pixi_lock
from ..formats.conda_locked import LIMIT, CondaLock, LockedDistribution
from ..formats.conda_url import file_url, has_scheme, shown
from ..formats.explicit_txt import PackageUrl
from ..formats.names import is_name
from ..formats.variables import expanded
from ..match_specs import CONDA
from ..models.specs import Project
from ..system.look import Look
from ..system.secrets import credentials_in
from . import requirements
from .gathering import Gathered, read_text, unreadable
from .requirements import canonical, gather_texts

if TYPE_CHECKING:
    from ..control import Work

_EXTRAS: Final = re.compile(r"(?P<name>[\w.:/-]+)(?P<extras>\[[\w ,.-]*\])")
_HEAD: Final = 1024 * 1024  # bytes of a text file in which its kind shows
_PYPI: Final = frozenset({"https://pypi.org/simple", "https://pypi.org/simple/"})
_SYSTEM: Final = frozenset({"bin", "boot", "dev", "etc", "lib", "lib64", "proc", "root", "run", "sbin", "sys", "usr", "var", "Windows"})


def gather_environment_yml(path: Path, gathered: Gathered, work: Work) -> None:
    """Add what an environment.yml asks for; its match specs are kept as they are written.

    Raises:
        CorruptError: it cannot be read, or has a section that no tool here knows. UsageError: its prefix is not allowed.

    Source: CEP 24.
    """
    host = work.host
    platform = subdir_of(host)
    try:
        said = environment_yml.load(read_text(path, environment_yml.LIMIT, host, gathered), platform)
    except ValueError as error:
        raise unreadable(path, str(error)) from error
    gathered.backend = CONDA
    gathered.conda, gathered.variables = tuple(_without_extras(text, gathered) for text in said.conda), said.variables
    gathered.channels = tuple(_channel(text, work) for text in said.channels)
    _place(said, path, gathered, work)
    gathered.notes += [f"{key} is left out: it means nothing here" for key in said.ignored]
    if said.platforms and platform not in said.platforms:
        gathered.notes.append(f"it is for {', '.join(said.platforms)}, and this machine is {platform}")
    gather_texts(said.pip, path, gathered, work)


def _without_extras(text: str, gathered: Gathered) -> str:
    """Return a match spec without extras, which conda's packages do not have; conda passes over them, and files of projects have some."""
    match = _EXTRAS.match(text)
    if match is None:
        return text
    gathered.notes.append(f"{match['extras']} of {text!r} is left out: conda's packages have no extras")
    return match["name"] + text[match.end() :]


def _channel(text: str, work: Work) -> str:
    """Return a channel as a spec holds it: a path is absolute; a variable stays one, as it may be a secret."""
    return str(work.host.path(text)) if is_path(text) and "$" not in text else text


def _place(said: environment_yml.EnvironmentYml, path: Path, gathered: Gathered, work: Work) -> None:
    """Take the name, or where there is none the prefix that the file prefers; what the caller says counts more than both."""
    if said.name is not None and said.name in environment_yml.RESERVED:
        gathered.notes.append(f"the name {said.name!r} is left out: it is that of conda's own installation")
    elif said.name is not None:
        gathered.name = said.name if is_name(said.name) and requests.parse(said.name) is None else None
    elif said.prefix is not None:
        text = expanded(said.prefix, work.host.environ, home=str(work.host.home), windows=work.host.platform == "win32")
        gathered.prefix = _checked_prefix(
            Path(os.path.normpath(path.parent / work.host.path(text) if os.path.isabs(text) else path.parent / text)), path
        )


def _checked_prefix(prefix: Path, path: Path) -> Path:
    try:
        environment_yml.check_name(prefix.name)
    except ValueError as error:
        raise unreadable(path, f"its prefix cannot be one: {error}") from error
    top = prefix.parts[1] if len(prefix.parts) > 1 else ""
    if not top or (top in _SYSTEM and len(prefix.parts) < (4 if top == "usr" else 3)):
        raise UsageError(f"{path} names the prefix {prefix}, which belongs to the system", code="prefix", hint="give prefix= or name=")
    return prefix


def gather_text_file(path: Path, gathered: Gathered, work: Work) -> None:
    """Add what a text file asks for: one of conda's tells by a line of its own, any other is a requirements file.

    Raises:
        As `gather_explicit` and `requirements.gather_file`.
    """
    head = (Look(work.host).data(str(path), _HEAD) or b"").decode("utf-8", "replace")
    if explicit_txt.is_explicit(head):
        gather_explicit(path, gathered, work)
    elif explicit_txt.is_list(head):
        gathered.backend = CONDA
        gathered.conda = explicit_txt.match_specs(read_text(path, explicit_txt.LIMIT, work.host, gathered))
    else:
        requirements.gather_file(path, gathered, work)


def gather_explicit(path: Path, gathered: Gathered, work: Work) -> None:
    """Take the package files that an explicit file names as a lock; relative paths are taken from the working directory.

    Raises:
        CorruptError: it cannot be read.

    Source: CEP 23.
    """
    host = work.host
    text = read_text(path, explicit_txt.LIMIT, host, gathered)
    try:
        said = explicit_txt.load(text, host.environ, home=str(host.home), windows=host.platform == "win32")
    except ValueError as error:
        raise unreadable(path, str(error)) from error
    packages = [
        PackageUrl(
            url=shown(one.url) if has_scheme(one.url) else file_url(str(host.path(one.url))),
            md5=one.md5,
            sha256=one.sha256,
        )
        for one in said.packages
    ]
    if any(shown(one.url) != one.url for one in said.packages):
        gathered.notes.append("credentials in its URLs are left out: keep them in netrc, a keyring, or ~/.rattler/credentials.json")
    gathered.backend = CONDA
    gathered.lock = locks.explicit_lock(packages, said.platform)


def gather_conda_lock(path: Path, gathered: Gathered, work: Work, *, groups: tuple[str, ...] = ()) -> None:
    """Take what a conda-lock.yml locks; `groups` are categories beside "main".

    Raises:
        CorruptError: it cannot be read. UsageError: it has no such category. RefusedError: it is not for this platform.

    Source: CEP 37.
    """
    text = read_text(path, LIMIT, work.host, gathered)
    try:
        said = conda_lock.load(text, groups)
    except LookupError as error:
        raise UsageError(f"{path}: {error.args[0]}", code="group", hint="name categories that it has") from error
    except ValueError as error:
        raise unreadable(path, str(error)) from error
    _take(said, path, gathered, work)


def gather_pixi_lock(path: Path, gathered: Gathered, work: Work, *, groups: tuple[str, ...] = ()) -> None:
    """Take what a pixi.lock locks of one environment: "default", or the one that `groups` names.

    Raises:
        CorruptError: it cannot be read. UsageError: it has no such environment, or several are named.
        RefusedError: it is not for this platform, or a package of it must be built from source.
    """
    if len(groups) > 1:
        raise UsageError(f"{path} holds environments, and one is made of it", code="group", hint="name one environment in groups=")
    text = read_text(path, LIMIT, work.host, gathered)
    try:
        said = pixi_lock.load(text, groups[0] if groups else None)
    except LookupError as error:
        raise UsageError(f"{path}: {error.args[0]}", code="group", hint="name one of its environments in groups=") from error
    except ValueError as error:
        raise unreadable(path, str(error)) from error
    _take(said, path, gathered, work)


def _take(said: CondaLock, path: Path, gathered: Gathered, work: Work) -> None:
    """Take the lock: conda's packages of all platforms, and PyPI's distributions for this machine as requirements with hashes."""
    platform = subdir_of(work.host)
    if platform not in said.platforms:
        why = said.refused.get(platform) or f"it is for {', '.join(said.platforms) or 'no platform'}, and this machine is {platform}"
        raise RefusedError(f"{path}: {why}", code="lock-mismatch", hint=f"make a lock for {platform}")
    gathered.backend = CONDA
    gathered.lock = locks.lock_of(said, work.host)
    gathered.pypi += [_requirement(found, path, work) for found in said.distributions.get(platform, ())]
    gathered.indexes += [index for index in said.indexes if index not in _PYPI and not credentials_in(index)]


def _requirement(found: LockedDistribution, path: Path, work: Work) -> str | Project:
    if not has_scheme(found.url) and "://" not in found.url:
        return Project(path=Path(os.path.normpath(path.parent / found.url)), editable=found.editable)
    fragment = f"#sha256={found.sha256}" if found.sha256 else ""
    return canonical(f"{found.name} @ {shown(found.url).partition('#')[0]}{fragment}", path.parent, work)
