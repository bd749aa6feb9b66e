"""pip's configuration as pip would read it, cut down to *where packages come from and how the network is reached*.

Read by us and handed on as variables, with pip's own files switched off: so a `target`, `user` or `dry-run` in somebody's
pip.conf cannot move an installation, and uv, which reads no pip configuration, obeys a company's index as pip does.

Source: pip's documentation, "Configuration"; pip/_internal/configuration.py for the places and their order.
"""

from __future__ import annotations

import configparser
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import CorruptError

if TYPE_CHECKING:
    from ..host import Host
    from ..models.specs import Sources

# What is kept in either case: it says how to reach the network and where to cache, not what is installed.
TRANSPORT = frozenset({"cert", "client-cert", "proxy", "timeout", "retries", "cache-dir", "no-cache-dir"})
# What is kept with configuration="inherit": it says where packages come from and which artefacts are acceptable.
ORIGIN = frozenset(
    {
        "index-url", "extra-index-url", "no-index", "find-links", "trusted-host", "keyring-provider",
        "only-binary", "no-binary", "prefer-binary", "uploaded-prior-to",
    }
)  # fmt: skip
_ALIASES = {"pypi-url": "index-url", "default-timeout": "timeout"}
_LISTS = frozenset({"extra-index-url", "find-links", "trusted-host", "no-binary", "only-binary"})
_TRUE = frozenset({"1", "true", "yes", "on", "y", "t"})


def pip_settings(host: Host, prefix: str, sources: Sources) -> dict[str, str]:
    """Return what pip's files and variables say, by option name ("index-url"), lists separated by blanks.

    Args:
        prefix: the target's directory: pip reads a configuration there, too.
        sources: `configuration="isolated"` leaves only the transport; `indexes` replace those configured.

    Raises:
        CorruptError: a configuration file cannot be parsed.
    """
    kept = TRANSPORT if sources.configuration == "isolated" else TRANSPORT | ORIGIN
    settings: dict[str, str] = {}
    for path in _files(host, prefix):
        settings.update(_read(path))
    for name, value in host.environ.items():
        if name.startswith("PIP_") and value.strip():  # pip takes an empty variable as absent
            settings[_option(name[4:])] = value
    if sources.indexes:
        for name in ("index-url", "extra-index-url", "no-index"):
            settings.pop(name, None)
    if not truth(settings.get("no-index", "")):
        settings.pop("no-index", None)
    found = {name: " ".join(value.split()) if name in _LISTS else value.strip() for name, value in settings.items() if name in kept}
    if "find-links" in found:
        found["find-links"] = " ".join(_anchored(link, host) for link in found["find-links"].split())
    return found


def truth(value: str) -> bool:
    """Say whether a setting means yes."""
    return value.strip().lower() in _TRUE


def _anchored(link: str, host: Host) -> str:
    """Return a directory of wheels as an absolute path: the tool runs in another working directory."""
    return link if "://" in link or link.startswith("file:") else str(host.path(link))


def _files(host: Host, prefix: str) -> Iterator[str]:
    """Yield the files that pip reads, those that count more last."""
    stated = host.environ.get("PIP_CONFIG_FILE")
    if stated in {os.devnull, "/dev/null", "nul", "NUL"}:
        return
    name = "pip.ini" if host.platform == "win32" else "pip.conf"
    yield from _global_files(host, name)
    if not (stated and os.path.exists(host.path(stated))):
        yield from _user_files(host, name)
    yield os.path.join(prefix, name)
    if stated:
        yield str(host.path(stated))


def _global_files(host: Host, name: str) -> Iterator[str]:
    if host.platform == "win32":
        yield str(host.path(host.environ.get("PROGRAMDATA") or "C:\\ProgramData") / "pip" / name)
        return
    if host.platform == "darwin":
        yield str(host.path("/Library/Application Support/pip") / name)
        return
    directories = (host.environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":")
    for directory in (*(os.path.join(text, "pip") for text in directories if text.startswith("/")), "/etc"):
        yield str(host.path(directory) / name)


def _user_files(host: Host, name: str) -> Iterator[str]:
    if host.platform == "win32":
        yield str(host.home / "pip" / name)
        roaming = host.environ.get("APPDATA")
        yield str((host.path(roaming) if roaming else host.home / "AppData" / "Roaming") / "pip" / name)
        return
    yield str(host.home / ".pip" / name)
    library = host.home / "Library" / "Application Support" / "pip"
    if host.platform == "darwin" and library.is_dir():
        yield str(library / name)
        return
    yield str(config_home(host) / "pip" / name)


def config_home(host: Host) -> Path:
    """Return the directory of the user's configuration (XDG)."""
    stated = host.environ.get("XDG_CONFIG_HOME", "")
    return host.path(stated) if stated.startswith("/") else host.home / ".config"


def _read(path: str) -> dict[str, str]:
    """Return the settings of one file that hold for `pip install`: [global], then [install]; empty where it cannot be opened."""
    parser = configparser.RawConfigParser()
    try:
        with open(path, encoding="utf-8") as stream:
            parser.read_file(stream)
    except OSError:
        return {}
    except (configparser.Error, UnicodeDecodeError) as error:
        raise CorruptError(
            f"pip's configuration {path} cannot be read", code="pip-configuration", path=Path(path), hint="mend or remove the file"
        ) from error
    found: dict[str, str] = {}
    for section in ("global", "install"):
        if parser.has_section(section):
            found.update({_option(name): value for name, value in parser.items(section) if value and value.strip()})
    return found


def _option(name: str) -> str:
    option = name.lower().replace("_", "-").removeprefix("--")
    return _ALIASES.get(option, option)
