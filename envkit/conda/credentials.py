"""Credentials of channels: what is kept in files and URLs, which of it a URL is asked with, and that none of it is ever shown.

A credential is bound to a place: the base of a URL ("https://host/path"), a host ("host", "host:8080"), or all hosts below a domain
("*.example.org"). The longest place that a URL lies in counts; one that was given with https never goes out by http.

Source: rattler's authentication storage (`~/.rattler/credentials.json`, RATTLER_AUTH_FILE); mamba's `~/.mamba/auth`; anaconda-client's
tokens; the netrc format of ftp(1).
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass, replace
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from ..formats.conda_url import TOKEN_PATH, has_scheme, shown, token_of


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Credential:
    """What opens a place: a user with a password, a bearer token, or conda's token, which stands in the path of a URL; it may have a user, too.

    `above` is the part of a URL's path behind which the token stands. Shown nowhere: `repr` and `str` tell the place and the kind.
    """

    place: str
    user: str = ""
    password: str = ""
    bearer: str = ""
    token: str = ""
    above: str = ""

    def __repr__(self) -> str:
        return f"Credential(place={self.place!r}, {self.kind})"

    @property
    def kind(self) -> str:
        """Return "bearer", "token" or "basic", the first of them that it has."""
        return "bearer" if self.bearer else "token" if self.token else "basic"

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return the texts that must not be shown, as they are and as they stand in a URL and in a header."""
        found = [value for value in (self.password, self.bearer, self.token) if value]
        if self.user and not self.password:
            found.append(self.user)  # a token is given as a user's name, too
        spelt = [spelling for value in found for spelling in (value, quote(value, safe=""))]
        return tuple(dict.fromkeys([*spelt, *([self._pair()] if self.user or self.password else [])]))

    def _pair(self) -> str:
        return base64.b64encode(f"{self.user}:{self.password}".encode()).decode("ascii")

    def headers(self) -> dict[str, str]:
        """Return the headers that a request needs; empty for a token alone, which stands in the URL."""
        if self.bearer:
            return {"Authorization": f"Bearer {self.bearer}"}
        return {"Authorization": f"Basic {self._pair()}"} if self.user or self.password else {}

    def applied(self, url: str) -> str:
        """Return a URL with a user, a password or a token in it; unchanged for a bearer token, for which there is no spelling."""
        parts = urlsplit(url)
        if self.token:
            above = self.above if parts.path.startswith(f"{self.above}/") else ""
            parts = parts._replace(path=f"{above}{TOKEN_PATH}{quote(self.token, safe='')}{parts.path.removeprefix(above)}")
        if self.user or self.password:
            login = quote(self.user, safe="") + (f":{quote(self.password, safe='')}" if self.password else "")
            parts = parts._replace(netloc=f"{login}@{parts.netloc}")
        return urlunsplit(parts)

    def reach(self, url: str) -> int:
        """Return how well this fits a URL without credentials: 0 is not at all, more is more exactly."""
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
        if not host:
            return 0
        if has_scheme(self.place):
            return _reach_of_url(self.place, url)
        place = self.place.lower()
        if place.startswith("*."):
            return 1 if host == place[2:] or host.endswith(place[1:]) else 0
        if place == parts.netloc.lower():
            return 3
        return 2 if place == host else 0


def _reach_of_url(place: str, url: str) -> int:
    """Return how well a URL lies at or below another, part by part of its path: "/a" opens "/a/b" and not "/ab"."""
    ours, theirs = urlsplit(place), urlsplit(url)
    if (ours.scheme, ours.netloc.lower()) != (theirs.scheme, theirs.netloc.lower()):
        return 0
    base, path = ours.path.rstrip("/"), theirs.path
    return 4 + len(base) if path == base or path.startswith(base + "/") else 0


def best(credentials: Iterable[Credential], url: str) -> Credential | None:
    """Return the credential for a URL: the one of the longest place; among equals the first. None when it needs none."""
    found = max(credentials, key=lambda credential: credential.reach(url), default=None)
    return found if found is not None and found.reach(url) else None


def split(url: str) -> tuple[str, Credential | None]:
    """Return a URL without credentials, and those that it held: conda's token (`/t/TOKEN/`), a user, a password."""
    if not has_scheme(url):
        return url, None
    clean, parts = shown(url), urlsplit(url)
    login, _, _ = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    token = token_of(parts.path)
    if not login and not token:
        return clean, None
    above = parts.path.partition(TOKEN_PATH)[0] if token else ""
    return clean, Credential(place=clean.rstrip("/"), user=unquote(user), password=unquote(password), token=unquote(token), above=above)


def placed(credential: Credential, place: str) -> Credential:
    """Return a credential for another place."""
    return replace(credential, place=place)
