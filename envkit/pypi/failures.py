"""What an installer's words mean: its output in, a typed error out.

Neither tool has machine-readable errors, and their exit codes say nearly nothing (pip always 1; uv 1 or 2), so this reads text.
What fits nothing is an InstallError "install-failed" with the tool's last words and the whole output in its log.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..errors import EnvkitError, InstallError, MachineError, NetworkError, RefusedError
from ..formats.dist_info import normalized

if TYPE_CHECKING:
    from .request import Kind

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._\-]*[A-Za-z0-9])?"
_LIMIT = 600  # characters of a tool's words in a message; its log has all of them

_MACHINE = (
    (
        re.compile(r"No space left on device|os error 28\b|\[Errno 28\]|Disk quota exceeded"),
        "disk-full",
        "the disk is full",
        "free some space and call again",
    ),
    (
        re.compile(r"Read-only file system|os error 30\b|\[Errno 30\]"),
        "read-only",
        "the file system is read-only",
        "choose an environment that can be written",
    ),
    (
        re.compile(r"Permission denied|os error 13\b|\[Errno 13\]|Access is denied"),
        "no-permission",
        "permission denied",
        "choose an environment that you may write, or make one with create()",
    ),
)
_MANAGED = re.compile(r"externally[ -]managed")
_HASH = re.compile(rf"Hash mismatch for `(?P<uv>{_NAME})|DO NOT MATCH THE HASHES.*?\n\s*(?P<pip>{_NAME})", re.DOTALL)
_UNAUTHORIZED = re.compile(
    r"\b40[13] (?:Client )?Error|\b(?:401 Unauthorized|403 Forbidden)\b|HTTP error 40[13]|Credentials not correct|Missing credentials"
)
_UNREACHABLE = re.compile(
    r"error sending request|Request failed after|client error \(Connect\)|dns error|connection (?:error|broken by)|HTTP status server error"
    r"|Could not fetch URL \S+: (?!404)|ReadTimeoutError|ConnectTimeoutError|NewConnectionError|ProxyError|SSLError|operation timed out"
    r"|HTTP error 5\d\d|Max retries exceeded|Connection reset|incomplete-download|IncompleteRead|end of file before message length|error decoding response body|certificate verify failed|Failed to fetch: `?https?://\S+\n(?!.*404)"
)
_GONE = re.compile(
    r"(?:HTTP error 404 while getting|404 \(?Not Found\)? for url:?|404 Client Error: Not Found for url:) ?\(?(?P<url>[^\s)]+)"
)
_GONE_UV = re.compile(rf"Failed to download `(?P<name>{_NAME})[^`]*`.*404 Not Found", re.DOTALL)
_UNKNOWN = re.compile(
    rf"Because (?P<name>{_NAME}) was not found in (?P<where>the package registry|the provided package locations|the cache)"
)
_UNKNOWN_LATER = re.compile(rf"(?P<name>{_NAME}) was not found in (?P<where>the package registry|the provided package locations|the cache)")
_OFFLINE = re.compile(r"network was disabled|registry packages may only be read from the cache|network connectivity is disabled")
_UV_PYTHON = re.compile(r"current Python version \((?P<have>[^)]*)\) does not satisfy Python(?P<need>\S+?)(?: and|,| we|\s)")
_UV_NONE = re.compile(
    rf"(?:there (?:is|are) no versions? of (?P<one>{_NAME})|only (?:the following versions of )?(?P<two>{_NAME})\S* (?:is|are) available)"
)
_UV_WHEELS = re.compile(rf"(?P<name>{_NAME})\S* has no (?:wheels|usable wheels|source distribution)")
_PIP_NONE = re.compile(
    rf"Could not find a version that satisfies the requirement (?P<name>{_NAME})(?P<rest>[^(]*).*?\(from versions: (?P<versions>[^)]*)\)",
    re.DOTALL,
)
_PIP_PACKAGE_PYTHON = re.compile(rf"Package '(?P<name>{_NAME})' requires a different Python: (?P<rest>[^\n]*)")
_CONFLICT = re.compile(
    r"ResolutionImpossible|conflicting dependencies|No solution found when resolving|Requirements contain conflicting|are unsatisfiable"
)
_PIP_CONFLICT = re.compile(r"The conflict is caused by:\n(?P<facts>(?: +\S[^\n]*\n)+)")
_BUILD = re.compile(
    r"build backend returned an error|Failed to build|subprocess-exited-with-error|did not run successfully|Failed building wheel|metadata-generation-failed"
    r"|Failed to prepare|installing build dependencies|BackendUnavailable|Failed to resolve requirements from `build-system"
)
_BUILD_NAME = re.compile(
    rf"Failed (?:to build|building wheel for)(?: installable wheels for some pyproject.toml based projects)?:? ?\(?[`']?(?P<name>{_NAME})(?:==| @|`|'|\)|\s|$)",
    re.MULTILINE,
)
_TRACE_END = re.compile(r"^\s*((?:[A-Za-z_][\w.]*(?:Error|Exception|NotFound|Unavailable|Exit)\b): [^\n]*)", re.MULTILINE)
_PIP_TRACE = re.compile(r"^ {2}\s*((?:[A-Za-z_][\w.]*(?:Error|Exception|NotFound|Unavailable|Exit)\b): [^\n]*)", re.MULTILINE)
_TELLING = re.compile(r"Could not fetch URL|requires a different Python|connection broken by|No space left|40[13] Client Error")
_OLD_UV = re.compile(r"error: unexpected argument '(?P<option>[^']+)'|unrecognized subcommand|no such option: (?P<pip>\S+)")
_CAUSE = re.compile(r"^\s*(?:╰─▶|cause:|├─▶)\s*(?P<text>.*?)(?=^\s*(?:hint:|cause:|╰─▶|├─▶)|^\S|\n\n|\Z)", re.DOTALL | re.MULTILINE)


def failure(kind: Kind, output: str, details: str, *, python: str, offline: bool, index_given: bool) -> EnvkitError:
    """Return the error for a tool that failed.

    Args:
        kind: the tool.
        output: all that it said, secrets masked.
        details: pip's detailed log, masked as well; "" for uv.
        python: the target's version, for the text.
        offline: the network was not to be used.
        index_given: the call named the indexes itself.
    """
    telling = "\n".join(line for line in details.splitlines() if _TELLING.search(line))
    flat = " ".join(output.split())  # uv before 0.9 wraps its lines
    readers: tuple[Callable[[], EnvkitError | None], ...] = (
        lambda: _machine(output + telling),
        lambda: _managed(output),
        lambda: _hash(output),
        lambda: _build(output, details),
        lambda: _unauthorized(output, telling),
        lambda: _unknown(flat, offline=offline, index_given=index_given),
        lambda: _uv_python(flat, python),
        lambda: _network(output, telling, offline=offline),
        lambda: _gone(output),
        lambda: _pip_none(output, telling, python=python, offline=offline),
        lambda: _unsolvable(output, flat),
        lambda: _old(output, kind),
    )
    for reader in readers:
        if (error := reader()) is not None:
            return error
    return InstallError(f"{kind} failed: {_last_words(output)}", hint="the log holds all that it said")


def _machine(output: str) -> EnvkitError | None:
    for pattern, code, what, hint in _MACHINE:
        if (match := pattern.search(output)) is not None and not (code == "no-permission" and _BUILD.search(output)):
            line = next((line for line in output.splitlines() if match[0] in line), match[0])
            return MachineError(
                f"packages cannot be installed: {what} ({line.strip()[:_LIMIT]})", code=code, hint=hint, retryable=code == "disk-full"
            )
    return None


def _managed(output: str) -> EnvkitError | None:
    if not _MANAGED.search(output):
        return None
    return managed_error("this Python")


def managed_error(what: str) -> RefusedError:
    """Return the error for a Python that its system manages."""
    return RefusedError(
        f"{what} is managed by its system (PEP 668): packages installed there can break it",
        code="externally-managed",
        hint="make an environment with create() or provision() and install there; break_system_packages=True overrides this",
    )


def _hash(output: str) -> EnvkitError | None:
    if (match := _HASH.search(output)) is None:
        return None
    package = normalized(match["uv"] or match["pip"])
    return InstallError(
        f"what was downloaded for {package} is not what its hash says",
        code="hash-mismatch",
        package=package,
        hint="check the hash; if it is right, the index or something on the way changed the file",
    )


def _build(output: str, details: str) -> EnvkitError | None:
    if not _BUILD.search(output) or (_UNREACHABLE.search(output) and not _TRACE_END.search(output)):
        return None
    match = _BUILD_NAME.search(output)
    package = normalized(match["name"]) if match and match["name"] != "file" else None
    said = _PIP_TRACE.findall(details) or _TRACE_END.findall(output)
    reason = f": {_cut(said[0].strip())}" if said else ""
    return InstallError(
        f"{package or 'a package'} cannot be built{reason}",
        code="build-failed",
        package=package,
        hint="a version or a Python with ready-made wheels needs no building; else the log says what the build lacks",
    )


def _unknown(output: str, *, offline: bool, index_given: bool) -> EnvkitError | None:
    """Read uv's words about a name that it did not find."""
    match = _UNKNOWN.search(output) or _UNKNOWN_LATER.search(output)
    if match is None:
        return None
    package = normalized(match["name"])
    if _OFFLINE.search(output) or match["where"] == "the cache":
        return offline_error(package)
    return _no_package(
        package, "the index" if match["where"].endswith("registry") else "the places given", offline=offline, index_given=index_given
    )


