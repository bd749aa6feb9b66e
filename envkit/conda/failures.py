"""What the embedded engine's failures mean: an error of its child process in, a typed error out, secrets masked.

py-rattler's exceptions share no base and carry a text alone, so this reads text, as it is since 0.26.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from .. import errors
from ..errors import EnvkitError, InstallError, MachineError, NetworkError, UsageError
from .explanation import explained

if TYPE_CHECKING:
    from .channels import Channel

EXTRA_HINT: Final = "pip install 'envkit-python[conda]', or put conda, mamba or micromamba on PATH"
_URL = re.compile(r"(?:https?|file|s3|oci|gcs)://[^\s)'\"`]+")
_TOKEN = re.compile(r"/t/[^/]+/")
_UNAUTHORIZED = re.compile(r"\((?:401|403|407) |\b(?:401 Unauthorized|403 Forbidden)\b")
_NO_CHANNEL = re.compile(r"could not find subdir '[^']*' in channel '(?P<url>[^']*)'")
_OFFLINE = re.compile(
    r"no usable repodata cache for|no sharded repodata index is cached|the shard for package '(?P<name>[^']*)' is not in the cache"
)
_HASH = re.compile(
    r"hash mismatch|hashes? (?:do|does) not match|(?:sha256|md5) mismatch|invalid checksum|invalid zip archive", re.IGNORECASE
)
_UNREACHABLE = re.compile(
    r"error sending request|client error \(Connect\)|HTTP status (?:client|server) error|dns error|operation timed out|connection (?:closed|reset)"
    r"|error decoding response body|error reading a body|end of file before message length|failed to download|unexpected end of file|early eof",
    re.IGNORECASE,
)
_NO_LIST = re.compile(
    r"failed to decode zstd|invalid or truncated data|empty response|failed to parse|expected value|expected ident|EOF while parsing"
    r"|error following redirect|zstd error|unknown frame descriptor|invalid type:",
    re.IGNORECASE,
)
_TOO_LONG = re.compile(r"target prefix cannot be longer than the placeholder|placeholder.*too (?:long|short)")
_MACHINE: Final = (
    (
        re.compile(r"os error 28\b|No space left|Disk quota exceeded|os error 122\b"),
        "disk-full",
        "the disk is full",
        "free some space and call again",
    ),
    (re.compile(r"os error 30\b|Read-only file system"), "read-only", "the file system is read-only", "choose a place that can be written"),
    (re.compile(r"os error 36\b|File name too long"), "name-too-long", "a path is too long", "choose a shorter path"),
    (
        re.compile(r"os error 13\b|Permission denied|os error 5\b.*denied"),
        "no-permission",
        "permission denied",
        "choose a place that you may write",
    ),
)
_LIMIT: Final = 300  # characters of the engine's own words in a message


def typed(error: dict[str, Any], *, channels: Sequence[Channel], mask: Callable[[str], str]) -> EnvkitError:
    """Return the error for what the child process said.

    Args:
        error: its class (`kind`), its text (`message`), and facts.
        channels: where was looked.
        mask: takes secrets out of a text.
    """
    kind, text = str(error["kind"]), mask(str(error["message"]))
    if kind == "SolverError":
        return _unsolvable(text, error, channels)
    if kind in vars(errors) and issubclass(vars(errors)[kind], EnvkitError):
        return _own(kind, text, error, mask)
    if kind in {"ModuleNotFoundError", "ImportError"}:
        return missing_extra(text)
    return _machine(text) or _download(text, channels) or _other(kind, text)


def missing_extra(why: str = "") -> UsageError:
    """Return the error for an engine that is not installed."""
    reason = f" ({why})" if why else ""
    return UsageError(f"conda environments need py-rattler, which cannot be imported here{reason}", code="extra-missing", hint=EXTRA_HINT)


def _own(kind: str, text: str, error: dict[str, Any], mask: Callable[[str], str]) -> EnvkitError:
    """Return an error that the child process named itself."""
    facts = {name: value for name, value in error.items() if name not in {"kind", "message"}}
    if "path" in facts:
        facts["path"] = Path(facts["path"])
    if isinstance(facts.get("hint"), str):
        facts["hint"] = mask(facts["hint"])
    made: EnvkitError = vars(errors)[kind](text, **facts)
    return made


def _unsolvable(text: str, error: dict[str, Any], channels: Sequence[Channel]) -> InstallError:
    why = explained(
        text,
        asked=error.get("asked", ()),
        limits=error.get("limits", ()),
        available=error.get("available", {}),
        channels=[channel.name for channel in channels],
    )
    hints = {
        "package-not-found": "check the name, or name a channel that has it",
        "no-matching-version": "ask for a version that is there, or name a channel that has it",
        "virtual-package": "choose another build or version; CONDA_OVERRIDE_... says what a machine has, where it cannot be seen",
        "conflict": "leave one of them out, or allow other versions",
    }
    strict = "; channel_priority is strict, so each package comes from the first channel that has it" if error.get("strict") else ""
    newest = f"; only packages from before {_moment(error['newest'])} count" if error.get("newest") else ""
    return InstallError(why.text + strict + newest, code=why.code, package=why.package, hint=hints[why.code])


def _moment(text: str) -> str:
    """Return a moment in UTC as people write it."""
    return f"{text[:16].replace('T', ' ')} UTC"


def _machine(text: str) -> EnvkitError | None:
    if _TOO_LONG.search(text):
        return InstallError(
            f"the environment's path is longer than {_package(text)} allows",
            code="prefix-too-long",
            package=_package(text, "") or None,
            hint="choose a shorter path: the package keeps a fixed space for it in its binary files",
        )
    for pattern, code, what, hint in _MACHINE:
        if (match := pattern.search(text)) is not None:
            line = next((line for line in text.splitlines() if match[0] in line), match[0])
            return MachineError(
                f"packages cannot be installed: {what} ({line.strip()[:_LIMIT]})", code=code, hint=hint, retryable=code == "disk-full"
            )
    return None


def _package(text: str, otherwise: str = "a package") -> str:
    match = re.search(r"failed to (?:link|fetch) (?P<stem>\S+?)(?:\.conda|\.tar\.bz2)?$", text, re.MULTILINE)
    return match["stem"].rsplit("-", 2)[0] if match else otherwise


def _download(text: str, channels: Sequence[Channel]) -> EnvkitError | None:
    """Return the error for what could not be had of a channel."""
    where = _channel(text, channels)
    if _HASH.search(text):
        name = _package(text, "")
        return InstallError(
            f"{name or 'a package'} from {where} is not what its hash says",
            code="hash-mismatch",
            package=name or None,
            hint="the channel or the lock is wrong or was tampered with; do not use it before you know which",
        )
    if match := _OFFLINE.search(text):
        what = f"what {where} has of {match['name']}" if match["name"] else f"what {where} has"
        return NetworkError(
            f"{what} was never read on this machine, and the call is to stay offline", code="offline", hint="call again without offline"
        )
    if _UNAUTHORIZED.search(text):
        return NetworkError(
            f"{where} wants credentials, or other ones",
            code="unauthorized",
            retryable=False,
            hint="put them into ~/.netrc or the keyring, not into a spec",
        )
    if match := _NO_CHANNEL.search(text):
        return NetworkError(
            f"{where} is no conda channel: nothing is at {match['url']}",
            code="channel-not-found",
            retryable=False,
            hint="check its name or URL",
        )
    if _NO_LIST.search(text) and "repodata" in text:
        return NetworkError(
            f"{where} answers with something else than a list of packages",
            code="network",
            hint="check its URL, and what stands between: a proxy or a page to log in answers so, too",
        )
    if _UNREACHABLE.search(text):
        last = text.strip().splitlines()[-1].removeprefix("Caused by: ")
        name = _package(text, "")
        return NetworkError(
            f"{name} could not be fetched from {where}: {last[:_LIMIT]}" if name else f"{where} cannot be reached: {last[:_LIMIT]}",
            code="network",
            hint="say where its certificates are: ssl_verify in condarc"
            if "certificate" in last
            else "call again when the network or the channel is there",
        )
    return None


def _channel(text: str, channels: Sequence[Channel]) -> str:
    """Return which channel a text speaks of."""
    urls = [_TOKEN.sub("/", url) for url in _URL.findall(text)]
    for channel in channels:
        if any(url.startswith(channel.url) for url in urls):
            return f"the channel {channel.name}"
    return f"the channel at {urls[0]}" if urls else "a channel" if len(channels) != 1 else f"the channel {channels[0].name}"


def _other(kind: str, text: str) -> EnvkitError:
    said = " ".join(line.strip() for line in text.splitlines())[:_LIMIT] or kind
    return InstallError(f"the packages cannot be installed: {said}", code="install-failed", hint="the log holds all that was said")
