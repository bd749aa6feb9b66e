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
from .resolution import LIMIT, NAME, OFFLINE, cut, last_words, offline_error, pip_none, reached, unknown, unsolvable, uv_python

if TYPE_CHECKING:
    from .request import Kind


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
_HASH = re.compile(rf"Hash mismatch for `(?P<uv>{NAME})|DO NOT MATCH THE HASHES.*?\n\s*(?P<pip>{NAME})", re.DOTALL)
_UNAUTHORIZED = re.compile(
    r"\b40[13] (?:Client )?Error|\b(?:401 Unauthorized|403 Forbidden)\b|HTTP error 40[13]|Credentials not correct|Missing credentials"
)
_UNREACHABLE = re.compile(
    r"error sending request|Request failed after|client error \(Connect\)|dns error|connection (?:error|broken by)|HTTP status server error"
    r"|Could not fetch URL \S+: (?!404)|ReadTimeoutError|ConnectTimeoutError|NewConnectionError|ProxyError|SSLError|operation timed out"
    r"|HTTP error 5\d\d|Max retries exceeded|Connection reset|incomplete-download|IncompleteRead|end of file before message length"
    r"|error decoding response body|certificate verify failed|Failed to fetch: `?https?://\S+\n(?!.*404)"
)
_GONE = re.compile(
    r"(?:HTTP error 404 while getting|404 \(?Not Found\)? for url:?|404 Client Error: Not Found for url:) ?\(?(?P<url>[^\s)]+)"
)
_GONE_UV = re.compile(rf"Failed to download `(?P<name>{NAME})[^`]*`.*404 Not Found", re.DOTALL)
_BUILD = re.compile(
    r"build backend returned an error|Failed to build|subprocess-exited-with-error|did not run successfully|Failed building wheel|metadata-generation-failed"
    r"|Failed to prepare|installing build dependencies|BackendUnavailable|Failed to resolve requirements from `build-system"
)
_BUILD_NAME = re.compile(
    rf"Failed (?:to build|building wheel for)(?: installable wheels for some pyproject.toml based projects)?:? ?\(?[`']?(?P<name>{NAME})(?:==| @|`|'|\)|\s|$)",
    re.MULTILINE,
)
_TRACE_END = re.compile(r"^\s*((?:[A-Za-z_][\w.]*(?:Error|Exception|NotFound|Unavailable|Exit)\b): [^\n]*)", re.MULTILINE)
_PIP_TRACE = re.compile(r"^ {2}\s*((?:[A-Za-z_][\w.]*(?:Error|Exception|NotFound|Unavailable|Exit)\b): [^\n]*)", re.MULTILINE)
_TELLING = re.compile(r"Could not fetch URL|requires a different Python|connection broken by|No space left|40[13] Client Error")
_OLD_UV = re.compile(r"error: unexpected argument '(?P<option>[^']+)'|unrecognized subcommand|no such option: (?P<pip>\S+)")


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
    telling = _telling(details)
    flat = " ".join(output.split())  # uv before 0.9 wraps its lines
    readers: tuple[Callable[[], EnvkitError | None], ...] = (
        lambda: machine_failure(output + telling),
        lambda: _managed(output),
        lambda: _hash(output),
        lambda: _build(output, details),
        lambda: _unauthorized(output, telling),
        lambda: unknown(flat, offline=offline, index_given=index_given),
        lambda: uv_python(flat, python),
        lambda: _network(output, telling, offline=offline),
        lambda: _gone(output),
        lambda: pip_none(output, telling, python=python, offline=offline),
        lambda: unsolvable(output, flat),
        lambda: _old(output, kind),
    )
    for reader in readers:
        if (error := reader()) is not None:
            return error
    return InstallError(f"{kind} failed: {last_words(output)}", hint="the log holds all that it said")


def machine_failure(output: str, subject: str = "packages cannot be installed") -> MachineError | None:
    """Return the error for a disk that is full or may not be written, None if a tool said nothing of that."""
    for pattern, code, what, hint in _MACHINE:
        if (match := pattern.search(output)) is not None and not (code == "no-permission" and _BUILD.search(output)):
            line = next((line for line in output.splitlines() if match[0] in line), match[0])
            return MachineError(f"{subject}: {what} ({line.strip()[:LIMIT]})", code=code, hint=hint, retryable=code == "disk-full")
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
    reason = f": {cut(said[0].strip())}" if said else ""
    return InstallError(
        f"{package or 'a package'} cannot be built{reason}",
        code="build-failed",
        package=package,
        hint="a version or a Python with ready-made wheels needs no building; else the log says what the build lacks",
    )


def unreachable(output: str, details: str) -> EnvkitError | None:
    """Return the error for an index that could not be reached, or refused, None if a tool said nothing of that; it may have ended well."""
    telling = _telling(details)
    return _unauthorized(output, telling) or _network(output, telling, offline=False)


def _telling(details: str) -> str:
    """Return the lines of pip's detailed log that tell why."""
    return "\n".join(line for line in details.splitlines() if _TELLING.search(line))


def _network(output: str, details: str, *, offline: bool) -> EnvkitError | None:
    if offline:
        return offline_error(None) if OFFLINE.search(output) else None
    if reached(output):
        return None
    text = output if _UNREACHABLE.search(output) else details
    match = _UNREACHABLE.search(text)
    if match is None:
        return None
    url = re.search(r"https?://[^\s'\"`)]+", text[max(0, match.start() - 300) :])
    where = f" ({url[0].rstrip(':/,')})" if url else ""
    return NetworkError(f"the index cannot be reached{where}", hint="check the network, the proxy and the index settings, then call again")


def _unauthorized(output: str, details: str) -> EnvkitError | None:
    if reached(output) or not (_UNAUTHORIZED.search(output) or _UNAUTHORIZED.search(details)):
        return None
    return NetworkError(
        "the index refused access: it wants credentials, or other ones",
        code="unauthorized",
        retryable=False,
        hint="give credentials by keyring, .netrc or the variables of pip and uv",
    )


def _gone(output: str) -> EnvkitError | None:
    """Read the words about a URL that is not there."""
    match = _GONE.search(output)
    if match is None:
        return None
    named = _GONE_UV.search(output)
    package = normalized(named["name"]) if named else None
    return InstallError(f"there is nothing at {match['url']}", code="package-not-found", package=package, hint="check the URL")


def _old(output: str, kind: Kind) -> EnvkitError | None:
    if (match := _OLD_UV.search(output)) is None:
        return None
    option = match["option"] or match["pip"] or "what is asked of it"
    return InstallError(
        f"this {kind} does not know {option}", code="installer-too-old", hint=f"update {kind}, or choose the other one by ENVKIT_INSTALLER"
    )
