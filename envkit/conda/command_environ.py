"""What conda, mamba and micromamba see: the caller's variables without those that divert them, and credentials in a file, not in an argument.

They read the same condarc files as envkit, so what those say is left to them; what the call decides is said here or as an argument.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import quote, urlsplit, urlunsplit

from ..errors import UsageError
from ..system.files import write_atomic

if TYPE_CHECKING:
    from ..host import Host
    from .configuration import Configuration
    from .credentials import Credential
    from .request import Wish

# Variables of another Python and of the environment that is active speak of the caller, not of the tool or of the target.
_FOREIGN: Final = re.compile(
    r"PYTHON.*|VIRTUAL_ENV.*|__PYVENV_LAUNCHER__|_CE_(?:CONDA|M)|_CONDA_.*|PS1"
    r"|CONDA_(?:PREFIX.*|STACKED_\d+|SHLVL|DEFAULT_ENV|PROMPT_MODIFIER|EXE|PYTHON_EXE|ROOT|ROOT_PREFIX|BACKUP_.*)|MAMBA_EXE|PIXI_.*"
)
# Settings, each with CONDA_ or MAMBA_ before it, that would make a command do something else than what it says.
_DIVERTING: Final = re.compile(
    r"(?:CONDA|MAMBA)_(?:DRY_RUN|DOWNLOAD_ONLY|JSON|CONSOLE|QUIET|VERBOSE|VERBOSITY|DEBUG|TRACE|DEV|LOG_\w+|ALWAYS_YES|CHANNELS|OVERRIDE_CHANNELS"
    r"|USE_LOCAL|SUBDIRS?|PLATFORM|FORCE\w*|CLOBBER|PATH_CONFLICT|IGNORE_PINNED|NO_PIN|DEPS_MODIFIER|NO_DEPS|ONLY_DEPS|UPDATE_MODIFIER"
    r"|TARGET_PREFIX\w*|CREATE_DEFAULT_PACKAGES|CHANNEL_PRIORITY|OFFLINE|REGISTER_ENVS|PRINT_\w+|EXPLICIT_INSTALL|FILE_SPECS|SPECS|REVISION"
    r"|RETRY_CLEAN_CACHE|FREEZE_INSTALLED|COPY_PREFIX|CLONE|ENV_NAME|ENVIRONMENT_SPECIFIER|DENY_FROZEN|PROTECT_FROZEN_ENVS)"
)
_QUIET: Final = {
    "CONDA_REPORT_ERRORS": "false",
    "CONDA_NOTIFY_OUTDATED_CONDA": "false",
    "CONDA_NUMBER_CHANNEL_NOTICES": "0",
    "CONDA_AUTO_UPDATE_CONDA": "false",
    "CONDA_REGISTER_ENVS": "false",  # what it would write down is the directory that an environment is made in
    "MAMBA_REGISTER_ENVS": "false",
    "PYTHONNOUSERSITE": "1",
    "PYTHONUTF8": "1",
    "GIT_TERMINAL_PROMPT": "0",
}
_PIP: Final = "add_pip_as_python_dependency"
_SCRATCH_RC: Final = "condarc"


def environ_of(wish: Wish, configuration: Configuration, host: Host) -> dict[str, str]:
    """Return the variables that a tool sees."""
    kept = {name: value for name, value in host.environ.items() if not _FOREIGN.fullmatch(name) and not _DIVERTING.fullmatch(name)}
    kept |= _QUIET
    kept |= configuration.overrides
    kept |= {"CONDA_CHANNEL_PRIORITY": configuration.priority, "MAMBA_CHANNEL_PRIORITY": configuration.priority}
    if configuration.pinned:  # the call may limit versions, too; mamba reads a list of YAML
        pinned = {"CONDA_PINNED_PACKAGES": "&".join(configuration.pinned), "MAMBA_PINNED_PACKAGES": json.dumps(configuration.pinned)[1:-1]}
        kept |= pinned
    if _PIP not in configuration.unsupported:  # where nobody says so, Python brings what its package says it needs, as elsewhere
        kept |= {f"{tool}_{_PIP.upper()}": "false" for tool in ("CONDA", "MAMBA")}
    platform = wish.platform or configuration.platform
    return kept | {"CONDA_SUBDIR": platform} if platform else kept


def refuse_expanded(prefix: Path, environ: Mapping[str, str]) -> None:
    """Refuse a prefix that conda would read as another one: it puts the values of variables in the place of their names.

    Raises:
        UsageError: the prefix names a variable that is set.
    """
    text = str(prefix)
    named = re.findall(r"\$(\w+)|\$\{([^}]*)\}" + (r"|%([^%]*)%" if os.name == "nt" else ""), text)
    if any(name in environ for names in named for name in names if name) or text.startswith("~"):
        raise UsageError(
            f"conda would read the path {text} as another one: it puts the values of variables in the place of their names",
            code="path",
            hint="choose a path without `$`, or use the embedded engine (ENVKIT_CONDA_ENGINE=rattler)",
        )


def with_credentials(environ: dict[str, str], configuration: Configuration, scratch: Path) -> dict[str, str]:
    """Return the variables of a conda that knows the credentials of its channels from a file which this user alone can read.

    conda looks for the credentials of a URL among its custom channels. mamba does not; it reads its own store and netrc.
    """
    custom = dict(
        named
        for channel in configuration.channels
        if (credential := configuration.credential(channel.url)) is not None
        and (named := _custom_channel(channel.url, credential)) is not None
    )
    if not custom:
        return environ
    import yaml  # noqa: PLC0415 - only where there are credentials

    said = _users_own(environ.get("CONDARC"))
    said["custom_channels"] = {**cast("dict[str, Any]", said.get("custom_channels") or {}), **custom}
    path = scratch / _SCRATCH_RC
    write_atomic(path, yaml.safe_dump(said))
    return environ | {"CONDARC": str(path)}


def _custom_channel(url: str, credential: Credential) -> tuple[str, str] | None:
    """Return name and location, with its credentials, of a custom channel that is a URL; None for one without a path, or a bearer token."""
    parts = urlsplit(url)
    above, _, name = parts.path.rstrip("/").rpartition("/")
    if not name or credential.bearer:
        return None
    return name, credential.applied(urlunsplit(parts._replace(path=above)))


def _users_own(path: str | None) -> dict[str, Any]:
    """Return what the user's own `CONDARC` says, whose place is taken."""
    import yaml  # noqa: PLC0415 - as above

    try:
        document: Any = yaml.safe_load(Path(path).read_text("utf-8")) if path else {}
    except (OSError, ValueError, yaml.YAMLError):  # `configuration.read` has said so already where it matters
        return {}
    return cast("dict[str, Any]", document) if isinstance(document, dict) else {}


def explicit_url(url: str, configuration: Configuration) -> str:
    """Return the URL of a package file as a file that only this user can read may hold it: with its credentials."""
    credential = configuration.credential(url)
    return url if credential is None or credential.bearer else credential.applied(url)


def spelled(url: str) -> str:
    """Return a URL without blanks, which end it in a list of URLs."""
    return quote(url, safe=":/?#[]@!$&'()*+,;=%~._-")
