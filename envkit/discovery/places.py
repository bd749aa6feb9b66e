"""Where tools keep their things: what their variables say, else the platform's directories for data, configuration and cache.

`platformdirs` says the same, but asks the process and takes milliseconds to import; here `Host` is asked, so that the rules of
another machine can be tried on this one.
"""

from __future__ import annotations

import ntpath
import os
from collections.abc import Iterator, KeysView
from typing import TYPE_CHECKING

from ..system.spelling import within

if TYPE_CHECKING:
    from ..system.look import Look


def placed(look: Look, text: str) -> str | None:
    """Return an absolute path, or one that begins with `~`, as a path of this machine; None for any other text.

    What is relative means something only to those who know where its writer stood.
    """
    text = text.strip()
    if text == "~" or text.startswith(("~/", "~\\")) or (ntpath.isabs(text) if look.windows else text.startswith("/")):
        trimmed = text.rstrip("/") or text
        return look.tidy(look.place(trimmed)) if "\0" not in trimmed else None
    return None


def expanded(look: Look, text: str) -> str:
    """Return a text with `$NAME` and `${NAME}` replaced by the host's variables; unknown ones stay."""
    if "$" not in text:
        return text
    from string import Template  # noqa: PLC0415 - few configurations name variables

    return Template(text).safe_substitute({"HOME": look.host.shown(look.host.home), **look.host.environ})


def stated(look: Look, *variables: str) -> str | None:
    """Return the directory that the first of these variables names; None when none of them holds a path."""
    for variable in variables:
        text = look.host.environ.get(variable)
        if text and (found := placed(look, text)) is not None:
            return found
    return None


def listed(look: Look, variable: str) -> Iterator[str]:
    """Yield the directories in a variable that holds several, as PATH does; what is empty or relative is passed over."""
    for text in look.host.environ.get(variable, "").split(";" if look.windows else ":"):
        if text and (found := placed(look, text)) is not None:
            yield found


def at_home(look: Look, *parts: str) -> str:
    """Return a path below the home directory."""
    return within(look.home, os.sep.join(parts)) if parts else look.home


def user_data(look: Look, application: str) -> str:
    """Return where an application keeps its data for the user."""
    if look.windows:
        return os.path.join(_local(look), application)
    mac = ("Library", "Application Support") if look.host.platform == "darwin" else None
    return os.path.join(stated(look, "XDG_DATA_HOME") or at_home(look, *(mac or (".local", "share"))), application)


def user_configuration(look: Look, application: str) -> str:
    """Return where an application keeps its configuration for the user."""
    if look.windows:
        return os.path.join(stated(look, "APPDATA") or at_home(look, "AppData", "Roaming"), application)
    mac = ("Library", "Application Support") if look.host.platform == "darwin" else None
    return os.path.join(stated(look, "XDG_CONFIG_HOME") or at_home(look, *(mac or (".config",))), application)


def user_cache(look: Look, application: str) -> str:
    """Return where an application keeps what it can make again."""
    if look.windows:
        return os.path.join(_local(look), application, "Cache")
    mac = ("Library", "Caches") if look.host.platform == "darwin" else None
    return os.path.join(stated(look, "XDG_CACHE_HOME") or at_home(look, *(mac or (".cache",))), application)


def unix_data(look: Look, application: str) -> str:
    """Return where tools that follow the XDG rules on macOS too keep their data; on Windows the roaming directory."""
    if look.windows:
        return os.path.join(stated(look, "APPDATA") or at_home(look, "AppData", "Roaming"), application)
    return os.path.join(stated(look, "XDG_DATA_HOME") or at_home(look, ".local", "share"), application)


def _local(look: Look) -> str:
    return stated(look, "LOCALAPPDATA") or at_home(look, "AppData", "Local")


def children(look: Look, directory: str) -> Iterator[str]:
    """Yield the paths of what lies in a directory, sorted by name; hidden ones and none directories are not sorted out."""
    for name in look.names(directory):
        yield within(directory, name)


def marked_children(look: Look, directory: str, mark: str = "pyvenv.cfg") -> Iterator[str]:
    """Yield the directories in a directory that have something of that name in them, sorted by name."""
    for path in children(look, directory):
        if look.has(path, mark):
            yield path


def contents(look: Look, directory: str) -> KeysView[str]:
    """Return the names in a directory as a set."""
    return look.contents(directory)


def pyenv_versions(look: Look) -> str:
    """Return the directory in which pyenv keeps what it installed."""

    def find() -> str:
        inner = ("pyenv-win",) if look.windows else ()
        return os.path.join(stated(look, "PYENV_ROOT", "PYENV") or at_home(look, ".pyenv", *inner), "versions")

    return look.remember("pyenv", find)


def asdf_versions(look: Look) -> str:
    """Return the directory in which asdf keeps what its plug-in for Python installed."""
    return look.remember("asdf", lambda: os.path.join(stated(look, "ASDF_DATA_DIR") or at_home(look, ".asdf"), "installs", "python"))


def mise_versions(look: Look) -> str:
    """Return the directory in which mise keeps the Pythons that it installed."""

    def find() -> str:
        own = stated(look, "MISE_DATA_DIR") or (within(_local(look), "mise") if look.windows else unix_data(look, "mise"))
        return os.path.join(own, "installs", "python")

    return look.remember("mise", find)
