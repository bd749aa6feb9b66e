"""Where credentials of channels are kept: rattler's, mamba's and anaconda-client's files, netrc, and the keyring where one is installed.

Files that cannot be read count as absent: they are no part of what was asked for, and a channel that needs them says so itself.
A netrc's `default` entry is left out: it would send a password to every host there is.

Source: rattler_networking's authentication storage; mamba's core/context.cpp; conda's gateways/anaconda_client.py.
"""

from __future__ import annotations

import base64
import binascii
import importlib
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeGuard
from urllib.parse import unquote_plus, urlsplit

from ..formats.conda_url import has_scheme
from .credentials import Credential

if TYPE_CHECKING:
    from ..host import Host
    from ..system.look import Look

_LIMIT: Final = 1024 * 1024  # bytes
_PUBLIC: Final = frozenset({"conda.anaconda.org", "repo.anaconda.com", "repo.prefix.dev", "prefix.dev", "fast.prefix.dev"})
_SERVICES: Final = ("rattler",)  # under which a keyring holds what rattler and pixi wrote


def stored(look: Look) -> tuple[Credential, ...]:
    """Return the credentials that files hold, in the order in which they count."""
    return tuple(dict.fromkeys([*_of_rattler(look), *_of_mamba(look), *_of_anaconda(look), *_of_netrc(look)]))


def _of_rattler(look: Look) -> Iterator[Credential]:
    stated = look.host.environ.get("RATTLER_AUTH_FILE")
    home = str(look.host.home)
    for path in (*((str(look.host.path(stated)),) if stated else ()), os.path.join(home, ".rattler", "credentials.json")):
        for place, said in _table(_json(look, path)).items():
            credential = of_rattler(place, said)
            if credential is not None:
                yield credential


def of_rattler(place: str, said: object) -> Credential | None:
    """Return the credential of an entry as rattler writes it; None for a kind that is not known here (S3, OAuth)."""
    entry = _table(said)
    basic = _table(entry.get("BasicHTTP"))
    if basic:
        return Credential(place=place, user=str(basic.get("username", "")), password=str(basic.get("password", "")))
    if isinstance(bearer := entry.get("BearerToken"), str):
        return Credential(place=place, bearer=bearer)
    return Credential(place=place, token=token) if isinstance(token := entry.get("CondaToken"), str) else None


def _of_mamba(look: Look) -> Iterator[Credential]:
    path = os.path.join(str(look.host.home), ".mamba", "auth", "authentication.json")
    for place, said in _table(_json(look, path)).items():
        entry = _table(said)
        # A host may go on with a path here; as a URL it is bound to it.
        where = place if has_scheme(place) or "/" not in place else f"https://{place}"
        kind, token = entry.get("type"), str(entry.get("token", ""))
        if kind == "BasicHTTPAuthentication":
            try:
                password = base64.b64decode(str(entry.get("password", "")), validate=True).decode()
            except (binascii.Error, ValueError):
                continue
            yield Credential(place=where, user=str(entry.get("user", "")), password=password)
        elif kind == "BearerToken" and token:
            yield Credential(place=where, bearer=token)
        elif kind == "CondaToken" and token:
            yield Credential(place=where, token=token)


def _of_anaconda(look: Look) -> Iterator[Credential]:
    """Yield the tokens that `anaconda login` wrote: one file for each URL; what opens the API opens the channels beside it."""
    for directory in _token_directories(look):
        for name in look.names(directory):
            url = unquote_plus(name.removesuffix(".token"))
            token = (look.text(os.path.join(directory, name), _LIMIT) or "").strip()
            if name.endswith(".token") and has_scheme(url) and token:
                channels = re.sub(r"([./])api([./]|$)", r"\1conda\2", url, count=1)
                yield from (Credential(place=place, token=token) for place in dict.fromkeys((channels, url)))


