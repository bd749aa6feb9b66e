"""What the resolvers of uv and pip say when they find no set of versions: no such package or version, a conflict, an old Python."""

from __future__ import annotations

import re

from ..errors import EnvkitError, InstallError, NetworkError
from ..formats.dist_info import normalized

NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._\-]*[A-Za-z0-9])?"
LIMIT = 600  # characters of a tool's words in a message; its log has all of them
_UNKNOWN = re.compile(rf"(?P<name>{NAME}) was not found in (?P<where>the package registry|the provided package locations|the cache)")
OFFLINE = re.compile(r"(?i)network was disabled|registry packages may only be read from the cache|network connectivity is disabled")
_UV_PYTHON = re.compile(r"current Python version \((?P<have>[^)]*)\) does not satisfy Python(?P<need>\S+?)(?: and|,| we|\s)")
_UV_NONE = re.compile(
    rf"(?:there (?:is|are) no versions? of (?P<one>{NAME})|only (?:the following versions of )?(?P<two>{NAME})\S* (?:is|are) available)"
)
_UV_WHEELS = re.compile(rf"(?P<name>{NAME})\S* has no (?:wheels|usable wheels|source distribution)")
_PIP_NONE = re.compile(
    rf"Could not find a version that satisfies the requirement (?P<name>{NAME})(?P<rest>[^(]*).*?\(from versions: (?P<versions>[^)]*)\)",
    re.DOTALL,
)
_PIP_PACKAGE_PYTHON = re.compile(rf"Package '(?P<name>{NAME})' requires a different Python: (?P<rest>[^\n]*)")
_CONFLICT = re.compile(
    r"ResolutionImpossible|conflicting dependencies|No solution found when resolving|Requirements contain conflicting|are unsatisfiable"
)
_PIP_CONFLICT = re.compile(r"The conflict is caused by:\n(?P<facts>(?: +\S[^\n]*\n)+)")
_CAUSE = re.compile(r"^\s*(?:╰─▶|cause:|├─▶)\s*(?P<text>.*?)(?=^\s*(?:hint:|cause:|╰─▶|├─▶)|^\S|\n\n|\Z)", re.DOTALL | re.MULTILINE)
_PASSED_OVER = re.compile(r"requires a different Python \(\S+ not in: '(?P<need>[^']+)'\): (?P<url>\S+)")


def unknown(output: str, *, offline: bool, index_given: bool) -> EnvkitError | None:
    """Read uv's words about a name that it did not find."""
    match = _UNKNOWN.search(output)
    if match is None:
        return None
    package = normalized(match["name"])
    if OFFLINE.search(output) or match["where"] == "the cache":
        return offline_error(package)
    return _no_package(
        package, "the index" if match["where"].endswith("registry") else "the places given", offline=offline, index_given=index_given
    )


def uv_python(output: str, python: str) -> EnvkitError | None:
    """Read uv's words about a Python that is too old."""
    if (match := _UV_PYTHON.search(output)) is None or not _CONFLICT.search(output):
        return None
    name = re.match(rf"\s*and (?:all of:\s+)?(?P<name>{NAME})", output[match.end("need") :])
    package = normalized(name["name"]) if name else None
    return _too_old(package, python, f"Python {match['need']}")


def pip_none(output: str, details: str, *, python: str, offline: bool) -> EnvkitError | None:
    """Read pip's "no matching distribution": no such package, no such version, or a Python that is too old for it."""
    if (match := _PIP_PACKAGE_PYTHON.search(output)) is not None:
        return _too_old(normalized(match["name"]), python, f"another Python ({match['rest'].strip()})")
    if (match := _PIP_NONE.search(output)) is None:
        return None
    package, asked = normalized(match["name"]), match["rest"].strip()
    versions = [text.strip() for text in match["versions"].split(",") if text.strip() not in {"", "none"}]
    if (need := _python_needed(package, asked, details)) is not None:
        return _too_old(package, python, f"Python {need}")
    if not versions:
        return _no_package(package, "the index" if not offline else "the places given", offline=offline)
    near = ", ".join(versions[-5:])
    return InstallError(
        f"no version of {package} fits {asked or 'this Python'}",
        code="no-matching-version",
        package=package,
        hint=f"the last of its versions for Python {python}: {near}",
    )


