"""What locks of conda packages hold, whatever their format: exact package files for each platform, with PyPI's distributions on top."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeGuard, cast

from ..models.mapping import FrozenMapping, freeze
from .conda_url import package_file

LIMIT: Final = 64 * 1024 * 1024  # bytes; a lock of several platforms has thousands of packages


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedPackage:
    """One package file. `url` is a URL or a path; `size` is in bytes, None if unknown; `depends` and `constrains` are match specs."""

    url: str
    name: str
    version: str
    build: str
    subdir: str
    md5: str | None = None
    sha256: str | None = None
    size: int | None = None
    depends: tuple[str, ...] = ()
    constrains: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedDistribution:
    """One distribution of PyPI. `url` is a URL, or the path of a project, from the directory of the lock."""

    name: str
    url: str
    version: str | None = None
    sha256: str | None = None
    requires: tuple[str, ...] = ()
    requires_python: str | None = None
    editable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CondaLock:
    """A lock: by platform ("linux-64") what is to be there, what is needed before what needs it.

    `refused` says of a platform why what is locked for it cannot be had from the lock alone.
    """

    channels: tuple[str, ...] = ()
    indexes: tuple[str, ...] = ()
    packages: Mapping[str, tuple[LockedPackage, ...]] = FrozenMapping()
    distributions: Mapping[str, tuple[LockedDistribution, ...]] = FrozenMapping()
    refused: Mapping[str, str] = FrozenMapping()

    def __post_init__(self) -> None:
        """Keep the mappings immutable."""
        freeze(self, mappings=("packages", "distributions", "refused"))

    @property
    def platforms(self) -> tuple[str, ...]:
        """Return the platforms that it is for, sorted."""
        return tuple(sorted(self.packages.keys() | self.distributions.keys()))


def in_order(packages: Iterable[LockedPackage]) -> tuple[LockedPackage, ...]:
    """Return packages so that what is needed comes before what needs it, by name where nothing decides; a circle stays together."""
    waiting = {package.name: package for package in sorted(packages, key=lambda package: package.name)}
    needs = {name: sorted(dependencies(package.depends) & waiting.keys() - {name}) for name, package in waiting.items()}
    found: dict[str, LockedPackage] = {}
    for first in waiting:
        todo = [(first, iter(needs[first]))]
        above = {first}
        while todo and first not in found:
            name, rest = todo[-1]
            needed = next((other for other in rest if other not in found and other not in above), None)
            if needed is None:
                todo.pop()
                found[name] = waiting[name]
            else:
                above.add(needed)
                todo.append((needed, iter(needs[needed])))
    return tuple(found.values())


def dependencies(depends: Iterable[str]) -> set[str]:
    """Return the names in match specs as packages write them: the name stands first."""
    return {
        text.replace("=", " ").replace("[", " ").replace(">", " ").replace("<", " ").split()[0].lower() for text in depends if text.strip()
    }


def from_url(url: str, facts: Mapping[str, Any]) -> LockedPackage:
    """Return the package of a URL or path, with what a lock says beyond what its file name tells.

    Raises:
        ValueError: neither tells its name, version, build and platform.
    """
    said = package_file(url)
    size = text(facts, "size") or ""
    return LockedPackage(
        url=url,
        name=text(facts, "name") or said.name,
        version=text(facts, "version") or said.version,
        build=text(facts, "build") or said.build,
        subdir=text(facts, "subdir") or said.subdir,
        md5=_hash(facts, "md5", 32),
        sha256=_hash(facts, "sha256", 64),
        size=int(size) if size.isascii() and size.isdigit() else None,
        depends=texts(facts, "depends"),
        constrains=texts(facts, "constrains"),
    )


def _hash(facts: Mapping[str, Any], key: str, length: int) -> str | None:
    value = text(facts, key)
    if value is None:
        return None
    if len(value) != length or not all(character in "0123456789abcdefABCDEF" for character in value):
        raise ValueError(f"{value[:70]!r} is no {key}")
    return value.lower()


def document(source: str) -> dict[str, Any]:
    """Return the mapping that a YAML text is.

    Raises:
        ValueError: it is none.
    """
    import yaml  # noqa: PLC0415 - only where such a file is

    try:
        given: object = yaml.load(source, Loader=_loader())  # noqa: S506 - a safe loader, the one written in C where there is one
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ValueError(f"it is no YAML: {' '.join(str(error).split())[:200]}") from error
    if not is_table(given):
        raise ValueError("it is no mapping")
    return given


def _loader() -> Any:
    """Return PyYAML's safe loader that leaves numbers and dates as they are written: "1.10" is a version, and 0123 a hash."""
    import yaml  # noqa: PLC0415 - as above

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc] # which of the two is known when it runs
        """Safe, and without numbers and dates."""

    plain = {f"tag:yaml.org,2002:{kind}" for kind in ("float", "int", "timestamp")}
    Loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag not in plain]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    return Loader


def text(facts: Mapping[str, Any], key: str) -> str | None:
    """Return a text; None where there is none. Numbers are texts here, as `document` reads them."""
    value = facts.get(key)
    return value if isinstance(value, str) and value else None


def texts(facts: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """Return a list of texts; empty where there is none.

    Raises:
        ValueError: it is no such list.
    """
    value: object = facts.get(key)
    if value is None:
        return ()
    if not is_list(value) or not all(isinstance(item, str) for item in value):
        raise ValueError(f"{key} is no list of texts")
    return tuple(map(str, value))


def tables(value: object, what: str) -> list[dict[str, Any]]:
    """Return a list of mappings; empty for None.

    Raises:
        ValueError: it is no such list.
    """
    if value is None:
        return []
    if not is_list(value):
        raise ValueError(f"{what} is no list")
    found = [item for item in value if is_table(item)]
    if len(found) != len(value):
        raise ValueError(f"{what} holds something that is no mapping")
    return found


def is_table(value: object) -> TypeGuard[dict[str, Any]]:
    """Say whether a value of YAML is a mapping with texts as keys."""
    return isinstance(value, dict) and all(isinstance(key, str) for key in cast("dict[object, object]", value))


def is_list(value: object) -> TypeGuard[list[object]]:
    """Say whether a value of YAML is a list."""
    return isinstance(value, list)