def _token_directories(look: Look) -> Iterator[str]:
    environ, home = look.host.environ, str(look.host.home)
    if stated := environ.get("BINSTAR_CONFIG_DIR"):
        yield os.path.join(look.place(stated), "data")
    elif look.windows:
        yield os.path.join(look.place(environ.get("LOCALAPPDATA") or os.path.join(home, "AppData", "Local")), "ContinuumIO", "binstar")
    elif look.host.platform == "darwin":
        yield os.path.join(home, "Library", "Application Support", "binstar")
    else:
        stated = environ.get("XDG_CONFIG_HOME", "")
        yield os.path.join(look.place(stated) if stated.startswith("/") else os.path.join(home, ".config"), "binstar")
    yield os.path.join(home, ".continuum", "anaconda-client", "tokens")


def _of_netrc(look: Look) -> Iterator[Credential]:
    stated = look.host.environ.get("NETRC")
    names = (".netrc", "_netrc")
    paths = (str(look.host.path(stated)),) if stated else tuple(os.path.join(str(look.host.home), name) for name in names)
    text = next((found for path in paths if (found := look.text(path, _LIMIT)) is not None), None)
    if text is not None:
        yield from netrc(text)


def netrc(text: str) -> Iterator[Credential]:
    """Yield the credentials of the machines that a netrc names; its macros and its default are passed over."""
    words = _words(text)
    entry: dict[str, str] = {}
    for word in words:
        if word in {"machine", "default"}:
            yield from _entry(entry)
            entry = {"machine": next(words, "")} if word == "machine" else {}
        elif word in {"login", "password", "account"}:
            entry[word] = next(words, "")
    yield from _entry(entry)


def _entry(entry: Mapping[str, str]) -> Iterator[Credential]:
    if entry.get("machine") and entry.get("password"):
        yield Credential(place=entry["machine"], user=entry.get("login", ""), password=entry["password"])


def _words(text: str) -> Iterator[str]:
    """Yield the words of a netrc, quoted ones without their quotes; comments and macros are left out."""
    macro = False
    for line in text.splitlines():
        if macro:
            macro = bool(line.strip())
            continue
        for match in re.finditer(r'"((?:[^"\\]|\\.)*)"|(\S+)', line):
            word = match[2] if match[2] is not None else re.sub(r"\\(.)", r"\1", match[1])
            if word == "macdef" and match[2] is not None:
                macro = True
                break
            if word.startswith("#") and match[2] is not None and not line[: match.start()].rstrip().endswith(("password", "login")):
                break
            yield word


def kept_in_keyring(host: Host, urls: Iterable[str]) -> Iterator[Credential]:
    """Yield what the keyring holds for some URLs, where a keyring is installed; the public hosts of conda are never asked about.

    Asked are: the URL and its host as pip asks, and the entries of rattler and pixi.
    """
    if host.platform != sys.platform or str(host.root) != (host.root.anchor or "/"):
        return
    wanted = [url for url in urls if url.startswith(("http://", "https://")) and urlsplit(url).hostname not in _PUBLIC]
    if not wanted:
        return
    try:
        keyring: Any = importlib.import_module("keyring")  # no dependency: used where somebody installed it
    except ImportError:
        return
    for url in wanted:
        with_port = urlsplit(url).netloc
        yield from _asked(keyring, url, with_port)


def _asked(keyring: Any, url: str, host: str) -> Iterator[Credential]:
    """Yield what one keyring answers; whatever it raises means that it has nothing, as nobody can say what backends raise."""
    try:
        for service in _SERVICES:
            said = keyring.get_password(service, host)
            found = of_rattler(host, json.loads(said)) if isinstance(said, str) else None
            if found is not None:
                yield found
                return
        for service in (url, host):
            answer = keyring.get_credential(service, None)
            if answer is not None and answer.password:
                yield Credential(place=service, user=str(answer.username or ""), password=str(answer.password))
                return
    except Exception:  # noqa: BLE001 - see above
        return


def _json(look: Look, path: str) -> object:
    text = look.text(path, _LIMIT)
    try:
        return None if text is None else json.loads(text)
    except (ValueError, RecursionError):
        return None


def _table(value: object) -> dict[str, object]:
    return value if _is_table(value) else {}


def _is_table(value: object) -> TypeGuard[dict[str, object]]:
    return isinstance(value, dict)
