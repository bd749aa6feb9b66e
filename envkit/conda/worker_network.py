"""The worker's way to channels: one client for all requests, with the credentials, mirrors and certificates of the request.

Credentials never become part of a channel's URL, or they would be written into `conda-meta`: what stands in a URL (conda's tokens)
is put there as a mirror of the channel, what stands in a header is added to each request by its host and path.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rattler.networking import AddHeadersMiddleware, Client, MirrorMiddleware, OciMiddleware, RetryMiddleware, S3Middleware
from rattler.repo_data.gateway import Gateway, SourceConfig

if TYPE_CHECKING:
    from rattler.networking.middleware import AuthenticationMiddleware, GCSMiddleware

    Middleware = (
        AddHeadersMiddleware | AuthenticationMiddleware | RetryMiddleware | MirrorMiddleware | OciMiddleware | GCSMiddleware | S3Middleware
    )

_RETRIES = 2  # besides the first try, after about one and two seconds
_PATIENCE = 300  # seconds that one file of repodata may take


def client_of(network: dict[str, Any], *, limited: bool = False) -> Client:
    """Return the client of a request; a `limited` one gives up a file that takes too long."""
    timeout = _PATIENCE if limited else None
    if not network["verify"]:
        return _unverified(network, timeout)
    middlewares: list[Middleware] = [RetryMiddleware(_RETRIES)]
    if network["mirrors"]:
        middlewares.append(MirrorMiddleware(network["mirrors"]))
    if network["headers"]:
        middlewares.append(AddHeadersMiddleware(_Headers(network["headers"])))
    if "oci" in network["schemes"]:
        middlewares.append(OciMiddleware())
    if "s3" in network["schemes"]:
        middlewares.append(S3Middleware())
    return Client(middlewares, timeout=timeout)


def gateway_of(network: dict[str, Any], cache: str, *, sharded: bool = True) -> Gateway:
    """Return what reads repodata; offline it is what was read before, however old."""
    source = SourceConfig(cache_action="force-cache-only" if network["offline"] else "cache-or-fetch", sharded_enabled=sharded)
    return Gateway(cache_dir=Path(cache), default_config=source, client=client_of(network, limited=True))


def _unverified(network: dict[str, Any], timeout: int | None) -> Client:
    """Return a client that believes any certificate, which only a configuration of py-rattler's own can ask for."""
    from rattler.config import Config  # noqa: PLC0415 - rarely needed

    lines = ["tls-no-verify = true"]
    if network["mirrors"]:
        lines += ["[mirrors]", *(f"{json.dumps(url)} = {json.dumps(mirrors)}" for url, mirrors in network["mirrors"].items())]
    return Client.from_config(Config.from_toml("\n".join(lines)), max_retries=_RETRIES, headers=network["all_headers"], timeout=timeout)


class _Headers:
    """Gives the headers for a request, by host and path; the first place that fits counts, for the parent put the longest first."""

    def __init__(self, places: list[list[Any]]) -> None:
        self._places = places

    def __call__(self, host: str, path: str) -> dict[str, str] | None:
        for place, start, headers in self._places:
            if host == place and (path == start or path.startswith(start.rstrip("/") + "/")):
                return dict(headers)
        return None
