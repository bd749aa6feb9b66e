"""What conda's and mamba's configuration says of channels, places, the network and the solver, as one value.

Source: conda's base/context.py and common/configuration.py; mamba's configuration.cpp.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..errors import RefusedError
from ..formats.conda_url import EXTENSIONS, file_url
from ..formats.condarc import truth
from ..models.mapping import EMPTY, FrozenMapping, freeze
from ..system.look import Look
from . import configuration_files as places
from .channels import ALIAS, BUILT_IN, DEFAULTS, NODEFAULTS, Channel, Naming, several
from .credential_stores import kept_in_keyring, stored
from .credentials import Credential, best, split
from .settings import Priority, Said

if TYPE_CHECKING:
    from ..control import Work
    from ..host import Host

FALLBACK: Final = "conda-forge"
"""The channel where neither the call nor a configuration names one, and no conda is there that would take its own."""

OVERRIDE: Final = "CONDA_OVERRIDE_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """Everything that an engine obeys.

    channels: in the order in which they count, without credentials.
    ssl_verify: True, False, "truststore" (the operating system's certificates), or the path of a file or directory of certificates.
    proxies: by scheme ("http", "https") or scheme and host ("https://example.org"), URLs; may hold credentials, so they are not shown.
    mirrors: by a channel's URL, the URLs that have the same files, in the order to try them.
    pinned: match specs that limit every solve.
    caches: directories of packages; the first that can be written is written.
    environment_directories: where environments lie that have a name.
    overrides: values of virtual packages by variable ("CONDA_OVERRIDE_GLIBC").
    default_packages: match specs that every new environment gets.
    disallowed: match specs that must never be installed.
    unsupported: keys that are set and not honoured, sorted.
    engine: what `ENVKIT_CONDA_ENGINE` says.
    register: write environments down in `~/.conda/environments.txt`.
    platform: the subdirectory that is asked for instead of this machine's.
    root: the installation of conda or mamba that was found.
    files: the configuration files that were read, those that count more last.
    """

    channels: tuple[Channel, ...] = ()
    priority: Priority = "strict"
    offline: bool = False
    ssl_verify: bool | str = True
    proxies: Mapping[str, str] = field(default=EMPTY, repr=False)
    mirrors: Mapping[str, tuple[str, ...]] = FrozenMapping()
    pinned: tuple[str, ...] = ()
    caches: tuple[Path, ...] = ()
    environment_directories: tuple[Path, ...] = ()
    overrides: Mapping[str, str] = EMPTY
    credentials: tuple[Credential, ...] = field(default=(), repr=False)
    default_packages: tuple[str, ...] = ()
    disallowed: tuple[str, ...] = ()
    unsupported: tuple[str, ...] = ()
    engine: str | None = None
    register: bool = True
    platform: str | None = None
    root: Path | None = None
    files: tuple[Path, ...] = ()
    naming: Naming = field(default=Naming(), repr=False)

    def __post_init__(self) -> None:
        """Keep the fields immutable."""
        freeze(self, mappings=("proxies", "mirrors", "overrides"))

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return every text that must not be shown, for `masker(values=...)`."""
        held = [credential for url in self.proxies.values() if (credential := split(url)[1]) is not None]
        return tuple(dict.fromkeys(secret for credential in (*self.credentials, *held) for secret in credential.secrets))

    def credential(self, url: str) -> Credential | None:
        """Return what a URL is asked with; None where it needs nothing, or nothing is known."""
        return best(self.credentials, url)


def read(host: Host, *, prefix: Path | None = None, channels: Iterable[str] = (), offline: bool = False) -> Configuration:
    """Return what configuration files and variables say, and the channels that count.

    Args:
        prefix: the environment that is worked on, which may have a configuration of its own; None is the active one.
        channels: those asked for, by name, URL or path (from `host.cwd`). They come first; those configured follow, unless
            "nodefaults" is among them. Where none are asked for or configured it is conda-forge; beside a conda, what that would take.
        offline: as the call says; the configuration may say so, too.

    Raises:
        CorruptError: a file cannot be read, or a key has a value that it cannot have ("conda-configuration").
        RefusedError: a channel is denied by the configuration ("channel-denied").

    Source: CEP 24 for `nodefaults` and for channels that are appended; conda's documentation, "Using the .condarc configuration file".
    """
    look = Look(host)
    root = places.installation(look)
    paths = tuple(places.files(look, root, None if prefix is None else str(prefix)))
    said = Said(places.collected(look, paths), look)
    naming = _naming(said, look, root)
    asked = tuple(channels)
    chosen, held = several(_asked(asked, said, beside_conda=root is not None and places.is_conda(look, root)), naming, said.path)
    _refuse_denied(chosen, said, naming)
    mirrors, more = _mirrors(said, naming)
    credentials = tuple(dict.fromkeys((*held, *more, *stored(look))))
    unknown = [url for channel in chosen for url in (mirrors.get(channel.url) or (channel.url,)) if best(credentials, url) is None]
    return Configuration(
        channels=chosen,
        priority=said.priority(),
        offline=offline or said.truth("offline", default=False),
        ssl_verify=said.ssl_verify(),
        proxies={name: str(url) for name, url in said.table("proxy_servers", expand=True).items() if url},
        mirrors=mirrors,
        pinned=said.items("pinned_packages"),
        caches=tuple(map(Path, _caches(said, host, root))),
        environment_directories=tuple(map(Path, _environment_directories(said, host, root))),
        overrides=_overrides(said, host),
        credentials=(*credentials, *kept_in_keyring(host, unknown)),
        default_packages=tuple(text for text in said.items("create_default_packages") if not text.endswith(EXTENSIONS)),
        disallowed=said.items("disallowed_packages"),
        unsupported=said.unsupported(),
        engine=host.environ.get("ENVKIT_CONDA_ENGINE") or None,
        register=said.truth("register_envs", default=True) and truth(host.environ.get("ENVKIT_CONDA_REGISTER", "1")) is not False,
        platform=said.text("subdir"),
        root=None if root is None else Path(root),
        files=tuple(map(Path, paths)),
        naming=naming,
    )


def _asked(asked: tuple[str, ...], said: Said, *, beside_conda: bool) -> tuple[str, ...]:
    """Return the texts of the channels that count, in their order."""
    configured = (*(("local",) if said.truth("use_local", default=False) else ()), *said.items("channels", expand=True))
    stated = tuple(map(said.expanded, asked))
    wanted = stated if NODEFAULTS in asked else (*stated, *configured)
    wanted = tuple(text for text in wanted if text != NODEFAULTS)
    if wanted or asked:
        return wanted
    return (DEFAULTS if beside_conda else FALLBACK,)


def _naming(said: Said, look: Look, root: str | None) -> Naming:
    defaults = said.items("default_channels", expand=True) or BUILT_IN[(said.text("subdir") or look.host.platform).startswith("win")]
    multiple = {DEFAULTS: defaults}
    for name, members in said.table("custom_multichannels", expand=True).items():
        multiple[name] = tuple(said.texts("custom_multichannels", members))
    multiple["local"] = tuple(file_url(place) for place in _built_here(look, root))
    custom = {f"pkgs/{name}": "https://repo.anaconda.com" for name in ("main", "r", "msys2", "free", "pro")}
    custom |= {name: said.address(str(url)) for name, url in said.table("custom_channels", expand=True).items()}
    return Naming(alias=said.address(said.text("channel_alias", expand=True) or ALIAS), custom=custom, multiple=multiple)


def _built_here(look: Look, root: str | None) -> tuple[str, ...]:
    """Return the directories in which conda-build puts packages, as far as they are there: the channel "local"."""
    places = (*((os.path.join(root, "conda-bld"),) if root else ()), os.path.join(str(look.host.home), "conda-bld"))
    return tuple(place for place in places if look.is_directory(place))


def _mirrors(said: Said, naming: Naming) -> tuple[dict[str, tuple[str, ...]], tuple[Credential, ...]]:
    """Return the URLs that have the same files as a channel's, by that URL, and the credentials in them."""
    found: dict[str, tuple[str, ...]] = {}
    held: list[Credential] = []
    for name, texts in said.table("mirrored_channels", expand=True).items():
        mirrors, credentials = several(said.texts("mirrored_channels", texts), naming, said.path)
        held += credentials
        found.update({channel.url: tuple(mirror.url for mirror in mirrors) for channel, _ in naming.channels(name, said.path)})
    return found, tuple(held)


def _refuse_denied(channels: tuple[Channel, ...], said: Said, naming: Naming) -> None:
    """Refuse channels that the configuration forbids, whoever asked for them.

    Raises:
        RefusedError: one is on the list of those denied, or not on that of those allowed.
    """
    denied = {channel.url for channel in several(said.items("denylist_channels", expand=True), naming, said.path)[0]}
    allowed = {channel.url for channel in several(said.items("allowlist_channels", expand=True), naming, said.path)[0]}
    for channel in channels:
        if channel.url in denied or (allowed and channel.url not in allowed):
            key = "denylist_channels" if channel.url in denied else "allowlist_channels"
            raise RefusedError(
                f"the channel {channel} is not to be used on this machine, says {key}",
                code="channel-denied",
                hint="take another channel, or ask whoever wrote the condarc",
            )


def _caches(said: Said, host: Host, root: str | None) -> tuple[str, ...]:
    stated = tuple(map(said.path, said.items("pkgs_dirs", expand=True)))
    if stated:
        return stated
    if root is None:
        return (os.path.join(str(host.data), "cache", "conda", "pkgs"),)
    return (os.path.join(root, "pkgs"), os.path.join(str(host.home), ".conda", "pkgs"))


def _environment_directories(said: Said, host: Host, root: str | None) -> tuple[str, ...]:
    stated = map(said.path, said.items("envs_dirs", expand=True))
    own = () if root is None else (os.path.join(root, "envs"),)
    return tuple(dict.fromkeys((*stated, *own, os.path.join(str(host.home), ".conda", "envs"))))


def _overrides(said: Said, host: Host) -> dict[str, str]:
    """Return the values of virtual packages: those of the files, then those of variables, of which an empty one means that it is absent."""
    table = said.table("override_virtual_packages")
    found = {f"{OVERRIDE}{name.removeprefix('__').upper()}": "" if value is None else str(value) for name, value in table.items()}
    return found | {name: value for name, value in host.environ.items() if name.startswith(OVERRIDE)}


def tell_unsupported(configuration: Configuration, work: Work) -> None:
    """Say to who listens which keys of the configuration are set and not honoured."""
    if configuration.unsupported:
        with work.task("resolve", "read conda's configuration") as task:
            task.output(f"not honoured: {', '.join(configuration.unsupported)}")
