"""uv's configuration files, cut down as pip's are, and what pip's configuration says told to uv.

uv looks for `[tool.uv]` upwards from its working directory, so a stranger's pyproject.toml could redirect the index. It is
therefore given one file, or none: made of the user's and the system's `uv.toml`, with only the keys that may count.

Source: uv's documentation, "Configuration files" and "Environment variables".
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard, cast

from ..errors import CorruptError
from .configuration import config_home, truth
from .environ import uv_own

if TYPE_CHECKING:
    from ..host import Host
    from ..models.specs import Sources

_INDEXES = ("index", "index-url", "extra-index-url", "no-index")
_TRANSPORT = frozenset(
    {
        "allow-insecure-host", "cache-dir", "compile-bytecode", "concurrent-builds", "concurrent-downloads", "concurrent-installs",
        "http-proxy", "https-proxy", "link-mode", "native-tls", "no-cache", "no-proxy", "offline", "system-certs",
    }
)  # fmt: skip
_ORIGIN = frozenset(
    {
        *_INDEXES, "exclude-newer", "exclude-newer-package", "find-links", "index-strategy", "keyring-provider", "no-binary",
        "no-binary-package", "no-build", "no-build-package", "only-binary",
    }
)  # fmt: skip

_PIP_WORDS = {
    "timeout": "UV_HTTP_TIMEOUT",
    "retries": "UV_HTTP_RETRIES",
    "trusted-host": "UV_INSECURE_HOST",
}  # what is named in one word by both


def uv_settings(host: Host, sources: Sources) -> dict[str, Any]:
    """Return what the user's and the system's `uv.toml` say, cut down to what may count; the table "pip" is one of its keys.

    Raises:
        CorruptError: a file cannot be read as TOML.
    """
    isolated = sources.configuration == "isolated"
    kept = _TRANSPORT if isolated else _TRANSPORT | _ORIGIN
    if sources.indexes:
        kept = kept.difference(_INDEXES)
    settings: dict[str, Any] = {}
    for path in _files(host):
        _merge(settings, _read(path), kept, os.path.dirname(path))
    return settings


def _files(host: Host) -> Iterator[str]:
    """Yield the files, the system's first; a file that `UV_CONFIG_FILE` names stands alone."""
    if truth(host.environ.get("UV_NO_CONFIG", "")):
        return
    if stated := host.environ.get("UV_CONFIG_FILE"):
        yield str(host.path(stated))
        return
    if host.platform == "win32":
        yield str(host.path(host.environ.get("PROGRAMDATA") or "C:\\ProgramData") / "uv" / "uv.toml")
        roaming = host.environ.get("APPDATA")
        yield str((host.path(roaming) if roaming else host.home / "AppData" / "Roaming") / "uv" / "uv.toml")
        return
    directories = (host.environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":")
    places = [host.path(os.path.join(text, "uv", "uv.toml")) for text in directories if text.startswith("/")]
    system = next((place for place in (*places, host.path("/etc/uv/uv.toml")) if place.is_file()), None)
    if system is not None:
        yield str(system)
    yield str(config_home(host) / "uv" / "uv.toml")


def _read(path: str) -> dict[str, Any]:
    import tomllib  # noqa: PLC0415 - only where such a file is

    try:
        with open(path, "rb") as stream:
            return tomllib.load(stream)
    except OSError:
        return {}
    except (ValueError, RecursionError) as error:
        raise CorruptError(f"uv's configuration {path} cannot be read: {error}", path=Path(path), hint="mend or remove the file") from error


def _merge(settings: dict[str, Any], given: Mapping[str, Any], kept: frozenset[str], directory: str) -> None:
    """Put the keys that count into `settings`: tables key by key, lists in front of those there, all else in place of it."""
    for name, value in given.items():
        if name == "pip" and isinstance(value, dict):
            _merge(settings.setdefault("pip", {}), cast("dict[str, Any]", value), kept, directory)
        elif name in kept:
            if name == "find-links":
                value = [_anchored(link, directory) for link in value if isinstance(link, str)]  # noqa: PLW2901 - made absolute
            settings[name] = _joined(value, settings.get(name))


def _joined(value: Any, there: Any) -> Any:
    """Return two lists as one, or the value that counts more."""
    return [*value, *there] if _is_list(value) and _is_list(there) else value


def _is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def _anchored(link: str, directory: str) -> str:
    return link if "://" in link else os.path.join(directory, os.path.expanduser(link))


def uv_environ(host: Host, sources: Sources, settings: Mapping[str, Any], pip: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of uv: its own that may count, and pip's configuration in uv's words where uv's own says nothing.

    Credentials in a configured URL come this way, as variables, and so never stand in an argument list.
    """
    isolated = sources.configuration == "isolated"
    found = uv_own(host.environ, isolated=isolated, indexes=not sources.indexes)
    table = cast("dict[str, Any]", settings.get("pip", {}))
    stated = {*settings, *table}
    names_indexes = any(name in found for name in ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL"))
    if not names_indexes and stated.isdisjoint(_INDEXES):
        if index := pip.get("index-url"):
            found["UV_DEFAULT_INDEX"] = index
        if extra := pip.get("extra-index-url"):
            found["UV_INDEX"] = extra
            found.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")  # what extra-index-url means to pip
    links = pip.get("find-links", "").split() if "find-links" not in stated and "UV_FIND_LINKS" not in found else []
    links += found.get("UV_FIND_LINKS", "").split(",") if found.get("UV_FIND_LINKS") else []
    if links := [*sources.find_links, *links]:
        found["UV_FIND_LINKS"] = ",".join(links)
    for option, variable in _PIP_WORDS.items():
        if (value := pip.get(option)) and not (isolated and option in {"trusted-host", "keyring-provider"}):
            found.setdefault(variable, value)
    _translate_transport(found, host.environ, pip)
    return found


def _translate_transport(found: dict[str, str], environ: Mapping[str, str], pip: Mapping[str, str]) -> None:
    """Put pip's certificate, proxy, keyring and rules about builds into uv's words."""
    if (certificate := pip.get("cert")) and "SSL_CERT_FILE" not in environ:
        found["SSL_CERT_FILE"] = certificate
    if (client := pip.get("client-cert")) and "SSL_CLIENT_CERT" not in environ:
        found["SSL_CLIENT_CERT"] = client
    if (proxy := pip.get("proxy")) and not any(name in environ for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")):
        found["ALL_PROXY"] = proxy
    if pip.get("keyring-provider") == "subprocess":
        found.setdefault("UV_KEYRING_PROVIDER", "subprocess")
    for option, variable in (("only-binary", "UV_NO_BUILD"), ("no-binary", "UV_NO_BINARY")):
        names = pip.get(option, "").replace(",", " ").split()
        if ":all:" in names:
            found.setdefault(variable, "1")
        elif names := [name for name in names if name != ":none:"]:
            found.setdefault(f"{variable}_PACKAGE", " ".join(names))
