"""How much room each installed package takes, by the sizes that its RECORD states; files are not looked at, so it takes milliseconds."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..formats.record import contained, read_record, slashed
from ..system.sites import site_packages
from .inventory import in_directories

if TYPE_CHECKING:
    from ..host import Host
    from ..models.environment import Environment


def sizes_of(env: Environment, host: Host) -> dict[str, int | None]:
    """Return bytes by normalized name, sorted; None where there is no RECORD, or it cannot be read.

    What RECORD gives no size for (itself, bytecode that an installer wrote) is looked up; files outside of the environment do not count.
    """
    windows = host.platform == "win32"
    prefix = slashed(str(env.prefix), windows=windows)
    found = in_directories(site_packages(env, host))
    return {distribution.name: _size(slashed(distribution.directory, windows=windows), prefix) for distribution in found}


def _size(directory: str, prefix: str) -> int | None:
    try:
        with open(f"{directory}/RECORD", "rb") as stream:
            rows = list(read_record(stream.read().decode("utf-8")))
    except (OSError, ValueError):
        return None
    site = directory.rpartition("/")[0]
    total = 0
    for path, _, size in rows:
        if (whole := contained(site, path, prefix)) is not None:
            total += size if size >= 0 else _on_disk(whole)
    return total


def _on_disk(path: str) -> int:
    try:
        return os.stat(path).st_size
    except (OSError, ValueError):
        return 0
