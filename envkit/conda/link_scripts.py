"""Scripts that packages bring to be run after they are linked and before they are unlinked.

They are run as conda and mamba run them, for packages are made to rely on that; a package that may be installed may run code anyway
as soon as anything of it is used. `ENVKIT_CONDA_LINK_SCRIPTS=0` forbids them. They run where the environment will be, after it is
whole there; where one fails that a new package brought, the change has failed.

Source: conda's core/link.py (run_script).
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..errors import InstallError
from ..system.process import run_process
from ..system.secrets import masked

if TYPE_CHECKING:
    from ..control import Work
    from ..host import Host
    from .request import Linked

VARIABLE: Final = "ENVKIT_CONDA_LINK_SCRIPTS"
_MESSAGES: Final = ".messages.txt"
_SHOWN: Final = 300  # characters of what a script said in a message


def wanted(host: Host) -> bool:
    """Say whether scripts may be run."""
    return host.environ.get(VARIABLE, "1").lower() not in {"0", "no", "off", "false"}


def any_before(prefix: Path) -> bool:
    """Say whether any installed package has a script that is to be run before it goes."""
    directory = prefix / _directory()
    return directory.is_dir() and any("-pre-unlink." in name for name in os.listdir(directory))


def run_before(packages: Iterable[Linked], prefix: Path, *, work: Work, descriptors: Collection[int] = ()) -> None:
    """Run the scripts of packages that are about to go. One that fails keeps nothing: conda goes on, too."""
    for package in packages:
        _run(package, "pre-unlink", prefix, work=work, descriptors=descriptors)


def run_after(packages: Iterable[Linked], prefix: Path, *, work: Work, descriptors: Collection[int] = ()) -> None:
    """Run the scripts of packages that were linked, what is needed before what needs it.

    Raises:
        InstallError: one ended with another code than 0 ("post-link").
    """
    for package in packages:
        failed = _run(package, "post-link", prefix, work=work, descriptors=descriptors)
        if failed is not None:
            raise InstallError(
                f"the post-link script of {package.name} failed: {failed}",
                code="post-link",
                package=package.name,
                hint=f"{VARIABLE}=0 leaves such scripts out",
            )


def _run(package: Linked, when: str, prefix: Path, *, work: Work, descriptors: Collection[int]) -> str | None:
    """Run a script of a package, if it has one; return what went wrong, None where nothing did."""
    windows = os.name == "nt"
    script = prefix / _directory() / f".{package.name}-{when}.{'bat' if windows else 'sh'}"
    if not script.is_file():
        return None
    interpreter = (
        [os.environ.get("COMSPEC", "cmd.exe"), "/d", "/c"] if windows else ["/bin/bash" if os.path.exists("/bin/bash") else "/bin/sh"]
    )
    environ = {
        **work.host.environ,
        "PREFIX": str(prefix),
        "ROOT_PREFIX": str(prefix),
        "PKG_NAME": package.name,
        "PKG_VERSION": package.version,
        "PKG_BUILDNUM": package.build.rpartition("_")[2],
        "PATH": os.pathsep.join([str(script.parent), work.host.environ.get("PATH", os.defpath)]),
    }
    with work.task("run", f"{when} script of {package.name}") as task:
        completed = run_process([*interpreter, str(script)], work=work, environ=environ, cwd=prefix, descriptors=descriptors)
        for line in _messages(prefix):
            task.output(masked(line, work.host.environ))
    if completed.returncode == 0:
        return None
    said = masked((completed.stderr.strip() or completed.stdout.strip())[-_SHOWN:], work.host.environ)
    return f"it ended with code {completed.returncode}" + (f" and said {said!r}" if said else "")


def _messages(prefix: Path) -> list[str]:
    """Return what scripts left for the user to read, and delete it."""
    path = prefix / _MESSAGES
    try:
        text = path.read_text("utf-8", errors="replace")
        path.unlink()
    except OSError:
        return []
    return text.splitlines()


def _directory() -> str:
    return "Scripts" if os.name == "nt" else "bin"
