"""lock and export: what a spec resolves to, exactly and with hashes, and what an environment holds, in formats that others read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence, Set as AbstractSet
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from . import plugins, records
from .control import Control, Work, takes_control
from .environments import base_for, is_path, resolved
from .errors import InstallError, NotFoundError, RefusedError, UsageError
from .formats import pylock
from .models.plans import Lock, Package, Project, Spec
from .system import files

if TYPE_CHECKING:
    from typing import Unpack

    from .formats.ready_record import Record
    from .host import Host
    from .models.aliases import Env
    from .models.environment import Environment
    from .system.locks import Held

Format = Literal["requirements.txt", "pylock.toml", "environment.yml", "explicit.txt", "spec.json"]

LOCK_NAME: Final = "pylock.toml"  # kept among the marks of an environment that was made from a lock
_LIMIT: Final = pylock.LIMIT
# platform -> the marker of it, and how the platform tags of wheels for it begin and end
_X86, _ARM = "platform_machine == 'x86_64'", "platform_machine == 'aarch64'"
_LINUX, _MAC, _WINDOWS = "sys_platform == 'linux'", "sys_platform == 'darwin'", "sys_platform == 'win32'"
PLATFORMS: Final[dict[str, tuple[str, str]]] = {
    "linux-64": (f"{_LINUX} and {_X86}", r"(manylinux|musllinux|linux)\w*_x86_64"),
    "linux-aarch64": (f"{_LINUX} and {_ARM}", r"(manylinux|musllinux|linux)\w*_aarch64"),
    "osx-64": (f"{_MAC} and {_X86}", r"macosx_\w+_(x86_64|universal2|intel)"),
    "osx-arm64": (f"{_MAC} and platform_machine == 'arm64'", r"macosx_\w+_(arm64|universal2)"),
    "win-64": (f"{_WINDOWS} and platform_machine == 'AMD64'", r"win_amd64"),
    "win-arm64": (f"{_WINDOWS} and platform_machine == 'ARM64'", r"win_arm64"),
}
"""The platforms that a lock can be for, by conda's names: the marker of each, and the pattern of its wheels' platform tags."""

_ALIASES: Final = {
    **{"linux": "linux-64", "x86_64-unknown-linux-gnu": "linux-64", "aarch64-unknown-linux-gnu": "linux-aarch64"},
    **{"macos": "osx-arm64", "darwin": "osx-arm64", "aarch64-apple-darwin": "osx-arm64", "x86_64-apple-darwin": "osx-64"},
    **{"windows": "win-64", "win32": "win-64", "x86_64-pc-windows-msvc": "win-64", "aarch64-pc-windows-msvc": "win-arm64"},
}


@takes_control
def lock(spec: Spec, *, platforms: Iterable[str] = (), **control: Unpack[Control]) -> Lock:
    """Resolve what a spec asks for and return it as a pylock.toml, with the hashes of every file that may be installed.

    Args:
        spec: its `pypi`, `constraints`, `python` and `sources` count. A range such as ">=3.10" makes the lock one for each Python of it.
        platforms: it must be installable on these: "linux-64", "linux-aarch64", "osx-64", "osx-arm64", "win-64", "win-arm64" (also
            "linux", "macos", "windows"). Without any it is made for this one; by uv it is then mostly right for others, too.

    Returns:
        The lock; `ensure(replace(spec, lock=lock))` makes exactly that. What it was made from is noted in it.

    Raises:
        UsageError: the spec asks for conda packages, or for a platform that is not known, or pip is to lock for another one.
        NotFoundError: no Python satisfies the spec. InstallError: no versions fit, or one has no file for a platform.
        NetworkError: the index cannot be reached.

    Source: PEP 751.
    """
    from .packages import checked  # noqa: PLC0415 - export does without it
    from .pypi import locks  # noqa: PLC0415 - as above

    work = Work.of(control)
    if isinstance(platforms, str):
        raise TypeError(f"platforms takes several, not the string {platforms!r}")
    wanted = tuple(dict.fromkeys(_platform(name) for name in platforms))
    if spec.conda or spec.channels:
        raise UsageError("a lock of conda packages is not available yet", code="not-available", hint="leave conda= and channels= out")
    asked = checked(spec.pypi, work.host)
    base = base_for(spec.python, work)
    text = locks.resolve_lock(
        base,
        asked,
        constraints=spec.constraints,
        sources=spec.sources,
        python=_oldest(spec.python, base, work),
        many=bool(wanted),
        work=work,
    )
    _check_platforms(text, wanted)
    inputs = pylock.Inputs(
        requirements=tuple(map(_text, asked)), constraints=spec.constraints, python=spec.python, indexes=spec.sources.indexes
    )
    return _as_lock(pylock.with_inputs(text, inputs, environments=[PLATFORMS[name][0] for name in wanted]))


def _as_lock(text: str) -> Lock:
    packages = {(package.name, package.version or "") for package in pylock.load(text).packages}
    found = tuple(Package(name=name, version=version, ecosystem="pypi") for name, version in sorted(packages))
    return Lock(format="pylock.toml", text=text, packages=found)


def _platform(name: str) -> str:
    known = _ALIASES.get(name, name)
    if known not in PLATFORMS:
        raise UsageError(f"the platform {name!r} is not known", code="platforms", hint=f"one of {', '.join(PLATFORMS)}")
    return known


def _oldest(python: str | None, base: Environment, work: Work) -> str | None:
    """Return the oldest minor version that a spec allows, where it is a range; else that of the Python that was chosen."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415 - export does without it
    from packaging.version import Version  # noqa: PLC0415 - as above

    if python is not None and not is_path(python, work):
        try:
            lower = [Version(clause.version.removesuffix(".*")) for clause in SpecifierSet(python) if clause.operator in {">=", "~=", "=="}]
        except InvalidSpecifier:
            lower = []
        if lower:
            return ".".join(map(str, (*max(lower).release, 0)[:2]))
    return None if base.version is None else ".".join(map(str, base.version.release[:2]))


