"""What conda, mamba and micromamba say when they fail: their documents and words in, the embedded engine's errors out.

conda names the class of its exception in a JSON document; its plug-ins, and solvers of other projects, bring classes of their own.
mamba up to 2.8.0 has a list of problems, or nothing but words on standard error; from 2.8.1 on its log is a part of the document.

Source: conda's exceptions.py and exception_handler.py; libmamba's core/output.cpp, download/downloader.cpp, solver/problems_graph.cpp.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from ..errors import BusyError, EnvkitError, InstallError, MachineError, NetworkError, RefusedError, UsageError
from ..formats.conda_url import package_file
from .command_output import is_table, items
from .explanation import explained

if TYPE_CHECKING:
    from .command_output import Said

_LONGEST: Final = 2000  # characters of a tool's words that stand in a message
_NAME: Final = r"[A-Za-z0-9_][A-Za-z0-9_.\-]*"

_Error = type[EnvkitError]
_CODES: Final[tuple[tuple[str, _Error, str, str], ...]] = (
    ("Unsatisfiable|SpecsConfigurationConflict", InstallError, "conflict", "loosen what is asked for, or see what is pinned"),
    ("ResolvePackageNotFound|PackagesNotFound(?!InPrefix)|NoPackagesFound", InstallError, "package-not-found", "check name and channels"),
    ("ChecksumMismatch", InstallError, "hash-mismatch", "the channel or something on the way changed the file; check the channel"),
    ("Offline", NetworkError, "offline", "call again without offline"),
    (
        "CondaSSL|Proxy|CondaHTTP|ConnectionFailed|UnavailableInvalidChannel",
        NetworkError,
        "network",
        "check the network, the proxy and the channel",
    ),
    ("NoSpaceLeft", MachineError, "disk-full", "free some space and call again"),
    ("NotWritable|NoWritable", MachineError, "no-permission", "choose a place that you may write, or change its permissions"),
    ("EnvironmentIsFrozen", RefusedError, "frozen", "whoever froze it did not want it changed; make an environment of your own"),
    ("UnknownPackageClobber", RefusedError, "foreign-files", "move the files away, or make the environment anew"),
    (
        "ChannelNotAllowed|ChannelDenied|OperationNotAllowed",
        RefusedError,
        "channel-denied",
        "take another channel, or ask whoever wrote the condarc",
    ),
    ("Disallowed", InstallError, "disallowed", "the configuration of this machine does not allow it"),
    ("ToS", RefusedError, "refused", "accept the channel's terms with `conda tos accept`, or take other channels"),
    ("BinaryPrefixReplacement|Padding", InstallError, "prefix-too-long", "choose a shorter path for the environment"),
    ("RemoveError", RefusedError, "refused", "conda needs it to work"),
    ("Lock", BusyError, "busy", "wait for the other process, and call again"),
    ("Link|Clobber|CorruptedEnvironment|CondaVerification|Safety", InstallError, "link-failed", "the log holds all that was said"),
    (
        "InvalidMatchSpec|InvalidVersionSpec|InvalidSpec|MalformedSpec",
        UsageError,
        "match-spec",
        "write it as `name`, `name=1.2` or `name>=1,<2`",
    ),
    ("Argument", InstallError, "installer-too-old", "update it, or use the embedded engine (ENVKIT_CONDA_ENGINE=rattler)"),
)
# What the words of a tool mean where no document does: mamba's log, and conda where it cannot even write its document.
_WORDS: Final[tuple[tuple[str, str], ...]] = (
    (r"InvalidMatchSpec: |Invalid spec |Could not parse|Invalid (?:version|package name)", "InvalidMatchSpec"),
    (r"No space left on device|Disk quota exceeded|NoSpaceLeft", "NoSpaceLeft"),
    (r"doesn't match expectation|tarball has incorrect|ChecksumMismatch|(?:sha256|md5) mismatch", "ChecksumMismatch"),
    (r"status:? 40[13]|\(status 40[13]\)|HTTP 40[13]|40[13] (?:Client Error|Unauthorized|Forbidden)", "CondaHTTP"),
    (r"Download error|Multi-download failed|not loaded!|Could not load repodata|CONNECTION FAILED|Transfer finalized, status", "CondaHTTP"),
    (r"does not exist \(perhaps|nothing provides requested|No candidates were found", "PackagesNotFoundInChannels"),
    (r"Could not solve for environment specs|are incompatible|nothing provides|none of the providers can be installed", "Unsatisfiable"),
    (r"[Pp]ermission denied|\[Errno 13\]|not writable|Access is denied|[Rr]ead-only file system", "NotWritable"),
    (r"LockFile acquisition failed|Could not set lock", "Lock"),
    (r"is marked as frozen|environment is frozen", "EnvironmentIsFrozen"),
    (r"unrecognized arguments|The following arguments? (?:was|were) not expected", "Argument"),
)
_MISSING: Final = re.compile(
    rf"(?:nothing provides requested|No candidates were found for|[└├│─ ]*) ?(?P<name>{_NAME})[^\n]*?(?: does not exist \(perhaps|$)",
    re.MULTILINE,
)
_VIRTUAL: Final = re.compile(r"__[a-z]+\b")
_MISSING_VIRTUAL: Final = re.compile(r"nothing provides (?:requested )?__[a-z]|__[a-z]+[^\n]* is missing on the system")


def failure(tool: str, said: Said, words: str, *, offline: bool) -> EnvkitError:
    """Return the error for a tool that failed.

    Args:
        tool: its name. said: what it wrote on standard output. words: all that it wrote, secrets masked.
        offline: the network was not to be used.
    """
    documents = list(_failures(said.documents))
    for pattern, kind, code, hint in _CODES:  # of several the most telling
        for document in documents:
            if re.search(pattern, name := str(document["exception_name"])):
                text = str(document.get("message") or document.get("error") or name)
                return _made(kind, code, hint, tool, text, document, offline=offline)
    return _of_words(tool, said, words, offline=offline)


def only_known_clobbers(said: Said) -> bool:
    """Say whether conda refused because packages bring the same file, and not because a file is there that no package owns."""
    names = [str(document.get("exception_name")) for document in _failures(said.documents)]
    return bool(names) and all("Clobber" in name and not name.startswith("Unknown") for name in names)


def _failures(documents: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield the failures that documents tell of, those inside of others instead of these."""
    for document in documents:
        if inner := items(document.get("errors")):
            yield from _failures(filter(is_table, inner))
        elif "exception_name" in document:
            yield document


