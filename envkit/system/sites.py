"""Where an environment's packages really are: found by listing directories, no process.

The layout says where a virtual environment should keep them; an interpreter of a distribution, an old PyPy or a copied tree
keeps them elsewhere, so what is there decides.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ..host import Host
    from ..models.environment import Environment

LAYERS: Final = "_envkit_layers.pth"
"""The file in the site-packages of a temporary environment that adds those of the environments below it."""

_LAYER_LINE = re.compile(r"import site; site\.addsitedir\((?P<path>['\"].*['\"])\)")
_LAYERS_SIZE = 64 * 1024  # bytes
_LIBRARIES = ("python", "pypy", "graalpy")  # how the directories of standard libraries begin


def site_packages(env: Environment, host: Host) -> tuple[str, ...]:
    """Return the directories that hold an environment's own packages, absolute.

    Returns:
        In the order of its `sys.path`, without duplicates; empty when it has none. Those that a temporary environment shows from
        below come after its own. What else it adds from elsewhere (the user's packages, `.pth` files, its base's with
        `system_site_packages`) is not its own.

    Source: sysconfig's schemes; Debian's `dist-packages` (site.py as Debian patches it).
    """
    prefix = str(env.prefix)
    found: dict[tuple[int, int], str] = {}
    candidates = _on_windows(prefix) if host.platform == "win32" else _on_posix(prefix, env, host)
    for directory in candidates:
        try:
            status = os.stat(directory)
        except (OSError, ValueError):
            continue
        if stat.S_ISDIR(status.st_mode):
            found.setdefault((status.st_dev, status.st_ino), directory)  # lib64 is often a link to lib
    own = tuple(found.values())
    return (*own, *(layer for directory in own for layer in layers_of(directory))) if env.kind == "venv" else own


def layer_lines(directories: Iterable[str]) -> str:
    """Return the text of `LAYERS`: a line each, which `site` executes. ASCII alone, for its encoding differs between Pythons."""
    return "".join(f"import site; site.addsitedir({directory!a})\n" for directory in directories)


def layers_of(packages: str) -> tuple[str, ...]:
    """Return the directories that `LAYERS` in a site-packages adds; empty where there is none."""
    try:
        with open(f"{packages}/{LAYERS}", encoding="ascii") as stream:
            lines = stream.read(_LAYERS_SIZE).splitlines()
    except (OSError, ValueError):
        return ()
    import ast  # noqa: PLC0415 - for temporary environments alone

    found = [match["path"] for line in lines if (match := _LAYER_LINE.fullmatch(line))]
    try:
        return tuple(str(ast.literal_eval(path)) for path in found)
    except (ValueError, SyntaxError):
        return ()


def _on_windows(prefix: str) -> list[str]:
    return [os.path.join(prefix, "Lib", "site-packages"), os.path.join(prefix, "site-packages")]


def _on_posix(prefix: str, env: Environment, host: Host) -> list[str]:
    debian = env.kind == "interpreter" and host.shown(env.prefix) == "/usr"
    candidates: list[str] = []
    if debian:
        for library in _libraries(str(host.path("/usr/local/lib")), env):
            candidates += [os.path.join(library, "dist-packages"), os.path.join(library, "site-packages")]
        shared = "pypy3" if env.implementation == "pypy" else "python3"
        candidates.append(os.path.join(prefix, "lib", shared, "dist-packages"))
    for directory in (f"{prefix}/lib",) if _is_lib(f"{prefix}/lib64") else (f"{prefix}/lib", f"{prefix}/lib64"):
        for library in _libraries(directory, env):
            candidates.append(f"{library}/site-packages")
            if debian:
                candidates.append(f"{library}/dist-packages")
    candidates.append(f"{prefix}/site-packages")  # PyPy before 3.8
    return candidates


def _libraries(directory: str, env: Environment) -> list[str]:
    """Return the standard libraries in `directory` that may be this environment's, by name."""
    try:
        names = sorted(os.listdir(directory))
    except OSError:
        return []
    return [f"{directory}/{name}" for name in names if name.startswith(_LIBRARIES) and _fits(name, env)]


def _is_lib(directory: str) -> bool:
    """Say whether a `lib64` is a link to the `lib` beside it, as in virtual environments: then it has nothing of its own."""
    try:
        return os.readlink(directory) == "lib"
    except OSError:
        return False


def _fits(name: str, env: Environment) -> bool:
    """Say whether a directory such as `python3.13t` can belong to the environment: what is unknown of it excludes nothing."""
    word = name.rstrip("0123456789.tdmu")
    if env.implementation is not None and word != (env.implementation if env.implementation in _LIBRARIES else "python"):
        return False
    number = name[len(word) :]
    if env.free_threaded is not None and word == "python" and number.endswith("t") is not env.free_threaded:
        return False
    if env.version is None or len(env.version.release) < 2:
        return "." in number
    return number.rstrip("tdmu") == f"{env.version.release[0]}.{env.version.release[1]}"


def site_packages_below(prefix: str) -> tuple[str, ...]:
    """Return every directory of packages below a prefix, whichever Python it is for, sorted; links are not followed twice."""
    found: dict[tuple[int, int], str] = {}
    candidates = _on_windows(prefix)
    for directory in ("lib", "lib64"):
        try:
            names = sorted(os.listdir(os.path.join(prefix, directory)))
        except OSError:
            continue
        candidates += [os.path.join(prefix, directory, name, "site-packages") for name in names if name.startswith(_LIBRARIES)]
    for path in sorted(candidates):
        try:
            status = os.stat(path)
        except (OSError, ValueError):
            continue
        found.setdefault((status.st_dev, status.st_ino), path)
    return tuple(found.values())
