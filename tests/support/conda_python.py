"""A real CPython as a conda package that relocates, and distributions from an index as conda packages, entry points and all.

The Python is one of this machine, copied without what no test needs, its search path for libraries made relative (patchelf, where it is
absolute), its symbols stripped (strip, where that is there). CPython computes its prefix from where it lies, so binary files need no
replacement; text files that name the old prefix get the placeholder.
"""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from configparser import ConfigParser
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from .conda_packages import PLACEHOLDER, Entry, Recipe

_NOT_NEEDED = ("test", "tests", "idlelib", "tkinter", "turtledemo", "lib2to3", "ensurepip", "pydoc_data", "site-packages", "dist-packages")
_ELF = b"\x7fELF"
_VERSIONS = Path(os.environ.get("PYENV_ROOT") or Path(os.path.expanduser("~")) / ".pyenv") / "versions"  # as it was before any test
_ASK = """
import json, sys, sysconfig
odd = sys.version_info[3] != "final" or sys.implementation.name != "cpython" or sysconfig.get_config_var("Py_GIL_DISABLED")
paths = sysconfig.get_paths()
print(json.dumps({"version": sys.version.split()[0], "prefix": sys.base_prefix, "stdlib": paths["stdlib"],
    "library": sysconfig.get_config_var("LDLIBRARY"), "libdir": sysconfig.get_config_var("LIBDIR"),
    "shared": bool(sysconfig.get_config_var("Py_ENABLE_SHARED")), "odd": bool(odd)}))
"""


@dataclass(frozen=True, kw_only=True)
class Installation:
    """A CPython of this machine."""

    executable: Path
    version: str
    prefix: Path
    stdlib: Path
    libraries: Path | None  # the directory of its shared library

    @property
    def minor(self) -> str:
        """The minor version, "3.13"."""
        return ".".join(self.version.split(".")[:2])

    @property
    def tag(self) -> str:
        """The tag of its ABI, "cp313"."""
        return "cp" + self.minor.replace(".", "")


def installations() -> tuple[Installation, ...]:
    """Return the running Python's base, then another real installation of a version that envkit supports, if there is one."""
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    running = _examined(Path(sys.base_prefix) / "bin" / f"python{here}")
    others = sorted(_VERSIONS.glob("3.1[1-9].*/bin/python3.1[1-9]"), key=lambda path: int(path.name.rpartition(".")[2]), reverse=True)
    second = next((found for path in others if path.name != f"python{here}" and (found := _examined(path))), None)
    return tuple(found for found in (running, second) if found is not None)


