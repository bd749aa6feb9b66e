"""Which executable an environment is made from: the public one, that stays when its Python gets a patch release.

`home` in pyvenv.cfg names a directory, and CPython looks for its standard library beside that directory, links unresolved. So a
link to the executable alone (`/usr/local/bin/python3`) must be followed until a standard library stands beside it, and nothing
may be followed further: below `Cellar/python@3.12/3.12.4` an environment dies with the next `brew upgrade`, below
`opt/python@3.12` it lives. A virtual environment is never a base; its own base is.

Source: PEP 405; CPython's Modules/getpath.py; python/cpython#106045, #122033, #128670, astral-sh/uv#1640, pypa/virtualenv#1339.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from ..errors import NotFoundError, UsageError
from ..formats import pyvenv_cfg
from ..layout import library_name
from dataclasses import dataclass

if TYPE_CHECKING:
    from ..host import Host
    from ..models.environment import Environment

_LINKS = 40  # followed at most, as the kernel does
_CELLAR = re.compile(r"(?P<brew>.*)/Cellar/(?P<formula>[^/]+)/[^/]+/(?P<rest>.*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """A Python that environments can be made from. `executable` is a path of this machine."""

    executable: str
    version: tuple[int, int]
    full_version: str
    implementation: str
    free_threaded: bool
    library: str  # name of the directory of its standard library: "python3.12"
    wide: bool  # 64 bits, as far as known

    @property
    def home(self) -> str:
        """The directory of the executable."""
        return os.path.dirname(self.executable)


def base_of(environment: Environment, host: Host) -> Base:
    """Return what environments are made from where `environment` is to be their base.

    Raises:
        UsageError: it does not say what has to be known (the desk probes it before), or is no CPython 3.8+ or PyPy.
        NotFoundError: its executable is not there.
    """
    python, version, implementation = environment.python, environment.version, environment.implementation
    if python is None or version is None or len(version.release) < 2 or implementation is None:
        raise UsageError(
            f"{environment} cannot be a base: its interpreter, version or implementation is not known",
            code="base-unknown",
            hint="give an environment that was probed, such as resolve(..., probe='auto') returns",
        )
    minor = (version.release[0], version.release[1])
    if implementation not in {"cpython", "pypy"} or minor < (3, 8):
        raise UsageError(
            f"{environment} cannot be a base: environments are made from CPython 3.8 or newer and PyPy 3.8 or newer",
            code="base-unsupported",
            hint="choose another Python with python=",
        )
    free_threaded = bool(environment.free_threaded)
    library = library_name(minor, implementation, free_threaded=free_threaded)
    names = executable_names(minor, implementation, free_threaded=free_threaded)
    executable = _versioned(_public(str(python), library, names, host), names)
    if not os.path.isfile(executable):
        raise NotFoundError(
            f"the base interpreter {executable} is not there", code="python-not-found", hint="choose another Python with python="
        )
    return Base(
        executable=executable,
        version=minor,
        full_version=version.public,
        implementation=implementation,
        free_threaded=free_threaded,
        library=library,
        wide=environment.architecture not in {"i386", "i586", "i686", "x86", "armv6l", "armv7l", "ppc", "mips"},
    )


def executable_names(version: tuple[int, int], implementation: str, *, free_threaded: bool) -> tuple[str, ...]:
    """Return the names under which such an interpreter is called, without suffix, the most telling one first."""
    major, minor = version
    names = [f"python{major}.{minor}", f"python{major}", "python"]
    if implementation == "pypy":
        names = [f"pypy{major}.{minor}", f"pypy{major}", "pypy", *names]
    elif free_threaded:
        names.insert(0, f"python{major}.{minor}t")
    return tuple(names)


def _public(python: str, library: str, names: tuple[str, ...], host: Host) -> str:
    """Return the executable to name: outside of virtual environments, a standard library beside it, else as it was given."""
    current = python
    for _ in range(_LINKS):
        configuration = _configuration_above(current)
        if configuration is None and _has_library(current, library, host):
            return _stable(current)
        following = _target(current, host) or (configuration and _base_by_configuration(configuration, names, host))
        if following is None:
            if configuration is not None:
                raise UsageError(
                    f"{python} belongs to a virtual environment whose own Python cannot be told",
                    code="base-unknown",
                    hint="choose another Python with python=",
                )
            break
        current = following
    return python if _configuration_above(python) is None else current


def _target(path: str, host: Host) -> str | None:
    """Return where a link points, one step, as a path of this machine; None if it is no link."""
    try:
        target = os.readlink(path)
    except OSError:
        return None
    if os.path.isabs(target):
        return str(host.path(target))
    directory = os.path.dirname(path)
    lexical = os.path.normpath(os.path.join(directory, target))
    try:
        if os.path.samefile(lexical, path):
            return lexical
    except OSError:
        pass
    # The directory is a link itself, so `..` leads elsewhere than the text says.
    return os.path.normpath(os.path.join(os.path.realpath(directory), target))


def _has_library(executable: str, library: str, host: Host) -> bool:
    """Say whether a standard library stands where an interpreter of that name looks for it first."""
    directory = os.path.dirname(executable)
    if host.platform == "win32":
        digits = library.removeprefix("python").removeprefix("pypy").rstrip("t").replace(".", "")
        return any(os.path.isfile(os.path.join(directory, *parts)) for parts in (("Lib", "os.py"), (f"python{digits}.zip",)))
    prefix = os.path.dirname(directory)
    digits = library.replace(".", "").rstrip("t")
    return any(
        os.path.isfile(os.path.join(prefix, *parts))
        for parts in (("lib", library, "os.py"), ("lib64", library, "os.py"), ("lib", f"{digits}.zip"))
    ) or os.path.isfile(os.path.join(directory, "pybuilddir.txt"))


def _stable(executable: str) -> str:
    """Return Homebrew's path that outlives a patch release, `opt/<formula>`, for one below `Cellar/<formula>/<version>`."""
    matched = _CELLAR.fullmatch(executable)
    if matched is None:
        return executable
    lasting = f"{matched['brew']}/opt/{matched['formula']}/{matched['rest']}"
    return lasting if os.path.isfile(lasting) else executable