def _of_words(tool: str, said: Said, words: str, *, offline: bool) -> EnvkitError:
    text = "\n".join([*_problems(said.documents), words])
    for pattern, name in _WORDS:
        if (match := re.search(pattern, text)) is not None:
            line = _told(said, text, match)
            for known, kind, code, hint in _CODES:
                if re.search(known, name):
                    return _made(kind, code, hint, tool, line, {}, offline=offline)
    message = next((str(document["message"]) for document in said.documents if document.get("message")), "") or _last(text)
    return InstallError(f"{tool} failed: {_cut(message)}", hint="the log holds all that it said")


def _problems(documents: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield what mamba's documents tell of a failure: the solver's problems, and its log."""
    for document in documents:
        yield from map(str, items(document.get("solver_problems")))
        for record in filter(is_table, items(document.get("log_history"))):
            if record.get("level") in {"error", "critical"}:
                yield str(record.get("message"))


def _told(said: Said, text: str, match: re.Match[str]) -> str:
    """Return the words around a match that tell why: all problems of a solver, else the line."""
    if problems := [problem for problem in _problems(said.documents) if match.re.search(problem)]:
        tree = [problem for problem in _problems(said.documents) if "incompatible" in problem or "could not be installed" in problem]
        return "\n".join(tree or problems)
    start = text.rfind("\n", 0, match.start()) + 1
    end = text.find("\n", match.end())
    return text[start : end if end >= 0 else len(text)]


def _made(kind: _Error, code: str, hint: str, tool: str, text: str, document: Mapping[str, Any], *, offline: bool) -> EnvkitError:
    """Return the error of a kind, with what only some kinds tell."""
    special: Mapping[str, Callable[[], EnvkitError | None]] = {
        "package-not-found": lambda: _not_found(text, document, offline=offline),
        "conflict": lambda: _conflict(text, document, hint),
        "network": lambda: _network(text, document),
        "hash-mismatch": lambda: _mismatch(text, document, hint),
        "no-permission": lambda: _not_writable(text, document),
    }
    if code in special and (error := special[code]()) is not None:
        return error
    retryable = {"retryable": True} if kind is NetworkError else {}
    return kind(f"{tool} says: {_cut(text)}", code=code, hint=hint, **retryable)


def _conflict(text: str, document: Mapping[str, Any], hint: str) -> InstallError:
    """Return the error for what does not fit together, in words: from conda's chains of needs, from a solver's tree, or as it is said."""
    if chains := _chains(text, document):
        if all(_VIRTUAL.match(chain[-1]) for chain in chains):
            return _lacking(", ".join(dict.fromkeys(" needs ".join(chain) for chain in chains)), chains[0][0])
        names = list(dict.fromkeys(chain[0] for chain in chains))
        told = "; ".join(dict.fromkeys(" needs ".join(chain) for chain in chains if len(chain) > 1))
        return InstallError(
            f"{', '.join(names)} cannot be installed{' together' if len(names) > 1 else ''}: {_cut(told)}",
            code="conflict",
            package=names[0].partition(" ")[0],
            hint=hint,
        )
    if "would require" in text or "No candidates were found" in text:  # py-rattler's words, by conda's plug-in for it
        why = explained(text, asked=(), limits=(), available={}, channels=())
        return InstallError(why.text, code=why.code, package=why.package, hint=hint)
    text = re.sub(r"^(?:Encountered problems while solving:?|Could not solve for environment specs)\s*", "", text).strip() or text
    if _MISSING_VIRTUAL.search(text) and "incompatible" not in text:
        return _lacking(_cut(text), None)
    return InstallError(f"no versions fit together: {_cut(text)}", code="conflict", hint=hint)


def _chains(text: str, document: Mapping[str, Any]) -> list[list[str]]:
    """Return who needs what, as conda's own solver tells it: in its document, else in lines such as "a -> b[version='>=2']"."""
    said = [items(chain) for chain in items(document.get("unsatisfiable"))]
    said = said or [line.strip().removeprefix("- ").split(" -> ") for line in text.splitlines() if " -> " in line and "─" not in line]
    return [[_plain(spec) for spec in chain] for chain in said if chain and "Requested package" not in str(chain[0])]


def _lacking(text: str, package: str | None) -> InstallError:
    return InstallError(
        f"{text}, which this machine does not have",
        code="virtual-package",
        package=package,
        hint="choose another build or version; CONDA_OVERRIDE_... says what a machine has, where it cannot be seen",
    )


def _plain(spec: object) -> str:
    """Return a match spec as people write it: "tiny[version='>=2']" is "tiny >=2"."""
    return re.sub(r"\[version='?([^'\]]*)'?\]", r" \1", str(spec))


def _not_found(text: str, document: Mapping[str, Any], *, offline: bool) -> EnvkitError | None:
    """Return the error for packages that no channel has; for one that this machine lacks, such as `__cuda`, and for what is not cached."""
    names = [str(name) for name in items(document.get("packages") or document.get("bad_deps"))]
    names = names or [match["name"] for match in _MISSING.finditer(text)]
    if not names:
        return None
    package = re.split(r"[^A-Za-z0-9_.\-]", names[0], maxsplit=1)[0].lower()
    listed = ", ".join(map(_plain, names))
    if all(_VIRTUAL.match(name) for name in names):
        return _lacking(f"{listed} is needed", package)
    if offline:
        return NetworkError(f"{listed} is not on this machine, and the call is offline", code="offline", hint="call again without offline")
    where = [str(url) for url in items(document.get("channel_urls"))]
    searched = f" (searched: {', '.join(where)})" if where else ""
    code = "package-not-found" if any(re.fullmatch(_NAME, name) for name in names) else "no-matching-version"
    return InstallError(f"no channel has {listed}{searched}", code=code, package=package, hint="check name, version and channels")


def _network(text: str, document: Mapping[str, Any]) -> NetworkError:
    url = str(document.get("channel_url") or document.get("url") or "") or next(
        iter(re.findall(r"\b(?:https?|file)://[^\s\]>'\",]+", text)), ""
    )
    status = str(document.get("status_code") or "") or next(iter(re.findall(r"(?:status:?|HTTP) (\d{3})\b", text)), "")
    where = f" ({url})" if url else ""
    if status in {"401", "403"}:
        return NetworkError(
            f"the channel refused access{where}: it wants credentials, or other ones",
            code="unauthorized",
            retryable=False,
            hint="give credentials in the channel's URL, by netrc, or in the tool's own store",
        )
    if status == "404":
        return NetworkError(
            f"there is no channel or file at {url}", code="channel-not-found", hint="check its name or URL", retryable=False
        )
    return NetworkError(
        f"the channel cannot be reached{where}: {_cut(_first(text))}", hint="check the network, the proxy and the channel, then call again"
    )


def _mismatch(text: str, document: Mapping[str, Any], hint: str) -> InstallError:
    package: str | None
    try:
        package = package_file(str(document.get("url") or "")).name
    except ValueError:
        found = re.search(rf"(?P<name>{_NAME})-[^-\s/]+-[^-\s/]+\.(?:conda|tar\.bz2)", text)
        package = found["name"] if found else None
    return InstallError(
        f"what was downloaded for {package or 'a package'} is not what its hash says", code="hash-mismatch", package=package, hint=hint
    )


def _not_writable(text: str, document: Mapping[str, Any]) -> MachineError:
    path = document.get("path") or document.get("environment_location")
    read_only = document.get("errno") == 30 or re.search(r"[Rr]ead-only file system", text)
    where = f"cannot write {path}" if path else _cut(_first(text))
    if read_only:
        return MachineError(f"{where}: the file system is read-only", code="read-only", hint="choose a place that can be written")
    return MachineError(
        f"{where}: permission denied", code="no-permission", hint="choose a place that you may write, or change its permissions"
    )


def _first(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), text)


def _last(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "it says nothing")


def _cut(text: str) -> str:
    text = text.strip()
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."
