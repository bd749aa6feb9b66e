"""Why nothing fits together, in words: the solver's tree in, sentences out.

py-rattler gives its reasons as a text drawn as a tree, with no structure besides. The sentences name who needs what of whom; the tree
itself stays in the log.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

_LINE = re.compile(r"^(?P<indent>(?:[│ ] {2})*)(?:[├└]─ )?(?P<text>.*)$")
_REQUIRES = re.compile(r"^(?P<who>.+?) would require$")
_CONSTRAINS = re.compile(r"^(?P<who>.+?) would constrain$")
_SPEC = re.compile(
    r"^(?P<spec>.+?)(?:, which can be installed with any of the following options:| can be installed with any of the following options:"
    r"|,? (?:which )?cannot be installed because there are no viable options:|, for which no candidates were found\.?"
    r"|, which conflicts with (?:any installable versions previously reported|the versions reported above)\.?)$"
)
_MISSING = re.compile(r"No candidates were found for (?P<top>.+?)\.$|^(?P<spec>.+?), for which no candidates were found\.?$", re.MULTILINE)
_CONSTRAINT = re.compile(r"the constraint (?P<spec>.+?) cannot be fulfilled")
_TOO_NEW = re.compile(r"^[│├└─ ]*(?P<who>\S.*?) is excluded because .*?(?:cutoff|timestamp)", re.MULTILINE)
_VIRTUAL: Final = {
    "__cuda": "a graphics card with CUDA",
    "__glibc": "the C library glibc",
    "__osx": "macOS",
    "__win": "Windows",
    "__linux": "Linux",
    "__unix": "a Unix",
    "__archspec": "a certain processor",
}
_SHOWN: Final = 6  # reasons that a sentence names

Code = Literal["package-not-found", "no-matching-version", "virtual-package", "conflict"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What cannot be: a stable code, a sentence for people, and the package that it is about."""

    code: Code
    text: str
    package: str | None = None


@dataclass(slots=True)
class _Reasons:
    """The edges of the tree: what was asked for, who needs and who forbids what."""

    tops: list[str] = field(default_factory=list[str])
    needs: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    forbids: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])


def explained(
    tree: str, *, asked: Sequence[str], limits: Sequence[str], available: Mapping[str, Sequence[str]], channels: Sequence[str]
) -> Explanation:
    """Return why a request cannot be solved.

    Args:
        tree: what the solver said.
        asked: match specs that were asked for, now or before.
        limits: match specs that are pinned.
        available: the versions that the channels have of each package of which nothing fitted, oldest first; empty where they lack it.
        channels: where was looked, as people call them.
    """
    reasons = _reasons(tree)
    for match in _MISSING.finditer(_flat(tree)):
        spec = _plain(match["top"] or match["spec"])
        return _missing(spec, _needed_by(spec, reasons), asked, available, channels)
    pins = [_plain(match["spec"]) for match in _CONSTRAINT.finditer(tree)]
    order = [_name(spec) for spec in asked]
    names = sorted({_name(spec) for spec in reasons.tops}, key=lambda name: order.index(name) if name in order else len(order))
    late = [f"{_candidate(match['who'])} is newer than exclude_newer allows" for match in _TOO_NEW.finditer(tree)]
    if late and not (reasons.needs or reasons.forbids or pins):
        return Explanation(code="no-matching-version", text="; ".join(dict.fromkeys(late)), package=names[0] if names else None)
    told = _told(reasons) + [_limit(pin, asked, limits) for pin in pins] + late
    subject = _listed(names) or "these packages"
    verb = "cannot be installed together" if len(names) > 1 else "cannot be installed"
    return Explanation(
        code="conflict",
        text=f"{subject} {verb}: {'; '.join(dict.fromkeys(told)) or 'no versions fit together'}",
        package=names[0] if names else None,
    )


def _limit(pin: str, asked: Sequence[str], limits: Sequence[str]) -> str:
    """Return what a limit that cannot be kept is: asked for, pinned, or the installed Python."""
    if _squeezed(pin) in {_squeezed(spec) for spec in asked}:
        return f"{pin} was asked for"
    if _squeezed(pin) in {_squeezed(spec) for spec in limits}:
        return f"{pin} is pinned"
    return f"{pin} is installed, and Python stays at its minor version unless another is asked for"


def missing_names(tree: str) -> list[str]:
    """Return the names of packages of which the solver found nothing that fits, so that it can be said what there is."""
    return list(dict.fromkeys(_name(_plain(match["top"] or match["spec"])) for match in _MISSING.finditer(_flat(tree))))


