"""Poetry's own tables of pyproject.toml: text in, what they ask for out, as everybody else writes it.

`^`, `~` and `*` become ranges, tables of a dependency become requirements with markers and URLs, or places on this machine.

Source: "Dependency specification" and "The pyproject.toml file" (python-poetry.org, 2.x).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from ..models.mapping import FrozenMapping
from .dist_info import normalized

MAIN: Final = "main"
"""The name of the group of what is always needed."""

_EXACT: Final = re.compile(r"\d+(?:\.\d+)*(?:[-_.]?(?:a|b|c|rc|alpha|beta|pre|preview|dev|post)[-_.]?\d*)*(?:\+[\w.]+)?", re.IGNORECASE)
_PART: Final = re.compile(r"(?P<sign>\^|~=|~|===|==|!=|>=|<=|>|<|=)?\s*v?(?P<version>[^\s,|^~=!<>]+)")
_KNOWN: Final = frozenset(
    {"version", "extras", "optional", "markers", "python", "platform", "source", "allow-prereleases", "develop", "name"}
    | {"git", "branch", "tag", "rev", "subdirectory", "path", "file", "url"}
)
_SSH: Final = re.compile(r"(?P<user>[\w.-]+)@(?P<host>[\w.-]+):(?P<path>[^/].*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One dependency: a requirement (`text`), or what lies at `path`, from the project's directory."""

    name: str
    text: str = ""
    path: str = ""
    editable: bool = False
    extras: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Poetry:
    """What the tables say. `groups` are dependencies by group, `MAIN` among them; `extras` the names that each adds of the optional ones.

    python: a range as PEP 440 has it. optional: names in `MAIN` that only an extra brings. indexes: URLs, the first is asked first.
    """

    python: str | None = None
    groups: Mapping[str, tuple[Wanted, ...]] = FrozenMapping()
    optional: frozenset[str] = frozenset()
    extras: Mapping[str, tuple[str, ...]] = FrozenMapping()
    indexes: tuple[str, ...] = ()


def load(text: str) -> Poetry:
    """Return what the tables of Poetry in a pyproject.toml ask for.

    Raises:
        ValueError: it is no TOML, or a dependency says what cannot be said in another way; the text is made for people.
    """
    try:
        document = tomllib.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    poetry = _table(_table(document, "tool"), "poetry")
    main = _table(poetry, "dependencies")
    python = main.get("python")
    return Poetry(
        python=None if python is None else python_range(_text(python, "python")),
        groups=FrozenMapping({MAIN: _dependencies(main), **_groups(poetry)}),
        optional=frozenset(normalized(name) for name, given in main.items() if _is_optional(given)),
        extras=FrozenMapping({normalized(name): tuple(map(normalized, _texts(given))) for name, given in _table(poetry, "extras").items()}),
        indexes=tuple(_indexes(poetry.get("source", []))),
    )


def _groups(poetry: Mapping[str, Any]) -> dict[str, tuple[Wanted, ...]]:
    """Return the dependencies of each group with those of the groups that it includes."""
    tables = {normalized(name): _table(_table(poetry, "group"), name) for name in _table(poetry, "group")}
    own = {name: _dependencies(_table(table, "dependencies")) for name, table in tables.items()}
    if "dev-dependencies" in poetry:  # before Poetry 1.2
        own["dev"] = (*own.get("dev", ()), *_dependencies(_table(poetry, "dev-dependencies")))
    included = {name: [normalized(other) for other in _texts(table.get("include-groups", []))] for name, table in tables.items()}
    return {name: tuple(wanted for other in _closure(name, included) for wanted in own.get(other, ())) for name in own}


def _closure(name: str, included: Mapping[str, Iterable[str]]) -> list[str]:
    found = [name]
    for group in found:
        found += [other for other in included.get(group, ()) if other not in found]
    return found


def _dependencies(table: Mapping[str, Any]) -> tuple[Wanted, ...]:
    """Return the dependencies of a table, without Python; one with several constraints is several."""
    found: list[Wanted] = []
    for name, given in table.items():
        if name != "python":
            each = cast("list[object]", given) if isinstance(given, list) else [cast("object", given)]
            found += [_wanted(name, one) for one in each]
    return tuple(found)


def _wanted(name: str, given: object) -> Wanted:
    if isinstance(given, str):
        return Wanted(name=normalized(name), text=f"{name}{_specifier(given, name)}")
    if not isinstance(given, dict):
        raise ValueError(f"the dependency {name} is neither a version nor a table")
    table = cast("dict[str, Any]", given)
    if unknown := sorted(table.keys() - _KNOWN):
        raise ValueError(f"the dependency {name} has {unknown[0]!r}, which nobody but Poetry knows")
    extras = tuple(_texts(table.get("extras", [])))
    shown = f"{name}[{','.join(extras)}]" if extras else name
    marker = " and ".join(_markers(table, name))
    tail = f" ; {marker}" if marker else ""
    if (place := table.get("path", table.get("file"))) is not None:
        if marker:
            raise ValueError(f"the dependency {name} lies on this machine and is not for every Python or platform, which cannot be said")
        return Wanted(
            name=normalized(name), path=_text(place, name), editable=table.get("develop") is True, extras=tuple(map(normalized, extras))
        )
    if "git" in table:
        return Wanted(name=normalized(name), text=f"{shown} @ {_repository(table, name)}{tail}")
    if "url" in table:
        return Wanted(name=normalized(name), text=f"{shown} @ {_text(table['url'], name)}{tail}")
    limits = [_specifier(_text(table.get("version", "*"), name), name)]
    if table.get("allow-prereleases") is True:
        limits.append(">=0.dev0")  # true of every version; naming a pre-release is how a requirement allows them
    return Wanted(name=normalized(name), text=f"{shown}{','.join(filter(None, limits))}{tail}")


