"""What reading a file gathers before it is a spec: requirements in canonical form, hashes, constraints, sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement

from .. import environments
from ..discovery import requests
from ..errors import CorruptError, NotFoundError, UsageError
from ..formats import pylock
from ..formats.dist_info import normalized
from ..models.mapping import EMPTY
from ..models.packages import Package
from ..models.specs import Lock, Project, Sources, Spec
from ..pypi import locks
from ..system.look import Look

if TYPE_CHECKING:
    from ..control import Work
    from ..host import Host


@dataclass(slots=True)
class Gathered:
    """What was read so far. `hashes` are by package; `backend` is "conda" for files of conda's; `whole` is a spec that a file holds as it is; `notes` say what was left out."""

    pypi: list[str | Project] = field(default_factory=list[str | Project])
    constraints: list[str] = field(default_factory=list[str])
    hashes: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    needs_hashes: bool = False
    python: str | None = None
    indexes: list[str] = field(default_factory=list[str])
    find_links: list[str] = field(default_factory=list[str])
    prereleases: bool = False
    conda: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    variables: Mapping[str, str] = EMPTY
    name: str | None = None
    prefix: Path | None = None
    backend: str = "auto"
    lock: Lock | None = None
    whole: Spec | None = None
    files: list[Path] = field(default_factory=list[Path])
    notes: list[str] = field(default_factory=list[str])

    @property
    def sources(self) -> Sources:
        """Where the packages come from, as the files say."""
        return Sources(indexes=tuple(self.indexes), find_links=tuple(self.find_links), prereleases=self.prereleases)


def read_text(path: Path, limit: int, host: Host, gathered: Gathered) -> str:
    """Return the text of a file in UTF-8 and note that it was read.

    Raises:
        NotFoundError: it is not there. CorruptError: it is no text, or larger than any such file.
    """
    data = read_data(path, limit, host, gathered)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise unreadable(path, "it is no text in UTF-8") from error


def read_data(path: Path, limit: int, host: Host, gathered: Gathered) -> bytes:
    """Return the bytes of a file and note that it was read; see `read_text`."""
    data = Look(host).data(str(path), limit + 1)
    if data is None:
        raise NotFoundError(f"{path} is no file that can be read", code="path-not-found", hint="check the path")
    if len(data) > limit:
        raise unreadable(path, f"it is larger than {limit} bytes")
    gathered.files.append(path)
    return data


def unreadable(path: Path, why: str) -> CorruptError:
    """Return the error for a file that does not say what it should."""
    return CorruptError(f"{path} cannot be read: {why}", code="spec-file", path=path, hint="mend the file")


def python_request(text: str, path: Path) -> str:
    """Return a range or version of Python as a request.

    Raises:
        UsageError: it is none.
    """
    if requests.parse(text) is None:
        raise UsageError(
            f"{path} asks for Python {text!r}, which is no request", code="request", hint='write it as ">=3.11,<3.14" or "3.12"'
        )
    return text


def lock_of(text: str) -> Lock:
    """Return the lock of a pylock.toml.

    Raises:
        ValueError: it cannot be read.
    """
    said = pylock.load(text)
    packages = {(package.name, package.version or "") for package in said.packages}
    return Lock(
        format="pylock.toml",
        text=text,
        packages=tuple(Package(name=name, version=version, ecosystem="pypi") for name, version in sorted(packages)),
    )


def finished(gathered: Gathered, work: Work) -> Spec:
    """Return the spec of what was gathered; where hashes were, with the lock that they make.

    Raises:
        UsageError: some have hashes and some have none, or are not pinned. Others as `locks.resolve_lock`.
    """
    lock = gathered.lock
    if gathered.hashes or gathered.needs_hashes:
        lock = _hashed_lock(gathered, work)
    return Spec(
        name=gathered.name,
        prefix=gathered.prefix,
        backend=gathered.backend,
        python=gathered.python,
        pypi=tuple(dict.fromkeys(gathered.pypi)),
        conda=gathered.conda,
        channels=gathered.channels,
        constraints=tuple(dict.fromkeys(gathered.constraints)),
        lock=lock,
        sources=gathered.sources,
        variables=gathered.variables,
    )


def _hashed_lock(gathered: Gathered, work: Work) -> Lock:
    """Return the lock of requirements that are pinned with hashes: exactly these, and only files with such a hash."""
    for requirement in gathered.pypi:
        if isinstance(requirement, Project) or not _is_pinned(requirement) or _name(requirement) not in gathered.hashes:
            raise UsageError(
                f"{requirement} is not pinned with hashes, as others are",
                code="hashes",
                hint="where one requirement has a hash all must be written as name==version --hash=sha256:...",
            )
    base = environments.base_for(gathered.python, work)
    text = locks.resolve_lock(base, gathered.pypi, constraints=(), sources=gathered.sources, dependencies=False, work=work)
    allowed = {name: frozenset(hashes) for name, hashes in gathered.hashes.items()}
    try:
        text = pylock.restricted(text, allowed)
    except ValueError as error:
        from ..errors import InstallError  # noqa: PLC0415 - only where the hashes fit nothing

        raise InstallError(str(error), code="hash-mismatch", hint="the index has other files than those that were pinned") from error
    inputs = pylock.Inputs(requirements=tuple(map(str, gathered.pypi)), indexes=tuple(gathered.indexes))
    return lock_of(pylock.with_inputs(text, inputs, keep_python=False))


def _is_pinned(text: str) -> bool:
    requirement = Requirement(text)
    return requirement.url is not None or any(
        clause.operator in {"==", "==="} and "*" not in clause.version for clause in requirement.specifier
    )


def _name(text: str) -> str:
    try:
        return normalized(Requirement(text).name)
    except InvalidRequirement:
        return text


def placed(spec: Spec, name: str | None, prefix: Path | None) -> Spec:
    """Return the spec with the name or the place that the caller gave, which count more than a name in the file."""
    if name is None and prefix is None:
        return spec
    return replace(spec, name=name, prefix=prefix)
