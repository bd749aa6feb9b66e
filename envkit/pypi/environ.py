"""The variables that an installer sees: the caller's, without those that would change *where* or *what* it installs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

# Variables of Python, of an activated environment and of conda speak of the caller's Python, not of the target.
_DROPPED: Final = frozenset({"VIRTUAL_ENV", "VIRTUAL_ENV_PROMPT", "__PYVENV_LAUNCHER__", "UV", "PS1", "_OLD_VIRTUAL_PATH"})
_DROPPED_PREFIXES: Final = ("PYTHON", "CONDA_", "_CONDA", "_CE_", "MAMBA_", "PIXI_", "PIP_", "_PIP_", "UV_", "DISTUTILS_")
# uv's own variables that say how the network is reached, where it caches and how it writes.
_UV_TRANSPORT: Final = re.compile(
    r"UV_(CACHE_DIR|NO_CACHE|NATIVE_TLS|SYSTEM_CERTS|HTTP_TIMEOUT|REQUEST_TIMEOUT|HTTP_CONNECT_TIMEOUT|HTTP_RETRIES|OFFLINE|LOCK_TIMEOUT"
    r"|CONCURRENT_\w+|LINK_MODE|COMPILE_BYTECODE|CREDENTIALS_DIR)"
)
# uv's own variables that say where packages come from.
_UV_ORIGIN: Final = re.compile(
    r"UV_(DEFAULT_INDEX|INDEX|INDEX_\w+|EXTRA_INDEX_URL|FIND_LINKS|KEYRING_PROVIDER|INSECURE_HOST|EXCLUDE_NEWER"
    r"|NO_BUILD|NO_BUILD_PACKAGE|NO_BINARY|NO_BINARY_PACKAGE)"
)
_UV_INDEXES: Final = re.compile(r"UV_(DEFAULT_INDEX|INDEX|INDEX_URL|EXTRA_INDEX_URL)")


def neutral(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables without those of Python, environments, pip and uv, and with every prompt switched off."""
    kept = {name: value for name, value in environ.items() if name not in _DROPPED and not name.startswith(_DROPPED_PREFIXES)}
    kept["GIT_TERMINAL_PROMPT"] = "0"
    kept.setdefault("GIT_SSH_COMMAND", "ssh -o BatchMode=yes")
    return kept


def uv_own(environ: Mapping[str, str], *, isolated: bool, indexes: bool) -> dict[str, str]:
    """Return uv's own variables that it may see; `indexes`: also those that name indexes."""
    kept = {name: value for name, value in environ.items() if _UV_TRANSPORT.fullmatch(name)}
    if not isolated:
        kept.update({name: value for name, value in environ.items() if _UV_ORIGIN.fullmatch(name)})
    return {name: value for name, value in kept.items() if value and (indexes or not _UV_INDEXES.fullmatch(name))}
