"""Channels: what a name, a URL or a path in a configuration or a spec stands for.

A name lies below the channel alias unless `custom_channels` or `custom_multichannels` say otherwise; "defaults" is several channels.

Source: conda's models/channel.py and base/context.py; mamba's `mirrored_channels`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, urlsplit

from ..errors import UsageError
from ..formats.conda_url import SUBDIRS, file_url, has_scheme
from ..models.mapping import FrozenMapping, freeze
from .credentials import Credential, placed, split

ALIAS: Final = "https://conda.anaconda.org"
NODEFAULTS: Final = "nodefaults"
DEFAULTS: Final = "defaults"
_SCHEMES: Final = ("https", "http", "file", "s3", "oci", "gcs")
_UNIX: Final = ("https://repo.anaconda.com/pkgs/main", "https://repo.anaconda.com/pkgs/r")
BUILT_IN: Final = {True: (*_UNIX, "https://repo.anaconda.com/pkgs/msys2"), False: _UNIX}
"""What "defaults" stands for unless it is configured, by whether packages for Windows are wanted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One channel. `url` is absolute, without subdirectory and without credentials; `name` is how people call it, the URL where it has none."""

    name: str
    url: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """What names of channels stand for; the URLs may hold credentials, so it is not shown."""

    alias: str = field(default=ALIAS, repr=False)
    custom: Mapping[str, str] = field(default=FrozenMapping(), repr=False)
    multiple: Mapping[str, tuple[str, ...]] = field(default=FrozenMapping(), repr=False)

    def __post_init__(self) -> None:
        """Keep both mappings immutable."""
        freeze(self, mappings=("custom", "multiple"))

    def channels(self, text: str, path: Callable[[str], str] = str) -> tuple[tuple[Channel, Credential | None], ...]:
        """Return the channels that a text stands for, each with the credentials that its URL held.

        Args:
            text: a name ("conda-forge", "conda-forge/label/dev", "defaults"), a URL, or a path ("./channel", "/srv/channel").
            path: makes a path absolute.

        Raises:
            UsageError: it is neither a name nor a path nor a URL that a channel can be at ("channel").
        """
        text = text.strip()
        if has_scheme(text):
            return (self._of_url(text),)
        if is_path(text):
            return (self._of_url(file_url(path(text))),)
        text = _without_subdir(text.strip("/"))
        if not text or text.startswith("-") or any(character.isspace() for character in text):
            raise _none(text)
        if text in self.multiple:
            return tuple(pair for member in self.multiple[text] for pair in self._members(member, path))
        return (self._named(text),)

    def _members(self, text: str, path: Callable[[str], str]) -> tuple[tuple[Channel, Credential | None], ...]:
        """Return the channels of a member of a multichannel, which is never such a one itself: so none can be in itself."""
        if has_scheme(text) or is_path(text):
            return self.channels(text, path)
        return (self._named(_without_subdir(text.strip("/"))),)

    def _named(self, name: str) -> tuple[Channel, Credential | None]:
        """Return the channel of a name: below a custom channel whose name it begins with, else below the alias."""
        parts = name.split("/")
        for count in range(len(parts), 0, -1):
            custom = "/".join(parts[:count])
            if custom in self.custom:
                return _at(name, _below(self.custom[custom], name))
        return _at(name, _below(self.alias, name))

    def _of_url(self, url: str) -> tuple[Channel, Credential | None]:
        _check_url(url)
        channel, credential = _at("", _without_subdir(url.replace(" ", "%20").rstrip("/")))
        return Channel(name=self.name_of(channel.url), url=channel.url), credential

    def name_of(self, url: str) -> str:
        """Return how people call the channel of a URL, which may go on with a subdirectory: its name, else the URL without credentials."""
        clean = _without_subdir(split(url)[0].rstrip("/"))
        for name, members in self.multiple.items():
            if any(self._address(member) == clean for member in members):
                return name
        for name in sorted(self.custom, key=len, reverse=True):
            base = split(_below(self.custom[name], name))[0]
            if clean == base or clean.startswith(base + "/"):
                return name + clean[len(base) :]
        alias = split(self.alias)[0].rstrip("/")
        return clean[len(alias) + 1 :] if clean.startswith(alias + "/") else clean

    def _address(self, member: str) -> str:
        return split(member)[0].rstrip("/") if has_scheme(member) else self._named(member.strip("/"))[0].url


def _check_url(text: str) -> None:
    """Refuse a URL at which no channel can be.

    Raises:
        UsageError: its scheme is not one that channels are read by, or it names no place.
    """
    url = urlsplit(text)
    place = url.path.strip("/") if url.scheme.lower() == "file" else url.hostname
    if url.scheme.lower() not in _SCHEMES or not place:
        raise _none(split(text)[0])


def _none(text: str) -> UsageError:
    hint = f'give its name, such as "conda-forge", its path, or a URL that begins with {", ".join(_SCHEMES)}'
    return UsageError(f"{text!r} is no channel", code="channel", hint=hint)


def is_path(text: str) -> bool:
    """Say whether the text of a channel is a path: it begins as one, as conda wants it."""
    return (
        text.startswith(("/", "./", "../", "~", ".\\", "..\\", "\\\\"))
        or text in {".", ".."}
        or re.match(r"[A-Za-z]:[\\/]", text) is not None
    )


def _below(base: str, name: str) -> str:
    return f"{base.rstrip('/')}/{quote(name, safe='/@+~:')}"


def _at(name: str, url: str) -> tuple[Channel, Credential | None]:
    """Return a channel at a URL that may hold credentials."""
    clean, credential = split(url)
    clean = clean.rstrip("/")
    return Channel(name=name or clean, url=clean), None if credential is None else placed(credential, clean)


def _without_subdir(text: str) -> str:
    head, slash, last = text.rpartition("/")
    return head if slash and last in SUBDIRS else text


def several(texts: Iterable[str], naming: Naming, path: Callable[[str], str] = str) -> tuple[tuple[Channel, ...], tuple[Credential, ...]]:
    """Return the channels that several texts stand for, each once, in their order, and the credentials that their URLs held."""
    found: dict[str, Channel] = {}
    held: list[Credential] = []
    for text in texts:
        for channel, credential in naming.channels(text, path):
            found.setdefault(channel.url, channel)
            if credential is not None:
                held.append(credential)
    return tuple(found.values()), tuple(dict.fromkeys(held))
