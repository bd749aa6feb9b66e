"""URLs as conda writes them: tokens in their path, a platform's directory, a package file at their end. Text in, parts out.

Source: conda's common/url.py; CEP 26 for the names of package files and of platforms' directories.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote, urlsplit, urlunsplit

TOKEN_PATH: Final = "/t/"  # noqa: S105 - how the path of a URL with a token goes on, not a token
EXTENSIONS: Final = (".conda", ".tar.bz2")
SUBDIRS: Final = (
    *("noarch", "emscripten-wasm32", "wasi-wasm32", "freebsd-64", "linux-32", "linux-64", "linux-aarch64", "linux-armv6l"),
    *("linux-armv7l", "linux-ppc64", "linux-ppc64le", "linux-riscv64", "linux-s390x", "osx-64", "osx-arm64", "win-32", "win-64"),
    *("win-arm64", "zos-z"),
)
"""The directories of a channel, one for each platform."""

_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.\-]{0,11}://", re.IGNORECASE)
_VARIABLE: Final = re.compile(r"\$(\w+|\{\w+\})")


def has_scheme(text: str) -> bool:
    """Say whether a text is a URL, and not a name or a path."""
    return _SCHEME.match(text) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageFile:
    """What the URL or path of a package file says. `base` is its channel's URL; it and `subdir` are empty where the text names none."""

    name: str
    version: str
    build: str
    filename: str
    subdir: str
    base: str


def package_file(url: str) -> PackageFile:
    """Return what the URL or path of a package file says.

    Raises:
        ValueError: it does not end in a package's file name.
    """
    path = urlsplit(url).path if has_scheme(url) else url.replace("\\", "/")
    filename = unquote(path.rpartition("/")[2])
    extension = next((end for end in EXTENSIONS if filename.endswith(end)), None)
    parts = filename.removesuffix(extension or "").rsplit("-", 2)
    if extension is None or len(parts) != 3 or not all(parts):
        raise ValueError(f"{shown(url)!r} names no package file: it should end in NAME-VERSION-BUILD.conda or .tar.bz2")
    above = re.split(r"[/\\]", url)[:-1]
    subdir = above[-1] if above and above[-1] in SUBDIRS else ""
    base = "/".join(above[:-1]) if subdir else ""
    return PackageFile(name=parts[0].lower(), version=parts[1], build=parts[2], filename=filename, subdir=subdir, base=base)


def shown(url: str) -> str:
    """Return a URL without the credentials in it: neither a user nor conda's token."""
    if not has_scheme(url):
        return url
    parts = urlsplit(url)
    token = token_of(parts.path)
    path = parts.path.replace(f"{TOKEN_PATH}{token}", "", 1) if token else parts.path
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], path=path))


def lasting(text: str) -> str:
    """Return a channel as it may be written down: without credentials, but with variables that stand for them."""
    if not has_scheme(text):
        return text
    parts = urlsplit(text)
    user, colon, password = parts.netloc.rpartition("@")[0].partition(":")
    secrets = [secret for secret in (password if colon else user, token_of(parts.path)) if secret]
    return text if all(_VARIABLE.fullmatch(secret) for secret in secrets) else shown(text)


def token_of(path: str) -> str:
    """Return conda's token in the path of a URL, as it is written there; empty where there is none."""
    _, found, after = path.partition(TOKEN_PATH)
    return after.partition("/")[0] if found else ""


def file_url(path: str) -> str:
    """Return the `file://` URL of an absolute path; one of Windows begins with a drive."""
    tidy = path.replace("\\", "/") if re.match(r"[A-Za-z]:[\\/]|\\\\", path) else path
    return "file://" + quote(tidy if tidy.startswith("/") else f"/{tidy}", safe="/:")
