"""Starting the embedded engine's child process: which Python, which directories on its path, which variables, what it is asked.

It runs in isolated mode and without `site`: nothing of the working directory, of PYTHON* variables or of `.pth` files is executed,
and it starts sooner. envkit and py-rattler are found where this process finds them.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from .. import conda
from ..errors import NotFoundError, UsageError
from .failures import missing_extra
from .worker import START

if TYPE_CHECKING:
    from ..host import Host
    from .configuration import Configuration
    from .request import Wish

_OVERRIDE: Final = "CONDA_OVERRIDE_"


def command() -> list[str]:
    """Return the command that starts the child.

    Raises:
        UsageError: py-rattler is not installed. NotFoundError: this process does not know its Python.
    """
    if not sys.executable:
        raise NotFoundError("this process does not say which Python it runs on", code="program-not-found", hint="set sys.executable")
    return [sys.executable, "-I", "-S", "-c", START, *dict.fromkeys((_own_directory(), rattler_directory()))]


def is_there() -> bool:
    """Say whether py-rattler is installed, without importing it."""
    return _found() is not None


def rattler_directory() -> str:
    """Return the directory that holds py-rattler.

    Raises:
        UsageError: it is not installed.
    """
    found = _found()
    if found is None:
        raise missing_extra()
    return found


def _found() -> str | None:
    try:
        spec = importlib.util.find_spec("rattler")
    except (ImportError, ValueError):
        return None
    if spec is None or not spec.origin:
        return None
    return os.path.dirname(os.path.dirname(os.path.abspath(spec.origin)))


def _own_directory() -> str:
    """Return the directory, or the archive, that holds the package `envkit` that runs here."""
    return os.path.dirname(os.path.dirname(os.path.abspath(conda.__path__[0])))


def environ_of(configuration: Configuration, host: Host) -> dict[str, str]:
    """Return the child's variables: the host's, with proxies, certificates and virtual packages as configured."""
    environ = {name: value for name, value in host.environ.items() if not name.startswith(_OVERRIDE)}
    environ |= configuration.overrides
    for scheme in ("http", "https"):
        if proxy := configuration.proxies.get(scheme):
            environ[f"{scheme}_proxy"] = environ[f"{scheme.upper()}_PROXY"] = proxy
    verify = configuration.ssl_verify
    if isinstance(verify, str) and verify != "truststore":
        environ["SSL_CERT_DIR" if os.path.isdir(verify) else "SSL_CERT_FILE"] = verify
    return environ


def request_of(
    wish: Wish,
    configuration: Configuration,
    host: Host,
    *,
    target: Path,
    said: Mapping[str, str],
    pinned: Iterable[str],
    restore: bool = False,
) -> dict[str, Any]:
    """Return what the child is asked, to be given as JSON.

    Args:
        restore: the exact packages are those of before, so nothing is asked for by them.
        target: the directory to link into; the prefix itself, or where an environment is made.
        said: the specs that the history tells, by name.
        pinned: match specs that limit the solve.
    """
    located, channels = _located(wish.install, configuration)
    return {
        "prefix": str(wish.prefix),
        "target": str(target),
        "create": wish.create,
        "install": list(_with_defaults(wish, configuration)),
        "located": located,
        "remove": [name.lower() for name in wish.remove],
        "update": None if wish.update is None else list(wish.update),
        "exact": None if wish.exact is None else [{"url": one.url, "md5": one.md5, "sha256": one.sha256} for one in wish.exact],
        "relink": list(wish.relink),
        "platform": wish.platform or configuration.platform,
        "exclude_newer": None if wish.exclude_newer is None else wish.exclude_newer.astimezone(UTC).isoformat(),
        "prune": wish.prune,
        "dry_run": wish.dry_run,
        "channels": channels,
        "names": {channel.name: channel.url for channel in configuration.channels},
        "priority": configuration.priority,
        "pinned": list(pinned),
        "disallowed": list(configuration.disallowed),
        "requested": dict(said),
        "cache": str(_cache(configuration, host)),
        "repodata": str(host.data / "cache" / "conda" / "repodata"),
        "network": _network(configuration, [*channels, *(one.url for one in wish.exact or ())]),
        "restore": restore,
    }


def _with_defaults(wish: Wish, configuration: Configuration) -> Iterable[str]:
    """Yield what is to be installed; a new environment gets the packages that the configuration gives every one."""
    from .worker_names import name_of  # noqa: PLC0415 - a module of the worker that needs nothing

    names = {name_of(text) for text in wish.install}
    yield from wish.install
    if wish.create and wish.exact is None:
        yield from (text for text in configuration.default_packages if name_of(text) not in names)


def _located(specs: Iterable[str], configuration: Configuration) -> tuple[dict[str, str], list[str]]:
    """Return specs that name a channel with its URL in place of the name, by what they were, and all channels that count."""
    located: dict[str, str] = {}
    urls = [channel.url for channel in configuration.channels]
    for text in specs:
        name, found, rest = text.rpartition("::")
        if found and "[" not in name:
            several = [channel.url for channel, _ in configuration.naming.channels(name)]
            urls += [url for url in several if url not in urls]
            located[text] = f"{several[0]}::{rest}" if len(several) == 1 else rest
    return located, urls


def _cache(configuration: Configuration, host: Host) -> Path:
    """Return the first package cache that can be written; the last one where none can, so that its error is told."""
    for place in configuration.caches:
        there = place
        while not there.exists() and there != there.parent:
            there = there.parent
        if os.access(there, os.W_OK | os.X_OK):
            return place
    return host.data / "cache" / "conda" / "pkgs"


def _network(configuration: Configuration, urls: list[str]) -> dict[str, Any]:
    """Return how channels are asked.

    A token of conda stands in the URL of a mirror of the channel, so that no record is written with it. Everything else is a header,
    which py-rattler adds by host and path.

    Raises:
        UsageError: a header would go to more than the place that it is for.
    """
    asked = [place for url in urls for place in configuration.mirrors.get(url) or (url,)]
    mirrors = {f"{url}/": found for url in urls if (found := _mirrors(url, configuration))}
    headers = {
        place: credential.headers()
        for place in dict.fromkeys(asked)
        if (credential := configuration.credential(place)) is not None and not credential.token
    }
    verify = configuration.ssl_verify is not False
    _refuse_spread(headers, asked, verify=verify)
    places = [[urlsplit(place).hostname, urlsplit(place).path, header] for place, header in headers.items()]
    return {
        "offline": configuration.offline,
        "verify": verify,
        "mirrors": mirrors,
        "headers": sorted(places, key=lambda entry: -len(str(entry[1]))),
        "all_headers": None if verify else next(iter(headers.values()), None),
        "schemes": sorted({urlsplit(url).scheme for url in asked}),
    }


def _mirrors(url: str, configuration: Configuration) -> list[str]:
    """Return where the files of a channel are asked for, conda's token in the path; empty where that is the URL itself."""
    found: list[str] = []
    for place in configuration.mirrors.get(url) or (url,):
        credential = configuration.credential(place)
        found.append(f"{credential.applied(place) if credential is not None and credential.token else place}/")
    return [] if found == [f"{url}/"] else found


def _refuse_spread(headers: Mapping[str, Mapping[str, str]], urls: list[str], *, verify: bool) -> None:
    """Refuse headers that another place would get as well: py-rattler tells hosts apart by name alone, and without verifying not at all.

    Raises:
        UsageError: one would.
    """
    for place, header in headers.items():
        ours = urlsplit(place)
        for url in urls:
            other = urlsplit(url)
            if not other.netloc or headers.get(url) == header or (other.scheme, other.netloc, verify) == (ours.scheme, ours.netloc, True):
                continue
            alike = other.hostname == ours.hostname and f"{other.path}/".startswith(f"{ours.path.rstrip('/')}/")
            if alike or not verify:
                raise UsageError(
                    f"the credentials for {place} would be sent to {url}, too",
                    code="credentials",
                    hint="use these channels in two calls" if verify else "give the certificates with ssl_verify: <path>",
                )
