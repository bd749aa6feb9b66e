"""Walking below a directory that the caller named: bounded in depth and in what is read, the same order every time.

A walk is wide before it is deep, so that what lies near is found also where a limit ends it, and it is told what was left out.
In links and hidden directories it ends with their children: what is in `.tox` is seen, and a circle of links is harmless.
"""

from __future__ import annotations

import os
from time import monotonic
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .look import Look

DEPTH: Final = 4
"""Levels below a named directory that are looked at: its child is at the first."""

ENTRIES: Final = 200_000
"""Names read below one named directory before the walk ends."""

SECONDS: Final = 5.0
"""Time for the walk below one named directory."""

SKIPPED: Final = frozenset(
    {
        "node_modules", "bower_components", "site-packages", "dist-packages", "__pycache__", "__pypackages__", "lost+found",
        ".git", ".hg", ".svn", ".bzr", ".jj", ".cache", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis", ".eggs",
        ".ipynb_checkpoints", ".gradle", ".terraform", ".yarn", ".cargo", ".rustup", ".npm", ".Trash", ".Trash-1000",
    }
)  # fmt: skip
"""Names of directories in which nobody keeps environments, and which are large."""

_OF_AN_ENVIRONMENT = frozenset(
    {"bin", "lib", "lib64", "include", "share", "etc", "man", "ssl", "conda-meta", "pkgs", "scripts", "dlls", "tcl"}
)
_NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "autofs", "ceph", "drvfs", "fuse.sshfs", "glusterfs", "fuse.glusterfs", "lustre"}
    | {"beegfs", "gpfs", "fuse.rclone", "fuse.s3fs", "davfs", "fuse.gvfsd-fuse", "ncpfs", "ocfs2", "orangefs"}
)
_MOUNTS = 1024 * 1024  # bytes of the table of mounts

Place = tuple[str, tuple[str, ...]]


def walk(look: Look, root: str) -> tuple[Place, ...]:
    """Return the directories at and below `root` with the names in each, wide before deep, sorted in each level.

    Other file systems that lie below it are entered when they are local; a network's, or a drive below `/mnt`, only when it
    is the root itself.
    """
    found: list[Place] = []
    level, read, end = [(root, False)], 0, monotonic() + SECONDS
    for depth in range(DEPTH + 1):
        below: list[tuple[str, bool]] = []
        for directory, last in level:
            if depth and is_far(look, directory):
                look.note(f"{directory} was not entered: it is on a network or another system's drive; name it to have it looked at")
                look.hide(directory)
                continue
            names = look.names(directory)
            found.append((directory, names))
            read += len(names)
            if read > ENTRIES or monotonic() > end:
                limit = f"{ENTRIES} names" if read > ENTRIES else f"{SECONDS:g} s"
                look.note(f"the walk below {root} ended after {limit}, at {directory}")
                return tuple(found)
            if depth < DEPTH and not last and not (depth and _is_met_elsewhere(look, root, directory)):
                ends = bool(depth) and _is_end(directory)
                below.extend((child, ends) for child in _children(look, directory, names))
        level = below
    return tuple(found)


def _is_end(directory: str) -> bool:
    """Say whether the walk ends with the children of a directory: it is hidden, or a link."""
    return os.path.basename(directory).startswith(".") or os.path.islink(directory)


def _is_met_elsewhere(look: Look, root: str, directory: str) -> bool:
    """Say whether a directory is a link to what the same walk meets under its own name."""
    if not os.path.islink(directory):
        return False
    target, top = look.real(directory), look.real(root)
    return target == top or target.startswith(top.rstrip(os.sep) + os.sep)


def _children(look: Look, directory: str, names: tuple[str, ...]) -> list[str]:
    skipped = SKIPPED | _OF_AN_ENVIRONMENT if "pyvenv.cfg" in names or "conda-meta" in names else SKIPPED
    kinds = look.directories(directory)
    return [os.path.join(directory, name) for name in names if name in kinds and name not in skipped and name.lower() not in skipped]


def is_far(look: Look, directory: str) -> bool:
    """Say whether a directory is where a network's or another system's file system begins: its mount point, or `/mnt/c`."""
    if look.windows:
        return False
    parent, name = os.path.split(directory)
    if len(name) == 1 and name.isalpha() and parent == look.place("/mnt"):
        return True
    return directory in look.remember("mounts of networks", lambda: _networks(look))


def _networks(look: Look) -> frozenset[str]:
    """Return where file systems of a network are mounted, as Linux tells it (proc_pid_mountinfo(5)); empty elsewhere."""
    found: set[str] = set()
    text = look.text(look.place("/proc/self/mountinfo"), _MOUNTS) if look.host.platform.startswith("linux") else None
    for line in (text or "").splitlines():
        mount, found_dash, system = line.partition(" - ")
        fields = mount.split(" ")
        if found_dash and len(fields) > 4 and system.split(" ")[0] in _NETWORK:
            found.add(look.place(fields[4].replace("\\040", " ")))
    return frozenset(found)


_PROJECT = frozenset(
    {"pyproject.toml", "setup.py", "Pipfile", "pixi.toml"}
    | {".venv", ".tox", ".nox", ".pixi", ".direnv", ".conda", ".pdm-python", ".python-envs"}
)
_MARKS = ("pyvenv.cfg", "conda-meta")


def promising(look: Look, root: str) -> tuple[str, ...]:
    """Return `root`, and of the directories below it those in which an environment or a project may lie, in the walk's order."""
    places = look.below(root)
    marked = [directory for directory, names in places if any(mark in names for mark in _MARKS) or _is_installation(names)]
    parents = {os.path.dirname(directory) for directory in marked}
    found = [directory for directory, names in places if directory in parents or not _PROJECT.isdisjoint(names)]
    return tuple(dict.fromkeys((root, *found)))


def _is_installation(names: tuple[str, ...]) -> bool:
    lowered = {name.lower() for name in names}
    return {"bin", "lib", "include"} <= lowered or {"python.exe", "lib"} <= lowered
