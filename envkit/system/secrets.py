"""Secrets in text: what a tool says is shown, kept and put into errors only after it went through here.

Two sources of secrets are known: credentials inside URLs, wherever they stand, and the values of variables whose names say that
they are secret, or whose values are URLs with credentials. A tool's own redaction is not relied upon: old pips have none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import quote, unquote

MASK = "****"
_SHORTEST = 5  # characters; a shorter value would mask ordinary words
_USERINFO = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.\-]*://)(?P<user>[^\s/?#'\"<>`]*)@")
_PUBLIC_USERS = frozenset({"git", "hg", "svn"})  # a fixed user of a host that asks for a key; it says nothing
_QUERY = re.compile(r"(?i)(?P<name>[?&;](?:[\w-]*(?:token|secret|password|signature|api_?key))=)[^\s&#'\"<>`]+")
_HEADER = re.compile(r"(?i)(?P<name>authorization: *(?:basic|bearer) +)\S+")
_SECRET_NAME = re.compile(r"(?i)(token|passw(or)?d|passphrase|secret|api_?key|access_?key|private_?key|credential)")
_NOT_SECRET = frozenset({"true", "false", "subprocess", "disabled"})


def masked(text: str, environ: Mapping[str, str] | None = None) -> str:
    """Return `text` without secrets: those in URLs, and where `environ` is given, those among its values."""
    return masker(environ or {})(text)


def masker(environ: Mapping[str, str], texts: Iterable[str] = (), *, values: Iterable[str] = ()) -> Callable[[str], str]:
    """Return a function that masks secrets in many texts.

    Args:
        environ: variables whose secret values are masked wherever they appear.
        texts: more texts that may hold URLs with credentials, such as the lines of a configuration file.
        values: each is secret as a whole, and so is each of its lines; what is too short to be one stays.
    """
    secret = {line.strip() for value in values for line in value.splitlines()}
    known = _secrets(environ, texts) | {value for value in secret if len(value) >= _SHORTEST and value.lower() not in _NOT_SECRET}
    pattern = re.compile("|".join(map(re.escape, sorted(known, key=len, reverse=True)))) if known else None

    def mask(text: str) -> str:
        if "://" in text:
            text = _USERINFO.sub(_masked_url, text)
        if "=" in text:
            text = _QUERY.sub(rf"\g<name>{MASK}", text)
        text = _HEADER.sub(rf"\g<name>{MASK}", text)
        return pattern.sub(MASK, text) if pattern is not None else text

    return mask


def credentials_in(text: str) -> bool:
    """Say whether a text holds a URL with a user, a password or a token in it."""
    return any(match["user"] not in _PUBLIC_USERS for match in _USERINFO.finditer(text))


def _masked_url(match: re.Match[str]) -> str:
    return match[0] if match["user"] in _PUBLIC_USERS else f"{match['scheme']}{MASK}@"


def _secrets(environ: Mapping[str, str], texts: Iterable[str]) -> set[str]:
    """Return the values to mask, as they are and as they stand in a URL."""
    found: set[str] = set()
    for name, value in environ.items():
        if _SECRET_NAME.search(name) and "://" not in value and value.lower() not in _NOT_SECRET:
            found.add(value)
    for text in (*environ.values(), *texts):
        for match in _USERINFO.finditer(text):
            user, colon, password = match["user"].partition(":")
            if user not in _PUBLIC_USERS:
                found.add(password if colon else user)
    spelt = {spelling for value in found for spelling in (value, unquote(value), quote(value, safe=""))}
    return {value for value in spelt if len(value) >= _SHORTEST}