def _check_platforms(text: str, platforms: Sequence[str]) -> None:
    """Hold the files of a lock against the platforms it is to be for.

    Raises:
        InstallError: of a package there is nothing that can be installed on one of them.
    """
    from packaging.markers import Marker  # noqa: PLC0415 - only where platforms are asked for

    for name in platforms:
        marker, tags = PLATFORMS[name]
        facts = dict(re.findall(r"(\w+) == '([^']+)'", marker))
        for package in pylock.load(text).packages:
            if package.marker and not _may_hold(Marker(package.marker), facts):
                continue
            files = [location.rpartition("/")[2] for location in package.locations]
            wheels = [file.removesuffix(".whl").split("-")[-1] for file in files if file.endswith(".whl")]
            if len(wheels) < len(files) or not files:
                continue  # an sdist can be built anywhere, as far as can be told
            if not any(tag == "any" or re.fullmatch(tags, tag) for wheel in wheels for tag in wheel.split(".")):
                raise InstallError(
                    f"{package.name} {package.version} has no file for {name}",
                    code="no-matching-version",
                    package=package.name,
                    hint="take the platform out, or allow another version of the package",
                )


def _may_hold(marker: object, facts: dict[str, str]) -> bool:
    """Say whether a marker can hold on a platform: what is not known of it is taken as if it held on one of its two sides."""
    from packaging.markers import Marker, default_environment  # noqa: PLC0415 - only where platforms are asked for

    assert isinstance(marker, Marker)
    system = {"linux": ("Linux", "posix"), "darwin": ("Darwin", "posix"), "win32": ("Windows", "nt")}[facts["sys_platform"]]
    known: dict[str, str | AbstractSet[str]] = {name: str(value) for name, value in default_environment().items()}
    known |= {**facts, "platform_system": system[0], "os_name": system[1], "extras": frozenset(), "dependency_groups": frozenset()}
    return any(
        marker.evaluate({**known, "python_version": version, "python_full_version": f"{version}.0"}, context="lock_file")
        for version in ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14")
    )


def _text(requirement: str | Project) -> str:
    return requirement if isinstance(requirement, str) else str(requirement.path)


def check_fresh(spec: Spec) -> None:
    """Refuse a lock that is not, or no longer, what the rest of its spec asks for; the text says what changed.

    Raises:
        RefusedError: it is stale ("lock-stale"). UsageError, CorruptError: it is no lock of PyPI packages, or cannot be read.
    """
    from .pypi import locks  # noqa: PLC0415 - a spec without lock does without it

    if spec.lock is None:
        return
    said = locks.read_lock(spec.lock)
    if changes := _changed(spec, said):
        raise RefusedError(
            f"the lock is stale: {'; '.join(changes)}", code="lock-stale", hint="make it anew with lock(spec), or take pypi= out of the spec"
        )