def _no_package(package: str, where: str, *, offline: bool, index_given: bool = False) -> EnvkitError:
    if offline:
        return offline_error(package)
    more = "; the call named the index itself" if index_given else ""
    return InstallError(
        f"there is no package {package!r} in {where}", code="package-not-found", package=package, hint=f"check the name and the index{more}"
    )


def offline_error(package: str | None) -> NetworkError:
    """Return the error for what would need the network when it may not be used."""
    return NetworkError(
        f"{package or 'what is needed'} is not on this machine, and the network may not be used",
        code="offline",
        retryable=False,
        hint="call once without offline, or name a directory of wheels in Sources.find_links",
    )


def _uv_python(output: str, python: str) -> EnvkitError | None:
    if (match := _UV_PYTHON.search(output)) is None or not _CONFLICT.search(output):
        return None
    name = re.match(rf"\s*and (?:all of:\s+)?(?P<name>{_NAME})", output[match.end("need") :])
    package = normalized(name["name"]) if name else None
    return _too_old(package, python, f"Python {match['need']}")


def _too_old(package: str | None, python: str, need: str) -> InstallError:
    return InstallError(
        f"{package or 'what is wanted'} needs {need}, and this is Python {python}",
        code="python-too-old",
        package=package,
        hint="take a newer Python, or allow an older version of the package",
    )


