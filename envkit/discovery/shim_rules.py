"""Which interpreter a shim of pyenv, asdf or mise picks, by the rules of each, read from the files that it would read. No shim is run.

pyenv: `PYENV_VERSION`, `.python-version` here or above, `version` in its root, else what follows on PATH. asdf: `ASDF_PYTHON_VERSION`,
`.tool-versions` here or above, then in the home directory. mise: `MISE_PYTHON_VERSION`, `mise.toml` or `.tool-versions` here or above,
its own configuration. Several versions may be named; the first that has the command is taken. A version may be the beginning of
an installed one (`3.12`), which means the newest such.

Source: pyenv's libexec/pyenv-version-file and pyenv-which; asdf's and mise's documentation of their configuration.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeGuard

from .places import asdf_versions, at_home, listed, mise_versions, placed, pyenv_versions, user_configuration
from .projects import toml, value_in
from .versions import numbers

if TYPE_CHECKING:
    from ..system.look import Look

_LIMIT = 64 * 1024  # bytes of a file that names versions
_SYSTEM = "system"


def picked(look: Look, shim: str) -> str | None:
    """Return the executable that a shim would run here and now; None when it is no such shim, or would find none."""
    directory, command = os.path.split(look.tidy(shim))
    pyenv, asdf, mise = pyenv_versions(look), asdf_versions(look), mise_versions(look)
    for versions, root, named in (
        (pyenv, os.path.dirname(pyenv), _of_pyenv),
        (asdf, os.path.dirname(os.path.dirname(asdf)), _of_asdf),
        (mise, os.path.dirname(os.path.dirname(mise)), _of_mise),
    ):
        if directory == os.path.join(root, "shims"):
            return _first(look, versions, list(named(look)) or [_SYSTEM], command, directory)
    return None


def _first(look: Look, versions: str, names: list[str], command: str, shims: str) -> str | None:
    """Return the command of the first of the named versions that has it."""
    for name in names:
        for path in _on_path(look, command, shims) if name == _SYSTEM else (_inside(look, versions, name, command),):
            if path is not None and look.is_file(path):
                return path
    return None


def _inside(look: Look, versions: str, name: str, command: str) -> str | None:
    """Return where the command lies in a version: that of the name, else the newest whose name begins so."""
    if name.startswith("path:"):
        root = placed(look, name.removeprefix("path:"))
        return None if root is None else os.path.join(root, "bin", command)
    name = name.removeprefix("python-")
    installed = [text for text in look.names(versions) if name in {"latest", text} or text.startswith(f"{name}.")]
    if name in installed:
        return os.path.join(versions, name, "bin", command)
    plain = [text for text in installed if text.replace(".", "").isdigit()]
    newest = max(plain, key=numbers, default=None)
    return None if newest is None else os.path.join(versions, newest, "bin", command)


def _on_path(look: Look, command: str, shims: str) -> Iterator[str]:
    for directory in listed(look, "PATH"):
        if directory != shims and os.path.basename(directory) != "shims":
            yield os.path.join(directory, command)


def _above(look: Look) -> Iterator[str]:
    """Yield the working directory and those above it."""
    directory, above = str(look.host.cwd), ""
    while directory != above:
        yield directory
        if directory == str(look.host.root):
            return
        directory, above = os.path.dirname(directory), directory


def _of_pyenv(look: Look) -> Iterator[str]:
    if stated := look.host.environ.get("PYENV_VERSION"):
        yield from stated.split(":")
        return
    files = [os.path.join(directory, ".python-version") for directory in _above(look)]
    for file in (*files, os.path.join(os.path.dirname(pyenv_versions(look)), "version")):
        lines = (line.split() for line in (look.text(file, _LIMIT) or "").splitlines())
        if names := [words[0] for words in lines if words and not words[0].startswith("#")]:
            yield from names
            return


def _of_asdf(look: Look) -> Iterator[str]:
    if stated := look.host.environ.get("ASDF_PYTHON_VERSION"):
        yield from stated.split()
        return
    file = look.host.environ.get("ASDF_DEFAULT_TOOL_VERSIONS_FILENAME") or ".tool-versions"
    for directory in (*_above(look), at_home(look)):
        if names := _tool_versions(look, os.path.join(directory, os.path.basename(file))):
            yield from names
            return


def _of_mise(look: Look) -> Iterator[str]:
    if stated := look.host.environ.get("MISE_PYTHON_VERSION"):
        yield from stated.split()
        return
    for directory in _above(look):
        for file in ("mise.toml", ".mise.toml", os.path.join(".config", "mise.toml"), os.path.join("mise", "config.toml")):
            if names := _tools(look, os.path.join(directory, file)):
                yield from names
                return
        if names := _tool_versions(look, os.path.join(directory, ".tool-versions")):
            yield from names
            return
    configuration = look.host.environ.get("MISE_CONFIG_DIR", "")
    for place in (placed(look, configuration), at_home(look, ".config", "mise"), user_configuration(look, "mise")):
        if place is not None and (names := _tools(look, os.path.join(place, "config.toml"))):
            yield from names
            return


def _tool_versions(look: Look, file: str) -> list[str]:
    """Return the versions of Python in a `.tool-versions`."""
    for line in (look.text(file, _LIMIT) or "").splitlines():
        words = line.partition("#")[0].split()
        if words[:1] == ["python"]:
            return words[1:]
    return []


def _tools(look: Look, file: str) -> list[str]:
    """Return the versions of Python in a mise.toml: one, several, or a table with `version`."""
    said = value_in(toml(look, file), "tools", "python")
    found = [value_in(item, "version") or item for item in (said if _is_list(said) else [said])]
    return [item for item in found if isinstance(item, str)]


def _is_list(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)