def _examined(executable: Path) -> Installation | None:
    """Return what a Python says of itself; None where it does not run, or is no plain release of CPython."""
    try:
        said = json.loads(subprocess.run([executable, "-I", "-c", _ASK], capture_output=True, check=True, timeout=120).stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    if said["odd"]:
        return None
    return Installation(
        executable=executable,
        version=said["version"],
        prefix=Path(said["prefix"]),
        stdlib=Path(said["stdlib"]),
        libraries=Path(said["libdir"]) if said["shared"] else None,
    )


# ------------------------------------------------------------------------------------------------------------------------- python


def python_recipe(python: Installation) -> Recipe:
    """Return the package of an installation: interpreter, standard library, headers; without pip, as conda's."""
    with tempfile.TemporaryDirectory() as directory:
        tree = Path(directory)
        _copy(python, tree)
        _make_relative(tree, python)
        return Recipe(
            name="python",
            version=python.version,
            build=f"h0_0_{python.tag}",
            noarch=None,
            depends=(f"python_abi {python.minor}.* *_{python.tag}", *(("__glibc >=2.17",) if sys.platform == "linux" else ())),
            files=dict(_entries(tree, python.prefix)),
            extra={"python_site_packages_path": f"lib/python{python.minor}/site-packages"},
        )


def abi_recipe(python: Installation) -> Recipe:
    """Return the package that says which ABI is installed: there can be one."""
    return Recipe(name="python_abi", version=python.minor, build=f"0_{python.tag}", constrains=(f"python {python.minor}.* *_{python.tag}",))


def _copy(python: Installation, tree: Path) -> None:
    name = f"python{python.minor}"
    (tree / "bin").mkdir()
    shutil.copy2(python.executable, tree / "bin" / name)
    for link in ("python", "python3"):
        (tree / "bin" / link).symlink_to(name)
    (tree / "lib").mkdir()
    if python.libraries is not None:
        for library in python.libraries.glob(f"libpython{python.minor}*.so*"):
            shutil.copy2(library, tree / "lib" / library.name, follow_symlinks=False)

    def unwanted(_: str, names: list[str]) -> list[str]:
        return [one for one in names if one in {*_NOT_NEEDED, "__pycache__"} or one.startswith("config-") or one.endswith((".a", ".exe"))]

    shutil.copytree(python.stdlib, tree / "lib" / name, symlinks=True, ignore=unwanted)
    (tree / "lib" / name / "site-packages").mkdir()
    (tree / "lib" / name / "site-packages" / "README.txt").write_text("Packages are put here.\n")
    headers = python.prefix / "include" / name
    if headers.is_dir():
        shutil.copytree(headers, tree / "include" / name, symlinks=True)


def _make_relative(tree: Path, python: Installation) -> None:
    """Strip binary files, and make them look for libpython beside themselves where they look for it in the old prefix."""
    binary = [path for path in tree.rglob("*") if not path.is_symlink() and path.is_file() and _begins(path) == _ELF]
    if strip := shutil.which("strip"):
        subprocess.run([strip, "--strip-unneeded", *binary], check=False, capture_output=True)
    if python.libraries is None:
        return
    absolute = [path for path in binary if os.fsencode(python.prefix / "lib") + b"\0" in path.read_bytes()]
    by_place: dict[str, list[Path]] = {}
    for path in absolute:
        by_place.setdefault(os.path.relpath(tree / "lib", path.parent), []).append(path)
    for place, paths in by_place.items():
        subprocess.run([_patchelf(), "--force-rpath", "--set-rpath", f"$ORIGIN/{place}", *paths], check=True, capture_output=True)


def _begins(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(4)


def _patchelf() -> str:
    beside = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
    found = shutil.which("patchelf", path=beside)
    if found is None:
        raise RuntimeError("patchelf is not here: install the dependency group `tests`")
    return found


def _entries(tree: Path, old: Path) -> Iterator[tuple[str, Entry]]:
    """Yield the files of a tree; text that names the old prefix names the placeholder."""
    mark = os.fsencode(old)
    for path in tree.rglob("*"):
        name = path.relative_to(tree).as_posix()
        if path.is_symlink():
            yield name, Entry(link=os.readlink(path))
        elif path.is_file():
            data = path.read_bytes()
            is_text = b"\0" not in data[:8192] and mark in data
            yield (
                name,
                Entry(
                    data=data.replace(mark, PLACEHOLDER.encode()) if is_text else data,
                    executable=os.access(path, os.X_OK),
                    prefix="text" if is_text else None,
                ),
            )


# ------------------------------------------------------------------------------------------------------------------ distributions


def distribution_recipes(names: Iterable[str], python: Installation, pythons: Collection[Installation], uv: str) -> Iterator[Recipe]:
    """Yield packages for distributions and all that they need on a Python, in the versions that the index has today.

    Pure ones become `noarch: python`, for all `pythons`; others are for the one Python.
    """
    with tempfile.TemporaryDirectory() as directory:
        command = [uv, "pip", "install", "--target", directory, "--python", str(python.executable), "--only-binary", ":all:", "-q", *names]
        for tries_left in (2, 1, 0):  # an index may be out of reach for a moment
            if subprocess.run(command, check=not tries_left, timeout=280).returncode == 0:
                break
        for information in sorted(Path(directory).glob("*.dist-info")):
            yield _distribution(Path(directory), information, python, pythons)


def _distribution(target: Path, information: Path, python: Installation, pythons: Collection[Installation]) -> Recipe:
    metadata = HeaderParser().parsestr((information / "METADATA").read_text("utf-8"))
    pure = "Root-Is-Purelib: true" in (information / "WHEEL").read_text("utf-8")
    site = "site-packages" if pure else f"lib/python{python.minor}/site-packages"
    points = tuple(_entry_points(information))
    files = dict(_installed(target, information, site, {point.partition("=")[0].strip() for point in points}))
    depends = tuple(_depends(metadata.get_all("Requires-Dist", []), pythons))
    abi = _of_python(metadata.get("Requires-Python")) if pure else (f"python >={python.minor},<{_next(python.minor)}.0a0",)
    if not pure:
        abi += (f"python_abi {python.minor}.* *_{python.tag}",)
        for point in points:
            files[f"bin/{point.partition('=')[0].strip()}"] = _script(point, python)
    return Recipe(
        name=canonicalize_name(metadata["Name"]),
        version=metadata["Version"],
        build="pyhd0_0" if pure else f"h0_0_{python.tag}",
        noarch="python" if pure else None,
        depends=(*abi, *depends),
        files=files,
        entry_points=points if pure else (),
    )


def _installed(target: Path, information: Path, site: str, scripts: Collection[str]) -> Iterator[tuple[str, Entry]]:
    """Yield the files of a distribution as its RECORD lists them, without bytecode and the scripts that are made anew."""
    with (information / "RECORD").open(encoding="utf-8", newline="") as stream:
        paths = [row[0] for row in csv.reader(stream) if row]
    record: list[str] = []
    for path in paths:
        source, parts = target / path, Path(path).parts
        if path.endswith((".pyc", "/RECORD", "/direct_url.json", "/REQUESTED", "/uv_cache.json")) or not source.is_file():
            continue
        if parts[0] == "bin" and len(parts) == 2 and parts[1] in scripts:
            continue
        at_prefix = parts[0] in {"bin", "share", "etc", "include"}
        place = path if at_prefix else f"{site}/{path}"
        record.append(f"../../../{path},," if at_prefix else f"{path},,")
        data, prefix = source.read_bytes(), False
        if path.endswith("/INSTALLER"):
            data = b"conda\n"
        elif path.endswith("/kernel.json"):
            said = json.loads(data)
            said["argv"][0] = f"{PLACEHOLDER}/bin/python"
            data, prefix = json.dumps(said).encode(), True
        elif at_prefix and data.startswith(b"#!") and b"python" in data.split(b"\n", 1)[0]:
            data, prefix = b"#!" + f"{PLACEHOLDER}/bin/python".encode() + b"\n" + data.split(b"\n", 1)[1], True
        yield place, Entry(data=data, executable=os.access(source, os.X_OK), prefix="text" if prefix else None)
    own = f"{information.name}/RECORD"
    yield f"{site}/{own}", Entry(data="".join(f"{line}\n" for line in (*record, f"{own},,")).encode())


def _entry_points(information: Path) -> Iterator[str]:
    """Yield the console scripts, as `info/link.json` writes them."""
    parser = ConfigParser(delimiters=("=",), interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(information / "entry_points.txt", encoding="utf-8")
    if parser.has_section("console_scripts"):
        for name, target in parser.items("console_scripts"):
            yield f"{name} = {target.partition('[')[0].strip()}"


def _script(point: str, python: Installation) -> Entry:
    _, _, target = point.partition("=")
    module, _, function = target.strip().partition(":")
    start = f"#!{PLACEHOLDER}/bin/python{python.minor}\n"
    body = f"import sys\nfrom {module} import {function.partition('.')[0]}\nif __name__ == '__main__':\n    sys.exit({function}())\n"
    return Entry(data=(start + body).encode(), executable=True, prefix="text")


def _depends(requirements: Iterable[str], pythons: Collection[Installation]) -> Iterator[str]:
    """Yield the match specs of requirements that hold on any of the Pythons."""
    for text in requirements:
        requirement = Requirement(text)
        if requirement.marker is not None and not any(requirement.marker.evaluate(_world(python)) for python in pythons):
            continue
        versions = ",".join(sorted(_compatible(str(specifier)) for specifier in requirement.specifier))
        yield f"{canonicalize_name(requirement.name)} {versions}".strip()


def _world(python: Installation) -> Mapping[str, str]:
    here = {key: str(value) for key, value in default_environment().items()}
    return {**here, "python_version": python.minor, "python_full_version": python.version, "extra": ""}


def _compatible(specifier: str) -> str:
    """Return a version specifier as conda reads it: `~=1.2.3` is `~=1.2.3` there too, `==1.*` is `1.*`."""
    return re.sub(r"^==(.*\.\*)$", r"\1", specifier)


def _of_python(requires: str | None) -> tuple[str, ...]:
    return (f"python {requires.replace(' ', '')}",) if requires else ("python",)


def _next(minor: str) -> str:
    major, _, number = minor.partition(".")
    return f"{major}.{int(number) + 1}"