def _versioned(executable: str, names: tuple[str, ...]) -> str:
    """Return the same file under its versioned name where its directory has that.

    `/usr/bin/python3` becomes another minor version with the next release of the system, and an environment over it silently
    empty; `/usr/bin/python3.11` is then gone, which is seen.
    """
    directory, name = os.path.split(executable)
    suffix = ".exe" if name.endswith(".exe") else ""
    for versioned in (name for name in names if "." in name):
        candidate = os.path.join(directory, versioned + suffix)
        try:
            if candidate == executable or os.path.samefile(candidate, executable):
                return candidate
        except OSError:
            continue
    return executable


def _configuration_above(executable: str) -> str | None:
    """Return the pyvenv.cfg that makes this executable a virtual environment's, beside it or one directory up (PEP 405)."""
    directory = os.path.dirname(executable)
    for place in (directory, os.path.dirname(directory)):
        path = os.path.join(place, pyvenv_cfg.NAME)
        if os.path.isfile(path):
            return path
    return None


def _base_by_configuration(path: str, names: tuple[str, ...], host: Host) -> str | None:
    """Return the base of an environment whose interpreter is a copy, by `home` and the versioned names; never a name without version."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as stream:
            found = pyvenv_cfg.load(stream.read(pyvenv_cfg.LIMIT))
    except OSError:
        return None
    suffix = ".exe" if host.platform == "win32" else ""
    separator = "\\" if host.platform == "win32" else "/"
    candidates = [found.get("base-executable"), found.get("executable")]
    if home := found.get("home"):
        candidates += [f"{home}{separator}{name}{suffix}" for name in names if "." in name or suffix]
    for candidate in filter(None, candidates):
        executable = str(host.path(candidate))
        if os.path.isfile(executable):
            return executable
    return None
