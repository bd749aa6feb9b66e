"""The outside world as a value: file system root, environment variables, platform, home, working directory, data directory."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath

from .data_directory import data_directory
from .models.mapping import freeze


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """The outside world, so that the rules of another platform can be tried on this one.

    `root` is `/` for the machine itself and a directory for a tree that stands for another one; `platform` is as in
    `sys.platform`. `home`, `cwd` and `data` are paths of this machine. Names of managed environments belong to `data`: an
    application that names its own directory there has its own names.
    """

    root: Path
    environ: Mapping[str, str]
    platform: str
    home: Path
    cwd: Path
    data: Path

    def __post_init__(self) -> None:
        """Keep the variables immutable."""
        freeze(self, mappings=("environ",))

    @property
    def _is_windows(self) -> bool:
        return self.platform == "win32"

    def path(self, text: str) -> Path:
        """Return what a configuration file, a link or the registry says as a path of this machine below `root`.

        A relative text is taken from `cwd`, `~` from `home`. `..` cannot leave `root`.
        """
        if text == "~" or text.startswith(("~/", "~\\")):
            return self.home.joinpath(*text[2:].replace("\\", "/" if self._is_windows else "\\").split("/"))
        if self._is_windows:
            return self._windows_path(text)
        if not text.startswith("/"):
            return Path(os.path.normpath(self.cwd / text)) if text else self.cwd
        if self.root == Path(os.sep):
            return Path(text)
        return self.root / os.path.normpath(text).lstrip("/")

    def _windows_path(self, text: str) -> Path:
        if os.name == "nt" and self.root == Path(self.root.anchor):
            return Path(text)
        pure = PureWindowsPath(text)
        if not pure.is_absolute():
            return self.cwd.joinpath(*pure.parts)
        parts = [part for part in os.path.normpath("/" + "/".join(pure.parts[1:])).split("/") if part]
        return self.root.joinpath(pure.drive.rstrip(":").upper() or "C", *parts)

    def shown(self, path: Path) -> str:
        """Return a path of this machine as that world writes it: the reverse of `path`."""
        if self.root == Path(self.root.anchor):
            return str(path)
        try:
            inside = path.relative_to(self.root)
        except ValueError:
            return str(path)
        if self._is_windows:
            return str(PureWindowsPath(f"{inside.parts[0]}:\\", *inside.parts[1:])) if inside.parts else "\\"
        return f"/{inside}" if inside.parts else "/"

    @classmethod
    def current(cls, *, environ: Mapping[str, str] | None = None, data: Path | None = None) -> Host:
        """Return this machine as it is now.

        `data` is `ENVKIT_HOME` where that is set (an absolute path), else the platform's directory for user data.
        """
        variables = dict(os.environ if environ is None else environ)
        home = Path(variables.get("USERPROFILE" if sys.platform == "win32" else "HOME") or Path.home())
        if data is None:
            data = Path(data_directory(variables, str(home), sys.platform))
        return cls(
            root=Path(Path.cwd().anchor or os.sep) if sys.platform == "win32" else Path(os.sep),
            environ=variables,
            platform=sys.platform,
            home=home,
            cwd=_working_directory(home),
            data=Path(os.path.abspath(data)),
        )


def _working_directory(home: Path) -> Path:
    """Return the working directory; the home directory where it was removed under the process."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        return home
