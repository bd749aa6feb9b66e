"""lock: what a spec resolves to, exactly and with hashes, for one platform or several."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence, Set as AbstractSet
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from packaging.markers import Marker, default_environment
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from .. import match_specs
from ..changing import checked
from ..control import Control, Work, takes_control
from ..environments import base_for, is_path
from ..errors import InstallError, UsageError
from ..formats import pylock
from ..models.specs import Lock, Spec
from ..pypi import locks
from .exactness import as_lock, shown

if TYPE_CHECKING:
    from typing import Unpack

    from ..models.environment import Environment

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
    "linux": "linux-64",
    "x86_64-unknown-linux-gnu": "linux-64",
    "aarch64-unknown-linux-gnu": "linux-aarch64",
    "macos": "osx-arm64",
    "darwin": "osx-arm64",
    "aarch64-apple-darwin": "osx-arm64",
    "x86_64-apple-darwin": "osx-64",
    "windows": "win-64",
    "win32": "win-64",
    "x86_64-pc-windows-msvc": "win-64",
    "aarch64-pc-windows-msvc": "win-arm64",
}


@takes_control
def lock(spec: Spec, *, platforms: Iterable[str] = (), **control: Unpack[Control]) -> Lock:
    """Resolve what a spec asks for and return it as a lock, with the hashes of every file that may be installed.

    It is a pylock.toml; of a spec for conda an explicit file, or with `platforms` a lock as pixi and rattler have it.

    Args:
        spec: its `pypi`, `constraints`, `python` and `sources` count. A range such as ">=3.10" makes the lock one for each Python of it.
            Of one for conda its `conda`, `channels` and `python`.
        platforms: it must be installable on these: "linux-64", "linux-aarch64", "osx-64", "osx-arm64", "win-64", "win-arm64" (also
            "linux", "macos", "windows"). Without any it is made for this one; by uv it is then mostly right for others, too.

    Returns:
        The lock; `ensure(replace(spec, lock=lock))` makes exactly that. What it was made from is noted in it.

    Raises:
        UsageError: the spec asks for conda packages with PyPI's on top of them, or for a platform that is not known, or pip is to lock
            for another one.
        NotFoundError: no Python satisfies the spec. InstallError: no versions fit, or one has no file for a platform.
        NetworkError: the index cannot be reached.

    Source: PEP 751; CEP 23 for explicit files.
    """
    work = Work.of(control)
    if isinstance(platforms, str):
        raise TypeError(f"platforms takes several, not the string {platforms!r}")
    wanted = tuple(dict.fromkeys(_platform(name) for name in platforms))
    for_conda = match_specs.backend_name(spec) == match_specs.CONDA
    if spec.lock is not None and not (spec.pypi or (for_conda and spec.conda)):
        raise UsageError(
            "the spec has a lock and says nothing else to resolve", code="lock", hint="read the file that the lock was made from"
        )
    if for_conda:
        from . import conda_resolving  # noqa: PLC0415 - only where there is conda

        return conda_resolving.resolve(replace(spec, lock=None), wanted, work)
    asked = checked(spec.pypi, work.host)
    base = base_for(spec.python, work, spec.sources)
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
        requirements=tuple(map(shown, asked)), constraints=spec.constraints, python=spec.python, indexes=spec.sources.indexes
    )
    return as_lock(pylock.with_inputs(text, inputs, environments=[PLATFORMS[name][0] for name in wanted]))


def _platform(name: str) -> str:
    known = _ALIASES.get(name, name)
    if known not in PLATFORMS:
        raise UsageError(f"the platform {name!r} is not known", code="platforms", hint=f"one of {', '.join(PLATFORMS)}")
    return known


def _oldest(python: str | None, base: Environment, work: Work) -> str | None:
    """Return the oldest minor version that a spec allows, where it is a range; else that of the Python that was chosen."""
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
    assert isinstance(marker, Marker)
    system = {"linux": ("Linux", "posix"), "darwin": ("Darwin", "posix"), "win32": ("Windows", "nt")}[facts["sys_platform"]]
    known: dict[str, str | AbstractSet[str]] = {name: str(value) for name, value in default_environment().items()}
    known |= {**facts, "platform_system": system[0], "os_name": system[1], "extras": frozenset(), "dependency_groups": frozenset()}
    return any(
        marker.evaluate({**known, "python_version": version, "python_full_version": f"{version}.0"}, context="lock_file")
        for version in ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14")
    )
