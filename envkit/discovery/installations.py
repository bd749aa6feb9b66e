"""Plain interpreters: what the files of an installation say of the Python that is in it. Nothing is run.

An executable is believed to be an interpreter when it is machine code and a standard library lies where it would look for it
(`lib/python3.12/os.py`): a script, a shim, a stub of Windows or macOS has none. As CPython does (getpath.py), only the links of
the executable itself are followed, so that a tree that is linked as a whole keeps its spelling.

Where the exact version comes from, the first that is there and agrees with the minor: `build-details.json` (PEP 739),
`patchlevel.h`, the name that pyenv or uv gave the directory, the bytes of the executable. Without any, the minor alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from ..formats import patchlevel
from ..models.environment import Environment
from ..system.spelling import name_of, parent_of, within
from . import binaries
from .executables import Name, interpreters_in, read_name

if TYPE_CHECKING:
    from ..system.look import Look

_IMPLEMENTATIONS = {"python": "cpython", "pypy": "pypy", "graalpy": "graalpy"}
_CONDA = "conda-meta"
_SMALL = 256 * 1024  # bytes; a smaller executable has its Python in a shared library


class Library:
    """The standard library of an installation: its directory, and what its name says."""

    __slots__ = ("directory", "name")

    def __init__(self, directory: str, name: Name) -> None:
        """Keep both."""
        self.directory = directory
        self.name = name


class Found:
    """An interpreter that is one, before anybody has read which version it is."""

    __slots__ = ("executable", "header", "library", "prefix")

    def __init__(self, prefix: str, executable: str, library: Library, header: bytes) -> None:
        """Keep where it is, and what was read of it."""
        self.prefix = prefix
        self.executable = executable
        self.library = library
        self.header = header


def installation(look: Look, executable: str) -> Environment | None:
    """Return the plain interpreter that an executable is, or leads to; None when it is none.

    The environment has kind "interpreter" ("conda" in a conda prefix) and no manager yet: whose it is, a locator knows.
    """
    found = _found(look, executable)
    return None if found is None else _environment(look, found)


def installation_at(look: Look, prefix: str) -> Environment | None:
    """Return the plain interpreter of a prefix: of its executables the first that is one; see `interpreters_in` for the order.

    One that leads elsewhere (`~/.local/bin/python3.12` to uv's) does not make the directory an installation.
    """
    found = _found_at(look, prefix)
    return None if found is None else _environment(look, found)


def executable_at(look: Look, prefix: str) -> str | None:
    """Return the executable of the plain interpreter of a prefix, without reading more; None when there is none."""
    found = _found_at(look, prefix)
    if found is None:
        return None
    number, flags = found.library.name.number, found.library.name.flags
    directory, name = parent_of(found.executable), name_of(found.executable)
    if name == f"python{number}{flags}" and f"{name}d" in interpreters_in(look, directory):
        return str(_environment(look, found).python)
    return found.executable


def _environment(look: Look, found: Found) -> Environment:
    return look.remember(("installation", found.executable), lambda: _described(look, found))


def _found_at(look: Look, prefix: str) -> Found | None:
    directory = prefix if look.windows else within(prefix, "bin")
    for name in _names_in(look, directory):
        found = _found(look, within(directory, name))
        if found is not None and (found.prefix == prefix or look.real(found.prefix) == look.real(prefix)):
            return found
    return None


def _names_in(look: Look, directory: str) -> Iterator[str]:
    """Yield the names that may be interpreters, the likeliest first: it is `python`, and then the others need not be put in order."""
    if not look.windows and look.holds(directory, "python"):
        yield "python"
    yield from interpreters_in(look, directory)


def _found(look: Look, executable: str) -> Found | None:
    last = look.last(look.tidy(executable))
    return look.remember(("found", last), lambda: _read(look, last))


def _read(look: Look, executable: str) -> Found | None:
    name = read_name(name_of(executable), windows=look.windows)
    header = look.data(executable, binaries.HEADER)
    if name is None or header is None or not binaries.is_binary(header):
        return None
    directory = parent_of(executable)
    if not look.windows and directory == look.remember("bin", lambda: look.place("/bin")):
        directory = look.real(directory)  # where /bin is a link to /usr/bin, Pythons live in /usr
        executable = os.path.join(directory, name_of(executable))
    prefix = directory if look.windows else parent_of(directory)
    library = _windows_library(look, prefix, name) if look.windows else _library(look, prefix, name)
    if library is None:
        return None
    return Found(prefix, executable, library, header)


def _library(look: Look, prefix: str, name: Name) -> Library | None:
    """Return the standard library that an executable of that name would use; None when none is there, or nobody could tell."""
    if name.minor and name.word == "python":
        gil, free = f"python{name.number}", f"python{name.number}t"
        for text in (free,) if "t" in name.flags else (gil, free):
            for lib in ("lib", "lib64"):
                if look.is_file(os.path.join(prefix, lib, text, "os.py")):
                    return Library(os.path.join(prefix, lib, text), Name("python", name.number, "t" if text is free else ""))
    found: dict[str, Library] = {}
    for lib in ("lib", "lib64"):
        for text in look.names(os.path.join(prefix, lib)):
            parts = read_name(text)
            if parts and parts.minor and _may_use(name, parts) and look.is_file(os.path.join(prefix, lib, text, "os.py")):
                found.setdefault(text, Library(os.path.join(prefix, lib, text), parts))
    if not found:
        return _old_pypy_library(look, prefix, name)
    if len(found) > 1:
        return None
    library = next(iter(found.values()))
    if library.name.word == "python" and any(text.startswith("graalpy") for text in look.names(within(prefix, "lib"))):
        return Library(library.directory, Name("graalpy", library.name.number, ""))  # it keeps CPython's library beside its own
    return library if name.word != "graalpy" or library.name.word == "graalpy" else None


def _old_pypy_library(look: Look, prefix: str, name: Name) -> Library | None:
    """Return the standard library of PyPy for Python 2.7, or of one before 7.3.8, which lies in `lib-python`."""
    for text in look.names(within(prefix, "lib-python")) if name.word != "graalpy" else ():
        directory = os.path.join(prefix, "lib-python", text)
        if look.is_file(within(directory, "os.py")) and _may_use(name, parts := Name("pypy", text if "." in text else "", "")):
            return Library(directory, parts)
    return None


def _may_use(name: Name, library: Name) -> bool:
    """Say whether an executable may belong to a standard library; what its name does not tell excludes nothing."""
    if name.word not in {library.word, "python"} and (name.word, library.word) != ("graalpy", "python"):
        return False
    if name.word == "graalpy" or not library.number:
        return True
    return library.number == name.number or library.number.startswith(f"{name.number}." if name.number else "")


def _windows_library(look: Look, prefix: str, name: Name) -> Library | None:
    """Return the standard library of an installation on Windows; the minor is told by `python312.dll` there.

    One directory may hold the free-threaded build besides: `python3.13t.exe` uses `python313t.dll`, `python.exe` the other.
    """
    directory = within(prefix, "Lib")
    if not look.is_file(within(directory, "os.py")):
        return None
    found = [library for text in look.names(prefix) if (library := _of_dll(text)) is not None]
    for number, flags in sorted(found, key=lambda item: ("t" in item[1]) is not ("t" in name.flags)):
        return Library(directory, Name("python", number, flags))
    word = next((word for word in ("pypy", "graalpy") if any(text.lower().startswith(word) for text in look.names(prefix))), "python")
    return Library(directory, Name(word, "", ""))


def _of_dll(text: str) -> tuple[str, str] | None:
    """Return the minor version and flags that the name of Python's library tells on Windows; None for any other name."""
    lowered = text.lower()
    digits = lowered.removeprefix("python").removesuffix(".dll")
    number = digits.removesuffix("t")
    if not lowered.startswith("python") or not lowered.endswith(".dll") or not number.isdigit() or len(number) < 2:
        return None
    return f"{number[0]}.{number[1:]}", digits[len(number) :]


def _described(look: Look, found: Found) -> Environment:
    """Return the environment for an executable that has its standard library."""
    from pathlib import Path  # noqa: PLC0415 - values only

    prefix, executable, library = found.prefix, found.executable, found.library
    word, number, flags = library.name.word, library.name.number, library.name.flags
    version, source, told = _version(look, prefix=prefix, executable=executable, library=library)
    is_conda = look.has(prefix, _CONDA) and look.is_directory(within(prefix, _CONDA))
    debug = "d" in told or "d" in (read_name(name_of(executable), windows=look.windows) or library.name).flags
    return Environment(
        prefix=Path(prefix),
        kind="conda" if is_conda else "interpreter",
        python=Path(executable if debug else _flagged(look, executable, number, flags)),
        version=version,
        version_source=source,
        implementation=_IMPLEMENTATIONS[word],
        architecture=binaries.architecture(found.header),
        free_threaded="t" in flags or "t" in told,
        externally_managed=look.is_file(within(library.directory, "EXTERNALLY-MANAGED")),
    )


def _flagged(look: Look, executable: str, number: str, flags: str) -> str:
    """Return the name of the same file that shows a debug build (`python3.12d`), where there is one: it is installed with both."""
    directory, name = os.path.split(executable)
    flagged = f"python{number}{flags}d"
    if look.windows or name != f"python{number}{flags}" or flagged not in interpreters_in(look, directory):
        return executable
    here, there = look.status(executable), look.status(os.path.join(directory, flagged))
    same = here is not None and there is not None and (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino)
    return os.path.join(directory, flagged) if same else executable


def _version(look: Look, *, prefix: str, executable: str, library: Library) -> tuple[Version | None, str | None, str]:
    """Return version, the file it was read from, and flags of the build that the file tells besides."""
    number = library.name.number
    details = within(library.directory, "build-details.json")
    if text := look.text(details, 256 * 1024):
        from ..formats import build_details  # noqa: PLC0415 - Python 3.14 and newer have one

        try:
            said = build_details.load(text)
        except ValueError:
            pass
        else:
            if version := _fitting(said.version, number):
                return version, details, "".join(sorted(said.flags))
    for header in _headers(look, prefix, library.name):
        if (text := look.text(header, patchlevel.LIMIT)) and (version := _fitting(patchlevel.load(text), number)):
            return version, header, ""
    if version := _fitting(_version_in_name(name_of(prefix)), number):
        return version, prefix, ""
    if library.name.word == "python" and number:
        for path in _with_code(look, prefix, executable, library.name):
            if version := _fitting(binaries.version_inside(look, path, number), number):
                return version, path, ""
    return (Version(number), library.directory, "") if number else (None, None, "")


def _fitting(text: str | None, number: str) -> Version | None:
    """Return a version that agrees with the minor, where that is known, and is an exact one."""
    try:
        version = Version(text) if text else None
    except InvalidVersion:
        return None
    if version is None or len(version.release) < 3 or (number and number != f"{version.release[0]}.{version.release[1]}"):
        return None
    return version


def _headers(look: Look, prefix: str, name: Name) -> Iterator[str]:
    """Yield where `patchlevel.h` may lie: most have one directory, some a flag in its name (`python3.6m`, `python3.13t`)."""
    include = within(prefix, "include")
    if not look.windows:
        usual = f"{name.word}{name.number}{name.flags}"
        yield os.path.join(include, usual, patchlevel.NAME)
        for text in look.names(include):
            if text.startswith(usual) and text != usual:
                yield os.path.join(include, text, patchlevel.NAME)
    yield os.path.join(include, patchlevel.NAME)


def _version_in_name(text: str) -> str | None:
    """Return the version in a directory's name: pyenv's `3.12.1`, uv's `cpython-3.12.1-linux-x86_64-gnu`."""
    parts = text.split("-")
    if len(parts) > 2 and parts[0] in {"cpython", "pypy", "graalpy"}:
        return parts[1].partition("+")[0]
    return parts[0] if parts[0].count(".") == 2 and parts[0][:1].isdigit() else None


def _with_code(look: Look, prefix: str, executable: str, name: Name) -> list[str]:
    """Return the files that hold the interpreter itself: the executable, or the shared library beside a small one."""
    status = look.status(executable)
    if look.windows:
        return [within(prefix, text) for text in look.names(prefix) if _of_dll(text) == (name.number, name.flags)]
    if status is None or status.st_size >= _SMALL:
        return [executable]
    machine = binaries.architecture(look.data(executable, binaries.HEADER) or b"")
    library = f"libpython{name.number}{name.flags}."
    directories = [os.path.join(prefix, *parts) for parts in (("lib",), ("lib64",), ("lib", f"{machine}-linux-gnu"))]
    found = [within(directory, text) for directory in directories for text in look.names(directory) if text.startswith(library)]
    return [*found, executable]
