"""Mending what a killed installer left: packages whose files are gone, and directories that no installer can uninstall."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from ..formats.dist_info import named_directory, normalized
from ..models.packages import Changes
from ..models.specs import Project, Sources
from ..system.files import remove_tree
from ..system.sites import site_packages
from .inventory import Distribution, distributions, in_directories
from .transaction import install_into
from .verification import alterations, dist_infos

if TYPE_CHECKING:
    from ..control import Work
    from ..models.environment import Environment


def repair_distributions(
    env: Environment,
    names: Iterable[str],
    *,
    sources: Sources,
    constraints: Iterable[str] = (),
    work: Work,
    log: Path | None = None,
    descriptors: Collection[int] = (),
) -> Changes:
    """Install broken distributions anew, each in the version that its directory names, without touching what they need.

    A `.dist-info` that lacks METADATA or RECORD is removed first: no installer can uninstall it. A distribution that came from
    a URL or a project comes from there again. Where files are not what their RECORD says even then, the installer's cache was
    altered along with them, and it is asked once more to take nothing from there.

    Args:
        names: the subjects of `broken`; a name of which nothing is left is passed over.

    Raises:
        As `envkit.pypi.install`.
    """
    asked = {normalized(name) for name in names}
    readable = {found.name: found for found in distributions(env, work.host)}
    wanted: dict[str, str | Project] = {}
    with work.task("remove", "removing what was left half installed"):
        for site in site_packages(env, work.host):
            for directory, name in dist_infos(site):
                if name in asked:
                    wanted[name] = _origin(name, directory, readable.get(name))
                    path = Path(site, directory)
                    if not _is_whole(path):
                        remove_tree(path)
    if not wanted:
        return Changes()
    changes = Changes()
    for fresh in (False, True):
        changes = install_into(
            env, wanted.values(), sources=sources, constraints=constraints, dependencies=False, reinstall=True, fresh=fresh,
            break_system_packages=False, dry_run=False, work=work, log=log, descriptors=descriptors,
        )  # fmt: skip
        if not alterations(env, work, frozenset(wanted)):
            break  # else what the installer keeps is not what it was, either
    return changes


def again(sites: Collection[str]) -> tuple[str | Project, ...]:
    """Return what installs the distributions of some site-packages once more, in their versions, sorted by name.

    Read from the directories alone: the Python that they were for may be gone.
    """
    found = in_directories(tuple(sites))
    return tuple(_origin(each.name, Path(each.directory).name, each, each.metadata.version) for each in found)


def _is_whole(directory: Path) -> bool:
    return (directory / "METADATA").is_file() and (directory / "RECORD").is_file()


def _origin(name: str, directory: str, found: Distribution | None, version: str | None = None) -> str | Project:
    """Return what installs a distribution again: the place it came from, else its version at the index, by default its directory's."""
    if found is not None and found.editable is not None:
        return Project(path=Path(found.editable), editable=True)
    if found is not None and found.direct_url is not None:
        origin = found.direct_url
        vcs = f"{origin.vcs}+" if origin.vcs else ""
        revision = f"@{origin.commit}" if origin.commit else ""
        where = f"#subdirectory={origin.subdirectory}" if origin.subdirectory else ""
        return f"{name} @ {vcs}{origin.url}{revision}{where}"
    if version is not None:
        return f"{name}=={version}"
    named = named_directory(directory)
    return name if named is None else f"{name}=={named[1].replace('_', '-')}"