def _changed(spec: Spec, said: pylock.Pylock) -> list[str]:
    """Return what the spec asks for and the lock does not give, and what the lock was made for and is asked for no more."""
    from .packages import named  # noqa: PLC0415 - a spec without lock does without it

    noted = said.inputs.requirements if said.inputs is not None else ()
    before = {named(text): text for text in noted}
    asked = {named(requirement): _text(requirement) for requirement in spec.pypi}
    changes: list[str] = []
    for name, text in asked.items():
        if text not in noted and not _gives(said, text):
            changes.append(f"{text!r} was {before[name]!r}" if name in before else f"{text!r} is new")
    if asked:
        changes += [f"{text!r} is asked for no more" for name, text in before.items() if name not in asked]
    limits = said.inputs.constraints if said.inputs is not None else ()
    changes += [f"the constraint {text!r} is not kept" for text in spec.constraints if text not in limits and not _keeps(said, text)]
    return changes


def _gives(said: pylock.Pylock, text: str) -> bool:
    """Say whether a lock has what a requirement asks for, as far as the lock alone can tell: not for extras, nor for URLs."""
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415 - a spec without lock does without it

    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        return False
    found = [package for package in said.packages if package.name == requirement.name]
    if not found:
        return requirement.marker is not None and not requirement.marker.evaluate()
    if requirement.extras or requirement.url:
        return False
    return all(package.version is not None and requirement.specifier.contains(package.version, prereleases=True) for package in found)


def _keeps(said: pylock.Pylock, text: str) -> bool:
    from packaging.requirements import Requirement  # noqa: PLC0415 - a spec without lock does without it

    requirement = Requirement(text)
    return not any(package.name == requirement.name for package in said.packages) or _gives(said, text)


def kept_lock(prefix: Path, host: Host) -> Lock | None:
    """Return the lock that an environment was made from, as it is kept among its marks; None where there is none that can be read."""
    try:
        with open(records.marks_of(prefix, host) / LOCK_NAME, encoding="utf-8") as stream:
            text = stream.read(_LIMIT + 1)
        return _as_lock(text)
    except (OSError, ValueError):
        return None


def export(env: Env, format: Format, *, host: Host | None = None) -> str:  # noqa: A002 - says what it is
    """Return what an environment holds as the text of a file that `read_spec` reads back. Reads files, starts no process.

    Args:
        format: "requirements.txt" (each package at its version), "pylock.toml" (of an environment that was made from a lock and still
            is what the lock says), "environment.yml", "spec.json" (all that envkit knows of it); "explicit.txt" is for conda ones.

    Raises:
        NotFoundError: there is no such environment, or it has no lock ("lock-not-found").
        UsageError: there is no such format for it. RefusedError: the environment is no longer what its lock says.

    Example:
        >>> import envkit, sys
        >>> "packaging==" in envkit.export(sys.prefix, "requirements.txt")
        True
    """
    work = Work(host=host)
    environment = resolved(env, work)
    if format == "requirements.txt":
        return "".join(f"{line}\n" for line in _lines(environment, work.host))
    if format == "pylock.toml":
        return _exported_lock(environment, work.host).text
    if format == "environment.yml":
        return _environment_yml(environment, work.host)
    if format == "spec.json":
        from .formats.values import to_json  # noqa: PLC0415 - only for this format

        return to_json(_spec(environment, work.host)) + "\n"
    if format == "explicit.txt":
        raise UsageError("explicit.txt is for conda environments alone", code="format", hint='give "requirements.txt" or "pylock.toml"')
    raise UsageError(f"format is {format!r}", code="format", hint="one of requirements.txt, pylock.toml, environment.yml, spec.json")


def _packages(environment: Environment, host: Host) -> tuple[Package, ...]:
    return plugins.package_manager("pypi").installed(environment, host)


def _lines(environment: Environment, host: Host) -> list[str]:
    """Return a line of a requirements file for each package but pip, which an environment has or has not by its `seed`."""
    lines: list[str] = []
    for package in _packages(environment, host):
        if package.editable is not None:
            lines.append(f"-e {package.editable}")
        elif package.name != "pip":
            lines.append(f"{package.name} @ {package.url}" if package.url else f"{package.name}=={package.version}")
    return lines


