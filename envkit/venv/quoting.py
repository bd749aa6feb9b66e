"""How a text is written in the language of each shell, so that it stays text.

Directory names, prompts and values of variables are not ours: `$(touch pwn)` is a legal name of a directory. They reach an
activation script only as a literal made here, and a prompt, which shells expand each time they show it, only as `displayed`.

Source: POSIX.1-2024 2.2 (sh), fish's "Quotes", tcsh(1) "History substitution", PowerShell's about_Quoting_Rules; CVE-2024-9287
and CVE-2024-53899 are what happens without.
"""

from __future__ import annotations

import re
from typing import Final

CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""Characters that end a line for one reader or another of pyvenv.cfg or of a script: never written, always refused."""

_PLAIN: Final = " ._-+@,:=/"
# PowerShell takes the four typographic single quotes for the straight one.
_POWERSHELL_QUOTES: Final = re.compile("(['\u2018\u2019\u201a\u201b])")


def sh(text: str) -> str:
    """Return `text` as one word for sh, bash, dash, ksh and zsh."""
    return "'" + text.replace("'", "'\"'\"'") + "'"


def fish(text: str) -> str:
    """Return `text` as one word for fish, where backslash and quote are the only special characters between single quotes."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def csh(text: str) -> str:
    """Return `text` as one word for csh and tcsh, which look for `!` between single quotes too."""
    return "'" + text.replace("'", "'\\''").replace("!", "\\!") + "'"


def powershell(text: str) -> str:
    """Return `text` as one literal string for PowerShell."""
    return "'" + _POWERSHELL_QUOTES.sub(r"\1\1", text) + "'"


def nu(text: str) -> str:
    """Return `text` as one string for nu: between double quotes, without `$` before them, only backslash and quote are special."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def xonsh(text: str) -> str:
    """Return `text` as a literal of Python, which xonsh leaves alone; in ASCII, whatever encoding it reads the file in."""
    return ascii(text)


def cmd(text: str) -> str:
    """Return `text` as it stands in `set "NAME=text"` of a batch file; a double quote cannot be written and is refused before."""
    return text.replace("%", "%%")


def displayed(prompt: str) -> str:
    """Return what a prompt shows of a name: letters and digits of any script and a few signs; all else as `_`.

    A shell expands its prompt each time it shows it: a dollar sign, backtick, backslash, `%` or `!` would be obeyed there
    however well it was quoted when the prompt was set.
    """
    return "".join(character if character.isalnum() or character in _PLAIN else "_" for character in prompt)
