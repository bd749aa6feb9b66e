"""Where kernelspecs lie: Jupyter's directories, by the variables and the platform of a `Host`, without importing Jupyter.

The order matters, for the first kernelspec of a name wins: JUPYTER_PATH; then the directory of the Python that Jupyter runs in and
the user's, or these two the other way round; then the system's; last IPython's own, where kernels were kept before there was Jupyter.
Inside a virtual environment of one's own the environment comes first. The Python that Jupyter runs in is a value, `Reader`; it is taken to be ours where nothing else is said.

Source: jupyter_core 5.9, paths.py; jupyter_client 8, kernelspec.py; IPython 9, paths.py; "Common Directories and File Locations" (docs.jupyter.org).
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..host import Host

_NO = frozenset({"no", "n", "false", "off", "0", "0.0"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """The Python that Jupyter runs in, as far as that decides which kernels are found and what they start.

    virtual: it is a virtual environment. user_site: it sees the user's own packages.
    """

    prefix: Path
    executable: Path
    version: tuple[int, ...] = ()
    virtual: bool = False
    user_site: bool = True


def this_python() -> Reader:
    """Return the Python that runs us."""
    return Reader(
        prefix=Path(sys.prefix),
        executable=Path(sys.executable),
        version=sys.version_info[:2],
        virtual=sys.prefix != sys.base_prefix,
        user_site=not sys.flags.no_user_site,
    )


def user_directory(host: Host) -> Path:
    """Return the user's data directory of Jupyter."""
    if stated := host.environ.get("JUPYTER_DATA_DIR"):
        return host.path(stated)
    if _is_set(host, "JUPYTER_PLATFORM_DIRS"):
        return _platform_user_directory(host)
    if host.platform == "darwin":
        return host.home / "Library" / "Jupyter"
    if host.platform == "win32":
        if appdata := host.environ.get("APPDATA"):
            return host.path(appdata) / "jupyter"
        configuration = host.environ.get("JUPYTER_CONFIG_DIR")
        return (host.path(configuration) if configuration else host.home / ".jupyter") / "data"
    return _xdg_directory(host)


def _platform_user_directory(host: Host) -> Path:
    if host.platform == "darwin":
        return host.home / "Library" / "Application Support" / "Jupyter"
    if host.platform == "win32":
        local = host.environ.get("LOCALAPPDATA")
        return (host.path(local) if local else host.home / "AppData" / "Local") / "Jupyter"
    return _xdg_directory(host)


def _xdg_directory(host: Host) -> Path:
    stated = host.environ.get("XDG_DATA_HOME", "")
    return (host.path(stated) if stated else host.home / ".local" / "share") / "jupyter"


def system_directory(host: Host) -> Path:
    """Return the data directory that is for all users: the one that an administrator writes."""
    return _system_directories(host)[0]


def _system_directories(host: Host) -> list[Path]:
    if host.platform != "win32":
        return [host.path("/usr/local/share/jupyter"), host.path("/usr/share/jupyter")]
    program_data = host.environ.get("PROGRAMDATA")
    if program_data and _is_set(host, "JUPYTER_USE_PROGRAMDATA"):
        return [host.path(program_data) / "jupyter"]
    return [prefix_directory(Path(sys.prefix))]  # Windows has no place that is safe for all users


def prefix_directory(prefix: Path) -> Path:
    """Return the data directory inside an environment."""
    return prefix / "share" / "jupyter"


def search_path(host: Host, reader: Reader | None = None) -> tuple[Path, ...]:
    """Return the data directories that Jupyter looks into, the first wins; each once, whether it exists or not.

    Args:
        reader: the Python that Jupyter runs in; None for ours, where `host` is this machine.
    """
    reader = reader or (this_python() if _is_this_machine(host) else None)
    stated = [host.path(part.rstrip("/\\") or part) for part in host.environ.get("JUPYTER_PATH", "").split(_separator(host)) if part]
    user = [user_directory(host), *_user_base(host, reader)]
    system = _system_directories(host)
    ours = [prefix_directory(reader.prefix)] if reader else []
    middle = [*ours, *user] if _prefers_environment(host, reader) else [*user, *ours]
    return tuple(
        dict.fromkeys([*stated, *(path for path in middle if path in user or path not in system), *system, ipython_directory(host)])
    )


def ipython_directory(host: Host) -> Path:
    """Return the user's directory of IPython, whose `kernels` jupyter_client still reads."""
    if stated := host.environ.get("IPYTHONDIR"):
        return Path(os.path.normpath(host.home / stated.removeprefix("~/") if stated.startswith("~/") else host.path(stated)))
    usual = host.home / ".ipython"
    if host.platform == "win32" or usual.exists():
        return usual
    configuration = host.environ.get("XDG_CONFIG_HOME")
    older = (host.path(configuration) if configuration else host.home / ".config") / "ipython"
    return older if os.access(older, os.W_OK) else usual


def _user_base(host: Host, reader: Reader | None) -> list[Path]:
    """Return the directory that `site.USER_BASE` adds where user packages are enabled."""
    if host.platform == "win32" or reader is None or not reader.user_site:
        return []
    base = host.environ.get("PYTHONUSERBASE")
    return [prefix_directory(host.path(base) if base else host.home / ".local")]


def _prefers_environment(host: Host, reader: Reader | None) -> bool:
    if "JUPYTER_PREFER_ENV_PATH" in host.environ:
        return _is_set(host, "JUPYTER_PREFER_ENV_PATH")
    prefix = str((reader or this_python()).prefix)
    if (reader or this_python()).virtual and _is_own(prefix):
        return True
    conda = host.environ.get("CONDA_PREFIX")
    inside = bool(conda) and prefix.startswith(str(conda)) and host.environ.get("CONDA_DEFAULT_ENV", "base") != "base"
    return inside and _is_own(prefix)


def _is_own(path: str) -> bool:
    try:
        return os.name == "nt" or os.stat(path).st_uid == os.geteuid()
    except OSError:
        return False


def _is_this_machine(host: Host) -> bool:
    return str(host.root) == host.root.anchor and host.platform == sys.platform


def _is_set(host: Host, name: str) -> bool:
    """Say whether a switch is on: a variable that is there and does not say no."""
    return name in host.environ and host.environ[name].lower() not in _NO


def _separator(host: Host) -> str:
    return ";" if host.platform == "win32" else ":"
