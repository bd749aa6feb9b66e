"""Where things lie in a virtual environment: prefix, platform and version in, paths out. Pure: nothing is looked at.

One table, so that no other module joins `bin` or `Scripts` by itself. What an environment really holds is told by
`system/sites.py`, which looks.
"""

from __future__ import annotations

from typing import NamedTuple


class Layout(NamedTuple):
    """The paths of one virtual environment, as text in the manner of its prefix."""

    prefix: str
    scripts: str
    python: str  # the path of its interpreter
    purelib: str
    platlib: str
    include: str
    separator: str
    suffix: str  # of executables: ".exe" or ""

    def join(self, *parts: str) -> str:
        """Return a path below the prefix."""
        return self.separator.join((self.prefix, *parts))

    def script(self, name: str) -> str:
        """Return the path of a console script or another executable of that name."""
        return f"{self.scripts}{self.separator}{name}{self.suffix}"


def layout(prefix: str, *, platform: str, version: tuple[int, int], implementation: str = "cpython", free_threaded: bool = False) -> Layout:
    """Return where things lie in the virtual environment at `prefix`.

    Args:
        prefix: its directory, absolute. One that begins with a slash keeps slashes on Windows too: a tree that stands for such
            a machine.
        platform: as in `sys.platform`.
        version: major and minor.
        implementation: as in `sys.implementation.name`.
        free_threaded: a build without the GIL keeps its packages apart (`lib/python3.13t`).

    Source: the scheme "venv" of sysconfig; `include` as pip puts headers inside a virtual environment, for the scheme's own
    place belongs to the base Python; PyPy 3.8 and later: lib-python's sysconfig, before that `site-packages` itself.
    """
    windows = platform == "win32"
    separator = "\\" if windows and not prefix.startswith("/") else "/"
    prefix = prefix if prefix.endswith(":" + separator) else prefix.rstrip(separator) or separator
    scripts = separator.join((prefix, bin_name(platform)))
    packages = separator.join((prefix, *packages_parts(platform, version, implementation, free_threaded=free_threaded)))
    suffix = ".exe" if windows else ""
    return Layout(
        prefix=prefix,
        scripts=scripts,
        python=f"{scripts}{separator}python{suffix}",
        purelib=packages,
        platlib=packages,
        include=separator.join((prefix, "include", "site", f"python{version[0]}.{version[1]}")),
        separator=separator,
        suffix=suffix,
    )


def bin_name(platform: str) -> str:
    """Return the name of the directory of executables in a virtual environment."""
    return "Scripts" if platform == "win32" else "bin"


def packages_parts(platform: str, version: tuple[int, int], implementation: str, *, free_threaded: bool = False) -> tuple[str, ...]:
    """Return the components of the directory of packages, below the prefix."""
    if implementation == "pypy" and version < (3, 8):
        return ("site-packages",)
    if platform == "win32":
        return ("Lib", "site-packages")
    return ("lib", library_name(version, implementation, free_threaded=free_threaded), "site-packages")


def library_name(version: tuple[int, int], implementation: str = "cpython", *, free_threaded: bool = False) -> str:
    """Return the name of the standard library's directory: "python3.12", "python3.13t", "pypy3.10"."""
    word = implementation if implementation in {"pypy", "graalpy"} else "python"
    return f"{word}{version[0]}.{version[1]}{'t' if free_threaded and word == 'python' else ''}"
