"""Where packages would come from, as one short text: the same text, the same choice of versions, as long as the index says the same."""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING, Any

from .configuration import pip_settings
from .environ import uv_own
from .installers import VARIABLE
from .uv_configuration import uv_settings

if TYPE_CHECKING:
    from ..host import Host
    from ..models.specs import Sources


def fingerprint(sources: Sources, host: Host) -> str:
    """Return a hash of all that decides where an installer would look: sources, configuration, variables, directories of wheels.

    Credentials in a configuration are hashed with it and cannot be read back.

    Raises:
        CorruptError: a configuration file cannot be read.
    """
    isolated = sources.configuration == "isolated"
    pip = pip_settings(host, str(host.data), sources)
    uv = uv_settings(host, sources)
    own = uv_own(host.environ, isolated=isolated, indexes=not sources.indexes)
    links: list[Any] = [*sources.find_links, *pip.get("find-links", "").split(), *own.get("UV_FIND_LINKS", "").split(",")]
    for table in (uv, uv.get("pip", {})):
        links += table.get("find-links", []) if isinstance(table.get("find-links", []), list) else []
    material = [
        sources.indexes,
        None if sources.exclude_newer is None else sources.exclude_newer.isoformat(),
        sources.prereleases,
        isolated,
        sorted(pip.items()),
        uv,
        sorted(own.items()),
        host.environ.get(VARIABLE, ""),
        [_listing(str(link), host) for link in links if link],
    ]
    return hashlib.sha256(json.dumps(material, sort_keys=True, default=str).encode("utf-8", "surrogateescape")).hexdigest()


def _listing(link: str, host: Host) -> list[str]:
    """Return a place of wheels with what lies in it: a wheel that is added may be chosen."""
    if "://" in link and not link.startswith("file://"):
        return [link]
    directory = str(host.path(link.removeprefix("file://")))
    try:
        entries = [(entry.name, entry.stat()) for entry in os.scandir(directory)]
    except OSError:
        return [link]
    return [link, *sorted(f"{name} {status.st_size} {status.st_mtime_ns}" for name, status in entries)]