def unsolvable(output: str, flat: str) -> EnvkitError | None:
    """Read what a resolver says when no set of versions fits."""
    if not _CONFLICT.search(output):
        return None
    if (facts := _PIP_CONFLICT.search(output)) is not None:
        reason = "; ".join(line.strip() for line in facts["facts"].splitlines())
    else:
        causes = [" ".join(match["text"].split()) for match in _CAUSE.finditer(output)]
        reason = causes[0] if causes else last_words(output)
    one = _UV_NONE.search(flat)
    wheels = _UV_WHEELS.search(flat)
    if (one or wheels) and not re.search(r"depends? on (?!Python)", reason) and facts is None:
        found = str((one["one"] or one["two"]) if one else wheels["name"] if wheels else "")
        package = normalized(re.split(r"[<>=!~]", found)[0])
        hint = re.search(r"^hint: (.*)$", output, re.MULTILINE)
        return InstallError(
            f"no version of {package} fits: {cut(reason)}",
            code="no-matching-version",
            package=package,
            hint=hint[1] if hint else "loosen the requirement",
        )
    package_match = re.search(rf"(?:you require|The user requested) (?P<name>{NAME})", flat)
    first = normalized(package_match["name"]) if package_match else None
    return InstallError(
        f"no versions fit together: {cut(reason)}",
        code="conflict",
        package=first,
        hint="loosen or remove one of the requirements that conflict",
    )


def _python_needed(package: str, asked: str, details: str) -> str | None:
    """Return which Python the oldest version that fits wants, if there are such that pip passed over for this Python."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415 - for a failed installation only
    from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename  # noqa: PLC0415 - as above
    from packaging.version import Version  # noqa: PLC0415 - as above

    found: dict[Version, str] = {}
    for match in _PASSED_OVER.finditer(details):
        file = match["url"].partition("#")[0].rpartition("/")[2]
        try:
            name, version = parse_wheel_filename(file)[:2] if file.endswith(".whl") else parse_sdist_filename(file)
            if name == package and SpecifierSet(asked).contains(version, prereleases=True):
                found[version] = match["need"]
        except (InvalidSpecifier, InvalidSdistFilename, InvalidWheelFilename):
            continue
    return found[min(found)] if found else None


def reached(output: str) -> bool:
    """Say whether pip saw versions of what it did not find in the end, so that some index was reached."""
    match = _PIP_NONE.search(output)
    return match is not None and match["versions"].strip() != "none"


def _no_package(package: str, where: str, *, offline: bool, index_given: bool = False) -> EnvkitError:
    if offline:
        return offline_error(package)
    more = "; the call named the index itself" if index_given else ""
    return InstallError(
        f"there is no package {package!r} in {where}", code="package-not-found", package=package, hint=f"check the name and the index{more}"
    )


def _too_old(package: str | None, python: str, need: str) -> InstallError:
    return InstallError(
        f"{package or 'what is wanted'} needs {need}, and this is Python {python}",
        code="python-too-old",
        package=package,
        hint="take a newer Python, or allow an older version of the package",
    )


def offline_error(package: str | None) -> NetworkError:
    """Return the error for what would need the network when it may not be used."""
    return NetworkError(
        f"{package or 'what is needed'} is not on this machine, and the network may not be used",
        code="offline",
        retryable=False,
        hint="call once without offline, or name a directory of wheels in Sources.find_links",
    )


def last_words(output: str) -> str:
    """Return the lines that say what went wrong, or the last one."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    said = [line for line in lines if re.match(r"(?i)(error|fatal)\b", line)]
    return cut("; ".join(said[-3:]) or (lines[-1] if lines else "it said nothing"))


def cut(text: str) -> str:
    """Return a tool's words, no longer than a message should be."""
    return text if len(text) <= LIMIT else text[:LIMIT] + "..."
