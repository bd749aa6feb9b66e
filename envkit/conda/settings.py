"""What files and variables set, read key by key as the type that the key has.

Source: conda's common/configuration.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from ..errors import CorruptError
from ..formats import condarc
from ..formats.conda_url import file_url, has_scheme
from ..formats.variables import expanded
from .keys import HONOURED, WITHOUT_MEANING

if TYPE_CHECKING:
    from ..formats.condarc import Setting
    from ..system.look import Look

Priority = Literal["strict", "flexible", "disabled"]
_PRIORITIES: Final[tuple[Priority, ...]] = ("strict", "flexible", "disabled")


class Said:
    """The settings of all files and variables."""

    def __init__(self, settings: Mapping[str, Sequence[Setting]], look: Look) -> None:
        """Keep what `configuration_files.collected` found; variables in values are those of `look.host`."""
        self._settings = settings
        self._look = look

    def unsupported(self) -> tuple[str, ...]:
        """Return the keys that are set and not honoured, sorted."""
        return tuple(sorted(self._settings.keys() - HONOURED - WITHOUT_MEANING))

    def text(self, key: str, *, expand: bool = False) -> str | None:
        """Return a single text; None where it is not set."""
        value = condarc.one(self._settings.get(key, ()))
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise _wrong(key, f"{str(value)[:60]!r} is no text")
        return self.expanded(value) if expand else value

    def truth(self, key: str, *, default: bool) -> bool:
        """Return yes or no."""
        value = condarc.one(self._settings.get(key, ()))
        found = default if value is None else condarc.truth(value)
        if found is None:
            raise _wrong(key, f"{str(value)[:60]!r} is neither true nor false")
        return found

    def items(self, key: str, *, expand: bool = False) -> tuple[str, ...]:
        """Return a list, what counts most first."""
        try:
            found = condarc.items(self._settings.get(key, ()))
        except ValueError as error:
            raise _wrong(key, str(error)) from error
        return tuple(map(self.expanded, found)) if expand else found

    def table(self, key: str, *, expand: bool = False) -> dict[str, object]:
        """Return a mapping."""
        try:
            found = condarc.table(self._settings.get(key, ()))
        except ValueError as error:
            raise _wrong(key, str(error)) from error
        return {name: self.expanded(value) if expand and isinstance(value, str) else value for name, value in found.items()}

    def texts(self, key: str, value: object) -> tuple[str, ...]:
        """Return an inner list of a mapping."""
        try:
            return tuple(map(self.expanded, condarc.texts(value)))
        except ValueError as error:
            raise _wrong(key, str(error)) from error

    def priority(self) -> Priority:
        """Return how channels count against one another; a plain yes is "flexible", a plain no "disabled", as in old files."""
        value = condarc.one(self._settings.get("channel_priority", ()))
        if value is None:
            return "strict"
        word = str(value).strip().lower()
        for known in _PRIORITIES:
            if word == known:
                return known
        plain = condarc.truth(value)
        if plain is None:
            raise _wrong("channel_priority", f"{word[:60]!r} is none of {', '.join(_PRIORITIES)}")
        return "flexible" if plain else "disabled"

    def ssl_verify(self) -> bool | str:
        """Return whether certificates are checked, and by which: where nothing is set, by the file that `requests` would be told of."""
        value = condarc.one(self._settings.get("ssl_verify", ()))
        plain = True if value is None else condarc.truth(value)
        if plain is False:
            return False
        if plain is None:
            word = self.expanded(str(value)).strip()
            return word if word == "truststore" else self.path(word)
        environ = self._look.host.environ
        stated = next((environ[name] for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE") if environ.get(name)), None)
        return True if stated is None else self.path(stated)

    def path(self, text: str) -> str:
        """Return a path as an absolute one of this machine, with `~` and variables replaced."""
        return str(self._look.host.path(self.expanded(text)))

    def address(self, text: str) -> str:
        """Return a URL; a path becomes one."""
        return text if has_scheme(text) else file_url(self.path(text))

    def expanded(self, text: str) -> str:
        """Return a text with its variables replaced."""
        return expanded(text, self._look.host.environ, windows=self._look.windows)


def _wrong(key: str, why: str) -> CorruptError:
    return CorruptError(
        f"conda's configuration has a value for {key} that it cannot have: {why}",
        code="conda-configuration",
        path=Path(),
        hint=f"mend {key} in the condarc that sets it, or the variable CONDA_{key.upper()}",
    )
