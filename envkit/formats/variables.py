"""Variables and a home directory in text, as `os.path.expandvars` and `os.path.expanduser` would put them in, for an environ that is given.

Pure, so that the rules of another platform and of an injected environment can be tried. A variable that is not set stays as it is.

Source: Python's os.path; CEP 23 and CEP 24, which ask for this.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_POSIX: Final = re.compile(r"\$(?:(?P<plain>[A-Za-z0-9_]+)|\{(?P<braced>[^}]*)\})")
_WINDOWS: Final = re.compile(r"%(?P<percent>[^%\s]+)%|\$(?:(?P<plain>[A-Za-z0-9_]+)|\{(?P<braced>[^}]*)\})")


def expanded(text: str, environ: Mapping[str, str], *, home: str = "", windows: bool = False) -> str:
    """Return a text with `$NAME` and `${NAME}` replaced (on Windows `%NAME%`, too), and a leading `~` by `home` where that is given."""

    def value(match: re.Match[str]) -> str:
        name = next(group for group in match.groups() if group is not None)
        return environ.get(name, match[0])

    if home and (text == "~" or text.startswith(("~/", "~\\") if windows else "~/")):
        text = home + text[1:]
    return (_WINDOWS if windows else _POSIX).sub(value, text) if "$" in text or (windows and "%" in text) else text