def _missing(
    spec: str, needed_by: str | None, asked: Sequence[str], available: Mapping[str, Sequence[str]], channels: Sequence[str]
) -> Explanation:
    name, where = _name(spec), f"in {_listed(channels)}" if channels else "without a channel"
    wanted = f"{needed_by} needs {spec}" if needed_by else spec
    if name.startswith("__"):
        what = _VIRTUAL.get(name, "something of the machine")
        text = f"{wanted} ({what}), which this machine does not have" if needed_by else f"this machine does not have {spec} ({what})"
        return Explanation(code="virtual-package", text=text, package=needed_by.partition(" ")[0] if needed_by else name)
    versions = available.get(name, ())
    if not versions:
        text = f"{wanted}, which is not {where}" if needed_by else f"there is no package {name} {where}"
        return Explanation(code="package-not-found", text=text, package=name)
    others = [other for other in asked if _name(other) == name and other != spec]
    if needed_by and others:
        return Explanation(code="conflict", text=f"{wanted}, but {others[0]} was asked for", package=needed_by.partition(" ")[0])
    text = f"no version of {name} {where} fits {wanted}" if not needed_by else f"{wanted}, which is not {where}"
    return Explanation(code="no-matching-version", text=f"{text}: there is {_some(versions)}", package=name)


def _some(versions: Sequence[str]) -> str:
    shown = list(dict.fromkeys(versions))
    return ", ".join(shown if len(shown) <= _SHOWN else [shown[0], "...", *shown[2 - _SHOWN :]])


def _reasons(tree: str) -> _Reasons:
    """Read the tree: each line is a spec, or a package with what it needs or forbids below it."""
    found = _Reasons()
    owners: list[tuple[int, str, bool]] = []  # depth, package, whether it forbids
    for depth, text in _nodes(tree):
        while owners and owners[-1][0] >= depth:
            owners.pop()
        if match := _REQUIRES.match(text) or _CONSTRAINS.match(text):
            owners.append((depth, _candidate(match["who"]), "constrain" in text))
        elif match := _SPEC.match(text):
            spec = _plain(match["spec"])
            if not owners:
                found.tops.append(spec)
            elif depth == owners[-1][0] + 1:  # what stands deeper is a package that would fit the spec above it
                _, who, forbids = owners[-1]
                (found.forbids if forbids else found.needs).append((who, spec))
    return found


def _nodes(tree: str) -> Iterable[tuple[int, str]]:
    """Yield depth and text of each line of the tree, without what stands before it."""
    for line in tree.splitlines():
        text = re.sub(r"^(?:Cannot solve the request because of: )", "", line)
        match = _LINE.match(text)
        if match is not None and match["text"].strip():
            depth = len(match["indent"]) // 3 + ("─ " in text[: len(match["indent"]) + 3])
            yield depth, match["text"].strip()


def _flat(tree: str) -> str:
    """Return the tree without the lines that draw it."""
    return "\n".join(re.sub(r"^[│├└─ ]+", "", line) for line in tree.splitlines())


def _told(reasons: _Reasons) -> list[str]:
    """Return the reasons as clauses: of a package on which several do not agree first what all of them need, then the others."""
    wanted: dict[str, set[str]] = {}
    for spec in [*reasons.tops, *(spec for _, spec in (*reasons.needs, *reasons.forbids))]:
        wanted.setdefault(_name(spec), set()).add(spec)
    disputed = {name for name, specs in wanted.items() if len(specs) > 1}
    clauses = [f"{who} needs {spec}" for who, spec in reasons.needs if not disputed or _name(spec) in disputed]
    clauses += [f"{who} goes only with {spec}" for who, spec in reasons.forbids]
    clauses += [f"{spec} was asked for" for spec in reasons.tops if _name(spec) in disputed]
    return list(dict.fromkeys(clauses))[:_SHOWN]


def _needed_by(spec: str, reasons: _Reasons) -> str | None:
    return next((who for who, needed in reasons.needs if needed == spec), None)


def _squeezed(spec: str) -> str:
    """Return a match spec as py-rattler writes it, without blanks, so that two spellings can be compared."""
    fuzzy = re.fullmatch(r"([\w.-]+)=([\w.]+)", spec.strip())
    return f"{fuzzy[1]}{fuzzy[2]}.*" if fuzzy else re.sub(r"\s+", "", spec)


def _plain(spec: str) -> str:
    """Return a match spec without what says nothing: "tiny *" is "tiny"."""
    return spec.strip().removesuffix(" *").strip()


def _candidate(text: str) -> str:
    """Return a package with few of its versions: "tiny 1.0 | 1.1 | 1.2 | 1.3" is "tiny 1.0 to 1.3"."""
    name, _, versions = text.strip().partition(" ")
    several = [version.strip() for version in versions.split("|")]
    return f"{name} {several[0]}" + (f" to {several[-1]}" if len(several) > 1 else "")


def _name(spec: str) -> str:
    match = re.match(r"(?:\S*::)?([\w.-]+?)(?=$|[\s=<>!~\[*])", spec)
    return match[1].lower() if match else spec


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""