def _repository(table: Mapping[str, Any], name: str) -> str:
    """Return the URL of a dependency from git, as PEP 440 has it."""
    url = _text(table["git"], name)
    if (match := _SSH.fullmatch(url)) is not None:
        url = f"ssh://{match['user']}@{match['host']}/{match['path']}"
    url = url if url.startswith("git+") else f"git+{url}"
    reference = next((_text(table[key], name) for key in ("rev", "tag", "branch") if key in table), None)
    below = f"#subdirectory={_text(table['subdirectory'], name)}" if "subdirectory" in table else ""
    return f"{url}{'' if reference is None else f'@{reference}'}{below}"


def _markers(table: Mapping[str, Any], name: str) -> Iterator[str]:
    """Yield the conditions of a dependency."""
    stated = table.get("markers")
    if stated is not None:
        yield f"({_text(stated, name)})"
    if (python := table.get("python")) is not None:
        for limit in filter(None, python_range(_text(python, name)).split(",")):
            match = re.fullmatch(r"(===|==|!=|>=|<=|>|<|~=)(.+)", limit)
            assert match is not None
            whole = match[2].count(".") > 1 and not match[2].endswith(".*")
            yield f"{'python_full_version' if whole else 'python_version'} {match[1]} '{match[2]}'"
    if (platform := table.get("platform")) is not None:
        yield f"sys_platform == '{_text(platform, name)}'"


def python_range(text: str) -> str:
    """Return a constraint of Poetry on Python as a range; of several, the one that allows Python 3.

    Raises:
        ValueError: several do, or it is none.
    """
    ranges = [_joined(part, "python") for part in re.split(r"\|\|?", text)]
    modern = [one for one in ranges if not re.search(r"(?:==|~=)2\b|<=?(?:2\b|3(?:\.0)*$|3(?:\.0)*,)", one)]
    if len(ranges) > 1 and len(modern) != 1:
        raise ValueError(f"Python is asked for as {text!r}, which is no one range")
    return modern[0] if modern else ranges[0]


def _specifier(text: str, name: str) -> str:
    """Return a constraint of Poetry as PEP 440 has it, "" where every version is right."""
    if "|" in text:
        raise ValueError(f"the dependency {name} has alternatives, {text!r}, which no requirement can say")
    return _joined(text, name)


def _joined(text: str, name: str) -> str:
    if _PART.sub("", text).strip(" ,\t"):
        raise ValueError(f"{text!r} is no version of {name}")
    found = [_limit(match["sign"] or "", match["version"], name) for match in _PART.finditer(text)]
    return ",".join(filter(None, found))


def _limit(sign: str, version: str, name: str) -> str:
    """Return one constraint as PEP 440 has it."""
    if version == "*":
        return ""
    stem, star, more = version.partition(".*")
    if not _EXACT.fullmatch(stem) or more:
        raise ValueError(f"{sign}{version} is no version of {name}")
    if star and sign in {"", "=", "==", "!="}:
        return f"{sign if sign == '!=' else '=='}{stem}.*"
    if sign == "^":
        return f">={stem},<{_next(stem, caret=True)}"
    if sign == "~":
        return f">={stem},<{_next(stem, caret=False)}"
    return f"{'==' if sign in {'', '='} else sign}{stem}"


def _next(version: str, *, caret: bool) -> str:
    """Return the first version that `^` (no change of the leftmost number that is not 0) or `~` (of the minor) does not allow."""
    numbers = [int(number) for number in cast("re.Match[str]", re.match(r"\d+(?:\.\d+)*", version))[0].split(".")]
    if caret:
        at = next((index for index, number in enumerate(numbers) if number), len(numbers) - 1)
    else:
        at = min(1, len(numbers) - 1)
    bumped = [*numbers[:at], numbers[at] + 1]
    return ".".join(map(str, [*bumped, *[0] * (len(numbers) - len(bumped))]))


def _indexes(sources: object) -> Iterator[str]:
    """Yield the URLs of the indexes: those that replace PyPI, PyPI where it counts, then those that supplement it."""
    named = (
        [cast("dict[str, Any]", one) for one in cast("list[object]", sources) if isinstance(one, dict)] if isinstance(sources, list) else []
    )
    urls: dict[str, list[str]] = {"primary": [], "supplemental": []}
    pypi = False
    for one in named:
        priority = "primary" if one.get("default") is True else str(one.get("priority", "primary")).replace("default", "primary")
        pypi = pypi or normalized(str(one.get("name", ""))) == "pypi"
        if isinstance(one.get("url"), str):
            urls["primary" if priority == "primary" else "supplemental"].append(one["url"])
    if not urls["primary"] and not urls["supplemental"]:
        return
    yield from urls["primary"]
    if pypi or not urls["primary"]:
        yield "https://pypi.org/simple"
    yield from urls["supplemental"]


def _is_optional(given: object) -> bool:
    return isinstance(given, dict) and cast("dict[str, object]", given).get("optional") is True


def _table(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    value: object = document.get(name, {})
    if not isinstance(value, dict):
        raise ValueError(f"{name} is no table")
    return cast("dict[str, Any]", value)


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{name} is {value!r}, not a text")
    return value


def _texts(value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in cast("list[object]", value)):
        raise ValueError(f"{value!r} is no list of strings")
    return cast("list[str]", value)