def _environment_yml(environment: Environment, host: Host) -> str:
    from .formats import environment_yml  # noqa: PLC0415 - only for this format

    record = records.state_of(environment.prefix, host).record
    python = f"python={_minor(environment)}" if environment.version is not None else "python"
    return environment_yml.dump(
        environment_yml.EnvironmentYml(
            name=environment.name,
            channels=("conda-forge",),
            conda=(python,),
            pip=tuple(_lines(environment, host)),
            variables=record.variables if record is not None else {},
        )
    )


def _minor(environment: Environment) -> str:
    assert environment.version is not None
    return ".".join(map(str, environment.version.release[:2]))


def _spec(environment: Environment, host: Host) -> Spec:
    """Return the spec that makes the environment again."""
    record: Record | None = records.state_of(environment.prefix, host).record
    packages = _packages(environment, host)
    pypi: list[str | Project] = []
    for package in packages:
        if package.editable is not None:
            pypi.append(Project(path=package.editable, editable=True))
        elif package.name != "pip":
            pypi.append(f"{package.name} @ {package.url}" if package.url else f"{package.name}=={package.version}")
    word = "" if environment.implementation in {None, "cpython"} else environment.implementation
    free = "t" if environment.free_threaded else ""
    spec = Spec(
        name=environment.name if environment.manager == "envkit" else None,
        python=None if environment.version is None else f"{word}{_minor(environment)}{free}",
        pypi=tuple(pypi),
        seed="pip" if any(package.name == "pip" for package in packages) else "none",
    )
    if record is None:
        return spec
    return replace(
        spec, constraints=record.constraints, variables=record.variables, system_site_packages=record.system_site_packages, name=record.name
    )


def _exported_lock(environment: Environment, host: Host) -> Lock:
    from .pypi import locks  # noqa: PLC0415 - only for this format

    found = kept_lock(environment.prefix, host)
    if found is None:
        raise NotFoundError(
            f"{environment} was not made from a lock, and hashes of what is installed are not kept",
            code="lock-not-found",
            hint="make a lock with lock(spec), where spec is what export(env, 'spec.json') says",
        )
    missing, surplus = locks.differences(environment, found, {"pip"}, host)
    if missing or surplus:
        changed = ", ".join([*(f"{_text(text)} is missing" for text in missing), *(f"{name} is not in it" for name in surplus)])
        raise RefusedError(f"{environment} is no longer what its lock says: {changed}", code="lock-stale", hint="ensure() it again with the lock")
    return found


def differences(spec: Spec, environment: Environment, host: Host) -> tuple[tuple[str | Project, ...], tuple[str, ...]]:
    """Return what of a spec's lock, and of its seed, is not installed as it says, and what is installed and not in it.

    Raises:
        RefusedError: the lock is for another Python or platform.
    """
    from .pypi import locks  # noqa: PLC0415 - a spec without lock does without it

    assert spec.lock is not None
    missing, surplus = locks.differences(environment, spec.lock, _kept(spec), host)
    seed = plugins.package_manager("pypi").unsatisfied(environment, sorted(_kept(spec)), host)
    return (*seed, *missing), surplus


def sync(spec: Spec, environment: Environment, work: Work, held: Held) -> None:
    """Make an environment exactly what its spec's lock says, and keep the lock among its marks.

    The caller holds the environment's lock, has marked it dirty, and verifies the packages afterwards.

    Raises:
        As `locks.sync_into`.
    """
    from .packages import inner_lock  # noqa: PLC0415 - export does without it
    from .pypi import locks  # noqa: PLC0415 - as above

    assert spec.lock is not None
    log = records.log_of(environment.prefix, work.host)
    manager = plugins.package_manager("pypi")
    with inner_lock(environment, work) as inner:
        descriptors = (*held.descriptors, *inner)
        if spec.seed == "pip" and manager.unsatisfied(environment, ["pip"], work.host):
            manager.install(environment, ["pip"], sources=spec.sources, work=work, log=log, descriptors=descriptors)
        locks.sync_into(environment, spec.lock, keep=_kept(spec), sources=spec.sources, work=work, log=log, descriptors=descriptors)
    marks = records.marks_of(environment.prefix, work.host)
    try:
        files.write_atomic(files.private_directory(marks) / LOCK_NAME, spec.lock.text)
    except OSError as error:
        raise files.machine_error(error, marks) from error


def _kept(spec: Spec) -> frozenset[str]:
    return frozenset({"pip"} if spec.seed == "pip" else ())