def _network(output: str, details: str, *, offline: bool) -> EnvkitError | None:
    if offline:
        return offline_error(None) if _OFFLINE.search(output) else None
    if _reached(output):
        return None
    match = _UNREACHABLE.search(output) or _UNREACHABLE.search(details)
    if match is None:
        return None
    url = (
        re.search(r"https?://[^\s'\"`)]+", (output + details)[max(0, match.start() - 300) :])
        if match.string is output
        else re.search(r"https?://[^\s'\"`)]+", details)
    )
    where = f" ({url[0].rstrip(':/,')})" if url else ""
    return NetworkError(f"the index cannot be reached{where}", hint="check the network, the proxy and the index settings, then call again")


def _unauthorized(output: str, details: str) -> EnvkitError | None:
    if _reached(output) or not (_UNAUTHORIZED.search(output) or _UNAUTHORIZED.search(details)):
        return None
    return NetworkError(
        "the index refused access: it wants credentials, or other ones",
        code="unauthorized",
        retryable=False,
        hint="give credentials by keyring, .netrc or the variables of pip and uv",
    )


def _reached(output: str) -> bool:
    """Say whether pip saw versions of what it did not find in the end, so that some index was reached."""
    match = _PIP_NONE.search(output)
    return match is not None and match["versions"].strip() != "none"


def _gone(output: str) -> EnvkitError | None:
    """Read the words about a URL that is not there."""
    match = _GONE.search(output)
    if match is None:
        return None
    named = _GONE_UV.search(output)
    package = normalized(named["name"]) if named else None
    return InstallError(f"there is nothing at {match['url']}", code="package-not-found", package=package, hint="check the URL")


def _pip_none(output: str, details: str, *, python: str, offline: bool) -> EnvkitError | None:
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


_PASSED_OVER = re.compile(r"requires a different Python \(\S+ not in: '(?P<need>[^']+)'\): (?P<url>\S+)")


def _unsolvable(output: str, flat: str) -> EnvkitError | None:
    """Read what a resolver says when no set of versions fits."""
    if not _CONFLICT.search(output):
        return None
    if (facts := _PIP_CONFLICT.search(output)) is not None:
        reason = "; ".join(line.strip() for line in facts["facts"].splitlines())
    else:
        causes = [" ".join(match["text"].split()) for match in _CAUSE.finditer(output)]
        reason = causes[0] if causes else _last_words(output)
    one = _UV_NONE.search(flat)
    wheels = _UV_WHEELS.search(flat)
    if (one or wheels) and not re.search(r"depends? on (?!Python)", reason) and facts is None:
        found = str((one["one"] or one["two"]) if one else wheels["name"] if wheels else "")
        package = normalized(re.split(r"[<>=!~]", found)[0])
        hint = re.search(r"^hint: (.*)$", output, re.MULTILINE)
        return InstallError(
            f"no version of {package} fits: {_cut(reason)}",
            code="no-matching-version",
            package=package,
            hint=hint[1] if hint else "loosen the requirement",
        )
    package_match = re.search(rf"(?:you require|The user requested) (?P<name>{_NAME})", flat)
    first = normalized(package_match["name"]) if package_match else None
    return InstallError(
        f"no versions fit together: {_cut(reason)}",
        code="conflict",
        package=first,
        hint="loosen or remove one of the requirements that conflict",
    )


def _old(output: str, kind: Kind) -> EnvkitError | None:
    if (match := _OLD_UV.search(output)) is None:
        return None
    option = match["option"] or match["pip"] or "what is asked of it"
    return InstallError(
        f"this {kind} does not know {option}", code="installer-too-old", hint=f"update {kind}, or choose the other one by ENVKIT_INSTALLER"
    )


def _last_words(output: str) -> str:
    """Return the lines that say what went wrong, or the last one."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    said = [line for line in lines if re.match(r"(?i)(error|fatal)\b", line)]
    return _cut("; ".join(said[-3:]) or (lines[-1] if lines else "it said nothing"))


def _cut(text: str) -> str:
    return text if len(text) <= _LIMIT else text[:_LIMIT] + "..."
